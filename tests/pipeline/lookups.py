# SPDX-License-Identifier: Apache-2.0
"""What is fetched at all: policy first, purposes, errors, attempts."""

from __future__ import annotations

import secrets
from typing import Any

import labtest
from cimdd import Case, Cimdd, RULES

OPEN = """
default = unverified
deny = { "denied.hostile.example.net",
         "https://good.hostile.example.net/good/denied" }
deny_suffix = { "suffix.hostile.example.net" }
forbidden_client_ids = { "https://good.hostile.example.net/good/issuer" }

client "blocked" {
    match = { "https://good.hostile.example.net/good/blocked" }
    trust = blocked
}
"""


class PolicyFirst(Case):
    """A refusal by the URL or by policy costs nobody a packet."""

    def setUp(self) -> None:
        super().setUp()
        self.dns = labtest.lab().dns
        self.dns.call("reset")
        labtest.lab().trap.call("reset")

    def assertSilence(self) -> None:
        """No query, no connection, no request."""
        self.assertEqual(self.dns.call("queries"), {})
        self.assertEqual(self.hostile.call("connections")["accepted"], 0)
        counts = labtest.lab().trap.call("counts")
        self.assertEqual(counts["syn"], {})

    def refused(self, rules: str, refusals: dict[str, str]) -> None:
        """Each URL gets its code, for each purpose."""
        cimd = self.start(rules)
        for purpose in ("authorize", "token", "display"):
            for url, code in refusals.items():
                with self.subTest(url=url, purpose=purpose):
                    answer = cimd.lookup(url, purpose=purpose)
                    found = self.assertFails(answer, code)
                    self.assertEqual(found["client_id"], url)
        self.assertSilence()

    def test_nobody_by_default(self) -> None:
        self.refused("", {self.client(): "CIMD_E_POLICY"})

    def test_no_rule(self) -> None:
        good = "https://good.hostile.example.net"
        self.refused(RULES, {
            good + "/one-segment": "CIMD_E_POLICY",
            good + "/three/segments/long": "CIMD_E_POLICY",
            "https://other.hostile.example.net/good/x": "CIMD_E_POLICY",
        })

    def test_denied(self) -> None:
        good = "https://good.hostile.example.net/good/"
        suffix = "suffix.hostile.example.net"
        self.refused(OPEN, {
            good + "blocked": "CIMD_E_BLOCKED",
            good + "%62locked": "CIMD_E_BLOCKED",
            good + "denied": "CIMD_E_BLOCKED",
            good + "denied?x=1": "CIMD_E_BLOCKED",
            "https://GOOD.hostile.example.net:443/good/denied":
                "CIMD_E_BLOCKED",
            good + "issuer": "CIMD_E_POLICY",
            "https://denied.hostile.example.net/good/x": "CIMD_E_BLOCKED",
            f"https://{suffix}/good/x": "CIMD_E_BLOCKED",
            f"https://deep.below.{suffix}/good/x": "CIMD_E_BLOCKED",
        })

    def test_bad_urls(self) -> None:
        good = "https://good.hostile.example.net"
        self.refused(OPEN, {
            good: "CIMD_E_URL",
            good + "/a#b": "CIMD_E_URL",
            good + "/a/../b": "CIMD_E_URL",
            "https://user@good.hostile.example.net/a": "CIMD_E_URL",
            "https://10.0.0.1/good/x": "CIMD_E_URL",
            "https://[::1]/good/x": "CIMD_E_URL",
            "https://localhost/good/x": "CIMD_E_URL",
            "https://127.1/good/x": "CIMD_E_URL",
            good + ":8443/good/x": "CIMD_E_PORT",
        })

    def test_not_ours(self) -> None:
        cimd = self.start(OPEN)
        before = len(cimd.daemon.records())
        for client_id in ("", "my-app", "http://good.hostile.example.net/x",
                          "urn:x:y", "http://127.0.0.1/"):
            with self.subTest(client_id=client_id):
                answer = cimd.lookup(client_id)
                found = self.assertFails(answer, "CIMD_E_NOT_CIMD")
                self.assertEqual((answer.status, found["class"]),
                                 (404, "not_ours"))
        self.assertEqual(len(cimd.daemon.records()), before, "log noise")
        self.assertSilence()

    def test_a_realm_narrows(self) -> None:
        cimd = self.start(RULES)
        url = self.client()
        realm = {"client": [{"name": "other", "trust": "trusted", "match":
                             ["https://good.hostile.example.net/good/no"]}]}
        answer = cimd.ask(client_id=url, policy=realm)
        self.assertFails(answer, "CIMD_E_POLICY")
        answer = cimd.ask(client_id=url, policy={"unknown": True})
        self.assertFails(answer, "CIMD_E_CONFIG", "unknown")
        self.assertSilence()


class Purposes(Case):
    """Each purpose fetches what it may, and no more."""

    def test_cold(self) -> None:
        cimd = self.start()
        url = self.client()
        answer = cimd.lookup(url, purpose="display")
        self.assertFails(answer, "CIMD_E_NOT_STORED")
        self.assertEqual(answer.status, 503)
        self.assertFetched(url, 0)
        found = cimd.known(url, purpose="token")
        self.assertFetched(url, 1)
        self.assertEqual(found["source"]["state"], "fresh")
        other = self.client()
        cimd.known(other)
        self.assertFetched(other, 1)

    def test_warm(self) -> None:
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        for purpose in ("authorize", "token", "display"):
            found = cimd.known(url, purpose=purpose)
            self.assertEqual(found["source"]["state"], "fresh")
        self.assertFetched(url, 1)

    def test_what_a_lookup_answers(self) -> None:
        cimd = self.start()
        url = self.client()
        redirect = "http://127.0.0.1:50123/callback"
        found = cimd.known(url, redirect_uri=redirect)
        self.assertEqual(found["client"]["client_id"], url)
        self.assertEqual(found["client"]["client_name"], "A lab client")
        self.assertEqual(found["client"]["redirect_uris"], [
            "http://127.0.0.1/callback",
            "https://good.hostile.example.net/callback"])
        decision = found["decision"]
        self.assertEqual(
            (decision["trust"], decision["rule"], decision["auth_method"],
             decision["redirect_uri_ok"], decision["warnings"]),
            ("trusted", "lab", "none", True, []))
        self.assertEqual(found["display"], {
            "client_host": "good.hostile.example.net",
            "client_name": "A lab client",
            "redirect_hosts": ["127.0.0.1", "good.hostile.example.net"]})
        for wrong in ("http://localhost/callback", redirect + "?x",
                      "https://good.hostile.example.net:8443/callback", ""):
            found = cimd.known(url, redirect_uri=wrong)
            self.assertIs(found["decision"]["redirect_uri_ok"], False, wrong)
        found = cimd.known(url)
        self.assertIs(found["decision"]["redirect_uri_ok"], False)
        self.assertFetched(url, 1)

    def test_too_old(self) -> None:
        cimd = self.start(stale_token=600)
        url = self.client()
        cimd.known(url)
        cimd.later(86400 + 601)
        self.assertFails(cimd.lookup(url, purpose="display"),
                         "CIMD_E_NOT_STORED")
        self.assertFetched(url, 1)
        cimd.known(url, purpose="token")
        self.assertFetched(url, 2)

    def test_pending_is_fetched_to_be_seen(self) -> None:
        cimd = self.start(RULES.replace("trusted", "pending"))
        url = self.client()
        answer = cimd.lookup(url, purpose="display")
        self.assertFails(answer, "CIMD_E_PENDING")
        self.assertFetched(url, 0)
        self.assertFails(cimd.lookup(url), "CIMD_E_PENDING")
        self.assertFetched(url, 1)
        shown = cimd.show(url).json()
        self.assertEqual(shown["trust"], "pending")
        self.assertEqual(shown["client_name"], "A lab client")
        self.assertFails(cimd.lookup(url, purpose="token"),
                         "CIMD_E_PENDING")
        self.assertFetched(url, 1)

    def test_identity_is_the_string(self) -> None:
        cimd = self.start(RULES + """
client "port" {
    match = { "https://good.hostile.example.net:443/good/x" }
    trust = unverified
}
""")
        plain = "https://good.hostile.example.net/good/x"
        port = "https://good.hostile.example.net:443/good/x"
        self.serve(plain, document={"client_name": "plain"})
        self.assertEqual(cimd.known(plain)["display"]["client_name"],
                         "plain")
        answer = cimd.lookup(port)  # the same resource says another name
        self.assertFails(answer, "CIMD_E_MISMATCH")
        cimd.known(plain)


# What makes a document invalid, with what the lookup says of it.
INVALID = {
    "404": "CIMD_E_GONE", "410": "CIMD_E_GONE", "403": "CIMD_E_STATUS",
    "401": "CIMD_E_STATUS", "302": "CIMD_E_STATUS", "418": "CIMD_E_STATUS",
    "204": "CIMD_E_STATUS", "bot-wall": "CIMD_E_BOT_WALL",
    "type/text-html": "CIMD_E_TYPE", "type/none": "CIMD_E_TYPE",
    "encoding/gzip": "CIMD_E_ENCODING", "length/5121": "CIMD_E_TOO_BIG",
    "endless-headers": "CIMD_E_TOO_BIG", "wrong/truncated": "CIMD_E_JSON",
    "wrong/duplicate-client-id": "CIMD_E_JSON", "mismatch":
    "CIMD_E_MISMATCH", "503": "CIMD_E_SERVER", "429": "CIMD_E_SERVER",
    "500": "CIMD_E_SERVER",
}


class Errors(Case):
    """Errors and invalid documents are never cached."""

    def test_each_is_asked_for_again(self) -> None:
        cimd = self.start()
        for do, code in INVALID.items():
            with self.subTest(do=do):
                url = self.client()
                self.serve(url, do=do)
                self.assertFails(cimd.lookup(url), code)
                self.assertFails(cimd.lookup(url, purpose="display"),
                                 "CIMD_E_NOT_STORED")
                cimd.later(1)
                self.assertFails(cimd.lookup(url, purpose="token"), code)
                self.assertFetched(url, 2)
                cimd.later(2)
                self.serve(url, do="good")
                cimd.known(url)
                self.assertFetched(url, 3)
        self.assertEqual(len(cimd.rows()), len(INVALID))

    def test_invalid_members(self) -> None:
        cimd = self.start()
        for document, code in (
                ({"client_secret": "x"}, "CIMD_E_SECRET"),
                ({"redirect_uris": ["javascript:x"]}, "CIMD_E_METADATA"),
                ({"redirect_uris": ["no uri"]}, "CIMD_E_REDIRECT_URIS"),
                ({"client_name": 7}, "CIMD_E_METADATA"),
                ({"token_endpoint_auth_method": "client_secret_post"},
                 "CIMD_E_SECRET"),
                ({"token_endpoint_auth_method": "private_key_jwt",
                  "jwks": {"keys": []}}, "CIMD_E_KEYS")):
            with self.subTest(document=document):
                url = self.client()
                self.serve(url, document=document)
                answer = cimd.lookup(url)
                found = self.assertFails(answer, code)
                self.assertEqual(answer.status, 403)
                self.assertTrue(found["section"])
        self.assertLessEqual({row["freshness"] for row in cimd.rows()},
                             {"none"})

    def test_a_document_that_the_rule_refuses(self) -> None:
        """It is valid, so that the rule can change its mind."""
        strict = RULES.replace("trust = trusted", """
    trust = trusted
    auth = { "private_key_jwt" }""")
        cimd = self.start(strict)
        url = self.client()
        for purpose in ("authorize", "token", "display"):
            self.assertFails(cimd.lookup(url, purpose=purpose),
                             "CIMD_E_AUTH_METHOD")
        self.assertFetched(url, 1)
        cimd.configure(RULES)
        self.assertEqual(cimd.reload().status, 200)
        cimd.known(url)
        self.assertFetched(url, 1)


class Attempts(Case):
    """A URL that failed is tried again after 1 s, 2 s ... 60 s."""

    def start(self, rules: str = RULES, **settings: Any) -> Cimdd:
        """One whose waits and budgets nothing but later() moves."""
        return super().start(rules, **settings).hold()

    def limited(self, cimd: object, url: str) -> int:
        """The wait that a limited lookup is told."""
        answer = cimd.lookup(url)  # type: ignore[attr-defined]
        found = self.assertFails(answer, "CIMD_E_LIMITED")
        self.assertEqual(answer.status, 503)
        self.assertEqual(found["class"], "unavailable")
        wait = int(answer.headers["retry-after"])
        self.assertEqual(found["retry_after"], wait)
        return wait

    def test_doubling(self) -> None:
        cimd = self.start()
        url = self.client()
        self.serve(url, do="404")
        waits = []
        for attempt in range(1, 10):
            self.assertFails(cimd.lookup(url), "CIMD_E_GONE")
            self.assertFetched(url, attempt)
            waits.append(self.limited(cimd, url))
            self.assertFetched(url, attempt)
            cimd.later(waits[-1])
        self.assertEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60])
        self.serve(url, do="good")
        cimd.known(url)
        cimd.later(86400 * 3)
        self.serve(url, do="404")
        self.assertFails(cimd.lookup(url), "CIMD_E_GONE")
        self.assertEqual(self.limited(cimd, url), 1, "success forgets")

    def test_other_urls_of_the_host(self) -> None:
        cimd = self.start()
        url = self.client()
        self.serve(url, do="404")
        self.assertFails(cimd.lookup(url), "CIMD_E_GONE")
        self.limited(cimd, url)
        cimd.known(self.client())

    def test_an_administrator_need_not_wait(self) -> None:
        cimd = self.start()
        url = self.client()
        self.serve(url, do="404")
        self.assertFails(cimd.lookup(url), "CIMD_E_GONE")
        self.assertFails(cimd.act("refresh", url), "CIMD_E_GONE")
        self.assertFetched(url, 2)
        self.serve(url, do="good")
        self.assertEqual(cimd.act("refresh", url).status, 200)
        cimd.known(url)
        self.assertFetched(url, 3)

    def test_budget_of_a_host(self) -> None:
        cimd = self.start(RULES + """
client "other" {
    match = { "https://other.hostile.example.net/good/*" }
    trust = trusted
}
""", fetch_rate_host=8)
        urls = [self.client() for _ in range(8)]
        answers = [cimd.lookup(url).status for url in urls]
        # A quarter is in reserve for clients that are known.
        self.assertEqual(answers, [200] * 6 + [503] * 2)
        answer = cimd.lookup(urls[7])
        self.assertFails(answer, "CIMD_E_BUSY")
        self.assertFetched(urls[7], 0)
        wait = int(answer.headers["retry-after"])
        self.assertLessEqual(1, wait)
        self.assertLessEqual(wait, 60)
        cimd.known("https://other.hostile.example.net/good/x")
        self.assertEqual(cimd.known(urls[0])["source"]["state"], "fresh")
        cimd.later(60)
        cimd.known(urls[7])

    def test_reserve_for_known_clients(self) -> None:
        cimd = self.start(fetch_rate_host=8)
        known = self.client()
        cimd.known(known)
        cimd.later(86400 + 60)
        answers = [cimd.lookup(self.client()).status for _ in range(8)]
        self.assertEqual(answers, [200] * 6 + [503] * 2)
        self.assertEqual(cimd.known(known)["source"]["state"], "fresh")
        self.assertFetched(known, 2)

    def test_reserve_for_named_clients(self) -> None:
        """The first fetch of a client that a rule names by its URL does not
        compete with strangers'; of URLs that match a pattern there are as
        many as strangers like."""
        named, keys = self.client(), self.client("keys")
        self.serve(named, document={
            "token_endpoint_auth_methods_supported": ["none",
                                                      "private_key_jwt"],
            "token_endpoint_auth_method": "none", "jwks_uri": keys})
        self.serve(keys, do="jwks")
        cimd = self.start(f"""
client "named" {{ match = {{ "{named}" }} }}
client "other" {{ match = {{ "https://keys.hostile.example.net/good/*" }} }}
""" + RULES, fetch_rate_host=8)
        for label in ("good", "keys"):
            answers = [cimd.lookup(self.client(label)).status
                       for _ in range(7)]
            self.assertEqual(answers, [200] * 6 + [503])
        cimd.known(named)
        self.assertFetched(named, 1)
        self.assertFetched(keys, 1)

    def test_reload_keeps_what_is_spent(self) -> None:
        cimd = self.start(fetch_rate_host=8)
        for _ in range(6):
            cimd.known(self.client())
        url = self.client()
        self.assertFails(cimd.lookup(url), "CIMD_E_BUSY")
        self.assertEqual(cimd.reload().status, 200)
        self.assertFails(cimd.lookup(url), "CIMD_E_BUSY")


class Requests(Case):
    """A request that is malformed gets a 400, and nothing happens."""

    def test_malformed(self) -> None:
        cimd = self.start()
        url = self.client()
        quoted = url.replace(":", "%3A").replace("/", "%2F")
        for target in ("/v1/client", "/v1/client?client_id",
                       f"/v1/client?client_id={quoted}&client_id={quoted}",
                       f"/v1/client?client_id={quoted}&purpose=none",
                       f"/v1/client?client_id={quoted}&x=1",
                       f"/v1/client?client_id={quoted}%00",
                       f"/v1/client?client_id={quoted}%zz"):
            with self.subTest(target=target):
                answer = cimd.socket.get(target)
                self.assertFails(answer, "CIMD_E_REQUEST")
                self.assertEqual(answer.status, 400)
        for body in (b"", b"{", b"[]", b"{\"client_id\": 7}", b"{}",
                     b"{\"client_id\": \"a\", \"client_id\": \"b\"}",
                     b"{\"client_id\": \"\\u0000\"}",
                     b"{\"client_id\": \"a\", \"policy\": 7}"):
            with self.subTest(body=body):
                answer = cimd.socket.post("/v1/client", body)
                self.assertFails(answer, "CIMD_E_REQUEST")
                self.assertEqual(answer.status, 400)
        self.assertFetched(url, 0)

    def test_plus_is_a_plus_sign(self) -> None:
        cimd = self.start()
        path = "/good/a+b" + secrets.token_hex(4)
        url = labtest.lab().url(path)
        answer = cimd.socket.get(
            "/v1/client?client_id=" + url.replace(":", "%3A"))
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.json()["client"]["client_id"], url)
        self.assertFetched(url, 1)
