# SPDX-License-Identifier: Apache-2.0
"""Drive the program fetch_one: one or many fetches, told as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, NamedTuple

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))

import labtest  # noqa: E402

HOST = "hostile.example.net"


class Run(NamedTuple):
    """What one run of fetch_one said: a record for each fetch, and one
    about the process."""

    fetches: list[dict[str, Any]]
    process: dict[str, Any]

    @property
    def first(self) -> dict[str, Any]:
        """The record of the only fetch."""
        return self.fetches[0]


def settings() -> list[str]:
    """Options that let fetch_one reach the laboratory."""
    lab = labtest.lab()
    options = ["--ca-path", lab.ca_path]
    if lab.mode == "loopback":
        options += ["--loopback", "--dns", lab.resolver]
    return options


def timely(limit: int, url: str, *options: str, **more: Any) -> Run:
    """A run each of whose fetches ends within so many milliseconds.

    A machine that stands still gets other chances: whoever does not keep a
    deadline misses it every time.
    """
    for _ in range(4):
        done = run(url, *options, **more)
        took = [record["ms"] for record in done.fetches]
        if max(took) < limit:
            return done
    raise AssertionError(f"{url}: {took} ms, not less than {limit}")


def run(url: str, *options: str, program: str = "fetch_one",
        env: dict[str, str] | None = None) -> Run:
    """Run fetch_one, or one of the programs that lack a part of it."""
    path = os.path.join(labtest.top_build(), "tests", "server", program)
    done = subprocess.run([path, *settings(), *options, url],
                          capture_output=True, check=False, timeout=300,
                          env={**os.environ, **(env or {})})
    if done.returncode != 0:
        raise AssertionError(f"{program} {url}: {done.returncode}, "
                             f"{done.stderr.decode(errors='replace')}")
    lines = [json.loads(line) for line in
             done.stdout.decode(errors="replace").splitlines()]
    return Run(lines[:-1], lines[-1])


def fetch(url: str, *options: str, **more: Any) -> dict[str, Any]:
    """The record of one fetch."""
    return run(url, *options, **more).first


def hostile(path: str, label: str = "good") -> str:
    """A URL of the hostile server; the label selects its TLS mode."""
    lab = labtest.lab()
    if lab.mode == "loopback":
        port = str(lab.hostile_name).rpartition(":")[2]
        return f"https://{label}.{HOST}:{port}{path}"
    return lab.url(path, label)


def said(record: dict[str, Any]) -> str:
    """The code of the fetch; of the judgement if there was an answer."""
    return str(record.get("judged", record["code"]))
