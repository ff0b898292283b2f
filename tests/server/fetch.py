#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Suite: the fetcher against a server that does everything wrong.

In a network namespace with the address guard on; where a machine allows
none, over loopback with the development exception.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

from fetchone import HOST, fetch, hostile, run, said, timely
import labtest

OK = "CIMD_OK"
SOON = ("--timeout", "700")
SLACK = 600  # milliseconds behind a deadline
MEGABYTE = 1 << 20

# What each path gives: the code of the fetch or of http_judge() after it.
ANSWERS = {
    "/good": OK, "/length/5120": OK, "/chunked": OK, "/chunked/5120": OK,
    "/close": OK, "/close/5120": OK, "/http10": OK, "/informational/3": OK,
    "/headers/8192": OK, "/cookies": OK, "/delay/200": OK,
    "/cache/max-age=60": OK, "/long-body": OK, "/encoding/identity": OK,
    "/wrong/empty": OK,
    "/length/5121": "CIMD_E_TOO_BIG", "/chunked/5121": "CIMD_E_TOO_BIG",
    "/close/5121": "CIMD_E_TOO_BIG", "/headers/16384": "CIMD_E_TOO_BIG",
    "/headers/32768": "CIMD_E_TOO_BIG",
    "/short-body": "CIMD_E_CONNECT",
    "/chunked-cut": "CIMD_E_CONNECT", "/reset": "CIMD_E_CONNECT",
    "/reset-headers": "CIMD_E_CONNECT", "/hang-up": "CIMD_E_CONNECT",
    "/chunk-garbage": "CIMD_E_CONNECT",
    "/two-lengths": "CIMD_E_STATUS", "/negative-length": "CIMD_E_STATUS",
    "/length-and-chunked": "CIMD_E_STATUS", "/folded": "CIMD_E_STATUS",
    "/nul-header": "CIMD_E_STATUS", "/http09": "CIMD_E_STATUS",
    "/garbage": "CIMD_E_STATUS", "/h2-preface": "CIMD_E_STATUS",
    "/slow-body": "CIMD_E_TIMEOUT", "/slow-headers": "CIMD_E_TIMEOUT",
    "/silent": "CIMD_E_TIMEOUT", "/silent-body": "CIMD_E_TIMEOUT",
    "/bot-wall": "CIMD_E_BOT_WALL",
    "/200": OK, "/201": "CIMD_E_STATUS", "/204": "CIMD_E_STATUS",
    "/206": "CIMD_E_STATUS", "/400": "CIMD_E_STATUS",
    "/401": "CIMD_E_STATUS", "/403": "CIMD_E_STATUS", "/404": "CIMD_E_GONE",
    "/407": "CIMD_E_STATUS", "/410": "CIMD_E_GONE",
    "/429": "CIMD_E_SERVER", "/500": "CIMD_E_SERVER",
    "/503/9": "CIMD_E_SERVER", "/999": "CIMD_E_SERVER",
    "/101": "CIMD_E_STATUS", "/304": "CIMD_E_STATUS",
    "/type/none": "CIMD_E_TYPE", "/type/empty": "CIMD_E_TYPE",
    "/type/two": "CIMD_E_TYPE", "/type/two-same": "CIMD_E_TYPE",
    "/type/list": "CIMD_E_TYPE", "/type/text-plain": "CIMD_E_TYPE",
    "/type/text-html": "CIMD_E_TYPE", "/type/octet": "CIMD_E_TYPE",
    "/type/latin1": "CIMD_E_TYPE", "/type/jsonp": "CIMD_E_TYPE",
    "/type/text-json": "CIMD_E_TYPE", "/type/plus-only": "CIMD_E_TYPE",
    "/type/utf8": OK, "/type/utf8-quoted": OK, "/type/upper": OK,
    "/type/vendor": OK,
    "/encoding/gzip": "CIMD_E_ENCODING", "/encoding/br": "CIMD_E_ENCODING",
    "/encoding/deflate": "CIMD_E_ENCODING",
    "/encoding/lie": "CIMD_E_ENCODING", "/encoding/bomb": "CIMD_E_ENCODING",
}
ENDLESS = ("/endless-chunked", "/endless-length", "/endless-close",
           "/endless-headers", "/endless-header", "/endless-103",
           "/endless-trailers")
CERTIFICATES = ("expired", "future", "wrongname", "addressonly", "selfsigned",
                "clientonly", "badissuer", "unknownca", "constrained")
HANDSHAKES = {
    "tls12": (OK,), "tls13": (OK,), "tls10": ("CIMD_E_TLS",),
    "tls11": ("CIMD_E_TLS",), "tls-garbage": ("CIMD_E_TLS",),
    "tls-alert": ("CIMD_E_TLS",),
    # What is a broken connection and what a broken handshake, TLS libraries
    # see differently; both are of the class "unavailable".
    "tcp-close": ("CIMD_E_TLS", "CIMD_E_CONNECT"),
    "tcp-reset": ("CIMD_E_TLS", "CIMD_E_CONNECT"),
    "tcp-silent": ("CIMD_E_TIMEOUT",), "tls-drip": ("CIMD_E_TIMEOUT",),
}


class Fetch(labtest.Case):
    """What all tests here need."""

    def setUp(self) -> None:
        self.hostile = labtest.lab().hostile
        self.hostile.call("reset")
        labtest.lab().trap.call("reset")

    def requests(self) -> list[dict[str, object]]:
        """What the hostile server saw since setUp()."""
        return list(self.hostile.call("requests"))

    def header_names(self) -> list[list[str]]:
        """Names of the headers of each request, in lower case, sorted."""
        return [sorted(name.lower() for name, _ in request["headers"])
                for request in self.requests()]


class Answers(Fetch):
    """Every behaviour of the hostile server, and what is made of it."""

    def test_answers(self) -> None:
        for path, want in ANSWERS.items():
            with self.subTest(path):
                slow = want == "CIMD_E_TIMEOUT"
                got = fetch(hostile(path), *(SOON if slow else ()))
                self.assertEqual(said(got), want, got)
                if got["code"] != OK:
                    self.assertNotIn("body", got)
                    self.assertNotEqual(got["section"], "")

    def test_cut_without_a_length(self) -> None:
        """Some TLS libraries miss that the end was cut off.  It is no loss:
        a JSON object that was cut is none."""
        got = fetch(hostile("/close-cut"))
        self.assertIn(said(got), (OK, "CIMD_E_CONNECT"))

    def test_body(self) -> None:
        for path in ("/good", "/chunked", "/close", "/http10", "/long-body"):
            url = hostile(path)
            got = fetch(url)
            self.assertIn(f'"client_id": "{url}"', got["body"])
            self.assertTrue(got["body"].endswith("}"))
            self.assertEqual(len(got["body"]), got["length"])
        self.assertEqual(fetch(hostile("/length/5120"))["length"], 5120)
        self.assertEqual(fetch(hostile("/wrong/empty"))["length"], 0)

    def test_limit_is_a_setting(self) -> None:
        for path in ("/length/6000", "/chunked/6000", "/close/6000"):
            url = hostile(path)
            self.assertEqual(said(fetch(url, "--max", "6000")), OK)
            self.assertEqual(said(fetch(url, "--max", "5999")),
                             "CIMD_E_TOO_BIG")
            self.assertEqual(said(fetch(url, "--max", "0")),
                             "CIMD_E_TOO_BIG")

    def test_announced_length(self) -> None:
        """What is announced too large is not waited for."""
        head = ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                "Content-Length: %d\r\n\r\n{")
        self.hostile.call("set", path="/x", do="raw", body=head % 5121)
        self.assertEqual(said(fetch(hostile("/x"))), "CIMD_E_TOO_BIG")
        self.hostile.call("set", path="/x", do="raw", body=head % 5120)
        self.assertEqual(said(fetch(hostile("/x"))), "CIMD_E_CONNECT")

    def test_refused_bodies_stay_unread(self) -> None:
        """A large error page is what its status says, not too large."""
        for path in ("/404", "/500", "/type/text-html", "/encoding/bomb"):
            got = fetch(hostile(path))
            self.assertEqual((got["code"], got["length"]), (OK, 0), path)
        self.hostile.call("set", path="/big", do="custom", status=404,
                          body="x" * 100000)
        got = fetch(hostile("/big"))
        self.assertEqual((said(got), got["length"]), ("CIMD_E_GONE", 0))
        self.hostile.call("set", path="/page", do="custom",
                          headers=[["Content-Type", "text/html"]],
                          body="x" * 100000)
        got = fetch(hostile("/page"))
        self.assertEqual((said(got), got["length"]), ("CIMD_E_TYPE", 0))

    def test_redirects_are_not_followed(self) -> None:
        for code in ("301", "302", "303", "307", "308"):
            for where in ("same", "public", "private", "loopback",
                          "metadata", "http", "loop"):
                self.hostile.call("reset")
                got = fetch(hostile(f"/redirect/{code}/{where}"))
                self.assertEqual(said(got), "CIMD_E_STATUS")
                self.assertEqual(got["status"], int(code))
                self.assertEqual(len(self.requests()), 1)
        if labtest.lab().mode == "netns":
            self.assertEqual(labtest.lab().unexpected(), {})

    def test_endless(self) -> None:
        """Ends before the deadline, with little read, in little memory and
        time."""
        for path in ENDLESS:
            self.hostile.call("reset")
            with self.subTest(path):
                done = run(hostile(path))
                self.assertEqual(done.first["code"], "CIMD_E_TOO_BIG")
                self.assertLess(done.process["cpu_us"], 500000)
                request = labtest.wait_until(
                    lambda: [r for r in self.requests()
                             if r["outcome"] != "running"])[0]
                self.assertEqual(request["outcome"], "client gone")
                # What fits into the buffers of two sockets.
                self.assertLess(request["sent"], 8 * MEGABYTE)

    def test_facts(self) -> None:
        self.assertEqual(fetch(hostile("/cache/max-age=77"))["max_age"], 77)
        got = fetch(hostile("/etag"))
        self.assertRegex(got["etag"], '^"[0-9a-f]{8}"$')
        if labtest.lab().mode == "netns":
            self.assertIn(got["peer"], labtest.lab().public)


class Requests(Fetch):
    """What we send, and above all what we do not."""

    def test_headers(self) -> None:
        fetch(hostile("/good"), "--user-agent", "cimd/1 (https://a.example)")
        request = self.requests()[0]
        self.assertEqual(request["method"], "GET")
        self.assertEqual(request["version"], "HTTP/1.1")
        self.assertEqual(request["target"], "/good")
        self.assertEqual(self.header_names()[0],
                         ["accept", "host", "user-agent"])
        headers = {n.lower(): v for n, v in request["headers"]}
        self.assertEqual(headers["accept"],
                         "application/json, application/*+json;q=0.9")
        self.assertEqual(headers["user-agent"], "cimd/1 (https://a.example)")
        self.assertTrue(hostile("").endswith(headers["host"]))

    def test_nothing_is_remembered(self) -> None:
        """No cookie, HSTS or Alt-Svc from one fetch to the next."""
        run(hostile("/cookies"), "--repeat", "3")
        self.assertEqual(self.header_names(), [["accept", "host"]] * 3)
        self.assertEqual(self.hostile.call("connections")["accepted"], 3)

    def test_environment_is_ignored(self) -> None:
        home = self.folder()
        for name in (".netrc", "_netrc"):
            with open(os.path.join(home, name), "w", encoding="ascii") as out:
                out.write("default login me password secret\n")
        with open(os.path.join(home, ".curlrc"), "w", encoding="ascii") as out:
            out.write('user = "me:secret"\ncompressed\n')
        proxy = "http://10.0.0.1:3128"
        env = {name: proxy for name in (
            "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
            "ALL_PROXY")}
        env |= {"HOME": home, "CURL_HOME": home, "no_proxy": "",
                "SSL_CERT_FILE": "/nonexistent", "SSL_CERT_DIR": home,
                "CURL_CA_BUNDLE": "/nonexistent"}
        got = fetch(hostile("/good"), env=env)
        self.assertEqual(said(got), OK)
        self.assertEqual(self.header_names(), [["accept", "host"]])
        if labtest.lab().mode == "netns":
            self.assertEqual(labtest.lab().unexpected(), {})

    def test_path_is_as_it_is(self) -> None:
        for path in ("/good//a", "/good/%2F%61?b=%20&c=/../x",
                     "/good/a;b=c:@!$&'()*+,=~"):
            self.assertEqual(said(fetch(hostile(path))), OK)
            self.assertEqual(self.requests()[-1]["target"], path)

    def test_conditions(self) -> None:
        for path, option, member, header in (
                ("/etag", "--etag", "etag", "if-none-match"),
                ("/last-modified", "--last-modified", "last_modified",
                 "if-modified-since")):
            self.hostile.call("reset")
            first = fetch(hostile(path))
            self.assertEqual(first["status"], 200)
            again = fetch(hostile(path), option, first[member])
            self.assertEqual((again["code"], again["status"]), (OK, 304))
            self.assertEqual(again["length"], 0)
            other = fetch(hostile(path), option, '"other"')
            self.assertEqual(other["status"], 200)
            self.assertEqual([header in names for names in
                              self.header_names()], [False, True, True])

    def test_condition_of_none(self) -> None:
        got = fetch(hostile("/304"))
        self.assertEqual(got["code"], "CIMD_E_STATUS")
        self.assertIn("no condition", got["text"])

    def test_condition_that_breaks_the_header(self) -> None:
        """A kept value that could not be one header line is not sent."""
        for value in ('"a"\r\nX-Evil: 1', '"a"\nX-Evil: 1', '"\u00e9"',
                      '"' + "a" * 400 + '"'):
            self.hostile.call("reset")
            self.assertEqual(said(fetch(hostile("/good"), "--etag", value)),
                             OK)
            self.assertEqual(self.header_names(), [["accept", "host"]])


class Security(Fetch):
    """Certificates and handshakes."""

    def test_certificates(self) -> None:
        labels = set(CERTIFICATES)
        if "GnuTLS" in str(run(hostile("/good")).process["tls"]):
            labels.remove("clientonly")  # libcurl does not ask GnuTLS
        self.hostile.call("reset")
        for label in sorted(labels):
            with self.subTest(label):
                got = fetch(hostile("/good", label))
                self.assertEqual(got["code"], "CIMD_E_CERT", got)
                self.assertEqual(got["class"], "refused")
        self.assertEqual(self.requests(), [], "nothing was sent to them")
        good = fetch(hostile("/good", "intermediate"))
        self.assertEqual(said(good), OK, good)

    def test_handshakes(self) -> None:
        for label, want in HANDSHAKES.items():
            with self.subTest(label):
                slow = "CIMD_E_TIMEOUT" in want
                got = fetch(hostile("/good", label), *(SOON if slow else ()))
                self.assertIn(said(got), want, got)

    def test_old_versions(self) -> None:
        """Refused by us, also where the system's OpenSSL would take them."""
        path = os.path.join(self.folder(), "openssl.cnf")
        with open(path, "w", encoding="ascii") as out:
            out.write("openssl_conf = a\n[a]\nssl_conf = b\n[b]\n"
                      "system_default = c\n[c]\nMinProtocol = TLSv1\n"
                      "CipherString = ALL:@SECLEVEL=0\n")
        env = {"OPENSSL_CONF": path}
        for label, want in (("tls10", "CIMD_E_TLS"), ("tls11", "CIMD_E_TLS"),
                            ("tls12", OK), ("tls13", OK)):
            self.assertEqual(said(fetch(hostile("/good", label), env=env)),
                             want, label)

    def test_trust_is_a_setting(self) -> None:
        url, empty = hostile("/good"), self.folder()
        self.assertEqual(said(fetch(url, "--ca-path", empty)), "CIMD_E_CERT")
        self.assertEqual(said(fetch(url, "--ca-path", "", "--ca-file",
                                    labtest.lab().ca_file)), OK)
        self.assertEqual(said(fetch(url, "--ca-path", "")), "CIMD_E_CERT",
                         "the system does not know the laboratory")

    def test_system_bundle(self) -> None:
        """The bundle of all roots, libcurl's default, is never trusted: it
        costs a lot and is not what ca_path says."""
        bundle = "/etc/ssl/certs/ca-certificates.crt"
        if labtest.lab().mode != "netns" or not os.path.exists(bundle):
            self.skipTest("needs a bundle to mount over")
        subprocess.run(["mount", "--bind", labtest.lab().ca_file, bundle],
                       check=True)
        self.addCleanup(subprocess.run, ["umount", bundle], check=True)
        url, empty = hostile("/good"), self.folder()
        control = subprocess.run(["curl", "-qsS", url], check=False,
                                 capture_output=True)
        self.assertEqual(control.returncode, 0, control.stderr)
        self.assertEqual(said(fetch(url, "--ca-path", empty)), "CIMD_E_CERT")
        self.assertEqual(said(fetch(url, "--ca-path", "")), "CIMD_E_CERT")

    def test_certificate_that_changes(self) -> None:
        """A new fetcher has no TLS sessions that spare it the check."""
        host = "good." + HOST
        self.addCleanup(self.hostile.call, "set_tls", host=host, mode=None)
        self.assertEqual(said(fetch(hostile("/good"))), OK)
        self.hostile.call("set_tls", host=host, mode="expired")
        self.assertEqual(said(fetch(hostile("/good"))), "CIMD_E_CERT")


class Bounds(Fetch):
    """Time, descriptors, threads."""

    def test_deadline(self) -> None:
        for path in ("/silent", "/slow-headers", "/silent-body"):
            for ms in (50, 400, 1200):
                got = timely(ms + SLACK, hostile(path), "--timeout",
                             str(ms)).first
                self.assertEqual(got["code"], "CIMD_E_TIMEOUT")
                self.assertGreaterEqual(got["ms"], ms - 2)

    def test_handshake_counts_as_connecting(self) -> None:
        got = timely(2000 + SLACK, hostile("/good", "tcp-silent"),
                     "--timeout", "5000").first
        self.assertEqual(got["code"], "CIMD_E_TIMEOUT")
        self.assertGreaterEqual(got["ms"], 1990)

    def test_nothing_is_left_behind(self) -> None:
        for path, label in (("/good", "good"), ("/404", "good"),
                            ("/reset", "good"), ("/endless-103", "good"),
                            ("/silent", "good"), ("/good", "expired"),
                            ("/good", "tcp-silent"), ("/good", "tcp-reset")):
            done = run(hostile(path, label), "--repeat", "3",
                       "--timeout", "150")
            for what in ("fds", "threads"):
                self.assertEqual(done.process[what + "_before"],
                                 done.process[what + "_after"], path)

    def test_many_threads(self) -> None:
        done = run(hostile("/good"), "--threads", "16", "--repeat", "8")
        self.assertEqual({said(record) for record in done.fetches}, {OK})
        self.assertEqual(len(done.fetches), 128)
        self.assertEqual(done.process["fds_before"],
                         done.process["fds_after"])
        self.assertEqual(done.process["threads_before"],
                         done.process["threads_after"])


class Tunnel:
    """An HTTP proxy that knows CONNECT, for one test."""

    def __init__(self, target: tuple[str, int], answer: bytes = b"") -> None:
        self.target, self.answer = target, answer
        self.heads: list[str] = []
        self.door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.door.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        """Take connections until the door closes."""
        while True:
            try:
                conn, _ = self.door.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(conn,),
                             daemon=True).start()

    def one(self, conn: socket.socket) -> None:
        """Read the CONNECT, answer it, carry bytes both ways."""
        head = b""
        while b"\r\n\r\n" not in head:
            head += conn.recv(4096)
        self.heads.append(head.decode("latin-1"))
        if self.answer:
            conn.sendall(self.answer)
            conn.close()
            return
        there = socket.create_connection(self.target)
        conn.sendall(b"HTTP/1.1 200 Fine\r\nX-Proxy: 1\r\n\r\n")
        threading.Thread(target=carry, args=(conn, there),
                         daemon=True).start()
        carry(there, conn)


def carry(source: socket.socket, sink: socket.socket) -> None:
    """Copy until the end."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Proxy(Fetch):
    """An egress proxy that is configured: it resolves, we do not."""

    def tunnel(self, answer: bytes = b"") -> Tunnel:
        """A proxy in front of the hostile server."""
        lab = labtest.lab()
        host, _, port = str(lab.hostile_name).partition(":")
        found = socket.getaddrinfo(host, int(port or 443), socket.AF_INET,
                                   socket.SOCK_STREAM)
        tunnel = Tunnel(found[0][4], answer)
        self.addCleanup(tunnel.door.close)
        return tunnel

    def test_proxy(self) -> None:
        tunnel = self.tunnel()
        lab = labtest.lab()
        lab.dns.call("reset")
        got = fetch(hostile("/good"), "--proxy", tunnel.url,
                    env={"no_proxy": "*", "NO_PROXY": "*"})
        self.assertEqual(said(got), OK)
        self.assertEqual(got["peer"], "127.0.0.1")
        self.assertEqual(len(tunnel.heads), 1)
        where = hostile("").removeprefix("https://")
        where += "" if ":" in where else ":443"
        self.assertTrue(tunnel.heads[0].startswith(f"CONNECT {where} "))
        self.assertNotIn("uthorization", tunnel.heads[0])
        self.assertEqual(self.header_names(), [["accept", "host"]])
        self.assertEqual(lab.dns.call("queries"), {})

    def test_literals_are_refused(self) -> None:
        tunnel = self.tunnel()
        for host in ("10.0.0.1", "[fd00::1]", "169.254.169.254"):
            got = fetch(f"https://{host}/good", "--proxy", tunnel.url)
            self.assertEqual(said(got), "CIMD_E_ADDRESS")
        self.assertEqual(tunnel.heads, [])

    def test_proxy_that_refuses(self) -> None:
        tunnel = self.tunnel(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
        got = fetch(hostile("/good"), "--proxy", tunnel.url)
        self.assertEqual(said(got), "CIMD_E_CONNECT")
        self.assertEqual(self.requests(), [])

    def test_certificate_behind_a_proxy(self) -> None:
        tunnel = self.tunnel()
        got = fetch(hostile("/good", "wrongname"), "--proxy", tunnel.url)
        self.assertEqual(said(got), "CIMD_E_CERT")


def main() -> None:
    """In namespaces if that is allowed, else over loopback."""
    lab = os.path.join(labtest.HERE, "lab.py")
    services = ["--hostile", "--trap", "--dns", "faults"]
    if "LAB_DIR" not in os.environ:
        probe = subprocess.run([sys.executable, lab, "probe"], check=False,
                               capture_output=True)
        if probe.returncode == 77:
            print("no namespaces here: over loopback, with the development "
                  "exception")
            services.insert(0, "--loopback")
    labtest.main(services)


if __name__ == "__main__":
    main()
