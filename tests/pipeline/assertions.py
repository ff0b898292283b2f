# SPDX-License-Identifier: Apache-2.0
"""Client assertions (private_key_jwt): audiences, replay, rotated keys."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from typing import Any

import jose
import labtest
from cimdd import RULES
from consumers import ConsumerCase
from keys import Keys
from unixhttp import Response, UnixHTTP

IDP, OTHER = "https://idp.example.com/", "https://other.example.com/"
OTHER_UID = 4005
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
CONSUMERS = RULES + f"""
consumer "idp" {{
    uid = {{ 0 }}
    audiences = {{ "{IDP}", "{IDP}token" }}
}}
consumer "other" {{
    uid = {{ {OTHER_UID} }}
    audiences = {{ "{OTHER}" }}
}}
"""


class AssertionCase(ConsumerCase):
    """A client with keys, and a daemon with two consumers."""

    def setUp(self) -> None:
        super().setUp()
        self.keys = Keys(self)
        self.cimd = self.start(CONSUMERS)
        self.url = self.client()
        self.serve(self.url, document=self.keys.members())

    def token(self, keys: Keys | None = None, audience: str = IDP,
              **claims: Any) -> str:
        """A good assertion by the clock of the daemon."""
        now = int(time.time()) + self.cimd.clock.shift()
        claims = {"iat": now, "exp": now + 60, **claims}
        return (keys or self.keys).assertion(self.url, audience, **claims)

    def verify(self, token: str, **members: Any) -> Response:
        """POST /v1/assertion."""
        return self.cimd.socket.post("/v1/assertion", {
            "client_id": self.url, "client_assertion": token,
            "client_assertion_type": JWT_BEARER, **members})

    def assertVerified(self, token: str) -> dict[str, Any]:
        """It is good; the answer."""
        answer = self.verify(token)
        self.assertEqual(answer.status, 200, answer.body.decode())
        found: dict[str, Any] = answer.json()
        self.assertIs(found["verified"], True)
        return found


class Tokens(AssertionCase):
    """Good ones and others."""

    def test_good(self) -> None:
        found = self.assertVerified(self.token())
        self.assertEqual(found["client"]["client_id"], self.url)
        self.assertEqual(found["decision"]["auth_method"],
                         "private_key_jwt")
        self.assertVerified(self.token(audience=IDP + "token"))
        self.assertVerified(self.token(aud=["x", IDP]))
        self.assertFetched(self.url, 1)

    def test_algorithms(self) -> None:
        for alg in jose.ALGORITHMS:
            with self.subTest(alg=alg):
                keys = Keys(self, alg)
                self.url = self.client()
                self.serve(self.url, document=keys.members())
                self.assertVerified(self.token(keys))

    def test_replay(self) -> None:
        token = self.token()
        self.assertVerified(token)
        for again in (lambda: None, self.cimd.restart, self.cimd.crash):
            again()
            found = self.assertFails(self.verify(token), "CIMD_E_REPLAY")
            self.assertEqual(found["error"], "invalid_client")
        self.assertVerified(self.token())
        same = self.token(jti="same")
        self.assertVerified(same)
        self.assertFails(self.verify(self.token(jti="same")),
                         "CIMD_E_REPLAY")

    def test_a_jti_of_another_client(self) -> None:
        self.assertVerified(self.token(jti="shared"))
        self.url = self.client()
        self.serve(self.url, document=self.keys.members())
        self.assertVerified(self.token(jti="shared"))

    def spend(self, n: int) -> None:
        """As if the client had used n assertions in the last minutes."""
        issuer = hashlib.sha256(self.url.encode()).digest()[:16]
        until = int(time.time()) + self.cimd.clock.shift() + 300
        self.cimd.stop()
        base = sqlite3.connect(os.path.join(self.cimd.state, "cimd.db"),
                               isolation_level=None)
        base.execute("BEGIN")
        base.executemany("INSERT INTO jti VALUES (?, ?, ?)",
                         ((i.to_bytes(32, "big"), until, issuer)
                          for i in range(n)))
        base.execute("INSERT INTO issuer VALUES (?, ?)", (issuer, n))
        base.execute("COMMIT")
        base.close()
        self.cimd.start()

    def test_one_client_starves_no_other(self) -> None:
        self.spend(100000)
        for again in (lambda: None, self.cimd.restart):
            again()
            answer = self.verify(self.token())
            self.assertFails(answer, "CIMD_E_TOO_MANY", "share")
            self.assertEqual(answer.status, 503)
            self.assertEqual(answer.headers["retry-after"], "30")
        greedy, self.url = self.url, self.client()
        self.serve(self.url, document=self.keys.members())
        for _ in range(3):
            self.assertVerified(self.token())
        self.url = greedy
        self.cimd.clock.later(400)
        self.assertVerified(self.token())

    def test_a_forgery_uses_up_nothing(self) -> None:
        evil = Keys(self, kid=self.keys.kid)
        self.assertFails(self.verify(self.token(evil, jti="mine")),
                         "CIMD_E_ASSERTION")
        self.assertVerified(self.token(jti="mine"))

    def test_claims(self) -> None:
        now = int(time.time())
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"exp": now - 40}, "exp"), ({"exp": None}, "exp"),
            ({"exp": now + 400}, "exp"), ({"jti": None}, "jti"),
            ({"iss": "https://x.example.net/"}, "iss"),
            ({"sub": self.url + "x"}, "sub"), ({"aud": None}, "aud"),
            ({"aud": IDP[:-1]}, "aud"), ({"aud": []}, "aud"),
            ({"nbf": now + 100}, "nbf")]
        for claims, text in wrong:
            with self.subTest(claims=claims):
                self.assertFails(self.verify(self.token(**claims)),
                                 "CIMD_E_ASSERTION", text)

    def test_headers(self) -> None:
        now = int(time.time())
        claims = {"iss": self.url, "sub": self.url, "aud": IDP,
                  "exp": now + 60}
        headers: list[tuple[dict[str, Any], bool]] = [
            ({"typ": "JWT"}, True), ({}, True),
            ({"typ": "client-authentication+jwt"}, True),
            ({"typ": "at+jwt"}, False), ({"crit": ["x"]}, False),
            ({"alg": "none"}, False), ({"alg": "HS256"}, False),
            ({"alg": "ES384"}, False), ({"kid": "nobody"}, False)]
        for number, (header, good) in enumerate(headers):
            with self.subTest(header=header):
                token = self.keys.key.sign({**claims, "jti": str(number)},
                                           **header)
                status = self.verify(token).status
                self.assertEqual(status, 200 if good else 403)

    def test_typ_required(self) -> None:
        self.cimd.configure(CONSUMERS, assertion_typ="require")
        self.assertEqual(self.cimd.reload().status, 200)
        self.assertVerified(self.token())
        now = int(time.time())
        token = self.keys.key.sign({
            "iss": self.url, "sub": self.url, "aud": IDP, "exp": now + 60,
            "jti": "x"}, typ="JWT")
        self.assertFails(self.verify(token), "CIMD_E_ASSERTION", "typ")

    def test_garbage(self) -> None:
        good = self.token()
        for token in ("", ".", "..", good[:-4], good + "x", good + "=",
                      "." + good, "a" * 8193, "\u00e9." + good):
            answer = self.verify(token)
            self.assertFails(answer, "CIMD_E_ASSERTION")
        self.assertVerified(good)
        requests: list[dict[str, Any]] = [
            {"client_assertion_type": "x"}, {"client_assertion": None},
            {"client_assertion": 7}]
        for members in requests:
            answer = self.verify(self.token(), **members)
            self.assertFails(answer, "CIMD_E_REQUEST")

    def test_the_token_names_the_client(self) -> None:
        """RFC 7523: client_id may be absent; if not, it must agree."""
        answer = self.verify(self.token(), client_id=None)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.json()["client"]["client_id"], self.url)
        answer = self.verify(self.token(), client_id=self.client())
        self.assertFails(answer, "CIMD_E_AUTH_METHOD")
        for token in ("", "x", "a.b.c", self.token(sub=None, iss=None)):
            answer = self.verify(token, client_id=None)
            self.assertNotEqual(answer.status, 200)
        self.assertFetched(self.url, 1)

    def test_public_client(self) -> None:
        self.url = self.client()
        self.assertFails(self.verify(self.token()), "CIMD_E_AUTH_METHOD")

    def test_a_refused_client(self) -> None:
        self.url = "https://other.hostile.example.net/good/x"
        self.assertFails(self.verify(self.token()), "CIMD_E_POLICY")
        self.assertFetched(self.url, 0)


class Audiences(AssertionCase):
    """An assertion for one consumer is worth nothing at another."""

    def test_of_the_other_consumer(self) -> None:
        self.open_doors(self.cimd)
        self.assertFails(self.verify(self.token(audience=OTHER)),
                         "CIMD_E_ASSERTION", "aud")
        for audience, status in ((IDP, 403), (OTHER, 200)):
            token = self.token(audience=audience)
            answer = self.become(OTHER_UID, [], lambda: UnixHTTP(
                self.cimd.path).post("/v1/assertion", {
                    "client_id": self.url, "client_assertion": token}))
            self.assertEqual(answer.status, status, answer.body)

    def test_a_jti_counts_for_all(self) -> None:
        self.open_doors(self.cimd)
        token = self.token(aud=[IDP, OTHER])
        self.assertVerified(token)
        answer = self.become(OTHER_UID, [], lambda: UnixHTTP(
            self.cimd.path).post("/v1/assertion", {
                "client_id": self.url, "client_assertion": token}))
        self.assertFails(answer, "CIMD_E_REPLAY")

    def test_a_request_narrows(self) -> None:
        token = self.token(aud=[IDP, "x"])
        self.assertFails(self.verify(token, audiences=[IDP + "token"]),
                         "CIMD_E_ASSERTION", "aud")
        self.assertFails(self.verify(token, audiences=["x", OTHER]),
                         "CIMD_E_CONSUMER", "idp")
        answer = self.verify(token, audiences=["x", IDP])
        self.assertEqual(answer.status, 200, answer.body)

    def test_of_another_service(self) -> None:
        """An assertion for one service fails at another."""
        self.cimd.configure(CONSUMERS + f"""
consumer "imap" {{
    service = {{ "imap" }}
    audiences = {{ "{OTHER}" }}
}}
consumer "smtp" {{
    service = {{ "smtp" }}
    audiences = {{ "{IDP}" }}
}}
""")
        self.assertEqual(self.cimd.reload().status, 200)
        token = self.token(audience=OTHER)
        self.assertFails(self.verify(token), "CIMD_E_ASSERTION", "aud")
        self.assertFails(self.verify(token, service="smtp"),
                         "CIMD_E_ASSERTION", "aud")
        self.assertFails(self.verify(token, service="ftp"),
                         "CIMD_E_CONSUMER", "ftp")
        answer = self.verify(token, service="imap")
        self.assertEqual(answer.status, 200, answer.body)

    def test_without_audiences(self) -> None:
        self.cimd.configure(RULES)
        self.assertEqual(self.cimd.reload().status, 200)
        self.assertFails(self.verify(self.token()), "CIMD_E_ASSERTION",
                         "audiences")


class Rotation(AssertionCase):
    """Keys come and go."""

    def test_unknown_kid_refetches_once(self) -> None:
        self.assertVerified(self.token())
        new = Keys(self, kid="new")
        self.serve(self.url, document=self.keys.members(new))
        # The record is too young to be asked for again.
        self.assertFails(self.verify(self.token(new)), "CIMD_E_ASSERTION")
        self.assertFetched(self.url, 1)
        self.cimd.later(60)
        self.assertVerified(self.token(new))
        self.assertFetched(self.url, 2)
        self.assertVerified(self.token())
        evil = Keys(self, kid="evil")
        for _ in range(3):
            self.assertFails(self.verify(self.token(evil)),
                             "CIMD_E_ASSERTION")
        self.assertFetched(self.url, 2)
        self.cimd.later(60)
        for _ in range(3):
            self.assertFails(self.verify(self.token(evil)),
                             "CIMD_E_ASSERTION")
        self.assertFetched(self.url, 3)

    def test_a_wrong_signature_refetches_nothing(self) -> None:
        self.assertVerified(self.token())
        self.cimd.later(60)
        evil = Keys(self, kid=self.keys.kid)
        self.assertFails(self.verify(self.token(evil)), "CIMD_E_ASSERTION")
        self.assertFetched(self.url, 1)

    def test_removed_key(self) -> None:
        new = Keys(self, kid="new")
        self.assertVerified(self.token())
        self.serve(self.url, document=new.members())
        self.assertEqual(self.cimd.act("refresh", self.url).status, 200)
        self.assertFails(self.verify(self.token()), "CIMD_E_ASSERTION")
        self.assertVerified(self.token(new))
        self.cimd.crash()
        self.assertFails(self.verify(self.token()), "CIMD_E_ASSERTION")

    def test_removed_key_under_approve(self) -> None:
        self.cimd.configure(CONSUMERS.replace(
            "trust = trusted", "trust = trusted\n    update = approve"))
        self.assertEqual(self.cimd.reload().status, 200)
        new = Keys(self, kid="new")
        self.serve(self.url, document=self.keys.members(new))
        self.assertVerified(self.token(new))
        evil = Keys(self, kid="evil")
        self.serve(self.url, document=self.keys.members(evil))
        self.assertEqual(self.cimd.act("refresh", self.url).status, 200)
        self.assertVerified(self.token())
        for keys in (new, evil):
            self.assertFails(self.verify(self.token(keys)),
                             "CIMD_E_ASSERTION")

    def test_keys_behind_a_url(self) -> None:
        """jwks_uri is fetched by us, and the provider gets keys only."""
        where = self.client(do="jwks")
        self.serve(where, do="jwks", json=jose.jwks(self.keys.key))
        self.serve(self.url, document={
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": where})
        found = self.assertVerified(self.token())
        self.assertNotIn("jwks_uri", found["client"])
        self.assertEqual(found["client"]["jwks"]["keys"][0]["kid"],
                         self.keys.kid)
        new = Keys(self, kid="new")
        self.serve(where, do="jwks", json=jose.jwks(new.key))
        self.cimd.later(60)
        self.assertVerified(self.token(new))
        self.assertEqual((self.fetches(self.url), self.fetches(where)),
                         (2, 2))
        self.assertFails(self.verify(self.token()), "CIMD_E_ASSERTION")

    def test_keys_at_a_private_address(self) -> None:
        """The guard holds for jwks_uri as for the document."""
        lab = labtest.lab()
        lab.trap.call("reset")
        table = lab.dns.call("table")
        self.addCleanup(lab.dns.call, "replace", table=table)
        lab.dns.call("set", name="keys.example.net",
                     record={"a": ["10.0.0.1"]})
        self.serve(self.url, document={
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": "https://keys.example.net/jwks"})
        answer = self.verify(self.token())
        self.assertEqual(answer.status, 403, answer.body)
        self.assertEqual(lab.unexpected(), {})

    def test_why_keys_cannot_be_had(self) -> None:
        """The text says why, once, and not only that there is no key."""
        where = labtest.lab().url("/jwks/port").replace(
            ".example.net/", ".example.net:8443/")
        wrong = self.client(do="good")  # a document is no set of keys
        for uri, code, text in (
                (where, "CIMD_E_KEYS",
                 "^jwks_uri: port 8443 is neither 443 nor the document's: "),
                ("https://10.0.0.1.example.net.nothing.example.org/",
                 "CIMD_E_DNS", "^jwks_uri: [^:]*: .*not found"),
                (wrong, "CIMD_E_METADATA", "^jwks_uri: a JWK set without")):
            self.url = self.client()
            self.serve(self.url, document={
                "token_endpoint_auth_method": "private_key_jwt",
                "jwks_uri": uri})
            problem = self.assertFails(self.cimd.lookup(self.url), code)
            self.assertRegex(problem["detail"], text)
            self.assertNotIn("jwks_uri: jwks_uri", problem["detail"])
        self.assertFetched(where, 0)

    def test_client_without_a_redirect_grant(self) -> None:
        """It has no response type, and is told so to the provider."""
        self.cimd.configure(CONSUMERS.replace(
            "trust = trusted", "trust = trusted\n    profile = ietf\n"
            "    grants = { \"client_credentials\" }"))
        self.assertEqual(self.cimd.reload().status, 200)
        for types in ([], None):
            self.serve(self.url, document={
                **self.keys.members(), "redirect_uris": None,
                "grant_types": ["client_credentials"],
                "response_types": types})
            self.assertEqual(self.cimd.act("refresh", self.url).status, 200)
            client = self.cimd.known(self.url)["client"]
            self.assertEqual(client["grant_types"], ["client_credentials"])
            self.assertEqual(client["response_types"], [])

    def test_keys_of_a_third_host(self) -> None:
        """Documents of many hosts cannot send us to one without end."""
        urls = [f"https://h{n}.hostile.example.net/good/k" for n in range(5)]
        listed = ", ".join(f'"{url}"' for url in urls)
        self.cimd.configure(
            CONSUMERS + f"client others {{ match = {{ {listed} }} }}\n",
            fetch_rate_host=4)
        self.assertEqual(self.cimd.reload().status, 200)
        self.cimd.hold()
        where = self.client("victim", "jwks")
        self.serve(where, do="jwks", json=jose.jwks(self.keys.key))
        answers = []
        for url in urls:
            self.serve(url, document={
                "token_endpoint_auth_method": "private_key_jwt",
                "jwks_uri": where})
            answers.append(self.cimd.lookup(url))
        self.assertEqual([a.status for a in answers[:4]], [200] * 4)
        self.assertFails(answers[4], "CIMD_E_BUSY", "jwks_uri")
        self.assertFetched(where, 4)

    def test_an_outage_while_keys_are_sought(self) -> None:
        self.assertVerified(self.token())
        self.cimd.later(60)
        self.serve(self.url, do="503")
        new = Keys(self, kid="new")
        answer = self.verify(self.token(new))
        self.assertIn(answer.status, (403, 503))
        self.assertVerified(self.token())
