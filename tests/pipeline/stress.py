#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""64 clients beside reloads, administrators and refreshes, for a while.

Meant for a cimdd that was built with a sanitizer (CIMD_BUILD); it must end
cleanly and without a report.  STRESS_SECONDS says for how long (60), and
STRESS_SANITIZER which sanitizer must be in the program, so that nobody
believes a run without one.
"""

from __future__ import annotations

import collections
import os
import random
import threading
import time
from typing import Any, Callable

import cimdd
import labtest
from keys import Keys
from unixhttp import UnixHTTP

CLIENTS = 64
SECONDS = float(os.environ.get("STRESS_SECONDS", "60"))
WANTED = os.environ.get("STRESS_SANITIZER", "")
HOSTS = ("good", "h1", "h2", "h3", "h4", "h5")
AUDIENCE = "https://idp.example.com/"
RULES = """
client "kept" {
    match = { "https://good.hostile.example.net/*/*" }
    trust = trusted
    update = %s
}
consumer "me" {
    uid = { 0 }
    delegate = %s
    audiences = { "https://idp.example.com/" }
}
default = unverified
"""
# What is served, besides good documents.
KINDS = ("good", "etag", "last-modified", "404", "503", "302", "mismatch",
         "wrong/truncated", "type/none", "hang-up", "delay/300", "reset")


class Counts:
    """What happened, by kind and outcome; for any thread."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.table: collections.Counter[str] = collections.Counter()

    def add(self, what: str) -> None:
        """One more."""
        with self.lock:
            self.table[what] += 1

    def total(self, prefix: str) -> int:
        """All that begin like this."""
        with self.lock:
            return sum(n for name, n in self.table.items()
                       if name.startswith(prefix))


class Stress(cimdd.Case):
    """Everything at once."""

    def test_everything_at_once(self) -> None:
        if WANTED:
            self.assertEqual(cimdd.sanitizer(), WANTED)
        self.counts = Counts()
        self.errors: list[str] = []
        self.stop = threading.Event()
        self.cimd = self.start(RULES % ("live", "no"), max_unverified=100)
        self.keys = Keys(self)
        self.urls = [labtest.lab().url(f"/good/{n}", host)
                     for n in range(8) for host in HOSTS]
        threads = [self.thread(self.look_up, n) for n in range(CLIENTS)]
        threads += [self.thread(role, n) for n, role in enumerate((
            self.reload, self.administer, self.administer, self.watch,
            self.change_documents, self.let_time_pass))]
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and not self.errors:
            self.assertTrue(self.cimd.daemon.alive(),
                            self.cimd.daemon.text()[-4000:])
            self.stop.wait(0.2)
        self.stop.set()
        for thread in threads:
            thread.join(60)
        self.assertEqual(self.errors, [])
        self.cimd.stop()
        self.report()

    def thread(self, role: Callable[[random.Random], None], seed: int
               ) -> threading.Thread:
        """A thread that plays a role until the end."""
        def play() -> None:
            chance = random.Random(seed)
            while not self.stop.is_set():
                try:
                    role(chance)
                except (OSError, AssertionError, ValueError) as exc:
                    self.errors.append(f"{role.__name__}: {exc!r}")
                    return
        one = threading.Thread(target=play, daemon=True)
        one.start()
        return one

    def look_up(self, chance: random.Random) -> None:
        """A provider: some lookups on one connection."""
        with UnixHTTP(self.cimd.path, timeout=60) as client:
            for _ in range(chance.randrange(1, 30)):
                if self.stop.is_set():
                    return
                self.one_lookup(client, chance)

    def one_lookup(self, client: UnixHTTP, chance: random.Random) -> None:
        """Of a client that is known, or of one of many strangers."""
        url = chance.choice(self.urls)
        kind = chance.random()
        if kind < 0.1:
            number = chance.randrange(1000)
            url = f"https://many-clients.example.net/c/{number}"
        members: dict[str, Any] = {
            "client_id": url, "redirect_uri": "http://127.0.0.1/callback",
            "purpose": chance.choice(("authorize", "token", "display"))}
        if kind < 0.3:
            members["policy"] = {"default": "unverified", "deny": [
                f"https://x{chance.randrange(40)}.example.net/a"]}
        if kind > 0.95:
            members["client_assertion"] = "a.b.c"
        what = "assertion" if kind > 0.95 else "client"
        members.pop("purpose" if kind > 0.95 else "", None)
        answer = client.post(f"/v1/{what}", members)
        self.counts.add(f"lookup {answer.status}")
        assert answer.status in (200, 403, 503), answer.body

    def administer(self, chance: random.Random) -> None:
        """One deed."""
        what = chance.choice(("approve", "deny", "pin", "refresh", "forget",
                              "diff"))
        url = chance.choice(self.urls)
        answer = self.cimd.act(what, url)
        self.counts.add(f"deed {what} {answer.status}")
        assert answer.status in (200, 403, 503), answer.body
        if what == "deny":  # and lifted again: blocked clients rest
            self.serve(url, do="good")
            for what in ("refresh", "approve"):
                self.cimd.act(what, url)

    def watch(self, chance: random.Random) -> None:
        """Everything that can be read."""
        target = chance.choice(("/v1/clients?limit=1000", "/v1/status",
                                "/v1/audit?n=1000", "/metrics", "/healthz",
                                "/v1/metadata"))
        answer = self.cimd.admin.get(target)
        self.counts.add(f"watch {answer.status}")
        assert answer.status == 200, answer.body

    def reload(self, chance: random.Random) -> None:
        """A good configuration, or a bad one."""
        bad = chance.random() < 0.3
        self.cimd.configure("nonsense\n" if bad else RULES % (
            chance.choice(("live", "pinned", "approve")),
            chance.choice(("yes", "no"))))
        answer = self.cimd.reload()
        self.counts.add(f"reload {answer.status}")
        assert answer.status == (500 if bad else 200), answer.body

    def change_documents(self, chance: random.Random) -> None:
        """What the world publishes changes."""
        spec: dict[str, Any] = {"do": chance.choice(KINDS)}
        if chance.random() < 0.5:
            spec["document"] = chance.choice((
                self.keys.members(), {"client_name": "Other"},
                {"redirect_uris": ["https://good.hostile.example.net/more"]}))
        self.serve(chance.choice(self.urls), **spec)
        self.counts.add("document")
        self.stop.wait(0.02)

    def let_time_pass(self, _chance: random.Random) -> None:
        """Records become old; who failed may try again."""
        self.cimd.later(90)
        self.counts.add("step of the clock")
        self.stop.wait(0.5)

    def report(self) -> None:
        """What it was; a run in which nothing happened proves nothing."""
        for name, count in sorted(self.counts.table.items()):
            print(f"    {count:8} {name}")
        fetched = sum(self.hostile.call("counts").values())
        print(f"    {fetched:8} requests at the hostile server", flush=True)
        for what, least in (("lookup 200", 100), ("lookup 4", 10),
                            ("deed ", 20), ("reload 200", 2),
                            ("reload 500", 1)):
            self.assertGreaterEqual(self.counts.total(what), least, what)


if __name__ == "__main__":
    labtest.main(["--sites", os.path.join(labtest.top_src(), "tests",
                                          "fixtures", "documents"),
                  "--hostile", "--trap", "--dns", "faults"])
