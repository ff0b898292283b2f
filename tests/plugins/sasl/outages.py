# SPDX-License-Identifier: Apache-2.0
"""A cimdd that is away, hung, or somebody else; and what that costs."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time

from saslhost import (BADAUTH, FAIL, MEMO_SECONDS, OK, UNAVAIL, Case,
                      Host)
import labtest


class Liar:
    """Accepts, answers with some bytes, and counts."""

    def __init__(self, case: labtest.Case, answer: bytes | None) -> None:
        self.path = os.path.join(case.folder(), "liar")
        self.answer, self.count = answer, 0
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(self.path)
        self.sock.listen(64)
        self.held: list[socket.socket] = []
        self.ended = threading.Event()
        case.addCleanup(self.close)
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self) -> None:
        """Let go of everybody."""
        self.sock.close()
        for sock in self.held:
            sock.close()

    def asked(self) -> int:
        """How often; who has come before us is counted before us."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(self.path + ".end")
            sock.connect(self.path)
            assert self.ended.wait(60)
        return self.count

    def serve(self) -> None:
        """One after the other; with no answer the peer waits for ever."""
        while True:
            try:
                sock, peer = self.sock.accept()
            except OSError:
                return
            if peer == self.path + ".end":
                self.ended.set()
                sock.close()
                continue
            self.count += 1
            self.held.append(sock)
            if self.answer is None:
                continue
            try:
                sock.recv(65536)
                sock.sendall(self.answer)
                sock.close()
            except OSError:
                pass


def http(body: bytes, status: str = "200 OK",
         kind: str = "application/json") -> bytes:
    """A response."""
    return (f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


class Outages(Case):
    """Never "no such user", never more than one time-out for a login."""

    def setUp(self) -> None:
        super().setUp()
        self.cimd = self.with_mux()

    def lookup_host(self, path: str | None = None, timeout: int = 400
                    ) -> Host:
        """A host whose cimdd is there, or somebody else."""
        return self.host(self.cimd, pwcheck_method="auxprop",
                         cimd_socket=path or self.cimd.path,
                         cimd_timeout=timeout)

    def test_killed_and_back(self) -> None:
        """From there, to away, and there again."""
        sasl = self.lookup_host(timeout=5000)
        sasl.new()
        self.assertEqual(sasl.exists(self.url).status, OK)
        self.cimd.daemon.kill()
        sasl.new()
        found = sasl.exists(self.url)
        self.assertEqual(found.status, UNAVAIL)
        self.assertIn("CIMD_E_CONNECT", " ".join(found.logs))
        self.assertEqual(len(found.logs), 1)
        self.cimd.start()
        sasl.new()
        self.assertEqual(sasl.exists(self.url).status, OK)

    def test_hung(self) -> None:
        """Stopped, its backlog taking connections; one time-out for all the
        questions of a login."""
        sasl = self.lookup_host(timeout=1000)
        sasl.new()
        before = self.lookups(self.cimd)
        self.cimd.daemon.signal(signal.SIGSTOP)
        self.addCleanup(self.cimd.daemon.signal, signal.SIGCONT)
        start = time.monotonic()
        found = sasl.plain(self.url, "x")
        self.assertEqual(found.status, UNAVAIL, found)
        self.assertIn("CIMD_E_TIMEOUT", " ".join(found.logs))
        self.assertEqual(len(found.logs), 1)
        more = int((time.monotonic() - start) / MEMO_SECONDS)
        self.cimd.daemon.signal(signal.SIGCONT)
        # Another one, and all that came before it are counted.
        sasl = self.lookup_host(timeout=30000)
        sasl.new()
        self.assertEqual(sasl.exists(self.url).status, OK)
        self.assertLessEqual(self.lookups(self.cimd), before + 2 + more)

    def test_mux_is_away(self) -> None:
        """That is a fault of the server, and not of the password."""
        sasl = self.host(self.cimd, auxprop_plugin="none",
                         canon_user_plugin="cimd")
        token = self.token()
        self.cimd.daemon.kill()
        sasl.new()
        self.assertEqual(sasl.plain(self.url, token).status, FAIL)
        self.cimd.start()
        sasl.new()
        self.assertIn(sasl.plain(self.url, token).status, (OK, BADAUTH))

    def test_silence(self) -> None:
        """One exchange, one time-out."""
        liar = Liar(self, None)
        sasl = self.lookup_host(liar.path)
        sasl.new()
        self.assertEqual(sasl.plain(self.url, "x").status, UNAVAIL)
        self.assertEqual(liar.asked(), 1)

    def test_lies(self) -> None:
        """What is not cimdd's answer is neither yes nor no."""
        other = b'{"client":{"client_id":"https://other.example.net/"}}'
        for answer in (b"", b"garbage\r\n\r\n", b"\0" * 5000,
                       http(b"{}"), http(b"[]"), http(b"{"), http(other),
                       http(b"null"), http(b"{}", kind="text/plain"),
                       http(b"{}", "404 Not Found"),
                       http(b'{"class":"accepted"}', "403 Forbidden",
                            "application/problem+json"),
                       http(b"{}", "301 Moved"),
                       http(b"x" * 100000)[:-1]):
            liar = Liar(self, answer)
            sasl = self.lookup_host(liar.path, 5000)
            sasl.new("imap", "", "*oauthClientId")
            found = sasl.exists(self.url)
            self.assertEqual((found.status, found.props), (UNAVAIL, {}),
                             (answer[:80], found))
            self.assertEqual(liar.asked(), 1, answer[:80])

    def test_others_do_not_wait(self) -> None:
        """Who is no URL never meets the outage."""
        liar = Liar(self, None)
        sasl = self.lookup_host(liar.path, 30000)
        sasl.new()
        start = time.monotonic()
        sasl.exists("alice")
        self.assertLess(time.monotonic() - start, 10.0)
        self.assertEqual(liar.asked(), 0)
