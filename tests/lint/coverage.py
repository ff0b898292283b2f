#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""coverage.py BUILD - lines of the pure steps that the tests reached.

BUILD was configured with --enable-coverage, and "make check" has run there.
Prints one line per step and each line of code that was not reached.  Fails
below the bar, together or for one step.
"""

import json
import os
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


def main():
    build = sys.argv[1]
    with open(TOP + "/tests/lint/pure", encoding="ascii") as f:
        steps = f.read().split()
    good = reached = total = bad = 0
    for step in steps:
        if not os.path.exists(f"{TOP}/common/{step}.c"):
            continue
        counts = line_counts(build, step)
        missed = sorted(n for n, times in counts.items() if times == 0)
        share = percent(len(counts) - len(missed), len(counts))
        good += share >= BAR
        bad += share < BAR
        total += len(counts)
        reached += len(counts) - len(missed)
        print(f"{step:16}{len(counts):6} lines {share:7.2f} %"
              f"{'' if share >= BAR else '   FAILED'}")
        with open(f"{TOP}/common/{step}.c", encoding="utf-8") as f:
            text = f.read().splitlines()
        for n in missed:
            print(f"    common/{step}.c:{n}: {text[n - 1].strip()}")
    print(f"{'all':16}{total:6} lines {percent(reached, total):7.2f} %, "
          f"bar {BAR} %")
    print(f"{good} passed, {bad} failed, 0 skipped")
    return 0 if good and not bad else 1


if __name__ == "__main__":
    sys.exit(main())
