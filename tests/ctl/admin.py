# SPDX-License-Identifier: Apache-2.0
"""The commands that talk to cimdd, with a real one and real documents."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import urlsafe_b64encode
from typing import Any

import labtest
from ctl import Done, cimdctl, program

CATALOG = os.path.join(labtest.top_src(), "catalog.d")
CONF = """default = deny
state_dir = "{dir}/state"
lookup_socket = "{dir}/lookup.sock"
admin_socket = "{dir}/admin.sock"
user = "root"
socket_group = "root"
ca_path = "{ca}"
fetch_rate_host = 6000
"""


def short_id(client_id: str) -> str:
    """The short id of a client."""
    digest = hashlib.sha256(client_id.encode()).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")


class Base(labtest.Case):
    """A daemon with an empty conf.d."""

    more = ""

    def setUp(self) -> None:
        self.lab = labtest.lab()
        self.dir = self.folder()
        self.conf_d = os.path.join(self.dir, "conf.d")
        self.config = os.path.join(self.dir, "cimd.conf")
        self.admin = os.path.join(self.dir, "admin.sock")
        os.mkdir(os.path.join(self.dir, "state"))
        self.write(CONF.format(dir=self.dir, ca=self.lab.ca_path) + self.more)
        self.cimdd = self.daemon([program("cimdd"), "-c", self.config, "-C",
                                  CATALOG], folder=self.dir)
        self.cimdd.start(notify=True)
        self.vscode = self.lab.client_id("vscode")
        self.lookups = labtest.UnixHTTP(os.path.join(self.dir, "lookup.sock"))

    def write(self, text: str) -> None:
        """The configuration."""
        with open(self.config, "w", encoding="utf-8") as out:
            out.write(text)

    def ctl(self, *args: str) -> Done:
        """Run a command over the admin socket."""
        return cimdctl(*args, "--socket", self.admin)

    def allow(self, *args: str) -> Done:
        """Run allow or deny with our configuration."""
        return self.ctl(*args, "--config", self.config, "--catalog", CATALOG,
                        "--cimdd", program("cimdd"))

    def good(self, *args: str) -> str:
        """Run a command that must work; its output."""
        done = self.ctl(*args)
        self.assertEqual((done.status, done.err), (0, ""), done)
        return done.out

    def told(self, *args: str) -> Any:
        """The same with --json."""
        return json.loads(self.good(*args, "--json"))

    def lookup(self, client_id: str, **more: str) -> tuple[int, str]:
        """Status and code of a lookup."""
        got = self.lookups.lookup(client_id, **more)
        return got.status, str(got.json().get("code", ""))


class Govern(Base):
    """From "allow" to "deny" and back."""

    def setUp(self) -> None:
        super().setUp()
        self.assertEqual(self.allow("allow", "vscode").status, 0)

    def test_allow(self) -> None:
        url = self.lab.client_id("zed")
        self.assertEqual(self.lookup(url), (403, "CIMD_E_POLICY"))
        done = self.allow("allow", "zed")
        self.assertEqual((done.status, done.err), (0, ""), done)
        self.assertNotIn("does not run", done.out)
        self.assertEqual(self.lookup(url)[0], 200)
        told = self.allow("allow", "zed", "--json").json()
        self.assertIs(told["reloaded"], True)

    def test_allow_url(self) -> None:
        url = self.lab.client_id("goose")
        self.assertEqual(self.allow("allow", url).status, 0)
        self.assertEqual(self.lookup(url)[0], 200)
        test = self.told("policy", "test", url)
        self.assertIs(test["admitted"], True)
        self.assertIn("conf.d/", test["rules"][0]["where"])

    def test_refused_reload(self) -> None:
        """The daemon reads another file than the one that was tried."""
        other = os.path.join(self.dir, "other.conf")
        with open(other, "w", encoding="utf-8") as out:
            out.write("default = deny\n")
        good = CONF.format(dir=self.dir, ca=self.lab.ca_path)
        self.write("default = nobody\n")
        url = self.lab.client_id("goose")
        before = os.listdir(self.conf_d)
        done = self.ctl("allow", url, "--config", other, "--conf-dir",
                        self.conf_d, "--catalog", CATALOG, "--cimdd",
                        program("cimdd"))
        self.assertEqual((done.status, done.out), (1, ""), done)
        self.assertIn("taken back", done.err)
        self.assertIn("default", done.err)
        self.assertEqual(os.listdir(self.conf_d), before)
        self.write(good)
        self.assertEqual(self.good("reload"), "reloaded\n")
        self.assertEqual(self.lookup(url), (403, "CIMD_E_POLICY"))

    def test_refused_reload_restores(self) -> None:
        """What stood there before comes back."""
        url = self.lab.client_id("goose")
        self.assertEqual(self.allow("allow", url).status, 0)
        name = [n for n in os.listdir(self.conf_d) if "goose" in n][0]
        path = os.path.join(self.conf_d, name)
        with open(path, encoding="utf-8") as src:
            before = src.read()
        other = os.path.join(self.dir, "other.conf")
        with open(other, "w", encoding="utf-8") as out:
            out.write("default = deny\n")
        self.write("default = nobody\n")
        done = self.ctl("deny", url, "--config", other, "--conf-dir",
                        self.conf_d, "--catalog", CATALOG, "--cimdd",
                        program("cimdd"))
        self.assertEqual(done.status, 1, done)
        with open(path, encoding="utf-8") as src:
            self.assertEqual(src.read(), before)

    def test_deny(self) -> None:
        self.assertEqual(self.lookup(self.vscode)[0], 200)
        out = self.good("deny", self.vscode, "--reason", "a test")
        self.assertTrue(out.startswith(f"blocked {self.vscode}"), out)
        for purpose in ("authorize", "token", "display"):
            self.assertEqual(self.lookup(self.vscode, purpose=purpose),
                             (403, "CIMD_E_BLOCKED"))
        self.assertEqual(self.told("show", self.vscode)["governance"],
                         "blocked")
        done = self.allow("allow", "vscode")
        self.assertEqual(done.status, 0)
        self.assertIn("still blocked", done.err)
        out = self.good("approve", self.vscode)
        self.assertTrue(out.startswith("approved "), out)
        self.assertEqual(self.lookup(self.vscode)[0], 200)

    def test_deny_unknown(self) -> None:
        self.allow("allow", "https://many-clients.example.net/c/*")
        url = "https://many-clients.example.net/c/never-seen"
        self.assertEqual(self.told("deny", url)["governance"], "blocked")
        self.assertEqual(self.lookup(url), (403, "CIMD_E_BLOCKED"))
        self.assertTrue(self.good("unblock", url).startswith("unblocked "))
        self.assertEqual(self.lookup(url)[0], 200)

    def test_unblock(self) -> None:
        self.lookup(self.vscode)
        done = self.ctl("unblock", self.vscode)
        self.assertEqual((done.status, done.out), (1, ""), done)
        self.assertIn("no administrator blocked", done.err)
        self.good("deny", self.vscode)
        self.good("unblock", self.vscode)
        self.assertEqual(self.lookup(self.vscode)[0], 200)
        self.assertEqual(self.told("show", self.vscode)["governance"], "none")

    def test_deny_by_short_id(self) -> None:
        self.lookup(self.vscode)
        self.good("deny", short_id(self.vscode))
        self.assertEqual(self.lookup(self.vscode), (403, "CIMD_E_BLOCKED"))

    def test_deny_by_name(self) -> None:
        self.assertEqual(self.lookup(self.vscode)[0], 200)
        done = self.ctl("deny", "vscode", "--catalog", CATALOG, "--cimdd",
                        program("cimdd"), "--config", self.config)
        self.assertEqual((done.status, done.err), (0, ""), done)
        self.assertEqual(self.lookup(self.vscode), (403, "CIMD_E_BLOCKED"))
        self.assertEqual(self.allow("allow", "vscode").err, "")
        self.assertEqual(self.lookup(self.vscode)[0], 200)
        done = self.allow("deny", "no-such-name")
        self.assertEqual((done.status, done.out), (1, ""), done)
        self.assertIn("nor in the catalog", done.err)

    def test_deny_with_config(self) -> None:
        self.assertEqual(self.lookup(self.vscode)[0], 200)
        done = self.allow("deny", self.vscode)
        self.assertEqual(done.status, 0, done)
        self.assertEqual(self.lookup(self.vscode), (403, "CIMD_E_BLOCKED"))
        self.assertEqual(self.told("show", self.vscode)["governance"], "none")

    def test_forget(self) -> None:
        self.lookup(self.vscode)
        self.assertTrue(self.good("forget", self.vscode).startswith("forgot"))
        done = self.ctl("show", self.vscode)
        self.assertEqual((done.status, done.out), (1, ""), done)
        self.assertIn("nothing was stored", self.good("forget", self.vscode))

    def test_refresh(self) -> None:
        self.assertTrue(self.good("refresh", self.vscode).startswith(
            f"fetched {self.vscode} (document "))
        self.assertEqual(self.ctl("refresh", "https://other.example.net/x"
                                  ).status, 1)
        self.allow("allow", "https://refused.example.net/x")
        done = self.ctl("refresh", "https://refused.example.net/x")
        self.assertEqual(done.status, 3, done)
        self.assertIn("CIMD_E_CONNECT", done.err)

    def test_nothing_to_approve(self) -> None:
        for verb in ("approve", "pin", "diff"):
            done = self.ctl(verb, "https://never.example.net/seen")
            self.assertEqual((done.status, done.out), (1, ""), done)
            self.assertIn("CIMD_E_NOT_STORED", done.err)


class Changes(Base):
    """A document that changes while an administrator looks."""

    more = "update = approve\n"

    def setUp(self) -> None:
        super().setUp()
        self.assertEqual(self.allow("allow", "vscode").status, 0)
        self.addCleanup(self.lab.serve_file, "vscode", "vscode.json")
        self.assertEqual(self.lookup(self.vscode)[0], 200)

    def serve(self, **members: Any) -> None:
        """Change the document and let cimdd see it."""
        folder = os.path.join(labtest.top_src(), "tests", "fixtures",
                              "documents")
        with open(os.path.join(folder, "vscode.json"),
                  encoding="utf-8") as src:
            self.lab.serve("vscode", json.dumps({**json.load(src),
                                                 **members}))
        self.good("refresh", self.vscode)

    def test_diff(self) -> None:
        self.assertIn("has not changed", self.good("diff", self.vscode))
        self.serve(client_name="Evil \u202e Studio",
                   redirect_uris=["http://127.0.0.1:33418/",
                                  "https://vscode.dev/other"])
        out = self.good("show", self.vscode)
        self.assertRegex(out, r"(?m)^update waits +yes; see cimdctl diff$")
        self.assertRegex(out, r"(?m)^first seen by +this machine's rules: "
                         r"[0-9a-f]{64}, update waits$")
        out = self.good("diff", self.vscode)
        self.assertNotIn("\u202e", out)
        lines = out.splitlines()
        self.assertTrue(lines[0].startswith("--- first "), out)
        self.assertTrue(lines[1].startswith("+++ now"), out)
        self.assertIn("-https://vscode.dev/redirect", lines)
        self.assertIn("+https://vscode.dev/other", lines)
        self.assertIn("@@ redirect_uris @@", lines)
        self.assertNotIn("-http://127.0.0.1:33418/", lines)
        self.assertEqual(self.told("diff", self.vscode)["severity"],
                         "redirect_uris")
        command = lines[-1].split()
        self.assertEqual(command[:2], ["cimdctl", "approve"])
        self.good(*command[1:])
        self.assertIn("has not changed", self.good("diff", self.vscode))
        self.assertNotIn("first seen by", self.good("show", self.vscode))
        self.serve(client_name="Other")
        self.assertIn("--- approved", self.good("diff", self.vscode))

    def test_approval_of_another_document(self) -> None:
        self.serve(client_name="First")
        command = self.good("diff", self.vscode).splitlines()[-1].split()
        self.serve(client_name="Second")
        done = self.ctl(*command[1:])
        self.assertEqual((done.status, done.out), (1, ""), done)
        self.assertIn("changed since", done.err)
        self.assertIs(self.told("show", self.vscode)["update_waits"], True)

    def test_pin(self) -> None:
        self.assertTrue(self.good("pin", self.vscode).startswith("pinned "))
        self.serve(client_name="Other")
        told = self.told("show", self.vscode)
        self.assertEqual(told["governance"], "pinned")
        self.assertNotEqual(told["live"]["document_sha256"],
                            told["approved"]["document_sha256"])
        got = self.lookups.lookup(self.vscode).json()
        self.assertEqual(got["client"]["client_name"], "Visual Studio Code")


class Pending(Base):
    """Nobody comes in before an administrator has looked."""

    more = "default = pending\n"

    def write(self, text: str) -> None:
        super().write(text.replace("default = deny\n", "", 1))

    def test_approve(self) -> None:
        self.assertEqual(self.lookup(self.vscode), (403, "CIMD_E_PENDING"))
        rows = self.told("clients")["clients"]
        self.assertEqual([(r["client_id"], r["trust"]) for r in rows],
                         [(self.vscode, "pending")])
        self.assertIn("pending", self.good("clients"))
        self.good("approve", self.vscode)
        self.assertEqual(self.lookup(self.vscode)[0], 200)


class Watch(Base):
    """Commands that only look."""

    def setUp(self) -> None:
        super().setUp()
        self.assertEqual(self.allow("allow", "vscode").status, 0)

    def test_nobody_yet(self) -> None:
        self.assertEqual(self.good("clients"), "no client was seen yet\n")
        self.assertEqual(self.told("clients"), {"clients": []})

    def test_clients(self) -> None:
        self.allow("allow", "zed")
        for _ in range(3):
            self.lookup(self.vscode)
        self.lookup(self.lab.client_id("zed"))
        rows = {r["client_id"]: r for r in self.told("clients")["clients"]}
        self.assertEqual(set(rows), {self.vscode, self.lab.client_id("zed")})
        self.assertEqual(rows[self.vscode]["lookups"], 3)
        lines = self.good("clients").splitlines()
        heads = lines[0].split("  ")
        self.assertEqual(heads[0], "LAST SEEN")
        at = lines[0].index("HOST")
        self.assertEqual(sorted(line[at:].split()[0] for line in lines[1:]),
                         ["vscode.dev", "zed.dev"])
        self.assertIn("unverified", lines[1])
        self.assertIn("fresh", lines[1])
        one = self.good("clients", "--contains", "zed").splitlines()
        self.assertEqual(len(one), 2)
        self.assertEqual(len(self.good("clients", "-n", "1").splitlines()), 2)
        self.assertEqual(self.good("clients", "--contains", "x?&limit=7%"),
                         "no client matches\n")

    def test_many_clients(self) -> None:
        self.allow("allow", "https://many-clients.example.net/c/*")
        for n in range(130):
            self.assertEqual(self.lookup(
                f"https://many-clients.example.net/c/n{n}")[0], 200)
        self.assertEqual(len(self.told("clients")["clients"]), 100)
        rows = self.told("clients", "--all")["clients"]
        self.assertEqual(len({r["client_id"] for r in rows}), 130)
        self.assertEqual(len(self.told("clients", "--limit", "120")
                             ["clients"]), 120)

    def test_show(self) -> None:
        self.lookup(self.vscode)
        for name in (self.vscode, short_id(self.vscode)):
            out = self.good("show", name)
            self.assertRegex(out, rf"(?m)^client +{self.vscode}$")
            self.assertRegex(out, r"(?m)^host +vscode\.dev$")
            self.assertRegex(out, r"(?m)^name +Visual Studio Code$")
            self.assertRegex(out, r"(?m)^trust +unverified$")
            self.assertRegex(out, r"(?m)^rule +vscode$")
            self.assertRegex(out, r"(?m)^fetched +20\d\d-.*\)$")
            self.assertRegex(out, r"(?m)^redirect URIs +http://127\.0\.0\.1")
        told = self.told("show", self.vscode)
        self.assertEqual(told["short"], short_id(self.vscode))
        self.assertEqual(self.ctl("show", "A" * 43).status, 1)
        failed = self.ctl("show", "A" * 43, "--json")
        self.assertEqual(failed.json()["code"], "CIMD_E_NOT_STORED")
        self.assertIn('short id "' + "A" * 43, failed.err)
        self.assertNotIn("client_id", failed.json())

    def test_show_unknown(self) -> None:
        """What was asked for is named, not what became of it."""
        url = "https://never.example.net/seen"
        failed = self.ctl("show", url)
        self.assertEqual((failed.status, failed.out), (1, ""))
        self.assertEqual(failed.err, "cimdctl: nothing is stored about "
                         f"{url} (CIMD_E_NOT_STORED)\n")
        failed = self.ctl("show", url, "--json")
        self.assertEqual(failed.json()["client_id"], url)
        self.assertIn(url, failed.json()["detail"])

    def test_policy_test(self) -> None:
        out = self.good("policy", "test", self.vscode)
        self.assertRegex(out, r"(?m)^policy +admits it$")
        self.assertRegex(out, r"(?m)^rule +vscode$")
        self.assertRegex(out, r'because of +client "vscode" at '
                         r"/\S*conf\.d/vscode\.conf:\d+")
        done = self.ctl("policy", "test", "https://other.example.net/x")
        self.assertEqual((done.status, done.err), (1, ""))
        self.assertRegex(done.out, r"(?m)^code +CIMD_E_POLICY$")
        redirect = ["policy", "test", self.vscode, "--redirect-uri"]
        self.assertIn("not judged", self.good(*redirect, "http://x/"))
        self.lookup(self.vscode)
        self.assertIn("registered and allowed",
                      self.good(*redirect, "http://127.0.0.1:1/"))
        done = self.ctl(*redirect, "http://localhost:1/")
        self.assertEqual(done.status, 1)
        self.assertIn("not registered", done.out)
        done = self.ctl("policy", "test", self.vscode, "--consumer", "nobody")
        self.assertEqual(done.status, 1)

    def test_status(self) -> None:
        out = self.good("status")
        self.assertRegex(out, r"(?m)^cimdd +\d+\.\d+\.\d+$")
        self.assertRegex(out, r"(?m)^rules +vscode: unverified, live "
                         r"\(/\S*conf\.d/vscode\.conf:\d+\)$")
        self.assertRegex(out, r"(?m)^store +can be written$")
        self.assertEqual(self.told("status")["rules"][0]["name"], "vscode")

    def test_reload(self) -> None:
        self.assertEqual(self.good("reload"), "reloaded\n")
        with open(os.path.join(self.conf_d, "bad.conf"), "w",
                  encoding="utf-8") as out:
            out.write('client "x" {\n\tmatch = 7\n')
        done = self.ctl("reload")
        self.assertEqual((done.status, done.out), (1, ""), done)
        self.assertIn("bad.conf", done.err)
        self.assertEqual(self.lookup(self.vscode)[0], 200)

    def test_audit(self) -> None:
        self.assertEqual(self.good("audit"), "nothing was audited yet\n")
        self.lookup(self.vscode)
        self.good("deny", self.vscode, "--reason", "a \u001b[31mtest")
        self.ctl("approve", "https://other.example.net/x")
        out = self.good("audit")
        self.assertRegex(out, r"(?m)^20\d\d-\S+ .*deny +root +CIMD_OK +"
                         rf"{self.vscode} +a \\x1b\[31mtest$")
        self.assertRegex(out, r"(?m)^20\d\d-\S+ .*approve +root +"
                         r"CIMD_E_NOT_STORED +https://other\.example\.net/x")
        self.assertEqual([line["uid"] for line in self.told("audit")["lines"]],
                         [0, 0])
        self.assertEqual(len(self.good("audit", "-n", "1").splitlines()), 1)
        self.assertEqual(len(self.told("audit", "-n", "1")["lines"]), 1)

    def test_metrics(self) -> None:
        self.lookup(self.vscode)
        out = self.good("metrics")
        self.assertTrue(out.startswith("# HELP "), out[:80])
        self.assertTrue(out.endswith("\n"))
        self.assertRegex(out, r"(?m)^cimd_\w+(\{[^}]*\})? \d+")
        self.assertTrue(self.told("metrics")["metrics"].startswith("# HELP "))

    def test_completion(self) -> None:
        self.lookup(self.vscode)
        for command in ("show", "deny", "diff", "policy"):
            done = self.ctl("complete", command)
            self.assertIn(self.vscode, done.out.splitlines())

    def test_daemon_ends(self) -> None:
        self.cimdd.stop()
        self.assertEqual(self.ctl("status").status, 4)
