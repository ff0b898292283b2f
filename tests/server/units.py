#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The files for systemd: what systemd says of them, and that they agree with
each other and with the program."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from served import labtest  # noqa: E402


def need(tool: str) -> None:
    """Skip the test where the machine has no such tool."""
    if shutil.which(tool) is None:
        raise unittest.SkipTest(f"{tool} is not installed")


class Units(labtest.Case):
    """The generated files of the build tree."""

    def path(self, name: str) -> str:
        """One of them."""
        return os.path.join(labtest.top_build(), "systemd", name)

    def text(self, name: str) -> str:
        """Its text."""
        with open(self.path(name), encoding="utf-8") as src:
            return src.read()

    def read(self, name: str) -> configparser.RawConfigParser:
        """Its sections; of a key that is there twice the last one."""
        unit = configparser.RawConfigParser(strict=False, delimiters="=",
                                            comment_prefixes="#",
                                            interpolation=None)
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read_string(self.text(name))
        return unit

    def copies(self) -> str:
        """A folder with the units, with programs that are there."""
        folder = self.folder()
        for name in ("cimdd.service", "cimdd-lookup.socket",
                     "cimdd-admin.socket", "cimdd-mux.socket"):
            text = re.sub(r"=\S+/sbin/cimdd", "=/bin/true", self.text(name))
            # The pages may not be installed where this runs.
            text = re.sub(r"^Documentation=.*\n", "", text, flags=re.M)
            with open(os.path.join(folder, name), "w",
                      encoding="utf-8") as out:
                out.write(text)
        return folder

    def test_placeholders(self) -> None:
        """All are filled in."""
        for name in ("cimdd.service", "cimdd-lookup.socket",
                     "cimdd-admin.socket", "cimdd-mux.socket",
                     "sysusers.d/cimd.conf", "tmpfiles.d/cimd.conf"):
            self.assertNotRegex(self.text(name), r"@[a-z]+@|\$\{")

    def test_verify(self) -> None:
        """systemd has nothing to say about the units."""
        need("systemd-analyze")
        folder = self.copies()
        done = subprocess.run(
            ["systemd-analyze", "verify", "cimdd.service",
             "cimdd-lookup.socket", "cimdd-admin.socket",
             "cimdd-mux.socket"], cwd=folder,
            capture_output=True, text=True, check=False, timeout=120,
            env={**os.environ, "SYSTEMD_UNIT_PATH": folder + ":"})
        said = [line for line in done.stderr.splitlines()
                if "cimdd" in line]
        self.assertEqual(said, [])

    def test_score(self) -> None:
        """The exposure is what the comment says."""
        need("systemd-analyze")
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager",
             os.path.join(self.copies(), "cimdd.service")],
            capture_output=True, text=True, check=False, timeout=120)
        found = re.search(r"exposure level for cimdd.service: (\d+\.\d+)",
                          done.stdout)
        if found is None:  # before systemd 250
            raise unittest.SkipTest("systemd-analyze is too old")
        stated = re.search(r'^# Exposure by ".*": (\d+\.\d+) ',
                           self.text("cimdd.service"), re.M)
        assert stated is not None
        # Newer releases count more; 0.3 is what they may add.
        self.assertLessEqual(float(found[1]), float(stated[1]) + 0.3)
        self.assertGreaterEqual(float(found[1]), float(stated[1]) - 0.3)

    def test_sockets_and_service_agree(self) -> None:
        """Names of descriptors, paths and modes."""
        service = self.read("cimdd.service")["Service"]
        self.assertEqual(service["Sockets"],
                         "cimdd-lookup.socket cimdd-admin.socket")
        self.assertEqual(service["Type"], "notify")
        with open(os.path.join(labtest.top_src(), "cimdd", "config.c"),
                  encoding="utf-8") as src:
            config = src.read()
        for name, mode, group in (("lookup", "0660", "cimd"),
                                  ("admin", "0600", "root"),
                                  ("mux", "0660", "cimd-mux")):
            unit = self.read(f"cimdd-{name}.socket")["Socket"]
            self.assertEqual(unit["FileDescriptorName"], name)
            self.assertEqual(unit["Service"], "cimdd.service")
            self.assertEqual((unit["SocketUser"], unit["SocketGroup"],
                              unit["SocketMode"]), ("root", group, mode))
            if name != "mux":  # which is not there by default
                self.assertIn(f'"{unit["ListenStream"]}"', config)
        self.assertIn('"mux_group", "cimd-mux"', config)

    def test_limits_agree(self) -> None:
        """Descriptors for the most connections, and time to stop in."""
        service = self.read("cimdd.service")["Service"]
        self.assertGreaterEqual(int(service["LimitNOFILE"]), 16384 + 192 + 256)
        self.assertGreater(int(service["TimeoutStopSec"]), 5 + 2)
        self.assertGreater(int(service["WatchdogSec"]), 30)

    def test_what_must_not_be_there(self) -> None:
        """PrivateUsers= would hide the peers' uids."""
        service = self.read("cimdd.service")["Service"]
        for name in ("PrivateUsers", "RuntimeDirectory", "DynamicUser"):
            self.assertNotIn(name, service)

    def test_state_folder_agrees(self) -> None:
        """Whatever the prefix is, as for the daemon."""
        folder = "/var/lib/cimd"
        with open(os.path.join(labtest.top_src(), "common", "settings.c"),
                  encoding="utf-8") as src:
            self.assertIn(f'"{folder}"', src.read())
        service = self.read("cimdd.service")["Service"]
        self.assertEqual("/var/lib/" + service["StateDirectory"], folder)
        self.assertRegex(self.text("sysusers.d/cimd.conf"),
                         f"(?m)^u cimd .* {folder}$")
        self.assertRegex(self.text("tmpfiles.d/cimd.conf"),
                         f"(?m)^d {folder} 0700 cimd cimd ")

    def test_sysusers_and_tmpfiles(self) -> None:
        """systemd takes them, and they name the same user and groups."""
        user, group = [line for line in self.text("sysusers.d/cimd.conf")
                       .splitlines() if line and not line.startswith("#")]
        self.assertEqual(user.split()[:3], ["u", "cimd", "-"])
        self.assertEqual(group, "g cimd-mux -")
        for name, socket in (("cimd", "lookup"), ("cimd-mux", "mux")):
            self.assertEqual(self.read(f"cimdd-{socket}.socket")["Socket"]
                             ["SocketGroup"], name)
        self.assertEqual(self.read("cimdd.service")["Service"]["User"],
                         "cimd")
        need("systemd-sysusers")
        root = self.folder()
        os.mkdir(os.path.join(root, "etc"))
        done = subprocess.run(
            ["systemd-sysusers", "--dry-run", f"--root={root}",
             self.path("sysusers.d/cimd.conf")],
            capture_output=True, text=True, check=False, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        for group in ("cimd", "cimd-mux"):
            self.assertRegex(done.stdout + done.stderr,
                             f"[Gg]roup '?{group}[' ]")


if __name__ == "__main__":
    labtest.main()
