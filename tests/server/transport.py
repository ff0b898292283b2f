#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The transport of cimdd: what comes in over the sockets, and what does not
get in the way of others."""

from __future__ import annotations

import itertools
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
from typing import Any, Callable

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from served import Case, Served, labtest, read_all  # noqa: E402

MAX_REQUEST = 65536
CALLS = 'cimdd_calls{socket="lookup"}'
CUT = 'cimdd_connections_cut_total{reason="deadline"}'
PROBLEM = "application/problem+json"
SHORT = "pIJ3Zb_DY0Wk-1s8bJfQhFb9VnS0ZzPzqYqZ8bSJb6k"

# verb, path, method, JSON parameters; over the lookup socket too?
ROUTES = [
    ("GET", "/v1/client?client_id=now", "client", '{"client_id":"now"}',
     True),
    ("POST", "/v1/client", "client", "{}", True),
    ("POST", "/v1/assertion", "assertion", "{}", True),
    ("GET", "/v1/metadata", "metadata", "{}", True),
    ("GET", "/v1/clients", "clients", "{}", True),
    ("GET", "/v1/clients?contains=a%25&limit=10&offset=0", "clients",
     '{"contains":"a%","limit":10,"offset":0}', True),
    ("GET", "/healthz", "healthz", "{}", True),
    ("GET", f"/v1/clients/{SHORT}", "show", f'{{"short":"{SHORT}"}}', False),
    ("GET", "/v1/status", "status", "{}", False),
    ("GET", "/v1/audit", "audit", "{}", False),
    ("GET", "/v1/audit?n=999999999", "audit", '{"n":999999999}', False),
    ("POST", "/v1/policy/test", "policy_test", "{}", False),
    *((("POST", f"/v1/clients/{SHORT}/{m}", m, f'{{"short":"{SHORT}"}}',
        False))
      for m in ("approve", "deny", "unblock", "pin", "refresh", "forget",
                "diff")),
]

# Query, and what the method gets.
DECODED = [
    ("client_id=https://a.example.net/c", {
        "client_id": "https://a.example.net/c"}),
    ("client_id=https%3A%2F%2Fa.example.net%2fc%3fx%3D1%26y", {
        "client_id": "https://a.example.net/c?x=1&y"}),
    ("client_id=a+b%2Bc%20d", {"client_id": "a+b+c d"}),
    ("client_id=", {"client_id": ""}),
    ("client_id=a=b==c", {"client_id": "a=b==c"}),
    ("client_id=a?b/c:d@e!f$g'h(i)j*k,l;m~n", {
        "client_id": "a?b/c:d@e!f$g'h(i)j*k,l;m~n"}),
    ("client%5Fid=x", {"client_id": "x"}),
    ("client_id=%22%5C%01%1f%7f", {"client_id": '"\\\x01\x1f\x7f'}),
    ("client_id=%c3%a4%F0%9F%99%82", {"client_id": "\u00e4\U0001f642"}),
    ("purpose=token&client_id=x&tenant=t&remote_addr=::1&redirect_uri=r", {
        "purpose": "token", "client_id": "x", "tenant": "t",
        "remote_addr": "::1", "redirect_uri": "r"}),
    ("client_id=" + "%61" * 4096, {"client_id": "a" * 4096}),
]

# Query, and a piece of why not.
REFUSED = [
    ("client_id=a&client_id=b", '"client_id" is there twice'),
    ("client_id=a&client%5fid=b", '"client_id" is there twice'),
    ("client_id=a%00b", "parameter 1: NUL byte"),
    ("client_id=x&tenant=%00", "parameter 2: NUL byte"),
    ("client_id=%", "without two hex digits"),
    ("client_id=%4", "without two hex digits"),
    ("client_id=%zz", "without two hex digits"),
    ("client_id=%4g", "without two hex digits"),
    ("client_id=%-1", "without two hex digits"),
    ("client_id=%4&tenant=1", "without two hex digits"),
    ("%=x", "without two hex digits"),
    ("client_id=x&what=y", 'parameter 2 is not known here: "what"'),
    ("CLIENT_ID=x", "is not known here"),
    ("client_id%00=x", "NUL byte"),
    ("client_id%20=x", 'not known here: "client_id "'),
    (f"{'a' * 40}=x", "is not known here"),
    ("", 'parameter 1 is not "name=value"'),
    ("client_id", 'is not "name=value"'),
    ("=x", 'is not "name=value"'),
    ("client_id=x&", 'parameter 2 is not "name=value"'),
    ("&client_id=x", 'parameter 1 is not "name=value"'),
    ("client_id=x&&tenant=y", 'parameter 2 is not "name=value"'),
    ("client_id=a#b", "byte 0x23 must be a percent triplet"),
    ('client_id="x"', "byte 0x22 must be"),
    ("client_id={x}", "byte 0x7b must be"),
    ("client_id=a\\b", "byte 0x5c must be"),
    ("client_id=\u00e4", "byte 0xc3 must be"),
    ("client_id=\x01", "byte 0x01 must be"),
]

REFUSED_NUMBERS = ["", "-1", "+1", "%201", "0x1", "01", "00",
                   "1000000000", "9" * 40, "1e3", "1.0", "%d9%a1"]


class Wire(Case):
    """From bytes to methods."""

    def setUp(self) -> None:
        self.served = self.serve()

    def raw(self, text: "str | bytes", admin: bool = False) -> bytes:
        """Send bytes; everything until the other side closes."""
        sock = self.served.connect(admin)
        sock.sendall(text.encode() if isinstance(text, str) else text)
        return read_all(sock)

    def get(self, target: str, admin: bool = False) -> tuple[int, Any]:
        """Status and JSON of a GET whose target is sent as it is."""
        head, _, body = self.raw(
            f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            admin).partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)

    def problem(self, status: int, code: str, class_: str, answer: Any
                ) -> str:
        """Check the form of a problem document; returns its detail."""
        self.assertEqual(answer.status, status)
        self.assertEqual(answer.headers["content-type"], PROBLEM)
        self.assertEqual(answer.headers["cache-control"], "no-store")
        found = answer.json()
        self.assertEqual(
            (found["type"], found["status"], found["code"], found["class"]),
            ("about:blank", status, code, class_))
        for name in ("title", "detail", "summary", "error"):
            self.assertTrue(found[name])
        return str(found["detail"])

    def test_routes(self) -> None:
        """Each method is reached, over the sockets that may, as it is."""
        for verb, path, method, args, public in ROUTES:
            with self.subTest(f"{verb} {path}"):
                body = b"{}" if args == "{}" and verb == "POST" else None
                answer = self.served.admin.request(verb, path, body)
                self.assertEqual(answer.status, 200)
                found = answer.json()
                self.assertEqual((found["method"], found["json"]),
                                 (method, args))
                self.assertTrue(found["admin"])
                answer = self.served.lookup.request(verb, path, body)
                if public:
                    self.assertEqual(answer.status, 200)
                    self.assertFalse(answer.json()["admin"])
                else:
                    detail = self.problem(403, "CIMD_E_CONSUMER", "refused",
                                          answer)
                    self.assertIn("admin socket", detail)

    def test_wrong_verb(self) -> None:
        """405 says what would be right."""
        for verb, path, allow in [
                ("PUT", "/v1/client", "GET, POST"),
                ("HEAD", "/v1/client", "GET, POST"),
                ("GET", "/v1/assertion", "POST"),
                ("POST", "/v1/metadata", "GET"),
                ("HEAD", "/healthz", "GET"),
                ("DELETE", f"/v1/clients/{SHORT}", "GET"),
                ("GET", f"/v1/clients/{SHORT}/deny", "POST"),
                ("get", "/healthz", "GET"),
                ("OPTIONS", "/metrics", "GET"),
                ("GET", "/v1/reload", "POST")]:
            with self.subTest(f"{verb} {path}"):
                answer = self.served.admin.request(verb, path)
                self.assertEqual((answer.status, answer.headers["allow"]),
                                 (405, allow))
                if verb != "HEAD":
                    self.problem(405, "CIMD_E_REQUEST", "broken", answer)

    def test_wrong_path(self) -> None:
        """Paths are compared byte for byte."""
        for path in ("/", "/v1", "/v1/", "/v1/client/", "/v1/Client",
                     "//v1/client", "/v1//client", "/v1/%63lient",
                     "/./v1/client", "/v1/client%3fclient_id=x",
                     "/v1/clients/", "/v1/clients/a.b", "/v1/clients/a/b",
                     "/v1/clients/a/deny/", "/v1/clients/a/denyx",
                     "/v1/clients//deny", f"/v1/clients/{'a' * 65}",
                     "/v1/clients/%61", "/healthz/", "/healthz;x",
                     "http://x/v1/client", "*"):
            with self.subTest(path):
                answer = self.served.admin.request("GET", path)
                self.problem(404, "CIMD_E_REQUEST", "broken", answer)

    def test_query_is_decoded_strictly(self) -> None:
        """The method gets exactly the bytes that were meant."""
        for query, expected in DECODED:
            with self.subTest(query[:60]):
                status, found = self.get("/v1/client?" + query)
                self.assertEqual(status, 200)
                self.assertEqual(json.loads(found["json"]), expected)

    def test_bad_query(self) -> None:
        """What could be read in two ways is refused."""
        for query, why in REFUSED:
            with self.subTest(query):
                status, found = self.get("/v1/client?" + query)
                self.assertEqual((status, found["code"]),
                                 (400, "CIMD_E_REQUEST"))
                self.assertIn(why, found["detail"])
                self.assertTrue(found["detail"].isascii())

    def test_bad_numbers(self) -> None:
        """Numbers are digits."""
        for number in REFUSED_NUMBERS:
            with self.subTest(number):
                status, found = self.get(f"/v1/clients?limit={number}")
                self.assertEqual(status, 400)
                self.assertIn("parameter 1 is not a number",
                              found["detail"])

    def test_query_where_there_is_none(self) -> None:
        """Methods without parameters take none, in any form."""
        for verb, path in (("GET", "/healthz?x=1"), ("GET", "/v1/status?"),
                           ("POST", "/v1/client?client_id=now"),
                           ("POST", f"/v1/clients/{SHORT}/deny?x=1"),
                           ("GET", f"/v1/clients/{SHORT}?x=1"),
                           ("POST", "/v1/reload?x=1")):
            with self.subTest(path):
                answer = self.served.admin.request(verb, path)
                self.problem(400, "CIMD_E_REQUEST", "broken", answer)

    def test_body_is_passed_on_as_it_is(self) -> None:
        """Every byte, whatever the type says."""
        for body in (b"", b"{}", b"[1,\x00]", b"not json", b" {} ",
                     '{"client_id":"\u00e4"}'.encode(), b"x" * MAX_REQUEST):
            with self.subTest(body[:20]):
                answer = self.served.lookup.request(
                    "POST", "/v1/client", body,
                    {"Content-Type": "text/plain"})
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.json()["json"].encode(), body)

    def test_body_with_short(self) -> None:
        """The id of the path goes first; a second one is for libcimd."""
        short = '"short":"abc"'
        for body, expected in [
                (b"", f"{{{short}}}"), (b" \r\n\t", f"{{{short}}}"),
                (b"{}", f"{{{short}}}"), (b" { } ", f"{{{short}}} "),
                (b'{"reason":"x"}', f'{{{short},"reason":"x"}}'),
                (b'{\n "short":"y" }', f'{{{short},"short":"y" }}'),
                (b"{", f"{{{short}"), (b"{]", f"{{{short},]")]:
            with self.subTest(body):
                found = self.served.admin.post("/v1/clients/abc/deny", body)
                self.assertEqual(found.json()["json"], expected)
        for body in (b"[]", b"x", b'"{}"', b"null"):
            with self.subTest(body):
                answer = self.served.admin.post("/v1/clients/abc/deny", body)
                detail = self.problem(400, "CIMD_E_REQUEST", "broken",
                                      answer)
                self.assertIn("not a JSON object", detail)

    def test_body_of_get(self) -> None:
        """GET takes none."""
        answer = self.served.lookup.request("GET", "/healthz", b"{}")
        self.assertIn("GET takes no body", self.problem(
            400, "CIMD_E_REQUEST", "broken", answer))

    def test_body_too_large(self) -> None:
        """413, declared or not."""
        answer = self.served.lookup.post("/v1/client",
                                         b"x" * (MAX_REQUEST + 1))
        self.assertIn(str(MAX_REQUEST), self.problem(
            413, "CIMD_E_REQUEST", "broken", answer))
        head = b"POST /v1/client HTTP/1.1\r\nHost: x\r\n"
        for length in (2**20 + 1, 10**9, 2**63 - 1):
            found = self.raw(head + b"Content-Length: %d\r\n\r\n" % length)
            self.assertRegex(found, rb"^HTTP/1.1 413 ")
        chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        chunked = head + (b"Transfer-Encoding: chunked\r\n"
                          b"Connection: close\r\n\r\n")
        found = self.raw(chunked + chunk * 2 + b"0\r\n\r\n")
        self.assertRegex(found, rb"^HTTP/1.1 200 ")
        found = self.raw(chunked + chunk * 2 + b"1\r\nx\r\n0\r\n\r\n")
        self.assertRegex(found, rb"^HTTP/1.1 413 ")
        found = self.raw(chunked + chunk * 40 + b"0\r\n\r\n")
        self.assertRegex(found, rb"^HTTP/1.1 413 ")

    def test_head_too_large(self) -> None:
        """A long target is ours to refuse, longer heads libmicrohttpd's;
        either way the connection ends."""
        self.assertEqual(self.get("/v1/client?client_id="
                                  + "a" * 16000)[0], 200)
        status, found = self.get("/v1/client?client_id=" + "a" * 17000)
        self.assertEqual((status, found["code"]), (414, "CIMD_E_REQUEST"))
        for head in ("GET /" + "a" * 70000 + " HTTP/1.1\r\n\r\n",
                     "GET /healthz HTTP/1.1\r\nHost: x\r\nA: "
                     + "a" * 70000 + "\r\n\r\n",
                     "GET /healthz HTTP/1.1\r\nHost: x\r\n"
                     + "a: b\r\n" * 20000 + "\r\n"):
            with self.subTest(head[:30]):
                try:
                    found = self.raw(head)
                except (BrokenPipeError, ConnectionResetError):
                    continue
                self.assertRegex(found, rb"^(HTTP/1.1 4\d\d |$)")
        self.assertEqual(self.served.lookup.get("/healthz").status, 200)

    def test_garbage(self) -> None:
        """What is no HTTP ends the connection, and nothing else."""
        self.served = self.serve("request_timeout = 2\n")
        for data in (b"\x00" * 100, b"\xff" * 100, b"\r\n" * 2000,
                     b"\x16\x03\x01\x02\x00\x01\x00", b"hello\r\n\r\n",
                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                     b"GET /healthz\r\n\r\n",
                     b"GET /healthz HTTP/1.1\r\n\r\n",
                     b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n",
                     b"GET /healthz\0z HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET /healthz\0HTTP/1.1 HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET /v1/client?client_id=now\0x HTTP/1.1\r\n"
                     b"Host: x\r\n\r\n",
                     b"GET /v1/client?client_id=now x HTTP/1.1\r\n"
                     b"Host: x\r\n\r\n",
                     b"POST /v1/client HTTP/1.1\r\nHost: x\r\n"
                     b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
                     b"POST /v1/client HTTP/1.1\r\nHost: x\r\n"
                     b"Content-Length: 2\r\nTransfer-Encoding: chunked"
                     b"\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                     b"POST /v1/client HTTP/1.1\r\nHost: x\r\n"
                     b"Content-Length: -1\r\n\r\n",
                     b"POST /v1/client HTTP/1.1\r\nHost: x\r\n"
                     b"Content-Length: 99999999999999999999999\r\n\r\n",
                     b"POST /v1/client HTTP/1.1\r\nHost: x\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
                     b"POST /v1/client HTTP/1.1\r\nHost: x\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n"
                     b"ffffffffffffffffffff\r\n"):
            with self.subTest(data[:60]):
                sock = self.served.connect()
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                self.assertNotRegex(read_all(sock), rb"^HTTP/1.1 200 ")
        self.assertEqual(self.served.lookup.get("/healthz").status, 200)

    def test_keep_alive(self) -> None:
        """One connection answers many requests, also suspended ones."""
        with self.served.lookup as client:
            for i in range(50):
                answer = client.lookup("later" if i % 2 else "now")
                self.assertEqual(answer.status, 200)
                self.assertNotIn("connection", answer.headers)
            answer = client.post("/v1/client", b'{"client_id":"later"}')
            self.assertEqual(answer.status, 200)
        self.assertEqual(self.served.figure(
            'cimdd_connections_total{socket="lookup"}'), 1)

    def test_pipelining(self) -> None:
        """Requests sent at once are answered in order."""
        one = "GET /v1/client?client_id={}&tenant=t{} HTTP/1.1\r\nHost: x\r\n"
        text = "".join(one.format("later" if i % 3 else "now", i) + "\r\n"
                       for i in range(20))
        text += one.format("now", 20) + "Connection: close\r\n\r\n"
        found = re.findall(rb'\\"tenant\\":\\"t(\d+)', self.raw(text))
        self.assertEqual([int(n) for n in found], list(range(21)))

    def test_garbage_after_a_request(self) -> None:
        """The request is answered, then the connection ends."""
        good = b"GET /v1/client?client_id=%s HTTP/1.1\r\nHost: x\r\n\r\n"
        for client_id in (b"now", b"later"):
            found = self.raw(good % client_id + b"\x01garbage\r\n\r\n")
            self.assertRegex(found, rb"^HTTP/1.1 200 ")
            self.assertNotIn(b"HTTP/1.1 200 ", found[9:])

    def test_expect(self) -> None:
        """100-continue is answered, so that curl does not wait."""
        sock = self.served.connect()
        sock.sendall(b"POST /v1/client HTTP/1.1\r\nHost: x\r\n"
                     b"Expect: 100-continue\r\nContent-Length: 2\r\n"
                     b"Connection: close\r\n\r\n")
        self.assertRegex(sock.recv(1000), rb"^HTTP/1.1 100 ")
        sock.sendall(b"{}")
        self.assertRegex(read_all(sock), rb"^HTTP/1.1 200 ")

    def test_answer_of_the_library(self) -> None:
        """Status, Retry-After, type and body are passed on."""
        for status in (403, 404, 500, 503):
            answer = self.served.lookup.lookup(f"status:{status}")
            self.assertEqual(answer.status, status)
            self.assertEqual(answer.headers["retry-after"], "7")
            self.assertEqual(answer.headers["cache-control"], "no-store")
        answer = self.served.lookup.lookup("big:3000000")
        self.assertEqual(answer.body, b"x" * 3000000)
        self.assertNotIn("retry-after", answer.headers)

    def test_peer(self) -> None:
        """The caller's user and groups come from the kernel."""
        found = self.served.lookup.lookup("now").json()
        self.assertEqual(found["uid"], os.geteuid())
        self.assertEqual(set(found["gids"]), {os.getegid(), *os.getgroups()})
        if os.geteuid() != 0:
            return
        os.chmod(self.served.folder, 0o755)
        for path in (self.served.lookup_path, self.served.admin_path):
            os.chmod(path, 0o666)
        def curl(path: str, **who: Any) -> Any:
            done = subprocess.run(
                ["curl", "-s", "--unix-socket", path,
                 "http://x/v1/client?client_id=now"], check=True,
                capture_output=True, text=True, timeout=60, **who)
            return json.loads(done.stdout)
        many = list(range(1000, 1200))
        found = curl(self.served.lookup_path, user=12345, group=23456,
                     extra_groups=many)
        self.assertEqual((found["uid"], found["gids"][0]), (12345, 23456))
        self.assertEqual(set(found["gids"]), {23456, *many})
        found = curl(self.served.admin_path, user=12345, group=23456,
                     extra_groups=[])
        self.assertEqual((found["status"], found["code"]),
                         (403, "CIMD_E_CONSUMER"))

    def test_metrics(self) -> None:
        """Our figures follow the library's, in the text format."""
        answer = self.served.lookup.get("/metrics")
        self.assertEqual(answer.status, 200)
        text = answer.body.decode()
        self.assertTrue(text.startswith("# EOF of the double\n"))
        self.assertTrue(text.endswith("\n"))
        names = set(re.findall(r"^# TYPE (\S+) (?:gauge|counter)$", text,
                               re.M))
        self.assertEqual(names, set(re.findall(r"^# HELP (\S+) \S", text,
                                               re.M)))
        samples = re.findall(r'^([a-z_]+)(?:\{[a-z]+="[a-z_]+"\})? [\d.]+$',
                             text, re.M)
        self.assertEqual(set(samples), names)
        self.assertEqual(len([line for line in text.splitlines()
                              if not line.startswith("#")]), len(samples))
        if shutil.which("promtool"):
            done = subprocess.run(
                ["promtool", "check", "metrics"], input=text, text=True,
                capture_output=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))


class Others(Case):
    """Slow and hostile clients, and slow answers, beside good ones."""

    def good(self, served: Served) -> None:
        """A good client is answered."""
        for client_id in ("now", "later"):
            self.assertEqual(served.lookup.lookup(client_id).status, 200)

    def suspended(self, served: Served, count: int) -> None:
        """That many slow answers delay nobody and all arrive."""
        waiting = [served.ask("hold:a") for _ in range(count)]
        labtest.wait_until(lambda: served.figure(CALLS) == count,
                           what="calls")
        self.good(served)
        self.good(served)
        self.assertEqual(select.select(waiting, [], [], 0)[0], [])
        self.assertEqual(served.release("a"), count)
        for sock in waiting:
            self.assertRegex(read_all(sock), rb"^HTTP/1.1 200 ")

    def test_slow_answers(self) -> None:
        """8 and 64 of them, more than there are threads."""
        served = self.serve()
        for count in (8, 64):
            with self.subTest(count):
                self.suspended(served, count)
        labtest.wait_until(lambda: served.figure(CALLS) == 0)

    def test_many_answers_of_another_thread(self) -> None:
        """Answers race with the suspension of their connection."""
        served = self.serve()
        bad: list[Any] = []

        def work() -> None:
            with labtest.UnixHTTP(served.lookup_path) as client:
                for _ in range(300):
                    status = client.lookup("later").status
                    if status != 200:
                        bad.append(status)
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(bad, [])

    def cut(self, act: Callable[[socket.socket], None]) -> None:
        """A client that acts like this is cut at its deadline, long before
        it has done, and others need not wait for that."""
        served, sock = self.beside_a_silent_one()
        started = time.monotonic()
        try:
            act(sock)
            read_all(sock)
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assertFaster(20, started)
        labtest.wait_until(lambda: served.figure(CUT) > 0, what="the cut")
        self.assertEqual(served.figure(CUT), 1)
        self.good(served)

    def beside_a_silent_one(self) -> tuple[Served, socket.socket]:
        """A daemon that serves others at once, and the silent connection to
        it.  A machine that stands still gets other chances."""
        for _ in range(4):
            served = self.serve("request_timeout = 2\n")
            sock = served.connect()
            started = time.monotonic()
            self.good(served)
            if time.monotonic() - started < 1 and \
                    not select.select([sock], [], [], 0)[0]:
                return served, sock
        raise AssertionError("others wait for who is silent")

    @staticmethod
    def dribble(sock: socket.socket, data: bytes) -> None:
        """Never silent for long, and not done for half a minute."""
        end = time.monotonic() + 30
        for byte in itertools.cycle(data):
            if time.monotonic() > end:
                return
            sock.sendall(bytes([byte]))
            if select.select([sock], [], [], 0.1)[0]:
                return

    def test_silence(self) -> None:
        """A client that says nothing."""
        self.cut(lambda sock: None)

    def test_a_byte_at_a_time(self) -> None:
        """In the request line."""
        self.cut(lambda sock: self.dribble(sock, b"GET /aaaaaaaaaa"))

    def test_a_header_at_a_time(self) -> None:
        """After the request line, which must not buy much time."""
        def act(sock: socket.socket) -> None:
            sock.sendall(b"GET /healthz HTTP/1.1\r\n")
            self.dribble(sock, b"a: b\r\n")
        self.cut(act)

    def test_a_body_byte_at_a_time(self) -> None:
        """In the body."""
        def act(sock: socket.socket) -> None:
            sock.sendall(b"POST /v1/client HTTP/1.1\r\nHost: x\r\n"
                         b"Content-Length: 5000\r\n\r\n")
            self.dribble(sock, b"x")
        self.cut(act)

    def test_second_request_a_byte_at_a_time(self) -> None:
        """After a good one, once its request line is there."""
        def act(sock: socket.socket) -> None:
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertRegex(sock.recv(65536), rb"^HTTP/1.1 200 ")
            sock.sendall(b"GET /healthz HTTP/1.1\r\n")
            self.dribble(sock, b"a: b\r\n")
        self.cut(act)

    def test_answer_is_not_taken(self) -> None:
        """A client that asks and does not read."""
        served = self.serve("request_timeout = 1\n")
        sock = served.connect()
        sock.sendall(b"GET /v1/client?client_id=big:9000000 HTTP/1.1\r\n"
                     b"Host: x\r\n\r\n")
        labtest.wait_until(lambda: served.figure(CUT) == 1, what="the cut")
        labtest.wait_until(lambda: served.figure(
            'cimdd_connections{socket="lookup"}') == 0, what="the end")
        self.good(served)

    def test_hundred_silent_ones(self) -> None:
        """They cost no thread, and a place only up to their deadline."""
        served = self.serve("request_timeout = 3\n")
        before = served.figures()
        silent = [served.connect() for _ in range(100)]
        self.good(served)
        during = served.figures()
        self.assertEqual(during["process_threads"],
                         before["process_threads"])
        for sock in silent:
            self.assertEqual(read_all(sock), b"")
        labtest.wait_until(lambda: served.figure("process_open_fds") <=
                           before["process_open_fds"], what="closing")

    def full(self, served: Served, count: int, reason: str) -> None:
        """With that many connections the next one is told so, and there is
        room again when one has gone."""
        held = [served.connect() for _ in range(count)]
        labtest.wait_until(lambda: served.figure(
            'cimdd_connections{socket="lookup"}') == count)
        found = read_all(served.connect())
        self.assertRegex(found, rb"^HTTP/1.1 503 ")
        self.assertIn(b"\r\nRetry-After: 1\r\n", found)
        # Whoever has sent a request already knows where the answer ends.
        sock = served.connect()
        found = b""
        try:
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            while b"}" not in found:
                found += sock.recv(65536)
        except (BrokenPipeError, ConnectionResetError):
            found += sock.recv(65536)
        head, _, body = found.partition(b"\r\n\r\n")
        self.assertIn(b"\r\nContent-Length: %d\r\n" % len(body), head)
        problem = json.loads(found.partition(b"\r\n\r\n")[2])
        self.assertEqual((problem["code"], problem["class"]),
                         ("CIMD_E_BUSY", "unavailable"))
        self.assertEqual(served.figure(
            f'cimdd_connections_cut_total{{reason="{reason}"}}'), 2)
        held.pop().close()
        labtest.wait_until(lambda: served.figure(
            'cimdd_connections{socket="lookup"}') == count - 1)
        self.assertEqual(served.lookup.lookup("now").status, 200)

    def test_cap_of_a_user(self) -> None:
        """One user cannot take all places."""
        served = self.serve("max_connections = 32\n"
                            "max_connections_uid = 10\n")
        self.full(served, 10, "max_connections_uid")
        if os.geteuid() != 0:
            return
        os.chmod(served.folder, 0o755)
        os.chmod(served.lookup_path, 0o666)
        held = served.connect()
        done = subprocess.run(
            ["curl", "-s", "--unix-socket", served.lookup_path,
             "http://x/healthz"], user=12345, check=True, text=True,
            capture_output=True, timeout=60)
        self.assertEqual(json.loads(done.stdout)["uid"], 12345)
        held.close()

    def test_cap_of_all(self) -> None:
        """Nor can all together take more than there are; the admin socket
        has its own places."""
        served = self.serve("max_connections = 16\n"
                            "max_connections_uid = 16\n")
        self.full(served, 16, "max_connections")

    def test_cap_of_admin(self) -> None:
        """Which are bounded too."""
        served = self.serve()
        held = [served.connect(admin=True) for _ in range(16)]
        found = read_all(served.connect(admin=True))
        self.assertRegex(found, rb"^HTTP/1.1 503 ")
        for sock in held:
            sock.close()
        self.good(served)

    def test_nothing_is_left_behind(self) -> None:
        """Every way to end a connection gives back descriptor, thread and
        place."""
        served = self.serve("request_timeout = 3\n")
        self.good(served)
        labtest.wait_until(lambda: served.figure(
            'cimdd_connections{socket="lookup"}') == 0, what="their end")
        before = served.figures()
        gone = [served.ask("hold:x") for _ in range(30)]
        labtest.wait_until(lambda: served.figure(CALLS) == 30)
        for sock in gone:
            sock.close()
            served.connect().close()
            served.ask("later").close()
            served.ask("nonsense%").close()
            served.connect().sendall(b"garbage\r\n\r\n")
            served.ask("big:5000000").close()
        served.release_all("x", 30)

        for name in ("process_open_fds", "process_threads", CALLS,
                     'cimdd_connections{socket="lookup"}'):
            labtest.wait_until(lambda: served.figure(name) <= before[name],
                               what=name)


if __name__ == "__main__":
    labtest.main()
