#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What we hand out as configuration is good: the catalog of known clients,
the consumer of Keycloak, and every example in doc/policy.md, doc/keycloak.md
and cimd.conf(5)."""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lab"))

import labtest  # noqa: E402

TOP = labtest.top_src()
CATALOG = os.path.join(TOP, "catalog.d")


def read(*path: str) -> str:
    """A file of the source tree."""
    with open(os.path.join(TOP, *path), encoding="utf-8") as f:
        return f.read()


def entries() -> list[str]:
    """The names of the catalog's files without .conf, in their order."""
    return [name[:-len(".conf")] for name in sorted(os.listdir(CATALOG))
            if name.endswith(".conf")]


class Config(labtest.Case):
    """Runs cimdd over configuration."""

    def cimdd(self, text: str, *more: str
              ) -> "subprocess.CompletedProcess[str]":
        """cimdd -t with this cimd.conf and our catalog."""
        path = os.path.join(self.folder(), "cimd.conf")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o644)
        return subprocess.run(
            [os.path.join(labtest.top_build(), "cimdd", "cimdd"), "-t", "-c",
             path, "-C", CATALOG, *more],
            capture_output=True, text=True, timeout=120, check=False)

    def good(self, text: str) -> None:
        """It is a good configuration."""
        done = self.cimdd(text)
        self.assertEqual((done.returncode, done.stderr), (0, ""), text)


class Catalog(Config):
    """catalog.d"""

    def test_head(self) -> None:
        """Each file says what, when and whence."""
        self.assertGreater(len(entries()), 10)
        today = datetime.date.today().isoformat()
        for name in entries():
            lines = read("catalog.d", name + ".conf").split("\n")
            with self.subTest(name):
                self.assertEqual(lines[0],
                                 "# SPDX-License-Identifier: Apache-2.0")
                self.assertRegex(lines[1], r"^# \w")
                self.assertRegex(lines[2], r"^# date: \d{4}-\d\d(-\d\d)?$")
                self.assertLessEqual(lines[2][len("# date: "):], today)
                self.assertRegex(lines[3], r"^# source: .")

    def test_is_listed(self) -> None:
        """Every file is installed."""
        makefile = read("catalog.d", "Makefile.am")
        self.assertEqual(re.findall(r"^\t(\S+)\.conf \\$", makefile, re.M),
                         entries())

    def test_names(self) -> None:
        """One entry in each file, with the file's name and an https URL."""
        done = self.cimdd("", "--json")
        self.assertEqual(done.returncode, 0, done.stdout)
        found = json.loads(done.stdout)["catalog"]
        self.assertEqual([c["name"] for c in found], entries())
        for client in found:
            self.assertTrue(client["match"][0].startswith("https://"))
            self.assertNotIn("trust", client)

    def test_admits_nobody(self) -> None:
        """Until it is allowed, an entry is only a name."""
        self.good("")
        done = self.cimdd('allow = { "nobody" }\n')
        self.assertEqual(done.returncode, 1)
        self.assertIn("nor a client of the catalog", done.stderr)

    def test_can_be_allowed(self) -> None:
        """All at once, and each alone."""
        quoted = [f'"{name}"' for name in entries()]
        self.good(f"allow = {{ {', '.join(quoted)} }}\n")
        for name in quoted:
            self.good(f"allow = {{ {name} }}\n")


    def test_fits_documents(self) -> None:
        """The documents that we have of these clients pass, whole, by the
        entries; nothing else does."""
        cimdctl = os.path.join(labtest.top_build(), "cimdctl", "cimdctl")
        if not os.path.exists(cimdctl):
            self.skipTest("cimdctl is not built")
        catalog = json.loads(self.cimdd("", "--json").stdout)["catalog"]
        sites = json.loads(read("tests", "fixtures", "documents",
                                "index.json"))
        policy = {"catalog": catalog, "allow": entries()}
        lines = [{"id": s["name"], "url": s["url"], "policy": policy,
                  "body": read("tests", "fixtures", "documents", s["file"])}
                 for s in sites if "file" in s]
        done = subprocess.run(
            [cimdctl, "check", "--batch", "-"], capture_output=True,
            text=True, timeout=120, check=False,
            input="".join(json.dumps(line) + "\n" for line in lines))
        found = {a["id"]: a for a in map(json.loads,
                                         done.stdout.splitlines())}
        self.assertEqual(len(found), len(lines), done.stderr)
        accepted = {name for name, a in found.items()
                    if a["verdict"] == "accept"}
        self.assertEqual(accepted, {
            "chatgpt", "chatgpt-connector", "chatgpt-plural-only",
            "chatgpt-singular-only", "claude", "claude-code", "goose",
            "mcpjam", "vscode", "zed"})
        for name in accepted:
            self.assertNotIn("redirect_rule", found[name]["warnings"], name)
            self.assertNotIn("redirect_scheme", found[name]["warnings"],
                             name)


class Examples(Config):
    """Documentation"""

    def examples(self, text: str, pattern: str) -> None:
        """Each match is a good configuration; there are some."""
        found = re.findall(pattern, text, re.S)
        self.assertGreater(len(found), 1)
        for example in found:
            # There need be no such user here.
            self.good(example.replace('"keycloak" }', '"root" }'))

    def test_guide(self) -> None:
        """doc/policy.md"""
        self.examples(read("doc", "policy.md"), r"\n```conf\n(.*?\n)```\n")

    def test_keycloak(self) -> None:
        """doc/keycloak.md, and the file that it says to copy"""
        self.examples(read("doc", "keycloak.md"), r"\n```conf\n(.*?\n)```\n")
        self.good(read("keycloak-bridge", "keycloak.conf").replace(
            '"keycloak" }', '"root" }'))

    def test_manual(self) -> None:
        """cimd.conf(5)"""
        page = read("man", "cimd.conf.5").replace(
            ".Bd -literal -offset indent\ncimdd -t\n.Ed\n", "")
        self.examples(page, r"\n\.Bd -literal -offset indent\n(.*?\n)\.Ed\n")


if __name__ == "__main__":
    labtest.main()
