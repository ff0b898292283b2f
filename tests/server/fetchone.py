# SPDX-License-Identifier: Apache-2.0
"""Drive the program fetch_one: one or many fetches, told as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any, NamedTuple

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))

import labtest  # noqa: E402

HOST = "hostile.example.net"


class Run(NamedTuple):
    """What one run of fetch_one said: a record for each fetch, one about
    the process, and how many seconds it took with start and end."""

    fetches: list[dict[str, Any]]
    process: dict[str, Any]
    seconds: float

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


def run(url: str, *options: str, program: str = "fetch_one",
        env: dict[str, str] | None = None) -> Run:
    """Run fetch_one, or one of the programs that lack a part of it."""
    path = os.path.join(labtest.top_build(), "tests", "server", program)
    start = time.monotonic()
    done = subprocess.run([path, *settings(), *options, url],
                          capture_output=True, check=False,
                          env={**os.environ, **(env or {})})
    seconds = time.monotonic() - start
    if done.returncode != 0:
        raise AssertionError(f"{program} {url}: {done.returncode}, "
                             f"{done.stderr.decode(errors='replace')}")
    lines = [json.loads(line) for line in
             done.stdout.decode(errors="replace").splitlines()]
    return Run(lines[:-1], lines[-1], seconds)


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
