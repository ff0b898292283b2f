# SPDX-License-Identifier: Apache-2.0
"""A stock Keycloak under test, and its administrator.

    kc = Keycloak(version, folder, jars=[JAR])   # a copy, not started
    kc.start()                                   # the administrator can log in
    kc.admin.realm("mcp")                        # a realm with the user alice
    kc.admin.switch_on("mcp", {"clients": ["vscode"]})
    kc.stop()

Everything is done over the admin REST API, as the console does it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lab"))

from lab import free_port  # noqa: E402
from process import wait_until  # noqa: E402

ADMIN, PASSWORD = "admin", "admin"
USER, USER_PASSWORD = "alice", "alice-password"
START_SECONDS = 400.0  # on a machine that does much else
# One compiler: starts faster.
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED"


def distribution(version: str) -> str:
    """The folder of an unchanged Keycloak."""
    done = subprocess.run([os.path.join(HERE, "fetch.sh"), version],
                          stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"Keycloak {version} is not to be had")
    return done.stdout.strip()


def newest() -> str:
    """The newest version of those that we know."""
    return subprocess.run([os.path.join(HERE, "fetch.sh"), "--newest"],
                          stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()


def wanted() -> str:
    """The version to run."""
    return os.environ.get("CIMD_KEYCLOAK_VERSION") or newest()


def obtain() -> None:
    """Have it there before the laboratory, which reaches nobody."""
    if "LAB_DIR" not in os.environ:
        distribution(wanted())


class Refused(Exception):
    """The admin API said no."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text[:400]}")
        self.status = status


class Admin:
    """The administrator at the admin REST API."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.token = ""
        self.until = 0.0

    def login(self) -> None:
        """Get a token; urllib's errors if that fails."""
        form = urllib.parse.urlencode({
            "grant_type": "password", "client_id": "admin-cli",
            "username": ADMIN, "password": PASSWORD}).encode()
        url = self.base + "/realms/master/protocol/openid-connect/token"
        with urllib.request.urlopen(url, form, timeout=60) as answer:
            found = json.load(answer)
        self.token = found["access_token"]
        self.until = time.monotonic() + found["expires_in"] / 2

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request below /admin/realms; the JSON that it answers."""
        if time.monotonic() > self.until:
            self.login()
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.base}/admin/realms{path}", data, method=method,
            headers={"Authorization": "Bearer " + self.token,
                     "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                text = answer.read()
        except urllib.error.HTTPError as exc:
            raise Refused(exc.code, exc.read().decode()) from None
        return json.loads(text) if text else None

    def get(self, path: str) -> Any:
        """Read something."""
        return self.call("GET", path)

    def realm(self, name: str, **more: Any) -> None:
        """A new realm, with one user who may log in."""
        self.call("POST", "", {
            "realm": name, "enabled": True, "sslRequired": "none",
            "eventsEnabled": True, "eventsExpiration": 86400} | more)
        self.call("POST", f"/{name}/users", {
            "username": USER, "enabled": True, "email": "alice@example.com",
            "emailVerified": True, "firstName": "Alice",
            "lastName": "Example", "credentials": [{
                "type": "password", "value": USER_PASSWORD}]})

    def switch_on(self, realm: str, settings: dict[str, Any]) -> None:
        """What an administrator does in Realm settings, Client policies: a
        profile with our executor, and a policy that uses it."""
        self.call("PUT", f"/{realm}/client-policies/profiles", {"profiles": [{
            "name": "mcp-clients", "description": "MCP clients by URL",
            "executors": [{"executor": "cimd",
                           "configuration": settings}]}]})
        self.call("PUT", f"/{realm}/client-policies/policies", {"policies": [{
            "name": "mcp-clients", "description": "", "enabled": True,
            "conditions": [{"condition": "any-client", "configuration": {}}],
            "profiles": ["mcp-clients"]}]})

    def switch_off(self, realm: str) -> None:
        """Take profile and policy away again."""
        self.call("PUT", f"/{realm}/client-policies/policies",
                  {"policies": []})
        self.call("PUT", f"/{realm}/client-policies/profiles",
                  {"profiles": []})

    def client_rows(self, realm: str) -> int:
        """How many registered clients the realm has."""
        return len(self.get(f"/{realm}/clients?max=100000"))

    def events(self, realm: str, kind: str = "") -> list[dict[str, Any]]:
        """What has happened, newest first."""
        more = f"&type={kind}" if kind else ""
        found = self.get(f"/{realm}/events?max=100{more}")
        return list(found)


class Keycloak:
    """One Keycloak with a folder of its own.

    options   more words for "kc.sh start-dev"
    env       additions to its environment
    """

    def __init__(self, version: str, folder: str, jars: list[str],
                 options: list[str] | None = None,
                 env: dict[str, str] | None = None,
                 port: int = 0) -> None:
        self.version, self.folder = version, folder
        self.port = port or free_port()
        self.base = f"http://localhost:{self.port}"
        self.home = os.path.join(folder, "keycloak")
        self.log = os.path.join(folder, "keycloak.log")
        self.options, self.env = options or [], env or {}
        self.child: subprocess.Popen[bytes] | None = None
        self.admin = Admin(self.base)
        shutil.copytree(distribution(version), self.home, symlinks=True)
        for jar in jars:
            shutil.copy(jar, os.path.join(self.home, "providers"))

    def realm_url(self, realm: str) -> str:
        """The issuer of a realm."""
        return f"{self.base}/realms/{realm}"

    def environment(self) -> dict[str, str]:
        """Old and new names of the first administrator; Java's options."""
        return {**os.environ,
                "KEYCLOAK_ADMIN": ADMIN, "KEYCLOAK_ADMIN_PASSWORD": PASSWORD,
                "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN,
                "KC_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD,
                "JAVA_OPTS_APPEND": JAVA_OPTIONS, **self.env}

    def kc(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run kc.sh to its end, as "kc.sh build"."""
        return subprocess.run(
            [os.path.join(self.home, "bin", "kc.sh"), *words],
            env=self.environment(), capture_output=True, text=True,
            check=False)

    def command(self) -> list[str]:
        """What starts it."""
        return [os.path.join(self.home, "bin", "kc.sh"), "start-dev",
                f"--http-port={self.port}", *self.options]

    def start(self) -> "Keycloak":
        """Start it; return once the administrator can log in."""
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                self.command(), env=self.environment(), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True)
        try:
            wait_until(lambda: self.ready() or not self.alive(),
                       START_SECONDS, "the administrator's login")
            assert self.alive(), "Keycloak has ended"
        except AssertionError as exc:
            self.kill()
            raise AssertionError(f"{exc}\n{self.text()[-6000:]}") from None
        return self

    def ready(self) -> bool:
        """A page answers some seconds before the administrator exists."""
        try:
            self.admin.login()
        except (OSError, ValueError, KeyError):
            return False
        return True

    def alive(self) -> bool:
        """Is it still running?"""
        return self.child is not None and self.child.poll() is None

    def stop(self) -> None:
        """End it as a service manager does."""
        if self.child is not None and self.alive():
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(60)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def kill(self) -> None:
        """End whatever is left of it."""
        if self.child is None:
            return
        try:
            os.killpg(self.child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()
        self.child = None

    def text(self) -> str:
        """Everything that it has logged."""
        with open(self.log, encoding="utf-8", errors="replace") as src:
            return src.read()
