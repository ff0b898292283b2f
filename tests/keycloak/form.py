# SPDX-License-Identifier: Apache-2.0
"""Fields of the form that no other test turns, and what stands above it."""

from __future__ import annotations

import host
import labtest

__all__ = ["Form"]

OLD = "https://good.hostile.example.net/old"
NEW = "https://good.hostile.example.net/new"


class Form(host.Case):
    """What an administrator says there holds at the next request."""

    def passes(self, realm: host.Realm, url: str, uri: str) -> bool:
        """Does the login page come?"""
        return realm.flow(url, uri).authorize().status == 200

    def changed(self, mode: str, *uris: str) -> tuple[host.Realm, str]:
        """A client that somebody has used, whose document has other redirect
        URIs since, and a realm with this way of taking changes."""
        url = self.document(redirect_uris=[OLD], client_name="Before")
        realm = self.realm(clients=[url], update=mode)
        self.assertIn("access_token", realm.flow(url, OLD).run())
        self.serve(url, document={"redirect_uris": list(uris),
                                  "client_name": "After"})
        self.cimd.later(600)
        return realm, url

    def name(self, realm: host.Realm, url: str, uri: str) -> str:
        """What the console calls a client that may come back to uri."""
        self.assertTrue(self.passes(realm, url, uri))
        return str(realm.get(f"/clients/{realm.uuid(url)}")["name"])

    def test_changes_are_live(self) -> None:
        realm, url = self.changed("live", NEW)
        self.assertFalse(self.passes(realm, url, OLD))
        self.assertIn("After", self.name(realm, url, NEW))

    def test_changes_wait_for_approval(self) -> None:
        realm, url = self.changed("approve", OLD, NEW)
        self.assertFalse(self.passes(realm, url, NEW))
        self.assertIn("Before", self.name(realm, url, OLD))
        self.cimd.govern("approve", url)
        self.assertIn("After", self.name(realm, url, NEW))

    def test_changes_are_not_taken(self) -> None:
        realm, url = self.changed("pinned", OLD, NEW)
        self.assertFalse(self.passes(realm, url, NEW))
        self.assertIn("Before", self.name(realm, url, OLD))

    def test_what_is_gone_is_gone(self) -> None:
        """Whatever the mode: what a document takes back acts at once."""
        realm, url = self.changed("pinned", NEW)
        self.assertFalse(self.passes(realm, url, OLD))
        self.assertFalse(self.passes(realm, url, NEW))

    def test_redirects_of_the_site(self) -> None:
        loopback = "http://127.0.0.1:54321/callback"
        uris = ("https://www.example.net/cb", "https://www.example.org/cb",
                loopback)
        url = self.document(redirect_uris=list(uris))
        for rule, expected in (("same-site", [True, False, True]),
                               ("same-site, no loopback",
                                [True, False, False])):
            realm = self.realm(clients=[url], redirects=rule)
            with self.subTest(rule=rule):
                self.assertEqual([self.passes(realm, url, uri)
                                  for uri in uris], expected)

    def test_the_machine_stands_above(self) -> None:
        """A line of cimd.conf, whatever the realm says."""
        url = self.client()
        realm = self.realm(clients=[url], others="allow unverified")
        flow = realm.flow(url, host.REDIRECTS["vscode"])
        self.cimd.configure(host.RULES + f'deny = {{ "{url}" }}\n')
        self.addCleanup(self.cimd.configure, host.RULES)
        labtest.wait_until(lambda: "is blocked" in flow.authorize().text(),
                           30, "the sentence")
        event = realm.events("CLIENT_REGISTER_ERROR")[0]
        self.assertEqual(event["details"]["cimd_code"], "CIMD_E_BLOCKED")
