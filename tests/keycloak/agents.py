# SPDX-License-Identifier: Apache-2.0
"""An MCP server, MCP clients and a user with a browser, around one realm.

    agents = Agents(folder)
    server = agents.server(issuer)         # a real MCP server; server.url
    for step in agents.client(server.url, CLIENT_ID, REDIRECT_URI):
        print(step["step"], step["ms"])    # "login", "consent", ... "tool"

They are programs of the official MCP TypeScript SDK, see e2e/, with Debian's
Chromium.  modules.sh must have run where the internet is.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from typing import Any, Iterator

from keycloak import USER, USER_PASSWORD

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 400.0  # for all steps of one program
PROGRAMS = ("browser.mjs", "client.mjs", "console.mjs", "server.mjs")


def modules() -> str:
    """The folder node_modules; obtained if it is not there yet."""
    done = subprocess.run([os.path.join(HERE, "modules.sh")],
                          stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError("the npm modules are not to be had")
    return done.stdout.strip()


@contextlib.contextmanager
def limited(child: subprocess.Popen[str]) -> Iterator[None]:
    """It is killed if it takes too long, or if somebody loses interest."""
    watch = threading.Timer(SECONDS, child.kill)
    watch.start()
    try:
        yield
    finally:
        watch.cancel()
        if child.poll() is None:
            child.kill()


class Server:
    """A running MCP server."""

    def __init__(self, argv: list[str]) -> None:
        self.child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        assert self.child.stdout is not None
        watch = threading.Timer(SECONDS, self.child.kill)
        watch.start()
        line = self.child.stdout.readline()
        watch.cancel()
        if not line:
            self.stop()
            raise AssertionError("the MCP server did not start")
        self.url = str(json.loads(line)["url"])

    def stop(self) -> None:
        """End it."""
        self.child.terminate()
        try:
            self.child.wait(30)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        assert self.child.stdout is not None
        self.child.stdout.close()


class Agents:
    """Programs for Node.js, in a folder of their own."""

    def __init__(self, folder: str) -> None:
        self.folder = os.path.join(folder, "agents")
        os.makedirs(self.folder)
        os.symlink(modules(), os.path.join(self.folder, "node_modules"))
        for name in PROGRAMS:
            if os.path.exists(os.path.join(HERE, "e2e", name)):
                shutil.copy(os.path.join(HERE, "e2e", name), self.folder)

    def argv(self, program: str, *words: str) -> list[str]:
        """The command of one program."""
        return ["node", os.path.join(self.folder, program), *words]

    def server(self, issuer: str, port: int = 0) -> Server:
        """A new MCP server that trusts this issuer; at any port if 0."""
        return Server(self.argv("server.mjs", issuer, str(port)))

    def client(self, server: str, client_id: str, redirect: str,
               **more: Any) -> Iterator[dict[str, Any]]:
        """One client from its first request to the tool's answer; what it
        does, step by step.  The last step is "tool" or "refused"."""
        options = {"server": server, "client": client_id,
                   "redirect": redirect, "user": {
                       "name": USER, "password": USER_PASSWORD}} | more
        with tempfile.TemporaryFile("w+") as errors, subprocess.Popen(
                self.argv("client.mjs", json.dumps(options)), text=True,
                stdout=subprocess.PIPE, stderr=errors) as child:
            assert child.stdout
            with limited(child):
                for line in child.stdout:
                    yield json.loads(line)
                child.wait()
            errors.seek(0)
            said = errors.read()
        if child.returncode != 0:
            raise AssertionError(f"the client ended: {said[-3000:]}")
