#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The bridge's two engines, without Keycloak around them: cimdd over its
socket, and libcimd inside of the virtual machine.

Both must answer the same questions alike, on every JDK of this machine and
under -Xcheck:jni; with a build that has AddressSanitizer, under that, too.

    CIMD_JDKS   folders of JDKs (default: all below /usr/lib/jvm)
"""

from __future__ import annotations

import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
for other in ("lab", "pipeline"):
    sys.path.insert(0, os.path.join(HERE, os.pardir, other))

import cimdd  # noqa: E402
import labtest  # noqa: E402

SITES = os.path.join(HERE, os.pardir, "fixtures", "documents")
WANTED = (17, 21, 25)  # what Keycloak's lines run on

# Who asks is this process, as root; what the realm allows is allowed.
RULES = """
consumer "keycloak" {
    uid = { 0 }
    delegate = yes
}
"""
POLICY = {"allow": ["vscode", "claude-code", "chatgpt"], "default": "deny"}


def library() -> str:
    """The library that was built."""
    return os.path.join(labtest.top_build(), "keycloak-bridge", "native",
                        ".libs", "libcimd_jni.so")


def jdk_version(home: str) -> int:
    """17 of "17.0.15"; 0 if this is no JDK."""
    try:
        with open(os.path.join(home, "release"), encoding="utf-8") as src:
            found = re.search(r'JAVA_VERSION="(\d+)', src.read())
    except OSError:
        return 0
    return int(found[1]) if found else 0


def jdks() -> dict[int, str]:
    """The JDKs of this machine, by version."""
    given = os.environ.get("CIMD_JDKS")
    homes = given.split() if given else glob.glob("/usr/lib/jvm/*")
    return {jdk_version(home): home for home in sorted(homes)
            if jdk_version(home) >= WANTED[0]
            and os.path.exists(os.path.join(home, "bin", "java"))}


def compile_tool(home: str) -> str:
    """The folder of the tool's classes, made once, by the first one."""
    out = os.path.join(os.environ["LAB_DIR"], "engines")
    if not os.path.isdir(out):
        source = os.path.join(labtest.top_src(), "keycloak-bridge", "src",
                              "main", "java")
        subprocess.run([os.path.join(home, "bin", "javac"), "--release", "17",
                        "-sourcepath", source, "-d", out,
                        os.path.join(HERE, "engines", "EngineTool.java")],
                       check=True)
    return out


def sanitizer_preload() -> dict[str, str]:
    """What a virtual machine needs to load an instrumented library."""
    if cimdd.sanitizer() != "asan":
        return {}
    runtime = subprocess.run(["gcc", "-print-file-name=libasan.so"],
                             capture_output=True, text=True,
                             check=True).stdout.strip()
    # The virtual machine catches SIGSEGV on purpose and leaks by design.
    return {"LD_PRELOAD": runtime,
            "ASAN_OPTIONS": "handle_segv=0:detect_leaks=0:abort_on_error=0:"
                            "allow_user_segv_handler=1"}


def configuration(one: cimdd.Cimdd) -> str:
    """The JSON form of its configuration, in a file."""
    done = subprocess.run([*one.daemon.argv, "-t", "--json"],
                          capture_output=True, text=True, check=True)
    path = os.path.join(one.folder, "cimd.json")
    with open(path + ".new", "w", encoding="utf-8") as out:
        out.write(done.stdout)
    os.rename(path + ".new", path)
    return path


class Tool:
    """An engine in a virtual machine of its own."""

    def __init__(self, case: labtest.Case, home: str, *words: str,
                 check: bool = True) -> None:
        self.log = tempfile.NamedTemporaryFile()
        jdk_options = ["-Xcheck:jni", "-XX:TieredStopAtLevel=1"] \
            if check else []
        if jdk_version(home) >= 24:
            jdk_options.append("--enable-native-access=ALL-UNNAMED")
        self.child = subprocess.Popen(
            [os.path.join(home, "bin", "java"), *jdk_options, "-cp",
             compile_tool(home), "cimd.keycloak.EngineTool", *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
            text=True, encoding="utf-8", env={**os.environ,
                                              **sanitizer_preload()})
        case.addCleanup(self.end)

    def ask_raw(self, line: str) -> str:
        """One line in, one line out."""
        assert self.child.stdin and self.child.stdout
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()
        answer = self.child.stdout.readline()
        assert answer, f"ended: {self.errors()}"
        return answer.rstrip("\n")

    def ask(self, client_id: str, policy: Any = None, **more: Any) -> Any:
        """One lookup; the decision record or problem document."""
        request = {"client_id": client_id, "purpose": "authorize",
                   "policy": policy or POLICY} | more
        answer = self.ask_raw(json.dumps(request))
        assert answer.startswith("{"), answer
        return json.loads(answer)

    def errors(self) -> str:
        """What it wrote to its standard error."""
        with open(self.log.name, encoding="utf-8", errors="replace") as src:
            return src.read()

    def close(self) -> int:
        """End of the input; the exit status."""
        assert self.child.stdin
        self.child.stdin.close()
        return self.child.wait(60)

    def end(self) -> None:
        """Whatever is left of it."""
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        for stream in (self.child.stdin, self.child.stdout, self.log):
            if stream:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass


class Case(labtest.Case):
    """A test with cimdd's configuration at hand."""

    def setUp(self) -> None:
        if not os.path.exists(library()):
            self.skipTest("configured without libcimd_jni")
        if not jdks():
            self.skipTest("no JDK of 17 or later")
        # Others are only run; this one compiles.
        found = [home for home in jdks().values()
                 if os.path.exists(os.path.join(home, "bin", "javac"))]
        if not found:
            self.skipTest("no JDK of 17 or later has a compiler")
        self.home = found[0]

    def daemon_of(self) -> cimdd.Cimdd:
        """A cimdd that knows the catalog; not started."""
        one = cimdd.Cimdd(self, RULES)
        one.daemon.argv += ["-C", os.path.join(labtest.top_src(),
                                               "catalog.d")]
        return one

    def jni(self, one: cimdd.Cimdd, home: str | None = None) -> Tool:
        """The engine in the virtual machine, with this configuration."""
        return Tool(self, home or self.home, "jni", library(),
                    configuration(one))

    def assert_clean(self, tool: Tool) -> None:
        """It ends well, and neither -Xcheck:jni nor ASan has found fault."""
        self.assertEqual(tool.close(), 0, tool.errors())
        for word in ("WARNING in native method", "FATAL ERROR",
                     "AddressSanitizer", "runtime error"):
            self.assertNotIn(word, tool.errors())


def comparable(answer: Any) -> Any:
    """Without what depends on when it was fetched."""
    if "source" in answer:
        answer = answer | {"source": answer["source"] | {
            "fetched_at": 0, "expires_at": 0}}
    return answer


class Alike(Case):
    """Both engines, the same questions."""

    QUESTIONS: list[tuple[str, dict[str, Any]]] = [
        ("vscode", {"redirect_uri": "http://127.0.0.1:60123/"}),
        ("claude-code", {"redirect_uri": "http://localhost:1234/callback"}),
        ("claude-code", {"redirect_uri": "https://collector.example.net/"}),
        ("claude-code", {"purpose": "token"}),
        ("chatgpt", {}),
        ("zed", {}),  # not allowed
        ("goose", {"policy": {"allow": ["goose"]}, "purpose": "display"}),
        ("vscode", {"policy": {"allow": ["vscode"], "scopes": ["\U0001f600"]}}),
        ("vscode", {"policy": {"allow": ["no-such-name"]}}),
        ("vscode", {"policy": {"allow": ["vscode"], "deny": ["vscode.dev"]}}),
        ("lookalike", {"policy": {"default": "unverified"}}),
        ("copy-of-claude-code", {"policy": {"default": "unverified"}}),
        ("not-a-url", {}),
        ("https://localhost/x", {}),
        ("https://claude.ai/\U0001f600", {}),
    ]

    def answers(self, tool: Tool) -> list[Any]:
        """Of all questions, in order."""
        names = labtest.lab()
        return [comparable(tool.ask(
            name if name in ("not-a-url",) or "://" in name
            else names.client_id(name), **more))
            for name, more in self.QUESTIONS]

    def test_every_jdk(self) -> None:
        """Codes, records, warnings: byte for byte the same JSON."""
        found = jdks()
        for version in WANTED:
            if version not in found:
                print(f"skipped: there is no JDK {version} here", flush=True)
        one = self.daemon_of().start()
        expected = self.answers(Tool(self, self.home, "socket", one.path))
        codes = {answer.get("code", "accepted") for answer in expected}
        self.assertLessEqual({"accepted", "CIMD_E_POLICY", "CIMD_E_MISMATCH",
                              "CIMD_E_NOT_CIMD", "CIMD_E_URL"}, codes)
        for version, home in found.items():
            with self.subTest(jdk=version):
                tool = self.jni(self.daemon_of(), home)
                for (name, more), want, got in zip(
                        self.QUESTIONS, expected, self.answers(tool)):
                    self.assertEqual(got, want, f"{name} {more}")
                self.assert_clean(tool)

    def test_malformed(self) -> None:
        """A request that is none gets the same problem from both."""
        one = self.daemon_of().start()
        socket = Tool(self, self.home, "socket", one.path)
        jni = self.jni(self.daemon_of())
        for line in ("{", "[]", '{"client_id":1}', '{"client_id":"x","y":1}'):
            self.assertEqual(json.loads(jni.ask_raw(line))["code"],
                             json.loads(socket.ask_raw(line))["code"])
        self.assert_clean(jni)

    def test_many_threads(self) -> None:
        """Hits and first fetches of 32 threads at once."""
        url = labtest.lab().client_id("vscode")
        request = json.dumps({"client_id": url, "purpose": "authorize",
                              "policy": POLICY})
        jni = self.jni(self.daemon_of())
        self.assertEqual(jni.ask_raw(f"burst 32 50 {request}"), "good: 1600")
        self.assert_clean(jni)


class Trouble(Case):
    """What an administrator gets wrong, and how it heals by itself."""

    def ask_until(self, tool: Tool, part: str) -> str:
        """Ask until the answer has this part; an engine looks once a
        second."""
        url = labtest.lab().client_id("vscode")
        request = json.dumps({"client_id": url, "purpose": "authorize",
                              "policy": POLICY})
        answer = ""

        def good() -> bool:
            nonlocal answer
            answer = tool.ask_raw(request)
            return part in answer
        try:
            labtest.wait_until(good, 30, part)
        except AssertionError as exc:
            raise AssertionError(f"{exc}: {answer}") from None
        return answer

    def test_missing_library(self) -> None:
        """It is named; a later lookup finds it."""
        one = self.daemon_of()
        path = os.path.join(one.folder, "libcimd_jni.so")
        tool = Tool(self, self.home, "jni", path, configuration(one))
        self.assertIn(path, self.ask_until(tool, "error: "))
        os.symlink(library(), path)
        self.ask_until(tool, '"decision"')
        self.assert_clean(tool)

    def test_relative_library(self) -> None:
        """What would be found depends on where the process stands."""
        tool = Tool(self, self.home, "jni", "libcimd_jni.so", "/nowhere")
        self.ask_until(tool, "error: libcimd_jni.so is not an absolute path")

    def test_foreign_library(self) -> None:
        """A library without our functions, and a file that is none."""
        tool = Tool(self, self.home, "jni", "/etc/passwd", "/nowhere")
        self.ask_until(tool, "error: /etc/passwd cannot be loaded")
        other = os.path.join(labtest.top_build(), "common", ".libs",
                             "libcimd.so.0")
        tool = Tool(self, self.home, "jni", other, "/nowhere")
        self.ask_until(tool, f"error: {other} is not libcimd_jni")

    def test_missing_configuration(self) -> None:
        """It is named; a later lookup finds it."""
        one = self.daemon_of()
        path = os.path.join(one.folder, "other.json")
        tool = Tool(self, self.home, "jni", library(), path)
        self.ask_until(tool, f"error: {path}: there is no such file")
        os.rename(configuration(one), path)
        self.ask_until(tool, '"decision"')

    def test_wrong_configuration(self) -> None:
        """The setting is named."""
        one = self.daemon_of()
        path = os.path.join(one.folder, "cimd.json")
        with open(path, "w", encoding="utf-8") as out:
            out.write('{"no_such_setting": 1}')
        tool = Tool(self, self.home, "jni", library(), path)
        self.assertIn("CIMD_E_CONFIG", self.ask_until(tool, "no_such"))

    def test_reload(self) -> None:
        """A block in a new configuration acts without a restart; a wrong
        one changes nothing."""
        one = self.daemon_of()
        tool = self.jni(one)
        self.ask_until(tool, '"decision"')
        one.configure(RULES + 'deny = { "vscode.dev" }\n')
        configuration(one)
        self.ask_until(tool, "CIMD_E_BLOCKED")
        with open(os.path.join(one.folder, "cimd.json"), "w",
                  encoding="utf-8") as out:
            out.write("{")
        labtest.wait_until(lambda: tool.ask_raw("{}") and
                           "old configuration" in tool.errors(), 30)
        self.ask_until(tool, "CIMD_E_BLOCKED")
        self.assert_clean(tool)

    def test_one_writer(self) -> None:
        """The state directory of cimdd, or of another process, is refused
        in so many words, and taken once that process has ended."""
        one = self.daemon_of().start()
        first = self.jni(one)
        self.assertIn(one.state, self.ask_until(first, "error: "))
        one.daemon.stop(60)
        self.ask_until(first, '"decision"')
        second = Tool(self, self.home, "jni", library(), configuration(one))
        self.assertIn(one.state, self.ask_until(second, "CIMD_E_STORE"))
        self.assert_clean(first)
        self.ask_until(second, '"decision"')
        self.assert_clean(second)

    def test_versions_differ(self) -> None:
        """A library of another release is refused by its number."""
        folder = self.folder()
        source = os.path.join(labtest.top_src(), "keycloak-bridge", "native",
                              "cimd_jni.c")
        with open(source, encoding="utf-8") as src:
            text = src.read().replace("define CIMD_JNI_ABI 1",
                                      "define CIMD_JNI_ABI 2")
        other = os.path.join(folder, "other.c")
        with open(other, "w", encoding="utf-8") as out:
            out.write(text)
        include = os.path.join(self.home, "include")
        built = os.path.join(folder, "libother.so")
        libs = os.path.join(labtest.top_build(), "common", ".libs")
        if sanitizer_preload():
            raise unittest.SkipTest("the plain build tests this")
        subprocess.run(["gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o",
                        built, other, "-I", os.path.join(
                            labtest.top_src(), "common"),
                        "-I", include, "-I", os.path.join(include, "linux"),
                        "-L", libs, "-lcimd", "-Wl,-rpath," + libs],
                       check=True)
        tool = Tool(self, self.home, "jni", built, "/nowhere")
        self.ask_until(tool, "is of another release: interface 2, not 1")


if __name__ == "__main__":
    labtest.main(["--sites", SITES])
