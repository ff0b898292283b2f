#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The sidecar of doc/keycloak.md, done: its commands and its ConfigMap, in
containers of our own making (container.py), with a Keycloak in one of them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import container  # noqa: E402
import host  # noqa: E402
import keycloak  # noqa: E402
import labtest  # noqa: E402
from flow import Flow  # noqa: E402
from process import wait_until  # noqa: E402

HOME = "/opt/keycloak"


def guide(name: str = "Containers and Kubernetes") -> str:
    """A section of doc/keycloak.md."""
    path = os.path.join(labtest.top_src(), "doc", "keycloak.md")
    with open(path, encoding="utf-8") as src:
        text = src.read()
    return text.partition(f"\n## {name}\n")[2].partition(
        "\n## ")[0]


def words(name: str) -> list[str]:
    """A list of words of the Pod: its "command" or "args"."""
    found = re.search(rf"^    {name}: \[(.*?)\]\n", guide(), re.S | re.M)
    assert found, name
    return [one.strip().strip('"') for one in
            re.findall(r'"[^"]*"|[^,\n]+', found[1]) if one.strip()]


def probe() -> list[str]:
    """The words of the probe."""
    found = re.search(r"\bexec: \{ command: \[(.*?)\] \}", guide())
    assert found
    return [one.strip('"') for one in found[1].split(", ")]


def configuration() -> str:
    """The ConfigMap's cimd.conf."""
    found = re.search(r"\n```conf\n(.*?\n)```\n", guide(), re.S)
    assert found
    return found[1]


def mount_path(name: str, volume: str) -> str:
    """Where a container has a volume: "/run/cimd", or "/run/cimd ro"."""
    of = guide().partition(f"- name: {name}\n")[2].partition("\n  - name: ")[0]
    found = re.search(r"\{ name: cimd-" + volume
                      + r", mountPath: ([^, ]+)(, readOnly: true)? \}", of)
    assert found, (name, volume)
    return found[1] + (" ro" if found[2] else "")


class Contained(keycloak.Keycloak):
    """Keycloak in a container of the Pod, as its image has it."""

    pod: container.Pod

    def inside(self, *command: str) -> list[str]:
        """kc.sh there; the image's own layer can be written to."""
        return self.pod.container(
            ["env", "HOME=" + HOME, HOME + "/bin/kc.sh", *command],
            run=mount_path("keycloak", "run"), keycloak=HOME, tmp="/tmp")

    def command(self) -> list[str]:
        return self.inside(*words("args"))

    def stop(self) -> None:
        """As a container ends: its process 1 is asked to."""
        first = container.first_process(self.child.pid) if self.child else 0
        if self.child and first:
            os.kill(first, signal.SIGTERM)
            try:
                self.child.wait(60)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def environment(self) -> dict[str, str]:
        """What a Pod's "env" says, too."""
        return {**super().environment(), "KC_HTTP_ENABLED": "true",
                "KC_HOSTNAME_STRICT": "false", "KC_DB": "dev-file",
                "KC_HTTP_PORT": str(self.port), "KC_CACHE": "local"}


class Sidecar(labtest.Case):
    """cimdd beside Keycloak, neither of them root."""

    def setUp(self) -> None:
        if not container.possible():
            self.skipTest("there is no other user in this namespace")
        folder = self.folder()
        self.pod = container.Pod(container.image(), folder,
                                 configuration())
        os.chmod(self.pod.volume("tmp"), 0o1777)
        self.socket = os.path.join(self.pod.path("run"), "lookup.sock")
        self.cimdd = self.daemon(self.pod.container(
            words("command"), **{name: mount_path("cimdd", name)
                                 for name in ("run", "state", "conf")}))
        self.addCleanup(self.end)
        self.cimdd.start(ready=lambda: labtest.answers(self.socket),
                         seconds=120)

    def first(self) -> int:
        """Process 1 of the daemon's container."""
        child = self.cimdd.child
        return container.first_process(child.pid) if child else 0

    def end(self) -> None:
        """End the daemon with its container."""
        first = self.first()
        if first:
            os.kill(first, signal.SIGKILL)

    def exec(self, *command: str, user: int = container.USER
             ) -> subprocess.CompletedProcess[str]:
        """As "kubectl exec" does."""
        return subprocess.run(
            ["nsenter", "-t", str(self.first()), "-m", "-p", "-r", "setpriv",
             f"--reuid={user}", f"--regid={user}", "--clear-groups",
             *command], capture_output=True, text=True, check=False,
            timeout=120)

    def ask(self, user: int) -> int:
        """The status of a lookup as that user; 0 if there is no answer."""
        body = {"client_id": labtest.lab().client_id("vscode"),
                "purpose": "authorize", "policy": {"allow": ["vscode"]}}
        done = self.exec(
            "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
            "--unix-socket", "/run/cimd/lookup.sock", "--json",
            json.dumps(body), "http://cimd/v1/client", user=user)
        return int(done.stdout or "0")

    def test_who_may_ask(self) -> None:
        """Keycloak's user, and nobody else."""
        done = self.exec("curl", "-sS", "--unix-socket",
                         "/run/cimd/lookup.sock", "http://cimd/healthz")
        self.assertIn("ok", done.stdout)
        self.assertIn(done.stdout.strip(), guide("Install"))
        self.assertEqual(self.ask(container.USER), 200)
        self.assertEqual(self.ask(container.USER + 1), 0)
        self.assertEqual(self.ask(0), 403)

    def test_end(self) -> None:
        """As process 1 it ends when it is told to; after a crash, too, it
        comes back in the same Pod, with what it has stored."""
        url = labtest.lab().client_id("vscode")
        self.assertEqual(self.ask(container.USER), 200)
        self.assertEqual(self.exec("cimdctl", "deny", url).returncode, 0)
        for number in (signal.SIGTERM, signal.SIGKILL):
            os.kill(self.first(), number)
            status = self.cimdd.wait(60)
            if number == signal.SIGTERM:
                self.assertEqual(status, 0, self.cimdd.text())
            self.cimdd.start()
            wait_until(lambda: self.first() and self.ask(container.USER), 60,
                       "an answer")
            self.assertEqual(self.ask(container.USER), 403)

    def test_login(self) -> None:
        """A user of VS Code, and what the daemon's administrator sees."""
        version = keycloak.wanted()
        kc = Contained(version, self.pod.folder, [host.jar()])
        kc.pod = self.pod
        self.addCleanup(kc.stop)
        for folder, _, files in os.walk(kc.home):
            for name in ("", *files):
                os.chown(os.path.join(folder, name), container.USER, 0,
                         follow_symlinks=False)
        # Where an image is built there is neither cimdd nor the library.
        done = subprocess.run(
            kc.inside("build"), env=kc.environment() | {
                "KC_SPI_CLIENT_STORAGE_CIMD_ENGINE": "jni",
                "KC_SPI_CLIENT_STORAGE_CIMD_LIBRARY": "/nowhere/jni.so"},
            capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        kc.start()
        kc.admin.realm("mcp")
        kc.admin.switch_on("mcp", {"clients": ["vscode"]})
        url = labtest.lab().client_id("vscode")
        flow = Flow(kc.realm_url("mcp"), url, host.REDIRECTS["vscode"])
        tokens = flow.run()
        self.assertIn(url, self.exec("cimdctl", "clients").stdout)
        self.assertEqual(self.exec(*probe()).returncode, 0)
        self.assertEqual(self.exec("cimdctl", "deny", url).returncode, 0)
        self.assertIn(flow.refresh(tokens).status, (400, 401))


if __name__ == "__main__":
    keycloak.obtain()
    labtest.main(host.OPTIONS)
