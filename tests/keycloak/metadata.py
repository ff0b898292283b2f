# SPDX-License-Identifier: Apache-2.0
"""What realms publish, and the component that comes with it."""

from __future__ import annotations

import host
from flow import Browser

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
        realm = self.realm(clients=["claude-code"])
        self.assertEqual(realm.components(), [])
        realm.metadata()
        one, = realm.components()
        self.assertEqual(one["providerId"], "cimd")
        self.assertEqual(one["config"]["cachePolicy"], ["NO_CACHE"])
        realm.metadata()
        self.assertEqual(len(realm.components()), 1)
        realm.admin.switch_off(realm.name)
        self.assertNotIn(FLAG, realm.metadata())
        page = realm.flow("claude-code").authorize()
        self.assertEqual(page.status, 400)
        realm.switch_on(clients=["claude-code"])
        self.assertEqual(realm.flow("claude-code").authorize().status, 200)
        self.assertEqual(realm.components(), [one])

    def test_disabled_policy(self) -> None:
        realm = self.realm(clients=["claude-code"])
        found = realm.get("/client-policies/policies")
        found["policies"][0]["enabled"] = False
        realm.admin.call("PUT", f"/{realm.name}/client-policies/policies",
                         {"policies": found["policies"]})
        self.assertNotIn(FLAG, realm.metadata())
        self.assertEqual(realm.flow("claude-code").authorize().status, 400)
