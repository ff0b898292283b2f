# SPDX-License-Identifier: Apache-2.0
"""slapd with the shipped files: clients bind with PLAIN and an assertion."""

from __future__ import annotations

import os
import subprocess
from urllib.parse import quote

import labtest
from machine import MachineCase, example

AUDIENCE = "https://ldap.example.com/"
SERVER = """
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
include {cimd}
database mdb
suffix "dc=example,dc=com"
rootdn "cn=admin,dc=example,dc=com"
rootpw secret
directory {folder}/db
access to dn.base="cn=secret,dc=example,dc=com"
    by dn.exact="cn={url},ou=clients,dc=example,dc=com" read
    by * none
access to * by * none
"""
ENTRIES = """dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: cn=secret,dc=example,dc=com
objectClass: organizationalRole
cn: secret
description: for one client
"""


class Slapd(MachineCase):
    """Debian's slapd, its configuration folder and its quoting."""

    def setUp(self) -> None:
        super().setUp()
        self.need("slapd")
        self.over("/etc/ldap/sasl2", "ldap")
        self.where = self.folder()
        os.mkdir(os.path.join(self.where, "db"))
        self.socket = os.path.join(self.where, "ldapi")
        self.uri = "ldapi://" + quote(self.socket, safe="")
        self.slapd = self.start_slapd()

    def configure(self, name: str = "slapd.conf", cimd: str = "") -> str:
        """The server's own file, which includes the shipped one."""
        path = os.path.join(self.where, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(SERVER.format(
                folder=self.where, url=self.url,
                cimd=cimd or example("slapd-cimd.conf")))
        return path

    def start_slapd(self) -> labtest.Daemon:
        """Loaded with two entries, and listening."""
        conf = self.configure()
        subprocess.run(["/usr/sbin/slapadd", "-f", conf],
                       input=ENTRIES.encode(), check=True,
                       env=self.environment(), capture_output=True)
        one = self.daemon(["/usr/sbin/slapd", "-f", conf, "-h", self.uri,
                           "-d", "0"], folder=self.where,
                          env={"SASL_PATH": self.plugins})
        return one.start(ready=lambda: labtest.answers(self.socket),
                         seconds=60)

    def ldap(self, program: str, name: str, password: str, *more: str
             ) -> "subprocess.CompletedProcess[str]":
        """A stock client that binds with PLAIN."""
        return subprocess.run(
            [program, "-Q", "-Y", "PLAIN", "-H", self.uri, "-U", name, "-w",
             password, *more], capture_output=True, text=True, check=False,
            timeout=120, env=self.environment())

    def whoami(self, name: str, password: str) -> str:
        """Who the server takes the client for."""
        done = self.ldap("ldapwhoami", name, password)
        return done.stdout.strip() or done.stderr.strip()

    def entry(self) -> str:
        """What authz-regexp makes of the client."""
        return f"dn:cn={self.url},ou=clients,dc=example,dc=com"

    def test_bind(self) -> None:
        """The assertion is the password, once; the URL is in the DN."""
        token = self.token(AUDIENCE)
        self.assertEqual(self.whoami(self.url, token), self.entry())
        self.assertIn("Invalid credentials", self.whoami(self.url, token))
        for password in ("secret", self.token("https://mail.example.com/")):
            self.assertIn("Invalid credentials",
                          self.whoami(self.url, password))
        line = self.cimd.wait_line("assertion", self.url)
        self.assertEqual(line["consumer"], "ldap")

    def test_rights(self) -> None:
        """One client may read what another may not."""
        search = ("-LLL", "-b", "cn=secret,dc=example,dc=com", "description")
        done = self.ldap("ldapsearch", self.url, self.token(AUDIENCE),
                         *search)
        self.assertIn("description: for one client", done.stdout, done)
        self.url = self.client()
        self.serve(self.url, document=self.keys.members())
        done = self.ldap("ldapsearch", self.url, self.token(AUDIENCE),
                         *search)
        self.assertNotIn("description", done.stdout)

    def test_lookups(self) -> None:
        """sasl-auxprops: slapd looks clients up in cimdd, and nobody
        else."""
        with self.one_lookup(self.cimd):
            self.assertEqual(self.whoami(self.url, self.token(AUDIENCE)),
                             self.entry())
        before = self.lookups(self.cimd)
        self.whoami("alice", "secret")
        self.assertEqual(self.lookups(self.cimd), before)

    def test_names(self) -> None:
        """An at sign or a comma in the path."""
        self.url = labtest.lab().url("/good/@me")
        self.serve(self.url, document=self.keys.members())
        self.assertEqual(self.whoami(self.url, self.token(AUDIENCE)),
                         self.entry())
        self.url = labtest.lab().url("/good/a,b")
        self.serve(self.url, document=self.keys.members())
        self.assertIn("a\\2Cb", self.whoami(self.url, self.token(AUDIENCE)))

    def test_cimdd_away(self) -> None:
        """Nobody gets in, slapd stays, and goes on when it is back."""
        self.cimd.daemon.kill()
        self.assertNotIn("dn:", self.whoami(self.url, "x"))
        self.cimd.start()
        for path in ("/run/cimd/mux", "/run/cimd/lookup.sock"):
            os.chmod(path, 0o666)
        # For a moment the answer of before counts.
        labtest.wait_until(lambda: self.whoami(
            self.url, self.token(AUDIENCE)) == self.entry(), 30)
        self.assertTrue(self.slapd.alive())

    def test_quotes(self) -> None:
        """The shipped file has the quotes that slapd wants."""
        with open(example("slapd-cimd.conf"), encoding="utf-8") as src:
            text = src.read()
        self.assertIn('\nsasl-auxprops "cimd slapd"\n', text)
        conf = self.configure("good.conf")
        done = subprocess.run(["/usr/sbin/slaptest", "-u", "-f", conf],
                              check=False, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
