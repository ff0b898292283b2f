#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""doc/keycloak.md, done: kcadm.sh with its files, the pictures, an upgrade,
and an uninstallation that leaves a Keycloak as it was."""

from __future__ import annotations

import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import agents  # noqa: E402
import host  # noqa: E402
import keycloak  # noqa: E402
import labtest  # noqa: E402
import screenshots  # noqa: E402
from flow import Flow  # noqa: E402

REGISTERED = "registered"
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def guide() -> str:
    """The text of doc/keycloak.md."""
    path = os.path.join(labtest.top_src(), "doc", "keycloak.md")
    with open(path, encoding="utf-8") as src:
        return src.read()


class Guide(host.Case):
    """What the guide shows."""

    def kcadm(self, *words: str) -> str:
        """kcadm.sh, logged in as the guide does it."""
        kc = self.host.kc
        config = ["--config", os.path.join(kc.folder, "kcadm.config")]
        done = subprocess.run(
            [os.path.join(kc.home, "bin", "kcadm.sh"), *words, *config],
            capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_kcadm(self) -> None:
        """The files of the guide switch a realm on."""
        realm = self.realm()
        profiles, policies = re.findall(r"\n```json\n(.*?)```\n", guide(),
                                        re.S)
        self.kcadm("config", "credentials", "--server", self.host.kc.base,
                   "--realm", "master", "--user", keycloak.ADMIN,
                   "--password", keycloak.PASSWORD)
        for name, text in (("profiles", profiles), ("policies", policies)):
            path = os.path.join(self.folder(), name + ".json")
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
            self.kcadm("update", f"client-policies/{name}", "-r", realm.name,
                       "-f", path)
        self.assertIn("access_token", realm.flow("vscode").run())
        found = self.kcadm("get", "components", "-r", realm.name, "--fields",
                           "id,providerId", "-q", "name=cimd")
        self.assertIn('"providerId" : "cimd"', found)

    def test_pictures(self) -> None:
        """Every page that the guide shows is there, and shows it."""
        folder = self.folder()
        screenshots.Pictures(folder).make()
        shown = re.findall(r"\]\(images/([a-z-]+\.png)\)", guide())
        self.assertEqual(len(shown), len(set(shown)))
        self.assertLessEqual(set(shown), set(os.listdir(folder)))
        kept = os.path.join(labtest.top_src(), "doc", "images")
        self.assertEqual(set(shown), set(os.listdir(kept)))
        for name in shown:
            with open(os.path.join(kept, name), "rb") as src:
                self.assertEqual(src.read(8), SIGNATURE, name)


class Later(host.Case):
    """What comes after the installation; the order matters."""

    def register(self, realm: host.Realm) -> None:
        """A client as Keycloak has always had them."""
        realm.admin.call("POST", f"/{realm.name}/clients", {
            "clientId": REGISTERED, "publicClient": True,
            "redirectUris": ["http://127.0.0.1/callback"]})

    def restart(self) -> None:
        """As an administrator who has changed something in providers/."""
        self.host.kc.stop()
        self.host.kc.start()

    def test_1_upgrade(self) -> None:
        """A new file of the jar, a restart: refresh tokens go on."""
        realm = self.realm(clients=["vscode"])
        flow = realm.flow("vscode")
        tokens = flow.run()
        jar = os.path.join(self.host.kc.home, "providers",
                           os.path.basename(host.jar()))
        os.unlink(jar)
        with open(host.jar(), "rb") as src, open(jar, "wb") as out:
            out.write(src.read())
        self.restart()
        self.assertEqual(flow.refresh(tokens).status, 200)

    def test_2_uninstall(self) -> None:
        """Policy, profile and component go, then the jar: no trace, and
        everybody else logs in as before."""
        realm = self.realm(clients=["vscode"])
        self.register(realm)
        realm.flow("vscode").run()
        realm.admin.switch_off(realm.name)
        found = [c for c in realm.get("/components")
                 if c.get("providerId") == "cimd"]
        self.assertEqual(len(found), 1)
        realm.admin.call("DELETE",
                         f"/{realm.name}/components/{found[0]['id']}")
        providers = os.path.join(self.host.kc.home, "providers")
        os.unlink(os.path.join(providers, os.path.basename(host.jar())))
        self.host.kc.options = []
        self.restart()
        flow = Flow(realm.issuer, REGISTERED, "http://127.0.0.1:1/callback")
        self.assertIn("access_token", flow.run())
        user = realm.get(f"/users?username={keycloak.USER}")[0]["id"]
        self.assertEqual(realm.get(f"/users/{user}/consents"), [])
        page = realm.flow("vscode").authorize()
        self.assertIn("Client not found", page.text())
        self.assertNotIn("cimd", str(realm.get("/components")))


if __name__ == "__main__":
    if "LAB_DIR" not in os.environ:
        agents.modules()
    keycloak.obtain()
    labtest.main(host.OPTIONS)
