# SPDX-License-Identifier: Apache-2.0
"""One Keycloak with the bridge and one cimdd, for all tests of a suite.

    class Logins(host.Case):
        def test_claude(self):
            realm = self.realm(clients=["claude-code"])
            tokens = realm.flow("claude-code").run()

Keycloak takes half a minute to start, so that there is one, with a realm of
its own for each test that wants one.  The laboratory is needed: documents
stand under their real host names.
"""

from __future__ import annotations

import atexit
import os
import secrets
import subprocess
import sys
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
for other in ("lab", "pipeline"):
    sys.path.insert(0, os.path.join(HERE, os.pardir, other))

import cimdd  # noqa: E402
import labtest  # noqa: E402
from flow import Browser, Flow  # noqa: E402
from keycloak import Keycloak, newest  # noqa: E402

__all__ = ["Case", "Host", "Realm", "host"]

OPTIONS = ["--sites", os.path.join(HERE, os.pardir, "fixtures", "documents"),
           "--hostile"]

# What an installation of the bridge puts into conf.d: the console decides.
RULES = """
consumer "keycloak" {
    uid = { 0 }
    delegate = yes
}
"""
REDIRECTS = {
    "claude-code": "http://localhost:54545/callback",
    "vscode": "http://127.0.0.1:60123/",
    "claude": "https://claude.ai/api/mcp/auth_callback",
}


def jar() -> str:
    """The provider that was built, or the one that CIMD_KEYCLOAK_JAR is."""
    given = os.environ.get("CIMD_KEYCLOAK_JAR")
    path = given or os.path.join(labtest.top_build(), "keycloak-bridge",
                                 "cimd-keycloak.jar")
    assert os.path.exists(path), f"no {path}: make -C keycloak-bridge"
    return path


class Host:
    """A machine with cimdd and a Keycloak."""

    def __init__(self, version: str) -> None:
        self.case = labtest.Case()
        self.version = version
        self.cimd = cimdd.Cimdd(self.case, RULES)
        self.cimd.daemon.argv += [
            "-C", os.path.join(labtest.top_src(), "catalog.d")]
        folder = os.path.join(os.environ["LAB_DIR"], "host")
        os.mkdir(folder)
        self.engine = os.environ.get("CIMD_KEYCLOAK_ENGINE") or "socket"
        self.kc = Keycloak(version, folder, [jar()], options=[
            f"--spi-client-storage-cimd-{name}={value}"
            for name, value in self.options().items()])

    def options(self) -> dict[str, str]:
        """What the administrator of the machine says."""
        if self.engine == "socket":
            return {"socket": self.cimd.path}
        return {"engine": "jni", "config": self.json, "library": os.path.join(
            labtest.top_build(), "keycloak-bridge", "native", ".libs",
            "libcimd_jni.so")}

    @property
    def json(self) -> str:
        """cimd.conf as the engine in the virtual machine wants it."""
        return os.path.join(self.cimd.folder, "cimd.json")

    def write_json(self) -> None:
        """As an administrator does: cimdd -t --json."""
        done = subprocess.run([*self.cimd.daemon.argv, "-t", "--json"],
                              capture_output=True, text=True, check=True)
        with open(self.json + ".new", "w", encoding="utf-8") as out:
            out.write(done.stdout)
        os.rename(self.json + ".new", self.json)

    def start(self) -> "Host":
        """Both, one after the other."""
        if self.engine == "socket":
            self.cimd.start()
        else:
            self.write_json()
        self.kc.start()
        return self

    def stop(self) -> None:
        """End both."""
        self.kc.stop()
        self.case.doCleanups()


_host: Host | None = None


def host() -> Host:
    """The one of this suite; started when it is first needed."""
    global _host
    if _host is None:
        _host = Host(os.environ.get("CIMD_KEYCLOAK_VERSION") or newest())
        atexit.register(_host.stop)
        _host.start()
    return _host


class Realm:
    """A realm that takes clients by URL."""

    def __init__(self, where: Host, name: str) -> None:
        self.host, self.name = where, name
        self.admin = where.kc.admin
        self.issuer = where.kc.realm_url(name)

    def flow(self, client: str, redirect_uri: str | None = None,
             browser: Browser | None = None) -> Flow:
        """The flow of a fixture, by its name, or of a URL."""
        url = client if "://" in client else labtest.lab().client_id(client)
        return Flow(self.issuer, url, redirect_uri or REDIRECTS[client],
                    browser)

    def switch_on(self, **settings: Any) -> None:
        """What the administrator's form says from now on."""
        self.admin.switch_on(self.name, settings)

    def get(self, path: str) -> Any:
        """Read something at the admin API."""
        return self.admin.get(f"/{self.name}{path}")


class Case(labtest.Case):
    """A test with a realm of its own."""

    @property
    def host(self) -> Host:
        """Keycloak and cimdd."""
        return host()

    def realm(self, **settings: Any) -> Realm:
        """A new realm; without settings the bridge is off in it."""
        one = Realm(self.host, "r" + secrets.token_hex(4))
        one.admin.realm(one.name)
        if settings:
            one.switch_on(**{name.replace("_", "-"): value
                             for name, value in settings.items()})
        return one
