#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""End to end: the official MCP SDK's client and server, Debian's Chromium, a
stock Keycloak with the bridge, cimdd, and real documents under their names.

    CIMD_KEYCLOAK_VERSION   which Keycloak (default: the newest)
"""

from __future__ import annotations

import os
import sys
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import agents  # noqa: E402
import host  # noqa: E402
import jose  # noqa: E402
import keycloak  # noqa: E402
import labtest  # noqa: E402

CHATGPT = "https://chatgpt.com/connector_platform_oauth_redirect"


class EndToEnd(host.Case):
    """A realm, an MCP server of its own, and clients that come to it."""

    def setUp(self) -> None:
        self.agents = agents.Agents(self.folder())
        self.where = self.realm()
        self.server = self.agents.server(self.where.issuer)
        self.addCleanup(self.server.stop)
        self.allow("claude-code", "vscode", "chatgpt")

    def allow(self, *clients: str, **more: Any) -> None:
        """What the administrator's form says."""
        self.where.switch_on(clients=list(clients),
                             audiences=[self.server.url], **more)

    def run_client(self, name: str, redirect: str, **more: Any
                   ) -> list[dict[str, Any]]:
        """All steps of one client of the fixtures."""
        steps = list(self.agents.client(
            self.server.url, labtest.lab().client_id(name), redirect, **more))
        return steps

    @staticmethod
    def step(steps: list[dict[str, Any]], name: str) -> dict[str, Any]:
        """The first step of that name."""
        found = [s for s in steps if s["step"] == name]
        assert found, f"no {name}: {steps}"
        return found[0]

    def assert_served(self, steps: list[dict[str, Any]], client: str,
                      *shown: str) -> None:
        """Login, a consent page that shows these hosts, a token for this
        very MCP server, and the tool's answer; nothing was registered."""
        url = labtest.lab().client_id(client)
        self.assertNotIn("/clients-registrations", str(steps))
        self.step(steps, "login")
        consent = self.step(steps, "consent")["page"]
        for text in shown:
            self.assertIn(text, consent)
        token = self.step(steps, "token")
        self.assertIn(self.server.url, token["aud"])
        self.assertEqual(token["azp"], url)
        self.assertEqual(steps[-1]["step"], "tool")
        self.assertEqual(steps[-1]["text"], f"{keycloak.USER} via {url}")

    def test_claude_code(self) -> None:
        """A free port of localhost, then a refreshed token."""
        steps = self.run_client("claude-code", "http://localhost/callback",
                                refresh=True)
        self.assert_served(steps, "claude-code", "claude.ai", "localhost")
        self.assertEqual(len([s for s in steps if s["step"] == "tool"]), 2)

    def test_vscode(self) -> None:
        """A free port of 127.0.0.1, other than the document's."""
        steps = self.run_client("vscode", "http://127.0.0.1/")
        self.assert_served(steps, "vscode", "vscode.dev", "127.0.0.1")

    def test_chatgpt(self) -> None:
        """Authenticates with a key of its document (private_key_jwt)."""
        steps = self.run_client("chatgpt", CHATGPT, kid="lab-chatgpt-1",
                                key=os.path.join(os.environ["LAB_DIR"], "keys",
                                                 "chatgpt-jwks.pem"))
        self.assert_served(steps, "chatgpt", "chatgpt.com")

    def test_chatgpt_without_its_key(self) -> None:
        """Somebody who knows the document but not the key gets no token."""
        key = os.path.join(self.folder(), "other.pem")
        jose.Key.create("RS256", key)
        with self.assertRaises(AssertionError) as caught:
            self.run_client("chatgpt", CHATGPT, kid="lab-chatgpt-1", key=key)
        self.assertIn("Signature on JWT token failed validation",
                      str(caught.exception))

    def test_copy_of_claude(self) -> None:
        """An attacker serves Claude's document on another host: refused by
        name, even where every stranger may come."""
        for more in ({}, {"others": "allow unverified"}):
            with self.subTest(form=more):
                self.allow("claude-code", **more)
                steps = self.run_client("copy-of-claude-code",
                                        "http://localhost/callback")
                self.assertEqual(steps[-1]["step"], "refused")
                self.assertNotIn("login", [s["step"] for s in steps])
                self.assertIn("cannot be used" if more else "not allowed",
                              steps[-1]["text"])

    def test_blocked(self) -> None:
        """A block acts at the next request, with a plain sentence."""
        self.where.switch_on(clients=["vscode"], blocked=["vscode.dev"],
                             audiences=[self.server.url])
        steps = self.run_client("vscode", "http://127.0.0.1/")
        self.assertEqual(steps[-1]["step"], "refused")
        self.assertIn("vscode.dev", steps[-1]["text"])


if __name__ == "__main__":
    if "LAB_DIR" not in os.environ:
        agents.modules()
    keycloak.obtain()
    labtest.main(host.OPTIONS)
