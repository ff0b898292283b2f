# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 over a UNIX socket, well-behaved (http.client) and raw."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any, NamedTuple
from urllib.parse import quote


# Longer than any answer takes on a loaded machine.
PATIENCE = 60.0


class Response(NamedTuple):
    """An answer: status, headers (names in lower case), body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        self.sock = connect(self.path, float(self.timeout or PATIENCE))


def connect(path: str, timeout: float = PATIENCE) -> socket.socket:
    """A connected stream socket, for tests that speak raw bytes."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    sock.connect(path)
    return sock


def read_all(sock: socket.socket) -> bytes:
    """Everything until the other side closes."""
    out = b""
    while True:
        data = sock.recv(65536)
        if not data:
            return out
        out += data


class UnixHTTP:
    """A client of one socket.  A connection per request, unless used as a
    context manager, which keeps one open."""

    def __init__(self, path: str, timeout: float = PATIENCE) -> None:
        self.path, self.timeout = path, timeout
        self.kept: _Connection | None = None

    def __enter__(self) -> "UnixHTTP":
        self.kept = _Connection(self.path, self.timeout)
        return self

    def __exit__(self, *_: object) -> None:
        assert self.kept is not None
        self.kept.close()
        self.kept = None

    def request(self, method: str, target: str, body: Any = None,
                headers: dict[str, str] | None = None) -> Response:
        """One request.  A body that is no bytes is sent as JSON."""
        sent = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        conn = self.kept or _Connection(self.path, self.timeout)
        try:
            conn.request(method, target, body, sent)
            answer = conn.getresponse()
            found = {k.lower(): v for k, v in answer.getheaders()}
            return Response(answer.status, found, answer.read())
        finally:
            if conn is not self.kept:
                conn.close()

    def get(self, target: str) -> Response:
        """GET."""
        return self.request("GET", target)

    def post(self, target: str, body: Any = None) -> Response:
        """POST."""
        return self.request("POST", target, body)

    def lookup(self, client_id: str, **parameters: str) -> Response:
        """GET /v1/client for this client_id."""
        query = {"client_id": client_id, **parameters}
        pairs = [f"{k}={quote(v, safe='')}" for k, v in query.items()]
        return self.get("/v1/client?" + "&".join(pairs))

    def raw(self, data: bytes) -> bytes:
        """Send bytes, half-close, return everything that comes back."""
        with connect(self.path, self.timeout) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            return read_all(sock)
