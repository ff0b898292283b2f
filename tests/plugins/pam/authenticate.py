# SPDX-License-Identifier: Apache-2.0
"""The answers of pam_cimd(8), through pamtester as an ordinary user."""

from __future__ import annotations

import os
import secrets
import signal
import time
from typing import Any
from urllib.parse import quote, quote_plus

from pamhost import CONSUMERS, NOBODY, OTHER, RULES, Case, Keys, labtest
from pamhost import module

# What pam_strerror() says.
SUCCESS = "successfully authenticated"
MAY = "account management done"
AUTH_ERR = "Authentication failure"
UNAVAIL = "Authentication service cannot retrieve authentication info"
DENIED = "Permission denied"
UNKNOWN = "User not known to the underlying authentication module"
SERVICE_ERR = "Error in service module"


class Auth(Case):
    """The password is a client assertion."""

    def setUp(self) -> None:
        super().setUp()
        self.cimd = self.start()
        self.service(self.cimd)

    def login(self, password: str, user: str = "", **more: Any) -> Any:
        """authenticate, then acct_mgmt on the same handle."""
        return self.pamtester(user or self.url, "authenticate", "acct_mgmt",
                              password=password, **more)

    def assertRefused(self, password: str, code: str, text: str = AUTH_ERR,
                      user: str = "", **more: Any) -> None:
        """It fails with this error; the log has the code."""
        run = self.login(password, user, **more)
        self.assertEnds(run, 1, text)
        self.assertNotIn(SUCCESS, run.text)
        self.assertIn(f"({code})", run.text)

    def test_good(self) -> None:
        run = self.login(self.token())
        self.assertEnds(run, 0, SUCCESS)
        self.assertIn(MAY, run.text)
        self.assertFetched(self.url, 1)

    def test_once(self) -> None:
        """Across processes, and across restarts of cimdd."""
        token = self.token()
        self.assertEnds(self.login(token), 0, SUCCESS)
        for again in (lambda: None, self.cimd.restart, self.cimd.crash):
            again()
            os.chmod(self.cimd.path, 0o666)
            self.assertRefused(token, "CIMD_E_REPLAY")
        self.assertEnds(self.login(self.token()), 0, SUCCESS)

    def test_wrong(self) -> None:
        now = int(time.time())
        evil = Keys(self, kid=self.keys.kid)
        for token in (self.token("https://elsewhere.example.com/"),
                      self.token(exp=now - 60), self.token(iss="x"),
                      self.token(jti=None), "", "password", "a.b.c",
                      self.token()[:-2], "x" * 4000,
                      evil.assertion(self.url, OTHER)):
            with self.subTest(token=token[:20]):
                self.assertRefused(token, "CIMD_E_ASSERTION")

    def test_public_client(self) -> None:
        """A client without keys never passes."""
        self.url = self.client()
        self.serve(self.url, document={"token_endpoint_auth_method": "none"})
        self.assertRefused(self.token(), "CIMD_E_AUTH_METHOD")
        run = self.pamtester(self.url, "acct_mgmt")
        self.assertEnds(run, 0, MAY)

    def test_not_admitted(self) -> None:
        self.url = "https://other.hostile.example.net/good/x"
        self.assertRefused(self.token(), "CIMD_E_POLICY")
        run = self.pamtester(self.url, "acct_mgmt")
        self.assertEnds(run, 1, DENIED)
        self.assertFetched(self.url, 0)

    def test_bad_document(self) -> None:
        self.url = self.client()
        self.serve(self.url, document={"client_id": "https://x.example/y"})
        self.assertRefused(self.token(), "CIMD_E_MISMATCH", UNKNOWN)
        self.cimd.later(2)
        run = self.pamtester(self.url, "acct_mgmt")
        self.assertEnds(run, 1, UNKNOWN)

    def test_names_that_are_no_urls(self) -> None:
        for name in ("https://", "https://127.0.0.1/x", "https://a b/",
                     "https://client.example", "https://" + "a" * 1100):
            with self.subTest(name=name[:30]):
                run = self.login(self.token(), name)
                self.assertEnds(run, 1, UNKNOWN)
        with self.subTest("at a site that has it, with @"):
            self.url += "@me"
            self.serve(self.url, document=self.keys.members())
            self.assertEnds(self.login(self.token()), 0, SUCCESS)

    def test_the_unauthenticated_learn_nothing(self) -> None:
        """Neither why, nor what the token was, is said to them."""
        token = self.token("https://elsewhere.example.com/")
        quiet = self.login(token, PAM_WRAPPER_DEBUGLEVEL="0")
        self.assertEnds(quiet, 1, AUTH_ERR)
        self.assertNotIn("CIMD_E", quiet.text)
        for run in (quiet, self.login(self.token())):
            self.assertNotIn(token[:30], run.text)

    def test_blocked(self) -> None:
        """A block acts at once, also between auth and account."""
        self.assertEnds(self.login(self.token()), 0, SUCCESS)
        self.assertEqual(self.cimd.act("deny", self.url).status, 200)
        self.assertRefused(self.token(), "CIMD_E_BLOCKED")
        self.assertEnds(self.pamtester(self.url, "acct_mgmt"), 1, DENIED)

    def test_credentials_and_sessions(self) -> None:
        self.service(self.cimd, lines="".join(
            f"{group} required {module()} socket={self.cimd.path}\n"
            for group in ("auth", "account", "session")))
        run = self.pamtester(self.url, "authenticate", "setcred",
                             "acct_mgmt", "open_session", "close_session",
                             password=self.token())
        self.assertEnds(run, 0, "session has successfully been closed")


class Account(Case):
    """Policy, without a login before."""

    def test_by_service(self) -> None:
        cimd = self.start()
        for name, status, text in (("cimd", 0, MAY), ("closed", 1, DENIED),
                                   ("unlisted", 1, DENIED)):
            with self.subTest(name):
                self.service(cimd, name=name)
                run = self.pamtester(self.url, "acct_mgmt", service=name)
                self.assertEnds(run, status, text)

    def test_misspelt_service(self) -> None:
        """It opens nothing of what the user may ask for without it."""
        users = f'consumer "users" {{ uid = {{ {NOBODY} }} }}\n'
        cimd = self.start(CONSUMERS + users)
        self.service(cimd, name="cmid")
        run = self.pamtester(self.url, "acct_mgmt", service="cmid")
        self.assertEnds(run, 1, DENIED)
        self.assertIn('no consumer section names the service "cmid"',
                      run.text)
        cimd.configure(CONSUMERS + users.replace("uid",
                                                 'service = { "*" }\nuid'))
        self.assertEqual(cimd.reload().status, 200)
        run = self.pamtester(self.url, "acct_mgmt", service="cmid")
        self.assertEnds(run, 0, MAY)

    def test_service_of_others(self) -> None:
        """Who the section does not name cannot take its service."""
        cimd = self.start()
        self.service(cimd)
        run = self.pamtester(self.url, "acct_mgmt", uid=NOBODY - 1)
        self.assertEnds(run, 1, DENIED)
        self.assertIn("CIMD_E_CONSUMER", run.text)
        run = self.pamtester(self.url, "acct_mgmt", uid=0)
        self.assertEnds(run, 0, MAY)

    def test_withdrawn(self) -> None:
        cimd = self.start()
        self.service(cimd)
        self.assertEnds(self.pamtester(self.url, "acct_mgmt"), 0, MAY)
        self.serve(self.url, do="404")
        cimd.act("refresh", self.url)
        cimd.later(2)
        self.assertEnds(self.pamtester(self.url, "acct_mgmt"), 1, UNKNOWN)


class Options(Case):
    """What stands in the line of the service."""

    def setUp(self) -> None:
        super().setUp()
        self.cimd = self.start()

    def login(self, options: str, user: str = "", password: str = "",
              lines: str = "") -> Any:
        """One login with them."""
        self.service(self.cimd, options, lines=lines)
        return self.pamtester(user or self.url, "authenticate", "acct_mgmt",
                              password=password or self.token())

    def test_wrong_options_let_nobody_in(self) -> None:
        for option in ("nullok", "timeout=0", "timeout=1s", "sockets=/x",
                       "unknown=accept", "debug debug"):
            with self.subTest(option=option):
                run = self.login(option)
                self.assertEnds(run, 1, SERVICE_ERR)
                self.assertIn("wrong option", run.text)

    def test_unknown(self) -> None:
        for option, text in (("", UNKNOWN), ("unknown=deny", UNKNOWN),
                             ("unknown=ignore", DENIED)):
            with self.subTest(option=option):
                self.assertEnds(self.login(option, "alice"), 1, text)
        for option in ("", "unknown=ignore"):
            with self.subTest("beside a module for others", option=option):
                run = self.login("", "alice", lines="".join(
                    f"{group} sufficient {module()} "
                    f"socket={self.cimd.path} {option}\n"
                    f"{group} required pam_permit.so\n"
                    for group in ("auth", "account")))
                self.assertEnds(run, 0, SUCCESS)

    def test_audience(self) -> None:
        self.assertEnds(self.login(f"audience={OTHER}"), 1, AUTH_ERR)
        run = self.login(f"audience=x audience={OTHER}",
                         password=self.token(OTHER))
        self.assertEnds(run, 0, SUCCESS)
        self.assertEnds(self.login("audience=x"), 1, AUTH_ERR)

    def test_decode_user(self) -> None:
        for name in (quote(self.url, safe=""), quote_plus(self.url),
                     self.url):
            with self.subTest(name=name):
                self.assertEnds(self.login("decode_user", name), 0, SUCCESS)
        self.assertEnds(self.login("", quote(self.url, safe="")), 1, UNKNOWN)
        for name in (quote(self.url, safe="/"), quote(self.url + " "),
                     quote(quote(self.url, safe=""), safe=""),
                     quote(self.url, safe="").lower(),
                     quote(self.url, safe="") + "%"):
            with self.subTest(name=name):
                self.assertEnds(self.login("decode_user", name), 1, UNKNOWN)

    def test_first_pass(self) -> None:
        """The password that another module has asked for."""
        before = "auth optional {} \n"
        lines = "auth required {} socket={} {}\naccount required {} " \
            "socket={}\n"
        for option in ("try_first_pass", "use_first_pass", ""):
            with self.subTest(option=option):
                rest = lines.format(module(), self.cimd.path, option,
                                    module(), self.cimd.path)
                run = self.login("", lines=before.format(
                    f"{module()} socket=/nonexistent") + rest)
                self.assertEnds(run, 0, SUCCESS)
        rest = lines.format(module(), self.cimd.path, "use_first_pass",
                            module(), self.cimd.path)
        self.assertEnds(self.login("", lines=rest), 1, AUTH_ERR)

    def test_env(self) -> None:
        self.serve(self.url, document={
            **self.keys.members(), "client_name": "N\u00e4me \u202eX"})
        show = "account optional pam_exec.so stdout /usr/bin/env\n"
        lines = "".join(f"{group} required {module()} "
                        f"socket={self.cimd.path} env\n"
                        for group in ("auth", "account"))
        run = self.login("", lines=lines + show)
        self.assertEnds(run, 0, SUCCESS)
        self.assertIn(f"CIMD_CLIENT_ID={self.url}\n", run.text)
        self.assertIn("CIMD_CLIENT_NAME=N??me ???X\n", run.text)
        run = self.login("", lines=lines.replace(" env", "") + show)
        self.assertNotIn("CIMD_CLIENT", run.text)

    def test_debug(self) -> None:
        run = self.login("debug")
        self.assertEnds(run, 0, SUCCESS)
        self.assertIn('trusted, rule "lab"', run.text)

    def test_consumer_without_sections(self) -> None:
        """No audience, no login; the account is for anybody admitted."""
        self.cimd.configure(RULES)
        self.assertEqual(self.cimd.reload().status, 200)
        self.assertEnds(self.login(""), 1, AUTH_ERR)
        self.assertEnds(self.pamtester(self.url, "acct_mgmt"), 0, MAY)
        self.cimd.configure(CONSUMERS)
        self.assertEqual(self.cimd.reload().status, 200)
        self.assertEnds(self.login(""), 0, SUCCESS)


class Trouble(Case):
    """cimdd is away, hangs, or is something else."""

    def test_away(self) -> None:
        cimd = self.start()
        self.service(cimd)
        cimd.stop()
        for deed in ("authenticate", "acct_mgmt"):
            run = self.pamtester(self.url, deed, password=self.token())
            self.assertEnds(run, 1, UNAVAIL)
        self.service("/nonexistent/" + secrets.token_hex(50))
        run = self.pamtester(self.url, "acct_mgmt")
        self.assertEnds(run, 1, SERVICE_ERR)

    def test_no_permission(self) -> None:
        cimd = self.start()
        self.service(cimd)
        os.chmod(cimd.path, 0o600)
        run = self.pamtester(self.url, "acct_mgmt")
        self.assertEnds(run, 1, UNAVAIL)
        self.assertIn("Permission denied", run.text)

    def test_stopped(self) -> None:
        """A daemon that does not run costs the time-out and no more."""
        cimd = self.start()
        self.service(cimd, "timeout=300")
        cimd.daemon.signal(signal.SIGSTOP)
        self.addCleanup(cimd.daemon.signal, signal.SIGCONT)
        started = time.monotonic()
        run = self.pamtester(self.url, "authenticate",
                             password=self.token())
        self.assertEnds(run, 1, UNAVAIL)
        self.assertIn("CIMD_E_TIMEOUT", run.text)
        self.assertFaster(60, started)
        cimd.daemon.signal(signal.SIGCONT)
        self.service(cimd)
        run = self.pamtester(self.url, "authenticate",
                             password=self.token())
        self.assertEnds(run, 0, SUCCESS)

    def test_slow_document(self) -> None:
        """What cimdd calls unavailable is that for PAM, too."""
        cimd = self.start()
        self.service(cimd)
        self.serve(self.url, do="503")
        run = self.pamtester(self.url, "authenticate",
                             password=self.token())
        self.assertEnds(run, 1, UNAVAIL)
        self.assertIn("CIMD_E_SERVER", run.text)


assert labtest
