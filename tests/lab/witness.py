# SPDX-License-Identifier: Apache-2.0
"""Witnesses for self-tests and controls: curl, and one DNS question."""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import socket
import struct
import subprocess
import tempfile
from typing import NamedTuple

import dns
import labtest


class Got(NamedTuple):
    """What curl saw: its exit code, the status, the headers, the body."""

    code: int
    status: int
    headers: str
    body: bytes


def curl(url: str, *options: str, seconds: float = 30.0) -> Got:
    """GET with the laboratory's CA; at most so many seconds."""
    trust = ["--cacert", os.environ["LAB_CA_FILE"]]
    if "--capath" in options:
        trust = []
    head = tempfile.NamedTemporaryFile(dir=os.environ["LAB_DIR"])
    with head:
        done = subprocess.run(
            ["curl", "-q", "-sS", "-g", "--http1.1", "-m", str(seconds),
             "--noproxy", "*", "-D", head.name, *trust, *options, url],
            capture_output=True, check=False)
        headers = head.read().decode("latin-1")
    found = re.findall(r"^HTTP/\S+ (\d+)", headers, re.M)
    return Got(done.returncode, int(found[-1]) if found else 0, headers,
               done.stdout)


def hostile(path: str, label: str = "good", *options: str,
            seconds: float = 30.0) -> Got:
    """GET from the hostile server."""
    return curl(labtest.lab().url(path, label), *options, seconds=seconds)


def question(name: str, qtype: int, ident: int) -> bytes:
    """A message with one question."""
    return struct.pack("!6H", ident, 0x100, 1, 0, 0, 0) \
        + dns.pack_name(name) + struct.pack("!2H", qtype, 1)


def query(name: str, qtype: int = 1, tcp: bool = False,
          seconds: float = 30.0) -> tuple[object, list[str]]:
    """One question; the response code (or what is odd) and addresses."""
    ident = secrets.randbelow(65536)
    data = question(name, qtype, ident)
    where = (labtest.lab().resolver, 53)
    kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.settimeout(seconds)
        sock.connect(where)
        sock.sendall(struct.pack("!H", len(data)) + data if tcp
                     else data)
        got = sock.recv(65535)
        while tcp and len(got) < 2 + struct.unpack("!H", got[:2])[0]:
            got += sock.recv(65535)
    return read_answer(got[2:] if tcp else got, len(data), qtype, ident)


def read_answer(got: bytes, at: int, qtype: int, wanted: int
                ) -> tuple[object, list[str]]:
    """Response code and addresses of an answer to our question."""
    ident, flags, _, count, _, _ = struct.unpack_from("!6H", got)
    if flags == 0xffff:
        return "garbage", []
    if ident != wanted:
        return "another", []
    if flags & 0x0200:
        return "truncated", []
    found = []
    for _ in range(count):
        _, at = dns.unpack_name(got, at)
        kind, _, _, size = struct.unpack_from("!HHIH", got, at)
        if kind == qtype:
            raw = got[at + 10:at + 10 + size]
            found.append(str(ipaddress.ip_address(raw)))
        at += 10 + size
    return flags & 15, found
