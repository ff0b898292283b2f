# SPDX-License-Identifier: Apache-2.0
"""A daemon under test: start, readiness, signals, what it holds, its log."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import unittest
from typing import Any, Callable, TypeVar

Value = TypeVar("Value")

# How long to wait for what should happen at once: much longer than a loaded
# machine takes, since nobody waits so long but where something is wrong.
PATIENCE = 60.0

# Becomes the daemon, with its own pid in LISTEN_PID and the sockets at
# descriptor 3 and up, as sd_listen_fds(3) wants it.
HAND_OVER = """
import fcntl, os, sys
fds = [fcntl.fcntl(int(f), fcntl.F_DUPFD_CLOEXEC, 200)
       for f in sys.argv[1].split(",")]
os.closerange(3, 200)
for number, fd in enumerate(fds, 3):
    os.dup2(fd, number)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execvp(sys.argv[2], sys.argv[2:])
"""


def wait_until(ready: Callable[[], Value], seconds: float = PATIENCE,
               what: str = "the condition") -> Value:
    """Call ready() until it returns something true, and return that.

    AssertionError when it did not in time.  This is the only place where
    tests wait: for a condition, never for a time.
    """
    deadline = time.monotonic() + seconds
    pause = 0.002
    while True:
        value = ready()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


class Notify:
    """The receiving end of sd_notify(3)."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.messages: list[str] = []
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)

    def wait(self, line: str, seconds: float, alive: Callable[[], bool]
             ) -> None:
        """Wait for a line such as READY=1 while alive()."""
        deadline = time.monotonic() + seconds
        while line not in self.messages:
            if not alive() or time.monotonic() > deadline:
                raise AssertionError(f"no {line} within {seconds:g} s")
            self.sock.settimeout(0.1)
            try:
                self.messages += self.sock.recv(4096).decode().split("\n")
            except socket.timeout:
                pass

    def close(self) -> None:
        """Remove the socket."""
        self.sock.close()
        os.unlink(self.path)


class Daemon:
    """One process under test.  Its standard error goes to a file.

    argv      program and arguments
    folder    where its log and its notify socket are kept
    sockets   listening sockets to hand over as systemd does
    env       additions to the environment (None removes a variable)
    inherited  descriptors that it finds open, and nobody told it of
    """

    def __init__(self, argv: list[str], folder: str,
                 sockets: list[socket.socket] | None = None,
                 env: dict[str, str | None] | None = None) -> None:
        self.argv, self.folder = argv, folder
        self.sockets = sockets or []
        self.env = env or {}
        self.inherited: list[int] = []
        self.log = os.path.join(folder, "daemon.log")
        self.child: subprocess.Popen[bytes] | None = None
        self.notify: Notify | None = None

    def environment(self) -> dict[str, str]:
        """The environment of the process."""
        env: dict[str, str | None] = {**os.environ, **self.env}
        for name in ("LISTEN_FDS", "LISTEN_PID", "NOTIFY_SOCKET"):
            env.pop(name, None)
        if self.notify is not None:
            env["NOTIFY_SOCKET"] = self.notify.path
        if self.sockets:
            env["LISTEN_FDS"] = str(len(self.sockets))
        return {k: v for k, v in env.items() if v is not None}

    def command(self) -> list[str]:
        """argv, through HAND_OVER where sockets are handed over."""
        if not self.sockets:
            return self.argv
        fds = ",".join(str(sock.fileno()) for sock in self.sockets)
        return [sys.executable, "-c", HAND_OVER, fds, *self.argv]

    def start(self, ready: Callable[[], Any] | None = None,
              notify: bool = False, seconds: float = PATIENCE) -> "Daemon":
        """Start it; return once it said READY=1 (notify) or ready() holds.

        AssertionError, with its log, if it ends or stays silent instead.
        """
        if notify:
            self.notify = Notify(os.path.join(self.folder, "notify"))
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                self.command(), env=self.environment(), stderr=log,
                stdin=subprocess.DEVNULL, stdout=log,
                pass_fds=[*self.inherited,
                          *(sock.fileno() for sock in self.sockets)])
        try:
            if self.notify is not None:
                self.notify.wait("READY=1", seconds, self.alive)
            if ready is not None:
                wait_until(lambda: ready() or not self.alive(), seconds,
                           "readiness")
            assert self.alive(), f"ended with {self.child.returncode}"
        except AssertionError as exc:
            self.kill()
            raise AssertionError(f"{self.argv[0]}: {exc}\n"
                                 + self.text()) from None
        return self

    def process(self) -> subprocess.Popen[bytes]:
        """The process; it must have been started."""
        assert self.child is not None, "not started"
        return self.child

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process().pid

    def alive(self) -> bool:
        """Is it still running?"""
        return self.child is not None and self.child.poll() is None

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.process().send_signal(number)

    def wait(self, seconds: float = PATIENCE) -> int:
        """Wait for its end; the exit status (negative: by this signal)."""
        try:
            return self.process().wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.argv[0]} still runs after {seconds:g} s") from None

    def stop(self, seconds: float = PATIENCE) -> int:
        """SIGTERM, then wait; kills and fails if that takes too long."""
        if not self.alive():
            return self.process().returncode
        self.signal(signal.SIGTERM)
        try:
            return self.wait(seconds)
        finally:
            self.kill()

    def kill(self) -> None:
        """SIGKILL whatever is left of it; no error if nothing is."""
        if self.child is not None and self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        if self.notify is not None:
            self.notify.close()
            self.notify = None

    def proc(self, name: str) -> str:
        """A path below /proc/PID."""
        if os.readlink("/proc/self") != str(os.getpid()):
            raise unittest.SkipTest("/proc is of another PID namespace")
        return f"/proc/{self.pid}/{name}"

    def fds(self) -> int:
        """How many descriptors it has open."""
        return len(os.listdir(self.proc("fd")))

    def status(self, field: str) -> int:
        """A number of /proc/PID/status."""
        with open(self.proc("status"), encoding="ascii") as src:
            for line in src:
                name, _, value = line.partition(":")
                if name == field:
                    return int(value.split()[0])
        raise KeyError(field)

    def threads(self) -> int:
        """How many threads it has."""
        return self.status("Threads")

    def rss(self) -> int:
        """Its resident memory in KiB."""
        return self.status("VmRSS")

    def cpu(self) -> float:
        """The processor seconds that it has used."""
        with open(self.proc("stat"), encoding="ascii") as src:
            fields = src.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def text(self) -> str:
        """Everything that it has logged."""
        with open(self.log, encoding="utf-8", errors="replace") as src:
            return src.read()

    def records(self) -> list[dict[str, Any]]:
        """The lines of its log that are JSON objects."""
        found = []
        for line in self.text().splitlines():
            if line.startswith("{"):
                found.append(json.loads(line))
        return found

    def wait_log(self, pattern: str, seconds: float = PATIENCE
                 ) -> "re.Match[str]":
        """Wait until the log has a match for the regular expression."""
        found = wait_until(lambda: re.search(pattern, self.text()), seconds,
                           f"{pattern!r} in {self.log}")
        assert found is not None
        return found
