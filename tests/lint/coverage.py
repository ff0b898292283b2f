#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""coverage.py BUILD - lines of the pure steps that the tests reached.

BUILD was configured with --enable-coverage, and "make check" has run there.
Prints one line per step and each line of code that was not reached.  Fails
if a step is below the bar, or if a line that was not reached has no reason:
a comment "Not reached: ..." on it, or above the run of such lines.
"""

import json
import os
import re
import subprocess
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
BAR = 98.0


def line_counts(build, step):
    """{line: times} of common/STEP.c."""
    counts = {}
    out = subprocess.run(
        ["gcov", "--json-format", "--stdout", f"common/.libs/{step}.gcno"],
        cwd=build, capture_output=True, text=True, check=True).stdout
    for document in filter(None, out.splitlines()):
        for f in json.loads(document)["files"]:
            if os.path.basename(f["file"]) != step + ".c":
                continue
            for line in f["lines"]:
                n = line["line_number"]
                counts[n] = counts.get(n, 0) + line["count"]
    return counts


def percent(part, whole):
    """How much of the whole the part is."""
    return 100.0 * part / whole if whole else 100.0


def without_reason(text, missed):
    """Those of the missed lines that no comment explains.

    One comment explains the lines below it down to the next reached one.
    """
    explained = set()
    for n in missed:
        above = n - 1
        while above > 0 and re.match(r"\s*(/?\*|[{}]|$)", text[above - 1]):
            if "Not reached:" in text[above - 1]:
                break
            above -= 1
        if ("Not reached:" in text[n - 1] or above in explained
                or above > 0 and "Not reached:" in text[above - 1]):
            explained.add(n)
    return [n for n in missed if n not in explained]


def judge(build, step):
    """Print how far the tests got in one step; (lines, reached, good)."""
    counts = line_counts(build, step)
    missed = sorted(n for n, times in counts.items() if times == 0)
    with open(f"{TOP}/common/{step}.c", encoding="utf-8") as f:
        text = f.read().splitlines()
    bare = without_reason(text, missed)
    share = percent(len(counts) - len(missed), len(counts))
    good = share >= BAR and not bare
    print(f"{step:16}{len(counts):6} lines {share:7.2f} %"
          f"{'' if good else '   FAILED'}")
    for n in missed:
        print(f"    common/{step}.c:{n}: {text[n - 1].strip()}"
              f"{'   (no reason given)' if n in bare else ''}")
    return len(counts), len(counts) - len(missed), good


def main():
    build = sys.argv[1]
    with open(TOP + "/tests/lint/pure", encoding="ascii") as f:
        steps = [s for s in f.read().split()
                 if os.path.exists(f"{TOP}/common/{s}.c")]
    results = [judge(build, step) for step in steps]
    total = sum(r[0] for r in results)
    reached = sum(r[1] for r in results)
    good = sum(r[2] for r in results)
    print(f"{'all':16}{total:6} lines {percent(reached, total):7.2f} %, "
          f"bar {BAR} %")
    print(f"{good} passed, {len(results) - good} failed, 0 skipped")
    return 0 if results and good == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
