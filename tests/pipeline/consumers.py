# SPDX-License-Identifier: Apache-2.0
"""Who asks: consumers by uid and group, their clients, realms' policies."""

from __future__ import annotations

import json
import os
import threading
import traceback
from typing import Any, Callable

import labtest
from cimdd import Case, Cimdd
from unixhttp import Response, UnixHTTP

IDP, MAIL, BOTH, STRANGER = 4001, 4002, 4003, 4004
MAIL_GROUP = 4100
GOOD = "https://good.hostile.example.net/good/"

TWO = f"""
client "a" {{
    match = {{ "{GOOD}a" }}
    trust = trusted
}}
client "b" {{
    match = {{ "{GOOD}b" }}
    trust = unverified
}}
client "evil" {{
    match = {{ "{GOOD}evil" }}
    trust = blocked
}}
consumer "idp" {{
    uid = {{ {IDP}, {BOTH} }}
    clients = {{ "a" }}
}}
consumer "mail" {{
    gid = {{ {MAIL_GROUP} }}
}}
"""

SERVICES = TWO[:TWO.index("consumer")] + f"""
consumer "imap" {{
    service = {{ "imap" }}
    clients = {{ "b" }}
}}
consumer "web" {{
    service = {{ "web", "nginx" }}
    uid = {{ {IDP} }}
    gid = {{ {MAIL_GROUP} }}
    clients = {{ "a" }}
}}
consumer "both" {{
    uid = {{ {BOTH} }}
}}
"""

DELEGATE = f"""
deny_suffix = {{ "denied.hostile.example.net" }}
client "a" {{
    match = {{ "{GOOD}a" }}
    trust = trusted
}}
client "evil" {{
    match = {{ "{GOOD}evil" }}
    trust = blocked
}}
consumer "idp" {{
    uid = {{ 0 }}
    delegate = yes
}}
"""


def realm(*urls: str, **more: Any) -> dict[str, Any]:
    """A realm's policy that admits these."""
    return {"client": [{"name": "realm", "match": list(urls), **more}]}


class ConsumerCase(Case):
    """Asks as somebody else."""

    def open_doors(self, cimd: Cimdd) -> None:
        """Let every user of the machine connect."""
        os.chmod(cimd.folder, 0o711)
        os.chmod(cimd.path, 0o666)

    def become(self, uid: int, groups: list[int],
               ask: Callable[[], Response]) -> Response:
        """The answer that a process of this user and groups gets."""
        here, there = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 77
                os.setgroups(groups)
                os.setgid(uid)
                os.setuid(uid)
                status = 1
                answer = ask()
                with os.fdopen(there, "w", encoding="utf-8") as out:
                    json.dump([answer.status, answer.headers,
                               answer.body.decode()], out)
                status = 0
            except OSError as exc:
                traceback.print_exception(exc)
            finally:
                os._exit(status)
        os.close(there)
        with os.fdopen(here, encoding="utf-8") as src:
            text = src.read()
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 77:
            self.skipTest("only root can ask as other users")
        found = json.loads(text)
        return Response(found[0], found[1], found[2].encode())

    def as_user(self, cimd: Cimdd, uid: int, url: str,
                groups: list[int] | None = None, **parameters: str
                ) -> Response:
        """A lookup by another user."""
        return self.become(uid, groups or [], lambda: UnixHTTP(
            cimd.path).lookup(url, **parameters))


class Who(ConsumerCase):
    """Consumers are told apart by SO_PEERCRED."""

    def setUp(self) -> None:
        super().setUp()
        self.cimd = self.start(TWO)
        self.open_doors(self.cimd)

    def test_by_uid(self) -> None:
        answer = self.as_user(self.cimd, IDP, GOOD + "a")
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.json()["decision"]["rule"], "a")
        answer = self.as_user(self.cimd, IDP, GOOD + "b")
        self.assertFails(answer, "CIMD_E_CONSUMER", "idp")
        self.assertFetched(GOOD + "b", 0)

    def test_by_group(self) -> None:
        for url in ("a", "b"):
            answer = self.as_user(self.cimd, MAIL, GOOD + url,
                                  [MAIL_GROUP])
            self.assertEqual(answer.status, 200, answer.body)
        answer = self.as_user(self.cimd, MAIL_GROUP, GOOD + "a")
        self.assertEqual(answer.status, 200, "the primary group counts")

    def test_uid_before_group(self) -> None:
        answer = self.as_user(self.cimd, BOTH, GOOD + "b", [MAIL_GROUP])
        self.assertFails(answer, "CIMD_E_CONSUMER", "idp")

    def test_strangers(self) -> None:
        who: list[tuple[int, list[int]]] = [
            (STRANGER, []), (STRANGER, [4101]), (0, [])]
        for uid, groups in who:
            answer = self.as_user(self.cimd, uid, GOOD + "a", groups)
            self.assertFails(answer, "CIMD_E_CONSUMER", str(uid))
            self.assertEqual(answer.status, 403)
        self.assertFetched(GOOD + "a", 0)

    def test_nobody_is_let_in_by_a_name(self) -> None:
        """What somebody says of himself does not count."""
        for member, value, code in (("service", "idp", "CIMD_E_CONSUMER"),
                                    ("consumer", "idp", "CIMD_E_REQUEST"),
                                    ("uid", IDP, "CIMD_E_REQUEST")):
            request = {"client_id": GOOD + "a", member: value}
            answer = self.become(STRANGER, [], lambda body=request: UnixHTTP(
                self.cimd.path).post("/v1/client", body))
            self.assertFails(answer, code)

    def test_service_of_root(self) -> None:
        self.cimd.configure(SERVICES)
        self.assertEqual(self.cimd.reload().status, 200)
        for service, rule in (("imap", "b"), ("web", "a")):
            answer = self.cimd.ask(client_id=GOOD + rule, service=service)
            self.assertEqual(answer.status, 200, answer.body)
            answer = self.cimd.lookup(GOOD + rule, service=service)
            self.assertEqual(answer.status, 200, answer.body)
        self.assertFails(self.cimd.lookup(GOOD + "a", service="imap"),
                         "CIMD_E_CONSUMER", "imap")
        self.assertFails(self.cimd.lookup(GOOD + "a"), "CIMD_E_CONSUMER")
        self.assertFails(self.cimd.lookup(GOOD + "a", service="ssh"),
                         "CIMD_E_CONSUMER", "ssh")

    def test_service_of_others(self) -> None:
        """Who is not root needs the section's word for it."""
        self.cimd.configure(SERVICES)
        self.assertEqual(self.cimd.reload().status, 200)
        answer = self.as_user(self.cimd, IDP, GOOD + "a", service="web")
        self.assertEqual(answer.status, 200, answer.body)
        answer = self.as_user(self.cimd, MAIL, GOOD + "a", [MAIL_GROUP],
                              service="web")
        self.assertEqual(answer.status, 200, answer.body)
        for uid, service in ((IDP, "imap"), (STRANGER, "web"),
                             (STRANGER, "imap"), (BOTH, "imap")):
            answer = self.as_user(self.cimd, uid, GOOD + "a",
                                  service=service)
            self.assertFails(answer, "CIMD_E_CONSUMER", service)
        # One that no section names is not taken for the user alone.
        self.assertFails(self.as_user(self.cimd, BOTH, GOOD + "a",
                                      service="wbe"),
                         "CIMD_E_CONSUMER", '"wbe"')
        # Without the name of a service it is the user who counts.
        answer = self.as_user(self.cimd, IDP, GOOD + "a")
        self.assertFails(answer, "CIMD_E_CONSUMER")
        answer = self.as_user(self.cimd, BOTH, GOOD + "a")
        self.assertEqual(answer.status, 200, answer.body)

    def test_rows_of_a_consumer(self) -> None:
        """Each sees its own activity, an administrator sees all."""
        self.as_user(self.cimd, IDP, GOOD + "a")
        for _ in range(3):
            self.as_user(self.cimd, MAIL, GOOD + "a", [MAIL_GROUP])
        self.as_user(self.cimd, MAIL, GOOD + "b", [MAIL_GROUP])
        rows = {(r["consumer"], r["client_id"][-1]): r["lookups"]
                for r in self.cimd.rows()}
        self.assertEqual(rows, {("idp", "a"): 1, ("mail", "a"): 3,
                                ("mail", "b"): 1})
        answer = self.become(IDP, [], lambda: UnixHTTP(
            self.cimd.path).get("/v1/clients"))
        self.assertEqual([r["consumer"] for r in answer.json()["clients"]],
                         ["idp"])
        answer = self.become(STRANGER, [], lambda: UnixHTTP(
            self.cimd.path).get("/v1/clients"))
        self.assertFails(answer, "CIMD_E_CONSUMER")

    def test_reload_changes_who(self) -> None:
        self.cimd.configure(TWO.replace(str(IDP), str(STRANGER)))
        self.assertEqual(self.cimd.reload().status, 200)
        answer = self.as_user(self.cimd, STRANGER, GOOD + "a")
        self.assertEqual(answer.status, 200, answer.body)
        answer = self.as_user(self.cimd, IDP, GOOD + "a")
        self.assertFails(answer, "CIMD_E_CONSUMER")


class Tenants(ConsumerCase):
    """The first document of each tenant is the yardstick of that one."""

    def setUp(self) -> None:
        super().setUp()
        self.url = self.client()

    def ask(self, cimd: Cimdd, tenant: str, update: str = "pinned"
            ) -> tuple[str, int]:
        """State and number of redirect URIs that a tenant is given."""
        answer = cimd.ask(client_id=self.url, tenant=tenant,
                          policy=realm(self.url, update=update))
        self.assertEqual(answer.status, 200, answer.body.decode())
        return self.given(answer.json())

    def given(self, found: dict[str, Any]) -> tuple[str, int]:
        """What an answer says of it."""
        return (found["source"]["state"],
                len(found["client"]["redirect_uris"]))

    def change(self, cimd: Cimdd, uris: int, first: int = 0) -> None:
        """From now on, the document lists so many redirect URIs."""
        self.serve(self.url, document={"redirect_uris": [
            f"https://good.hostile.example.net/{n}"
            for n in range(first, uris)]})
        cimd.later(86400 + 60)

    def test_each_has_its_own(self) -> None:
        for mode, other in (("pinned", "approve"), ("approve", "pinned")):
            with self.subTest(mode=mode):
                self.url = self.client()
                cimd = self.start(DELEGATE)
                self.change(cimd, 1)
                self.assertEqual(self.ask(cimd, "one", mode), ("fresh", 1))
                self.change(cimd, 2)
                self.assertEqual(self.ask(cimd, "two", other), ("fresh", 2))
                self.assertEqual(self.ask(cimd, "", mode), ("fresh", 2))
                self.change(cimd, 3)
                for again in (lambda: None, cimd.restart, cimd.crash):
                    again()
                    self.assertEqual(self.ask(cimd, "one", mode),
                                     ("pinned", 1))
                    self.assertEqual(self.ask(cimd, "two", other),
                                     ("pinned", 2))
                    self.assertEqual(self.ask(cimd, "", mode), ("pinned", 2))
                    self.assertEqual(self.ask(cimd, "new", "live"),
                                     ("fresh", 3))
                self.assertIs(cimd.rows()[0]["update_waits"], True)

    def test_what_was_removed_acts_for_all(self) -> None:
        cimd = self.start(DELEGATE)
        self.change(cimd, 2)
        self.ask(cimd, "one")
        self.change(cimd, 3)
        self.ask(cimd, "two")
        self.change(cimd, 3, first=1)
        self.assertEqual(self.ask(cimd, "one"), ("pinned", 1))
        self.assertEqual(self.ask(cimd, "two"), ("pinned", 2))

    def test_an_administrator_decides_for_all(self) -> None:
        for deed in ("approve", "pin"):
            with self.subTest(deed=deed):
                self.url = self.client()
                cimd = self.start(DELEGATE)
                self.change(cimd, 1)
                self.ask(cimd, "one")
                self.change(cimd, 2)
                self.ask(cimd, "two")
                shown = cimd.show(self.url).json()
                self.assertEqual(
                    [(b["tenant"], b["update_waits"])
                     for b in shown["baselines"]],
                    [("idp/one", True), ("idp/two", False)])
                found = cimd.act("diff", self.url).json()
                self.assertEqual(found["severity"], "redirect_uris")
                self.assertEqual(found["first_sha256"],
                                 shown["baselines"][0]["document_sha256"])
                self.assertNotIn("approved_sha256", found)
                self.assertEqual(cimd.act(deed, self.url).status, 200)
                self.assertNotIn("baselines", cimd.show(self.url).json())
                self.change(cimd, 3)
                for again in (lambda: None, cimd.crash):
                    again()
                    for tenant in ("one", "two", "new"):
                        self.assertEqual(self.ask(cimd, tenant),
                                         ("pinned", 2))
                cimd.act("forget", self.url)
                self.assertEqual(self.ask(cimd, "one"), ("fresh", 3))

    def test_the_machine_has_its_own(self) -> None:
        """And where its rule holds as well, it is the machine's that
        counts: a realm can only be stricter."""
        rules = DELEGATE.replace(GOOD + "a", self.url).replace(
            "trust = trusted", "trust = trusted\n    update = approve")
        cimd = self.start(rules)
        self.change(cimd, 1)
        self.assertEqual(self.ask(cimd, "one"), ("fresh", 1))
        self.change(cimd, 2)
        self.assertEqual(self.given(cimd.known(self.url)), ("fresh", 2))
        self.change(cimd, 3)
        self.assertEqual(self.ask(cimd, "one"), ("pinned", 1))
        self.assertEqual(self.given(cimd.known(self.url)), ("pinned", 2))
        cimd.configure(rules.replace("delegate = yes", "delegate = no"))
        self.assertEqual(cimd.reload().status, 200)
        for tenant in ("one", "new"):
            self.assertEqual(self.ask(cimd, tenant), ("pinned", 2))

    def test_blocked_and_unblocked(self) -> None:
        cimd = self.start(DELEGATE)
        self.change(cimd, 1)
        self.ask(cimd, "one")
        cimd.act("deny", self.url)
        self.change(cimd, 2)
        self.assertFails(cimd.ask(
            client_id=self.url, tenant="one",
            policy=realm(self.url, update="pinned")), "CIMD_E_BLOCKED")
        cimd.act("unblock", self.url)
        self.assertEqual(self.ask(cimd, "one"), ("pinned", 1))
        cimd.act("deny", self.url)
        cimd.act("forget", self.url)
        cimd.act("unblock", self.url)
        self.assertEqual(self.ask(cimd, "one"), ("fresh", 2))

    def test_names(self) -> None:
        """128 bytes without control characters."""
        cimd = self.start(DELEGATE)
        policy = realm(self.url)
        for name in ("n" * 129, "a\nb", "\u007f"):
            answer = cimd.ask(client_id=self.url, tenant=name, policy=policy)
            self.assertFails(answer, "CIMD_E_REQUEST", "tenant")
            self.assertEqual(answer.status, 400)
        self.assertEqual(self.ask(cimd, "n" * 128), ("fresh", 2))
        self.assertEqual(self.ask(cimd, "\u5370 /"), ("fresh", 2))


class Realms(ConsumerCase):
    """A realm's own policy: an allow-list, or only narrower."""

    def test_delegate(self) -> None:
        cimd = self.start(DELEGATE)
        url = GOOD + "new"
        self.assertFails(cimd.lookup(url), "CIMD_E_POLICY")
        answer = cimd.ask(client_id=url, policy=realm(url, trust="trusted"))
        self.assertEqual(answer.status, 200, answer.body)
        decision = answer.json()["decision"]
        self.assertEqual((decision["rule"], decision["trust"]),
                         ("realm", "trusted"))
        answer = cimd.ask(client_id=GOOD + "a", policy=realm(url))
        self.assertFails(answer, "CIMD_E_POLICY", "realm")
        text = json.dumps(realm(url, trust="unverified"))
        answer = cimd.ask(client_id=url, policy=text)
        self.assertEqual(answer.json()["decision"]["trust"], "unverified")
        self.assertFails(cimd.lookup(url), "CIMD_E_POLICY")
        answer = cimd.ask(client_id=url, policy={"default": "unverified"})
        self.assertEqual(answer.json()["decision"]["rule"], "default")
        self.assertFetched(url, 1)
        row, = [r for r in cimd.rows() if r["client_id"] == url]
        self.assertEqual(row["trust"], "delegated")
        shown = cimd.show(url).json()
        self.assertEqual(shown["trust"], "delegated")
        self.assertEqual(cimd.act("deny", url).status, 200)
        shown = cimd.show(url).json()
        self.assertEqual(shown["trust"], "blocked")

    def test_the_machine_stands_above(self) -> None:
        cimd = self.start(DELEGATE)
        for url, code in (
                (GOOD + "evil", "CIMD_E_BLOCKED"),
                ("https://x.denied.hostile.example.net/good/x",
                 "CIMD_E_BLOCKED"),
                ("https://10.0.0.1/x", "CIMD_E_ADDRESS"),
                ("https://localhost/x", "CIMD_E_CONFIG"),
                ("https://good.hostile.example.net:8443/good/x",
                 "CIMD_E_PORT")):
            with self.subTest(url=url):
                policy = realm(url, trust="trusted")
                policy["default"] = "unverified"
                answer = cimd.ask(client_id=url, policy=policy)
                self.assertFails(answer, code)
                self.assertFetched(url, 0)
        blocked = GOOD + "new"
        cimd.act("deny", blocked)
        answer = cimd.ask(client_id=blocked, policy=realm(blocked))
        self.assertFails(answer, "CIMD_E_BLOCKED")

    def test_only_the_machine_may(self) -> None:
        """Settings and consumers are no realm's business."""
        cimd = self.start(DELEGATE)
        for member, value in (("special_names", ["localhost"]),
                              ("development_loopback", True),
                              ("ca_file", "/x"), ("state_dir", ""),
                              ("consumer", []), ("stale_token", 9)):
            with self.subTest(member=member):
                answer = cimd.ask(client_id=GOOD + "a",
                                  policy={member: value})
                self.assertFails(answer, "CIMD_E_CONFIG", member)

    def test_without_delegate_it_narrows(self) -> None:
        cimd = self.start(DELEGATE.replace("delegate = yes",
                                           "delegate = no"))
        url, other = GOOD + "a", GOOD + "other"
        answer = cimd.ask(client_id=other, policy=realm(other))
        self.assertFails(answer, "CIMD_E_POLICY")
        self.assertFetched(other, 0)
        answer = cimd.ask(client_id=url, policy=realm(other))
        self.assertFails(answer, "CIMD_E_POLICY", "realm")
        answer = cimd.ask(client_id=url, redirect_uri="http://127.0.0.1:9/"
                          "callback", policy=realm(
                              url, trust="unverified",
                              redirects=["same-origin"]))
        self.assertEqual(answer.status, 200, answer.body)
        found = answer.json()
        self.assertEqual(found["decision"]["trust"], "unverified")
        self.assertIs(found["decision"]["redirect_uri_ok"], False)
        self.assertEqual(found["client"]["redirect_uris"],
                         ["https://good.hostile.example.net/callback"])
        answer = cimd.ask(client_id=url, policy=realm(
            url, auth=["private_key_jwt"]))
        self.assertFails(answer, "CIMD_E_AUTH_METHOD")
        answer = cimd.ask(client_id=url, policy={
            "default": "unverified", "deny": [url]})
        self.assertFails(answer, "CIMD_E_BLOCKED")

    def test_no_common_method_error(self) -> None:
        cimd = self.start(DELEGATE)
        for word in ("unauthorized_client", "invalid_client"):
            policy = realm(GOOD + "a", auth=["private_key_jwt"])
            policy["no_common_method_error"] = word
            answer = cimd.ask(client_id=GOOD + "a", policy=policy)
            found = self.assertFails(answer, "CIMD_E_AUTH_METHOD")
            self.assertEqual(found["error"], word)

    def test_one_realm_refuses_another_takes_it(self) -> None:
        """Who waits for the same fetch is judged by rules of its own."""
        cimd = self.start(DELEGATE).hold()
        url = GOOD + "shared"
        strict = realm(url, auth=["private_key_jwt"])
        answer = cimd.ask(client_id=url, policy=strict)
        self.assertFails(answer, "CIMD_E_AUTH_METHOD")
        answer = cimd.ask(client_id=url, policy=realm(url))
        self.assertEqual(answer.status, 200, answer.body)
        self.assertFetched(url, 1)
        url = GOOD + "at-once"
        strict = realm(url, auth=["private_key_jwt"])
        self.serve(url, gate="realms")
        answers: list[Response] = []
        threads = [threading.Thread(target=lambda p=policy: answers.append(
            cimd.ask(client_id=url, policy=p)))
            for policy in (strict, realm(url))]
        threads[0].start()
        self.wait_fetches(url, 1)
        threads[1].start()
        labtest.wait_until(lambda: cimd.status()["fetches"]["joined"] == 1,
                           what="the second one")
        self.hostile.call("release", gate="realms")
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(a.status for a in answers), [200, 403])
        self.assertFetched(url, 1)

    def test_many_realms(self) -> None:
        """More policies than are kept parsed."""
        cimd = self.start(DELEGATE)
        for _ in range(2):
            for n in range(40):
                url = f"{GOOD}r{n}"
                answer = cimd.ask(client_id=url, policy=realm(url))
                self.assertEqual(answer.status, 200, answer.body)
                answer = cimd.ask(client_id=url,
                                  policy=realm(f"{GOOD}r{n + 1}"))
                self.assertFails(answer, "CIMD_E_POLICY")

    def test_update_mode_of_a_realm(self) -> None:
        cimd = self.start(DELEGATE)
        url = GOOD + "a"
        policy = realm(url, update="approve")
        before = cimd.ask(client_id=url, policy=policy).json()
        self.serve(url, document={"client_name": "New"})
        self.assertEqual(cimd.act("refresh", url).status, 200)
        found = cimd.ask(client_id=url, policy=policy).json()
        self.assertEqual(found["client"], before["client"])
        self.assertIn("update_waits", found["decision"]["warnings"])
        self.assertEqual(cimd.known(url)["display"]["client_name"], "New")


class Metadata(ConsumerCase):
    """What a provider must publish follows from the rules."""

    def test_metadata(self) -> None:
        cimd = self.start(TWO)
        found = cimd.socket.get("/v1/metadata").json()["metadata"]
        self.assertIs(found["client_id_metadata_document_supported"], True)
        self.assertEqual(found["token_endpoint_auth_methods_supported"],
                         ["none", "private_key_jwt"])
        self.assertEqual(found["code_challenge_methods_supported"], ["S256"])
        cimd.configure(f"""
client "a" {{
    match = {{ "{GOOD}a" }}
    auth = {{ "private_key_jwt" }}
}}
""")
        cimd.reload()
        found = cimd.socket.get("/v1/metadata").json()["metadata"]
        self.assertEqual(found["token_endpoint_auth_methods_supported"],
                         ["private_key_jwt"])
        self.assertIn("ES256", found[
            "token_endpoint_auth_signing_alg_values_supported"])


class PolicyTest(ConsumerCase):
    """POST /v1/policy/test says which rule, and fetches nothing."""

    def ask_test(self, cimd: Cimdd, **members: Any) -> dict[str, Any]:
        """The answer of a dry run."""
        answer = cimd.admin.post("/v1/policy/test", members)
        self.assertEqual(answer.status, 200, answer.body)
        found: dict[str, Any] = answer.json()
        return found

    def test_dry_run(self) -> None:
        cimd = self.start(TWO)
        found = self.ask_test(cimd, client_id=GOOD + "a")
        self.assertEqual((found["admitted"], found["rule"], found["trust"],
                          found["stored"]), (True, "a", "trusted", False))
        self.assertRegex(found["rules"][0]["where"], rf"^{cimd.conf}:\d+$")
        found = self.ask_test(cimd, client_id=GOOD + "b", consumer="idp")
        self.assertEqual((found["admitted"], found["code"]),
                         (False, "CIMD_E_CONSUMER"))
        found = self.ask_test(cimd, client_id=GOOD + "none")
        self.assertEqual(found["code"], "CIMD_E_POLICY")
        found = self.ask_test(cimd, client_id=GOOD + "a", consumer="nobody")
        self.assertEqual(found["code"], "CIMD_E_CONSUMER")
        self.assertFetched(GOOD + "a", 0)

    def test_with_a_stored_document(self) -> None:
        cimd = self.start(DELEGATE)
        cimd.known(GOOD + "a")
        for redirect, right in (("http://127.0.0.1:1/callback", True),
                                ("http://127.0.0.1:1/other", False)):
            found = self.ask_test(cimd, client_id=GOOD + "a",
                                  redirect_uri=redirect)
            self.assertEqual((found["stored"], found["redirect_uri_ok"]),
                             (True, right))
        self.assertEqual(cimd.rows()[0]["lookups"], 1, "not counted")
