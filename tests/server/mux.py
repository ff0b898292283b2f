#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The mux of cimdd: the protocol of saslauthd, with a resolver that does what
a test asks (double.c).  The password says what."""

from __future__ import annotations

import json
import os
import socket
import stat
import sys
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from served import Case, Served, connect, labtest, read_all  # noqa: E402

URL = "https://h.example/c"
OK, NO, CUT = b"\0\2OK", b"\0\2NO", b""
MUX, MUX_UID, PEOPLE = 256, 192, (65534, 4001)


def answer(sock: socket.socket) -> bytes:
    """Everything until the other side closes, be it with bytes of ours that
    it has not read."""
    out = b""
    try:
        while data := sock.recv(4096):
            out += data
    except ConnectionResetError:
        pass
    return out


def counted(*strings: "str | bytes") -> bytes:
    """Strings, each with its length in front."""
    raw = [s.encode() if isinstance(s, str) else s for s in strings]
    return b"".join(len(s).to_bytes(2, "big") + s for s in raw)


class MuxCase(Case):
    """A daemon with the socket, and what its figures say."""

    def setUp(self) -> None:
        self.served = self.with_mux()

    def with_mux(self, more: str = "") -> Served:
        """A running one."""
        one = Served(self)
        one.configure(self.settings(one) + more)
        return one.start()

    @staticmethod
    def settings(one: Served, group: str = "root", more: str = "") -> str:
        """Those of the mux."""
        return (f'mux_socket = "{one.mux_path}{more}"\n'
                f"mux_group = {group}\n")

    def connect(self) -> socket.socket:
        """A raw connection."""
        sock = connect(self.served.mux_path)
        self.addCleanup(sock.close)
        return sock

    def raw(self, data: bytes) -> bytes:
        """Send bytes; everything until the other side closes."""
        sock = self.connect()
        sock.sendall(data)
        return answer(sock)

    def login(self, login: str, password: str = "now",
              service: str = "imap", realm: str = "", *more: str) -> bytes:
        """One request and its answer."""
        return self.raw(counted(login, password, service, realm, *more))

    def calls(self) -> list[dict[str, Any]]:
        """What the resolver was asked, with its parameters."""
        found = [line for line in self.served.daemon.records()
                 if line.get("method") == "assertion"]
        return [{**line, **json.loads(line["json"])} for line in found]

    def ended(self, how: str) -> int:
        """How many requests ended that way."""
        return self.served.figure(f'cimdd_mux_total{{answer="{how}"}}')

    def wait_figure(self, name: str, value: int) -> None:
        """Until it is that."""
        labtest.wait_until(lambda: self.served.figure(name) == value,
                           what=f"{name} {value}")


class Requests(MuxCase):
    """What is asked, and answered."""

    def test_verified(self) -> None:
        """The names, whole, with service and user of who asks."""
        self.assertEqual(self.login(URL), OK)
        self.assertEqual(self.login(URL, "now", "smtp", "", ""), OK)
        self.assertEqual(self.login(URL, "now", "x", "", "::1;25"), OK)
        self.assertEqual(self.login("https://h.example/", "now", "ldap",
                                    "me/c", "10.0.0.1;99"), OK)
        self.assertEqual(self.login("HTTPS://h.example/@a/", "now", "ldap",
                                    "b"), OK)
        self.assertEqual(
            [(c["client_id"], c["service"]) for c in self.calls()],
            [(URL, "imap"), (URL, "smtp"), (URL, "x"),
             ("https://h.example/@me/c", "ldap"),
             ("HTTPS://h.example/@a/@b", "ldap")])
        for call in self.calls():
            self.assertEqual(call["client_assertion"], "now")
            self.assertEqual((call["uid"], call["admin"]),
                             (os.geteuid(), False))
            self.assertIn(os.getegid(), call["gids"])
        self.assertEqual(self.ended("ok"), 5)

    def test_refused(self) -> None:
        """Whatever the reason is, the answer is the same."""
        for status in (400, 403, 404, 409, 500, 503):
            self.assertEqual(self.login(URL, f"status:{status}"), NO)
        self.assertEqual(self.login(URL, "status:201"), NO)
        self.assertEqual(self.ended("no"), 7)

    def test_not_ours(self) -> None:
        """The resolver never hears of other names and their passwords."""
        for name in ("alice", "http://h.example/c", " " + URL, "", "https:/",
                     "https://" + "x" * 1017):
            self.assertEqual(self.login(name, "secret"), NO)
        self.assertEqual(self.login("x" * 1000, "y" * 7000), NO)
        self.assertEqual(self.login("https://" + "x" * 1014, "s", "imap",
                                    "yz"), NO)
        self.assertEqual(self.ended("not_ours"), 8)
        self.assertEqual(self.calls(), [])
        self.assertNotIn("secret", self.served.daemon.text())

    def test_bytes(self) -> None:
        """Every byte of a password arrives, or none."""
        odd = "\"\\\x01\x7f\u00e4\U0001f642/'"
        self.assertEqual(self.login(URL, odd), OK)
        self.assertEqual(self.calls()[0]["client_assertion"], odd)

    def test_sizes(self) -> None:
        """Up to 8192 bytes in all."""
        room = 8192 - len(counted(URL, "", "imap", "", ""))
        self.assertEqual(self.login(URL, "x" * room, "imap", "", ""), OK)
        self.assertEqual(len(self.calls()[0]["client_assertion"]), room)
        self.assertEqual(self.raw(counted(URL, "x" * (room + 1), "imap",
                                          "", "")), NO)
        self.assertEqual(self.ended("malformed"), 1)

    def test_malformed(self) -> None:
        """Refused at once, with a line that shows nothing of it."""
        wrong = [b"\xff\xff", b"\x20\x00", b"GET / HTTP/1.1\r\n\r\n",
                 counted(URL, "secret", "", ""),
                 counted(URL, "secret", "im ap", ""),
                 counted(URL, "secret", "a/b", ""),
                 counted(URL, "secret", "x" * 65, ""),
                 counted(URL, "secret", "imap", "a@b"),
                 counted(URL + "\0", "secret", "imap", ""),
                 counted(URL, "secret\0", "imap", ""),
                 counted(URL, "secret", "imap", "", "") + b"x",
                 counted(URL, "secret", "imap", "", "", "")]
        for data in wrong:
            self.assertEqual(self.raw(data), NO, data)
        self.assertEqual(self.ended("malformed"), len(wrong))
        self.assertEqual(self.calls(), [])
        text = self.served.daemon.text()
        self.assertEqual(text.count("a malformed request of uid"), 1)
        self.assertNotIn(b"cimdd_mux",
                         self.served.lookup.get("/metrics").body)
        self.assertNotIn("secret", text)

    def test_byte_by_byte(self) -> None:
        """It comes as it comes."""
        sock = self.connect()
        for byte in counted(URL, "now", "imap", ""):
            sock.sendall(bytes([byte]))
        self.assertEqual(read_all(sock), OK)

    def test_one_request(self) -> None:
        """A second one on the connection is never read."""
        sock = self.connect()
        sock.sendall(counted(URL, "hold:a", "imap", ""))
        self.wait_figure('cimdd_calls{socket="mux"}', 1)
        sock.sendall(counted(URL, "now", "imap", ""))
        self.served.release_all("a", 1)
        self.assertEqual(answer(sock), OK)
        self.assertEqual(len(self.calls()), 1)


class Neighbours(MuxCase):
    """Slow, late and leaving clients."""

    def test_slow_calls_delay_nobody(self) -> None:
        """Neither on this socket nor on the other one."""
        slow = [self.connect() for _ in range(100)]
        for sock in slow:
            sock.sendall(counted(URL, "hold:a", "imap", ""))
        self.wait_figure('cimdd_calls{socket="mux"}', 100)
        self.assertEqual(self.login(URL), OK)
        self.assertEqual(self.login("alice"), NO)
        self.assertEqual(self.served.lookup.lookup("now").status, 200)
        self.served.release_all("a", 100)
        self.assertEqual({read_all(sock) for sock in slow}, {OK})
        self.wait_figure('cimdd_connections{socket="mux"}', 0)

    def test_deadline(self) -> None:
        """A client that sends too little, or a byte now and then, is cut
        without an answer."""
        served = self.served = self.with_mux("request_timeout = 1\n")
        half = self.connect()
        half.sendall(counted(URL, "now")[:10])
        silent = self.connect()
        self.assertEqual(read_all(half), CUT)
        self.assertEqual(read_all(silent), CUT)
        self.wait_figure('cimdd_mux_total{answer="cut"}', 2)
        cut = 'cimdd_connections_cut_total{reason="deadline"}'
        self.assertEqual(served.figure(cut), 2)

    def test_leaving(self) -> None:
        """A client that leaves during its call, or before."""
        self.connect().close()
        sock = self.connect()
        sock.sendall(counted(URL, "hold:a", "imap", ""))
        self.wait_figure('cimdd_calls{socket="mux"}', 1)
        sock.close()
        self.served.release_all("a", 1)
        self.wait_figure('cimdd_connections{socket="mux"}', 0)
        self.assertEqual(self.login(URL), OK)

    def test_caps(self) -> None:
        """So many of one user, so many in all; others are left alone."""
        if os.geteuid() != 0:
            self.skipTest("only root can ask as other users")
        os.chmod(self.served.folder, 0o711)
        os.chmod(self.served.mux_path, 0o666)
        held = [self.connect() for _ in range(MUX_UID)]
        self.wait_figure('cimdd_connections{socket="mux"}', MUX_UID)
        self.assertEqual(read_all(self.connect()), CUT)
        cut = 'cimdd_connections_cut_total{reason="%s"}'
        self.assertEqual(self.served.figure(cut % "max_connections_uid"), 1)
        os.seteuid(PEOPLE[0])
        try:
            others = [self.connect() for _ in range(MUX - MUX_UID)]
            last = self.connect()
        finally:
            os.seteuid(0)
        self.assertEqual(read_all(last), CUT)
        self.assertEqual(self.served.figure(cut % "max_connections"), 1)
        self.assertEqual(self.served.lookup.lookup("now").status, 200)
        for sock in held + others:
            sock.close()
        self.wait_figure('cimdd_connections{socket="mux"}', 0)
        self.assertEqual(self.login(URL), OK)


class Life(MuxCase):
    """Start, stop, settings."""

    def test_off_by_default(self) -> None:
        """No setting, no socket, no figures."""
        one = self.serve()
        self.assertFalse(os.path.exists(one.mux_path))
        self.assertNotIn("cimdd_mux_total", str(one.figures()))

    def test_mode(self) -> None:
        """For a group; gone at the end."""
        mode = os.stat(self.served.mux_path).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o660)
        self.assertEqual(self.served.daemon.stop(), 0)
        self.assertFalse(os.path.exists(self.served.mux_path))

    def test_no_such_group(self) -> None:
        """Said with the line of the setting."""
        one = Served(self)
        one.configure(self.settings(one, "nobody-here"))
        with self.assertRaisesRegex(
                AssertionError, f"{one.conf}:6: there is no group "):
            one.start()
        self.assertFalse(os.path.exists(one.mux_path))

    def test_end_during_calls(self) -> None:
        """Calls under way get their answer, half a request none."""
        sock = self.connect()
        sock.sendall(counted(URL, "hold:a", "imap", ""))
        self.wait_figure('cimdd_calls{socket="mux"}', 1)
        half = self.connect()
        half.sendall(b"\0")
        asks = self.served.connect()
        self.wait_figure('cimdd_connections{socket="lookup"}', 1)
        self.served.daemon.signal(15)
        labtest.wait_until(lambda: not os.path.exists(self.served.mux_path))
        asks.sendall(b"GET /v1/client?client_id=release:a HTTP/1.1\r\n"
                     b"Host: x\r\nConnection: close\r\n\r\n")
        self.assertIn(b'"released":1', read_all(asks))
        self.assertEqual(read_all(sock), OK)
        self.assertEqual(read_all(half), CUT)
        self.assertEqual(self.served.daemon.wait(30), 0)

    def test_end_without_an_answer(self) -> None:
        """A call that never ends does not keep the daemon."""
        sock = self.connect()
        sock.sendall(counted(URL, "never", "imap", ""))
        self.wait_figure('cimdd_calls{socket="mux"}', 1)
        self.served.daemon.signal(15)
        self.assertEqual(self.served.daemon.wait(60), 3)
        self.assertEqual(read_all(sock), CUT)
        self.assertIn("1 calls did not end", self.served.daemon.text())

    def activated(self, *names: str) -> Served:
        """Not started yet, with sockets as systemd hands them over."""
        one = Served(self, 'mux_socket = "/run/cimd/mux"\n')
        paths = {"lookup": one.lookup_path, "admin": one.admin_path,
                 "mux": one.mux_path}
        for name in names:
            sock = socket.socket(socket.AF_UNIX)
            self.addCleanup(sock.close)
            sock.bind(paths[name])
            sock.listen(64)
            one.daemon.sockets.append(sock)
        one.daemon.env = {"LISTEN_FDNAMES": ":".join(names)}
        return one

    def test_activation(self) -> None:
        """A socket of systemd, which stays."""
        self.served = self.activated("mux", "lookup", "admin").start()
        self.assertEqual(self.login(URL), OK)
        self.assertEqual(self.served.lookup.lookup("now").status, 200)
        self.assertTrue(self.served.admin.get("/v1/status").json()["admin"])
        self.assertEqual(self.served.daemon.stop(), 0)
        self.assertTrue(os.path.exists(self.served.mux_path))

    def test_activation_without_it(self) -> None:
        """The setting alone makes no socket then, which is said."""
        one = self.activated("lookup", "admin").start()
        self.assertFalse(os.path.exists(one.mux_path))
        self.assertIn("enable cimdd-mux.socket", one.daemon.text())

    def test_reload_keeps_the_socket(self) -> None:
        """It changes with the next start."""
        self.served.configure(self.settings(self.served, more="2"))
        self.assertEqual(self.served.admin.post("/v1/reload").status, 200)
        self.served.daemon.wait_log("sockets and user change")
        self.assertEqual(self.login(URL), OK)


if __name__ == "__main__":
    labtest.main()
