#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Control sockets: how a test talks to a running mock.

A mock listens on a UNIX socket.  A request is one line, a JSON object with
the member "cmd" and arguments; the answer is one line:

    {"ok": true, "result": ...}    or    {"ok": false, "error": "..."}

From a shell:  python3 control.py SOCKET '{"cmd": "counts"}'
From Python:   Control(path).call("counts")
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from typing import Any, Callable

Handlers = dict[str, Callable[..., Any]]


class ControlError(Exception):
    """The mock refused a command; the text says why."""


def answer(handlers: Handlers, line: bytes) -> bytes:
    """Run one request line and return the answer line."""
    try:
        request = json.loads(line)
        name = request.pop("cmd")
        if name not in handlers:
            raise ControlError(f"no such command: {name}")
        reply = {"ok": True, "result": handlers[name](**request)}
    except Exception as exc:  # the test must see what went wrong
        reply = {"ok": False, "error": f"{type(exc).__name__}: {exc}"}
    return json.dumps(reply).encode() + b"\n"


def listen(path: str) -> socket.socket:
    """A listening UNIX stream socket at path, which must not exist yet."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(path)
    sock.listen(64)
    return sock


class ControlServer:
    """Serves the handlers on a UNIX socket, a thread per connection."""

    def __init__(self, path: str, handlers: Handlers) -> None:
        self.handlers = handlers
        self.sock = listen(path)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            conn, _ = self.sock.accept()
            threading.Thread(
                target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn: socket.socket) -> None:
        with conn, conn.makefile("rb") as lines:
            for line in lines:
                try:
                    conn.sendall(answer(self.handlers, line))
                except OSError:
                    return


class Control:
    """The client's side.  A connection per call: nothing to keep in step."""

    def __init__(self, path: str) -> None:
        self.path = path

    def call(self, cmd: str, timeout: float = 30.0, **args: Any) -> Any:
        """Send one command, return its result; ControlError if refused."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(timeout)
            sock.connect(self.path)
            sock.sendall(json.dumps({"cmd": cmd, **args}).encode() + b"\n")
            with sock.makefile("rb") as stream:
                line = stream.readline()
        if not line:
            raise ControlError(f"{self.path}: closed without an answer")
        reply = json.loads(line)
        if not reply["ok"]:
            raise ControlError(reply["error"])
        return reply["result"]

    def wait_ready(self, seconds: float = 30.0) -> None:
        """Return once the mock answers a ping; TimeoutError otherwise."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.call("ping", timeout=seconds)
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{self.path}: no answer") from None
                time.sleep(0.01)


def main() -> int:
    """One command from the command line; the result goes to stdout."""
    if len(sys.argv) != 3:
        print("usage: control.py SOCKET JSON", file=sys.stderr)
        return 2
    request = json.loads(sys.argv[2])
    try:
        result = Control(sys.argv[1]).call(request.pop("cmd"), **request)
    except (OSError, ControlError) as exc:
        print(f"{os.path.basename(sys.argv[1])}: {exc}", file=sys.stderr)
        return 1
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
