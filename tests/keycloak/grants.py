# SPDX-License-Identifier: Apache-2.0
"""What else Keycloak could do for a client at its token endpoint."""

from __future__ import annotations

import host
from flow import Browser, Page
from keycloak import USER, USER_PASSWORD

__all__ = ["Grants"]

GRANT = "urn:ietf:params:oauth:grant-type:"


class Grants(host.Case):
    """All are off but the code and the refresh token."""

    def api(self, realm: host.Realm) -> str:
        """An access token for a resource server that grants to everybody,
        of the realm's own application."""
        realm.admin.call("POST", f"/{realm.name}/clients", {
            "clientId": "api", "secret": "secret", "publicClient": False,
            "serviceAccountsEnabled": True, "directAccessGrantsEnabled": True,
            "authorizationServicesEnabled": True})
        row, = realm.get("/clients?clientId=api")
        base = f"/{realm.name}/clients/{row['id']}/authz/resource-server"
        realm.admin.call("PUT", base, {
            **realm.admin.get(base), "policyEnforcementMode": "PERMISSIVE"})
        realm.admin.call("POST", base + "/resource", {"name": "thing"})
        page = Browser().open(
            realm.issuer + "/protocol/openid-connect/token", {
                "grant_type": "password", "client_id": "api",
                "client_secret": "secret", "username": USER,
                "password": USER_PASSWORD, "scope": "openid"})
        self.assertEqual(page.status, 200, page.body)
        return str(page.json()["access_token"])

    def test_other_grants_are_off(self) -> None:
        """Whatever Keycloak could do for a client at its token endpoint."""
        realm = self.realm(clients=["claude-code"], audiences=["api"])
        own = self.api(realm)
        flow = realm.flow("claude-code")
        tokens = flow.run()
        token = tokens["access_token"]
        subject = {"subject_token": token, "audience": "api",
                   "subject_token_type":
                       "urn:ietf:params:oauth:token-type:access_token"}
        for grant, form, error in (
                ("client_credentials", {}, "unauthorized_client"),
                ("password", {"username": USER, "password": USER_PASSWORD},
                 "unauthorized_client"),
                (GRANT + "device_code", {"device_code": "x.y.z"},
                 "invalid_grant"),
                ("urn:openid:params:grant-type:ciba", {"auth_req_id": "x"},
                 "invalid_grant"),
                (GRANT + "token-exchange", subject, "invalid_client"),
                (GRANT + "uma-ticket", {"audience": "api"},
                 "invalid_client"),
                (GRANT + "jwt-bearer", {"assertion": token},
                 "invalid_client"),
                (GRANT + "pre-authorized_code", {"pre-authorized_code": "x"},
                 "unsupported_grant_type"),
                ("implicit", {}, "unsupported_grant_type"),
                ("nonsense", {}, "unsupported_grant_type"),
                ("", {}, "unsupported_grant_type")):
            with self.subTest(grant=grant):
                self.refuses(flow.token(grant_type=grant, **form), error)
        ticket = {"grant_type": GRANT + "uma-ticket", "audience": "api",
                  "permission": "thing"}
        page = flow.browser.open(flow.oidc + "/token", ticket,
                                 Authorization="Bearer " + own)
        self.assertEqual(page.status, 200, page.body)
        self.refuses(flow.browser.open(flow.oidc + "/token", ticket,
                                       Authorization="Bearer " + token),
                     "invalid_grant", "invalid_client")
        for path in ("/auth/device", "/ext/ciba/auth"):
            self.refuses(flow.browser.open(flow.oidc + path, {
                "client_id": flow.client_id, "login_hint": USER,
                "scope": "openid"}), "unauthorized_client", "invalid_grant")
        self.assertEqual(flow.refresh(tokens).status, 200)

    def refuses(self, page: Page, *errors: str) -> None:
        """An error of OAuth that says whose fault it is, and no token."""
        self.assertIn(page.status, (400, 401), page.body)
        # A grant that an older Keycloak does not know is refused by that.
        self.assertIn(page.json()["error"],
                      (*errors, "unsupported_grant_type"), page.body)
        self.assertTrue(page.json()["error_description"])
        self.assertNotIn("access_token", page.json())
