# SPDX-License-Identifier: Apache-2.0
"""Logins of real clients' documents, and what users see of others."""

from __future__ import annotations

import os
import urllib.parse
from typing import Any

import host
import jose
import labtest
from flow import ASSERTION_TYPE, Flow, claims
from keys import Keys

__all__ = ["Consent", "Keyed", "Logins", "Redirects", "Refusals"]

MCP, OTHER = "https://mcp.example.com/mcp", "https://api.example.com/"
LOOPBACK = "http://127.0.0.1:54321/callback"


class Logins(host.Case):
    """From the authorization request to a refreshed token."""

    def test_claude_code(self) -> None:
        realm = self.realm(clients=["claude-code"])
        flow = realm.flow("claude-code")
        tokens = flow.run()
        found = claims(tokens["access_token"])
        self.assertEqual(found["azp"], flow.client_id)
        answer = flow.refresh(tokens)
        self.assertEqual(answer.status, 200, answer.body)

    def test_vscode_on_another_port(self) -> None:
        realm = self.realm(clients=["vscode"])
        self.assertIn("access_token", realm.flow("vscode").run())

    def test_claude_on_its_own_host(self) -> None:
        realm = self.realm(clients=["claude"])
        self.assertIn("access_token", realm.flow("claude").run())

    def test_path_that_ends_in_a_slash(self) -> None:
        """Keycloak takes it; a document is fetched for it, too."""
        url = self.client()
        flow = self.realm(clients=[url]).flow(url, LOOPBACK)
        query = urllib.parse.urlencode(flow.parameters())
        page = flow.browser.open(f"{flow.oidc}/auth/?{query}")
        self.assertEqual(page.status, 200, page.text())

    def test_resource_becomes_audience(self) -> None:
        realm = self.realm(clients=["claude-code"], audiences=[OTHER, MCP])
        for resource, audience in ((MCP, MCP), (None, OTHER),
                                   ("https://evil.example.com/", OTHER)):
            with self.subTest(resource=resource):
                flow = realm.flow("claude-code")
                tokens = flow.run(resource=resource)
                self.assertEqual(claims(tokens["access_token"])["aud"],
                                 audience)
                again = flow.refresh(tokens).json()
                self.assertEqual(claims(again["access_token"])["aud"],
                                 audience)

    def test_resource_of_a_pushed_request(self) -> None:
        realm = self.realm(clients=["claude-code"], audiences=[OTHER, MCP])
        realm.metadata()
        flow = realm.flow("claude-code")
        pushed = flow.push(resource=MCP)
        self.assertEqual(pushed.status, 201, pushed.body)
        page = flow.authorize(request_uri=pushed.json()["request_uri"])
        tokens = flow.exchange(flow.consent(flow.login(page)))
        self.assertEqual(claims(tokens["access_token"])["aud"], MCP)

    def test_scopes_have_a_ceiling(self) -> None:
        realm = self.realm(clients=["claude-code"], scopes=["openid", "email"])
        tokens = realm.flow("claude-code").run(scope="openid")
        self.assertEqual(set(tokens["scope"].split()), {"openid", "email"})
        page = realm.flow("claude-code").authorize(scope="openid phone")
        self.assertIn("invalid_scope", page.location or "")

    def test_scope_that_only_the_form_names(self) -> None:
        realm = self.realm(clients=["claude-code"], scopes=["mcp:tools"])
        realm.admin.call("POST", f"/{realm.name}/client-scopes", {
            "name": "mcp:tools", "protocol": "openid-connect",
            "attributes": {"include.in.token.scope": "true"}})
        tokens = realm.flow("claude-code").run(scope="openid mcp:tools")
        self.assertIn("mcp:tools", tokens["scope"].split())

    def test_many_clients_by_pattern(self) -> None:
        url = self.client()
        pattern = url.rpartition("/")[0] + "/*"
        realm = self.realm(clients=[pattern])
        self.assertIn("access_token", realm.flow(url, LOOPBACK).run())

    def test_policies_by_condition(self) -> None:
        """The first policy whose condition matches is the one."""
        realm, url = self.realm(), self.client()
        only = {"condition": "cimd-client-id",
                "configuration": {"clients": ["claude.ai"]}}
        realm.policies(
            ({"clients": ["claude-code"], "audiences": [MCP]}, [only]),
            ({"clients": [url], "audiences": [OTHER]},
             [{"condition": "cimd-client-id", "configuration": {}}]))
        tokens = realm.flow("claude-code").run()
        self.assertEqual(claims(tokens["access_token"])["aud"], MCP)
        tokens = realm.flow(url, LOOPBACK).run()
        self.assertEqual(claims(tokens["access_token"])["aud"], OTHER)
        self.refused(realm.flow("vscode"), "not allowed")

    def test_one_engine_call_for_each_request(self) -> None:
        """Keycloak looks up several times; cimdd is asked once."""
        realm = self.realm(clients=["claude-code"])
        flow = realm.flow("claude-code")
        before = self.cimd.lookups()
        page = flow.authorize()
        self.assertEqual(self.cimd.lookups() - before, 1)
        page = flow.consent(flow.login(page))
        before = self.cimd.lookups()
        tokens = flow.exchange(page)
        self.assertEqual(self.cimd.lookups() - before, 1)
        before = self.cimd.lookups()
        self.assertEqual(flow.refresh(tokens).status, 200)
        self.assertEqual(self.cimd.lookups() - before, 1)

    def test_nobody_asks_about_other_clients(self) -> None:
        realm = self.realm(clients=["claude-code"])
        before = self.cimd.lookups()
        page = Flow(realm.issuer, "account-of-nobody", LOOPBACK).authorize()
        self.assertEqual(page.status, 400)
        self.assertEqual(self.cimd.lookups(), before)

    def refused(self, flow: Flow, text: str) -> None:
        """The authorization request ends at Keycloak's error page."""
        page = flow.authorize()
        self.assertEqual(page.status, 400)
        self.assertIn(text, page.text())


class Refusals(host.Case):
    """Users read a sentence, administrators a code and the URL."""

    def refused(self, realm: host.Realm, flow: Flow, text: str,
                code: str, **more: Any) -> None:
        """The error page says text; log and event have the code."""
        page = flow.authorize(**more)
        self.assertEqual(page.status, 400, page.text())
        self.assertIn(text, page.text())
        self.assertNotIn("CIMD_E", page.text())
        event = realm.events("CLIENT_REGISTER_ERROR")[0]
        self.assertEqual(event["details"]["cimd_code"], code, event)
        self.assertEqual(event["details"]["cimd_client"], flow.client_id)
        self.assertRegex(self.host.kc.text(), f"realm {realm.name}: {code}: "
                         + flow.client_id.replace("?", r"\?"))

    def test_not_listed(self) -> None:
        realm = self.realm(clients=["vscode"])
        self.refused(realm, realm.flow("claude-code"), "The client at"
                     " claude.ai is not allowed", "CIMD_E_POLICY")

    def test_nothing_listed(self) -> None:
        realm = self.realm(others="deny")
        self.refused(realm, realm.flow("claude-code"), "is not allowed",
                     "CIMD_E_POLICY")

    def test_blocked(self) -> None:
        realm = self.realm(clients=["vscode"], blocked=["vscode.dev"])
        self.refused(realm, realm.flow("vscode"), "is blocked",
                     "CIMD_E_BLOCKED")

    def test_waits_for_approval(self) -> None:
        realm, url = self.realm(others="wait for approval"), self.client()
        flow = realm.flow(url, LOOPBACK)
        self.refused(realm, flow, "waits for the approval", "CIMD_E_PENDING")
        self.cimd.govern("approve", url)
        self.assertIn("access_token", flow.run())

    def test_copied_document(self) -> None:
        url = self.document(
            client_id="https://claude.ai/oauth/claude-code-client-metadata")
        realm = self.realm(clients=[url])
        self.refused(realm, realm.flow(url, LOOPBACK),
                     "is not described as it must be", "CIMD_E_MISMATCH")

    def test_unreachable(self) -> None:
        url = labtest.lab().url("/x/y", "tcp-silent")
        realm = self.realm(clients=[url])
        self.refused(realm, realm.flow(url, LOOPBACK),
                     "cannot be checked right now", "CIMD_E_TIMEOUT")

    def test_redirect_uri_of_somebody_else(self) -> None:
        realm = self.realm(clients=["claude-code"])
        self.refused(realm, realm.flow("claude-code",
                                       "https://evil.example.com/cb"),
                     "does not list the address", "KEYCLOAK_E_REDIRECT_URI")

    def test_without_redirect_uri(self) -> None:
        realm = self.realm(clients=["claude"])
        self.refused(realm, realm.flow("claude"), "does not list",
                     "KEYCLOAK_E_REDIRECT_URI", redirect_uri=None, scope=None)

    def test_too_long_for_keycloak(self) -> None:
        url = "https://good.hostile.example.net/good/" + "x" * 160
        realm = self.realm(clients=[url])
        self.refused(realm, realm.flow(url, LOOPBACK), "not described",
                     "KEYCLOAK_E_LENGTH")

    def test_value_that_cimdd_refuses(self) -> None:
        realm = self.realm(clients=["claude-code", "no-such-name"])
        self.refused(realm, realm.flow("claude-code"), "not set up well",
                     "CIMD_E_CONFIG")
        event = realm.events("CLIENT_REGISTER_ERROR")[0]
        self.assertIn("no-such-name", event["details"]["reason"])

    def test_only_clients_with_keys(self) -> None:
        realm = self.realm(clients=["claude-code"], confidential_only=True)
        self.refused(realm, realm.flow("claude-code"), "not described",
                     "CIMD_E_AUTH_METHOD")

    def test_pushed_request(self) -> None:
        realm = self.realm(clients=["vscode"])
        realm.metadata()
        page = realm.flow("claude-code").push()
        self.assertIn(page.status, (400, 401), page.body)
        event = realm.events("CLIENT_REGISTER_ERROR")[0]
        self.assertEqual(event["details"]["cimd_code"], "CIMD_E_POLICY")

    def test_bridge_is_off(self) -> None:
        realm = self.realm()
        page = realm.flow("claude-code").authorize()
        self.assertEqual(page.status, 400)
        self.assertIn("Client not found", page.text())
        self.assertEqual(realm.components(), [])

    def test_pkce_is_forced(self) -> None:
        realm = self.realm(clients=["claude-code"])
        for more in ({"code_challenge": None, "code_challenge_method": None},
                     {"code_challenge_method": "plain"},
                     {"code_challenge_method": None}):
            with self.subTest(**more):
                page = realm.flow("claude-code").authorize(**more)
                self.assertIn("error=invalid_request", page.location or "")

    def test_other_flows_are_off(self) -> None:
        realm = self.realm(clients=["claude-code"])
        flow = realm.flow("claude-code")
        page = flow.authorize(response_type="token", nonce="n")
        self.assertIn("error=un", page.location or "", page.text())
        for form in ({"grant_type": "client_credentials"},
                     {"grant_type": "password", "username": "alice",
                      "password": "alice-password"}):
            page = flow.token(**form)
            self.assertIn(page.status, (400, 401), page.body)
        page = flow.authorize(request_uri="https://evil.example.com/request")
        self.assertNotEqual(page.status, 200)


class Redirects(host.Case):
    """The document's redirect URIs, as Keycloak understands them."""

    def passes(self, realm: host.Realm, url: str, uri: str) -> bool:
        """Does the login page come?"""
        return realm.flow(url, uri).authorize().status == 200

    def test_loopback_has_any_port(self) -> None:
        url = self.document(redirect_uris=["http://127.0.0.1:33418/",
                                           "http://localhost/callback"])
        realm = self.realm(clients=[url])
        for uri, good in (("http://127.0.0.1:60000/", True),
                          ("http://127.0.0.1/", True),
                          ("http://localhost:1/callback", True),
                          ("http://127.0.0.1:60000/x", False),
                          ("http://localhost:60000/", False),
                          ("https://127.0.0.1:60000/", False),
                          ("http://localhost:80@evil.example.com/callback",
                           False)):
            with self.subTest(uri=uri):
                self.assertEqual(self.passes(realm, url, uri), good)

    def test_ipv6_loopback_has_any_port(self) -> None:
        url = self.document(redirect_uris=["http://[::1]/callback"])
        realm = self.realm(clients=[url])
        flow = realm.flow(url, "http://[::1]:5000/callback")
        self.assertIn("access_token", flow.run())
        self.assertFalse(self.passes(realm, url, "http://[::1]:5000/other"))

    def test_loopback_exact(self) -> None:
        url = self.document(redirect_uris=["http://127.0.0.1:33418/"])
        realm = self.realm(clients=[url], redirects="loopback-exact")
        self.assertTrue(self.passes(realm, url, "http://127.0.0.1:33418/"))
        self.assertFalse(self.passes(realm, url, "http://127.0.0.1:60000/"))

    def test_loopback_exact_pushed(self) -> None:
        """Keycloak itself would take any port for one that is not said."""
        url = self.document(redirect_uris=["http://127.0.0.1/callback"])
        realm = self.realm(clients=[url], redirects="loopback-exact")
        realm.metadata()
        page = realm.flow(url, "http://127.0.0.1:60000/callback").push()
        self.assertIn(page.status, (400, 401), page.body)

    def test_loopback_exact_without_a_port(self) -> None:
        """Keycloak would take it for any port; also if it is pushed."""
        url = self.document(redirect_uris=["http://127.0.0.1:33418/",
                                           "http://localhost/callback"])
        realm = self.realm(clients=[url], redirects="loopback-exact")
        realm.metadata()
        self.assertTrue(self.passes(realm, url, "http://127.0.0.1:33418/"))
        uri = "http://localhost:60000/callback"
        self.assertFalse(self.passes(realm, url, uri))
        self.assertIn(realm.flow(url, uri).push().status, (400, 401))

    def test_wildcards_are_no_wildcards(self) -> None:
        """cimdd drops them; a document with nothing else is refused."""
        url = self.document(redirect_uris=[
            "https://good.hostile.example.net/*", "*", "/relative",
            "https://*.example.com/cb", "https://good.hostile.example.net/cb"])
        realm = self.realm(clients=[url])
        for uri in ("https://good.hostile.example.net/x", "*",
                    "https://evil.example.com/", realm.issuer + "/relative",
                    "https://a.example.com/cb",
                    "https://good.hostile.example.net/*"):
            with self.subTest(uri=uri):
                self.assertFalse(self.passes(realm, url, uri))
        self.assertTrue(self.passes(
            realm, url, "https://good.hostile.example.net/cb"))

    def test_same_origin_with_one_more_host(self) -> None:
        url = self.document(redirect_uris=[
            "https://good.hostile.example.net/cb",
            "https://www.example.com/cb", "https://www.example.org/cb"])
        realm = self.realm(clients=[url], redirects="same-origin",
                           more_redirects=["host:www.example.com"])
        for uri, good in (("https://good.hostile.example.net/cb", True),
                          ("https://www.example.com/cb", True),
                          ("https://www.example.org/cb", False)):
            with self.subTest(uri=uri):
                self.assertEqual(self.passes(realm, url, uri), good)

    def test_scheme_that_the_form_names(self) -> None:
        url = self.document(redirect_uris=["com.example.app:/cb",
                                           "http://127.0.0.1/cb"])
        realm = self.realm(clients=[url])
        self.assertFalse(self.passes(realm, url, "com.example.app:/cb"))
        realm.switch_on(**{"clients": [url],
                           "more-redirects": ["scheme:com.example.app"]})
        self.assertTrue(self.passes(realm, url, "com.example.app:/cb"))


class Consent(host.Case):
    """Consent is always asked for, and says who asks."""

    def page(self, realm: host.Realm, flow: Flow) -> str:
        """The words of the consent page."""
        page = flow.login(flow.authorize())
        self.assertEqual(page.status, 200, page.location)
        self.assertIn('name="accept"', page.body)
        return page.text()

    def test_hosts_and_loopback(self) -> None:
        realm = self.realm(clients=["claude-code", "claude"])
        text = self.page(realm, realm.flow("claude-code"))
        self.assertIn("Claude Code (claude.ai)", text)
        self.assertIn("return to localhost on this device", text)
        self.assertIn("go on only if you have just started it", text)
        self.assertNotIn("not verified", text)
        text = self.page(realm, realm.flow("claude"))
        self.assertIn("Claude (claude.ai), and return to claude.ai", text)
        self.assertNotIn("on this device", text)

    def test_page_without_a_line(self) -> None:
        """Keycloak skips a consent page on which no scope is shown."""
        realm = self.realm(clients=["claude-code"])
        base = "/default-default-client-scopes"
        for scope in realm.get(base):
            found = realm.get("/client-scopes/" + scope["id"])
            if found.get("attributes", {}).get(
                    "display.on.consent.screen") != "false":
                realm.admin.call("DELETE",
                                 f"/{realm.name}{base}/{scope['id']}")
        page = realm.flow("claude-code").authorize()
        self.assertEqual(page.status, 400, page.text())
        self.assertIn("server is not set up well", page.text())
        event = realm.events("CLIENT_REGISTER_ERROR")[0]
        self.assertEqual(event["details"]["cimd_code"], "KEYCLOAK_E_CONSENT")
        profile = next(one for one in realm.get("/client-scopes")
                       if one["name"] == "profile")
        realm.admin.call("PUT", f"/{realm.name}{base}/{profile['id']}")
        self.page(realm, realm.flow("claude-code"))

    def test_loopback_beside_https(self) -> None:
        """What counts is where this login leads to."""
        remote = "https://good.hostile.example.net/cb"
        url = self.document(redirect_uris=[LOOPBACK, remote])
        realm = self.realm(clients=[url])
        self.assertIn("go on only if you have just started it",
                      self.page(realm, realm.flow(url, LOOPBACK)))
        self.assertNotIn("on this device",
                         self.page(realm, realm.flow(url, remote)))

    def test_nobody_vouches(self) -> None:
        realm, url = self.realm(others="allow unverified"), self.client()
        text = self.page(realm, realm.flow(url, LOOPBACK))
        self.assertIn("(good.hostile.example.net), which is not verified",
                      text)

    def test_names_are_text(self) -> None:
        names = {
            "${realm_admin}": "${realm_admin}",
            "${client_account} {0} it's": "${client_account} {0} it\u2019s",
            "<b>Bold</b><script>alert(1)</script>":
                "Bold",
            "Claude\u202e(moc.live)\u2066\u200b": "Claude moc.live (",
            "Claude (claude.ai), and return to claude.ai":
                "Claude claude.ai and return to claude.ai"
                " (good.hostile.example.net)",
        }
        for name, shown in names.items():
            with self.subTest(name=name):
                url = self.document(client_name=name)
                realm = self.realm(clients=[url])
                flow = realm.flow(url, LOOPBACK)
                page = flow.login(flow.authorize())
                text = page.text().replace("\uff5b", "{").replace(
                    "\uff5d", "}")
                self.assertIn(shown, text)
                self.assertIn("(good.hostile.example.net)", text)
                self.assertNotIn("<b>Bold", page.body)
                self.assertNotIn("<script>alert", page.body)
                for bad in "\u202e\u2066\u200b":
                    self.assertNotIn(bad, page.body)

    def test_asked_again_for_each_client(self) -> None:
        realm = self.realm(clients=["claude-code", "claude"])
        flow = realm.flow("claude-code")
        flow.run()
        again = realm.flow("claude-code", browser=flow.browser)
        page = again.authorize()
        self.assertIn("code", again.answer(page), "consent is remembered")
        other = realm.flow("claude", browser=flow.browser)
        page = other.authorize()
        self.assertIn('name="accept"', page.body)


class Keyed(host.Case):
    """Clients that authenticate with a key of their document."""

    def setUp(self) -> None:
        super().setUp()
        self.keys = Keys(self)

    def keyed(self, *others: Keys, **members: Any) -> str:
        """The URL of a client with this key."""
        return self.document(**{**self.keys.members(*others), **members})

    def keyed_flow(self, url: str, **settings: Any) -> Flow:
        """Its flow; clients read the metadata before anything else."""
        realm = self.realm(clients=[url], **settings)
        realm.metadata()
        return realm.flow(url, LOOPBACK)

    def assertion(self, flow: Flow, keys: Keys | None = None
                  ) -> dict[str, str]:
        """The form fields of a client assertion."""
        return {"client_assertion_type": ASSERTION_TYPE,
                "client_assertion": (keys or self.keys).assertion(
                    flow.client_id, flow.issuer)}

    def run_pushed(self, flow: Flow) -> dict[str, Any]:
        """The whole flow with PAR."""
        pushed = flow.push(**self.assertion(flow))
        self.assertEqual(pushed.status, 201, pushed.body)
        page = flow.authorize(request_uri=pushed.json()["request_uri"])
        return flow.exchange(flow.consent(flow.login(page)),
                             **self.assertion(flow))

    def test_pushed(self) -> None:
        url = self.keyed()
        flow = self.keyed_flow(url, confidential_only=True)
        tokens = self.run_pushed(flow)
        answer = flow.refresh(tokens, **self.assertion(flow))
        self.assertEqual(answer.status, 200, answer.body)
        answer = flow.refresh(answer.json())
        self.assertIn(answer.status, (400, 401), "no assertion")

    def test_not_pushed(self) -> None:
        url = self.keyed()
        flow = self.keyed_flow(url)
        page = flow.consent(flow.login(flow.authorize()))
        flow.exchange(page, **self.assertion(flow))

    def test_without_assertion(self) -> None:
        url = self.keyed()
        flow = self.keyed_flow(url)
        self.assertIn(flow.push().status, (400, 401))
        page = flow.consent(flow.login(flow.authorize()))
        answer = flow.token(grant_type="authorization_code",
                            code=flow.answer(page)["code"],
                            code_verifier=flow.verifier,
                            redirect_uri=LOOPBACK)
        self.assertIn(answer.status, (400, 401), answer.body)

    def test_replayed_assertion(self) -> None:
        url = self.keyed()
        flow = self.keyed_flow(url)
        once = self.assertion(flow)
        self.assertEqual(flow.push(**once).status, 201)
        self.assertIn(flow.push(**once).status, (400, 401))

    def test_chatgpt_with_jwks_uri(self) -> None:
        realm = self.realm(clients=["chatgpt"])
        flow = realm.flow("chatgpt")
        pem = os.path.join(os.environ["LAB_DIR"], "keys", "chatgpt-jwks.pem")
        key = jose.Key("RS256", pem, "lab-chatgpt-1")
        page = flow.consent(flow.login(flow.authorize()))
        flow.exchange(page, client_assertion_type=ASSERTION_TYPE,
                      client_assertion=jose.assertion(
                          key, flow.client_id, flow.issuer))

    def test_key_that_does_not_say_its_use(self) -> None:
        members = self.keys.members()
        for key in members["jwks"]["keys"]:
            del key["use"]
        flow = self.keyed_flow(self.document(**members))
        self.assertEqual(flow.push(**self.assertion(flow)).status, 201)

    def test_both_methods(self) -> None:
        """With an assertion it counts, without one the client is public."""
        url = self.keyed(token_endpoint_auth_methods_supported=[
            "none", "private_key_jwt"])
        flow = self.keyed_flow(url)
        self.assertIn("access_token", flow.run())
        self.assertEqual(flow.push(**self.assertion(flow)).status, 201)
        wrong = self.assertion(flow, Keys(self))
        self.assertIn(flow.push(**wrong).status, (400, 401))

    def test_replaced_key_stops_working(self) -> None:
        """Also one that is replaced under its old kid."""
        url = self.keyed()
        flow = self.keyed_flow(url)
        old, new = self.keys, Keys(self)
        self.assertEqual(flow.push(**self.assertion(flow)).status, 201)
        self.serve(url, document=new.members())
        self.cimd.later(600)  # the stored document has expired
        self.assertIn(flow.push(**self.assertion(flow, old)).status,
                      (400, 401), "the old key")
        labtest.wait_until(
            lambda: flow.push(**self.assertion(flow, new)).status == 201,
            30, "the new key")
        self.assertIn(flow.push(**self.assertion(flow, old)).status,
                      (400, 401), "the old key, again")

    def test_removed_key_stops_working(self) -> None:
        second = Keys(self, kid="two")
        url = self.keyed(second)
        flow = self.keyed_flow(url)
        self.assertEqual(flow.push(
            **self.assertion(flow, second)).status, 201)
        self.serve(url, document=self.keys.members())
        self.cimd.later(600)  # the stored document has expired
        self.assertIn(flow.push(**self.assertion(flow, second)).status,
                      (400, 401))
        labtest.wait_until(
            lambda: flow.push(**self.assertion(flow)).status == 201,
            30, "the key that stayed")
        self.assertIn(flow.push(**self.assertion(flow, second)).status,
                      (400, 401))
