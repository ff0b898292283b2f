# SPDX-License-Identifier: Apache-2.0
"""Logins with PLAIN: names, assertions as passwords, and what they cost."""

from __future__ import annotations

import os
import subprocess

import labtest
from saslhost import (AUDIENCE, BADAUTH, BADPROT, BUFOVER, CONSUMERS, DISABLED,
                      FAIL, NOUSER, OK, UNAVAIL, Case, Cimdd, Host, Keys, deny)

REALM = "example.org"


class Logins(Case):
    """With pwcheck_method: saslauthd, and cimdd behind it."""

    def setUp(self) -> None:
        super().setUp()
        self.cimd = self.with_mux()
        self.sasl = self.host(self.cimd)

    def test_login(self) -> None:
        """A client logs in; the server knows its name and properties."""
        self.sasl.new("imap", "", "*oauthTrust", "oauthRule")
        found = self.sasl.plain(self.url, self.token())
        self.assertEqual((found.status, found.user), (OK, self.url), found)
        self.assertEqual(found.props, {"*oauthTrust": ["trusted"],
                                       "oauthRule": ["lab"]})
        self.assertEqual(found.logs, [])

    def test_one_exchange(self) -> None:
        """libsasl2 asks again and again; cimdd is asked once for each
        connection, and again on the next one."""
        for _ in range(3):
            with self.one_lookup(self.cimd):
                self.sasl.new()
                self.assertEqual(
                    self.sasl.plain(self.url, self.token()).status, OK)
        with self.one_lookup(self.cimd):
            self.sasl.new("smtp")
            self.sasl.plain(self.url, "wrong")

    def test_the_same_connection_again(self) -> None:
        """For two seconds it is not asked about again."""
        sasl = self.host(self.cimd, pwcheck_method="auxprop")
        sasl.new()
        with self.one_lookup(self.cimd):
            for _ in range(5):
                self.assertEqual(sasl.exists(self.url).status, OK)

    def test_four_questions_of_libsasl2(self) -> None:
        """The usual configuration asks most: one exchange as well."""
        sasl = self.host(self.cimd, pwcheck_method="auxprop")
        sasl.new()
        with self.one_lookup(self.cimd):
            self.assertEqual(sasl.plain(self.url, "x").status, NOUSER)

    def test_wrong(self) -> None:
        """Nothing else gets in, and nobody is told why."""
        good = self.token()
        evil = Keys(self, kid=self.keys.kid)
        other = self.client()
        self.serve(other, document=Keys(self).members())
        public = self.client()
        tries = [(self.url, "secret"), (self.url, good[:-3]),
                 (self.url, evil.assertion(self.url, AUDIENCE)),
                 (self.url, self.token("https://other.example.com/")),
                 (other, good), (public, good)]
        for name, password in tries:
            self.sasl.new()
            found = self.sasl.plain(name, password)
            self.assertEqual(found.status, BADAUTH, found)
            self.assertNotIn("CIMD", str(found.more))
        self.sasl.new()
        self.assertEqual(self.sasl.plain(self.url, good).status, OK)
        self.sasl.new()
        self.assertEqual(self.sasl.plain(self.url, good).status, BADAUTH)

    def test_refused_client(self) -> None:
        """What cimdd refuses gets in with no password."""
        self.sasl.new()
        found = self.sasl.plain("https://other.example.org/x", self.token())
        self.assertEqual(found.status, DISABLED)

    def test_verified_elsewhere(self) -> None:
        """libsasl2 lets unknown users in whom EXTERNAL has verified: not
        those whom cimdd refuses, nor while it cannot say."""
        sasl = self.host(self.cimd, mech_list="EXTERNAL")
        sasl.new()
        found = sasl.call("external", self.url)
        self.assertEqual((found.status, found.user), (OK, self.url))
        for url in ("https://other.example.org/x", "https://127.0.0.1/x"):
            sasl.new()
            self.assertEqual(sasl.call("external", url).status, DISABLED)
        deny(self.cimd, self.url)
        sasl.new()
        self.assertEqual(sasl.call("external", self.url).status, DISABLED)
        self.cimd.stop()
        sasl.new()
        self.assertEqual(sasl.call("external", self.url).status, UNAVAIL)

    def test_other_service(self) -> None:
        """The audience of one service is worth nothing at another."""
        cimd = self.with_mux(CONSUMERS + """
consumer "chat" {
    service = { "xmpp" }
    audiences = { "https://chat.example.com/" }
}
""")
        sasl = self.host(cimd)
        token = self.token()
        sasl.new("xmpp")
        self.assertEqual(sasl.plain(self.url, token).status, BADAUTH)
        sasl.new("imap")
        self.assertEqual(sasl.plain(self.url, token).status, OK)
        sasl.new("xmpp")
        token = self.token("https://chat.example.com/")
        self.assertEqual(sasl.plain(self.url, token).status, OK)

    def test_for_somebody_else(self) -> None:
        """The authorization name is libsasl2's business: the same one, or
        refused."""
        self.sasl.new()
        found = self.sasl.plain(self.url, self.token(), self.url)
        self.assertEqual((found.status, found.user), (OK, self.url))
        other = self.client()
        self.sasl.new()
        self.assertNotEqual(
            self.sasl.plain(self.url, self.token(), other).status, OK)

    def test_sizes(self) -> None:
        """Assertions up to what libsasl2 sends; names up to 1024 bytes."""
        token = self.token(pad="x" * 5700)
        self.assertGreater(len(token), 7800)
        self.sasl.new()
        self.assertEqual(self.sasl.plain(self.url, token).status, OK)
        self.sasl.new()
        self.assertEqual(self.sasl.plain(self.url, "x" * 8200).status, FAIL)
        base = self.url.rpartition("/")[0] + "/"
        self.url = base + "x" * (1024 - len(base))
        self.serve(self.url, document=self.keys.members())
        self.sasl.new()
        found = self.sasl.plain(self.url, self.token())
        self.assertEqual((found.status, found.user), (OK, self.url))
        self.sasl.new()
        found = self.sasl.plain(self.url + "x", self.token())
        self.assertEqual(found.status, BUFOVER)

    def test_at_signs(self) -> None:
        """Cut by libsasl2, put together by cimdd."""
        for path in ("/good/@me", "/@a/b", "/good/a@b@c"):
            self.url = labtest.lab().url(path)
            self.serve(self.url, document=self.keys.members())
            self.sasl.new()
            found = self.sasl.plain(self.url, self.token())
            self.assertEqual((found.status, found.user), (OK, self.url))

    def test_checkpass(self) -> None:
        """Servers that bring their own protocol."""
        self.sasl.new("smtp")
        found = self.sasl.call("checkpass", self.url, self.token())
        self.assertEqual((found.status, found.user), (OK, self.url))

    def test_saslauthds_own_client(self) -> None:
        """testsaslauthd(8), for who wants to try the mux alone."""
        for password, word in ((self.token(), "OK"), ("secret", "NO")):
            done = subprocess.run(
                ["/usr/sbin/testsaslauthd", "-f", self.mux, "-s", "imap",
                 "-u", self.url, "-p", password],
                capture_output=True, text=True, check=False, timeout=120)
            self.assertIn(f": {word}", done.stdout + done.stderr)

    def test_people_beside_clients(self) -> None:
        """Who is no URL is looked up where it was before."""
        database = os.path.join(self.folder(), "db")
        sasl = self.host(self.cimd, "sasldb", sasldb_path=database,
                         auxprop_plugin="cimd sasldb",
                         pwcheck_method="saslauthd auxprop")
        people(database, "alice", "wonderland")
        sasl.new("imap", "")
        self.assertEqual(sasl.plain("alice", "wonderland").status, OK)
        sasl.new("imap", "")
        self.assertNotEqual(sasl.plain("alice", "x").status, OK)
        sasl.new("imap", "")
        self.assertEqual(sasl.plain(self.url, self.token()).status, OK)


def people(database: str, name: str, password: str,
           realm: str = "host.example.com") -> None:
    """Somebody in a sasldb."""
    subprocess.run(["saslpasswd2", "-p", "-c", "-f", database, "-u", realm,
                    name], input=password.encode(), check=True)


class Names(Case):
    """What becomes of names, with and without a realm."""

    def setUp(self) -> None:
        super().setUp()
        self.cimd = self.with_mux()

    def lookup_host(self, **options: str | None) -> Host:
        """A host for sasl_user_exists()."""
        return self.host(self.cimd, pwcheck_method="auxprop", **options)

    def test_url_stays(self) -> None:
        """Byte for byte, up to 1024 of them, with a realm too."""
        sasl = self.lookup_host()
        base = self.url.rpartition("/")[0] + "/"
        for url in (self.url, base + "@me", base + "x" * (1024 - len(base))):
            self.serve(url, document=self.keys.members())
            for realm in ("", REALM):
                sasl.new("imap", realm, "*oauthClientId")
                found = sasl.exists(url)
                self.assertEqual((found.status, found.props),
                                 (OK, {"*oauthClientId": [url]}), url)
        sasl.new("imap", REALM)
        self.assertEqual(sasl.exists(base + "x" * (1025 - len(base))).status,
                         BUFOVER)

    def test_realm_trap(self) -> None:
        """libsasl2's own names add the realm: never guessed away, and
        never looked up."""
        sasl = self.lookup_host(canon_user_plugin=None)
        before = self.lookups(self.cimd)
        sasl.new("imap", REALM)
        found = sasl.exists(self.url)
        self.assertEqual(found.status, DISABLED)
        self.assertIn("realm", " ".join(found.logs))
        self.assertEqual(self.lookups(self.cimd), before)
        sasl.new("imap", "")
        self.assertEqual(sasl.exists(self.url).status, OK)

    def test_literal_realm(self) -> None:
        """Who sends the realm himself is not taken for the one without."""
        literal = f"{self.url}@{REALM}"
        self.serve(literal, document=self.keys.members())
        sasl = self.lookup_host()
        sasl.new("imap", REALM)
        self.assertEqual(sasl.exists(literal).status, DISABLED)
        sasl.new("imap", "", "*oauthClientId")
        self.assertEqual(sasl.exists(literal).props,
                         {"*oauthClientId": [literal]})

    def test_login_under_a_realm(self) -> None:
        """The mux would verify another name: refused, and said."""
        sasl = self.host(self.cimd)
        token = self.token()
        sasl.new("imap", REALM)
        found = sasl.plain(self.url, token)
        self.assertEqual(found.status, BADPROT)
        self.assertIn("realm", " ".join(found.logs))
        sasl.new("imap", "")
        self.assertEqual(sasl.plain(self.url + "@", token).status, BADPROT)
        for method in ("SaslAuthd", "auxprop\fSASLAUTHD"):
            odd = self.host(self.cimd, pwcheck_method=method)
            odd.new("imap", REALM)
            self.assertEqual(odd.plain(self.url, token).status, BADPROT)
        sasl.new("imap", "")
        self.assertEqual(sasl.plain(self.url, token).status, OK)

    def test_attack_on_the_cut(self) -> None:
        """A client at URL@REALM cannot log in as URL, nor at all where the
        realm may have been added."""
        evil = Keys(self)
        literal = f"{self.url}@{REALM}"
        self.serve(literal, document=evil.members())
        for canon in (None, "cimd"):
            sasl = self.host(self.cimd, canon_user_plugin=canon)
            sasl.new("imap", REALM)
            found = sasl.plain(self.url, evil.assertion(literal, AUDIENCE))
            self.assertEqual(found.user, "")
            self.assertEqual(found.status,
                             DISABLED if canon is None else BADPROT)

    def test_blanks(self) -> None:
        """Two names for one client are one too many."""
        sasl = self.lookup_host()
        for name in (" " + self.url, self.url + " ", "\t" + self.url):
            sasl.new("imap", "")
            self.assertNotEqual(sasl.exists(name).status, OK, repr(name))

    def test_dots(self) -> None:
        """A name that would lead out of a folder is no client's."""
        url = self.client() + "?/../../x"
        self.serve(url, document=self.keys.members())
        for canon in (None, "cimd"):
            sasl = self.lookup_host(canon_user_plugin=canon)
            sasl.new()
            found = sasl.exists(url)
            self.assertIn(found.status, (DISABLED, BADPROT))
            self.assertIn("dots", " ".join(found.logs))

    def test_other_names(self) -> None:
        """As libsasl2 itself would make them."""
        database = os.path.join(self.folder(), "db")
        people(database, "alice", "wonderland", REALM)
        for canon in (None, "cimd"):
            sasl = self.host(self.cimd, "sasldb", sasldb_path=database,
                             auxprop_plugin="sasldb",
                             canon_user_plugin=canon,
                             pwcheck_method="auxprop")
            for name in ("alice", " alice ", f"alice@{REALM}", "\talice"):
                sasl.new("imap", REALM)
                found = sasl.plain(name, "wonderland")
                self.assertEqual((found.status, found.user),
                                 (OK, f"alice@{REALM}"), repr(name))
            for name in (" ", "\t ", "bob", "x" * 1025):
                sasl.new("imap", REALM)
                self.assertNotEqual(sasl.plain(name, "w").status, OK)

    def test_max_length(self) -> None:
        """Less than 1024, where other parts of the server take less."""
        sasl = self.lookup_host(cimd_max_length=str(len(self.url)))
        longer = self.url + "x"
        self.serve(longer, document=self.keys.members())
        sasl.new()
        self.assertEqual(sasl.exists(self.url).status, OK)
        sasl.new()
        self.assertEqual(sasl.exists(longer).status, DISABLED)

    def test_client_side(self) -> None:
        """A client program that names the plugin sends what it was given."""
        sasl = self.lookup_host()
        for name, sent in ((self.url, self.url), (" bob ", "bob")):
            for canon in ("", "cimd"):
                found = sasl.call("client", name, canon)
                self.assertEqual(found.status, OK)
                self.assertEqual(found.more["sent"], f"\0{sent}\0pw")
        self.assertNotEqual(
            sasl.call("client", " " + self.url, "cimd").status, OK)
        self.assertEqual(sasl.call("client", "x" * 1024, "cimd").status, OK)
        self.assertEqual(sasl.call("client", "x" * 1025, "cimd").status,
                         BUFOVER)


class Transition(Case):
    """auto_transition would make a password of a used assertion."""

    def test_on(self) -> None:
        """No client gets in, with either plugin; the log says why."""
        cimd = self.with_mux()
        database = os.path.join(self.folder(), "db")
        for value, more in (("yes", {}), ("noplain", {}), ("1", {}),
                            ("on", {"canon_user_plugin": None}),
                            ("true", {"auxprop_plugin": "sasldb"})):
            options = {"pwcheck_method": "saslauthd auxprop",
                       "auxprop_plugin": "cimd sasldb",
                       "sasldb_path": database,
                       "auto_transition": value, **more}
            sasl = self.host(cimd, "sasldb", **options)
            token = self.token()
            for _ in range(2):
                sasl.new()
                found = sasl.plain(self.url, token)
                self.assertIn(found.status, (BADPROT, UNAVAIL), options)
                self.assertIn("auto_transition", " ".join(found.logs))

    def test_off(self) -> None:
        """Once, and never again."""
        cimd = self.with_mux()
        for value in ("no", "off", "0", "FALSE"):
            sasl = self.host(cimd, auto_transition=value)
            token = self.token()
            sasl.new()
            self.assertEqual(sasl.plain(self.url, token).status, OK)
            sasl.new()
            self.assertEqual(sasl.plain(self.url, token).status, BADAUTH)


class Options(Case):
    """What the configuration says, or does not."""

    def test_off(self) -> None:
        """Without cimd_socket it does nothing, asked for or not."""
        cimd = self.with_mux()
        for plugins in ("cimd", None):
            sasl = self.host(cimd, cimd_socket=None, auxprop_plugin=plugins,
                             pwcheck_method="auxprop")
            before = self.lookups(cimd)
            for name in (self.url, "alice"):
                sasl.new("imap", "", "*oauthClientId")
                found = sasl.exists(name)
                self.assertEqual(found.props, {})
                self.assertNotEqual(found.status, OK)
            self.assertEqual(self.lookups(cimd), before)

    def test_off_beside_others(self) -> None:
        """Users of others are found as if it were not there."""
        cimd = self.with_mux()
        database = os.path.join(self.folder(), "db")
        people(database, "alice", "wonderland")
        for socket in (None, cimd.path):
            sasl = self.host(cimd, "sasldb", auxprop_plugin=None,
                             cimd_socket=socket, sasldb_path=database,
                             pwcheck_method="auxprop")
            sasl.new("imap", "")
            self.assertEqual(sasl.plain("alice", "wonderland").status, OK)
            sasl.new("imap", "")
            self.assertNotEqual(sasl.plain("alice", "x").status, OK)

    def test_wrong_values(self) -> None:
        """No client is known, nor unknown, and the log says why."""
        cimd = self.with_mux()
        for name, value, text in (
                ("cimd_socket", "lookup.sock", "path"),
                ("cimd_socket", "/" + "x" * 120, "path"),
                ("cimd_timeout", "99", "100 to 30000"),
                ("cimd_timeout", "30001", "100 to 30000"),
                ("cimd_timeout", "5s", "100 to 30000"),
                ("cimd_timeout", "99999999999999999999", "100 to 30000"),
                ("cimd_max_length", "-1", "16 to 1024"),
                ("cimd_max_length", "1025", "16 to 1024")):
            options = {"pwcheck_method": "auxprop", name: value}
            sasl = self.host(cimd, **options)
            sasl.new()
            found = sasl.exists(self.url)
            self.assertEqual(found.status, UNAVAIL)
            self.assertIn(text, " ".join(found.logs), (name, value))
            self.assertEqual(sasl.exists("alice").status, NOUSER)
