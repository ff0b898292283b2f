# SPDX-License-Identifier: Apache-2.0
"""cimdd under test in the laboratory: configuration, sockets, clock, counts.

    class Purposes(cimdd.Case):
        def test_display_never_fetches(self):
            url = self.client()                 # a document of its own
            cimd = self.start()                 # with RULES
            answer = cimd.lookup(url, purpose="display")
            self.assertFails(answer, "CIMD_E_NOT_STORED")
            self.assertFetched(url, 0)

Cimdd.later() moves the clocks of the daemon (shift.c).  Where a test would
have to be quicker than a limit of the product, because it holds a fetch under
way or counts what a second may spend, Cimdd.hold() lets no time pass but so.
"""

from __future__ import annotations

import base64
import hashlib
import json
import mmap
import os
import secrets
import signal
import struct
import subprocess
import sys
import time
from typing import Any
from urllib.parse import urlsplit

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "lab"))

import labtest  # noqa: E402
from unixhttp import Response, UnixHTTP  # noqa: E402

# Two segments below any host of the hostile server; one administrator's
# rule, so that what it admits is kept.
RULES = """
client "lab" {
    match = { "https://good.hostile.example.net/*/*" }
    trust = trusted
}
"""
SANITIZER = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
             "WARNING: ThreadSanitizer", "runtime error: ")


def build_shift() -> str:
    """The path of shift.so, built once for the laboratory."""
    out = os.path.join(os.environ["LAB_DIR"], "shift.so")
    if not os.path.exists(out):
        subprocess.run([os.environ.get("CC", "cc").split()[0], "-shared",
                        "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", out,
                        os.path.join(HERE, "shift.c")], check=True)
    return out


class Clock:
    """The clocks of one daemon, see shift.c."""

    def __init__(self, folder: str) -> None:
        self.path = os.path.join(folder, "clock")
        with open(self.path, "wb") as out:
            out.write(bytes(mmap.PAGESIZE))
        with open(self.path, "r+b") as both:
            self.map = mmap.mmap(both.fileno(), mmap.PAGESIZE)

    def environment(self) -> dict[str, str | None]:
        """What makes a program live by this clock."""
        return {"LD_PRELOAD": build_shift(), "SHIFT_FILE": self.path}

    def later(self, seconds: int) -> None:
        """Let time pass; backwards only the time of day can go."""
        for at in (0, 8) if seconds > 0 else (0,):
            now, = struct.unpack_from("=q", self.map, at)
            struct.pack_into("=q", self.map, at, now + seconds)

    def hold(self) -> None:
        """Let durations stand still, and no fetch time out."""
        now = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        struct.pack_into("=q", self.map, 16, now + 1000000)  # not back

    def shift(self) -> int:
        """How much has passed in this way."""
        return int(struct.unpack_from("=q", self.map, 0)[0])


def program() -> str:
    """The cimdd that was built."""
    return os.path.join(labtest.top_build(), "cimdd", "cimdd")


def sanitizer() -> str:
    """"asan", "tsan" or "": what the library was built with."""
    library = os.path.join(labtest.top_build(), "common", ".libs",
                           "libcimd.so")
    names = subprocess.run(["nm", "-D", library], capture_output=True,
                           text=True, check=True).stdout
    return next((kind for kind in ("asan", "tsan")
                 if f"__{kind}_" in names), "")


class Cimdd:
    """One cimdd with a folder of its own."""

    def __init__(self, case: labtest.Case, rules: str = RULES,
                 **settings: Any) -> None:
        self.case = case
        self.folder = case.folder()
        self.state = os.path.join(self.folder, "state")
        os.mkdir(self.state)
        self.conf = os.path.join(self.folder, "cimd.conf")
        self.clock = Clock(self.folder)
        self.settings = self.defaults() | settings
        self.configure(rules)
        env = self.clock.environment() | sanitizer_environment()
        self.daemon = case.daemon([program(), "-c", self.conf],
                                  folder=self.folder, env=env)
        path = os.path.join(self.folder, "lookup.sock")
        self.path = path
        self.socket = UnixHTTP(path)
        self.admin = UnixHTTP(os.path.join(self.folder, "admin.sock"))

    def defaults(self) -> dict[str, Any]:
        """Settings that every test needs; budgets so large that only tests
        of budgets meet them."""
        lab = labtest.lab()
        return {
            "state_dir": self.state, "ca_path": lab.ca_path,
            "dns_servers": lab.resolver, "user": "root",
            "socket_group": "root",
            "lookup_socket": os.path.join(self.folder, "lookup.sock"),
            "admin_socket": os.path.join(self.folder, "admin.sock"),
            "fetch_rate": 100000, "fetch_rate_host": 100000,
            "request_timeout": 60,
        }

    def configure(self, rules: str, **settings: Any) -> None:
        """Write cimd.conf; a running daemon does not notice by itself."""
        self.settings |= settings
        lines = [f"{name} = {literal(value)}"
                 for name, value in self.settings.items()]
        with open(self.conf, "w", encoding="utf-8") as out:
            out.write("\n".join(lines) + "\n" + rules)

    def start(self) -> "Cimdd":
        """Start it (again); returns once it is ready."""
        self.daemon.start(notify=True, seconds=60)
        notify = self.daemon.notify
        assert notify is not None
        notify.close()  # nobody would read what a reload tells
        self.daemon.notify = None
        return self

    def stop(self) -> None:
        """End it cleanly; it must have nothing to complain about."""
        status = self.daemon.stop(60)
        self.check()
        self.case.assertEqual(status, 0, self.daemon.text()[-4000:])

    def restart(self) -> None:
        """Stop, start."""
        self.stop()
        self.start()

    def crash(self) -> None:
        """kill -9, start."""
        self.daemon.signal(signal.SIGKILL)
        self.daemon.wait()
        self.daemon.kill()
        self.start()

    def check(self) -> None:
        """No sanitizer has found anything."""
        said = [line for line in self.daemon.text().splitlines()
                if not line.startswith("{")]
        found = any(word in line for line in said for word in SANITIZER)
        self.case.assertFalse(found, "\n".join(said[:200]))

    def reload(self) -> Response:
        """POST /v1/reload."""
        return self.admin.post("/v1/reload")

    def later(self, seconds: int) -> None:
        """Let time pass for the daemon."""
        self.clock.later(seconds)

    def hold(self) -> "Cimdd":
        """From now on no time passes but by later(): neither deadlines nor
        waits nor budgets move."""
        self.clock.hold()
        return self

    def lookup(self, url: str, **parameters: str) -> Response:
        """GET /v1/client."""
        return self.socket.lookup(url, **parameters)

    def known(self, url: str, **parameters: str) -> dict[str, Any]:
        """The answer to a lookup that must succeed."""
        answer = self.lookup(url, **parameters)
        self.case.assertEqual(answer.status, 200, answer.body.decode())
        found: dict[str, Any] = answer.json()
        return found

    def ask(self, **members: Any) -> Response:
        """POST /v1/client."""
        return self.socket.post("/v1/client", members)

    def act(self, what: str, url: str, **members: Any) -> Response:
        """POST /v1/clients/SHORT/WHAT."""
        return self.admin.post(f"/v1/clients/{short_id(url)}/{what}",
                               {"client_id": url, **members})

    def show(self, url: str) -> Response:
        """GET /v1/clients/SHORT."""
        return self.admin.get(f"/v1/clients/{short_id(url)}")

    def rows(self, **query: str) -> list[dict[str, Any]]:
        """GET /v1/clients as an administrator."""
        target = "/v1/clients" + "".join(
            f"{'&' if i else '?'}{k}={v}"
            for i, (k, v) in enumerate(query.items()))
        answer = self.admin.get(target)
        self.case.assertEqual(answer.status, 200, answer.body.decode())
        found: list[dict[str, Any]] = answer.json()["clients"]
        return found

    def status(self) -> dict[str, Any]:
        """GET /v1/status."""
        found: dict[str, Any] = self.admin.get("/v1/status").json()
        return found

    def lines(self, event: str, url: str | None = None
              ) -> list[dict[str, Any]]:
        """Audit lines of an event, about one client or all."""
        return [line for line in self.daemon.records()
                if line.get("event") == event
                and url in (None, line.get("client_id"))]

    def wait_line(self, event: str, url: str) -> dict[str, Any]:
        """The first audit line of an event, as soon as it is there."""
        return labtest.wait_until(
            lambda: self.lines(event, url), what=f"a line {event}")[0]


def sanitizer_environment() -> dict[str, str | None]:
    """shift.so comes before the runtime, which is all right; libraries that
    are not instrumented need a word of explanation."""
    wanted = {"ASAN_OPTIONS": "verify_asan_link_order=0",
              "TSAN_OPTIONS": "suppressions="
                              + os.path.join(HERE, "tsan.supp")}
    return {name: ":".join(filter(None, [os.environ.get(name), value]))
            for name, value in wanted.items()}


def literal(value: Any) -> str:
    """A value as cimd.conf has it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return "{ " + ", ".join(literal(v) for v in value) + " }"
    return json.dumps(value)


def short_id(url: str) -> str:
    """The short id of a client."""
    digest = hashlib.sha256(url.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Case(labtest.Case):
    """A case with the hostile server at hand."""

    def setUp(self) -> None:
        self.hostile = labtest.lab().hostile
        self.hostile.call("reset")

    def start(self, rules: str = RULES, **settings: Any) -> Cimdd:
        """A running cimdd; checked and killed afterwards."""
        one = Cimdd(self, rules, **settings)
        self.addCleanup(one.check)
        return one.start()

    def client(self, label: str = "good", do: str = "good") -> str:
        """The URL of a document of its own."""
        return labtest.lab().url(f"/{do}/{secrets.token_hex(6)}", label)

    def serve(self, url: str, **spec: Any) -> None:
        """What the server does with a URL from now on (hostile.py)."""
        parts = urlsplit(url)
        self.hostile.call("set", path=parts.path, host=parts.netloc, **spec)

    def fetches(self, url: str) -> int:
        """How often the server was asked for a URL."""
        return int(self.hostile.call("counts").get(url, 0))

    def wait_fetches(self, url: str, count: int) -> None:
        """Wait until the server was asked so often."""
        parts = urlsplit(url)
        self.assertTrue(self.hostile.call(
            "wait", path=parts.path, host=parts.netloc, count=count,
            seconds=25), f"{url}: not asked {count} times")

    def assertFetched(self, url: str, count: int) -> None:
        """The server was asked exactly so often for a URL."""
        self.assertEqual(self.fetches(url), count, url)

    def assertFails(self, answer: Response, code: str,
                    text: str = "") -> dict[str, Any]:
        """A problem document (RFC 9457) with this code; returns it."""
        self.assertNotEqual(answer.status, 200, answer.body.decode())
        self.assertEqual(answer.headers["content-type"],
                         "application/problem+json")
        found: dict[str, Any] = answer.json()
        self.assertEqual(found["code"], code, found)
        self.assertEqual(found["status"], answer.status)
        self.assertIn(text, found["detail"])
        return found
