#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every row of doc/spec-map.md leads to code and to a case that exist.

A row is "| id | requirement | source | function | case |".  The function
cell names functions of the product, the case cell names files or folders,
from the top of the tree or from tests/cases; "file:name" also wants that
name in the file.  Several stand apart by commas; `backticks` are decoration.
"""

import glob
import os
import re
import sys

TOP = os.path.realpath(os.environ.get("top_srcdir", "."))
MAP = os.path.join(TOP, "doc/spec-map.md")
COLUMNS = ["id", "requirement", "source", "function", "case"]


def table_rows(lines):
    """Yield (line number, cells) of each row under a header with COLUMNS."""
    inside = False
    for n, line in enumerate(lines, 1):
        if not line.startswith("|"):
            inside = False
            continue
        cells = [c.strip().replace("\\|", "|")
                 for c in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if [c.lower() for c in cells] == COLUMNS:
            inside = True
        elif inside and not all(re.fullmatch(r":?-+:?", c) for c in cells):
            yield n, cells


def defined_functions():
    """Names that begin a line as a function does in our style."""
    names = set()
    for part in ("common", "cimdd", "cimdctl"):
        for path in glob.glob(f"{TOP}/{part}/**/*.c", recursive=True):
            with open(path, encoding="utf-8") as f:
                names.update(re.findall(r"^(\w+)\(", f.read(), re.M))
    return names


def items(cell):
    """The comma-separated items of a cell, without decoration."""
    return [i for i in (p.strip().strip("`").removesuffix("()").strip()
                        for p in cell.split(",")) if i]


def case_exists(item):
    """Is there such a file or folder, and the name in it if one is given?"""
    path, _, name = item.partition(":")
    for base in (TOP, f"{TOP}/tests/cases"):
        full = os.path.join(base, path)
        if not os.path.exists(full):
            continue
        if os.path.isdir(full):
            return name == "" and len(os.listdir(full)) > 0
        with open(full, encoding="utf-8", errors="replace") as f:
            return re.search(rf"\b{re.escape(name)}\b", f.read()) is not None
    return False


def check_row(cells, functions, seen):
    """Yield what is wrong with one row."""
    if len(cells) != len(COLUMNS):
        yield f"{len(cells)} cells, not {len(COLUMNS)}"
        return
    for name, cell in zip(COLUMNS, cells):
        if not items(cell):
            yield f"no {name}"
    if cells[0] in seen:
        yield f"id {cells[0]} is there already"
    seen.add(cells[0])
    for function in items(cells[3]):
        if function not in functions:
            yield f"no function {function}"
    for case in items(cells[4]):
        if not case_exists(case):
            yield f"no case {case}"


def main():
    if not os.path.exists(MAP):
        print("skipped: there is no doc/spec-map.md yet")
        return 77
    with open(MAP, encoding="utf-8") as f:
        rows = list(table_rows(f.read().splitlines()))
    functions = defined_functions()
    seen = set()
    faults = [f"doc/spec-map.md:{n}: {fault}" for n, cells in rows
              for fault in check_row(cells, functions, seen)]
    print("".join(f"error: {fault}\n" for fault in faults), end="")
    print(f"{len(rows)} requirements, {len(faults)} faults")
    return 0 if rows and not faults else 1


if __name__ == "__main__":
    sys.exit(main())
