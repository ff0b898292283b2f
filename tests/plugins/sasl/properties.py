# SPDX-License-Identifier: Apache-2.0
"""What the auxprop plugin answers, and to whom."""

from __future__ import annotations

import json
import os
import re
import subprocess

import labtest
from saslhost import (CONSUMERS, DISABLED, NOUSER, OK, UNAVAIL, Case, Cimdd,
                      Host)

ALL = ("oauthClientId", "oauthClientName", "oauthClientURI", "oauthLogoURI",
       "oauthTosURI", "oauthPolicyURI", "oauthScope", "oauthRedirectURI",
       "oauthGrantType", "oauthContact", "oauthJWKS", "oauthAuthMethod",
       "oauthClientHost", "oauthTrust", "oauthRule")


class Properties(Case):
    """Lookups of names."""

    def setUp(self) -> None:
        super().setUp()
        self.cimd = self.with_mux()
        self.sasl = self.lookup_host(self.cimd)

    def lookup_host(self, cimd: Cimdd, *plugins: str, **options: str) -> Host:
        """One for sasl_user_exists(), which libsasl2 crashes in with
        saslauthd."""
        return self.host(cimd, *plugins, pwcheck_method="auxprop", **options)

    def test_properties(self) -> None:
        """All of them, with the values of the document."""
        document = {
            **self.keys.members(), "client_name": "A \u00e4 client",
            "client_uri": "https://c.example.net/",
            "logo_uri": "https://c.example.net/l.png",
            "tos_uri": "https://c.example.net/t",
            "policy_uri": "https://c.example.net/p", "scope": "mail chat",
            "redirect_uris": ["https://c.example.net/1",
                              "http://127.0.0.1/cb"],
            "contacts": ["a@c.example.net", "b@c.example.net"],
            "grant_types": ["authorization_code", "refresh_token"]}
        self.url = self.client()
        self.serve(self.url, document=document)
        self.sasl.new("imap", "", *("*" + name for name in ALL))
        found = self.sasl.exists(self.url)
        self.assertEqual(found.status, OK, found)
        jwks = json.loads(found.props.pop("*oauthJWKS")[0])
        self.assertEqual(jwks["keys"][0]["kid"], self.keys.kid)
        host = self.url.split("/")[2]
        self.assertEqual(found.props, {
            "*oauthClientId": [self.url],
            "*oauthClientName": ["A \u00e4 client"],
            "*oauthClientURI": ["https://c.example.net/"],
            "*oauthLogoURI": ["https://c.example.net/l.png"],
            "*oauthTosURI": ["https://c.example.net/t"],
            "*oauthPolicyURI": ["https://c.example.net/p"],
            "*oauthScope": ["mail chat"],
            "*oauthRedirectURI": ["https://c.example.net/1",
                                  "http://127.0.0.1/cb"],
            "*oauthGrantType": ["authorization_code", "refresh_token"],
            "*oauthContact": ["a@c.example.net", "b@c.example.net"],
            "*oauthAuthMethod": ["private_key_jwt"],
            "*oauthClientHost": [host], "*oauthTrust": ["trusted"],
            "*oauthRule": ["lab"]})

    def test_page_names_them(self) -> None:
        """cimd_sasl(5) has each of the table, and no other."""
        with open(os.path.join(labtest.top_src(), "man", "cimd_sasl.5"),
                  encoding="utf-8") as src:
            named = re.findall(r"^\.It Li (oauth\w+)$", src.read(), re.M)
        self.assertEqual(sorted(named), sorted(ALL))

    def test_only_what_was_requested(self) -> None:
        """Nothing else, neither of ours nor of others."""
        self.sasl.new("imap", "", "*oauthTrust", "*userPassword",
                      "*oauthSecret", "*oauthtrust")
        found = self.sasl.exists(self.url)
        self.assertEqual((found.status, found.props),
                         (OK, {"*oauthTrust": ["trusted"]}))
        self.sasl.new("imap", "")
        found = self.sasl.exists(self.url)
        self.assertEqual((found.status, found.props), (OK, {}))

    def test_both_names(self) -> None:
        """With "*" of who logs in, without it of who it is for."""
        self.sasl.new("imap", "", "oauthClientId", "*oauthClientId")
        found = self.sasl.exists(self.url)
        self.assertEqual(found.props, {"oauthClientId": [self.url],
                                       "*oauthClientId": [self.url]})

    def test_the_second_name_replaces_the_first(self) -> None:
        """Nothing of one client is left when another is asked for."""
        other = self.client()
        self.serve(other, document={"client_name": "Other"})
        self.sasl.new("imap", "", "*oauthClientId", "*oauthJWKS")
        self.assertIn("*oauthJWKS", self.sasl.exists(self.url).props)
        self.assertEqual(self.sasl.exists(other).props,
                         {"*oauthClientId": [other]})
        unknown = self.sasl.exists("https://other.example.org/x")
        self.assertEqual((unknown.status, unknown.props), (DISABLED, {}))

    def test_refused(self) -> None:
        """Policy, documents and URLs that are none: disabled; the log says
        why, without a word to the client."""
        bad = self.client()
        self.serve(bad, document={"client_secret": "x"})
        for url, code in ((bad, "CIMD_E_SECRET"),
                          ("https://other.example.org/x", "CIMD_E_POLICY"),
                          ("https://127.0.0.1/x", "CIMD_E_"),
                          ("https://h.example.net/a b", "CIMD_E_URL"),
                          ("https://", "CIMD_E_URL")):
            self.sasl.new("imap", "", "*oauthClientId")
            found = self.sasl.exists(url)
            self.assertEqual((found.status, found.props), (DISABLED, {}),
                             url)
            self.assertTrue(any(code in line for line in found.logs),
                            (url, found.logs))

    def test_nobody_by_default(self) -> None:
        """Without a rule there is no client."""
        cimd = self.with_mux("")
        sasl = self.lookup_host(cimd)
        sasl.new()
        self.assertEqual(sasl.exists(self.url).status, DISABLED)
        self.assertFetched(self.url, 0)

    def test_service(self) -> None:
        """cimdd is told the service, and judges by its section."""
        cimd = self.with_mux(CONSUMERS.replace(
            '"imap", "smtp", "ldap"', '"smtp"') + f"""
client "nobody" {{ match = {{ "https://nobody.example.net/x" }} }}
consumer "imap" {{
    service = {{ "imap" }}
    clients = {{ "nobody" }}
}}
""")
        sasl = self.lookup_host(cimd)
        sasl.new("smtp")
        self.assertEqual(sasl.exists(self.url).status, OK)
        sasl.new("imap")
        found = sasl.exists(self.url)
        self.assertEqual(found.status, DISABLED)
        self.assertIn("CIMD_E_CONSUMER", " ".join(found.logs))
        line = cimd.wait_line("lookup", self.url)
        self.assertEqual(line["remote_addr"], "192.0.2.7")

    def test_outage_is_no_absence(self) -> None:
        """A document that cannot be had now makes no stranger."""
        url = self.client()
        self.serve(url, do="503")
        self.sasl.new()
        found = self.sasl.exists(url)
        self.assertEqual(found.status, UNAVAIL)
        self.assertIn("CIMD_E_SERVER", " ".join(found.logs))

    def test_other_names(self) -> None:
        """They never touch the socket."""
        before = self.lookups(self.cimd)
        for name in ("alice", "http://h.example.net/x", "https:/x",
                     "alice@https://h.example.net", "xhttps://h.example/"):
            self.sasl.new("imap", "", "*oauthClientId")
            found = self.sasl.exists(name)
            self.assertEqual((found.status, found.props), (NOUSER, {}))
        self.assertEqual(self.lookups(self.cimd), before)

    def test_beside_others(self) -> None:
        """Users of sasldb are found as before, with cimdd away, too."""
        folder = self.folder()
        database = os.path.join(folder, "db")
        sasl = self.lookup_host(self.cimd, "sasldb", sasldb_path=database,
                                auxprop_plugin="cimd sasldb")
        subprocess.run(["saslpasswd2", "-p", "-c", "-f", database, "-u",
                        "host.example.com", "alice"], input=b"wonderland",
                       check=True)
        for _ in range(2):
            sasl.new("imap", "host.example.com")
            self.assertEqual(sasl.exists("alice").status, OK)
            found = sasl.plain("alice", "wonderland")
            self.assertEqual(found.status, OK, found)
            self.cimd.daemon.kill()
