# SPDX-License-Identifier: Apache-2.0
"""Writing a test suite that runs in the laboratory.

    #!/usr/bin/python3
    sys.path.insert(0, "(where this file is)")
    import labtest

    class Redirects(labtest.Case):
        def test_not_followed(self):
            hostile = labtest.lab().hostile
            ...

    if __name__ == "__main__":
        labtest.main(["--hostile", "--trap", "--dns", "faults"])

main() starts itself again inside the laboratory with these options, runs
every test, prints a line for each and, last, "N passed, N failed" with
", N skipped" if there were any.  Exit status: 1 if one failed, else 0, also
where this machine allows no namespaces: then all tests count as skipped.
Arguments of a suite: -k PART runs the tests whose name has PART in it; -l
lists them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import unittest
from typing import Any, Callable, NoReturn

import sites
from control import Control
from lab import answers, free_port
from process import Daemon, Value, wait_until
from trap import split
from unixhttp import UnixHTTP, connect, read_all

__all__ = ["Case", "Control", "Daemon", "Lab", "UnixHTTP", "answers",
           "connect", "free_port", "lab", "main", "read_all", "top_build",
           "top_src", "wait_until"]

HERE = os.path.dirname(os.path.abspath(__file__))
NOT_ALLOWED = 77


def top_src() -> str:
    """The top of the source tree."""
    return os.path.abspath(os.environ.get(
        "top_srcdir", os.path.join(HERE, "..", "..")))


def top_build() -> str:
    """The top of the build tree: $CIMD_BUILD or $top_builddir, else build/
    or the source tree itself."""
    given = os.environ.get("CIMD_BUILD", os.environ.get("top_builddir"))
    build = os.path.join(top_src(), "build")
    if given is None:
        given = build if os.path.isdir(build) else top_src()
    return os.path.abspath(given)


class Lab:
    """The laboratory as a test inside sees it."""

    def __init__(self) -> None:
        env = os.environ
        self.folder = env["LAB_DIR"]
        self.mode = env["LAB_MODE"]
        self.ipv6 = env["LAB_IPV6"] == "1"
        self.ca_path, self.ca_file = env["LAB_CA_PATH"], env["LAB_CA_FILE"]
        self.resolver = env["LAB_DNS"]
        self.public = set(env["LAB_PUBLIC"].split())
        self.base = env.get("LAB_BASE")
        self.hostile_name = env.get("LAB_HOSTILE")

    def control(self, name: str) -> Control:
        """The control socket of a mock that was started."""
        variable = f"LAB_{name.upper()}_CONTROL"
        if variable not in os.environ:
            raise KeyError(f"{variable}: start the laboratory with {name}")
        return Control(os.environ[variable])

    @property
    def hostile(self) -> Control:
        """The hostile HTTPS server (commands: hostile.py)."""
        return self.control("hostile")

    @property
    def dns(self) -> Control:
        """The DNS server with faults (commands: dns.py)."""
        return self.control("dns")

    @property
    def trap(self) -> Control:
        """The counter of connection attempts (commands: trap.py)."""
        return self.control("trap")

    def url(self, path: str, label: str = "good") -> str:
        """A URL of the hostile server; the label selects its TLS mode."""
        if self.mode == "loopback":
            return f"https://{self.hostile_name}{path}"
        return f"https://{label}.{self.hostile_name}{path}"

    def sites(self) -> dict[str, dict[str, Any]]:
        """The fixtures that nginx serves, by name."""
        with open(os.environ["LAB_SITES"], encoding="utf-8") as src:
            return {entry["name"]: entry for entry in json.load(src)}

    def client_id(self, name: str) -> str:
        """The URL of a fixture (rewritten in loopback mode)."""
        return str(self.sites()[name]["url"])

    def serve(self, name: str, text: str) -> None:
        """Let nginx serve this text at the fixture's URL from now on."""
        sites.put(self.sites()[name]["path"], text)

    def serve_file(self, name: str, file: str) -> None:
        """The same with a file of tests/fixtures/documents."""
        folder = os.path.join(top_src(), "tests", "fixtures", "documents")
        with open(os.path.join(folder, file), encoding="utf-8") as src:
            self.serve(name, src.read())

    def nginx_requests(self, host: str | None = None
                       ) -> list[dict[str, Any]]:
        """What nginx has logged; a line comes after its answer, so wait
        for a number with wait_until()."""
        name = os.path.join(self.folder, "nginx-access.log")
        with open(name, encoding="utf-8") as src:
            lines = [json.loads(line) for line in src]
        return [line for line in lines if host in (None, line["host"])]

    def nameservers(self, *addresses: str) -> None:
        """Change what /etc/resolv.conf says (a process that has read it
        before may not notice); no address: the default again."""
        path = os.path.join(self.folder, "resolv.conf")
        with open(path, "w", encoding="ascii") as out:  # a bind mount
            out.writelines(f"nameserver {a}\n"
                           for a in addresses or [self.resolver])

    def unexpected(self) -> dict[str, int]:
        """Connection attempts to anything but the public addresses."""
        counts = self.trap.call("counts")
        found = {k: n for table in counts.values() for k, n in table.items()}
        return {k: n for k, n in found.items()
                if split(k)[0] not in self.public}


def lab() -> Lab:
    """The laboratory that this process runs in."""
    return Lab()


class Case(unittest.TestCase):
    """A test case with a folder of its own and bounds on time."""

    longMessage = True

    def folder(self) -> str:
        """A new folder, short enough for socket paths; gone afterwards."""
        base = os.environ.get("LAB_DIR")
        path = tempfile.mkdtemp(prefix="t-", dir=base)
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        return path

    def daemon(self, argv: list[str], **more: Any) -> Daemon:
        """A daemon in a new folder; killed afterwards.  Not started yet."""
        one = Daemon(argv, more.pop("folder", None) or self.folder(), **more)
        self.addCleanup(one.kill)
        return one

    def timely(self, seconds: float, deed: Callable[[], Value]) -> Value:
        """What deed() gives, within so many seconds.  A machine that stands
        still gets other chances: what takes too long does so every time."""
        for _ in range(4):
            start = time.monotonic()
            value = deed()
            took = time.monotonic() - start
            if took < seconds:
                return value
        raise self.failureException(f"took {took:.1f} s, not {seconds:g}")

    def assertFaster(self, seconds: float, start: float) -> None:
        """Not more than this since start (time.monotonic())."""
        took = time.monotonic() - start
        self.assertLess(took, seconds, "took too long")


class Printer(unittest.TestResult):
    """A line per test."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0
        self.started = 0.0
        self.bad: set[str] = set()

    @staticmethod
    def name(test: unittest.TestCase) -> str:
        """Class.method, with the subtest's parameters."""
        return ".".join(test.id().split(".")[-2:]) if "(" not in test.id() \
            else test.id().partition(".")[2]

    def say(self, word: str, test: unittest.TestCase, more: str = "") -> None:
        """Print one line at once."""
        took = time.monotonic() - self.started
        print(f"{word:4} {self.name(test)} ({took:.2f} s){more}", flush=True)

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self.started = time.monotonic()

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        if test.id() not in self.bad:
            self.passed += 1
            self.say("ok", test)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        print(f"skipped: {self.name(test)}: {reason}", flush=True)

    def fail(self, test: unittest.TestCase, err: Any) -> None:
        """Print a failure with where it happened."""
        self.bad.add(test.id())
        self.say("FAIL", test)
        lines = traceback.format_exception(*err)
        print("".join(line for line in lines if "/unittest/" not in line),
              flush=True)

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        self.fail(test, err)

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        self.fail(test, err)

    def addSubTest(self, test: unittest.TestCase, subtest: Any,
                   err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.fail(subtest, err)
            self.bad.discard(subtest.id())
            self.bad.add(test.id())


def flat(suite: unittest.TestSuite) -> list[unittest.TestCase]:
    """The single tests of a suite, in order."""
    tests: list[unittest.TestCase] = []
    todo: list[Any] = [suite]
    while todo:
        item = todo.pop(0)
        if isinstance(item, unittest.TestSuite):
            todo[:0] = list(item)
        else:
            tests.append(item)
    return tests


def summary(passed: int, failed: int, skipped: int) -> str:
    """The last line."""
    more = f", {skipped} skipped" if skipped else ""
    return f"{passed} passed, {failed} failed{more}"


def enter(options: list[str], count: int) -> NoReturn:
    """Run this very program again inside the laboratory."""
    done = subprocess.run(
        [sys.executable, os.path.join(HERE, "lab.py"), "run", *options,
         "--", sys.executable, *sys.argv], check=False)
    if done.returncode == NOT_ALLOWED:
        print("skipped: this machine allows no namespaces")
        print(summary(0, 0, count), flush=True)
        sys.exit(0)
    if done.returncode not in (0, 1):
        print(summary(0, 1, 0), flush=True)
    sys.exit(done.returncode)


def main(options: list[str] | None = None) -> NoReturn:
    """Run the tests of the main program, in the laboratory if options are
    given (and unless it is there already)."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-k", default="", help="part of a test's name")
    parser.add_argument("-l", action="store_true", help="list the tests")
    args = parser.parse_args()
    loader = unittest.defaultTestLoader
    tests = [t for t in flat(loader.loadTestsFromModule(
        sys.modules["__main__"])) if args.k in t.id()]
    if args.l:
        print("\n".join(test.id() for test in tests))
        sys.exit(0)
    if options is not None and "LAB_DIR" not in os.environ:
        enter(options, len(tests))
    result = Printer()
    unittest.TestSuite(tests).run(result)
    failed = len(result.bad)
    print(summary(result.passed, failed, len(result.skipped)), flush=True)
    sys.exit(1 if failed else 0)
