#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What doc/spec-map.md and doc/threat-model.md point at exists.

A row of the map is "| id | requirement | source | function | case |".  The
function cell names functions of the product, the case cell names files or
folders, from the top of the tree or from tests/cases; "file:name" also wants
that name in the file.  A row of the threat model is "| threat | defence |
shown by |", and its last cell is like a case cell, or "suite name" of a suite
of run-tests.  Several stand apart by commas; `backticks` are decoration.

The map's table "| member | ... |" lists the members of a document that are
read, neither more nor less than common/document_member.c.
"""

from __future__ import annotations

import glob
import os
import re
import sys
from typing import Iterator

TOP = os.path.realpath(os.environ.get("top_srcdir", "."))
MAP = "doc/spec-map.md"
THREATS = "doc/threat-model.md"
MEMBERS = "common/document_member.c"
MAP_HEAD = ["id", "requirement", "source", "function", "case"]
THREATS_HEAD = ["threat", "defence", "shown by"]


def read(name: str) -> str:
    """The text of a file of the tree."""
    with open(os.path.join(TOP, name), encoding="utf-8",
              errors="replace") as src:
        return src.read()


def table_rows(name: str, first: list[str]) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of each row of the tables of a file whose header
    starts with these cells."""
    inside = False
    for n, line in enumerate(read(name).splitlines(), 1):
        if not line.startswith("|"):
            inside = False
            continue
        cells = [c.strip().replace("\\|", "|")
                 for c in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
        if [c.lower() for c in cells[:len(first)]] == first:
            inside = True
        elif inside and not all(re.fullmatch(r":?-+:?", c) for c in cells):
            yield n, cells


def defined_functions() -> set[str]:
    """Names that begin a line as a function does in our style."""
    names: set[str] = set()
    for part in ("common", "cimdd", "cimdctl"):
        for path in glob.glob(f"{TOP}/{part}/**/*.c", recursive=True):
            names.update(re.findall(r"^(\w+)\(", read(path), re.M))
    return names


def suites() -> set[str]:
    """Names in the table of suites of run-tests."""
    if not os.path.exists(os.path.join(TOP, "run-tests")):
        return set()
    table = re.search(r"^suites='\n(.*?)\n'", read("run-tests"), re.M | re.S)
    assert table is not None
    return {line.split()[0] for line in table[1].splitlines()}


def items(cell: str) -> list[str]:
    """The comma-separated items of a cell, without decoration."""
    return [i for i in (p.strip().strip("`").removesuffix("()").strip()
                        for p in cell.split(",")) if i]


def case_exists(item: str) -> bool:
    """Is there such a file or folder, and the name in it if one is given?"""
    path, _, name = item.partition(":")
    for base in ("", "tests/cases"):
        full = os.path.join(TOP, base, path)
        if not os.path.exists(full):
            continue
        if os.path.isdir(full):
            return name == "" and len(os.listdir(full)) > 0
        return re.search(rf"\b{re.escape(name)}\b", read(full)) is not None
    return False


def check_cells(head: list[str], cells: list[str]) -> Iterator[str]:
    """What is wrong with the form of a row."""
    if len(cells) != len(head):
        yield f"{len(cells)} cells, not {len(head)}"
        return
    for name, cell in zip(head, cells):
        if not items(cell):
            yield f"no {name}"


def check_map() -> Iterator[tuple[int, str]]:
    """What is wrong with the map, by line; (0, "") for each good row."""
    functions = defined_functions()
    seen: set[str] = set()
    for n, cells in table_rows(MAP, MAP_HEAD):
        faults = list(check_cells(MAP_HEAD, cells))
        if not faults:
            if cells[0] in seen:
                faults.append(f"id {cells[0]} is there already")
            seen.add(cells[0])
            faults += [f"no function {f}" for f in items(cells[3])
                       if f not in functions]
            faults += [f"no case {c}" for c in items(cells[4])
                       if not case_exists(c)]
        yield from ((n, fault) for fault in faults)
        yield 0, ""


def check_threats() -> Iterator[tuple[int, str]]:
    """The same for the threat model."""
    known = {f"suite {name}" for name in suites()}
    for n, cells in table_rows(THREATS, THREATS_HEAD):
        faults = list(check_cells(THREATS_HEAD, cells))
        if not faults:
            faults += [f"no test {c}" for c in items(cells[2])
                       if c not in known and not case_exists(c)]
        yield from ((n, fault) for fault in faults)
        yield 0, ""


def check_members() -> Iterator[tuple[int, str]]:
    """Are the members that are read those that the map lists?"""
    coded = re.findall(r'^\t\{ "(\w+)", json_type_', read(MEMBERS), re.M)
    listed = [cells[0].strip("`")
              for _, cells in table_rows(MAP, ["member"])]
    for name in sorted(set(coded) ^ set(listed)):
        where = MEMBERS if name in coded else MAP
        yield 1, f"the member {name} stands in {where} alone"
    for _ in coded:
        yield 0, ""


def main() -> int:
    """Run all checks."""
    bad = 0
    for name, check in ((MAP, check_map), (THREATS, check_threats),
                        (MAP, check_members)):
        try:
            results = list(check())
        except OSError as e:
            print(f"error: {e.filename}: {e.strerror}")
            bad += 1
            continue
        faults = [(n, text) for n, text in results if n != 0]
        for n, text in faults:
            print(f"error: {name}:{n}: {text}")
        rows = len(results) - len(faults)
        print(f"{name}: {rows} rows, {len(faults)} faults")
        bad += len(faults) + (rows == 0)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
