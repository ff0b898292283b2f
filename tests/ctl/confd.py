# SPDX-License-Identifier: Apache-2.0
"""Rules that allow and deny write: whole, judged before, or not at all."""

from __future__ import annotations

import concurrent.futures
import json
import os
import resource
import shutil
import signal
import stat
import subprocess

import labtest
from ctl import Done, cimdctl, program

URL = "https://client.example.com/oauth/metadata.json"
VSCODE = "https://vscode.dev/oauth/client-metadata.json"
CATALOG = os.path.join(labtest.top_src(), "catalog.d")
HEAD = "# Written by cimdctl, sha256 "


class Written(labtest.Case):
    """Each test has a configuration of its own; no daemon runs."""

    def setUp(self) -> None:
        if not os.path.exists(program("cimdd")):
            self.skipTest("cimdd was not built")
        self.dir = self.folder()
        self.config = os.path.join(self.dir, "cimd.conf")
        self.conf_d = os.path.join(self.dir, "conf.d")
        self.write(self.config, "default = deny\n")

    @staticmethod
    def write(path: str, text: str) -> None:
        """A file with this text."""
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)

    def args(self, *args: str) -> list[str]:
        """Arguments that stay in our folder."""
        more = [] if args[0] == "catalog" else [
            "--socket", os.path.join(self.dir, "no.sock")]
        return [*args, "--config", self.config, "--catalog", CATALOG,
                "--cimdd", program("cimdd"), *more]

    def ctl(self, *args: str) -> Done:
        """Run it."""
        return cimdctl(*self.args(*args))

    def files(self) -> dict[str, str]:
        """What is in conf.d, hidden files and folders too."""
        found = {}
        for name in os.listdir(self.conf_d) \
                if os.path.isdir(self.conf_d) else []:
            path = os.path.join(self.conf_d, name)
            found[name] = ""
            if os.path.isfile(path):
                with open(path, encoding="utf-8") as src:
                    found[name] = src.read()
        return found

    def only(self) -> str:
        """The text of the one file."""
        files = self.files()
        self.assertEqual(len(files), 1, files)
        return next(iter(files.values()))

    def loaded(self) -> dict[str, object]:
        """The configuration as cimdd reads it."""
        done = subprocess.run(
            [program("cimdd"), "-t", "--json", "-c", self.config, "-C",
             CATALOG], check=True, capture_output=True)
        found: dict[str, object] = json.loads(done.stdout)
        return found

    def verdict(self, url: str) -> str:
        """What these rules make of a URL."""
        done = cimdctl("check", "--batch", "-", "--policy", self.config,
                       "--cimdd", program("cimdd"),
                       stdin=json.dumps({"url": url}).encode())
        self.assertEqual(done.status, 0, done)
        return str(done.json()["code"])

    def test_allow_from_the_catalog(self) -> None:
        self.assertEqual(self.verdict(VSCODE), "CIMD_E_POLICY")
        done = self.ctl("allow", "vscode")
        self.assertEqual((done.status, done.err), (0, ""), done)
        self.assertIn(os.path.join(self.conf_d, "vscode.conf"), done.out)
        self.assertIn("does not run", done.out)
        self.assertEqual(list(self.files()), ["vscode.conf"])
        with open(os.path.join(CATALOG, "vscode.conf"),
                  encoding="utf-8") as src:
            head, _, rest = self.only().partition("\n")
            self.assertEqual(rest, src.read())
        self.assertTrue(head.startswith(HEAD))
        self.assertEqual(self.verdict(VSCODE), "CIMD_OK")
        self.assertEqual(self.verdict(URL), "CIMD_E_POLICY")

    def test_all_of_the_catalog(self) -> None:
        names = cimdctl("complete", *self.args("allow")).out.split()
        names = [n for n in names if not n.startswith("-")]
        self.assertGreater(len(names), 10)
        for name in names:
            self.assertEqual(self.ctl("allow", name).status, 0, name)
        listed = self.ctl("catalog", "--json").json()["catalog"]
        self.assertEqual([e["name"] for e in listed], names)
        self.assertTrue(all(e["allowed"] for e in listed))

    def test_catalog(self) -> None:
        self.write(self.config, 'default = deny\nallow = { "zed" }\n')
        self.ctl("allow", "vscode")
        done = self.ctl("catalog")
        self.assertEqual((done.status, done.err), (0, ""))
        self.assertRegex(done.out, rf"(?m)^vscode +allowed +{VSCODE}$")
        self.assertRegex(done.out, r"(?m)^zed +allowed +https:")
        self.assertRegex(done.out, r"(?m)^claude +- +https:")
        allowed = [e["name"] for e in
                   self.ctl("catalog", "--json").json()["catalog"]
                   if e["allowed"]]
        self.assertEqual(sorted(allowed), ["vscode", "zed"])

    def test_twice(self) -> None:
        self.ctl("allow", "vscode")
        before = os.stat(os.path.join(self.conf_d, "vscode.conf"))
        done = self.ctl("allow", "vscode")
        self.assertEqual(done.status, 0)
        self.assertIn("nothing new", done.out)
        after = os.stat(os.path.join(self.conf_d, "vscode.conf"))
        self.assertEqual(before.st_ino, after.st_ino)

    def test_urls(self) -> None:
        for url in (URL, "https://client.example.com:8443/a",
                    "https://93.184.216.34/a",
                    "https://[2606:2800:220:1::1]/a", URL + "?a=b&c='d'",
                    "https://client.example.com/$(x);!'()/a",
                    "https://" + "a" * 60 + ".example.com/" + "b" * 900):
            with self.subTest(url):
                done = self.ctl("allow", url)
                self.assertEqual(done.status, 0, done)
                self.assertEqual(self.verdict(url), "CIMD_OK")
                self.assertIn(self.verdict(url + "x"),
                              ("CIMD_E_POLICY", "CIMD_E_URL"))
                shutil.rmtree(self.conf_d)

    def test_pattern(self) -> None:
        self.ctl("allow", "https://chatgpt.com/oauth/*/client.json")
        self.assertEqual(self.verdict(
            "https://chatgpt.com/oauth/abc/client.json"), "CIMD_OK")
        self.assertEqual(self.verdict(
            "https://chatgpt.com/oauth/a/b/client.json"), "CIMD_E_POLICY")

    def test_deny_and_back(self) -> None:
        self.write(self.config, "default = unverified\n")
        done = self.ctl("deny", URL)
        self.assertEqual(done.status, 0, done)
        self.assertEqual(self.verdict(URL), "CIMD_E_BLOCKED")
        self.assertEqual(self.verdict(URL + "x"), "CIMD_OK")
        self.assertEqual(self.ctl("allow", URL).status, 0)
        self.assertEqual(self.verdict(URL), "CIMD_OK")
        self.assertEqual(len(self.files()), 1)

    def test_deny_without_daemon(self) -> None:
        args = [a for a in self.args("deny", URL)
                if a not in ("--config", self.config)]
        done = cimdctl(*args, "--conf-dir", self.conf_d)
        # The default configuration may be missing on this machine.
        if done.status == 0:
            self.assertEqual(self.verdict(URL), "CIMD_E_BLOCKED")
        else:
            self.assertEqual(self.files(), {})

    def test_deny_by_name(self) -> None:
        self.ctl("allow", "chatgpt-connector")
        url = "https://chatgpt.com/oauth/abc/client.json"
        self.assertEqual(self.verdict(url), "CIMD_OK")
        done = self.ctl("deny", "chatgpt-connector")
        self.assertEqual((done.status, done.err), (0, ""), done)
        self.assertEqual(self.verdict(url), "CIMD_E_BLOCKED")
        self.assertEqual(list(self.files()), ["chatgpt-connector.conf"])
        self.ctl("allow", "chatgpt-connector")
        self.assertEqual(self.verdict(url), "CIMD_OK")
        self.refused(self.ctl("deny", "nosuch"), "catalog")

    def test_json(self) -> None:
        told = self.ctl("allow", "vscode", "--json").json()
        self.assertEqual(told, {
            "rule": "vscode", "written": True, "reloaded": False,
            "file": os.path.join(self.conf_d, "vscode.conf")})

    def test_mode(self) -> None:
        before = os.umask(0o077)
        try:
            self.assertEqual(self.ctl("allow", "vscode").status, 0)
        finally:
            os.umask(before)
        mode = os.stat(os.path.join(self.conf_d, "vscode.conf")).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o644)

    def refused(self, done: Done, *parts: str, status: int = 1) -> None:
        """It failed and said so."""
        self.assertEqual((done.status, done.out), (status, ""), done)
        for part in parts:
            self.assertIn(part, done.err)

    def test_file_of_somebody_else(self) -> None:
        os.mkdir(self.conf_d)
        path = os.path.join(self.conf_d, "vscode.conf")
        for text in ("", "# mine\n", HEAD + "\n", HEAD + "0" * 64 + "\n",
                     HEAD + "0" * 64 + ": change the lines below and it is "
                     "yours.\n"):
            self.write(path, text)
            self.refused(self.ctl("allow", "vscode"), path, "stays as it is")
            self.assertEqual(self.files(), {"vscode.conf": text})

    def test_changed_file(self) -> None:
        self.ctl("allow", "vscode")
        path = os.path.join(self.conf_d, "vscode.conf")
        text = self.only()
        for changed in (text + "# mine\n", text.replace("same", "Same"),
                        text[:-1], text.replace("sha256 ", "sha256 0", 1)):
            self.write(path, changed)
            self.refused(self.ctl("allow", "vscode"), "stays as it is")
            self.assertEqual(self.only(), changed)

    def test_older_entry_is_replaced(self) -> None:
        catalog = os.path.join(self.dir, "catalog")
        os.mkdir(catalog)
        entry = 'client "x" {\n\tmatch = { "https://x.example.com/%s" }\n}\n'
        self.write(os.path.join(catalog, "x.conf"), entry % "old")
        args = ["allow", "x", "--config", self.config, "--catalog", catalog,
                "--cimdd", program("cimdd"), "-s", "/no.sock"]
        self.assertEqual(cimdctl(*args).status, 0)
        self.write(os.path.join(catalog, "x.conf"), entry % "new")
        self.assertEqual(cimdctl(*args).status, 0)
        self.assertIn("/new", self.only())

    def test_entry_among_others(self) -> None:
        catalog = os.path.join(self.dir, "catalog")
        os.mkdir(catalog)
        entry = 'client "%s" {\n\tmatch = { "https://%s.example.com/m" }\n}\n'
        self.write(os.path.join(catalog, "two.conf"),
                   entry % ("x", "x") + entry % ("y", "y"))
        done = cimdctl("allow", "x", "--config", self.config, "--catalog",
                       catalog, "--cimdd", program("cimdd"))
        self.refused(done, "two.conf", "by hand")
        self.assertEqual(self.files(), {})

    def test_links_and_folders(self) -> None:
        os.mkdir(self.conf_d)
        path = os.path.join(self.conf_d, "vscode.conf")
        elsewhere = os.path.join(self.dir, "elsewhere")
        self.write(elsewhere, "# precious\n")
        os.symlink(elsewhere, path)
        self.refused(self.ctl("allow", "vscode"), "stays as it is")
        os.unlink(path)
        os.symlink(os.path.join(self.dir, "nowhere"), path)
        self.assertNotEqual(self.ctl("allow", "vscode").status, 0)
        os.unlink(path)
        os.mkdir(path)
        self.assertNotEqual(self.ctl("allow", "vscode").status, 0)
        with open(elsewhere, encoding="utf-8") as src:
            self.assertEqual(src.read(), "# precious\n")
        self.assertFalse(os.path.exists(os.path.join(self.dir, "nowhere")))

    def test_leftovers(self) -> None:
        """A run that was killed left its temporary files."""
        os.mkdir(self.conf_d)
        self.write(os.path.join(self.conf_d, ".cimdctl.new"), "half")
        self.assertEqual(self.ctl("allow", "vscode").status, 0)
        self.assertEqual(list(self.files()), ["vscode.conf"])

    def test_no_folder(self) -> None:
        self.write(self.conf_d, "a file\n")
        done = self.ctl("allow", "vscode")
        self.refused(done, self.conf_d)
        with open(self.conf_d, encoding="utf-8") as src:
            self.assertEqual(src.read(), "a file\n")

    def test_unknown(self) -> None:
        self.refused(self.ctl("allow", "nosuch"), '"nosuch" is neither')
        self.refused(self.ctl("allow", "../../etc/x"), "is neither")
        self.refused(self.ctl("allow", "https://u@x.example.com/a"),
                     "userinfo")
        self.refused(self.ctl("deny", "https://x.example.com"), "path")
        self.refused(self.ctl("allow", URL + "\" }\n"), "")
        self.assertEqual(self.files(), {})

    def test_name_is_taken(self) -> None:
        self.write(self.config, "default = deny\nclient \"vscode\" {\n"
                   "\tmatch = { \"https://x.example.com/a\" }\n}\n")
        done = self.ctl("allow", "vscode")
        self.refused(done, os.path.join(self.conf_d, "vscode.conf") + ":",
                     "cimd.conf:2")
        self.assertNotIn(".try-", done.err)
        self.assertEqual(self.files(), {})

    def test_special_name(self) -> None:
        url = "https://bots.corp.internal/m.json"
        self.refused(self.ctl("allow", url), "special")
        self.assertEqual(self.files(), {})
        self.write(self.config, 'special_names = { "internal" }\n')
        self.assertEqual(self.ctl("allow", url).status, 0)

    def test_configuration_is_broken(self) -> None:
        for text in ("default = \n", "client {\n", "defualt = deny\n"):
            self.write(self.config, text)
            self.refused(self.ctl("allow", URL), self.config)
            self.assertEqual(self.files(), {})

    def test_configuration_is_missing(self) -> None:
        os.unlink(self.config)
        for args in (("allow", URL), ("allow", "vscode"), ("catalog",)):
            self.refused(self.ctl(*args), self.config)

    def test_no_cimdd(self) -> None:
        args = self.args("allow", URL)
        args[args.index("--cimdd") + 1] = os.path.join(self.dir, "cimdd")
        self.refused(cimdctl(*args), "cannot run", "--cimdd", status=5)
        self.write(os.path.join(self.dir, "cimdd"), "#!/bin/sh\nexit 7\n")
        os.chmod(os.path.join(self.dir, "cimdd"), 0o755)
        self.refused(cimdctl(*args), "status 7", status=5)
        self.assertEqual(self.files(), {})

    def test_no_room(self) -> None:
        """The disk is full after so many bytes: nothing is left behind."""
        def limit(size: int) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        for size in (0, 1, 50, 150, 200):
            with self.subTest(size):
                done = subprocess.run(
                    [program(), *self.args("allow", URL)], check=False,
                    capture_output=True, timeout=60,
                    preexec_fn=lambda: limit(size))
                self.assertNotIn(done.returncode, (0, 2), done)
                self.assertEqual(self.files(), {})

    def test_many_at_once(self) -> None:
        urls = [f"https://client{n}.example.com/m" for n in range(12)]
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            done = list(pool.map(lambda url: self.ctl("allow", url), urls))
        self.assertEqual([d.status for d in done], [0] * 12, done)
        self.assertEqual(len(self.files()), 12)
        for url in urls:
            self.assertEqual(self.verdict(url), "CIMD_OK")
