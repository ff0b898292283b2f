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
import base64
import os
import secrets
import shutil
import signal
import struct
import subprocess
import sys
import time
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
for other in ("lab", "pipeline"):
    sys.path.insert(0, os.path.join(HERE, os.pardir, other))

import cimdd  # noqa: E402
import labtest  # noqa: E402
from flow import Browser, Flow  # noqa: E402
from keycloak import USER, Keycloak, wanted  # noqa: E402

__all__ = ["Case", "Host", "Realm", "host", "use"]

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
    "chatgpt": "https://chatgpt.com/connector_platform_oauth_redirect",
}


def jar() -> str:
    """The provider that was built, or the one that CIMD_KEYCLOAK_JAR is."""
    given = os.environ.get("CIMD_KEYCLOAK_JAR")
    path = given or os.path.join(labtest.top_build(), "keycloak-bridge",
                                 "cimd-keycloak.jar")
    assert os.path.exists(path), f"no {path}: make -C keycloak-bridge"
    return path


def cheap() -> dict[str, Any]:
    """For a realm that is made quickly, one key for all and a weak hash; and
    that has patience."""
    pem = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True,
                         text=True, check=True).stdout
    keys = {"rsa": {"privateKey": [pem]}, "hmac-generated": {},
            "aes-generated": {}}
    return {
        # So that a token lives as long as a test, however slow that is.
        "accessTokenLifespan": 3600, "accessCodeLifespan": 600,
        "components": {"org.keycloak.keys.KeyProvider": [
            {"name": name, "providerId": name, "config": config}
            for name, config in keys.items()]},
        "passwordPolicy":
            "hashAlgorithm(pbkdf2-sha256) and hashIterations(1)"}


def build_inside() -> str:
    """The path of inside.so, built once for the laboratory."""
    out = os.path.join(os.environ["LAB_DIR"], "inside.so")
    if not os.path.exists(out):
        subprocess.run([os.environ.get("CC", "cc").split()[0], "-shared",
                        "-fPIC", "-O1", "-D_GNU_SOURCE", "-I",
                        os.path.join(labtest.top_src(), "common"), "-o", out,
                        os.path.join(HERE, "inside.c")], check=True)
    return out


class Engine:
    """Whoever answers the bridge, and what the administrator of the machine
    does with it: here cimdd, beside Keycloak."""

    def __init__(self, where: "Host") -> None:
        self.host, self.daemon = where, where.daemon

    def options(self) -> dict[str, str]:
        """What Keycloak is told about it."""
        return {"socket": self.daemon.path}

    def environment(self) -> dict[str, str]:
        """What Keycloak needs for it."""
        return {}

    def start(self) -> None:
        """It is there, and found again."""
        self.daemon.start()
        if self.host.kc.alive():
            time.sleep(1)  # so long one that was gone is left alone

    def stop(self) -> None:
        """It is gone."""
        self.daemon.stop()

    def running(self) -> bool:
        """Is it there?"""
        return self.daemon.daemon.alive()

    def configure(self, rules: str) -> None:
        """It reads another configuration, soon."""
        self.daemon.configure(rules)
        self.daemon.daemon.signal(signal.SIGHUP)

    def later(self, seconds: int) -> None:
        """Let time pass for it."""
        self.daemon.later(seconds)

    def govern(self, what: str, url: str) -> None:
        """cimdctl deny, unblock, approve, forget."""
        answer = self.daemon.act(what, url)
        assert answer.status == 200, answer.body

    def lookups(self) -> int:
        """How many lookups it has answered."""
        text = self.daemon.socket.get("/metrics").body.decode()
        return sum(int(float(line.split()[-1])) for line in text.splitlines()
                   if line.startswith("cimd_lookups_total"))


class Inside(Engine):
    """libcimd within Keycloak, which has no daemon to speak to."""

    def __init__(self, where: "Host") -> None:
        super().__init__(where)
        # As an administrator has it made, by cimdd -t --json.
        self.json = os.path.join(self.daemon.folder, "cimd.json")
        self.rules, self.blocked = RULES, set[str]()

    def options(self) -> dict[str, str]:
        return {"engine": "jni", "config": self.json, "library": os.path.join(
            labtest.top_build(), "keycloak-bridge", "native", ".libs",
            "libcimd_jni.so")}

    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": build_inside(),
                "INSIDE_FILE": self.daemon.clock.path}

    def start(self) -> None:
        """The configuration comes (back); it is looked for by itself."""
        names = ", ".join(f'"{one}"' for one in sorted(self.blocked))
        self.daemon.configure(self.rules + (f"deny = {{ {names} }}\n"
                                            if names else ""))
        done = subprocess.run([*self.daemon.daemon.argv, "-t", "--json"],
                              capture_output=True, text=True, check=True)
        with open(self.json + ".new", "w", encoding="utf-8") as out:
            out.write(done.stdout)
        os.rename(self.json + ".new", self.json)
        if self.host.kc.alive():
            time.sleep(1.1)  # so long it does not look

    def stop(self) -> None:
        """What is loaded stays: only a start without configuration is one
        without libcimd."""
        os.unlink(self.json)
        self.host.restart()

    def running(self) -> bool:
        return os.path.exists(self.json)

    def configure(self, rules: str) -> None:
        self.rules = rules
        self.start()

    def govern(self, what: str, url: str) -> None:
        """Blocks are a matter of the configuration; what is stored can be
        governed by a cimdd while Keycloak does not run."""
        if what in ("deny", "unblock"):
            (self.blocked.add if what == "deny"
             else self.blocked.discard)(url)
            self.start()
            return
        self.host.kc.stop()
        self.daemon.start()
        super().govern(what, url)
        self.daemon.stop()
        self.host.kc.start()

    def lookups(self) -> int:
        return struct.unpack_from("=q", self.daemon.clock.map, 16)[0]


ENGINES = {"socket": Engine, "jni": Inside}


class Host:
    """A machine with an engine and a Keycloak."""

    def __init__(self, version: str) -> None:
        self.case = labtest.Case()
        self.version = version
        self.daemon = cimdd.Cimdd(self.case, RULES)
        self.daemon.daemon.argv += [
            "-C", os.path.join(labtest.top_src(), "catalog.d")]
        folder = os.path.join(os.environ["LAB_DIR"], "host")
        os.mkdir(folder)
        self.engine = os.environ.get("CIMD_KEYCLOAK_ENGINE") or "socket"
        self.cimd = ENGINES[self.engine](self)
        self.cheap = cheap()
        self.kc = Keycloak(version, folder, [jar()], options=[
            f"--spi-client-storage-cimd-{name}={value}"
            for name, value in self.cimd.options().items()],
            env=self.cimd.environment())

    def start(self) -> "Host":
        """Both, one after the other."""
        self.cimd.start()
        self.kc.start()
        return self

    def restart(self) -> None:
        """Keycloak, with nothing in its memory."""
        self.kc.stop()
        self.kc.start()

    def stop(self) -> None:
        """End both."""
        self.kc.stop()
        if os.environ.get("CIMD_KEYCLOAK_LOG"):
            shutil.copy(self.kc.log, os.environ["CIMD_KEYCLOAK_LOG"])
        self.case.doCleanups()


_host: Host | None = None


def host() -> Host:
    """The one of this suite; started when it is first needed."""
    global _host
    if _host is None:
        _host = Host(wanted())
        atexit.register(_host.stop)
        _host.start()
    return _host


def use(one: Host) -> None:
    """Take this one, which runs already."""
    global _host
    _host = one


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

    def policies(self, *policies: tuple[dict[str, Any], list[dict[str, Any]]]
                 ) -> None:
        """Several policies: the form of each, and its conditions."""
        self.admin.call("PUT", f"/{self.name}/client-policies/policies",
                        {"policies": []})
        self.admin.call(
            "PUT", f"/{self.name}/client-policies/profiles", {"profiles": [{
                "name": f"profile{n}", "executors": [{
                    "executor": "cimd", "configuration": form}]}
                for n, (form, _) in enumerate(policies)]})
        self.admin.call(
            "PUT", f"/{self.name}/client-policies/policies", {"policies": [{
                "name": f"policy{n}", "enabled": True,
                "conditions": conditions, "profiles": [f"profile{n}"]}
                for n, (_, conditions) in enumerate(policies)]})

    def get(self, path: str) -> Any:
        """Read something at the admin API."""
        return self.admin.get(f"/{self.name}{path}")

    def metadata(self, name: str = "openid-configuration") -> dict[str, Any]:
        """What the realm publishes."""
        page = Browser().open(f"{self.issuer}/.well-known/{name}")
        assert page.status == 200, f"{page.status} {page.body}"
        found: dict[str, Any] = page.json()
        return found

    def components(self) -> list[dict[str, Any]]:
        """The client storage that the realm has."""
        found = self.get("/components?type=org.keycloak.storage.client"
                         ".ClientStorageProvider")
        return list(found)

    def user(self) -> str:
        """The id of the user who logs in."""
        return str(self.get("/users?username=" + USER)[0]["id"])

    def consents(self) -> list[dict[str, Any]]:
        """What the user has consented to."""
        return list(self.get(f"/users/{self.user()}/consents"))

    def sessions(self) -> list[dict[str, Any]]:
        """The sessions that the user has."""
        return list(self.get(f"/users/{self.user()}/sessions"))

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The realm's events of a type, newest first."""
        return self.admin.events(self.name, kind)

    def uuid(self, url: str) -> str:
        """The id that Keycloak has for a client of ours."""
        encoded = base64.urlsafe_b64encode(url.encode()).rstrip(b"=").decode()
        return f"f:{self.components()[0]['id']}:{encoded}"


class Case(cimdd.Case):
    """A test with a realm of its own."""

    def document(self, **members: Any) -> str:
        """The URL of a new client, whose document has these members."""
        url = self.client()
        self.serve(url, document=members)
        return url

    @property
    def cimd(self) -> Engine:
        """Whoever answers the bridge."""
        return self.host.cimd

    @property
    def host(self) -> Host:
        """Keycloak and its engine."""
        return host()

    def realm(self, **settings: Any) -> Realm:
        """A new realm; without settings the bridge is off in it."""
        one = Realm(self.host, "r" + secrets.token_hex(4))
        one.admin.realm(one.name, **self.host.cheap)
        if settings:
            one.switch_on(**{name.replace("_", "-"): value
                             for name, value in settings.items()})
        return one
