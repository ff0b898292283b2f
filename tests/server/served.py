# SPDX-License-Identifier: Apache-2.0
"""What the suites of this folder share: cimdd with a resolver that does what
a test asks (double.c), its configuration and its sockets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from typing import Any

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lab"))

import labtest  # noqa: E402
from process import Daemon  # noqa: E402
from unixhttp import UnixHTTP, connect, read_all  # noqa: E402

__all__ = ["Case", "Served", "connect", "labtest", "program", "read_all",
           "run"]

DOUBLE = "tests/server/cimdd_double"
CIMDD = "cimdd/cimdd"


def program(name: str = DOUBLE) -> str:
    """A program of the build tree."""
    return os.path.join(labtest.top_build(), name)


def run(*args: str, name: str = DOUBLE, **more: Any
        ) -> "subprocess.CompletedProcess[str]":
    """Run it to its end."""
    return subprocess.run([program(name), *args], capture_output=True,
                          text=True, timeout=120, check=False, **more)


class Served:
    """A running cimdd_double with sockets and files in one folder."""

    def __init__(self, case: "Case", settings: str = "") -> None:
        self.case = case
        self.folder = case.folder()
        self.conf = os.path.join(self.folder, "cimd.conf")
        self.lookup_path = os.path.join(self.folder, "lookup.sock")
        self.admin_path = os.path.join(self.folder, "admin.sock")
        self.mux_path = os.path.join(self.folder, "mux")
        self.configure(settings)
        self.lookup = UnixHTTP(self.lookup_path)
        self.admin = UnixHTTP(self.admin_path)
        self.watch = UnixHTTP(self.admin_path)
        self.daemon: Daemon = case.daemon(self.argv(), folder=self.folder)

    def argv(self, *more: str) -> list[str]:
        """The command line."""
        return [program(), "-c", self.conf, "-C",
                os.path.join(self.folder, "catalog.d"), *more]

    def configure(self, settings: str = "") -> None:
        """Write the configuration; the new file takes the old one's place
        at once.  Who is slow has a minute, unless the settings say less."""
        timeout = "" if "request_timeout" in settings else \
            " request_timeout = 60"
        with open(self.conf + ".new", "w", encoding="utf-8") as out:
            out.write(f'lookup_socket = "{self.lookup_path}"\n'
                      f'admin_socket = "{self.admin_path}"{timeout}\n'
                      "user = root\nsocket_group = root\n" + settings)
        os.chmod(self.conf + ".new", 0o644)
        os.rename(self.conf + ".new", self.conf)

    def start(self, **more: Any) -> "Served":
        """Start and wait until it serves."""
        self.daemon.start(notify=True, **more)
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def listen(self) -> None:
        """Read what the service manager is told, as a real one would: a
        full queue would hold the daemon up."""
        notify = self.daemon.notify
        assert notify is not None
        try:
            while True:
                try:
                    data = notify.sock.recv(4096)
                    notify.messages += data.decode().split("\n")
                except socket.timeout:
                    pass
        except OSError:  # closed, at the end of the test
            pass

    def told(self) -> list[str]:
        """What the service manager was told so far."""
        assert self.daemon.notify is not None
        return list(self.daemon.notify.messages)

    def connect(self, admin: bool = False) -> socket.socket:
        """A raw connection."""
        sock = connect(self.admin_path if admin else self.lookup_path)
        self.case.addCleanup(sock.close)
        return sock

    def ask(self, client_id: str) -> socket.socket:
        """Send a lookup and do not wait for its answer."""
        sock = self.connect()
        sock.sendall(f"GET /v1/client?client_id={client_id} HTTP/1.1\r\n"
                     "Host: x\r\nConnection: close\r\n\r\n".encode())
        return sock

    def release(self, name: str) -> int:
        """Let the double answer "hold:NAME"; how many there were."""
        found = self.lookup.lookup(f"release:{name}").json()
        return int(found["released"])

    def release_all(self, name: str, count: int) -> None:
        """The same until that many were released."""
        done = 0

        def enough() -> bool:
            nonlocal done
            done += self.release(name)
            return done >= count
        labtest.wait_until(enough, what=f"{count} calls of hold:{name}")

    def figures(self) -> dict[str, float]:
        """The samples of GET /metrics, by name with labels.  Always over
        the same connection, so that asking changes nothing."""
        if self.watch.kept is None:
            self.case.addCleanup(self.watch.__enter__().__exit__)
        try:
            text = self.watch.get("/metrics").body.decode()
        except ConnectionError:  # it was idle for half a minute
            self.watch.__enter__()
            text = self.watch.get("/metrics").body.decode()
        rows = [line.rpartition(" ") for line in text.splitlines()
                if line and not line.startswith("#")]
        return {name: float(value) for name, _, value in rows}

    def figure(self, name: str) -> int:
        """One of them."""
        return int(self.figures()[name])


class Case(labtest.Case):
    """A test with one daemon, if it asks for it."""

    def serve(self, settings: str = "") -> Served:
        """A running daemon, stopped cleanly after the test."""
        one = Served(self, settings)
        one.start()
        return one
