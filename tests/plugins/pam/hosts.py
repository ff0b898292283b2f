# SPDX-License-Identifier: Apache-2.0
"""Real hosts, with the very files that doc/hosts/pam.md shows.

The laboratory has mounts of its own: its /etc/pam.d holds those of the
machine and ours, libpam finds pam_cimd.so where it looks for modules, and
/run/cimd is the folder of the cimdd under test.  Of the configuration of a
host only what "changed" below names differs.
"""

from __future__ import annotations

import base64
import glob
import hashlib
import http.client
import http.server
import imaplib
import os
import pwd
import re
import shutil
import signal
import ssl
import subprocess
import threading
from typing import Any
from urllib.parse import quote, quote_plus

from pamhost import RULES, Case, Cimdd, labtest, module, need, sanitizer

EXAMPLES = os.path.join(labtest.top_src(), "doc", "hosts", "pam")
MCP, MAIL = "https://mcp.example.com/", "imaps://mail.example.com/"


def example(name: str) -> str:
    """The text of a file of doc/hosts/pam."""
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as src:
        return src.read()


def changed(text: str, **pairs: tuple[str, str]) -> str:
    """The text with a few places replaced, each of which must be there."""
    for old, new in pairs.values():
        assert text.count(old) == 1, f"{old!r} is not there once"
        text = text.replace(old, new)
    return text


def mount(source: str, target: str) -> None:
    """Lay one folder or file over another, in the laboratory alone."""
    subprocess.run(["mount", "--bind", source, target], check=True)


def prepare(folder: str) -> str:
    """Once for the laboratory: the mounts; returns what /etc/pam.d is."""
    marker = os.path.join(os.environ["LAB_DIR"], "pam.d")
    if os.path.exists(marker):
        return marker
    modules, = {os.path.dirname(p) for p in
                glob.glob("/lib/*/security/pam_unix.so")}
    copies = os.path.join(folder, "security")
    shutil.copytree(modules, copies, symlinks=True)
    shutil.copy(module(), copies)
    mount(copies, modules)
    shutil.copytree("/etc/pam.d", marker)
    mount(marker, "/etc/pam.d")
    return marker


class HostCase(Case):
    """A cimdd at /run/cimd, and services in /etc/pam.d."""

    def setUp(self) -> None:
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("only root can start these hosts")
        if sanitizer():
            self.skipTest("hosts do not preload the sanitizer's library")
        self.services = prepare(os.environ["LAB_DIR"])
        for name in ("mcp", "dovecot"):
            shutil.copy(os.path.join(EXAMPLES, name), self.services)

    def at_home(self, rules: str = "") -> Cimdd:
        """A cimdd whose socket is where the hosts look for it."""
        cimd = self.start(rules or RULES + example("cimd.conf"))
        if os.path.islink("/run/cimd"):
            os.unlink("/run/cimd")
        os.symlink(cimd.folder, "/run/cimd")
        return cimd

    def write(self, name: str, text: str) -> str:
        """A file in a folder that every user can read."""
        path = os.path.join(self.public_folder(), name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def wait_port(self, port: int) -> None:
        """Until something listens there."""
        labtest.wait_until(lambda: labtest.answers(("127.0.0.1", port)), 60,
                           f"port {port}")


class Echo(http.server.BaseHTTPRequestHandler):
    """What stands behind nginx: says who came."""

    def do_GET(self) -> None:  # noqa: N802
        """Answer with the client's name."""
        body = self.headers.get("X-Client-Id", "-").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class Nginx(HostCase):
    """HTTP Basic in front of a server."""

    def setUp(self) -> None:
        super().setUp()
        self.module = "/usr/lib/nginx/modules/ngx_http_auth_pam_module.so"
        need(self, "nginx", self.module)
        self.cimd = self.at_home()
        self.behind = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        threading.Thread(target=self.behind.serve_forever,
                         daemon=True).start()
        self.addCleanup(self.behind.server_close)
        self.addCleanup(self.behind.shutdown)
        self.port = labtest.free_port()
        self.serve_nginx()

    def serve_nginx(self) -> None:
        """Start it with doc/hosts/pam/nginx.conf."""
        folder = self.public_folder()
        pem = os.path.join(folder, "pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", pem,
             "-out", pem + ".crt", "-subj", "/CN=mcp.example.com"],
            check=True, capture_output=True)
        site = self.write("mcp.conf", changed(
            example("nginx.conf"),
            address=("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl"),
            certificate=("/etc/ssl/mcp/fullchain.pem", pem + ".crt"),
            key=("/etc/ssl/mcp/privkey.pem", pem),
            behind=("unix:/run/mcp/backend.sock",
                    f"127.0.0.1:{self.behind.server_address[1]}")))
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        os.chmod(folder, 0o777)
        conf = self.write("nginx.conf", f"""
load_module {self.module};
user www-data;
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log info;
events {{ }}
http {{
access_log {folder}/access.log;
{temporary}
include {site};
}}
""")
        self.folder_of_nginx = folder
        self.nginx = self.daemon(["nginx", "-c", conf, "-e",
                                  f"{folder}/error.log"], folder=folder)
        self.nginx.start()
        self.wait_port(self.port)

    def get(self, user: str, password: str) -> tuple[int, str]:
        """GET / with HTTP Basic; user "" is without."""
        context = ssl._create_unverified_context()
        http_ = http.client.HTTPSConnection("127.0.0.1", self.port,
                                            context=context, timeout=60)
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        http_.request("GET", "/", headers={"Authorization": f"Basic {basic}"}
                      if user else {})
        answer = http_.getresponse()
        body = answer.read().decode()
        http_.close()
        return answer.status, body

    def test_good(self) -> None:
        for name in (quote(self.url, safe=""), quote_plus(self.url)):
            status, body = self.get(name, self.token(MCP))
            self.assertEqual((status, body), (200, name))
        self.assertFetched(self.url, 1)

    def test_refused(self) -> None:
        name = quote(self.url, safe="")
        token = self.token(MCP)
        self.assertEqual(self.get(name, token)[0], 200)
        for user, password in (
                (name, token), (name, self.token(MAIL)), (name, "x"),
                ("", ""), ("alice", "secret"), (name + "%", self.token(MCP)),
                (quote("https://other.hostile.example.net/good/x", safe=""),
                 self.token(MCP))):
            with self.subTest(user=user):
                status, body = self.get(user, password)
                self.assertEqual(status, 401)
                self.assertNotIn("CIMD_E", body)

    def test_colon(self) -> None:
        """The trap: an URL as it is ends at its first colon."""
        self.assertEqual(self.get(self.url, self.token(MCP))[0], 401)

    def test_trouble(self) -> None:
        """A daemon that is stopped, killed, and there again."""
        name = quote(self.url, safe="")
        self.assertEqual(self.get(name, self.token(MCP))[0], 200)
        self.cimd.daemon.signal(signal.SIGSTOP)
        self.addCleanup(self.cimd.daemon.signal, signal.SIGCONT)
        self.assertNotEqual(self.get(name, self.token(MCP))[0], 200)
        self.cimd.daemon.signal(signal.SIGCONT)
        self.assertEqual(self.get(name, self.token(MCP))[0], 200)
        self.cimd.daemon.signal(signal.SIGKILL)
        self.cimd.daemon.wait()
        self.assertNotEqual(self.get(name, self.token(MCP))[0], 200)
        self.cimd.daemon.kill()
        self.cimd.start()
        os.chmod(self.cimd.path, 0o666)
        self.assertEqual(self.get(name, self.token(MCP))[0], 200)


class Dovecot(HostCase):
    """IMAP, beside users of the machine."""

    def setUp(self) -> None:
        super().setUp()
        need(self, "dovecot", "doveadm")
        self.new = not subprocess.run(
            ["dovecot", "--version"], text=True, capture_output=True,
            check=True).stdout.startswith("2.3.")
        self.cimd = self.at_home()
        self.port = labtest.free_port()
        self.serve_dovecot()

    def documented(self) -> str:
        """The file for this version, with other mails."""
        self.mails = os.path.join(self.public_folder(), "mails")
        os.mkdir(self.mails)
        os.chmod(self.mails, 0o777)
        if self.new:
            return self.write("99-cimd.conf", changed(
                example("dovecot-2.4.conf"), user=("uid = vmail",
                                                   "uid = nobody"),
                group=("gid = vmail", "gid = nogroup"),
                mails=("home = /var/vmail/", f"home = {self.mails}/")))
        return self.write("99-cimd.conf", changed(
            example("dovecot.conf"),
            mails=("uid=vmail gid=vmail home=/var/vmail/",
                   f"uid=nobody gid=nogroup home={self.mails}/")))

    def serve_dovecot(self) -> None:
        """Start it with doc/hosts/pam/dovecot.conf or dovecot-2.4.conf, which
        come after what Debian says of mails."""
        folder = self.public_folder()
        base = os.path.join("/run", "dovecot-" + os.path.basename(folder))
        versions = """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
""" if self.new else ""
        self.conf = self.write("dovecot.conf", f"""{versions}
base_dir = {base}
state_dir = {folder}/state
log_path = {folder}/log
auth_verbose = yes
auth_failure_delay = 0
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
protocols = imap
ssl = no
listen = 127.0.0.1
service imap-login {{
  inet_listener imap {{
    port = {self.port}
  }}
}}
!include_try /etc/dovecot/conf.d/10-mail.conf
!include {self.documented()}
""")
        self.log = os.path.join(folder, "log")
        self.dovecot = self.daemon(["dovecot", "-F", "-c", self.conf],
                                   folder=folder)
        self.dovecot.start()
        self.wait_port(self.port)

    def login(self, user: str, password: str) -> str:
        """LOGIN over IMAP; what the server says."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=120) as imap:
            try:
                imap.login(user, password)
            except imaplib.IMAP4.error as exc:
                return str(exc)
            status, _ = imap.select("INBOX")
            self.assertEqual(status, "OK")
            return "OK"

    def assertRefused(self, user: str, password: str) -> None:
        """It fails, and the one who is refused does not learn why."""
        said = self.login(user, password)
        self.assertIn("AUTHENTICATIONFAILED", said)
        self.assertNotIn("CIMD_E", said)

    def test_good(self) -> None:
        token = self.token(MAIL)
        self.assertEqual(self.login(self.url, token), "OK")
        self.assertRefused(self.url, token)
        self.assertRefused(self.url, self.token(MCP))
        self.assertEqual(self.login(self.url, self.token(MAIL)), "OK")
        with open(self.log, encoding="utf-8") as src:
            self.assertNotIn(token[:30], src.read())
        box = hashlib.sha256(self.url.encode()).hexdigest()
        self.assertEqual(os.listdir(self.mails), [box])
        self.assertTrue(os.path.isdir(
            os.path.join(self.mails, box, "Maildir", "cur")))

    def test_case_and_at(self) -> None:
        """The name arrives byte for byte."""
        self.url += "/@Me-X"
        self.serve(self.url, document=self.keys.members())
        rules = RULES.replace("*/*", "*/*/*")
        self.cimd.configure(rules + example("cimd.conf"))
        self.assertEqual(self.cimd.reload().status, 200)
        self.assertEqual(self.login(self.url, self.token(MAIL)), "OK")
        self.assertFetched(self.url, 1)

    def test_others(self) -> None:
        """A user of the machine logs in with a password of his."""
        shadow = self.write("shadow", re.sub(
            r"(?m)^nobody:[^:]*:.*$",
            f"nobody:{crypted('secret')}:19000:0:99999:7:::",
            open("/etc/shadow", encoding="utf-8").read()))
        mount(shadow, "/etc/shadow")
        self.addCleanup(subprocess.run, ["umount", "/etc/shadow"],
                        check=True)
        self.assertEqual(pwd.getpwnam("nobody").pw_uid, 65534)
        self.assertEqual(self.login("nobody", "secret"), "OK")
        self.assertRefused("nobody", "other")
        self.assertRefused("alice", "secret")

    def test_away(self) -> None:
        """Then clients wait, and the others go on."""
        self.cimd.stop()
        self.assertNotEqual(self.login(self.url, self.token(MAIL)), "OK")


def crypted(password: str) -> str:
    """As /etc/shadow has it."""
    return subprocess.run(["openssl", "passwd", "-6", password],
                          capture_output=True, text=True,
                          check=True).stdout.strip()


class Saslauthd(HostCase):
    """saslauthd -a pam, whose limits leave no room for an assertion."""

    def setUp(self) -> None:
        super().setUp()
        need(self, "/usr/sbin/saslauthd", "/usr/sbin/testsaslauthd")
        self.cimd = self.at_home()
        self.seen = os.path.join(self.public_folder(), "seen")
        with open(os.path.join(self.services, "show"), "w",
                  encoding="utf-8") as out:
            out.write(f"auth required pam_exec.so quiet log={self.seen} "
                      f"/usr/bin/env\naccount required pam_permit.so\n")

    def ask(self, *options: str, user: str, password: str,
            service: str = "show", realm: str = "") -> str:
        """One question to a saslauthd with these options."""
        folder = self.public_folder()
        daemon = self.daemon(
            ["setsid", "/usr/sbin/saslauthd", "-d", "-a", "pam", "-n", "1",
             "-m", folder, *options], folder=folder)
        # Its own end signals all of its group; here that is it alone.
        daemon.start(ready=lambda: labtest.answers(folder + "/mux"), seconds=60)
        try:
            said = subprocess.run(
                ["/usr/sbin/testsaslauthd", "-u", user, "-p", password, "-s",
                 service, "-r", realm, "-f", folder + "/mux"], text=True,
                capture_output=True, check=False, timeout=60)
        finally:
            daemon.kill()
        self.log = daemon.text()
        return said.stdout + said.stderr

    def user_seen(self) -> str:
        """PAM_USER of the last login."""
        with open(self.seen, encoding="utf-8") as src:
            return re.findall(r"(?m)^PAM_USER=(.*)$", src.read())[-1]

    def test_length(self) -> None:
        """256 bytes pass; an assertion has more."""
        self.assertIn("OK", self.ask("-r", user=self.url,
                                     password="x" * 256))
        token = self.token(MAIL)
        self.assertGreater(len(token), 256)
        self.assertIn("NO", self.ask("-r", user=self.url, password=token))
        self.assertIn("MAX_REQ_LEN", self.log)

    def test_name_with_at(self) -> None:
        """Without -r a client becomes another one: Cyrus SASL sends a name
        in two parts, cut at its last @."""
        name, realm = "https://client.example/", "me/app.json"
        self.assertIn("OK", self.ask(user=name, realm=realm, password="x"))
        self.assertEqual(self.user_seen(), name)
        self.assertIn("OK", self.ask("-r", user=name, realm=realm,
                                     password="x"))
        self.assertEqual(self.user_seen(), f"{name}@{realm}")

    def test_module(self) -> None:
        """It loads pam_cimd.so, which refuses what is no assertion."""
        said = self.ask("-r", user=self.url, password="x", service="mcp")
        self.assertIn("NO", said)
