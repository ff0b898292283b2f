# SPDX-License-Identifier: Apache-2.0
"""How long a record is used: expiry, soft refresh, revalidation, stale."""

from __future__ import annotations

from typing import Any

import labtest
from cimdd import Case, Cimdd

MINUTE, HOUR, DAY = 60, 3600, 86400


class FreshnessCase(Case):
    """Moves a daemon to the dates of a record."""

    def dates(self, cimd: Cimdd, url: str) -> dict[str, int]:
        """fetched_at, refresh_at, expires_at."""
        shown = cimd.show(url).json()
        return {name: shown[name] for name in
                ("fetched_at", "refresh_at", "expires_at")}

    def go_to(self, cimd: Cimdd, when: int) -> None:
        """Let time pass up to a date."""
        cimd.later(max(0, when - cimd.status()["now"]))

    def soft(self, cimd: Cimdd, url: str) -> None:
        """To where a record is fresh, and due for a refresh."""
        self.go_to(cimd, self.dates(cimd, url)["refresh_at"])

    def expire(self, cimd: Cimdd, url: str) -> None:
        """To where a record has just expired."""
        self.go_to(cimd, self.dates(cimd, url)["expires_at"])

    def state(self, cimd: Cimdd, url: str, purpose: str) -> str:
        """The state of the record that a lookup stands on."""
        found = cimd.known(url, purpose=purpose)
        state = str(found["source"]["state"])
        self.assertEqual("stale" in found["decision"]["warnings"],
                         state == "stale")
        return state

    def life(self, *headers: tuple[str, str], **settings: Any) -> int:
        """How long a document with these headers is fresh."""
        cimd = self.start(**settings)
        url = self.client()
        self.serve(url, headers=[list(h) for h in headers])
        cimd.known(url)
        dates = self.dates(cimd, url)
        return dates["expires_at"] - dates["fetched_at"]


class Life(FreshnessCase):
    """Cache-Control within bounds."""

    def assertAbout(self, life: int, seconds: int, floor: int = 60) -> None:
        """So many seconds but for ten per cent of jitter."""
        self.assertLessEqual(life, seconds)
        self.assertGreaterEqual(life, max(floor, seconds * 9 // 10))

    def test_default(self) -> None:
        self.assertAbout(self.life(), 300)
        self.assertAbout(self.life(cache_default=HOUR), HOUR)

    def test_max_age(self) -> None:
        header = ("Cache-Control", "public, max-age=7200")
        self.assertAbout(self.life(header), 2 * HOUR)
        header = ("Cache-Control", "max-age=7200, s-maxage=600")
        self.assertAbout(self.life(header), 600)
        self.assertAbout(self.life(header, ("Age", "200")), 400)

    def test_bounds(self) -> None:
        self.assertEqual(self.life(("Cache-Control", "max-age=1")), MINUTE)
        self.assertAbout(self.life(("Cache-Control", "max-age=9999999")),
                         DAY)
        header = ("Cache-Control", "max-age=3600")
        self.assertAbout(self.life(header, cache_max=600), 600)
        self.assertEqual(self.life(header, cache_min=7200), 2 * HOUR)

    def test_floor(self) -> None:
        """no-store and its like: kept for the floor, never stale."""
        for header in (("Cache-Control", "no-store"),
                       ("Cache-Control", "private, max-age=3600"),
                       ("Cache-Control", "no-cache"), ("Vary", "*"),
                       ("Expires", "Thu, 01 Jan 1970 00:00:00 GMT")):
            with self.subTest(header=header):
                cimd = self.start(stale_authorize=HOUR)
                url = self.client()
                self.serve(url, headers=[list(header)])
                found = cimd.known(url)
                self.assertIn("no_store", found["decision"]["warnings"])
                dates = self.dates(cimd, url)
                self.assertEqual(
                    dates["expires_at"] - dates["fetched_at"], MINUTE)
                self.expire(cimd, url)
                self.serve(url, do="503")
                for purpose in ("authorize", "token"):
                    self.assertNotEqual(
                        cimd.lookup(url, purpose=purpose).status, 200)
                self.assertFails(cimd.lookup(url, purpose="display"),
                                 "CIMD_E_NOT_STORED")

    def test_settings_out_of_bounds(self) -> None:
        for name, value in (("cache_min", 59), ("cache_max", 86401),
                            ("cache_default", 10),
                            ("stale_token", 259201),
                            ("stale_authorize", 259201)):
            with self.subTest(setting=name):
                cimd = self.start()
                cimd.configure("", **{name: value})
                answer = cimd.reload()
                self.assertFails(answer, "CIMD_E_CONFIG", name)


class Expiry(FreshnessCase):
    """What each purpose does with a record that has expired."""

    def test_authorize_fetches(self) -> None:
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        self.expire(cimd, url)
        self.assertEqual(self.state(cimd, url, "authorize"), "fresh")
        self.assertFetched(url, 2)

    def test_token_and_display_do_not(self) -> None:
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        self.expire(cimd, url)
        for purpose in ("token", "display"):
            self.assertEqual(self.state(cimd, url, purpose), "stale")
        self.assertFetched(url, 1)

    def test_a_clock_that_goes_back(self) -> None:
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        cimd.later(-HOUR)
        self.assertEqual(self.state(cimd, url, "authorize"), "fresh")
        self.assertFetched(url, 2)

    def test_survives_a_restart(self) -> None:
        cimd = self.start()
        url = self.client()
        before = cimd.known(url)
        for again in (cimd.restart, cimd.crash):
            again()
            self.assertEqual(cimd.known(url), before)
        self.assertFetched(url, 1)
        self.expire(cimd, url)
        cimd.restart()
        self.assertEqual(self.state(cimd, url, "token"), "stale")
        self.assertEqual(self.state(cimd, url, "authorize"), "fresh")
        self.assertFetched(url, 2)


class SoftRefresh(FreshnessCase):
    """At 80 % of its life one lookup renews the record for all."""

    def test_one_holder_and_no_wait(self) -> None:
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        before = self.dates(cimd, url)
        self.soft(cimd, url)
        cimd.hold()
        self.serve(url, gate="soft")
        for _ in range(20):
            self.assertEqual(self.state(cimd, url, "authorize"), "fresh")
        self.wait_fetches(url, 2)
        self.hostile.call("release", gate="soft")
        labtest.wait_until(lambda: self.dates(cimd, url)["fetched_at"]
                           > before["fetched_at"], what="the refresh")
        for _ in range(20):
            self.assertEqual(self.state(cimd, url, "authorize"), "fresh")
        self.assertFetched(url, 2)

    def test_other_purposes_do_not(self) -> None:
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        self.soft(cimd, url)
        for purpose in ("token", "display"):
            self.assertEqual(self.state(cimd, url, purpose), "fresh")
        self.assertEqual(cimd.status()["fetches"]["started"], 1)

    def test_an_outage_is_not_noticed(self) -> None:
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        before = self.dates(cimd, url)
        self.soft(cimd, url)
        self.serve(url, do="503")
        self.assertEqual(self.state(cimd, url, "authorize"), "fresh")
        self.wait_fetches(url, 2)
        self.assertEqual(self.state(cimd, url, "authorize"), "fresh")
        self.assertEqual(self.dates(cimd, url), before, "not extended")

    def test_a_withdrawal_acts_at_the_next_request(self) -> None:
        cimd = self.start().hold()
        for purpose, code in (("token", "CIMD_E_LIMITED"),
                              ("display", "CIMD_E_NOT_STORED")):
            url = self.client()
            cimd.known(url)
            self.soft(cimd, url)
            self.serve(url, do="410")
            self.assertEqual(self.state(cimd, url, "authorize"), "fresh")
            line = cimd.wait_line("withdraw", url)
            self.assertEqual(line["code"], "CIMD_E_GONE")
            self.assertFails(cimd.lookup(url, purpose=purpose), code)


class Revalidation(FreshnessCase):
    """ETag and Last-Modified save the document, not the question."""

    def revalidates(self, do: str, header: str) -> None:
        """The second fetch is conditional and gets a 304."""
        cimd = self.start()
        url = self.client(do=do)
        first = cimd.known(url)
        self.expire(cimd, url)
        cimd.restart()  # validators are stored
        second = cimd.known(url)
        self.assertFetched(url, 2)
        path = "/" + url.split("/", 3)[3]
        requests = self.hostile.call("requests", path=path)
        sent = [[n.lower() for n, _ in r["headers"]] for r in requests]
        self.assertNotIn(header, sent[0])
        self.assertIn(header, sent[1])
        self.assertEqual(second["client"], first["client"])
        self.assertEqual(second["source"]["state"], "fresh")
        self.assertGreater(second["source"]["fetched_at"],
                           first["source"]["fetched_at"])
        self.assertEqual(second["source"]["document_sha256"],
                         first["source"]["document_sha256"])
        self.assertEqual(second["source"].get("etag"),
                         first["source"].get("etag"))
        self.assertEqual(cimd.lines("change"), [])
        self.expire(cimd, url)  # and again: validators are kept
        cimd.known(url)
        last = self.hostile.call("requests", path=path)[-1]
        self.assertIn(header, [n.lower() for n, _ in last["headers"]])

    def test_etag(self) -> None:
        self.revalidates("etag", "if-none-match")

    def test_last_modified(self) -> None:
        self.revalidates("last-modified", "if-modified-since")

    def test_changed(self) -> None:
        cimd = self.start()
        url = self.client(do="etag")
        cimd.known(url)
        self.expire(cimd, url)
        self.serve(url, do="etag", document={"client_name": "New"})
        found = cimd.known(url)
        self.assertEqual(found["display"]["client_name"], "New")

    def test_304_to_nobody(self) -> None:
        """A 304 that nobody asked for is no document."""
        cimd = self.start()
        url = self.client()
        self.serve(url, do="304")
        self.assertFails(cimd.lookup(url), "CIMD_E_STATUS")

    def test_a_policy_that_came_later(self) -> None:
        """What is stored was not judged for ever."""
        cimd = self.start()
        url = self.client(do="etag")
        cimd.known(url)
        cimd.configure("""
client "lab" {
    match = { "https://good.hostile.example.net/*/*" }
    trust = trusted
    auth = { "private_key_jwt" }
}
""")
        self.assertEqual(cimd.reload().status, 200)
        self.assertFails(cimd.lookup(url), "CIMD_E_AUTH_METHOD")
        self.expire(cimd, url)
        self.assertFails(cimd.lookup(url), "CIMD_E_AUTH_METHOD")


# Failures after which a record may live on: how to cause them, the code.
OUTAGES = {
    "503": "CIMD_E_SERVER", "500": "CIMD_E_SERVER", "429": "CIMD_E_SERVER",
    "dns": "CIMD_E_DNS", "refused": "CIMD_E_CONNECT",
    "tls": "CIMD_E_TLS", "silent": "CIMD_E_TIMEOUT",
}
# Answers that neither extend nor withdraw.
WALLS = {"302": "CIMD_E_STATUS", "401": "CIMD_E_STATUS",
         "402": "CIMD_E_STATUS", "403": "CIMD_E_STATUS",
         "418": "CIMD_E_STATUS", "bot-wall": "CIMD_E_BOT_WALL"}
# What withdraws a record at once.
WITHDRAWALS = {
    "404": "CIMD_E_GONE", "410": "CIMD_E_GONE",
    "mismatch": "CIMD_E_MISMATCH", "wrong/truncated": "CIMD_E_JSON",
    "type/text-html": "CIMD_E_TYPE", "encoding/gzip": "CIMD_E_ENCODING",
    "length/5121": "CIMD_E_TOO_BIG", "expired": "CIMD_E_CERT",
    "wrongname": "CIMD_E_CERT", "secret": "CIMD_E_SECRET",
    "script": "CIMD_E_METADATA",
}
BELOW = {"tls": "tls-alert", "expired": "expired", "wrongname": "wrongname"}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "secret": {"client_secret": "x"},
    "script": {"redirect_uris": ["javascript:alert()"]}}


class Failures(FreshnessCase):
    """Stale after an outage, withdrawn by an answer."""

    def setUp(self) -> None:
        super().setUp()
        self.lab = labtest.lab()
        self.dns = self.lab.dns
        table = self.dns.call("table")
        self.addCleanup(self.dns.call, "replace", table=table)

    def rules(self, label: str) -> str:
        """A rule for one host."""
        return f"""
client "lab" {{
    match = {{ "https://{label}.hostile.example.net/*/*" }}
    trust = trusted
}}
"""

    def break_it(self, kind: str, url: str, label: str) -> None:
        """Make every fetch of the URL fail in this way from now on."""
        host = f"{label}.hostile.example.net"
        if kind == "dns":
            self.dns.call("set", name=host, record={"rcode": "SERVFAIL"})
        elif kind == "refused":
            self.dns.call("set", name=host, record={"a": ["93.184.216.252"]})
        elif kind in BELOW:
            self.hostile.call("set_tls", host=host, mode=BELOW[kind])
            self.addCleanup(self.hostile.call, "set_tls", host=host,
                            mode=None)
        elif kind in DOCUMENTS:
            self.serve(url, document=DOCUMENTS[kind])
        else:
            self.serve(url, do=kind)

    def expired(self, kind: str, label: str, **settings: Any
                ) -> tuple[Cimdd, str]:
        """A record that has just expired and whose host then fails."""
        cimd = self.start(self.rules(label), **settings)
        url = self.client(label)
        cimd.known(url)
        self.expire(cimd, url)
        self.break_it(kind, url, label)
        return cimd, url

    def test_outage(self) -> None:
        for n, (kind, code) in enumerate({**OUTAGES, **WALLS}.items()):
            with self.subTest(kind=kind):
                cimd, url = self.expired(kind, f"outage{n}",
                                         stale_token=HOUR)
                before = self.dates(cimd, url)
                self.assertFails(cimd.lookup(url), code)
                for purpose in ("token", "display"):
                    self.assertEqual(self.state(cimd, url, purpose),
                                     "stale")
                self.assertEqual(self.dates(cimd, url), before)
                self.assertEqual(cimd.lines("withdraw"), [])
                cimd.later(HOUR)
                self.assertFails(cimd.lookup(url, purpose="token"), code)
                self.assertFails(cimd.lookup(url, purpose="display"),
                                 "CIMD_E_NOT_STORED")

    def test_outage_with_stale_authorize(self) -> None:
        kinds = {**OUTAGES, **WALLS}
        for n, kind in enumerate(kinds):
            with self.subTest(kind=kind):
                cimd, url = self.expired(kind, f"authorize{n}",
                                         stale_authorize=HOUR)
                self.assertEqual(self.state(cimd, url, "authorize"),
                                 "stale")
                # Limited now, which is no reason to forget either.
                self.assertEqual(self.state(cimd, url, "authorize"),
                                 "stale")
                cimd.later(HOUR)
                self.assertFails(cimd.lookup(url), kinds[kind])

    def test_recovery(self) -> None:
        cimd, url = self.expired("503", "good")
        self.assertFails(cimd.lookup(url), "CIMD_E_SERVER")
        self.serve(url, do="good")
        cimd.later(1)
        self.assertEqual(self.state(cimd, url, "authorize"), "fresh")

    def test_withdrawal(self) -> None:
        for n, (kind, code) in enumerate(WITHDRAWALS.items()):
            with self.subTest(kind=kind):
                cimd, url = self.expired(kind, f"gone{n}",
                                         stale_authorize=HOUR)
                cimd.hold()
                self.assertFails(cimd.lookup(url), code)
                self.withdrawn(cimd, url, code)

    def withdrawn(self, cimd: Cimdd, url: str, code: str) -> None:
        """Nothing is left of it, whoever asks."""
        for purpose, wanted in (("display", "CIMD_E_NOT_STORED"),
                                ("token", "CIMD_E_LIMITED"),
                                ("authorize", "CIMD_E_LIMITED")):
            self.assertFails(cimd.lookup(url, purpose=purpose), wanted)
        self.assertEqual([line["code"] for line in
                          cimd.lines("withdraw", url)], [code])
        cimd.crash()
        self.assertFails(cimd.lookup(url, purpose="display"),
                         "CIMD_E_NOT_STORED")
        self.assertFails(cimd.lookup(url, purpose="token"), code)
        row, = cimd.rows()
        self.assertEqual((row["client_id"], row["freshness"]),
                         (url, "none"))

    def test_a_document_that_the_rule_refuses_now(self) -> None:
        """It is valid and replaces the old one, which nobody gets back."""
        for change, code in (({"redirect_uris": []}, "CIMD_E_REDIRECT_URIS"),
                             ({"client_name": None}, "CIMD_E_METADATA")):
            with self.subTest(code=code):
                cimd = self.start(stale_authorize=HOUR)
                url = self.client()
                cimd.known(url)
                self.expire(cimd, url)
                self.serve(url, document=change)
                for purpose in ("authorize", "token", "display"):
                    self.assertFails(cimd.lookup(url, purpose=purpose), code)
                cimd.crash()
                self.assertFails(cimd.lookup(url, purpose="token"), code)
                self.assertFetched(url, 2)

    def test_withdrawal_while_fresh(self) -> None:
        """An administrator's refresh finds out sooner."""
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        self.serve(url, do="404")
        self.assertFails(cimd.act("refresh", url), "CIMD_E_GONE")
        for purpose in ("display", "token"):
            self.assertNotEqual(
                cimd.lookup(url, purpose=purpose).status, 200)

    def test_a_key_set_that_is_gone(self) -> None:
        """404 for jwks_uri takes the keys, an outage does not."""
        for do, methods in (("404", ["none"]),
                            ("503", ["private_key_jwt", "none"])):
            with self.subTest(do=do):
                cimd = self.start()
                url = self.client()
                keys = self.client(do="jwks")
                self.serve(keys, do="jwks", json={"keys": [PUBLIC_KEY]})
                self.serve(url, document={
                    "jwks_uri": keys, "token_endpoint_auth_method": None,
                    "token_endpoint_auth_methods_supported":
                        ["none", "private_key_jwt"]})
                found = cimd.known(url)
                self.assertEqual(found["decision"]["auth_methods"],
                                 ["private_key_jwt", "none"])
                self.expire(cimd, url)
                self.serve(keys, do=do)
                cimd.lookup(url)
                found = cimd.known(url, purpose="token")
                self.assertEqual(found["decision"]["auth_methods"], methods)


# RFC 7517 appendix A.1; nobody needs its private half here.
PUBLIC_KEY = {
    "kty": "EC", "crv": "P-256", "use": "sig", "kid": "1",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}
