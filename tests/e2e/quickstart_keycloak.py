#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What ./quickstart shows of Keycloak, inside the laboratory.

A stock Keycloak with the bridge, a realm that is set up over the admin REST
API as the console would, a real MCP server, and real MCP clients with a user
in front of a headless browser.  Prints each step with its time, a table at
the end, and with QUICKSTART_KEEP=1 stays until it is interrupted.  Exit
status 1 if anything is not as expected.

QUICKSTART_PORTS names the ports of Keycloak and the MCP server.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "keycloak"))

import keycloak  # noqa: E402
from agents import Agents, Server  # noqa: E402
from process import Daemon  # noqa: E402
from quickstart import BUILD, CONFIG, TOP, Table, urls  # noqa: E402

REALM = "mcp"
DECIDES = """
# Keycloak asks; what its console allows is allowed.  See cimd.conf(5).
consumer "keycloak" {
    uid = { "root" }
    delegate = yes
}
"""


class Visit(NamedTuple):
    """A client that comes to the MCP server."""

    name: str
    who: str
    redirect: str
    end: str  # "tool", or a part of what the user reads
    key: str = ""


VISITS = [
    Visit("claude-code", "Claude Code", "http://localhost/callback", "tool"),
    Visit("vscode", "VS Code", "http://127.0.0.1/", "tool"),
    Visit("chatgpt", "ChatGPT",
          "https://chatgpt.com/connector_platform_oauth_redirect", "tool",
          "lab-chatgpt-1"),
    Visit("copy-of-claude-code", "an attacker with a copy of Claude's",
          "http://localhost/callback", "not allowed"),
]
SHOWN = {
    "login": "login page, user and password",
    "consent": "consent page, Yes",
}


class Clock:
    """Lines with the time since the last one."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def say(self, what: str, more: str = "") -> None:
        """One line."""
        now = time.monotonic()
        print(f"    {now - self.last:7.2f} s  {what:10} {more}".rstrip(),
              flush=True)
        self.last = now


class Show:
    """One run."""

    def __init__(self) -> None:
        self.folder = os.path.join(os.environ["LAB_DIR"], "keycloak")
        os.makedirs(os.path.join(self.folder, "state"))
        self.urls = urls()
        self.ports = [int(p) for p in
                      os.environ.get("QUICKSTART_PORTS", "0 0").split()]
        self.config = os.path.join(self.folder, "cimd.conf")
        self.daemon = Daemon([os.path.join(BUILD, "cimdd", "cimdd"),
                              "-c", self.config,
                              "-C", os.path.join(TOP, "catalog.d")],
                             self.folder)
        socket = os.path.join(self.folder, "lookup.sock")
        self.kc = keycloak.Keycloak(
            keycloak.newest(), self.folder,
            [os.path.join(BUILD, "keycloak-bridge", "cimd-keycloak.jar")],
            [f"--spi-client-storage-cimd-socket={socket}"],
            port=self.ports[0])
        self.agents = Agents(self.folder)
        self.server: Server | None = None
        self.table = Table("client", "client_id at", "the user read", "end",
                           "seconds")
        self.wrong: list[str] = []

    def start(self) -> str:
        """Everything that a site has; the URL of its MCP server."""
        clock = Clock()
        with open(self.config, "w", encoding="utf-8") as out:
            out.write(CONFIG.format(dir=self.folder,
                                    ca=os.environ["LAB_CA_PATH"],
                                    dns=os.environ["LAB_DNS"]) + DECIDES)
        self.daemon.start(notify=True)
        clock.say("cimdd", "is ready")
        self.kc.start()
        clock.say("Keycloak", f"{self.kc.version} is ready, with the bridge "
                  "in providers/ and one option")
        self.kc.admin.realm(REALM)
        clock.say("realm", f"\"{REALM}\" with the user {keycloak.USER}")
        self.server = self.agents.server(self.kc.realm_url(REALM),
                                         self.ports[1])
        clock.say("MCP server", self.server.url)
        self.kc.admin.switch_on(REALM, {
            "clients": [v.name for v in VISITS if v.end == "tool"],
            "audiences": [self.server.url]})
        clock.say("console", "client policies: profile with executor cimd, "
                  "and a policy")
        print(flush=True)
        return self.server.url

    def visit(self, one: Visit, server: str) -> None:
        """One client, from its first request to its last."""
        url = self.urls[one.name]
        print(f"    {one.who}: client_id {url}")
        more = {}
        if one.key:
            more = {"kid": one.key, "key": os.path.join(
                os.environ["LAB_DIR"], "keys", "chatgpt-jwks.pem")}
        clock = Clock()
        began = clock.last
        step: dict[str, Any] = {"step": "nothing"}
        found = 0
        shown = "-"
        try:
            for step in self.agents.client(server, url, one.redirect, **more):
                found += step["step"] == "http"
                if step["step"] == "consent":
                    shown = self.consent(step["page"])
                self.tell(clock, step, found)
        except AssertionError as exc:
            step = {"step": "failed", "text": str(exc)}
        end = step["step"] if one.end == "tool" else step.get("text", "")
        good = one.end in end
        if not good:
            self.wrong.append(f"{one.who}: {step}")
        if one.end != "tool":
            shown = step.get("text", "")
        self.table.add(one.who, str(urlsplit(url).hostname), shown,
                       ("served" if one.end == "tool" else "refused")
                       + ("" if good else " (!)"),
                       f"{time.monotonic() - began:.1f}")
        print(flush=True)

    @staticmethod
    def consent(page: str) -> str:
        """The sentence of the consent page that names the client."""
        return page.partition("Do you grant")[0].partition(
            "Grant Access to ")[2].strip() or page[:60]

    @staticmethod
    def tell(clock: Clock, step: dict[str, Any], requests: int) -> None:
        """A line for a step that somebody wants to see."""
        name = step["step"]
        if name == "authorize":
            clock.say("discovery", f"{requests} requests: 401, the resource's"
                      " metadata, the realm's")
        elif name in SHOWN:
            clock.say(name, SHOWN[name])
        elif name == "callback":
            clock.say(name, step["url"])
        elif name == "token":
            clock.say(name, f"for {step['aud']}")
        elif name == "tool":
            clock.say(name, f"answers \"{step['text']}\"")
        elif name == "refused":
            clock.say(name, f"\"{step['text']}\"")

    def after(self, rows: int) -> None:
        """What it looks like to the administrators."""
        self.table.show()
        now = self.kc.admin.client_rows(REALM)
        if now != rows:
            self.wrong.append(f"{now} registered clients, not {rows}")
        print(f"    clients in Keycloak's database: {rows} before, {now}"
              " after\n")
        print("    $ cimdctl clients")
        done = subprocess.run(
            [os.path.join(BUILD, "cimdctl", "cimdctl"), "clients",
             "--socket", os.path.join(self.folder, "admin.sock")],
            capture_output=True, text=True, check=False)
        print("".join(f"    {line}\n" for line in
                      (done.stdout + done.stderr).splitlines()), flush=True)
        for line in self.wrong:
            print(f"    unexpected: {line}")

    def keep(self) -> None:
        """Stay, and let somebody outside of the laboratory look."""
        relays = []
        for name, port in (("web", self.kc.port), ("mcp", self.ports[1])):
            relays.append(subprocess.Popen([
                sys.executable, "-B",
                os.path.join(TOP, "tests", "lab", "relay.py"),
                os.path.join(self.folder, name), str(port)]))
        assert self.server is not None
        console = f"{self.kc.base}/admin/master/console/#/{REALM}"
        print(f"    Keycloak's console   {console}"
              f"\n    its administrator    {keycloak.ADMIN} / "
              f"{keycloak.PASSWORD}"
              f"\n    user of the realm    {keycloak.USER} / "
              f"{keycloak.USER_PASSWORD}"
              f"\n    MCP server           {self.server.url}"
              "\n    Claude Code or VS Code on this machine can use it, too."
              "\n    Running until you press Ctrl-C.", flush=True)
        try:
            while True:
                signal.pause()
        except KeyboardInterrupt:
            print(flush=True)
        for relay in relays:
            relay.terminate()
            relay.wait()

    def run(self) -> int:
        """All of it; the exit status."""
        try:
            server = self.start()
            rows = self.kc.admin.client_rows(REALM)
            for one in VISITS:
                self.visit(one, server)
            self.after(rows)
            if os.environ.get("QUICKSTART_KEEP") == "1":
                self.keep()
        finally:
            if self.server is not None:
                self.server.stop()
            self.kc.stop()
            self.daemon.stop()
        return 1 if self.wrong else 0


def interrupt(_number: int, _frame: object) -> None:
    """A service manager's word, or run-tests', is as good as Ctrl-C."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, interrupt)
    try:
        sys.exit(Show().run())
    except KeyboardInterrupt:
        sys.exit(130)
