# SPDX-License-Identifier: Apache-2.0
"""An HTTPS server that misbehaves on demand.

    hostile.py --ca FOLDER --control SOCKET --listen ADDR:PORT [...]

The path selects the behaviour (behaviours.py), the host name the TLS mode
(hostile_tls.py); a test can change both at run time.  Commands of the
control socket:

    ping, ports
    set(path, host=None, ...)   what this path does from now on:
        do="redirect/302/private"   a behaviour with its arguments
        document={...}              members to change (null removes one)
        headers=[[name, value]]     additional headers
        delay=0.5, gate="name"      wait before the answer; a gate opens with
                                    release(gate)
        status=, headers=, body= | body_b64= | json=     with do="custom"
        sequence=[{...}, {...}]     one per request; the last one stays
    unset(path, host=None)
    set_tls(host, mode)         mode null: the default again
    counts()                    {"https://HOST/PATH": n}
    wait(path, count, seconds, host=None)   true once that many came in
    requests(path=None)         everything about each request
    connections()               accepted, open, handshakes, names
    release(gate), held(gate)   open a gate; how many wait at it
    reset()                     forget counts, requests, settings
"""

from __future__ import annotations

import argparse
import base64
import collections
import http.client
import json
import socket
import ssl
import sys
import threading
import time
from typing import Any

import behaviours
from behaviours import JSON, NO_CACHE
from ca import CA
from control import ControlServer
from hostile_tls import Tls, own_name, peek_hello, reset, server_name
from trap import split, tcp_socket

PATIENCE = 30.0
MAX_HEAD = 65536
KEPT_REQUESTS = 100000
Spec = dict[str, Any]


class ClientGone(Exception):
    """The client closed or reset the connection."""


class Request:
    """A request as it came, headers in order and undecoded."""

    def __init__(self, head: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ")
        self.headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers.append((name, value.strip()))
        self.host = self.header("host") or ""

    def header(self, name: str) -> str | None:
        """The value of the first header of this name."""
        for key, value in self.headers:
            if key.lower() == name:
                return value
        return None


class State:
    """What tests set, and what happened; shared by all threads."""

    def __init__(self) -> None:
        self.change = threading.Condition()
        self.specs: dict[tuple[str | None, str], Spec] = {}
        self.steps: collections.Counter[tuple[str | None, str]] = \
            collections.Counter()
        self.seen: collections.Counter[str] = collections.Counter()
        self.log: collections.deque[dict[str, Any]] = \
            collections.deque(maxlen=KEPT_REQUESTS)
        self.conns: dict[str, Any] = {}
        self.gates: dict[str, int] = {}
        self.reset()

    def reset(self) -> None:
        """Forget everything but the connections that are open."""
        with self.change:
            self.specs.clear()
            self.steps.clear()
            self.seen.clear()
            self.log.clear()
            self.gates.clear()
            self.conns = {"accepted": 0, "handshakes": 0, "names": {},
                          "open": self.conns.get("open", 0)}
            self.change.notify_all()

    def set(self, path: str, host: str | None = None, **spec: Any) -> None:
        """Change what a path does."""
        for step in spec.get("sequence", [spec]):
            if "do" in step and behaviours.find(step["do"]) is None:
                raise ValueError(f"no such behaviour: {step['do']}")
        with self.change:
            self.specs[host, path] = spec
            self.steps[host, path] = 0

    def unset(self, path: str, host: str | None = None) -> None:
        """The path means what it says again."""
        with self.change:
            self.specs.pop((host, path), None)

    def spec(self, host: str, path: str) -> Spec:
        """What a request to this path gets, sequences advanced."""
        with self.change:
            for key in ((host, path), (None, path)):
                spec = self.specs.get(key)
                if spec is None:
                    continue
                steps = spec.get("sequence")
                if not steps:
                    return spec
                at = min(self.steps[key], len(steps) - 1)
                self.steps[key] += 1
                return {**spec, **steps[at]}
        return {}

    def note(self, record: dict[str, Any]) -> None:
        """Count a request."""
        with self.change:
            self.seen[f"https://{record['host']}{record['target']}"] += 1
            self.log.append(record)
            self.change.notify_all()

    def connection(self, what: str, number: int = 1) -> None:
        """Count something about connections."""
        with self.change:
            self.conns[what] += number

    def named(self, name: str) -> None:
        """Count a connection by the name it asked for."""
        with self.change:
            table = self.conns["names"]
            table[name] = table.get(name, 0) + 1

    def counts(self) -> dict[str, int]:
        """Requests by URL."""
        with self.change:
            return dict(self.seen)

    def matching(self, path: str, host: str | None) -> int:
        """Requests for this path, on this host or on all."""
        return sum(1 for r in self.log if r["target"] == path
                   and host in (None, r["host"]))

    def wait(self, path: str, count: int, seconds: float,
             host: str | None = None) -> bool:
        """Wait until so many requests came in; false when they did not."""
        with self.change:
            return self.change.wait_for(
                lambda: self.matching(path, host) >= count, seconds)

    def requests(self, path: str | None = None) -> list[dict[str, Any]]:
        """The requests, in order."""
        with self.change:
            return [r for r in self.log if path in (None, r["target"])]

    def connections(self) -> dict[str, Any]:
        """Counts about connections."""
        with self.change:
            return dict(self.conns)

    def hold(self, gate: str) -> None:
        """Wait at a gate until a test opens it."""
        with self.change:
            if self.gates.setdefault(gate, 0) < 0:
                return
            self.gates[gate] += 1
            self.change.notify_all()
            self.change.wait_for(lambda: self.gates.get(gate, -1) < 0, 60)

    def release(self, gate: str) -> None:
        """Open a gate, for good."""
        with self.change:
            self.gates[gate] = -1
            self.change.notify_all()

    def held(self, gate: str) -> int:
        """How many requests wait at a gate."""
        with self.change:
            return max(0, self.gates.get(gate, 0))


class Exchange:
    """One request and the answer to it; what behaviours work with."""

    def __init__(self, conn: ssl.SSLSocket, request: Request,
                 spec: Spec) -> None:
        self.conn, self.request, self.spec = conn, request, spec
        self.sent = 0
        self.close = request.header("connection") == "close"
        self.reset = False
        self.notify = True
        self.extra = [(n, v) for n, v in spec.get("headers", [])]

    def send(self, data: bytes) -> None:
        """Send bytes; ClientGone when nobody takes them."""
        try:
            self.conn.sendall(data)
        except OSError as exc:
            raise ClientGone(str(exc)) from None
        self.sent += len(data)

    def wait_gone(self, seconds: float) -> None:
        """Wait until the client leaves."""
        self.conn.settimeout(seconds)
        try:
            while self.conn.recv(4096):
                pass
        except OSError:
            pass

    def status_line(self, code: int) -> None:
        """The first line of the answer."""
        reason = http.client.responses.get(code, "Unknown")
        self.send(f"HTTP/1.1 {code} {reason}\r\n".encode())

    def head(self, code: int, headers: list[tuple[str, str]]) -> None:
        """Status line and headers."""
        lines = "".join(f"{n}: {v}\r\n" for n, v in headers + self.extra)
        self.status_line(code)
        self.send(lines.encode("latin-1") + b"\r\n")

    def respond(self, code: int, headers: list[tuple[str, str]],
                body: bytes | None) -> None:
        """A whole answer with Content-Length; None: without a body."""
        if body is not None:
            headers = headers + [("Content-Length", str(len(body)))]
        self.head(code, headers)
        if body and self.request.method != "HEAD":
            self.send(body)

    def url(self) -> str:
        """The URL of this request, as a client_id would have it."""
        return f"https://{self.request.host}{self.request.target}"

    def members(self) -> dict[str, Any]:
        """The members of a good document for this URL."""
        members = {
            "client_id": self.url(),
            "client_name": "A lab client",
            "redirect_uris": ["http://127.0.0.1/callback",
                              f"https://{self.request.host}/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            **self.spec.get("document", {}),
        }
        return {k: v for k, v in members.items() if v is not None}

    def document(self) -> bytes:
        """A good document for this URL."""
        return json.dumps(self.members()).encode()

    def spec_body(self) -> bytes:
        """The body that a test gave, or a good document."""
        if "body_b64" in self.spec:
            return base64.b64decode(self.spec["body_b64"])
        if "body" in self.spec:
            return str(self.spec["body"]).encode()
        if "json" in self.spec:
            return json.dumps(self.spec["json"]).encode()
        return self.document()


class Server:
    """Accepts connections and runs exchanges, a thread per connection."""

    def __init__(self, ca: CA) -> None:
        self.state, self.tls = State(), Tls(ca)

    def accept(self, door: socket.socket) -> None:
        """Serve one listening socket for ever."""
        while True:
            conn, _ = door.accept()
            self.state.connection("accepted")
            self.state.connection("open")
            threading.Thread(target=self.serve, args=(conn,),
                             daemon=True).start()

    def serve(self, conn: socket.socket) -> None:
        """One connection, from ClientHello to close."""
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            hello = peek_hello(conn, PATIENCE)
            name = server_name(hello) or own_name(conn)
            self.state.named(name if hello else "(nothing)")
            if hello:
                wrapped = self.tls.wrap(conn, name)
                if wrapped is not None:
                    conn = wrapped
                    self.state.connection("handshakes")
                    self.talk(wrapped, name)
        except (OSError, ClientGone):
            pass
        finally:
            conn.close()
            self.state.connection("open", -1)

    def talk(self, conn: ssl.SSLSocket, name: str) -> None:
        """Requests and answers until one side closes."""
        rest = b""
        while True:
            while b"\r\n\r\n" not in rest:
                more = conn.recv(65536)
                if not more or len(rest) > MAX_HEAD:
                    return
                rest += more
            head, _, rest = rest.partition(b"\r\n\r\n")
            try:
                request = Request(head)
            except ValueError:
                return
            if not self.exchange(conn, request, name):
                return

    def exchange(self, conn: ssl.SSLSocket, request: Request,
                 name: str) -> bool:
        """One request; false when the connection ends with it."""
        spec = self.state.spec(request.host, request.target)
        record = {"host": request.host, "target": request.target,
                  "method": request.method, "version": request.version,
                  "headers": request.headers, "sni": name,
                  "tls": conn.version(), "at": time.time(),
                  "peer": conn.getpeername()[0], "outcome": "running"}
        self.state.note(record)
        exchange = Exchange(conn, request, spec)
        start = time.monotonic()
        outcome = "client gone"
        try:
            self.act(exchange)
            outcome = "complete"
        except ClientGone:
            return False
        finally:  # who sees the outcome sees the rest
            record["sent"] = exchange.sent
            record["seconds"] = round(time.monotonic() - start, 3)
            record["outcome"] = outcome
        if exchange.close:
            finish(exchange)
        return not exchange.close

    def act(self, ex: Exchange) -> None:
        """Wait as the test said, then behave."""
        if "gate" in ex.spec:
            self.state.hold(ex.spec["gate"])
        if "delay" in ex.spec:
            time.sleep(ex.spec["delay"])
        default = "good" if ex.spec else ex.request.target
        found = behaviours.find(ex.spec.get("do", default))
        if found is None:
            ex.respond(404, [JSON, NO_CACHE], b'{"error": "not_found"}')
            return
        function, args = found
        try:
            function(ex, *args)
        except (ValueError, KeyError, TypeError) as exc:
            ex.close = True
            ex.respond(500, [("Content-Type", "text/plain")],
                       f"laboratory: {exc!r}\n".encode())


def finish(ex: Exchange) -> None:
    """End the connection as the behaviour wanted it."""
    if ex.reset:
        reset(ex.conn)
    elif ex.notify:
        ex.conn.settimeout(2)
        ex.conn.unwrap()


def main() -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(description="a hostile HTTPS server")
    parser.add_argument("--ca", required=True)
    parser.add_argument("--control", required=True)
    parser.add_argument("--listen", action="append", required=True)
    args = parser.parse_args()
    server = Server(CA(args.ca))
    ports = []
    for where in args.listen:
        door = tcp_socket(*split(where), 1024)
        door.setblocking(True)
        ports.append(door.getsockname()[1])
        threading.Thread(target=server.accept, args=(door,),
                         daemon=True).start()
    state = server.state
    ControlServer(args.control, {
        "ping": lambda: "hostile", "ports": lambda: ports, "set": state.set,
        "unset": state.unset, "set_tls": server.tls.set_mode,
        "counts": state.counts, "wait": state.wait,
        "requests": state.requests, "connections": state.connections,
        "release": state.release, "held": state.held,
        "reset": state.reset})
    threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
