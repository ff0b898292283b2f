#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What ./quickstart shows of cimdd, inside the laboratory (tests/lab/lab.py).

Starts cimdd with a real configuration, asks it about known clients and about
attackers through the lookup socket, prints a table of the answers, then
"cimdctl clients".  Exit status 1 if anything is not as expected.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lab"))

from process import Daemon  # noqa: E402
from unixhttp import Response, UnixHTTP  # noqa: E402

TOP = os.path.abspath(os.path.join(HERE, os.pardir, os.pardir))
BUILD = os.environ["CIMD_BUILD"]
LOOPBACK = os.environ["LAB_MODE"] == "loopback"
MARK = "development_loopback" if LOOPBACK else ""
STRANGER = "https://collector.example.net/callback"


def any_port() -> int:
    """A port as a client's operating system would pick it."""
    return 32768 + secrets.randbelow(28000)


class Client(NamedTuple):
    """A lookup that must be answered."""

    name: str
    redirect: str
    method: str


# Keys behind an address (as on loopback) are not fetched: what is left is
# the other method of the document.
CLIENTS = [
    Client("claude-code", f"http://localhost:{any_port()}/callback", "none"),
    Client("claude", "https://claude.ai/api/mcp/auth_callback", "none"),
    Client("vscode", f"http://127.0.0.1:{any_port()}/", "none"),
    Client("chatgpt", "https://chatgpt.com/connector_platform_oauth_redirect",
           "none" if LOOPBACK else "private_key_jwt"),
    Client("zed", f"http://127.0.0.1:{any_port()}/callback", "none"),
    Client("goose", f"http://localhost:{any_port()}/oauth_callback", "none"),
]


class Attack(NamedTuple):
    """A lookup that must be refused, and how."""

    name: str
    what: str
    codes: tuple[str, ...]


# The copy is admitted by a rule, so that it is the document that fails.
ATTACKS = [
    Attack("lookalike", "its own client_id, but the name \"Claude Code\"",
           ("CIMD_E_POLICY", "CIMD_E_URL") if LOOPBACK
           else ("CIMD_E_POLICY",)),
    Attack("copy-of-claude-code", "Claude Code's document at another host",
           ("CIMD_E_MISMATCH",)),
]

CONFIG = """# What ./quickstart runs.  See cimd.conf(5).
state_dir = "{dir}/state"
lookup_socket = "{dir}/lookup.sock"
admin_socket = "{dir}/admin.sock"
user = "root"
socket_group = "root"

# The certification authority and the name server of the laboratory.
ca_path = "{ca}"
dns_servers = "{dns}"
"""

# On a machine without namespaces the documents have other URLs than in the
# catalog, and only the exact URL of a rule may have an address for a host.
LOOPBACK_CONFIG = """development_loopback = yes
"""
SECTION = """
client "{name}" {{
    match = {{ "{url}" }}
    trust = {trust}{ports}
}}
"""


def section(name: str, url: str, trust: str) -> str:
    """A client section."""
    ports = ""
    if LOOPBACK:
        ports = f"\n    ports = {{ {urlsplit(url).port} }}"
    return SECTION.format(name=name, url=url, trust=trust, ports=ports)


def configuration(folder: str, urls: dict[str, str]) -> str:
    """The text of cimd.conf."""
    text = CONFIG.format(dir=folder, ca=os.environ["LAB_CA_PATH"],
                         dns=os.environ["LAB_DNS"])
    names = [client.name for client in CLIENTS]
    if LOOPBACK:
        text += LOOPBACK_CONFIG
        text += "".join(section(n, urls[n], "trusted") for n in names)
    else:
        allowed = ", ".join(f'"{n}"' for n in names)
        text += "\n# Known clients, by their names in the catalog.\n" \
                f"allow = {{ {allowed} }}\ntrust = trusted\n"
    text += "\n# Somebody was talked into this one.\n"
    return text.rstrip("\n") + section("talked-into",
                                       urls["copy-of-claude-code"],
                                       "unverified")


class Table:
    """Rows of text, in columns that are as wide as they must be."""

    def __init__(self, *head: str) -> None:
        self.rows = [list(head)]

    def add(self, *row: str) -> None:
        """One more row."""
        self.rows.append(list(row))

    def show(self) -> None:
        """Print it, indented."""
        rows = self.rows
        if LOOPBACK:
            rows = [rows[0] + ["exception"]] + [r + [MARK] for r in rows[1:]]
        widths = [max(map(len, column)) for column in zip(*rows)]
        for row in rows:
            cells = [cell.ljust(w) for cell, w in zip(row, widths)]
            print("    " + "  ".join(cells).rstrip())
        print(flush=True)


def urls() -> dict[str, str]:
    """The URL of each document, by its name."""
    with open(os.environ["LAB_SITES"], encoding="utf-8") as src:
        entries = json.load(src)
    return {e["name"]: e["url"] for e in entries}


class Demonstration:
    """One run."""

    def __init__(self) -> None:
        self.folder = os.path.join(os.environ["LAB_DIR"], "cimd")
        os.makedirs(os.path.join(self.folder, "state"))
        self.urls = urls()
        self.wrong: list[str] = []
        self.config = os.path.join(self.folder, "cimd.conf")
        self.socket = os.path.join(self.folder, "lookup.sock")
        self.admin = os.path.join(self.folder, "admin.sock")
        self.daemon = Daemon([os.path.join(BUILD, "cimdd", "cimdd"),
                              "-c", self.config,
                              "-C", os.path.join(TOP, "catalog.d")],
                             self.folder)

    def expect(self, good: bool, what: str) -> str:
        """Note what is wrong; a mark for the table."""
        if good:
            return ""
        self.wrong.append(what)
        return " (!)"

    def start(self) -> None:
        """Write the configuration, start cimdd."""
        with open(self.config, "w", encoding="utf-8") as out:
            out.write(configuration(self.folder, self.urls))
        began = time.monotonic()
        # Who waits for READY=1 is a service manager, and services may not
        # have the exception for development.
        self.daemon.start(ready=self.answers, notify=not LOOPBACK)
        took = time.monotonic() - began
        print(f"    cimdd is ready after {took * 1000:.0f} ms"
              f" ({self.config})\n")

    def answers(self) -> bool:
        """Is there somebody at the lookup socket?"""
        try:
            return UnixHTTP(self.socket).get("/healthz").status == 200
        except OSError:
            return False

    def ask(self, url: str, redirect: str) -> Response:
        """One lookup, as a provider does it."""
        return UnixHTTP(self.socket).lookup(url, redirect_uri=redirect)

    def clients(self) -> None:
        """Those that must be answered."""
        table = Table("client", "decision", "auth method", "redirect_uri",
                      "hosts to show the user")
        for client in CLIENTS:
            answer = self.ask(self.urls[client.name], client.redirect)
            table.add(*self.row(client, answer))
        table.show()

    def row(self, client: Client, answer: Response) -> list[str]:
        """The cells of one client."""
        if answer.status != 200:
            mark = self.expect(False, f"{client.name}: {answer.status}")
            found = answer.json()
            return [client.name, f"{found['code']}{mark}", "", "",
                    found["detail"]]
        found = answer.json()
        decision, display = found["decision"], found["display"]
        good = decision["trust"] == "trusted" and \
            decision["rule"] == client.name
        if LOOPBACK:
            good = good and MARK in decision["warnings"]
        mark = self.expect(good, f"{client.name}: {decision}")
        method = decision["auth_method"]
        method += self.expect(method == client.method,
                              f"{client.name}: {method}")
        right = decision["redirect_uri_ok"]
        redirect = ("ok " if right else "no ") + client.redirect
        redirect += self.expect(right, f"{client.name}: redirect_uri")
        shown = f"{display['client_host']} -> " \
                + ", ".join(display["redirect_hosts"])
        return [client.name,
                f"{decision['trust']} by {decision['rule']}{mark}",
                method, redirect, shown]

    def attacks(self) -> None:
        """Those that must be refused."""
        table = Table("attack", "answer", "why")
        for attack in ATTACKS:
            answer = self.ask(self.urls[attack.name], STRANGER)
            found: dict[str, Any] = answer.json()
            code = found.get("code", "accepted")
            mark = self.expect(
                answer.status == 403 and code in attack.codes,
                f"{attack.name}: {answer.status} {code}")
            table.add(attack.what, f"{answer.status} {code}{mark}",
                      found.get("detail", ""))
        answer = self.ask(self.urls["claude-code"], STRANGER)
        found = answer.json()
        right = answer.status == 200 and \
            found["decision"]["redirect_uri_ok"] is False
        mark = self.expect(right, "claude-code: a stranger's redirect_uri")
        table.add("Claude Code with a redirect_uri of a stranger",
                  f"{answer.status} redirect_uri_ok: "
                  f"{'false' if right else 'true'}{mark}",
                  f"{STRANGER} is not registered")
        table.show()

    def active(self) -> None:
        """What an administrator sees."""
        argv = [os.path.join(BUILD, "cimdctl", "cimdctl"), "clients",
                "--socket", self.admin]
        print("    $ cimdctl clients")
        done = subprocess.run(argv, capture_output=True, text=True,
                              check=False)
        print("".join(f"    {line}\n" for line in
                      (done.stdout + done.stderr).splitlines()), flush=True)
        for client in CLIENTS:
            host = urlsplit(self.urls[client.name]).hostname
            self.expect(str(host) in done.stdout,
                        f"cimdctl clients does not show {client.name}")
        self.expect(done.returncode == 0,
                    f"cimdctl clients: status {done.returncode}")

    def run(self) -> int:
        """All of it; the exit status."""
        self.start()
        try:
            self.clients()
            self.attacks()
            self.active()
        finally:
            status = self.daemon.stop()
        self.expect(status == 0, f"cimdd ended with {status}")
        for line in self.wrong:
            print(f"    unexpected: {line}")
        if self.wrong:
            print("    --- what cimdd said ---\n" + self.daemon.text())
        total = len(CLIENTS) + len(ATTACKS) + 1
        mark = f", all under {MARK}" if LOOPBACK else ""
        print(f"    {total} lookups, {len(self.wrong)} unexpected results"
              f"{mark}", flush=True)
        return 1 if self.wrong else 0


if __name__ == "__main__":
    sys.exit(Demonstration().run())
