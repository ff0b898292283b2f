# SPDX-License-Identifier: Apache-2.0
"""Running cimdctl in tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, NamedTuple

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))

import labtest  # noqa: E402

SECONDS = 120.0
FIXTURES = os.path.join(labtest.top_src(), "tests", "fixtures", "documents")


class Done(NamedTuple):
    """What a run of cimdctl left: exit status and both outputs."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """The standard output as JSON."""
        return json.loads(self.out)


def program(name: str = "cimdctl") -> str:
    """The path of a program in the build tree."""
    return os.path.join(labtest.top_build(), name, name)


def cimdctl(*args: str, stdin: bytes = b"",
            env: dict[str, str] | None = None) -> Done:
    """Run it; its output is no terminal."""
    done = subprocess.run([program(), *args], input=stdin, check=False,
                          capture_output=True, timeout=SECONDS,
                          env={**os.environ, "LC_ALL": "C.UTF-8",
                               **(env or {})})
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def fixtures() -> dict[str, dict[str, Any]]:
    """The entries of the fixtures' index, by name."""
    with open(os.path.join(FIXTURES, "index.json"), encoding="utf-8") as src:
        return {entry["name"]: entry for entry in json.load(src)}


def fixture_path(entry: dict[str, Any]) -> str:
    """The file of a fixture."""
    return os.path.join(FIXTURES, entry["file"])


def read_terminal(fd: int) -> str:
    """All that is printed on the terminal of which this is our side."""
    text = b""
    while True:
        try:
            data = os.read(fd, 65536)
        except OSError:  # the other side is closed
            data = b""
        if not data:
            os.close(fd)
            return text.decode()
        text += data
