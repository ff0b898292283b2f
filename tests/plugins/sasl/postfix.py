# SPDX-License-Identifier: Apache-2.0
"""Postfix with the shipped files: clients log in over SMTP."""

from __future__ import annotations

import base64
import os
import shutil
import smtplib
import subprocess

import labtest
from machine import MachineCase, bind, example, unbind

AUDIENCE = "https://mail.example.com/"
PORT = 2525
MAIN = """
compatibility_level = 3.6
myhostname = mail.example.com
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
maillog_file = {log}
maillog_file_prefixes = {folder}
import_environment = MAIL_CONFIG MAIL_LOGTAG LANG=C SASL_PATH={plugins}
"""
MASTER = f"""
127.0.0.1:{PORT} inet n - n - - smtpd
    -o smtpd_tls_auth_only=no
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix(MachineCase):
    """Its smtpd, as the user postfix."""

    def setUp(self) -> None:
        super().setUp()
        self.need("postfix")
        self.where = self.folder()
        os.chmod(self.where, 0o755)
        self.configure()
        for name in ("/var/spool/postfix", "/var/lib/postfix"):
            place = os.path.join(self.where, os.path.basename(name)
                                 + name[5])
            os.mkdir(place)
            bind(place, name)
            self.addCleanup(unbind, name)
        shutil.chown("/var/lib/postfix", "postfix")
        self.postfix("start")
        self.addCleanup(self.postfix, "stop")
        labtest.wait_until(self.listens, 60, "smtpd")

    def configure(self) -> None:
        """The shipped files, and around them what makes a mail server."""
        etc = os.path.join(self.where, "etc")
        shutil.copytree("/etc/postfix", etc, symlinks=True)
        os.makedirs(os.path.join(etc, "sasl"), exist_ok=True)
        shutil.copy(example("postfix", "smtpd.conf"),
                    os.path.join(etc, "sasl"))
        shutil.copy(example("postfix", "main.cf"), etc)
        with open(os.path.join(etc, "main.cf"), "a",
                  encoding="utf-8") as out:
            out.write(MAIN.format(
                log=os.path.join(self.where, "log"), folder=self.where,
                plugins=self.plugins))
        with open(os.path.join(etc, "master.cf"), "w",
                  encoding="utf-8") as out:
            out.write(MASTER)
        bind(etc, "/etc/postfix")
        self.addCleanup(unbind, "/etc/postfix")

    def postfix(self, verb: str) -> None:
        """postfix start, postfix stop."""
        done = subprocess.run(["/usr/sbin/postfix", verb], check=False,
                              capture_output=True, text=True, timeout=120,
                              env={**os.environ,
                                   "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def listens(self) -> bool:
        """Does it take mail?"""
        try:
            smtplib.SMTP("127.0.0.1", PORT, timeout=10).close()
        except OSError:
            return False
        return True

    def login(self, name: str, password: str) -> tuple[int, str]:
        """AUTH PLAIN; the answer."""
        with smtplib.SMTP("127.0.0.1", PORT, timeout=120) as smtp:
            smtp.ehlo("client.example.com")
            self.assertEqual(smtp.esmtp_features["auth"].split(), ["PLAIN"])
            raw = base64.b64encode(f"\0{name}\0{password}".encode())
            # Not with the command, whose line is 2048 bytes at most.
            code, text = smtp.docmd("AUTH", "PLAIN")
            self.assertEqual(code, 334, text)
            code, text = smtp.docmd(raw.decode())
            return code, text.decode()

    def test_login(self) -> None:
        """With an assertion for this server, once."""
        token = self.token(AUDIENCE)
        code, text = self.login(self.url, token)
        self.assertEqual(code, 235, text)
        for password in (token, "secret",
                         self.token("https://ldap.example.com/")):
            code, text = self.login(self.url, password)
            self.assertEqual(code, 535, text)
            self.assertNotIn("CIMD", text)
        line = self.cimd.wait_line("assertion", self.url)
        self.assertEqual(line["consumer"], "smtp")

    def test_at_sign_and_length(self) -> None:
        """Names as they are."""
        base = self.url.rpartition("/")[0] + "/"
        for url in (labtest.lab().url("/good/@me"),
                    base + "x" * (1024 - len(base))):
            self.url = url
            self.serve(url, document=self.keys.members())
            code, text = self.login(url, self.token(AUDIENCE))
            self.assertEqual(code, 235, text)

    def test_cimdd_away(self) -> None:
        """Nobody gets in, and everybody again when it is back."""
        self.cimd.daemon.kill()
        code, _ = self.login(self.url, self.token(AUDIENCE))
        self.assertNotEqual(code, 235)
        self.cimd.start()
        for path in ("/run/cimd/mux", "/run/cimd/lookup.sock"):
            os.chmod(path, 0o666)
        labtest.wait_until(lambda: self.login(
            self.url, self.token(AUDIENCE))[0] == 235, 30, "a login")
