# SPDX-License-Identifier: Apache-2.0
"""Self-test: fixtures, keys, certificates, the hostile server."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

import jose
import labtest
from behaviours import BEHAVIOURS
from ca import KINDS
from control import ControlError
from witness import Got, curl, hostile

PARALLEL = 8


class Fixtures(labtest.Case):
    """nginx and dnsmasq's stand-in serve the real documents."""

    def test_documents(self) -> None:
        folder = os.path.join(labtest.top_src(), "tests", "fixtures",
                              "documents")
        for name, entry in labtest.lab().sites().items():
            if entry["role"] == "variant" or "file" not in entry:
                continue
            with self.subTest(name):
                got = curl(entry["url"])
                self.assertEqual((got.code, got.status), (0, 200))
                with open(os.path.join(folder, entry["file"]), "rb") as src:
                    want = json.load(src)
                self.assertEqual(json.loads(got.body), want)
                self.assertIn("Content-Type: " + entry["content_type"],
                              got.headers)
                same = want["client_id"] == entry["url"]
                self.assertEqual(same, entry["expect"] != "refuse"
                                 or name == "fastmcp-cli-example")

    def test_both_families(self) -> None:
        url = labtest.lab().client_id("claude-code")
        self.assertEqual(curl(url, "-4").status, 200)
        hashed = curl(url, "--capath", labtest.lab().ca_path)
        self.assertEqual(hashed.status, 200, "the root is found by its hash")
        if labtest.lab().ipv6:
            self.assertEqual(curl(url, "-6").status, 200)

    def test_pattern(self) -> None:
        got = curl("https://chatgpt.com/oauth/abc123/client.json")
        document = json.loads(got.body)
        self.assertEqual(document["client_id"],
                         "https://chatgpt.com/oauth/abc123/client.json")
        self.assertEqual(document["redirect_uris"],
                         ["https://chatgpt.com/connector/oauth/abc123"])
        got = curl("https://many-clients.example.net/c/x-17")
        self.assertEqual(json.loads(got.body)["client_id"],
                         "https://many-clients.example.net/c/x-17")
        got = curl("https://chatgpt.com/oauth/a/b/client.json")
        self.assertEqual(got.status, 404)

    def test_variant_and_revalidation(self) -> None:
        lab = labtest.lab()
        url = lab.client_id("chatgpt")
        tag = re.search('ETag: (".*")', curl(url).headers)
        assert tag is not None
        again = curl(url, "-H", "If-None-Match: " + tag.group(1))
        self.assertEqual(again.status, 304)
        lab.serve_file("chatgpt", "chatgpt-plural-only.json")
        changed = json.loads(curl(url).body)
        self.assertNotIn("token_endpoint_auth_method", changed)
        lab.serve_file("chatgpt", "chatgpt.json")
        labtest.wait_until(lambda: [
            r for r in lab.nginx_requests("chatgpt.com")
            if r["status"] == 304 and r["if_none_match"]])

    def test_keys_sign(self) -> None:
        lab = labtest.lab()
        got = curl("https://chatgpt.com/oauth/jwks.json")
        jwk = json.loads(got.body)["keys"][0]
        pem = lab.sites()["chatgpt-jwks"]["key"]
        key = jose.Key("RS256", pem, jwk["kid"])
        self.assertEqual(jwk, key.jwk())
        signed = jose.assertion(key, "https://a.example.net/c", "https://b")
        self.verify(key, signed)

    def test_every_algorithm_signs(self) -> None:
        for alg in jose.ALGORITHMS:
            with self.subTest(alg):
                pem = os.path.join(self.folder(), "key.pem")
                key = jose.Key.create(alg, pem)
                self.verify(key, key.sign({"iss": "x"}))

    def verify(self, key: jose.Key, signed: str) -> None:
        """openssl agrees with the signature over the first two parts."""
        folder = self.folder()
        data, _, tail = signed.rpartition(".")
        raw = base64.urlsafe_b64decode(tail + "=" * (-len(tail) % 4))
        if key.alg.startswith("ES"):
            half = len(raw) // 2
            raw = der_signature(raw[:half], raw[half:])
        for name, content in (("sig", raw), ("data", data.encode())):
            with open(os.path.join(folder, name), "wb") as out:
                out.write(content)
        jose.run("pkey", "-in", key.pem, "-pubout", "-out", f"{folder}/pub")
        if key.alg == "EdDSA":
            jose.run("pkeyutl", "-verify", "-rawin", "-pubin", "-inkey",
                     f"{folder}/pub", "-sigfile", f"{folder}/sig", "-in",
                     f"{folder}/data")
            return
        digest = "-sha384" if key.alg == "ES384" else "-sha256"
        more = jose.PSS if key.alg == "PS256" else []
        jose.run("dgst", digest, "-verify", f"{folder}/pub", *more,
                 "-signature", f"{folder}/sig", f"{folder}/data")


def der_signature(r: bytes, s: bytes) -> bytes:
    """ECDSA-Sig-Value of two numbers."""
    body = b""
    for number in (r, s):
        raw = number.lstrip(b"\0") or b"\0"
        raw = (b"\0" if raw[0] & 0x80 else b"") + raw
        body += bytes([2, len(raw)]) + raw
    return bytes([0x30, len(body)]) + body


class Certificates(labtest.Case):
    """Each name has the TLS fault that it says."""

    def test_kinds(self) -> None:
        for kind in KINDS:
            with self.subTest(kind):
                got = hostile("/good", kind)
                good = kind in ("good", "intermediate")
                self.assertEqual(got.code, 0 if good else 60)

    def test_versions(self) -> None:
        for label, code in (("tls10", 35), ("tls11", 35), ("tls12", 0),
                            ("tls13", 0)):
            with self.subTest(label):
                self.assertEqual(hostile("/good", label).code, code)
        old = hostile("/good", "tls11", "--tls-max", "1.1", "--tlsv1.1",
                      "--ciphers", "ALL:@SECLEVEL=0")
        self.assertEqual(old.code, 0, "TLS 1.1 is spoken to who asks")

    def test_below_tls(self) -> None:
        for label in ("tcp-close", "tcp-reset", "tls-garbage", "tls-alert"):
            with self.subTest(label):
                got = hostile("/good", label)
                self.assertEqual(got.code, 35)
        for label in ("tcp-silent", "tls-drip"):
            with self.subTest(label):
                self.assertEqual(hostile("/good", label, seconds=0.7).code,
                                 28)

    def test_address_and_change(self) -> None:
        lab = labtest.lab()
        address = socket.gethostbyname("good." + str(lab.hostile_name))
        self.assertEqual(curl(f"https://{address}/good").status, 200)
        lab.hostile.call("set_tls", host="a.hostile.example.net",
                         mode="expired")
        self.assertEqual(hostile("/good", "a").code, 60)
        lab.hostile.call("set_tls", host="a.hostile.example.net", mode=None)
        self.assertEqual(hostile("/good", "a").code, 0)
        with self.assertRaises(ControlError):
            lab.hostile.call("set_tls", host="a", mode="nonsense")


# path: (exit code of curl, status).  REFUSED: any exit code but 0; None:
# versions of curl differ, and it does not matter.
REFUSED = -1
ANSWERS: dict[str, tuple[int | None, int | None]] = {
    "/good/1": (0, 200), "/etag": (0, 200), "/last-modified": (0, 200),
    "/cache/max-age=7": (0, 200), "/delay/10": (0, 200), "/jwks": (0, 200),
    "/length/5120": (0, 200), "/length/5121": (0, 200),
    "/chunked/5120": (0, 200), "/chunked/5121": (0, 200),
    "/chunked": (0, 200), "/close/5121": (0, 200), "/close": (0, 200),
    "/close-cut": (None, 200), "/short-body": (18, 200),
    "/long-body": (None, 200), "/chunked-cut": (18, 200),
    "/chunk-garbage": (REFUSED, 200), "/two-lengths": (None, 200),
    "/length-and-chunked": (None, 200), "/negative-length": (REFUSED, None),
    "/informational/3": (0, 200), "/headers/16384": (0, 200),
    "/403": (0, 403), "/404": (0, 404), "/410": (0, 410), "/418": (0, 418),
    "/401": (0, 401), "/429/7": (0, 429), "/500": (0, 500),
    "/503/9": (0, 503), "/304": (0, 304), "/204": (0, 204),
    "/bot-wall": (0, 403), "/redirect/301/private": (0, 301),
    "/redirect/302/public": (0, 302), "/redirect/307/loopback": (0, 307),
    "/redirect/308/metadata": (0, 308), "/redirect/302/http": (0, 302),
    "/redirect/302/loop": (0, 302), "/cookies": (0, 200),
    "/folded": (None, 200), "/nul-header": (None, None),
    "/http10": (0, 200), "/http09": (REFUSED, None),
    "/garbage": (REFUSED, None), "/h2-preface": (REFUSED, None),
    "/hang-up": (52, None), "/reset": (REFUSED, 200),
    "/reset-headers": (REFUSED, None), "/mismatch": (0, 200),
    "/nothing-here": (0, 404), "/type/nonsense": (0, 500),
}
SLOW = ("/slow-body", "/slow-headers", "/silent", "/silent-body")
# Ended by curl's limit on headers, by ours on the body, or by the time.
ENDLESS = ("/endless-chunked", "/endless-length", "/endless-close",
           "/endless-headers", "/endless-header", "/endless-103",
           "/endless-trailers")


class Http(labtest.Case):
    """Each path behaves as its name says."""

    def test_all_are_shown(self) -> None:
        shown = {path.split("/")[1] for path in
                 (*ANSWERS, *SLOW, *ENDLESS)}
        shown |= {"type", "encoding", "wrong", "custom", "raw"}
        self.assertEqual(set(BEHAVIOURS) - shown, set())

    def test_answers(self) -> None:
        with ThreadPoolExecutor(PARALLEL) as pool:
            results = dict(zip(ANSWERS, pool.map(hostile, ANSWERS)))
        for path, (code, status) in ANSWERS.items():
            with self.subTest(path):
                got = results[path]
                if code == REFUSED:
                    self.assertNotEqual(got.code, 0)
                elif code is not None:
                    self.assertEqual(got.code, code)
                if status is not None:
                    self.assertEqual(got.status, status)
                self.sizes(path, got)

    def sizes(self, path: str, got: Got) -> None:
        """A document has the size in its path, and names its URL."""
        size = re.fullmatch("/(?:length|chunked|close)/([0-9]+)", path)
        if size:
            self.assertEqual(len(got.body), int(size.group(1)))
            self.assertEqual(json.loads(got.body)["client_id"],
                             labtest.lab().url(path))

    def test_ends(self) -> None:
        """close says that it ends; close-cut just ends."""
        context = ssl.create_default_context(cafile=labtest.lab().ca_file)
        context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        name = "good.hostile.example.net"
        for path, clean in (("/close", True), ("/close-cut", False)):
            with self.subTest(path), \
                    socket.create_connection((name, 443), 5) as raw, \
                    context.wrap_socket(raw, server_hostname=name,
                                        suppress_ragged_eofs=False) as conn:
                conn.sendall(b"GET %s HTTP/1.1\r\nHost: %s\r\n\r\n"
                             % (path.encode(), name.encode()))
                try:
                    while conn.recv(4096):
                        pass
                    self.assertTrue(clean)
                except ssl.SSLError:
                    self.assertFalse(clean)

    def test_headers(self) -> None:
        for path, line in (
                ("/redirect/301/private", "Location: https://10.0.0.1/"),
                ("/bot-wall", "cf-mitigated: challenge"),
                ("/429/7", "Retry-After: 7"),
                ("/cache/max-age=7", "Cache-Control: max-age=7"),
                ("/cookies", "Set-Cookie: a=b"),
                ("/informational/3", "HTTP/1.1 103 Early Hints")):
            with self.subTest(path):
                self.assertIn(line, hostile(path).headers)
        self.assertGreater(len(hostile("/headers/16384").headers), 16384)

    def test_types(self) -> None:
        for kind, count in (("none", 0), ("two", 2), ("text-plain", 1),
                            ("latin1", 1), ("vendor", 1)):
            with self.subTest(kind):
                got = hostile("/type/" + kind)
                self.assertEqual(len(re.findall(
                    "^content-type:", got.headers, re.M | re.I)), count)

    def test_encodings(self) -> None:
        for kind in ("gzip", "deflate", "identity"):
            with self.subTest(kind):
                plain = hostile("/encoding/" + kind, "good", "--compressed")
                self.assertEqual((plain.code, plain.body[:1]), (0, b"{"))
        self.assertEqual(hostile("/encoding/lie", "good",
                                 "--compressed").code, 61)
        bomb = hostile("/encoding/bomb", "good")
        self.assertLess(len(bomb.body), 1 << 21)

    def test_wrong_documents(self) -> None:
        valid = {"array", "string", "duplicate-client-id", "deep",
                 "duplicate-escaped"}
        kinds = ("empty", "array", "string", "truncated", "trailing",
                 "comment", "bom", "bad-utf8", "nul", "deep", "html",
                 "duplicate-client-id", "duplicate-escaped", "utf16")
        for kind in kinds:
            with self.subTest(kind):
                got = hostile("/wrong/" + kind)
                self.assertEqual((got.code, got.status), (0, 200))
                try:
                    json.loads(got.body.decode("utf-8"))
                    self.assertIn(kind, valid)
                except ValueError:
                    self.assertNotIn(kind, valid)

    def test_slow_and_endless(self) -> None:
        lab = labtest.lab()

        def bounded(path: str) -> Got:
            for seconds in (1.2, 6, 30):  # if it takes so long to ask
                got = hostile(path, "good", "--max-filesize", "5120", "-o",
                              os.devnull, seconds=seconds)
                if lab.hostile.call("requests", path=path):
                    break
            return got
        with ThreadPoolExecutor(PARALLEL) as pool:
            results = dict(zip(SLOW + ENDLESS,
                               pool.map(bounded, SLOW + ENDLESS)))
        for path in SLOW:
            self.assertEqual(results[path].code, 28, path)
        for path in ENDLESS:
            self.assertNotEqual(results[path].code, 0, path)
        for path in SLOW + ENDLESS:
            record = labtest.wait_until(lambda: [
                r for r in lab.hostile.call("requests", path=path)
                if r["outcome"] != "running"], what=path + " ended")[-1]
            self.assertIn(record["outcome"], ("client gone", "complete"))


class Control(labtest.Case):
    """Tests can steer and read the hostile server."""

    def setUp(self) -> None:
        self.hostile = labtest.lab().hostile
        self.hostile.call("reset")

    def test_life_of_a_document(self) -> None:
        path = "/life"
        self.hostile.call("set", path=path, sequence=[
            {"do": "good"}, {"do": "404"},
            {"document": {"redirect_uris": ["https://x.example.net/cb"]}},
            {"do": "jwks", "json": {"keys": [{"kid": "two"}]}},
            {"do": "custom", "status": 299, "body": "x",
             "headers": [["X-A", "1"]]},
            {"do": "raw", "body": "HTTP/1.0 200 OK\r\n\r\nz"}])
        seen = [hostile(path) for _ in range(7)]
        self.assertEqual([g.status for g in seen],
                         [200, 404, 200, 200, 299, 200, 200])
        self.assertIn(b"x.example.net/cb", seen[2].body)
        self.assertIn(b'"two"', seen[3].body)
        self.assertIn("X-A: 1", seen[4].headers)
        self.assertEqual((seen[5].body, seen[6].body), (b"z", b"z"))
        self.hostile.call("unset", path=path)
        self.assertEqual(hostile(path).status, 404)

    def test_conditional(self) -> None:
        tag = re.search('ETag: (".*")', hostile("/etag").headers)
        assert tag is not None
        got = hostile("/etag", "good", "-H",
                      "If-None-Match: " + tag.group(1))
        self.assertEqual(got.status, 304)
        got = hostile("/last-modified", "good", "-H",
                      "If-Modified-Since: Mon, 02 Nov 2026 08:00:00 GMT")
        self.assertEqual(got.status, 304)

    def test_counts_and_headers(self) -> None:
        for _ in range(3):
            hostile("/good/c", "good", "-b", "k=v", "-A", "me")
        url = labtest.lab().url("/good/c")
        self.assertEqual(self.hostile.call("counts"), {url: 3})
        self.assertTrue(self.hostile.call("wait", path="/good/c", count=3,
                                          seconds=0))
        self.assertFalse(self.hostile.call("wait", path="/good/c", count=4,
                                           seconds=0))
        headers = dict(self.hostile.call("requests")[0]["headers"])
        self.assertEqual(headers["Cookie"], "k=v")
        self.assertEqual(headers["User-Agent"], "me")
        self.assertEqual(self.hostile.call("connections")["accepted"], 3)

    def test_gate(self) -> None:
        self.hostile.call("set", path="/good/g", gate="g")
        with ThreadPoolExecutor(4) as pool:
            waiting = [pool.submit(hostile, "/good/g") for _ in range(4)]
            labtest.wait_until(
                lambda: self.hostile.call("held", gate="g") == 4)
            self.assertFalse(any(one.done() for one in waiting))
            self.hostile.call("release", gate="g")
            self.assertEqual([w.result().status for w in waiting],
                             [200] * 4)

    def test_bad_commands(self) -> None:
        for request in ({"cmd": "nonsense"}, {"cmd": "set"},
                        {"cmd": "set", "path": "/x", "do": "nonsense"}):
            with self.assertRaises(ControlError):
                self.hostile.call(**request)

    def test_host_and_port(self) -> None:
        self.hostile.call("set", path="/good", host="b.hostile.example.net",
                          do="410")
        self.assertEqual(hostile("/good", "b").status, 410)
        self.assertEqual(hostile("/good", "c").status, 200)
        got = curl("https://c.hostile.example.net:8443/good")
        self.assertEqual(json.loads(got.body)["client_id"],
                         "https://c.hostile.example.net:8443/good")
