#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the pictures of doc/keycloak.md anew, into doc/images.

    tests/keycloak/screenshots.py [FOLDER]

They show what the tests use: the newest Keycloak with the bridge, the
fixtures' documents, Debian's Chromium.  pngquant makes them small, where it
is installed.  Fails if a page does not show what it is about, so that the
suite "administrator" runs this, too, with a FOLDER of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import agents  # noqa: E402
import host  # noqa: E402
import keycloak  # noqa: E402
import labtest  # noqa: E402

IMAGES = os.path.join(HERE, os.pardir, os.pardir, "doc", "images")
SHOWN = "https://mcp.example.com/mcp"  # the MCP server of the text


def pages() -> list[dict[str, Any]]:
    """Of the console, in the order of the text."""
    tab = "realm-settings/client-policies"
    form = {"width": 1100, "height": 1210}
    return [
        {"name": "executor", "path": f"{tab}/mcp-clients/edit-profile/cimd",
         "see": "Allowed clients", "size": form},
        {"name": "policy", "path": f"{tab}/mcp-clients/edit-policy",
         "see": "any-client", "size": {"width": 1100, "height": 800}},
        {"name": "sessions", "path": "sessions", "see": "vscode.dev",
         "size": {"width": 1100, "height": 640}},
    ]


class Pictures:
    """One realm, one login, one block."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.host = host.host()
        self.admin = self.host.kc.admin
        self.agents = agents.Agents(os.environ["LAB_DIR"])
        self.admin.realm("mcp", displayName="Example Inc.")
        self.server = self.agents.server(self.host.kc.realm_url("mcp"))
        self.settings = {"clients": ["vscode", "claude-code"],
                         "audiences": [self.server.url]}
        self.admin.switch_on("mcp", self.settings)

    def visit(self, prefix: str) -> dict[str, Any]:
        """VS Code comes; pictures of what its user sees.  The last step."""
        steps = list(self.agents.client(
            self.server.url, labtest.lab().client_id("vscode"),
            "http://127.0.0.1/", shots=self.folder, shotName=prefix))
        return steps[-1]

    def console(self) -> None:
        """Pictures of the console, with the values of the text."""
        self.admin.switch_on("mcp", self.settings | {"audiences": [SHOWN]})
        subprocess.run(self.agents.argv("console.mjs", json.dumps({
            "base": self.host.kc.base, "realm": "mcp", "shots": self.folder,
            "user": {"name": keycloak.ADMIN, "password": keycloak.PASSWORD},
            "pages": pages()})), check=True)

    def make(self) -> None:
        """All of them."""
        end = self.visit("vscode")
        assert end["step"] == "tool", end
        self.console()
        self.admin.switch_on("mcp", self.settings | {
            "blocked": ["vscode.dev"]})
        end = self.visit("blocked")
        assert end["step"] == "refused", end
        os.unlink(os.path.join(self.folder, "vscode-login.png"))
        self.server.stop()


def shrink(folder: str) -> None:
    """256 colours are enough."""
    names = [os.path.join(folder, n) for n in sorted(os.listdir(folder))
             if n.endswith(".png")]
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--ext", ".png", "--strip",
                        "--speed", "1", "64", *names], check=True)
    for name in names:
        print(f"{os.path.basename(name)}: {os.path.getsize(name)} bytes")


def main() -> int:
    """Enter the laboratory, make the pictures there."""
    folder = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else IMAGES)
    if "LAB_DIR" in os.environ:
        Pictures(folder).make()
        return 0
    agents.modules()
    keycloak.distribution(keycloak.newest())
    os.makedirs(folder, exist_ok=True)
    done = subprocess.run(
        [sys.executable, os.path.join(HERE, os.pardir, "lab", "lab.py"),
         "run", *host.OPTIONS, "--", sys.executable, os.path.abspath(__file__),
         folder], check=False)
    if done.returncode == 0:
        shrink(folder)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
