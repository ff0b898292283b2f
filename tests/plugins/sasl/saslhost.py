# SPDX-License-Identifier: Apache-2.0
"""The SASL host of the tests (host.c), driven from Python, with a cimdd
beside it, in the laboratory."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from typing import Any, Iterator, NamedTuple

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, os.pardir, "pipeline"))

from cimdd import Cimdd, RULES, short_id  # noqa: E402
from cimdd import Case as PipelineCase  # noqa: E402
import labtest  # noqa: E402
from keys import Keys  # noqa: E402

__all__ = ["AUDIENCE", "BADAUTH", "BADPROT", "BUFOVER", "CONSUMERS", "Case",
           "Cimdd", "DISABLED", "FAIL", "Host", "Keys",
           "MEMO_SECONDS", "NOMECH", "NOUSER",
           "OK", "Reply", "RULES", "deny",
           "UNAVAIL", "labtest", "plugin", "plugin_folder"]

OK, FAIL, BUFOVER, NOMECH, BADPROT = 0, -1, -3, -4, -5
BADAUTH, DISABLED, NOUSER, UNAVAIL = -13, -19, -20, -24
AUDIENCE = "https://mail.example.com/"
CONSUMERS = RULES + f"""
consumer "mail" {{
    service = {{ "imap", "smtp", "ldap" }}
    audiences = {{ "{AUDIENCE}" }}
}}
"""
SYSTEM = "/usr/lib/x86_64-linux-gnu/sasl2"
MEMO_SECONDS = 2  # so long the plugin knows an answer
PATIENCE_SECONDS = 300.0
LOOKUPS = 'cimdd_connections_total{socket="lookup"}'


def plugin() -> str:
    """The plugin that was built."""
    return os.path.join(labtest.top_build(), "plugins", "sasl", ".libs",
                        "libcimd_sasl.so")


def system_plugins() -> str:
    """Where the machine keeps those of Cyrus SASL."""
    found = subprocess.run(
        ["pkg-config", "--variable=libdir", "libsasl2"], check=False,
        capture_output=True, text=True).stdout.strip()
    return os.path.join(found, "sasl2") if found else SYSTEM


def plugin_folder(case: labtest.Case, *more: str) -> str:
    """A folder with the plugin, and some of the machine's."""
    folder = case.folder()
    os.symlink(plugin(), os.path.join(folder, "libcimd_sasl.so"))
    for name in more:
        os.symlink(os.path.join(system_plugins(), f"lib{name}.so"),
                   os.path.join(folder, f"lib{name}.so"))
    return folder


def deny(cimd: Cimdd, url: str) -> None:
    """An administrator blocks a client."""
    answer = cimd.admin.post(f"/v1/clients/{short_id(url)}/deny",
                             {"client_id": url})
    assert answer.status == 200, answer


class Reply(NamedTuple):
    """What a command of the host says."""

    status: int
    user: str
    props: dict[str, list[str]]
    logs: list[str]
    more: dict[str, str]


def unhex(text: str) -> str:
    """A string as the host writes it."""
    return "" if text == "-" else bytes.fromhex(text).decode(
        "utf-8", "surrogateescape")


def hexed(text: str) -> str:
    """A string as the host reads it."""
    return text.encode("utf-8", "surrogateescape").hex() or "-"


class Host:
    """One process; options are those of its configuration."""

    def __init__(self, case: labtest.Case, plugins: str,
                 options: dict[str, Any], wrapper: list[str] | None = None
                 ) -> None:
        self.case = case
        self.conf = case.folder()
        with open(os.path.join(self.conf, "host.conf"), "w",
                  encoding="utf-8") as out:
            out.writelines(f"{name}: {value}\n"
                           for name, value in options.items())
        program = os.path.join(labtest.top_build(), "tests", "plugins",
                               "sasl", "host")
        env = {**os.environ, "SASL_PATH": plugins,
               "SASL_CONF_PATH": self.conf}
        self.errors = os.path.join(self.conf, "stderr")
        with open(self.errors, "wb") as err:
            self.child = subprocess.Popen(
                [*(wrapper or []), program], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=err, env=env)
        case.addCleanup(self.kill)
        self.started: list[str] = []

    def kill(self) -> None:
        """It must not outlive its test."""
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        for end in (self.child.stdin, self.child.stdout):
            assert end is not None
            end.close()

    def finish(self) -> int:
        """Let it end by itself; its status."""
        assert self.child.stdin is not None
        self.child.stdin.close()
        return self.child.wait(60)

    def said(self) -> str:
        """What it wrote to standard error."""
        with open(self.errors, encoding="utf-8", errors="replace") as src:
            return src.read()

    def call(self, word: str, *args: str) -> Reply:
        """One command and its answer; a host that hangs is killed."""
        watch = threading.Timer(PATIENCE_SECONDS, self.child.kill)
        watch.start()
        try:
            return self.exchange(word, *args)
        finally:
            watch.cancel()

    def exchange(self, word: str, *args: str) -> Reply:
        """The same without a limit."""
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        line = " ".join([word, *map(hexed, args)]) + "\n"
        self.child.stdin.write(line.encode())
        self.child.stdin.flush()
        status, user = -999, ""
        props: dict[str, list[str]] = {}
        logs: list[str] = []
        more: dict[str, str] = {}
        for raw in self.child.stdout:
            words = raw.decode().rstrip("\n").split(" ")
            if words == ["."]:
                return Reply(status, user, props, logs, more)
            if words[0] == "status":
                status = int(words[1])
            elif words[0] == "user":
                user = unhex(words[1])
            elif words[0] == "prop":
                props[words[1]] = [unhex(w) for w in words[2:]]
            elif words[0] == "log":
                logs.append(unhex(words[2]))
            else:
                more[words[0]] = unhex(words[1])
        raise AssertionError(f"host ended: {self.said()}")

    def new(self, service: str = "imap", realm: str = "",
            *props: str) -> Reply:
        """A new connection."""
        return self.call("new", service, realm, *props)

    def exists(self, user: str) -> Reply:
        """sasl_user_exists() on it."""
        return self.call("exists", user)

    def plain(self, user: str, password: str, authzid: str = "") -> Reply:
        """A whole login with PLAIN."""
        return self.call("plain", authzid, user, password)


class Case(PipelineCase):
    """A client with keys, a cimdd with both sockets, and hosts."""

    def setUp(self) -> None:
        super().setUp()
        if not os.path.exists(plugin()):
            self.skipTest("configured without the SASL plugin")
        self.keys = Keys(self)
        self.url = self.client()
        self.serve(self.url, document=self.keys.members())

    def with_mux(self, rules: str = CONSUMERS, **settings: Any) -> Cimdd:
        """A running cimdd with both sockets."""
        one = Cimdd(self, rules, mux_group="root")
        self.mux = os.path.join(one.folder, "mux")
        one.configure(rules, mux_socket=self.mux, **settings)
        self.addCleanup(one.check)
        return one.start()

    def options(self, cimd: Cimdd, **more: Any) -> dict[str, Any]:
        """The configuration of a host with everything."""
        found = {"pwcheck_method": "saslauthd",
                 "saslauthd_path": os.path.join(cimd.folder, "mux"),
                 "auxprop_plugin": "cimd", "canon_user_plugin": "cimd",
                 "cimd_socket": cimd.path, "mech_list": "PLAIN",
                 "cimd_timeout": 30000, **more}
        return {k: v for k, v in found.items() if v is not None}

    def host(self, cimd: Cimdd, *plugins: str, **options: Any) -> Host:
        """A host with them."""
        return Host(self, plugin_folder(self, "plain", *plugins),
                    self.options(cimd, **options))

    def token(self, audience: str = AUDIENCE, **claims: Any) -> str:
        """A good client assertion."""
        return self.keys.assertion(self.url, audience, **claims)

    def lookups(self, cimd: Cimdd) -> int:
        """How many connections the lookup socket has had."""
        text = cimd.admin.get("/metrics").body.decode()
        line, = [line for line in text.splitlines()
                 if line.startswith(LOOKUPS + " ")]
        return int(line.rpartition(" ")[2])

    @contextlib.contextmanager
    def one_lookup(self, cimd: Cimdd) -> Iterator[None]:
        """What happens within asks cimdd once, whatever libsasl2 asks; and
        again only after as long as an answer is known."""
        before, start = self.lookups(cimd), time.monotonic()
        yield
        more = int((time.monotonic() - start) / MEMO_SECONDS)
        asked = self.lookups(cimd) - before
        self.assertGreaterEqual(asked, 1)
        self.assertLessEqual(asked, 1 + more)
