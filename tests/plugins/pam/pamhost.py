# SPDX-License-Identifier: Apache-2.0
"""PAM services for hosts under test, with a cimdd beside them.

pam_wrapper leads a host to a folder of services of its own, so that neither
/etc/pam.d is touched nor root is needed; what the modules tell syslog comes
out on standard error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Any, NamedTuple

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, os.pardir, "pipeline"))

from cimdd import Case as PipelineCase  # noqa: E402
from cimdd import RULES, Cimdd, sanitizer  # noqa: E402
import labtest  # noqa: E402
from keys import Keys  # noqa: E402

__all__ = ["AUDIENCE", "CONSUMERS", "Case", "Cimdd", "Keys", "NOBODY", "RULES",
           "Run", "labtest", "module", "need", "sanitizer"]

NOBODY = 65534
AUDIENCE = "https://pam.example.com/"
OTHER = "https://other.example.com/"
CONSUMERS = RULES + f"""
consumer "pam" {{
    service = {{ "cimd" }}
    uid = {{ {NOBODY} }}
    audiences = {{ "{AUDIENCE}", "{OTHER}" }}
}}
consumer "closed" {{
    service = {{ "closed" }}
    uid = {{ {NOBODY} }}
    audiences = {{ "{AUDIENCE}" }}
    clients = {{ "nobody" }}
}}
client "nobody" {{
    match = {{ "https://nobody.example.com/" }}
}}
"""


def module() -> str:
    """The pam_cimd.so that was built."""
    return os.path.join(labtest.top_build(), "plugins", "pam", ".libs",
                        "pam_cimd.so")


def need(case: labtest.Case, *programs: str) -> None:
    """Skip where a program is missing."""
    for name in programs:
        if shutil.which(name) is None and not os.path.exists(name):
            case.skipTest(f"{name} is not installed")


def library(name: str) -> str:
    """The runtime of a sanitizer, by its file name."""
    out = subprocess.run(["gcc", f"-print-file-name={name}"],
                         capture_output=True, text=True, check=True).stdout
    return os.path.realpath(out.strip())


class Run(NamedTuple):
    """How a program ended."""

    status: int
    text: str


class Case(PipelineCase):
    """A client with keys and a cimdd that ordinary users reach."""

    def setUp(self) -> None:
        super().setUp()
        if not os.path.exists(module()):
            self.skipTest("configured without the PAM module")
        need(self, "/usr/lib/x86_64-linux-gnu/libpam_wrapper.so"
             if os.uname().machine == "x86_64" else "pamtester")
        self.keys = Keys(self)
        self.url = self.client()
        self.serve(self.url, document=self.keys.members())
        self.services = self.public_folder()

    def public_folder(self) -> str:
        """A folder that every user can read."""
        found = self.folder()
        os.chmod(found, 0o755)
        return found

    def start(self, rules: str = CONSUMERS, **settings: Any) -> Cimdd:
        """A cimdd whose lookup socket is open to all users."""
        cimd = super().start(rules, **settings)
        os.chmod(cimd.folder, 0o711)
        os.chmod(cimd.path, 0o666)
        return cimd

    def token(self, audience: str = AUDIENCE, **claims: Any) -> str:
        """A good client assertion."""
        return self.keys.assertion(self.url, audience, **claims)

    def service(self, cimd: Cimdd | str, options: str = "",
                name: str = "cimd", lines: str = "") -> None:
        """Write a PAM service; "lines" replaces the usual two."""
        path = cimd if isinstance(cimd, str) else cimd.path
        usual = "".join(f"{group} required {module()} socket={path} "
                        f"{options}\n" for group in ("auth", "account"))
        for file, text in ((name, lines or usual),
                           ("other", "auth required pam_deny.so\n"
                                     "account required pam_deny.so\n")):
            with open(os.path.join(self.services, file), "w",
                      encoding="utf-8") as out:
                out.write(text)

    def environment(self) -> dict[str, str]:
        """What leads libpam to the services."""
        preload = "libpam_wrapper.so"
        env = {**os.environ, "PAM_WRAPPER": "1",
               "PAM_WRAPPER_SERVICE_DIR": self.services,
               "PAM_WRAPPER_DEBUGLEVEL": "2"}
        if sanitizer() == "asan":
            preload = f"{library('libasan.so')} {preload}"
            env["PAM_WRAPPER_DISABLE_DEEPBIND"] = "1"
        env["LD_PRELOAD"] = preload
        return env

    def run_host(self, *argv: str, text: str = "", uid: int = NOBODY,
                 seconds: float = 120, **env: str) -> Run:
        """A program under pam_wrapper, as an ordinary user."""
        wanted = {**self.environment(), **env}
        found = subprocess.run(
            ["env", *(f"{k}={v}" for k, v in wanted.items()
                      if os.environ.get(k) != v), *argv],
            user=uid, group=uid, extra_groups=[], input=text.encode(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=seconds, check=False, cwd="/")
        return Run(found.returncode,
                   found.stdout.decode("utf-8", "replace"))

    def pamtester(self, user: str, *deeds: str, password: str = "",
                  service: str = "cimd", **more: Any) -> Run:
        """pamtester, which asks libpam for one deed after the other."""
        need(self, "pamtester")
        return self.run_host("pamtester", service, user, *deeds,
                             text=password + "\n", **more)

    def assertEnds(self, run: Run, status: int, text: str = "") -> None:
        """It ended with this status, and said that."""
        self.assertEqual(run.status, status, run.text)
        self.assertIn(text, run.text)
