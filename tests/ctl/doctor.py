# SPDX-License-Identifier: Apache-2.0
"""doctor against an HTTPS server with good and bad metadata."""

from __future__ import annotations

import os
from typing import Any

import labtest
from ctl import Done, cimdctl

OAUTH = "/.well-known/oauth-authorization-server"
OIDC = "/.well-known/openid-configuration"
FALLS_BACK = "Claude silently falls back to dynamic registration"
Members = dict[str, Any]


def good(issuer: str) -> Members:
    """Metadata without a fault."""
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + "/auth",
        "token_endpoint": issuer + "/token",
        "registration_endpoint": issuer + "/register",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [
            "none", "private_key_jwt", "client_secret_basic"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "client_id_metadata_document_supported": True,
        "authorization_response_iss_parameter_supported": True,
    }


class Doctor(labtest.Case):
    """Each test has an issuer of its own on the hostile server."""

    count = 0

    def setUp(self) -> None:
        Doctor.count += 1
        self.lab = labtest.lab()
        self.host = f"idp{Doctor.count}.{self.lab.hostile_name}"
        self.path = "/realms/mcp"
        self.issuer = f"https://{self.host}{self.path}"

    def serve(self, path: str, members: Members | None, **spec: Any) -> None:
        """What a path of the issuer's host answers."""
        if members is not None:
            spec = {"do": "custom", "json": members, **spec}
        self.lab.hostile.call("set", path=path, host=self.host, **spec)

    def nowhere(self) -> None:
        """404 at every place."""
        for path in (OAUTH + self.path, OIDC + self.path, self.path + OIDC,
                     self.path + OAUTH):
            self.serve(path, None, do="404")

    def doctor(self, *more: str) -> Done:
        """Run it over the issuer."""
        return cimdctl("doctor", self.issuer, "--ca-path", self.lab.ca_path,
                       *more)

    def findings(self) -> tuple[int, dict[str, Members]]:
        """Exit status, and each check by its name."""
        done = self.doctor("--json")
        self.assertEqual(done.err, "")
        return done.status, {c["check"]: c for c in done.json()["checks"]}

    def test_good_at_each_place(self) -> None:
        for path in (OAUTH + self.path, OIDC + self.path, self.path + OIDC):
            with self.subTest(path):
                self.nowhere()
                self.serve(path, good(self.issuer))
                status, found = self.findings()
                self.assertEqual(status, 0)
                self.assertEqual({c["level"] for c in found.values()},
                                 {"pass"}, found)
                self.assertIn(f"https://{self.host}{path}",
                              found["metadata"]["detail"])

    def test_issuer_without_path(self) -> None:
        self.path = ""
        for issuer in (f"https://{self.host}", f"https://{self.host}/"):
            self.issuer = issuer
            self.nowhere()
            self.serve(OAUTH, good(issuer))
            status, found = self.findings()
            self.assertEqual(status, 0, found)

    def test_where_nobody_looks(self) -> None:
        self.nowhere()
        self.serve(self.path + OAUTH, good(self.issuer))
        status, found = self.findings()
        self.assertEqual(status, 1)
        self.assertEqual(found["metadata"]["level"], "fail")
        self.assertIn("do not look", found["metadata"]["detail"])

    def test_people(self) -> None:
        self.nowhere()
        members = good(self.issuer)
        del members["client_id_metadata_document_supported"]
        self.serve(OAUTH + self.path, members)
        done = self.doctor()
        self.assertEqual((done.status, done.err), (1, ""))
        self.assertIn("fail  section 5 ", done.out)
        self.assertIn("so: " + FALLS_BACK, done.out)
        self.assertRegex(done.out, r"\n\d+ passed, 0 warnings, 1 failed\n$")

    # change of the members, check, level, part of the consequence
    CHANGES: list[tuple[Members, str, str, str]] = [
        ({"client_id_metadata_document_supported": None},
         "client_id_metadata_document_supported", "fail", FALLS_BACK),
        ({"client_id_metadata_document_supported": False},
         "client_id_metadata_document_supported", "fail", FALLS_BACK),
        ({"client_id_metadata_document_supported": "true"},
         "client_id_metadata_document_supported", "fail", FALLS_BACK),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]},
         "auth_method_none", "fail", FALLS_BACK),
        ({"token_endpoint_auth_methods_supported": None},
         "auth_method_none", "fail", FALLS_BACK),
        ({"token_endpoint_auth_methods_supported": ["none"]},
         "auth_method_private_key_jwt", "warn", "clients with a key"),
        ({"token_endpoint_auth_signing_alg_values_supported": None},
         "signing_algs", "warn", "how to sign"),
        ({"token_endpoint_auth_signing_alg_values_supported":
          ["ES256", "none"]}, "signing_algs", "fail", ""),
        ({"code_challenge_methods_supported": None},
         "code_challenge_methods_supported", "fail", "refuse to go on"),
        ({"code_challenge_methods_supported": ["plain"]},
         "code_challenge_methods_supported", "fail", "refuse to go on"),
        ({"code_challenge_methods_supported": ["S256", "plain"]},
         "pkce_plain", "warn", ""),
        ({"authorization_response_iss_parameter_supported": None},
         "authorization_response_iss_parameter_supported", "warn",
         "ChatGPT"),
        ({"issuer": "https://other.example.com/"}, "issuer", "fail",
         "must not use"),
        ({"issuer": None}, "issuer", "fail", "must not use"),
        ({"authorization_endpoint": None}, "authorization_endpoint", "fail",
         ""),
        ({"token_endpoint": "http://idp.example.com/token"},
         "token_endpoint", "fail", ""),
        ({"response_types_supported": ["token"]}, "response_types_supported",
         "fail", ""),
        ({"grant_types_supported": ["authorization_code"]},
         "grant_types_supported", "warn", "log in again"),
        ({"grant_types_supported": ["client_credentials"]},
         "grant_types_supported", "fail", ""),
    ]

    def test_changes(self) -> None:
        self.nowhere()
        for change, name, level, consequence in self.CHANGES:
            with self.subTest(f"{name}: {change}"):
                members = {k: v for k, v in
                           {**good(self.issuer), **change}.items()
                           if v is not None}
                self.serve(OAUTH + self.path, members)
                status, found = self.findings()
                self.assertEqual(found[name]["level"], level, found[name])
                self.assertIn(consequence, found[name]["consequence"])
                levels = [c["level"] for c in found.values()]
                self.assertEqual(status, 1 if "fail" in levels else 0)

    def test_registration_is_no_fault(self) -> None:
        self.nowhere()
        members = good(self.issuer)
        del members["registration_endpoint"]
        self.serve(OAUTH + self.path, members)
        status, found = self.findings()
        self.assertEqual((status, found["registration"]["level"]),
                         (0, "pass"))

    def test_places_disagree(self) -> None:
        self.nowhere()
        self.serve(OAUTH + self.path, good(self.issuer))
        self.serve(self.path + OIDC, {
            **good(self.issuer),
            "client_id_metadata_document_supported": False})
        status, found = self.findings()
        self.assertEqual((status, found["agreement"]["level"]), (0, "warn"))
        self.assertIn("client_id_metadata_document_supported",
                      found["agreement"]["detail"])

    def test_first_place_is_broken(self) -> None:
        self.nowhere()
        self.serve(OAUTH + self.path, None, do="500")
        self.serve(self.path + OIDC, good(self.issuer))
        status, found = self.findings()
        self.assertEqual((status, found["place"]["level"]), (0, "warn"))
        self.assertIn("status 500", found["place"]["detail"])

    def test_no_metadata(self) -> None:
        for spec, text in (({"do": "404"}, "status 404"),
                           ({"do": "403"}, "status 403"),
                           ({"do": "redirect/302/private"}, "redirects to"),
                           ({"do": "wrong/html"}, "no value"),
                           ({"do": "wrong/duplicate-client-id"},
                            "a second time"),
                           ({"do": "type/text-html"}, "text/html"),
                           ({"do": "endless-chunked"}, "bytes")):
            with self.subTest(text):
                self.nowhere()
                self.serve(OAUTH + self.path, None, **spec)
                status, found = self.findings()
                self.assertEqual(status, 1)
                self.assertEqual(set(found), {"issuer_url", "metadata"})
                self.assertIn(text, found["metadata"]["detail"])

    def test_certificate(self) -> None:
        self.nowhere()
        self.serve(OAUTH + self.path, good(self.issuer))
        done = cimdctl("doctor", self.issuer, "--json")
        self.assertEqual(done.status, 1)  # an unknown CA: waiting is no cure
        self.assertIn("certificate", done.out)
        for label in ("expired", "wrongname"):
            self.host = f"{label}.{self.lab.hostile_name}"
            self.issuer = f"https://{self.host}{self.path}"
            self.assertEqual(self.doctor("--json").status, 1, label)

    def test_ca_file(self) -> None:
        self.nowhere()
        self.serve(OAUTH + self.path, good(self.issuer))
        done = cimdctl("doctor", self.issuer, "--ca-file", self.lab.ca_file)
        self.assertEqual(done.status, 0, done)
        done = cimdctl("doctor", self.issuer, "--ca-file",
                       os.path.join(self.folder(), "missing.pem"))
        self.assertEqual(done.status, 5, done)  # this machine's fault
        self.assertIn("missing.pem", done.out)

    def test_nobody_there(self) -> None:
        for host in ("refused.example.net", "nosuch.example.net"):
            self.issuer = f"https://{host}/x"
            done = self.doctor("--json")
            self.assertEqual(done.status, 3, done)

    def test_private_network(self) -> None:
        """The guard is for strangers; the issuer is one's own."""
        self.lab.trap.call("reset")
        self.issuer = "https://10.0.0.1/realms/mcp"
        self.doctor()
        self.assertIn("10.0.0.1", str(self.lab.unexpected()))

    def test_no_issuer(self) -> None:
        for issuer in ("http://idp.example.com", "idp.example.com", "",
                       "https://idp.example.com/?x", "https://u@x.com/",
                       "https://idp.example.com/#x", "https:///x",
                       "https://idp.example.com/a b"):
            with self.subTest(issuer):
                self.issuer = issuer
                status, found = self.findings()
                self.assertEqual((status, set(found)), (1, {"issuer_url"}))
                self.assertEqual(found["issuer_url"]["level"], "fail")

    def test_foreign_bytes(self) -> None:
        self.nowhere()
        self.serve(OAUTH + self.path, {**good(self.issuer),
                                       "issuer": "a\u001b[31mb"})
        self.assertNotIn("\u001b", self.doctor().out)

    def test_environment_is_ignored(self) -> None:
        self.nowhere()
        self.serve(OAUTH + self.path, good(self.issuer))
        done = cimdctl("doctor", self.issuer, "--ca-path", self.lab.ca_path,
                       env={"https_proxy": "http://127.0.0.1:1",
                            "HOME": os.path.dirname(__file__)})
        self.assertEqual(done.status, 0, done)
