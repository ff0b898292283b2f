#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Suite: what one tenant's rules let in must not reach another, and a
document must not choose where else cimdd connects to.

A hostile server, and a cimdd whose consumer brings a policy of its own with
each lookup.
"""

from __future__ import annotations

import os
import sys
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))

import labtest  # noqa: E402

CONF = """default = deny
state_dir = "{dir}/state"
lookup_socket = "{dir}/lookup.sock"
admin_socket = "{dir}/admin.sock"
user = "root"
socket_group = "root"
ca_path = "{ca}"
fetch_rate_host = 6000
consumer "idp" {{
    uid      = {{ "root" }}
    delegate = yes
}}
"""
STRICT = {"default": "unverified"}
LENIENT = {"default": "unverified", "content_type": "lenient"}
TEXT = [["Content-Type", "text/plain"], ["ETag", '"1"'],
        ["Cache-Control", "max-age=3600"]]
JSON = [["Content-Type", "application/json"]]


class Base(labtest.Case):
    """A daemon for many tenants."""

    def setUp(self) -> None:
        self.lab = labtest.lab()
        self.dir = self.folder()
        config = os.path.join(self.dir, "cimd.conf")
        os.mkdir(os.path.join(self.dir, "state"))
        with open(config, "w", encoding="utf-8") as out:
            out.write(CONF.format(dir=self.dir, ca=self.lab.ca_path))
        cimdd = os.path.join(labtest.top_build(), "cimdd", "cimdd")
        self.cimdd = self.daemon([cimdd, "-c", config, "-C",
                                  os.path.join(self.dir, "catalog.d")],
                                 folder=self.dir)
        self.cimdd.start(notify=True)
        self.lookups = labtest.UnixHTTP(os.path.join(self.dir, "lookup.sock"))

    def serve(self, path: str, headers: list[list[str]],
              **members: Any) -> str:
        """Let the hostile server answer with a document; its URL."""
        url = self.lab.url(path, "good")
        document = {"client_id": url, "client_name": "Hostile",
                    "redirect_uris": ["http://127.0.0.1/cb"], **members}
        self.lab.hostile.call("set", path=path, do="custom",
                              headers=headers, json=document)
        return url

    def lookup(self, url: str, policy: dict[str, Any], **more: str) -> Any:
        """The answer to a lookup under this policy."""
        return self.lookups.post("/v1/client", {
            "client_id": url, "policy": policy, **more}).json()


class ContentType(Base):
    """content_type = lenient is one tenant's risk."""

    def test_not_shared(self) -> None:
        url = self.serve("/tenants/text", TEXT)
        for _ in range(2):
            got = self.lookup(url, LENIENT)
            self.assertIn("client", got)
            self.assertIn("content_type", got["decision"]["warnings"])
        got = self.lookup(url, STRICT)
        self.assertEqual(got.get("code"), "CIMD_E_TYPE", got)
        got = self.lookup(url, STRICT, purpose="display")
        self.assertEqual(got.get("code"), "CIMD_E_TYPE", got)
        self.assertIn("client", self.lookup(url, LENIENT, purpose="display"),
                      "another's refusal took the record away")

    def test_not_for_ever(self) -> None:
        """A host that mends its type is taken at once."""
        url = self.serve("/tenants/mended", TEXT)
        self.assertIn("client", self.lookup(url, LENIENT))
        self.serve("/tenants/mended", JSON)
        got = self.lookup(url, STRICT)
        self.assertIn("client", got)
        self.assertNotIn("content_type", got["decision"]["warnings"])


class KeySet(Base):
    """jwks_uri leads to port 443, or to the port of the document."""

    def keys_from(self, port: str) -> int:
        """Requests for the key set at a port."""
        path = f"/tenants/keys{port}"
        keys = self.lab.url(path, "good")
        if port:
            host = keys.split("/")[2]
            keys = keys.replace(host, f"{host}:{port}")
        self.lab.hostile.call("set", path=path, do="jwks")
        url = self.serve(
            f"/tenants/client{port}", JSON, jwks_uri=keys,
            token_endpoint_auth_methods_supported=["none",
                                                   "private_key_jwt"],
            token_endpoint_auth_method="none")
        got = self.lookup(url, STRICT)
        self.assertIn("jwks_unavailable", got["decision"]["warnings"], got)
        return len(self.lab.hostile.call("requests", path=path))

    def test_default(self) -> None:
        self.assertEqual(self.keys_from(""), 1)

    def test_other(self) -> None:
        self.assertEqual(self.keys_from("8443"), 0)


if __name__ == "__main__":
    labtest.main(["--hostile"])
