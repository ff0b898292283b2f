# SPDX-License-Identifier: Apache-2.0
"""pam_cimd.so as a guest: what it is linked with, what it leaves behind."""

from __future__ import annotations

import os
import re
import subprocess

from pamhost import Case, labtest, module, need, sanitizer

LOOPS = 21  # assertions that pamtest.c uses


def shown(*argv: str) -> str:
    """What a program prints."""
    return subprocess.run(argv, capture_output=True, text=True,
                          check=True).stdout


class Linking(labtest.Case):
    """One small file."""

    def setUp(self) -> None:
        if not os.path.exists(module()):
            self.skipTest("configured without the PAM module")

    def test_exports(self) -> None:
        found = re.findall(r" [A-Z] (\w+)", shown(
            "nm", "-D", "--defined-only", module()))
        self.assertEqual(found, [
            "pam_sm_acct_mgmt", "pam_sm_authenticate",
            "pam_sm_close_session", "pam_sm_open_session",
            "pam_sm_setcred"])

    def test_needs(self) -> None:
        """Neither libcurl nor OpenSSL, and nobody for the linker to find."""
        if sanitizer():
            self.skipTest("instrumented code needs more")
        found = re.findall(r"NEEDED.*\[(\w+)", shown("readelf", "-d",
                                                     module()))
        self.assertEqual(sorted(found), ["libc", "libjson", "libpam"])
        unknown = re.findall(r" U (\w+)", shown("nm", "-D", module()))
        for name in unknown:
            self.assertNotRegex(name, r"^(pthread_create|fork|execve|signal|"
                                r"sigaction|sigprocmask|setenv|putenv|umask|"
                                r"chdir|getenv|dlopen|curl_|SSL_|EVP_)")

    def test_flags(self) -> None:
        found = shown("readelf", "-d", module())
        for flag in ("NODELETE", "BIND_NOW"):
            self.assertIn(flag, found)
        self.assertNotIn("TEXTREL", found)


class Guest(Case):
    """pamtest.c: libpamtest, loops of dlopen and dlclose, forks."""

    def setUp(self) -> None:
        super().setUp()
        self.program = os.path.join(labtest.top_build(), "tests", "plugins",
                                    "pam", "pamtest")
        need(self, self.program)
        self.cimd = self.start()
        self.service(self.cimd, lines="".join(
            f"{group} required {module()} socket={self.cimd.path}\n"
            for group in ("auth", "account", "session")))
        self.service(self.cimd, name="local", lines="".join(
            f"{group} [success=done ignore=ignore default=die] {module()} "
            f"socket={self.cimd.path} unknown=ignore\n"
            f"{group} required pam_permit.so\n"
            for group in ("auth", "account", "session")))
        self.tokens = "".join(self.token() + "\n" for _ in range(LOOPS))

    def test_host(self) -> None:
        run = self.run_host(self.program, self.url, text=self.tokens)
        self.assertEnds(run, 0, "[  PASSED  ] 5 test(s)")

    def test_valgrind(self) -> None:
        """Nothing read that was not written, nothing lost."""
        need(self, "valgrind")
        if sanitizer():
            self.skipTest("valgrind does not run instrumented programs")
        run = self.run_host(
            "valgrind", "-q", "--error-exitcode=9", "--leak-check=full",
            "--errors-for-leak-kinds=definite", "--child-silent-after-fork=yes",
            self.program, self.url, text=self.tokens, seconds=600,
            PAM_WRAPPER_DISABLE_DEEPBIND="1", PAM_WRAPPER_DEBUGLEVEL="0")
        self.assertEnds(run, 0, "[  PASSED  ] 5 test(s)")
