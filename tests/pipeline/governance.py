# SPDX-License-Identifier: Apache-2.0
"""An administrator's word, update modes, and what changes are told."""

from __future__ import annotations

from typing import Any

from cimdd import Case, Cimdd, RULES, short_id
from keys import Keys
from load import Herd

PURPOSES = ("authorize", "token", "display")
LOOPBACK = "http://127.0.0.1/callback"
ORIGIN = "https://good.hostile.example.net/callback"
MORE = "https://good.hostile.example.net/more"


def updating(mode: str, trust: str = "trusted") -> str:
    """The usual rule with an update mode."""
    return RULES.replace("trust = trusted",
                         f"trust = {trust}\n    update = {mode}")


class GovernCase(Case):
    """Asks for every purpose."""

    def assertRefusedToAll(self, cimd: Cimdd, url: str, code: str) -> None:
        """Whatever the purpose."""
        for purpose in PURPOSES:
            found = self.assertFails(cimd.lookup(url, purpose=purpose), code)
            self.assertEqual(found["status"], 403)

    def assertKnownToAll(self, cimd: Cimdd, url: str) -> None:
        """Whatever the purpose."""
        for purpose in PURPOSES:
            cimd.known(url, purpose=purpose)

    def acts(self, cimd: Cimdd, what: str, url: str, **members: Any
             ) -> dict[str, Any]:
        """Something that must succeed."""
        answer = cimd.act(what, url, **members)
        self.assertEqual(answer.status, 200, answer.body.decode())
        found: dict[str, Any] = answer.json()
        return found

    def change(self, cimd: Cimdd, url: str, **document: Any) -> None:
        """Serve a changed document, and have it fetched."""
        self.serve(url, document=document)
        self.acts(cimd, "refresh", url)

    def redirects(self, cimd: Cimdd, url: str) -> list[str]:
        """The redirect URIs that a provider is given."""
        found: list[str] = cimd.known(url)["client"]["redirect_uris"]
        return found


class Blocks(GovernCase):
    """Denied by an administrator."""

    def test_acts_at_once_and_stays(self) -> None:
        cimd = self.start()
        url = self.client()
        self.assertKnownToAll(cimd, url)
        found = self.acts(cimd, "deny", url, reason="abuse #7")
        self.assertEqual((found["governance"], found["trust"]),
                         ("blocked", "blocked"))
        self.assertRefusedToAll(cimd, url, "CIMD_E_BLOCKED")
        for again in (cimd.crash, cimd.restart):
            again()
            self.assertRefusedToAll(cimd, url, "CIMD_E_BLOCKED")
        self.assertFetched(url, 1)
        line = cimd.lines("deny", url)[0]
        self.assertEqual(line["detail"], "abuse #7")
        row, = cimd.rows()
        self.assertEqual(row["trust"], "blocked")

    def test_every_kind_of_request(self) -> None:
        cimd = self.start(RULES + """
consumer "me" {
    uid = { 0 }
    audiences = { "https://idp.example.com/" }
}
""")
        keys = Keys(self)
        url = self.client()
        self.serve(url, document=keys.members())
        cimd.known(url)
        self.acts(cimd, "deny", url)
        self.assertRefusedToAll(cimd, url, "CIMD_E_BLOCKED")
        self.assertFails(cimd.ask(client_id=url), "CIMD_E_BLOCKED")
        answer = cimd.socket.post("/v1/assertion", {
            "client_id": url, "client_assertion":
                keys.assertion(url, "https://idp.example.com/")})
        self.assertFails(answer, "CIMD_E_BLOCKED")
        answer = cimd.socket.post("/v1/client", {
            "client_id": url, "policy": {"default": "unverified"}})
        self.assertFails(answer, "CIMD_E_BLOCKED")

    def test_of_a_stranger(self) -> None:
        cimd = self.start()
        url = self.client()
        self.acts(cimd, "deny", url)
        self.assertRefusedToAll(cimd, url, "CIMD_E_BLOCKED")
        cimd.crash()
        self.assertRefusedToAll(cimd, url, "CIMD_E_BLOCKED")
        self.assertFetched(url, 0)

    def test_while_a_fetch_is_under_way(self) -> None:
        """Also the first one, whose document would become the yardstick."""
        for mode in ("live", "pinned", "approve"):
            for cold in (False, True):
                with self.subTest(mode=mode, cold=cold):
                    self.hostile.call("reset")
                    self.denied_in_flight(self.start(updating(mode)), cold)

    def denied_in_flight(self, cimd: Cimdd, cold: bool) -> None:
        """The block comes between question and answer, and stays."""
        cimd.hold()
        url = self.client()
        if not cold:
            cimd.known(url)
            cimd.later(86400)
        self.serve(url, gate="block")
        herd = Herd(cimd)
        self.addCleanup(herd.close)
        herd.ask(url)
        self.wait_fetches(url, 1 if cold else 2)
        self.acts(cimd, "deny", url)
        self.hostile.call("release", gate="block")
        self.assertFails(herd.answers()[0], "CIMD_E_BLOCKED")
        self.assertRefusedToAll(cimd, url, "CIMD_E_BLOCKED")
        cimd.crash()
        self.assertRefusedToAll(cimd, url, "CIMD_E_BLOCKED")

    def test_is_lifted_by_an_approval(self) -> None:
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        self.acts(cimd, "deny", url)
        self.acts(cimd, "forget", url)
        self.assertRefusedToAll(cimd, url, "CIMD_E_BLOCKED")
        self.acts(cimd, "refresh", url)
        self.assertRefusedToAll(cimd, url, "CIMD_E_BLOCKED")
        self.acts(cimd, "approve", url)
        self.assertKnownToAll(cimd, url)
        cimd.crash()
        self.assertKnownToAll(cimd, url)

    def test_unblock(self) -> None:
        """Also of a client whose document is gone."""
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        self.assertFails(cimd.act("unblock", url), "CIMD_E_STATE")
        self.acts(cimd, "deny", url)
        self.serve(url, do="410")
        self.assertFails(cimd.act("refresh", url), "CIMD_E_GONE")
        self.assertRefusedToAll(cimd, url, "CIMD_E_BLOCKED")
        self.acts(cimd, "unblock", url)
        cimd.crash()
        self.assertFails(cimd.lookup(url), "CIMD_E_GONE")
        self.serve(url, do="good")
        cimd.later(60)
        self.assertKnownToAll(cimd, url)

    def test_of_what_no_rule_admits(self) -> None:
        """A block of an address or odd name is taken, a bad URL is not."""
        cimd = self.start()
        self.acts(cimd, "deny", "https://10.0.0.1/x")
        for url in ("http://good.hostile.example.net/x", "no-url"):
            answer = cimd.act("deny", url)
            self.assertIn(answer.json()["code"],
                          ("CIMD_E_URL", "CIMD_E_NOT_CIMD"))


class Pending(GovernCase):
    """trust = pending: somebody has to look first."""

    def test_approve(self) -> None:
        cimd = self.start(updating("live", "pending"))
        url = self.client()
        self.assertFails(cimd.lookup(url), "CIMD_E_PENDING")
        shown = cimd.show(url).json()
        seen = shown["live"]["document_sha256"]
        answer = cimd.act("approve", url, document_sha256="0" * 64)
        self.assertFails(answer, "CIMD_E_STATE")
        self.assertRefusedToAll(cimd, url, "CIMD_E_PENDING")
        found = self.acts(cimd, "approve", url, document_sha256=seen)
        self.assertEqual(found["governance"], "approved")
        for again in (lambda: None, cimd.crash, cimd.restart):
            again()
            self.assertKnownToAll(cimd, url)
            decision = cimd.known(url)["decision"]
            self.assertEqual(decision["trust"], "trusted")
        self.assertFetched(url, 1)
        self.assertEqual(len(cimd.lines("approve", url)), 2)

    def test_a_changed_document_is_not_approved_unseen(self) -> None:
        cimd = self.start(updating("live", "pending"))
        url = self.client()
        cimd.lookup(url)
        seen = cimd.show(url).json()["live"]["document_sha256"]
        self.change(cimd, url, client_name="Other")
        answer = cimd.act("approve", url, document_sha256=seen)
        self.assertFails(answer, "CIMD_E_STATE", "changed")

    def test_nothing_to_approve(self) -> None:
        cimd = self.start(updating("live", "pending"))
        url = self.client()
        for what in ("approve", "pin"):
            self.assertFails(cimd.act(what, url), "CIMD_E_NOT_STORED")
        answer = cimd.admin.post(f"/v1/clients/{short_id(url)}/approve")
        self.assertFails(answer, "CIMD_E_NOT_STORED")

    def test_forget_is_pending_again(self) -> None:
        cimd = self.start(updating("live", "pending"))
        url = self.client()
        cimd.lookup(url)
        self.acts(cimd, "approve", url)
        self.assertKnownToAll(cimd, url)
        self.acts(cimd, "forget", url)
        self.assertFails(cimd.lookup(url, purpose="display"),
                         "CIMD_E_PENDING")
        self.assertFails(cimd.lookup(url), "CIMD_E_PENDING")
        self.assertFetched(url, 2)
        cimd.crash()
        self.assertRefusedToAll(cimd, url, "CIMD_E_PENDING")


class Forgetting(GovernCase):
    """What is forgotten is asked for again."""

    def test_forget(self) -> None:
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        found = self.acts(cimd, "forget", url)
        self.assertIs(found["forgotten"], True)
        for again in (lambda: None, cimd.crash):
            again()
            self.assertFails(cimd.lookup(url, purpose="display"),
                             "CIMD_E_NOT_STORED")
            self.assertEqual(cimd.show(url).status, 503)
        cimd.known(url, purpose="token")
        self.assertFetched(url, 2)
        found = self.acts(cimd, "forget", self.client())
        self.assertIs(found["forgotten"], False)

    def test_refresh(self) -> None:
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        self.change(cimd, url, client_name="New")
        self.assertEqual(cimd.known(url)["display"]["client_name"], "New")
        self.assertFetched(url, 2)
        self.serve(url, do="503")
        self.assertFails(cimd.act("refresh", url), "CIMD_E_SERVER")
        self.assertEqual(cimd.known(url)["display"]["client_name"], "New")

    def test_refresh_obeys_policy(self) -> None:
        cimd = self.start()
        url = "https://other.hostile.example.net/good/x"
        self.assertFails(cimd.act("refresh", url), "CIMD_E_POLICY")
        self.assertFetched(url, 0)

    def test_names(self) -> None:
        """By short id, by client_id, by both, which must agree."""
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        short = short_id(url)
        answer = cimd.admin.get(f"/v1/clients/{short}")
        self.assertEqual(answer.json()["client_id"], url)
        answer = cimd.admin.post(f"/v1/clients/{short}/deny",
                                 {"client_id": self.client()})
        self.assertFails(answer, "CIMD_E_REQUEST", "short")
        answer = cimd.admin.get(f"/v1/clients/{short[:-1]}x")
        self.assertFails(answer, "CIMD_E_NOT_STORED")

    def test_only_over_the_admin_socket(self) -> None:
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        short = short_id(url)
        for what in ("approve", "deny", "pin", "refresh", "forget", "diff",
                     "unblock"):
            answer = cimd.socket.post(f"/v1/clients/{short}/{what}")
            self.assertFails(answer, "CIMD_E_CONSUMER")
            self.assertEqual(answer.status, 403)
        for target in (f"/v1/clients/{short}", "/v1/status", "/v1/audit"):
            self.assertFails(cimd.socket.get(target), "CIMD_E_CONSUMER")
        for target in ("/v1/reload", "/v1/policy/test"):
            self.assertFails(cimd.socket.post(target, {"client_id": url}),
                             "CIMD_E_CONSUMER")
        self.assertKnownToAll(cimd, url)


class Updates(GovernCase):
    """pinned and approve: additions wait, removals act at once."""

    def modes(self) -> list[tuple[str, Cimdd, str]]:
        """A known client under each way to hold a document."""
        found = []
        for mode in ("pinned", "approve"):
            cimd = self.start(updating(mode))
            url = self.client()
            cimd.known(url)
            found.append((mode, cimd, url))
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        self.acts(cimd, "pin", url)
        found.append(("pin", cimd, url))
        return found

    def test_what_was_added_waits(self) -> None:
        for mode, cimd, url in self.modes():
            with self.subTest(mode=mode):
                before = cimd.known(url)
                self.change(cimd, url, client_name="Evil", redirect_uris=[
                    LOOPBACK, ORIGIN, MORE])
                for again in (lambda: None, cimd.crash):
                    again()
                    found = cimd.known(url, redirect_uri=MORE)
                    self.assertEqual(found["client"], before["client"])
                    self.assertEqual(found["source"]["state"], "pinned")
                    self.assertIs(found["decision"]["redirect_uri_ok"],
                                  False)
                    self.assertIn("update_waits",
                                  found["decision"]["warnings"])
                self.assertIs(cimd.rows()[0]["update_waits"], True)

    def test_stale_and_waiting(self) -> None:
        """One does not hide the other."""
        for mode, cimd, url in self.modes():
            with self.subTest(mode=mode):
                self.change(cimd, url, client_name="Evil")
                cimd.later(86400)
                self.serve(url, do="503")
                found = cimd.known(url, purpose="token")
                self.assertEqual(found["source"]["state"], "pinned")
                self.assertLessEqual({"stale", "update_waits"},
                                     set(found["decision"]["warnings"]))

    def test_what_was_removed_acts(self) -> None:
        for mode, cimd, url in self.modes():
            with self.subTest(mode=mode):
                self.change(cimd, url, redirect_uris=[ORIGIN])
                for again in (lambda: None, cimd.crash):
                    again()
                    self.assertEqual(self.redirects(cimd, url), [ORIGIN])

    def test_both(self) -> None:
        for mode, cimd, url in self.modes():
            with self.subTest(mode=mode):
                self.change(cimd, url, redirect_uris=[ORIGIN, MORE],
                            client_name="Evil")
                found = cimd.known(url)
                self.assertEqual(found["client"]["redirect_uris"], [ORIGIN])
                self.assertEqual(found["client"]["client_name"],
                                 "A lab client")

    def test_nothing_is_left(self) -> None:
        for mode, cimd, url in self.modes():
            with self.subTest(mode=mode):
                self.change(cimd, url, redirect_uris=[MORE])
                for again in (lambda: None, cimd.crash):
                    again()
                    for purpose in PURPOSES:
                        answer = cimd.lookup(url, purpose=purpose)
                        self.assertEqual(answer.status, 403, answer.body)

    def test_the_whole_document_is_gone(self) -> None:
        for mode, cimd, url in self.modes():
            with self.subTest(mode=mode):
                self.serve(url, do="410")
                self.assertFails(cimd.act("refresh", url), "CIMD_E_GONE")
                for again in (lambda: None, cimd.crash):
                    again()
                    self.assertFails(cimd.lookup(url, purpose="display"),
                                     "CIMD_E_NOT_STORED")
                # It comes back changed: the old approval still counts.
                self.serve(url, document={"redirect_uris": [ORIGIN, MORE]})
                cimd.later(60)
                self.assertEqual(self.redirects(cimd, url), [ORIGIN])

    def test_it_comes_back_as_it_was(self) -> None:
        for mode, cimd, url in self.modes():
            with self.subTest(mode=mode):
                before = cimd.known(url)
                self.change(cimd, url, redirect_uris=[ORIGIN, MORE])
                self.change(cimd, url)
                found = cimd.known(url)
                self.assertEqual(found["client"], before["client"])
                self.assertEqual(found["source"]["state"], "fresh")
                self.assertEqual(found["decision"]["warnings"], [])

    def test_approve_what_waits(self) -> None:
        for mode, cimd, url in self.modes():
            with self.subTest(mode=mode):
                self.change(cimd, url, redirect_uris=[ORIGIN, MORE])
                diff = cimd.act("diff", url).json()
                self.assertEqual(diff["severity"], "redirect_uris")
                self.assertEqual(diff["changes"], {"redirect_uris": {
                    "removed": [LOOPBACK], "added": [MORE]}})
                self.acts(cimd, "pin" if mode == "pin" else "approve", url)
                for again in (lambda: None, cimd.crash):
                    again()
                    found = cimd.known(url)
                    self.assertEqual(found["client"]["redirect_uris"],
                                     [ORIGIN, MORE])
                    self.assertEqual(found["source"]["state"], "fresh")
                answer = cimd.act("diff", url)
                self.assertEqual(answer.json()["changes"], {})

    def test_keys(self) -> None:
        one, two = Keys(self), Keys(self, kid="two")
        for mode in ("pinned", "approve"):
            with self.subTest(mode=mode):
                cimd = self.start(updating(mode))
                url = self.client()
                self.serve(url, document=one.members(two))
                cimd.known(url)
                self.change(cimd, url, **one.members())
                self.assertEqual(self.kids(cimd, url), [one.kid])
                self.change(cimd, url, **one.members(two))
                self.assertEqual(self.kids(cimd, url), [one.kid, two.kid])
                evil = Keys(self, kid="evil")
                self.change(cimd, url, **one.members(evil))
                self.assertEqual(self.kids(cimd, url), [one.kid])
                self.change(cimd, url, **evil.members())
                self.assertNotEqual(cimd.lookup(url).status, 200)

    def kids(self, cimd: Cimdd, url: str) -> list[str]:
        """Ids of the keys that a provider is given."""
        found = cimd.known(url)["client"]["jwks"]["keys"]
        return [key["kid"] for key in found]

    def test_live_takes_everything(self) -> None:
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        self.acts(cimd, "approve", url)
        self.change(cimd, url, redirect_uris=[MORE])
        found = cimd.known(url)
        self.assertEqual(found["client"]["redirect_uris"], [MORE])
        self.assertEqual(found["decision"]["warnings"], [])


class Changes(GovernCase):
    """Every changed document is classified and audited."""

    def test_severity(self) -> None:
        one, two = Keys(self), Keys(self, kid="two")
        other: dict[str, Any] = {"contacts": ["a@example.net"]}
        display: dict[str, Any] = {"client_name": "Other", **other}
        method: dict[str, Any] = {
            "token_endpoint_auth_methods_supported":
                ["none", "private_key_jwt"],
            "token_endpoint_auth_method": None, **display}
        redirects: dict[str, Any] = {"redirect_uris": [MORE]}
        base = one.members()
        for severity, change in (
                ("other", other), ("display", display),
                ("auth_method", method),
                ("redirect_uris", {**method, **redirects}),
                ("keys", {**redirects, **two.members()})):
            with self.subTest(severity=severity):
                cimd = self.start()
                url = self.client()
                self.serve(url, document=base)
                cimd.known(url)
                self.change(cimd, url, **{**base, **change})
                line, = cimd.lines("change", url)
                self.assertEqual(line["detail"], severity)
                self.assertEqual(line["rule"], "lab")
                self.change(cimd, url, **{**base, **change})
                self.assertEqual(len(cimd.lines("change", url)), 1)

    def test_spelling_is_no_change(self) -> None:
        """Other bytes, the same meaning: for a provider nothing changed."""
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        self.change(cimd, url, unknown_member=[1, 2, 3])
        self.assertEqual(cimd.lines("change", url), [])
