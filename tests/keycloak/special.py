#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The bridge on a Keycloak as companies have it: PostgreSQL, users in LDAP,
and Keycloak's own CIMD feature switched on beside ours.

    CIMD_KEYCLOAK_VERSION   which Keycloak (default: the newest)
"""

from __future__ import annotations

import atexit
import glob
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import host  # noqa: E402
import labtest  # noqa: E402
from keycloak import obtain, wanted  # noqa: E402

LOOPBACK = "http://127.0.0.1:54321/callback"
NATIVE = "client-id-metadata-document"
CLIENTS = 12
LDAP_USER, LDAP_PASSWORD = "lena", "password-of-lena"
SLAPD = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "dc=example,dc=com"
rootdn "cn=admin,dc=example,dc=com"
rootpw admin-password
directory {folder}
"""
ENTRIES = f"""
dn: dc=example,dc=com
objectClass: domain
dc: example

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: uid={LDAP_USER},ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: {LDAP_USER}
cn: Lena Example
sn: Example
givenName: Lena
mail: lena@example.com
userPassword: {LDAP_PASSWORD}
"""


class Postgres:
    """A PostgreSQL with a folder of its own, for the one Keycloak."""

    def __init__(self, folder: str) -> None:
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
        assert found, "PostgreSQL is not installed"
        self.bin = os.path.dirname(found[-1])
        self.folder = folder
        self.port = labtest.free_port()
        self.child: subprocess.Popen[bytes] | None = None

    def start(self) -> "Postgres":
        """Make it, start it, wait for it."""
        data = os.path.join(self.folder, "data")
        os.mkdir(self.folder)
        user = pwd.getpwnam("postgres")
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        subprocess.run([self.bin + "/initdb", "-D", data, "-A", "trust",
                        "-U", "postgres", "--no-sync"], check=True,
                       user="postgres", group="postgres", extra_groups=[],
                       stdout=subprocess.DEVNULL, cwd=self.folder)
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.child = subprocess.Popen(
                [self.bin + "/postgres", "-D", data, "-h", "127.0.0.1", "-p",
                 str(self.port), "-k", self.folder, "-c", "fsync=off"],
                user="postgres", group="postgres", extra_groups=[],
                stdout=log, stderr=log, cwd=self.folder)
        labtest.wait_until(lambda: self.query("SELECT 1", False) == ["1"], 60,
                           "PostgreSQL")
        return self

    def query(self, sql: str, check: bool = True) -> list[str]:
        """The lines that psql prints."""
        done = subprocess.run(
            [self.bin + "/psql", "-h", "127.0.0.1", "-p", str(self.port),
             "-U", "postgres", "-AtqX", "-c", sql], capture_output=True,
            text=True, check=check, timeout=120)
        return done.stdout.splitlines()

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        tables = self.query("SELECT tablename FROM pg_tables WHERE"
                            " schemaname = 'public' ORDER BY 1")
        sql = " UNION ALL ".join(f"SELECT '{t}', count(*) FROM \"{t}\""
                                 for t in tables)
        return {name: int(count) for name, count in
                (line.split("|") for line in self.query(sql))}

    def stop(self) -> None:
        """End it at once."""
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(signal.SIGINT)  # whoever is connected
            try:
                self.child.wait(60)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


_postgres: Postgres | None = None


def postgres() -> Postgres:
    """The database of the one Keycloak; starts both when first needed."""
    global _postgres
    if _postgres is None:
        _postgres = Postgres(os.path.join(os.environ["LAB_DIR"], "pg"))
        atexit.register(_postgres.stop)
        _postgres.start()
        version = wanted()
        one = host.Host(version)
        atexit.register(one.stop)
        one.kc.options += [
            "--db=postgres", "--db-username=postgres",
            "--db-password=none", "--db-url=jdbc:postgresql://127.0.0.1:"
            f"{_postgres.port}/postgres"]
        if native(version):
            # Its own CIMD can fetch what ours can.
            one.kc.options += [
                "--features=cimd",
                "--truststore-paths=" + labtest.lab().ca_file]
        host.use(one.start())
    return _postgres


def native(version: str) -> bool:
    """Does this Keycloak have a CIMD of its own?"""
    return tuple(int(n) for n in version.split(".")[:2]) >= (26, 6)


class SpecialCase(host.Case):
    """With the database at hand."""

    def setUp(self) -> None:
        if os.geteuid() == 0 and not self.other_users():
            self.skipTest("PostgreSQL does not run as root, and there is no"
                          " other user in this namespace")
        self.postgres = postgres()
        super().setUp()

    @staticmethod
    def other_users() -> bool:
        """Is this namespace more than one user mapped to root?"""
        with open("/proc/self/uid_map", encoding="ascii") as src:
            return int(src.read().split()[2]) > 1


class Rows(SpecialCase):
    """What is left in the database."""

    def test_no_row_for_any_number_of_clients(self) -> None:
        """Sessions and consents of users are Keycloak's; they go with
        logout and revocation, and nothing else has come."""
        one = self.client()
        realm = self.realm(clients=[one.rpartition("/")[0] + "/*"])
        self.login(realm, one)
        before = self.postgres.rows()
        urls = [self.client() for _ in range(CLIENTS)]
        for url in urls:
            self.login(realm, url)
        for url in urls[:2]:
            self.login(realm, url)
        grown = {name: count - before[name] for name, count
                 in self.postgres.rows().items() if count != before[name]}
        expected = re.compile(
            "event_entity|(offline|user)_(client_|user_)?session"
            "|user_consent|user_consent_client_scope|revoked_token")
        for name in grown:
            self.assertRegex(name, f"^({expected.pattern})$", grown)
        self.assertEqual(grown["user_consent"], CLIENTS)
        self.assertEqual(before["client"], self.postgres.rows()["client"])
        consents = self.postgres.query(
            "SELECT DISTINCT client_storage_provider FROM user_consent WHERE"
            " client_storage_provider <> 'local'")
        self.assertIn(realm.components()[0]["id"], consents)

    def login(self, realm: host.Realm, url: str) -> None:
        """Login and consent by a new browser, and a token."""
        self.assertIn("access_token", realm.flow(url, LOOPBACK).run())


class Ldap(SpecialCase):
    """Users who are not in Keycloak's database."""

    def setUp(self) -> None:
        super().setUp()
        if shutil.which("slapd", path="/usr/sbin:/usr/bin") is None:
            self.skipTest("slapd is not installed")
        where = self.folder()
        conf = os.path.join(where, "slapd.conf")
        with open(conf, "w", encoding="utf-8") as out:
            out.write(SLAPD.format(folder=where))
        subprocess.run(["/usr/sbin/slapadd", "-f", conf],
                       input=ENTRIES.encode(), check=True,
                       capture_output=True)
        self.port = labtest.free_port()
        slapd = self.daemon(["/usr/sbin/slapd", "-f", conf, "-h",
                             f"ldap://127.0.0.1:{self.port}/", "-d", "0"])
        slapd.start(ready=lambda: self.listens(self.port), seconds=60)

    @staticmethod
    def listens(port: int) -> bool:
        """Does somebody take connections there?"""
        done = subprocess.run(
            ["ldapsearch", "-x", "-o", "nettimeout=5", "-l", "5", "-H",
             f"ldap://127.0.0.1:{port}/", "-b", "", "-s", "base"],
            capture_output=True, check=False, timeout=60)
        return done.returncode == 0

    def federate(self, realm: host.Realm) -> None:
        """As in the console: User federation, LDAP, no import."""
        config = {
            "vendor": "other", "editMode": "READ_ONLY", "enabled": "true",
            "importEnabled": "false", "priority": "0",
            "connectionUrl": f"ldap://127.0.0.1:{self.port}",
            "bindDn": "cn=admin,dc=example,dc=com", "authType": "simple",
            "bindCredential": "admin-password",
            "usersDn": "ou=people,dc=example,dc=com",
            "usernameLDAPAttribute": "uid", "rdnLDAPAttribute": "uid",
            "uuidLDAPAttribute": "entryUUID",
            "userObjectClasses": "inetOrgPerson", "searchScope": "1",
            "pagination": "false", "trustEmail": "true"}
        realm.admin.call("POST", f"/{realm.name}/components", {
            "name": "ldap", "providerId": "ldap",
            "providerType": "org.keycloak.storage.UserStorageProvider",
            "config": {name: [value] for name, value in config.items()}})

    def test_consent_and_refresh(self) -> None:
        url = self.client()
        realm = self.realm(clients=[url])
        self.federate(realm)
        flow = realm.flow(url, LOOPBACK)
        page = flow.login(flow.authorize(), LDAP_USER, LDAP_PASSWORD)
        self.assertIn('name="accept"', page.body, page.text())
        tokens = flow.exchange(flow.consent(page))
        self.assertEqual(flow.refresh(tokens).status, 200)
        user = realm.get(f"/users?username={LDAP_USER}")[0]["id"]
        self.assertTrue(user.startswith("f:"), user)
        consents = realm.get(f"/users/{user}/consents")
        self.assertEqual([c["clientId"] for c in consents], [url])
        again = realm.flow(url, LOOPBACK, flow.browser)
        self.assertIn("code", again.answer(again.authorize()))
        realm.switch_on(clients=["vscode"])
        consents = realm.get(f"/users/{user}/consents")
        self.assertEqual([c["clientId"] for c in consents], [url])


class Native(SpecialCase):
    """Keycloak's own CIMD in the same realm: ours stands back."""

    def setUp(self) -> None:
        super().setUp()
        if not native(self.host.version):
            self.skipTest("this Keycloak has no CIMD of its own")

    def both(self, realm: host.Realm, ours: dict[str, Any],
             hosts: list[str]) -> None:
        """A policy with either executor."""
        base = f"/{realm.name}/client-policies"
        realm.admin.call("PUT", base + "/policies", {"policies": []})
        realm.admin.call("PUT", base + "/profiles", {"profiles": [
            {"name": "ours", "executors": [
                {"executor": "cimd", "configuration": ours}]},
            {"name": "native", "executors": [
                {"executor": NATIVE, "configuration": {
                    "cimd-allow-permitted-domains": hosts,
                    "cimd-allow-http-scheme": False,
                    "cimd-restrict-same-domain": False}}]}]})
        realm.admin.call("PUT", base + "/policies", {"policies": [
            {"name": name, "enabled": True, "profiles": [name],
             "conditions": [{"condition": "any-client",
                             "configuration": {}}]}
            for name in ("ours", "native")]})

    def test_stands_back_with_one_warning(self) -> None:
        known = self.client()
        realm = self.realm(clients=[known, "claude-code"])
        flow = realm.flow(known, LOOPBACK)
        tokens = flow.run()
        rows = self.postgres.rows()["client"]
        self.both(realm, {"clients": [known, "claude-code"]},
                  ["trusted.example.net"])
        for _ in range(3):
            page = realm.flow("claude-code").authorize()
            self.assertEqual(page.status, 400, page.text())
        warnings = [line for line in self.host.kc.text().splitlines()
                    if f"realm {realm.name} uses Keycloak's own" in line]
        self.assertEqual(len(warnings), 1, warnings)
        # What ours has issued is still answered, and no row hides it.
        self.assertEqual([c["clientId"] for c in realm.consents()], [known])
        page = flow.refresh(tokens)
        self.assertEqual(page.status, 200, page.body)
        tokens = page.json()
        # A new login is no business of ours, though Keycloak remembers whose
        # the client is: neither at the authorization endpoint nor pushed.
        page = realm.flow(known, LOOPBACK).authorize()
        self.assertEqual(page.status, 400, page.text())
        self.assertIn(realm.flow(known, LOOPBACK).push().status, (400, 401))
        self.assertEqual(len(realm.sessions()), 1)
        realm.switch_on(clients=[known, "claude-code"])
        self.assertEqual(flow.refresh(tokens).status, 200)
        self.assertIn("access_token", realm.flow(known, LOOPBACK).run())
        self.assertEqual(realm.flow("claude-code").authorize().status, 200)
        self.assertEqual(self.postgres.rows()["client"], rows)

    def test_other_executor_takes_a_client_of_ours(self) -> None:
        """It stores it, and that row wins as any other does, until it goes;
        ours gives no new login away meanwhile, and loses no session."""
        url = self.client()
        realm = self.realm(clients=[url])
        flow = realm.flow(url, LOOPBACK)
        tokens = flow.run()
        self.both(realm, {"clients": [url]},
                  ["*.hostile.example.net", "127.0.0.1"])
        self.assertEqual(realm.flow(url, LOOPBACK).authorize().status, 200)
        row, = self.postgres.query(
            f"SELECT id FROM client WHERE client_id = '{url}'")
        self.assertEqual([c["clientId"] for c in realm.consents()], [url])
        realm.switch_on(clients=[url])
        realm.admin.call("DELETE", f"/{realm.name}/clients/{row}")
        page = flow.refresh(tokens)
        self.assertEqual(page.status, 200, page.body)
        self.assertIn("access_token", realm.flow(url, LOOPBACK).run())

    def test_feature_without_its_executor(self) -> None:
        """Only the executor takes clients; the feature alone is no rival."""
        realm = self.realm(clients=["claude-code"])
        rows = self.postgres.rows()["client"]
        self.assertIn("access_token", realm.flow("claude-code").run())
        self.assertEqual(self.postgres.rows()["client"], rows)


if __name__ == "__main__":
    obtain()
    labtest.main(host.OPTIONS)
