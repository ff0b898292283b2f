# SPDX-License-Identifier: Apache-2.0
"""The mux: client assertions as passwords, in the protocol of saslauthd, with
real documents and keys.  Real SASL servers are in tests/plugins/sasl."""

from __future__ import annotations

import os
import secrets
import socket

import labtest
from assertions import AssertionCase
from cimdd import RULES, Cimdd
from keys import Keys

IMAP, SMTP, IDP = (f"https://{name}.example.com/" for name in
                   ("imap", "smtp", "idp"))
SERVICES = RULES + f"""
client "nobody" {{
    match = {{ "https://nobody.example.net/x" }}
}}
consumer "imap" {{
    service = {{ "imap", "sieve" }}
    audiences = {{ "{IMAP}" }}
}}
consumer "smtp" {{
    service = {{ "smtp" }}
    audiences = {{ "{SMTP}" }}
    clients = {{ "nobody" }}
}}
consumer "idp" {{
    uid = {{ 0 }}
    audiences = {{ "{IDP}" }}
}}
"""
OK, NO = b"\0\2OK", b"\0\2NO"


def counted(*strings: str) -> bytes:
    """Strings, each with its length in front."""
    raw = [s.encode() for s in strings]
    return b"".join(len(s).to_bytes(2, "big") + s for s in raw)


def split(name: str) -> tuple[str, str]:
    """Login and realm as stock clients make them of a name."""
    login, at, realm = name.rpartition("@")
    return (login, realm) if at else (name, "")


class Mux(AssertionCase):
    """A client with keys, and services with audiences."""

    def setUp(self) -> None:
        super().setUp()
        self.cimd = self.with_mux(SERVICES)

    def with_mux(self, rules: str) -> Cimdd:
        """A cimdd with the socket."""
        one = Cimdd(self, rules, mux_group="root")
        one.configure(rules, mux_socket=os.path.join(one.folder, "mux"))
        self.addCleanup(one.check)
        return one.start()

    def ask(self, password: str, service: str = "imap",
            name: str | None = None) -> socket.socket:
        """Send a login; the connection."""
        login, realm = split(name or self.url)
        sock = labtest.connect(os.path.join(self.cimd.folder, "mux"), 30)
        self.addCleanup(sock.close)
        sock.sendall(counted(login, password, service, realm, ""))
        return sock

    def login(self, password: str, service: str = "imap",
              name: str | None = None) -> bytes:
        """A login and its answer."""
        return labtest.read_all(self.ask(password, service, name))

    def assertRefused(self, answer: bytes, code: str,
                      url: str | None = None) -> None:
        """No reason on the wire, but one in the audit log."""
        self.assertEqual(answer, NO)
        lines = self.cimd.lines("assertion", url or self.url)
        self.assertEqual(lines[-1]["code"], code, lines[-1])

    def test_good(self) -> None:
        """Of each algorithm; the log says who asked for whom."""
        self.assertEqual(self.login(self.token(audience=IMAP)), OK)
        line = self.cimd.lines("assertion", self.url)[-1]
        self.assertEqual((line["consumer"], line["rule"]), ("imap", "lab"))
        self.assertEqual(self.login(self.token(audience=IMAP), "sieve"), OK)
        for alg in ("EdDSA", "RS256", "PS256"):
            keys = Keys(self, alg)
            self.url = self.client()
            self.serve(self.url, document=keys.members())
            self.assertEqual(self.login(self.token(keys, IMAP)), OK, alg)

    def test_audience_of_another_service(self) -> None:
        """Worth nothing here, and nothing is used up by trying."""
        token = self.token(audience=IMAP)
        self.assertRefused(self.login(token, "smtp"), "CIMD_E_CONSUMER")
        self.cimd.configure(SERVICES.replace(
            'clients = { "nobody" }', 'clients = { "lab" }'))
        self.assertEqual(self.cimd.reload().status, 200)
        self.assertRefused(self.login(token, "smtp"), "CIMD_E_ASSERTION")
        self.assertRefused(self.login(self.token(audience=SMTP), "imap"),
                           "CIMD_E_ASSERTION")
        self.assertEqual(self.login(token), OK)
        self.assertEqual(self.login(self.token(audience=SMTP), "smtp"), OK)

    def test_service_without_a_section(self) -> None:
        """Nobody, whatever the user who asks may do; unless one is for
        all such services."""
        self.assertRefused(self.login(self.token(audience=IDP), "ldap"),
                           "CIMD_E_CONSUMER")
        self.cimd.configure(SERVICES.replace("uid = { 0 }",
                                             'service = { "*" }'))
        self.assertEqual(self.cimd.reload().status, 200)
        self.assertRefused(self.login(self.token(audience=IMAP), "ldap"),
                           "CIMD_E_ASSERTION")
        self.assertEqual(self.login(self.token(audience=IDP), "ldap"), OK)
        self.assertRefused(self.login(self.token(audience=IDP)),
                           "CIMD_E_ASSERTION")

    def test_without_consumers(self) -> None:
        """No audience, no login."""
        self.cimd.configure(RULES)
        self.assertEqual(self.cimd.reload().status, 200)
        self.assertRefused(self.login(self.token(audience=IMAP)),
                           "CIMD_E_ASSERTION")

    def test_replay(self) -> None:
        """Once, over both sockets."""
        token = self.token(audience=IMAP)
        self.assertEqual(self.login(token), OK)
        self.assertRefused(self.login(token), "CIMD_E_REPLAY")
        self.cimd.restart()
        self.assertRefused(self.login(token), "CIMD_E_REPLAY")
        token = self.token(aud=[IMAP, IDP])
        self.assertVerified(token)
        self.assertRefused(self.login(token), "CIMD_E_REPLAY")

    def test_names_with_at_signs(self) -> None:
        """What the client cut is whole again; a realm that it added makes
        another client."""
        for path in ("/good/@me", "/good/a@b@c", "/@x@/y"):
            self.url = labtest.lab().url(path)
            self.serve(self.url, document=self.keys.members())
            self.assertEqual(self.login(self.token(audience=IMAP)), OK, path)
        self.url = self.client()
        self.serve(self.url, document=self.keys.members())
        named = self.url + "@example.org"
        self.serve(named, document=self.keys.members())
        self.assertRefused(self.login(self.token(audience=IMAP), "imap",
                                      named), "CIMD_E_ASSERTION", named)
        self.assertFetched(self.url, 0)

    def test_wrong(self) -> None:
        """Passwords that are no assertion, or not of this client."""
        for password in ("", "secret", "a.b.c", "x" * 8000, "\u00e4",
                         self.token(audience=IMAP)[:-2],
                         self.token(Keys(self, kid="one"), IMAP)):
            self.assertRefused(self.login(password), "CIMD_E_ASSERTION")
        other = self.client()
        self.serve(other, document=self.keys.members())
        token = self.token(audience=IMAP)
        self.assertRefused(self.login(token, "imap", other),
                           "CIMD_E_ASSERTION", other)
        self.assertEqual(self.login(token), OK)

    def test_public_client(self) -> None:
        """One that says "none" has nothing to log in with."""
        self.url = self.client()
        self.assertRefused(self.login(self.token(audience=IMAP)),
                           "CIMD_E_AUTH_METHOD")

    def test_refused_client(self) -> None:
        """By policy, before any fetch."""
        self.url = "https://other.hostile.example.net/good/x"
        self.assertRefused(self.login(self.token(audience=IMAP)),
                           "CIMD_E_POLICY")
        self.assertFetched(self.url, 0)

    def test_large(self) -> None:
        """Up to the buffer of stock clients."""
        token = self.token(audience=IMAP, pad="x" * 5700)
        room = 8192 - 30 - len(self.url) - 4
        self.assertGreater(len(token), 7800)
        self.assertLess(len(token), room)
        self.assertEqual(self.login(token), OK)

    def test_slow_documents(self) -> None:
        """They delay neither each other nor who is known."""
        self.assertEqual(self.login(self.token(audience=IMAP)), OK)
        slow, known = [], self.url
        for _ in range(8):
            self.url = labtest.lab().url(f"/good/{secrets.token_hex(6)}")
            self.serve(self.url, do="silent")
            slow.append(self.ask(self.token(audience=IMAP)))
        for sock in slow:
            self.assertEqual(self.login("x", name=known), NO)
        self.url = known
        self.assertEqual(self.login(self.token(audience=IMAP)), OK)
        for sock in slow:  # within the deadline of a lookup
            self.assertEqual(labtest.read_all(sock), NO)
