# SPDX-License-Identifier: Apache-2.0
"""The command line: usage, help, manual page, completion, output, pipes."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from typing import Any

import labtest
from ctl import cimdctl, fixture_path, fixtures, program, read_terminal

BIDI, ESC, ZERO = "\u202e", "\u001b", "\u200b"
ON_DAEMON = [
    ["clients"], ["show", "https://client.example.com/x"], ["status"],
    ["approve", "https://client.example.com/x"], ["reload"], ["audit"],
    ["pin", "https://client.example.com/x"], ["metrics"],
    ["refresh", "https://client.example.com/x"],
    ["forget", "https://client.example.com/x"],
    ["diff", "https://client.example.com/x"], ["show", "A" * 43],
    ["policy", "test", "https://client.example.com/x"],
    ["deny", "A" * 42 + "-"], ["unblock", "https://client.example.com/x"],
]


def commands() -> list[str]:
    """The commands, as the completion gets them."""
    return cimdctl("complete").out.split()


def options_of(command: str) -> dict[str, str]:
    """The options of a command and what each takes ("" for nothing)."""
    found = {}
    for line in cimdctl("complete", command).out.splitlines():
        if line.startswith("--"):
            name, _, value = line.partition("=")
            found[name] = value
    return found


class Usage(labtest.Case):
    """What is no command line ends with 2 and says why."""

    WRONG: list[tuple[list[str], str]] = [
        ([], "a command is missing"),
        (["frobnicate"], 'there is no command "frobnicate"'),
        (["check"], "a URL is missing"),
        (["check", "a", "b"], '"b" is one argument too many'),
        (["clients", "x"], '"x" is one argument too many'),
        (["show"], "an argument is missing"),
        (["policy", "https://a.example.com/x"], "an argument is missing"),
        (["policy", "tset", "https://a.example.com/x"], "is not"),
        (["clients", "--frob"], "--frob: there is no such option"),
        (["clients", "--document", "x"], "does not go with --document"),
        (["clients", "--limit"], "a value is missing"),
        (["clients", "--limit", "0"], "1 to"),
        (["clients", "--limit", "many"], "1 to"),
        (["clients", "--limit", "-1"], "1 to"),
        (["audit", "--limit", "1001"], "1 to 1000"),
        (["clients", "--json", "--json"], "given twice"),
        (["clients", "-s", "/a", "--socket=/b"], "given twice"),
        (["deny"], "an argument is missing"),
        (["show", "vscode"], "neither an https URL nor the short id"),
        (["show", "http://a.example.com/x"], "neither"),
        (["show", "A" * 42], "neither"),
        (["show", "A" * 42 + "/"], "neither"),
        (["check", "--batch", "-", "https://a.example.com/x"], "no URL"),
        (["check", "--batch", "-", "--document", "x"], "does not go with"),
        (["check", "u", "--document", "a", "--response", "b"], "not both"),
        (["approve", "https://a.example.com/x", "--sha256", "zz"], "64 digits"),
        (["pin", "https://a.example.com/x", "--sha256", "A" * 64], "64 digits"),
        (["help", "frobnicate"], "there is no command"),
    ]

    def test_wrong(self) -> None:
        for args, text in self.WRONG:
            with self.subTest(" ".join(args)):
                done = cimdctl(*args)
                self.assertEqual((done.status, done.out), (2, ""), done)
                self.assertIn(text, done.err)
                self.assertTrue(done.err.startswith("cimdctl: "), done.err)

    def test_options_anywhere(self) -> None:
        for args in (["--json", "version"], ["version", "--json"],
                     ["version", "-j"]):
            self.assertIn("version", cimdctl(*args).json())

    def test_missing_files(self) -> None:
        url = "https://client.example.com/x"
        for option in ("--document", "--response", "--policy"):
            done = cimdctl("check", url, option, "/does/not/exist")
            self.assertEqual((done.status, done.out), (2, ""), done)
            self.assertIn("/does/not/exist: No such file", done.err)
            done = cimdctl("check", url, option, "/")
            self.assertEqual((done.status, done.out), (2, ""), done)
            self.assertIn("directory", done.err)

    def test_bad_policy(self) -> None:
        path = os.path.join(self.folder(), "policy.json")
        for text, part in (("{", "JSON"), ('{"x":1}', "x"),
                           ('{"default":"maybe"}', "default"),
                           ('{"default":"deny","default":"deny"}', "twice")):
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
            for more in (["https://client.example.com/x"], ["--batch", "-"]):
                done = cimdctl("check", "--policy", path, *more)
                self.assertEqual((done.status, done.out), (2, ""), done)
                self.assertIn(path, done.err)


class Help(labtest.Case):
    """One table feeds help, completion and the manual page."""

    def test_every_command(self) -> None:
        listed = cimdctl("help").out
        for command in commands():
            self.assertRegex(listed, rf"(?m)^  {command} ")
            for args in ([command, "--help"], ["help", command],
                         ["-h", command, "--json"]):
                done = cimdctl(*args)
                self.assertEqual((done.status, done.err), (0, ""), args)
                self.assertTrue(done.out.startswith(
                    f"usage: cimdctl {command} "), done.out)
            for option in options_of(command):
                self.assertIn(option, done.out)

    def test_width(self) -> None:
        for args in [["help"]] + [["help", c] for c in commands()]:
            for line in cimdctl(*args).out.splitlines():
                self.assertLessEqual(len(line), 79, line)

    def test_json(self) -> None:
        table = {c["name"]: c for c in cimdctl("help", "-j").json()[
            "commands"]}
        self.assertEqual(set(table), set(commands()) | {"complete"})
        for command in commands():
            self.assertEqual({"--" + o for o in table[command]["options"]},
                             set(options_of(command)))

    def test_without_command(self) -> None:
        self.assertEqual(cimdctl("--help"), cimdctl("help"))
        self.assertEqual(cimdctl("-V"), cimdctl("version"))

    def manual(self) -> tuple[dict[str, set[str]], dict[str, str]]:
        """Commands with their options, and options with their letters."""
        path = os.path.join(labtest.top_src(), "man", "cimdctl.8")
        with open(path, encoding="utf-8") as src:
            text = src.read()
        found: dict[str, set[str]] = {}
        for part in re.split(r"(?m)^\.It Ic ", text)[1:]:
            name, _, rest = part.partition("\n")
            rest = rest.partition("\n.El")[0]
            listed = rest.partition("\nOptions:\n")[2]
            found[name.split()[0]] = set(
                re.findall(r"\.Fl \\(--?[a-z0-9-]+)", listed))
        letters = {}
        for line in re.findall(r"(?m)^\.It Fl (.*)", text):
            match = re.search(r"\\(-[a-z0-9-]+)", line)
            assert match is not None, line
            short = re.match(r"([a-zA-Z]) ,", line)
            letters[match[1]] = short[1] if short else ""
        return found, letters

    def test_manual(self) -> None:
        found, letters = self.manual()
        self.assertEqual(sorted(found), sorted(commands()))
        common = {"--help", "--json"}
        everything = {"--version"}
        for command, listed in found.items():
            options = set(options_of(command)) - common
            everything |= options | common
            self.assertEqual({"-" + o for o in listed}, options, command)
        self.assertEqual({"-" + o for o in letters}, everything)
        for command in commands():
            for line in cimdctl("help", command).out.splitlines():
                match = re.match(r"  (?:-(.),|   ) --([a-z0-9-]+)", line)
                if match:
                    self.assertEqual(match[1] or "", letters["-" + match[2]])

    def test_exit_statuses(self) -> None:
        path = os.path.join(labtest.top_src(), "man", "cimdctl.8")
        with open(path, encoding="utf-8") as src:
            part = src.read().partition(".Sh EXIT STATUS")[2]
        numbers = re.findall(r"(?m)^\.It (\d)$", part.partition(".Sh")[0])
        self.assertEqual(numbers, list("012345"))
        told = re.sub(r"\s+", " ", cimdctl("help").out)
        for number in numbers:
            self.assertRegex(told, rf"[ :,]{number} [a-z]")


class Rules(labtest.Case):
    """No code and no warning is without a rule that "check" prints."""

    # Not of a document, or not of the time before it is stored.
    OTHERS = {"CIMD_E_ASSERTION", "CIMD_E_REPLAY", "CIMD_E_BUSY",
              "CIMD_E_LIMITED", "CIMD_E_NOT_STORED", "CIMD_E_TOO_MANY"}

    @staticmethod
    def names(pattern: str, *path: str) -> set[str]:
        """What in a file of the project matches."""
        with open(os.path.join(labtest.top_src(), *path),
                  encoding="utf-8") as src:
            return set(re.findall(pattern, src.read()))

    def test_codes(self) -> None:
        known = self.names(r"(?m)^\t(CIMD_E_\w+)[,= ]", "common", "cimd.h")
        broken = {"CIMD_E_NO_MEMORY", "CIMD_E_CONFIG", "CIMD_E_STATE",
                  "CIMD_E_STORE", "CIMD_E_REQUEST", "CIMD_E_INTERNAL"}
        self.assertLess(broken | self.OTHERS, known)
        self.assertEqual(
            self.names(r"CIMD_E_\w+", "cimdctl", "check_rules.c"),
            known - broken - self.OTHERS)

    def test_warnings(self) -> None:
        known = self.names(r"(?m)^\t(WARN_\w+)[,= ]", "common", "cimd_int.h")
        self.assertGreater(len(known), 20)
        self.assertEqual(
            self.names(r"WARN_BIT\((\w+)\)", "cimdctl", "check_rules.c"),
            known)


class Completion(labtest.Case):
    """bash, with nothing but our file."""

    def complete(self, line: str) -> list[str]:
        """What bash offers at the end of the line."""
        script = os.path.join(labtest.top_src(), "cimdctl", "cimdctl.bash")
        done = subprocess.run(
            ["bash", "--norc", "-c", 'source "$1"; COMP_LINE=$2; '
             'COMP_POINT=${#2}; _cimdctl; printf "%s\\n" "${COMPREPLY[@]}"',
             "bash", script, line], check=True, capture_output=True,
            text=True, timeout=60,
            env={**os.environ, "PATH": os.path.dirname(program()) + ":"
                 + os.environ["PATH"]})
        self.assertEqual(done.stderr, "")
        return done.stdout.split("\n")[:-1]

    def test_commands(self) -> None:
        self.assertEqual(self.complete("cimdctl "), commands())
        self.assertEqual(self.complete("cimdctl cl"), ["clients"])
        self.assertEqual(self.complete("cimdctl re"), ["refresh", "reload"])
        self.assertEqual(self.complete("cimdctl --json cl"), ["clients"])
        self.assertEqual(self.complete("cimdctl xyz"), [""])

    def test_options(self) -> None:
        self.assertEqual(self.complete("cimdctl check --re"),
                         ["--redirect-uri=", "--response="])
        self.assertEqual(self.complete("cimdctl check --js"), ["--json"])
        self.assertEqual(self.complete("cimdctl clients --doc"), [""])
        for command in commands():
            offered = self.complete(f"cimdctl {command} --")
            self.assertEqual({o.rstrip("=") for o in offered},
                             set(options_of(command)))

    def test_arguments(self) -> None:
        self.assertEqual(self.complete("cimdctl help po"), ["policy"])
        self.assertEqual(self.complete("cimdctl policy t"), ["test"])

    def test_files(self) -> None:
        folder = self.folder()
        path = os.path.join(folder, "document.json")
        with open(path, "w", encoding="utf-8"):
            pass
        for start in ("check --document=", "check -p ", "check --document "):
            with self.subTest(start):
                self.assertEqual(
                    self.complete(f"cimdctl {start}{folder}/doc"), [path])


class NoDaemon(labtest.Case):
    """Where cimdd is not, or something else is."""

    def test_not_there(self) -> None:
        path = os.path.join(self.folder(), "admin.sock")
        for args in ON_DAEMON:
            with self.subTest(" ".join(args)):
                done = cimdctl(*args, "--socket", path)
                self.assertEqual((done.status, done.out), (4, ""), done)
                self.assertIn(f"cannot be reached at {path}: No such file",
                              done.err)

    def test_default_socket(self) -> None:
        path = "/run/cimd/admin.sock"
        if os.path.exists(path):
            self.skipTest(f"{path} is there")
        done = cimdctl("status")
        self.assertEqual(done.status, 4)
        self.assertIn(path, done.err)

    def test_completion_is_quiet(self) -> None:
        done = cimdctl("complete", "show", "-s", "/does/not/exist")
        self.assertEqual((done.status, done.err), (0, ""))


class Output(labtest.Case):
    """Terminals, pipes, full disks, foreign bytes."""

    def document(self, **members: Any) -> list[str]:
        """Arguments that check a document with these members."""
        url = "https://client.example.com/x"
        path = os.path.join(self.folder(), "document.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump({"client_id": url, "client_name": "x",
                       "redirect_uris": ["http://127.0.0.1/cb"],
                       **members}, out)
        return ["check", url, "--document", path]

    def terminal(self, *args: str, **env: str) -> str:
        """What it prints on a terminal."""
        ours, theirs = pty.openpty()
        more = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
        with subprocess.Popen(
                [program(), *args], stdin=subprocess.DEVNULL, stdout=theirs,
                stderr=subprocess.DEVNULL,
                env={**more, "LC_ALL": "C.UTF-8", **env}) as child:
            os.close(theirs)
            text = read_terminal(ours)
            child.wait(60)
        return text

    def test_colour(self) -> None:
        args = self.document()
        self.assertNotIn(ESC, cimdctl(*args).out)
        self.assertIn(ESC + "[32mpass", self.terminal(*args))
        self.assertNotIn(ESC, self.terminal(*args, NO_COLOR="1"))
        self.assertIn(ESC, self.terminal(*args, NO_COLOR=""))
        self.assertNotIn(ESC, self.terminal(*args, "--json"))

    def test_foreign_bytes(self) -> None:
        name = f"A{ESC}[31mB{BIDI}C{ZERO}D\u0007\u0085\tE"
        args = self.document(client_name=name)
        for run in (cimdctl(*args), cimdctl(*args, env={"LC_ALL": "C"})):
            for bad in (ESC, BIDI, ZERO, "\u0007", "\u0085", "\t"):
                self.assertNotIn(bad, run.out)
        done = cimdctl(*self.document(client_uri=f"https://x{ESC}y/"))
        self.assertNotIn(ESC, done.out)

    def test_names_of_the_world(self) -> None:
        args = self.document(client_name="Zürich 東京 é́")
        self.assertIn('"Zürich 東京 é́"', cimdctl(*args).out)
        plain = cimdctl(*args, env={"LC_ALL": "C"}).out
        self.assertIn("Z\\xc3\\xbcrich", plain)
        self.assertTrue(plain.isascii())

    def test_foreign_arguments(self) -> None:
        done = cimdctl(f"x{ESC}y")
        self.assertIn('"x\\x1by"', done.err)

    def test_reader_goes_away(self) -> None:
        line = json.dumps({"url": "https://client.example.com/x"}) + "\n"
        runs = [(["check", "--batch", "-"], line * 5000), (["help"], ""),
                (self.document() + ["--json"], "")]
        for args, text in runs:
            read, write = os.pipe()
            os.close(read)
            with subprocess.Popen([program(), *args], stdin=subprocess.PIPE,
                                  stdout=write, stderr=subprocess.PIPE
                                  ) as child:
                os.close(write)
                _, err = child.communicate(text.encode(), 60)
            self.assertEqual((child.returncode, err), (0, b""), args)

    def test_full_disk(self) -> None:
        for args in (["help"], self.document(), ["version", "--json"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([program(), *args], stdout=full,
                                      stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 5)
            self.assertIn(b"cannot write", done.stderr)


class Captured(labtest.Case):
    """check --document and --response: nothing is fetched."""

    def levels(self, *args: str) -> dict[str, str]:
        """Each rule's level."""
        rules = cimdctl("check", *args, "--json").json()["rules"]
        return {rule["rule"]: rule["level"] for rule in rules}

    def response(self, text: str | bytes) -> str:
        """A file with this response."""
        path = os.path.join(self.folder(), "response")
        with open(path, "wb") as out:
            out.write(text if isinstance(text, bytes) else text.encode())
        return path

    def test_fixtures(self) -> None:
        for name, entry in fixtures().items():
            if "file" not in entry:
                continue
            with self.subTest(name):
                done = cimdctl("check", entry["url"], "--document",
                               fixture_path(entry), "--json")
                good = entry["expect"] in ("accept", "unverified")
                self.assertEqual(done.status, 0 if good else 1, done)
                told = done.json()
                self.assertEqual(told["verdict"],
                                 "accept" if good else "refuse")
                self.assertEqual(told["client_id"], entry["url"])

    def test_document_from_standard_input(self) -> None:
        entry = fixtures()["vscode"]
        with open(fixture_path(entry), "rb") as src:
            done = cimdctl("check", entry["url"], "--document", "-",
                           stdin=src.read())
        self.assertEqual(done.status, 0, done)
        self.assertIn('vscode.dev calls itself "Visual Studio Code"',
                      done.out)
        self.assertIn("accept: unverified by rule default", done.out)

    def test_redirect_uri(self) -> None:
        entry = fixtures()["vscode"]
        args = ["check", entry["url"], "--document", fixture_path(entry),
                "--redirect-uri"]
        good = cimdctl(*args, "http://127.0.0.1:1234/")
        self.assertEqual(good.status, 0)
        self.assertIn("pass  redirect_uri", good.out)
        bad = cimdctl(*args, "http://localhost:1234/", "--json")
        self.assertEqual(bad.status, 1)
        self.assertEqual(bad.json()["verdict"], "accept")
        self.assertIs(bad.json()["redirect_uri_ok"], False)

    def test_every_rule_once(self) -> None:
        entry = fixtures()["chatgpt"]
        found = cimdctl("check", entry["url"], "--document",
                        fixture_path(entry), "--json").json()["rules"]
        names = [rule["rule"] for rule in found]
        self.assertEqual(len(names), len(set(names)))
        for rule in found:
            self.assertTrue(rule["section"])
            self.assertEqual("advice" in rule,
                             rule["level"] in ("warn", "fail"))

    HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

    def test_responses(self) -> None:
        entry = fixtures()["vscode"]
        with open(fixture_path(entry), encoding="utf-8") as src:
            body = src.read()
        good = self.HEAD + "Cache-Control: max-age=3600\r\n\r\n" + body
        hints = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        h2 = good.replace("HTTP/1.1 200 OK", "HTTP/2 200 ")
        table = [
            (good, "accept", None), (good.replace("\r\n", "\n"), "accept",
                                     None),
            (hints + good, "accept", None), (h2, "accept", None),
            (h2.replace("200 ", "200"), "accept", None),
            (good.replace("200 OK", "302 Found"), "refuse", "status"),
            (good.replace("200 OK", "503 No"), "refuse", "status"),
            (good.replace("application/json", "text/html"), "refuse", "type"),
            (self.HEAD + "Content-Encoding: br\r\n\r\n" + body, "refuse",
             "encoding"),
            (self.HEAD + "\r\n" + body + " " * 6000, "refuse", "size"),
            (self.HEAD + "\r\n", "refuse", "json"),
            (self.HEAD, "refuse", "http"), ("", "refuse", "http"),
            (body, "refuse", "http"), ("hello\r\n\r\n", "refuse", "http"),
            (self.HEAD + "X: " + "a" * 17000 + "\r\n\r\n" + body, "refuse",
             "size"),
            (self.HEAD + "a b: c\r\n\r\n" + body, "refuse", "http"),
        ]
        for text, verdict, broken in table:
            with self.subTest(text[:60] + str(broken)):
                path = self.response(text)
                done = cimdctl("check", entry["url"], "--response", path,
                               "--json")
                told = done.json()
                self.assertEqual(told["verdict"], verdict, told)
                failed = [r["rule"] for r in told["rules"]
                          if r["level"] == "fail"]
                self.assertEqual(failed, [broken] if broken else [])

    def test_more_than_one_fault(self) -> None:
        entry = fixtures()["vscode"]
        with open(fixture_path(entry), encoding="utf-8") as src:
            body = src.read().replace("vscode.dev/oauth", "vscode.dev/x")
        path = self.response("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
                             "\r\n" + body)
        levels = self.levels(entry["url"], "--response", path)
        self.assertEqual([r for r, v in levels.items() if v == "fail"],
                         ["type", "client_id"])
        self.assertEqual(levels["redirect_uris"], "pass")
        self.assertEqual(levels["profile"], "skip")

    def test_nothing_passes_behind_a_failure(self) -> None:
        url = "https://client.example.com/x"
        good = {"client_id": url, "client_name": "x",
                "redirect_uris": ["http://127.0.0.1/cb"]}
        key = {"token_endpoint_auth_method": "private_key_jwt"}
        table: list[tuple[str, str, dict[str, str]]] = [
            (url + "#", "", {"url": "fail", "url_path": "skip"}),
            (url, "{", {"size": "pass", "json": "fail", "client_id": "skip",
                        "secrets": "skip", "members": "skip"}),
            (url, json.dumps({**good, "client_secret": "x"}),
             {"client_id": "pass", "secrets": "fail", "members": "skip"}),
            (url, json.dumps({**good, "scope": 7}),
             {"secrets": "pass", "members": "fail", "links": "skip",
              "redirect_uris": "skip", "auth_method": "skip"}),
            (url, json.dumps({**good, **key}),
             {"redirect_uris": "pass", "auth_method": "pass", "keys": "fail",
              "profile": "skip"}),
            (url, json.dumps({**good, "grant_types": ["refresh_token"]}),
             {"methods": "pass", "grants": "fail", "redirects": "skip",
              "scopes": "skip", "approval": "skip"}),
            (url, json.dumps({k: v for k, v in good.items()
                              if k != "client_name"}),
             {"keys": "pass", "profile": "fail", "methods": "skip"}),
        ]
        for asked, body, want in table:
            with self.subTest(body):
                path = self.response(self.HEAD + "\r\n" + body)
                levels = self.levels(asked, "--response", path)
                self.assertEqual({k: levels[k] for k in want}, want)

    def test_dropped_redirects_are_named(self) -> None:
        url = "https://client.example.com/x"
        path = self.response(self.HEAD + "\r\n" + json.dumps({
            "client_id": url, "client_name": "x", "redirect_uris": [
                "https://client.example.com/cb", "http://10.0.0.1/cb",
                "https://*.example.com/\u001b"]}))
        done = cimdctl("check", url, "--response", path)
        self.assertEqual(done.status, 0, done)
        line = re.search(r"(?m)^warn  redirect_uris .*", done.out)
        assert line is not None, done.out
        self.assertIn("http://10.0.0.1/cb is http to a host", line[0])
        self.assertIn("https://*.example.com/\\x1b", line[0])
        self.assertNotIn("client.example.com/cb", line[0])

    def test_caching(self) -> None:
        entry = fixtures()["vscode"]
        with open(fixture_path(entry), encoding="utf-8") as src:
            body = src.read()
        for line, level, text in (
                ("Cache-Control: max-age=3600", "pass", "for 60 min"),
                ("Cache-Control: no-store", "warn", ""),
                ("X: y", "pass", "for 5 min"),
                ("Cache-Control: max-age=1", "pass", "for 60 s"),
                ("Cache-Control: max-age=9999999", "pass", "for 24 h")):
            path = self.response(f"{self.HEAD}{line}\r\n\r\n{body}")
            told = cimdctl("check", entry["url"], "--response", path,
                           "--json").json()
            rule = {r["rule"]: r for r in told["rules"]}["caching"]
            self.assertEqual(rule["level"], level, line)
            self.assertIn(text, rule.get("detail", ""))
            self.assertEqual("no_store" in told["warnings"], level == "warn")

    def test_policy(self) -> None:
        entry = fixtures()["vscode"]
        path = os.path.join(self.folder(), "policy.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump({"default": "deny"}, out)
        levels = self.levels(entry["url"], "--policy", path, "--document",
                             fixture_path(entry))
        self.assertEqual([r for r, v in levels.items() if v == "fail"],
                         ["policy"])
        self.assertEqual(levels["client_id"], "pass")
        self.assertEqual(levels["methods"], "skip")

    def test_exit_status(self) -> None:
        self.assertEqual(cimdctl("check", "my-client").status, 1)
        self.assertEqual(cimdctl("check", "https://u@x.example.com/").status,
                         1)
        path = self.response("HTTP/1.1 503 x\r\n\r\n")
        self.assertEqual(cimdctl("check", "https://x.example.com/y",
                                 "--response", path).status, 3)
