# SPDX-License-Identifier: Apache-2.0
"""What was measured, and beside it what it should be.

The limits of times are those of the design, on two free cores of the year
2024: on a slower or busy machine they are missed, and that fails nothing.  A
count does not depend on the machine; a wrong one fails the run.
"""

from __future__ import annotations

WRONG: list[str] = []
FIRST_WAIT_S = 0.9


def beside(what: str, value: float, limit: float, unit: str,
           quick: bool = False) -> None:
    """Print a figure that is to be at most the limit."""
    if quick:
        word = "not judged by so few rounds"
    else:
        word = "met" if value <= limit else "MISSED"
    print(f"target: {what}: {value:.4g} {unit}, at most {limit:g}: {word}",
          flush=True)


def exactly(what: str, value: int, wanted: int, seconds: float = 0.0) -> None:
    """Print a count that has one right value.  A failing id may be tried
    again a second later: what took so long proves nothing by more."""
    if value == wanted:
        word = "met"
    elif value > wanted and seconds >= FIRST_WAIT_S:
        word = f"not judged, this machine took {seconds:.1f} s"
    else:
        word = "MISSED"
        WRONG.append(what)
    print(f"target: {what}: {value}, exactly {wanted}: {word}", flush=True)
