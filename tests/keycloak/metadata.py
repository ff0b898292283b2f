# SPDX-License-Identifier: Apache-2.0
"""What realms publish, and the component that comes with it."""

from __future__ import annotations

import host
from flow import Browser
from keycloak import Refused

__all__ = ["Metadata"]

FLAG = "client_id_metadata_document_supported"
DOCUMENTS = ("openid-configuration", "oauth-authorization-server")


class Metadata(host.Case):
    """Clients look at it before they send a URL as client_id."""

    def test_only_where_the_bridge_is_on(self) -> None:
        off, on = self.realm(), self.realm(clients=["claude-code"])
        for name in DOCUMENTS:
            with self.subTest(name=name):
                self.assertNotIn(FLAG, off.metadata(name))
                found = on.metadata(name)
                self.assertIs(found[FLAG], True)
                self.assertEqual(found["issuer"], on.issuer)
                self.assertLessEqual(
                    {"none", "private_key_jwt"},
                    set(found["token_endpoint_auth_methods_supported"]))
                self.assertIn("S256",
                              found["code_challenge_methods_supported"])
                self.assertIs(found[
                    "authorization_response_iss_parameter_supported"], True)
        self.assertEqual(off.components(), [])

    def test_path_of_rfc_8414(self) -> None:
        if int(self.host.version.split(".")[0]) < 26 \
                or self.host.version.startswith(("26.0.", "26.2.")):
            self.skipTest("Keycloak has this path since 26.4")
        realm = self.realm(clients=["claude-code"])
        page = Browser().open(
            f"{self.host.kc.base}/.well-known/oauth-authorization-server"
            f"/realms/{realm.name}")
        self.assertIs(page.json().get(FLAG), True, page.body)

    def test_component_follows_the_policy(self) -> None:
        """Made with the form; what was deleted comes back as itself."""
        realm = self.realm()
        self.assertEqual(realm.components(), [])
        realm.switch_on(clients=["claude-code"])
        one, = realm.components()
        self.assertEqual(one["providerId"], "cimd")
        self.assertEqual(one["config"]["cachePolicy"], ["NO_CACHE"])
        realm.metadata()
        self.assertEqual(realm.components(), [one])
        path = f"/{realm.name}/components/{one['id']}"
        realm.admin.call("DELETE", path)
        self.assertEqual(realm.components(), [])
        realm.metadata()
        self.assertEqual(realm.components(), [one])
        realm.admin.call("DELETE", path)
        self.assertEqual(realm.flow("claude-code").authorize().status, 200)
        self.assertEqual(realm.components(), [one])
        realm.admin.switch_off(realm.name)
        self.assertNotIn(FLAG, realm.metadata())
        page = realm.flow("claude-code").authorize()
        self.assertEqual(page.status, 400)
        realm.switch_on(clients=["claude-code"])
        self.assertEqual(realm.flow("claude-code").authorize().status, 200)
        self.assertEqual(realm.components(), [one])

    def test_pushed_request_comes_first(self) -> None:
        """Before anybody has read the metadata, or sent a user."""
        realm = self.realm(clients=["claude-code"])
        page = realm.flow("claude-code").push()
        self.assertEqual(page.status, 201, page.body)

    def test_pushed_request_comes_first_after_an_import(self) -> None:
        """The realm comes with its policies from a file."""
        model = self.realm(clients=["claude-code"])
        realm = host.Realm(self.host, model.name + "i")
        realm.admin.realm(
            realm.name, clientProfiles=model.get("/client-policies/profiles"),
            clientPolicies=model.get("/client-policies/policies"),
            **self.host.cheap)
        page = realm.flow("claude-code").push()
        self.assertEqual(page.status, 201, page.body)
        self.assertEqual(host.Realm(self.host, "master").components(), [])

    def test_form_that_is_refused(self) -> None:
        """Nothing is left of a form that Keycloak does not save."""
        realm = self.realm()
        with self.assertRaises(Refused):
            realm.admin.call(
                "PUT", f"/{realm.name}/client-policies/profiles",
                {"profiles": [{"name": "p", "executors": [
                    {"executor": "cimd", "configuration": {}},
                    {"executor": "none-of-that-name",
                     "configuration": {}}]}]})
        self.assertEqual(realm.components(), [])

    def test_disabled_policy(self) -> None:
        realm = self.realm(clients=["claude-code"])
        found = realm.get("/client-policies/policies")
        found["policies"][0]["enabled"] = False
        realm.admin.call("PUT", f"/{realm.name}/client-policies/policies",
                         {"policies": found["policies"]})
        self.assertNotIn(FLAG, realm.metadata())
        self.assertEqual(realm.flow("claude-code").authorize().status, 400)
