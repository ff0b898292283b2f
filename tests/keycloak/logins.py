# SPDX-License-Identifier: Apache-2.0
"""Logins of real clients' documents."""

from __future__ import annotations

import host
from flow import claims

__all__ = ["Logins"]


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
