# SPDX-License-Identifier: Apache-2.0
"""check against servers: real documents, hostile ones, private names."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from typing import Any

import labtest
from ctl import Done, cimdctl, fixtures, program, read_terminal

NAME = "client.hostile.example.net"
# A MaxMind DB by hand: 0.0.0.0/1 is in AQ, the rest nowhere
# (tests/unit/test_country.c).
HALF_A_WORLD = (
    b"\0\0\x11\0\0\1" + bytes(16) + b"\xe1\x47country\xe1\x48iso_code\x42AQ"
    b"\xab\xcd\xefMaxMind.com\xe9\x4anode_count\xc1\1\x4brecord_size\xa1\x18"
    b"\x4aip_version\xa1\4\x4ddatabase_type\x44Test\x49languages\0\4"
    b"\x5bbinary_format_major_version\xa1\2"
    b"\x5bbinary_format_minor_version\xa0"
    b"\x4bbuild_epoch\1\2\1\x4bdescription\xe0")
SECONDS = 6.0  # resolving, document and keys


def check(url: str, *more: str) -> Done:
    """check URL with the certificates of the laboratory."""
    return cimdctl("check", url, "--ca-path", labtest.lab().ca_path, *more)


def failed(told: Any) -> list[str]:
    """The rules that failed."""
    return [r["rule"] for r in told["rules"] if r["level"] == "fail"]


class Documents(labtest.Case):
    """The real documents, under their real names."""

    def test_fixtures(self) -> None:
        for name, entry in labtest.lab().sites().items():
            if entry["role"] in ("variant", "jwks"):
                continue
            with self.subTest(name):
                done = check(entry["url"], "--json")
                good = entry["expect"] in ("accept", "unverified")
                self.assertEqual(done.status, 0 if good else 1, done)
                told = done.json()
                levels = {r["rule"]: r["level"] for r in told["rules"]}
                for rule in ("resolve", "addresses", "connect", "http",
                             "certificate", "size", "status", "type",
                             "encoding", "json"):
                    self.assertEqual(levels[rule], "pass", rule)
                self.assertIn(levels["caching"], ("pass", "warn"))

    def test_people(self) -> None:
        url = labtest.lab().client_id("vscode")
        done = check(url, "-r", "http://127.0.0.1:5000/")
        self.assertEqual((done.status, done.err), (0, ""), done)
        self.assertRegex(done.out, r"(?m)^pass  addresses +section 9.6 ")
        self.assertRegex(done.out, r"(?m)^pass  redirect_uri ")
        self.assertNotIn("not judged", done.out)
        self.assertTrue(done.out.endswith(
            "accept: unverified by rule default; authenticates with none\n"))
        columns = {line.index("section") for line in done.out.splitlines()
                   if "section" in line[:30]}
        self.assertEqual(len(columns), 1)

    def test_keys_are_fetched(self) -> None:
        url = labtest.lab().client_id("chatgpt")
        told = check(url, "--json").json()
        self.assertEqual(told["auth_methods"], ["private_key_jwt", "none"])
        keys = told["client"]["jwks"]["keys"]
        self.assertEqual([k["kid"] for k in keys], ["lab-chatgpt-1"])

    def test_certificates_of_the_system(self) -> None:
        told = cimdctl("check", labtest.lab().client_id("vscode"), "--json")
        self.assertEqual(told.status, 1)
        self.assertEqual(failed(told.json()), ["certificate"])
        done = cimdctl("check", labtest.lab().client_id("vscode"),
                       "--ca-file", labtest.lab().ca_file)
        self.assertEqual(done.status, 0, done)

    def test_policy_comes_first(self) -> None:
        path = os.path.join(self.folder(), "policy.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump({"default": "deny"}, out)
        labtest.lab().trap.call("reset")
        done = check(labtest.lab().client_id("vscode"), "--json",
                     "--policy", path)
        self.assertEqual(done.status, 1)
        self.assertEqual(failed(done.json()), ["policy"])
        self.assertEqual(labtest.lab().trap.call("counts")["syn"], {})

    def test_pending(self) -> None:
        path = os.path.join(self.folder(), "policy.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump({"default": "pending"}, out)
        done = check(labtest.lab().client_id("vscode"), "--json",
                     "--policy", path)
        self.assertEqual(done.status, 1)
        self.assertEqual(done.json()["code"], "CIMD_E_PENDING")
        self.assertEqual(failed(done.json()), ["approval"])


class Hostile(labtest.Case):
    """Each fault is found by the rule that it breaks."""

    # path, exit status, code, rule
    PATHS = [
        ("good/a", 0, "CIMD_OK", None),
        ("chunked", 0, "CIMD_OK", None),
        ("informational/3", 0, "CIMD_OK", None),
        ("length/5120", 0, "CIMD_OK", None),
        ("length/5121", 1, "CIMD_E_TOO_BIG", "size"),
        ("chunked/5121", 1, "CIMD_E_TOO_BIG", "size"),
        ("endless-headers", 1, "CIMD_E_TOO_BIG", "size"),
        ("endless-103", 1, "CIMD_E_TOO_BIG", "size"),
        ("redirect/302/same", 1, "CIMD_E_STATUS", "status"),
        ("redirect/307/private", 1, "CIMD_E_STATUS", "status"),
        ("redirect/301/metadata", 1, "CIMD_E_STATUS", "status"),
        ("401", 1, "CIMD_E_STATUS", "status"),
        ("404", 1, "CIMD_E_GONE", "status"),
        ("410", 1, "CIMD_E_GONE", "status"),
        ("500", 3, "CIMD_E_SERVER", "status"),
        ("429/7", 3, "CIMD_E_SERVER", "status"),
        ("bot-wall", 1, "CIMD_E_BOT_WALL", "status"),
        ("type/none", 1, "CIMD_E_TYPE", "type"),
        ("type/two", 1, "CIMD_E_TYPE", "type"),
        ("type/text-html", 1, "CIMD_E_TYPE", "type"),
        ("type/text-plain", 1, "CIMD_E_TYPE", "type"),
        ("encoding/gzip", 1, "CIMD_E_ENCODING", "encoding"),
        ("wrong/empty", 1, "CIMD_E_JSON", "json"),
        ("wrong/truncated", 1, "CIMD_E_JSON", "json"),
        ("wrong/bom", 1, "CIMD_E_JSON", "json"),
        ("wrong/duplicate-client-id", 1, "CIMD_E_JSON", "json"),
        ("wrong/deep", 1, "CIMD_E_JSON", "json"),
        ("mismatch", 1, "CIMD_E_MISMATCH", "client_id"),
        ("folded", 1, "CIMD_E_STATUS", "http"),
        ("nul-header", 1, "CIMD_E_STATUS", "http"),
        ("garbage", 1, "CIMD_E_STATUS", "http"),
        ("http09", 1, "CIMD_E_STATUS", "http"),
    ]

    def test_paths(self) -> None:
        for path, status, code, rule in self.PATHS:
            with self.subTest(path):
                done = check(labtest.lab().url("/" + path), "--json")
                told = done.json()
                self.assertEqual(told["code"], code, told["rules"])
                self.assertEqual(failed(told), [rule] if rule else [])
                self.assertEqual(done.status, status)
                self.assertNotIn("/good/redirected", labtest.lab()
                                 .hostile.call("counts"))

    def test_what_was_not_read_is_not_judged(self) -> None:
        told = check(labtest.lab().url("/type/text-html"), "--json").json()
        levels = {r["rule"]: r["level"] for r in told["rules"]}
        self.assertEqual([levels[r] for r in ("size", "json", "client_id")],
                         ["skip"] * 3)
        told = check(labtest.lab().url("/type/text-plain"), "--json").json()
        levels = {r["rule"]: r["level"] for r in told["rules"]}
        self.assertEqual([levels[r] for r in ("size", "json", "client_id")],
                         ["pass"] * 3)

    LABELS = [
        ("expired", 1, "certificate"), ("wrongname", 1, "certificate"),
        ("selfsigned", 1, "certificate"), ("unknownca", 1, "certificate"),
        ("tls11", None, "certificate"), ("tls-garbage", None, "certificate"),
        ("tls12", 0, None), ("tls13", 0, None),
    ]

    def test_tls(self) -> None:
        for label, status, rule in self.LABELS:
            with self.subTest(label):
                done = check(labtest.lab().url("/good", label), "--json")
                self.assertEqual(failed(done.json()), [rule] if rule else [])
                if status is not None:
                    self.assertEqual(done.status, status)

    def test_slow(self) -> None:
        for path, label in (("/silent", "good"), ("/slow-body", "good"),
                            ("/good", "tcp-silent")):
            url = labtest.lab().url(path, label)
            done = self.timely(SECONDS, lambda u=url: check(u, "--json"))
            self.assertEqual(done.status, 3, done)
            self.assertEqual(failed(done.json()), ["connect"])

    def test_progress(self) -> None:
        """On a terminal, and gone when the work is done."""
        ours, theirs = pty.openpty()
        with subprocess.Popen(
                [program(), "check", labtest.lab().url("/silent"),
                 "--ca-path", labtest.lab().ca_path],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=theirs) as child:
            os.close(theirs)
            text = read_terminal(ours)
            child.wait(60)
        self.assertIn("\rfetching ... 1 s", text)
        self.assertTrue(text.endswith("\r\u001b[K"), text)
        quick = check(labtest.lab().url("/silent"))
        self.assertEqual(quick.err, "")

    def test_nobody_listens(self) -> None:
        done = check("https://refused.example.net/x", "--json")
        self.assertEqual(done.status, 3)
        self.assertEqual(failed(done.json()), ["connect"])

    def document(self, **members: Any) -> str:
        """The URL of a document with these members."""
        labtest.lab().hostile.call("set", path="/keys", do="good",
                                   document=members)
        return labtest.lab().url("/keys")

    def test_keys(self) -> None:
        jwks = labtest.lab().url("/jwks")
        key = {"token_endpoint_auth_method": "private_key_jwt",
               "jwks_uri": jwks}
        table: list[tuple[str, dict[str, Any], int]] = [
            ("no keys", {"do": "jwks"}, 1),
            ("not there", {"do": "404"}, 1),
            ("server down", {"do": "503"}, 3),
            ("bot wall", {"do": "bot-wall"}, 1),
            ("no JSON", {"do": "wrong/html"}, 1),
            ("private", {"do": "jwks", "json": {
                "keys": [{"kty": "oct", "k": "AAAA"}]}}, 1),
        ]
        for what, spec, status in table:
            with self.subTest(what):
                labtest.lab().hostile.call("set", path="/jwks", **spec)
                done = check(self.document(**key), "--json")
                self.assertEqual(failed(done.json()), ["keys"], done.out)
                self.assertEqual(done.status, status)
        labtest.lab().hostile.call("reset")

    def test_country(self) -> None:
        """deny_country is looked at, of the document and of its keys."""
        folder = self.folder()
        database = os.path.join(folder, "half.mmdb")
        with open(database, "wb") as out:
            out.write(HALF_A_WORLD)
        url = self.document()
        # The database knows IPv4 alone; libcurl of Debian 13 prefers IPv6.
        dns = labtest.lab().dns
        before = dns.call("table")
        self.addCleanup(dns.call, "replace", table=before)
        dns.call("set", name=f"good.{labtest.lab().hostile_name}",
                 record={"a": before[f"*.{labtest.lab().hostile_name}"]["a"]})
        for country, status in (("AQ", 1), ("DE", 0)):
            with self.subTest(country):
                rules = os.path.join(folder, "cimd.conf")
                with open(rules, "w", encoding="utf-8") as text:
                    text.write(f'country_database = "{database}"\n'
                               f'deny_country = {{ "{country}" }}\n'
                               "default = unverified\n")
                done = check(url, "--json", "--policy", rules, "--cimdd",
                             program("cimdd"))
                self.assertEqual(done.status, status, done)
                self.assertEqual(failed(done.json()),
                                 ["addresses"] if status else [])
                if status:
                    self.assertIn("is in AQ, which deny_country names",
                                  done.json()["detail"])
        labtest.lab().hostile.call("reset")

    def test_port_of_the_keys(self) -> None:
        """As the daemon: 443 or the document's, and no other is asked."""
        keys = labtest.lab().url("/jwks").replace(".net/", ".net:8443/")
        labtest.lab().hostile.call("set", path="/jwks", do="jwks")
        members = {"token_endpoint_auth_methods_supported":
                   ["none", "private_key_jwt"],
                   "token_endpoint_auth_method": "none", "jwks_uri": keys}
        done = check(self.document(**members), "--json")
        self.assertEqual(done.status, 0, done)
        found, = [r for r in done.json()["rules"] if r["rule"] == "keys"]
        self.assertEqual(found["level"], "warn", found)
        self.assertIn("port 8443 is neither 443 nor the document's",
                      found["detail"])
        members = {"token_endpoint_auth_method": "private_key_jwt",
                   "jwks_uri": keys}
        done = check(self.document(**members), "--json")
        self.assertEqual(failed(done.json()), ["keys"], done.out)
        self.assertEqual(done.status, 1)
        self.assertEqual(done.json()["code"], "CIMD_E_KEYS")
        self.assertIn("jwks_uri: port 8443", done.json()["detail"])
        self.assertEqual(
            labtest.lab().hostile.call("requests", path="/jwks"), [])
        url = self.document(**members).replace(".net/", ".net:8443/")
        labtest.lab().hostile.call("set", path="/keys", do="good", document={
            **members, "client_id": url})
        rules = os.path.join(self.folder(), "cimd.conf")
        with open(rules, "w", encoding="utf-8") as out:
            out.write(f'client "x" {{ match = {{ "{url}" }}'
                      " ports = { 8443 } }")
        check(url, "--json", "--policy", rules, "--cimdd",
              program("cimdd"))
        self.assertEqual(
            len(labtest.lab().hostile.call("requests", path="/jwks")), 1)
        labtest.lab().hostile.call("reset")


class Names(labtest.Case):
    """What DNS says: nothing is connected to but public addresses."""

    def setUp(self) -> None:
        lab = labtest.lab()
        before = lab.dns.call("table")
        self.addCleanup(lab.dns.call, "replace", table=before)
        lab.trap.call("reset")

    def name(self, **record: Any) -> None:
        """What NAME resolves to."""
        labtest.lab().dns.call("set", name=NAME, record=record)

    def test_private(self) -> None:
        for addresses in (["10.0.0.1"], ["127.0.0.1"], ["169.254.169.254"],
                          ["93.184.216.252", "10.0.0.1"]):
            with self.subTest(addresses):
                self.name(a=addresses)
                done = check(f"https://{NAME}/good", "--json")
                told = done.json()
                self.assertEqual(failed(told), ["addresses"])
                self.assertEqual(done.status, 1)
                self.assertEqual(told["section"], "9.6")
                self.assertIn(addresses[-1], told["detail"])
        self.assertEqual(labtest.lab().unexpected(), {})

    def test_no_name(self) -> None:
        self.name(rcode="NXDOMAIN")
        done = check(f"https://{NAME}/good", "--json")
        self.assertEqual(failed(done.json()), ["resolve"])
        self.assertEqual(done.status, 3)

    def test_dead(self) -> None:
        self.name(dead=True)
        done = self.timely(
            SECONDS, lambda: check(f"https://{NAME}/good", "--json"))
        self.assertEqual(failed(done.json()), ["resolve"])
        self.assertEqual(done.status, 3)

    def test_addresses_are_named(self) -> None:
        self.name(a=["93.184.216.200"])
        told = check(f"https://{NAME}/good", "--json").json()
        rule = {r["rule"]: r for r in told["rules"]}
        self.assertEqual(rule["resolve"]["detail"], "93.184.216.200")
        self.assertRegex(rule["connect"]["detail"],
                         r"^93\.184\.216\.200 after \d+ ms$")


class Shapes(labtest.Case):
    """The shapes that one vendor's document had within four months."""

    def test_variants(self) -> None:
        lab = labtest.lab()
        index = fixtures()
        self.addCleanup(lab.serve_file, "chatgpt", "chatgpt.json")
        for name in ("chatgpt-plural-only", "chatgpt-singular-only"):
            lab.serve_file("chatgpt", index[name]["file"])
            done = check(lab.client_id("chatgpt"), "--json")
            self.assertEqual(done.status, 0, done.out)
