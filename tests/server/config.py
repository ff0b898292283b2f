#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The configuration child, "cimdd -t --json", and "cimdd -t".

The cases of tests/cases/config-valid and config-invalid are folders with the
files of a configuration: cimd.conf, conf.d, catalog.d.  A valid one has
expected.json; an invalid one has "case" with a line

    error: FILE:LINE: TEXT

for each error in order, where TEXT is a piece of the text and no line is "0".
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sys
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from served import Case, labtest, run  # noqa: E402

CASES = os.path.join(labtest.top_src(), "tests", "cases")


class Config(Case):
    """What the child prints."""

    def child(self, folder: str, *more: str) -> tuple[int, dict]:
        """Its status and JSON."""
        done = run("-t", "--json", "-c", os.path.join(folder, "cimd.conf"),
                   "-C", os.path.join(folder, "catalog.d"), *more)
        self.assertEqual(done.stderr, "")
        return done.returncode, json.loads(done.stdout)

    def below(self, folder: str, found: Any) -> Any:
        """The same, with places that begin in this folder."""
        if isinstance(found, dict):
            return {key: {name: place.removeprefix(folder + "/")
                          for name, place in value.items()} if key == "@"
                    else self.below(folder, value)
                    for key, value in found.items()}
        if isinstance(found, list):
            return [self.below(folder, one) for one in found]
        return found

    def copy(self, kind: str, name: str) -> str:
        """The files of a case, with the modes that git does not keep."""
        folder = os.path.join(self.folder(), "c")
        shutil.copytree(os.path.join(CASES, kind, name), folder)
        for where, _, files in os.walk(folder):
            os.chmod(where, 0o755)
            for file in files:
                os.chmod(os.path.join(where, file), 0o644)
        return folder

    def names(self, kind: str) -> list[str]:
        """The cases of a kind; there are some."""
        names = sorted(os.listdir(os.path.join(CASES, kind)))
        self.assertGreater(len(names), 5)
        return names

    def write(self, text: str, name: str = "cimd.conf",
              folder: str | None = None) -> str:
        """A folder with this file."""
        folder = folder or self.folder()
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(path, 0o644)
        return folder

    def refused(self, folder: str, text: str, line: int = 0,
                file: str = "cimd.conf") -> None:
        """The only error is this one."""
        status, found = self.child(folder)
        self.assertEqual(status, 1)
        self.assertEqual(list(found), ["errors"])
        error, = found["errors"]
        self.assertEqual(error["file"], os.path.join(folder, file))
        self.assertEqual(error["line"], line)
        self.assertIn(text, error["text"])

    def test_valid(self) -> None:
        """Each valid case prints what it says."""
        for name in self.names("config-valid"):
            with self.subTest(name):
                folder = self.copy("config-valid", name)
                with open(os.path.join(folder, "expected.json"),
                          encoding="utf-8") as src:
                    expected = json.load(src)
                status, found = self.child(folder)
                self.assertEqual(self.below(folder, found), expected)
                self.assertEqual(status, 0)

    def test_invalid(self) -> None:
        """Each invalid case has the errors that it says, and no other."""
        pattern = re.compile(r"^error: ([^:]+):(\d+): (.+)$")
        for name in self.names("config-invalid"):
            with self.subTest(name):
                folder = self.copy("config-invalid", name)
                with open(os.path.join(folder, "case"),
                          encoding="utf-8") as src:
                    rows = [pattern.match(line.rstrip("\n")) for line in src
                            if not line.startswith("#")]
                status, found = self.child(folder)
                self.assertEqual(status, 1)
                self.assertEqual(len(found["errors"]), len(rows), found)
                for row, error in zip(rows, found["errors"]):
                    assert row is not None, "no error: line"
                    self.assertEqual(error["file"],
                                     os.path.join(folder, row[1]))
                    self.assertEqual(error["line"], int(row[2]), error)
                    self.assertIn(row[3],
                                  error["text"].replace(folder + "/", ""))

    def test_parent_takes_each(self) -> None:
        """The parent, which spawns the child, takes them too; what values
        mean is not judged here (double.c)."""
        for name in self.names("config-valid"):
            with self.subTest(name):
                folder = self.copy("config-valid", name)
                done = run("-t", "-c", os.path.join(folder, "cimd.conf"),
                           "-C", os.path.join(folder, "catalog.d"))
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertIn("the configuration is good", done.stdout)

    def test_parent_prints_each_error(self) -> None:
        """FILE:LINE: TEXT, one line each."""
        folder = self.write("nonsense = 1\nqueryy = yes\n")
        path = os.path.join(folder, "cimd.conf")
        done = run("-t", "-c", path)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.splitlines(), [
            f'{path}:1: there is no setting "nonsense" at the top level',
            f'{path}:2: there is no setting "queryy" at the top level'])

    def test_missing(self) -> None:
        """No file is an error; no folder is none."""
        folder = self.folder()
        self.refused(folder, "cannot open it: No such file")
        self.write("", folder=folder)
        self.assertEqual(self.child(folder), (0, {}))

    def test_directory_as_file(self) -> None:
        """libconfuse would end the process."""
        folder = self.folder()
        os.mkdir(os.path.join(folder, "cimd.conf"))
        self.refused(folder, "is a directory, not a file")

    def test_fifo_as_file(self) -> None:
        """Nobody writes to it, and nobody waits for that."""
        folder = self.folder()
        os.mkfifo(os.path.join(folder, "cimd.conf"), 0o644)
        self.refused(folder, "is something else, not a file")

    def test_socket_in_conf_d(self) -> None:
        """Nor is a socket a file."""
        folder = self.write("")
        os.mkdir(os.path.join(folder, "conf.d"), 0o755)
        path = os.path.join(folder, "conf.d", "a.conf")
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(path)
            self.refused(folder, "cannot open it", file="conf.d/a.conf")

    def test_world_writable(self) -> None:
        """A file or folder that everybody can write to is refused."""
        folder = self.write("")
        os.chmod(os.path.join(folder, "cimd.conf"), 0o646)
        self.refused(folder, "everybody can write to it")
        os.chmod(os.path.join(folder, "cimd.conf"), 0o644)
        os.mkdir(os.path.join(folder, "conf.d"))
        os.chmod(os.path.join(folder, "conf.d"), 0o757)
        self.refused(folder, "everybody can write to it", file="conf.d")

    def test_link_is_judged_by_its_target(self) -> None:
        """Configuration management likes links."""
        folder = self.write("query = yes\n", name="elsewhere")
        os.symlink("elsewhere", os.path.join(folder, "cimd.conf"))
        self.assertEqual(self.child(folder)[1]["query"], True)
        os.chmod(os.path.join(folder, "elsewhere"), 0o666)
        self.refused(folder, "everybody can write to it")

    def test_owner(self) -> None:
        """Somebody else's file is refused."""
        if os.geteuid() != 0:
            path = "/etc/hostname"  # root's is fine for everybody
            self.assertNotIn("belongs to", run("-t", "-c", path).stderr)
            return
        folder = self.write("")
        os.chown(os.path.join(folder, "cimd.conf"), 65534, -1)
        self.refused(folder, "belongs to user 65534, not to root")

    def test_size(self) -> None:
        """The largest file is read, one byte more is not."""
        folder = self.write("#" * 262144)
        self.assertEqual(self.child(folder), (0, {}))
        self.write("#" * 262145, folder=folder)
        self.refused(folder, "has more than 262144 bytes")

    def test_nul(self) -> None:
        """A NUL byte would end the text for libconfuse."""
        folder = self.write("query = yes\n\0default = deny\n")
        self.refused(folder, "control character 0x00", line=2)

    def test_many_rows_and_values(self) -> None:
        """Bounds hold, and up to them everything is read."""
        folder = self.write("deny = {" + ",".join(["a"] * 16384) + "}\n")
        self.assertEqual(len(self.child(folder)[1]["deny"]), 16384)
        self.write("deny = {" + ",".join(["a"] * 16385) + "}\n",
                   folder=folder)
        self.refused(folder, "more than 16384 values in one list", line=1)
        self.write("".join(f"client c{i} {{}}\n" for i in range(8192)),
                   folder=folder)
        self.assertEqual(len(self.child(folder)[1]["client"]), 8192)
        self.write("".join(f"client {i} {{}}\n" for i in range(16385)),
                   folder=folder)
        self.refused(folder, "more than 16384 settings", line=16385)

    def test_errors_are_bounded(self) -> None:
        """Fifty are told, not all."""
        folder = self.write("".join(f"x{i} = 1\n" for i in range(100)))
        status, found = self.child(folder)
        self.assertEqual((status, len(found["errors"])), (1, 50))

    def test_output_is_bounded(self) -> None:
        """Together, files can hold more than the daemon takes."""
        folder = self.write("")
        for i in range(6):
            self.write(f"client c{i} {{ scopes = {{"
                       + ",".join(['"' + "s" * 200 + '"'] * 1200) + "} }\n",
                       name=f"conf.d/{i}.conf", folder=folder)
        done = run("-t", "-c", os.path.join(folder, "cimd.conf"))
        self.assertEqual(done.returncode, 3)
        self.assertIn("it printed more than 1048576 bytes", done.stderr)

    def test_order_and_names_of_conf_d(self) -> None:
        """Sorted; only *.conf that are not hidden."""
        folder = self.write("")
        for name in ("20-b.conf", "10-z.conf", ".hidden.conf", "c.conf~",
                     "d.txt", "100.conf"):
            stem = re.sub("[^a-z0-9]", "", name)
            self.write(f"client {stem} {{}}\n", name=f"conf.d/{name}",
                       folder=folder)
        _, found = self.child(folder)
        self.assertEqual([c["name"] for c in found["client"]],
                         ["10zconf", "100conf", "20bconf"])

    def test_folder_options(self) -> None:
        """-d names another folder."""
        folder = self.write("query = yes\n")
        self.write("root_path = yes\n", name="other/x.conf", folder=folder)
        _, found = self.child(folder, "-d", os.path.join(folder, "other"))
        self.assertEqual(found["@"], {
            "query": os.path.join(folder, "cimd.conf:1"),
            "root_path": os.path.join(folder, "other/x.conf:1")})

    def test_places_are_paths_as_given(self) -> None:
        """In faults, in what a fault refers to, and for libcimd."""
        folder = self.write("query = yes\n")
        self.write("query = no\n", name="conf.d/x.conf", folder=folder)
        done = run("-t", "-c", "cimd.conf", cwd=folder)
        self.assertEqual(done.stderr, "conf.d/x.conf:1: query is already in "
                         "cimd.conf:1\n")
        done = run("-t", "--json", "-c", "./cimd.conf", "-d", "no", cwd=folder)
        self.assertEqual(json.loads(done.stdout)["@"],
                         {"query": "./cimd.conf:1"})
        path = os.path.join(folder, "cimd.conf")
        self.write("root_path = yes\n", name="conf.d/x.conf", folder=folder)
        done = run("-t", "--json", "-c", path)
        self.assertEqual(json.loads(done.stdout)["@"], {
            "query": f"{path}:1", "root_path": f"{folder}/conf.d/x.conf:1"})

    def test_names_become_numbers(self) -> None:
        """Names of users and groups are looked up by the child."""
        folder = self.write("consumer a { uid = { root, 7 }\n"
                            "gid = { root, 4294967294 } }\n")
        consumer, = self.child(folder)[1]["consumer"]
        self.assertEqual(consumer["uid"], [0, 7])
        self.assertEqual(consumer["gid"], [0, 4294967294])

    def test_environment_is_not_read(self) -> None:
        """A variable never becomes a value."""
        folder = self.write('contact = "${HOME}"\n')
        self.refused(folder, "is not expanded", line=1)


class CommandLine(Case):
    """Options and exit statuses."""

    def test_help_and_version(self) -> None:
        """Both end with 0 and print to standard output."""
        done = run("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("usage: cimdd", done.stdout)
        done = run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^cimdd \d+\.\d+\.\d+\n$")

    def test_wrong(self) -> None:
        """Each wrong command line ends with 2 and the usage."""
        for args in (["--nonsense"], ["file"], ["--json"], ["-c"],
                     ["-t", "x"]):
            with self.subTest(args):
                done = run(*args)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn("usage: cimdd", done.stderr)


if __name__ == "__main__":
    labtest.main()
