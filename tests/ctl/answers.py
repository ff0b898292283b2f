# SPDX-License-Identifier: Apache-2.0
"""Whatever answers where cimdd should be."""

from __future__ import annotations

import json
import os
import socketserver
import threading
from typing import Any

import labtest
from ctl import cimdctl


class Answers(labtest.Case):
    """Whatever answers at the socket."""

    def serve(self, *answers: bytes) -> str:
        """A socket at which each connection gets the next answer."""
        path = os.path.join(self.folder(), "s")
        left = list(answers)

        class Handler(socketserver.StreamRequestHandler):
            """Reads a request's head; sends bytes."""

            def handle(self) -> None:
                while self.rfile.readline().strip():
                    pass
                self.wfile.write(left.pop(0) if len(left) > 1 else left[0])

        server = socketserver.UnixStreamServer(path, Handler)
        self.addCleanup(server.server_close)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)
        return path

    @staticmethod
    def answer(status: int, body: Any) -> bytes:
        """An HTTP answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return (f"HTTP/1.1 {status} x\r\nContent-Length: {len(data)}\r\n"
                "Connection: close\r\n\r\n").encode() + data

    def test_problems(self) -> None:
        table = [
            (403, "CIMD_E_BLOCKED", 1), (404, "CIMD_E_NOT_CIMD", 1),
            (503, "CIMD_E_DNS", 3), (503, "CIMD_E_NOT_STORED", 1),
            (500, "CIMD_E_STORE", 5), (500, "CIMD_E_CONFIG", 1),
            (400, "CIMD_E_REQUEST", 2), (500, "CIMD_E_STATE", 1),
            (500, "CIMD_E_NEWER_THAN_WE", 5),
        ]
        for status, code, want in table:
            with self.subTest(code):
                problem = {"code": code, "detail": "because", "section": "5"}
                path = self.serve(self.answer(status, problem))
                done = cimdctl("status", "-s", path)
                self.assertEqual((done.status, done.out), (want, ""))
                self.assertEqual(done.err, "cimdctl: because "
                                 f"({code}, section 5)\n")
                done = cimdctl("status", "-s", path, "--json")
                self.assertEqual(done.json(), problem)

    def test_others(self) -> None:
        for raw, want in (
                (self.answer(200, b"hello"), 5), (self.answer(200, b"[]"), 5),
                (self.answer(200, b""), 5), (self.answer(503, b"x"), 3),
                (self.answer(500, b"x"), 5), (b"garbage\r\n\r\n", 5),
                (b"", 5), (b"HTTP/1.1 200 x\r\nContent-Length: 99\r\n\r\n{",
                           5)):
            with self.subTest(str(raw)):
                done = cimdctl("status", "-s", self.serve(raw))
                self.assertEqual((done.status, done.out), (want, ""), done)
                self.assertTrue(done.err.startswith("cimdctl: "))

    def test_silence(self) -> None:
        path = os.path.join(self.folder(), "s")
        with socketserver.UnixStreamServer(path, socketserver.
                                           BaseRequestHandler):
            done = cimdctl("status", "-s", path)
        self.assertEqual((done.status, done.out), (4, ""), done)
        self.assertIn("does not answer", done.err)

    def test_foreign_bytes(self) -> None:
        row = {"client_id": "https://x/\u001b[31m", "client_host": "東京.jp",
               "trust": "trusted\u202e", "freshness": "fresh",
               "last_seen": 1, "first_seen": 1, "lookups": 1}
        other = {**row, "client_id": "https://y/", "client_host": "y.example"}
        path = self.serve(self.answer(200, {"clients": [row, other]}))
        out = cimdctl("clients", "-s", path).out
        self.assertNotIn("\u001b", out)
        self.assertNotIn("\u202e", out)
        first, second = out.splitlines()[1:]
        wide = first.replace("東京", "xxxx")
        self.assertEqual(wide.index("https://x/"), second.index("https://y/"))

    def test_pages(self) -> None:
        def page(start: int, count: int) -> bytes:
            return self.answer(200, {"clients": [
                {"client_id": f"https://x.example/{n}"}
                for n in range(start, start + count)]})
        path = self.serve(page(0, 1000), page(1000, 1000), page(2000, 7))
        rows = cimdctl("clients", "--all", "--json", "-s", path).json()
        self.assertEqual([r["client_id"] for r in rows["clients"]],
                         [f"https://x.example/{n}" for n in range(2007)])
