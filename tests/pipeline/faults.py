# SPDX-License-Identifier: Apache-2.0
"""cimdd when it is killed, when its disk, its configuration child or its
descriptors fail, and while it is told to reload again and again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from typing import Any, Callable

import labtest
from cimdd import Cimdd, HERE, RULES
from keys import Keys
from trouble import CONSUMER, TroubleCase
from unixhttp import UnixHTTP, connect, read_all

KILLS = 8
AUDIENCE = "https://idp.example.com/"
GONE = (OSError, EOFError)


def build_fault() -> str:
    """The path of fault.so, built once for the laboratory."""
    out = os.path.join(os.environ["LAB_DIR"], "fault.so")
    if not os.path.exists(out):
        subprocess.run([os.environ.get("CC", "cc").split()[0], "-shared",
                        "-fPIC", "-O1", "-D_GNU_SOURCE", "-o", out,
                        os.path.join(HERE, "fault.c")], check=True)
    return out


class FaultCase(TroubleCase):
    """With faults that a test switches on."""

    def faulty(self, rules: str = RULES, **settings: Any) -> Cimdd:
        """A cimdd with fault.c in it, not started yet."""
        cimd = self.prepare(rules, **settings)
        env = cimd.daemon.env
        env["LD_PRELOAD"] = f"{env['LD_PRELOAD']} {build_fault()}"
        env["FAULT_FILE"] = os.path.join(cimd.folder, "fault")
        return cimd


class Killed(FaultCase):
    """kill -9 at any moment: what was acknowledged holds."""

    def setUp(self) -> None:
        super().setUp()
        self.blocked: list[str] = []
        self.approved: list[str] = []
        self.used: list[tuple[str, str]] = []

    def until_killed(self, deed: Callable[[], None]) -> threading.Thread:
        """Do something again and again until nobody answers."""
        def run() -> None:
            try:
                while True:
                    deed()
            except GONE:
                pass
            except Exception as exc:  # pylint: disable=broad-except
                if "http.client" not in type(exc).__module__:
                    raise
        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def deny(self, cimd: Cimdd) -> None:
        """Block a client of its own."""
        url = self.client()
        if cimd.act("deny", url).status == 200:
            self.blocked.append(url)

    def approve(self, cimd: Cimdd) -> None:
        """Fetch a client of its own and approve it."""
        url = self.client()
        if cimd.lookup(url).status == 200 and \
                cimd.act("approve", url).status == 200:
            self.approved.append(url)

    def use(self, cimd: Cimdd, url: str, tokens: list[str]) -> None:
        """Use up one of the assertions."""
        token = tokens.pop() if tokens else ""
        answer = cimd.socket.post("/v1/assertion", {
            "client_id": url, "client_assertion": token})
        if answer.status == 200:
            self.used.append((url, token))

    def check_all(self, cimd: Cimdd) -> None:
        """Not one is lost."""
        for url in self.blocked:
            self.assertFails(cimd.lookup(url), "CIMD_E_BLOCKED")
        for url in self.approved:
            self.assertEqual(cimd.show(url).json()["governance"], "approved")
        for url, token in self.used:
            self.assertFails(cimd.socket.post("/v1/assertion", {
                "client_id": url, "client_assertion": token}),
                "CIMD_E_REPLAY")

    def test_kill(self) -> None:
        cimd = self.prepare(CONSUMER)
        cimd.start()
        keys, url = Keys(self), self.client()
        self.serve(url, document=keys.members())
        cimd.known(url)
        tokens = [keys.assertion(url, AUDIENCE, exp=int(time.time()) + 290)
                  for _ in range(120)]
        for _ in range(KILLS):
            threads = [self.until_killed(deed) for deed in (
                lambda: self.deny(cimd), lambda: self.approve(cimd),
                lambda: self.use(cimd, url, tokens),
                lambda: cimd.known(url))]
            enough = len(self.blocked) + random.randint(2, 20)
            labtest.wait_until(lambda: len(self.blocked) >= enough,
                               what="blocks")
            cimd.daemon.signal(signal.SIGKILL)
            for thread in threads:
                thread.join()
            cimd.crash()
            self.assertNoProblem(cimd)
            self.check_all(cimd)
        self.assertGreater(len(self.blocked), KILLS)
        self.assertGreater(len(self.approved), 0)
        self.assertGreater(len(self.used), 0)


class Disk(FaultCase):
    """It fails while cimdd serves, or was damaged meanwhile."""

    def test_read_only_while_serving(self) -> None:
        cimd = self.faulty()
        cimd.start()
        url, blocked = self.client(), self.client()
        cimd.known(url)
        cimd.act("deny", blocked)
        flag = str(cimd.daemon.env["FAULT_FILE"])
        with open(flag, "wb"):
            pass
        self.nothing_is_promised(cimd, url)
        self.assertProblem(cimd, "input/output error")
        self.serves_on(cimd, url)
        self.assertFails(cimd.lookup(blocked), "CIMD_E_BLOCKED")
        os.unlink(flag)
        labtest.wait_until(lambda: cimd.act("deny", url).status == 200,
                           what="a write that succeeds")
        self.assertNoProblem(cimd)
        cimd.crash()
        for one in (url, blocked):
            self.assertFails(cimd.lookup(one), "CIMD_E_BLOCKED")

    def test_damaged(self) -> None:
        """One page after the other: it says so, and nobody gets past a
        block."""
        cimd = self.prepare()
        cimd.start()
        blocked = [self.client() for _ in range(20)]
        for url in blocked:
            cimd.act("deny", url)
            cimd.known(self.client())
        cimd.stop()
        path = os.path.join(cimd.state, "cimd.db")
        with open(path, "rb") as src:
            whole = src.read()
        for at in range(0, len(whole), 4 * 4096):
            with open(path, "wb") as out:
                out.write(whole[:at] + os.urandom(4096) + whole[at + 4096:])
            self.holds(cimd, blocked)
        with open(path, "wb") as out:
            out.write(whole[:len(whole) // 8192 * 4096])
        self.holds(cimd, blocked)

    def holds(self, cimd: Cimdd, blocked: list[str]) -> None:
        """With a damaged file: it does not start, or says what is wrong and
        lets none of these in."""
        try:
            cimd.start()
        except AssertionError:
            self.assertEqual(cimd.daemon.process().returncode, 3)
            self.assertRegex(cimd.lines("start")[-1]["text"],
                             "cimd.db: .*(another program|damaged)")
            return
        for url in blocked:
            found = cimd.lookup(url)
            self.assertIn(found.json()["code"],
                          ("CIMD_E_BLOCKED", "CIMD_E_STORE"))
        if "store_problem" in cimd.status():
            self.assertFails(cimd.act("deny", blocked[0]), "CIMD_E_STORE")
        cimd.stop()

class Child(FaultCase):
    """The configuration child."""

    def test_reload(self) -> None:
        """However it fails, the old configuration stays, lookups go on, and
        the reason is told."""
        cimd = self.faulty()
        cimd.start()
        url = self.client()
        cimd.known(url)
        for name, text in (("die", "died of signal 6"),
                           ("exit", "ended with status 7"),
                           ("garbage", "printed no JSON"),
                           ("flood", "printed more than 1048576 bytes")):
            with self.subTest(name):
                cimd.configure(f'consumer "x" {{ uid = {{ fault-{name} }} }}')
                self.assertFails(cimd.reload(), "CIMD_E_STATE", text)
                cimd.known(url)
        self.assertEqual([r["name"] for r in cimd.status()["rules"]], ["lab"])
        cimd.configure(RULES)
        self.assertEqual(cimd.reload().status, 200)

    def test_hang(self) -> None:
        """It is ended after ten seconds; meanwhile everybody is served."""
        cimd = self.faulty()
        cimd.start()
        url = self.client()
        cimd.known(url)
        cimd.configure('consumer "x" { uid = { fault-hang } }')
        answers: list[Any] = []
        asker = threading.Thread(target=lambda: answers.append(
            UnixHTTP(cimd.admin.path, timeout=60).post("/v1/reload")))
        asker.start()
        while asker.is_alive():
            cimd.known(url)
            cimd.status()
            asker.join(0.2)
        self.assertFails(answers[0], "CIMD_E_STATE", "it took too long")
        cimd.configure(RULES)
        self.assertEqual(cimd.reload().status, 200)

    def test_start(self) -> None:
        """Nothing is opened."""
        for name, text in (("die", "died of signal 6"),
                           ("garbage", "printed no JSON")):
            cimd = self.faulty(f'consumer "x" {{ uid = {{ fault-{name} }} }}')
            with self.assertRaisesRegex(AssertionError, text):
                cimd.start()
            self.assertEqual(cimd.daemon.process().returncode, 3)
            self.assertFalse(os.path.exists(cimd.path))


class Descriptors(FaultCase):
    """Too few of them, and clients that keep theirs."""

    def limited(self, files: int, timeout: int) -> Cimdd:
        """A running cimdd with so many descriptors, which gives silent
        clients so many seconds."""
        cimd = self.prepare(request_timeout=timeout)
        cimd.daemon.argv[:0] = ["prlimit", f"--nofile={files}:{files}"]
        return cimd.start()

    def silent(self, path: str, count: int) -> list[Any]:
        """Connections that say nothing, or a byte now and then."""
        held = [connect(path) for _ in range(count)]
        for sock in held:
            self.addCleanup(sock.close)
        return held

    def test_few(self) -> None:
        """Fewer connections, and that is said; whoever says nothing loses
        his place in time."""
        cimd = self.limited(512, 12)
        room = int(cimd.daemon.wait_log(r"only allows (\d+) connec")[1])
        url = self.client()
        cimd.known(url)
        held = self.silent(cimd.path, room)
        found = read_all(connect(cimd.path))
        self.assertRegex(found, rb"^HTTP/1.1 503 ")
        self.assertEqual(cimd.status()["state_dir"], cimd.state)
        labtest.wait_until(lambda: self.answers(cimd), what="room again")
        said = [found for found in map(read_all, held) if found]
        # The connection of the lookup before may still have had its place.
        self.assertLessEqual(len(said), 1, said)
        cimd.known(self.client())

    def test_hardly_any(self) -> None:
        """One connection at a time, and it never ends by itself."""
        cimd = self.limited(56, 4)
        cimd.daemon.wait_log("only allows 1 connections")
        for _ in range(3):
            self.wait_fetch(cimd)
            held = self.silent(cimd.admin.path, 40)
            held += self.silent(cimd.path, 40)
            for sock in held:
                try:
                    sock.sendall(b"G")
                except OSError:
                    pass  # turned away
            labtest.wait_until(lambda: self.answers(cimd), what="an answer")
            for sock in held:
                sock.close()
        self.wait_fetch(cimd)
        self.assertTrue(cimd.daemon.alive())

    def wait_fetch(self, cimd: Cimdd) -> None:
        """A new client comes in, once there is room."""
        def known() -> bool:
            try:
                return cimd.lookup(self.client()).status == 200
            except OSError:  # turned away before it had sent all
                return False
        labtest.wait_until(known, what="a fetch")

    @staticmethod
    def answers(cimd: Cimdd) -> bool:
        """Does it serve?"""
        try:
            return cimd.socket.get("/healthz").status == 200
        except Exception:  # pylint: disable=broad-except
            return False


class Storm(FaultCase):
    """SIGHUP after SIGHUP, with good files and bad ones."""

    def test_reloads(self) -> None:
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        done = threading.Event()
        bad: list[int] = []

        def look() -> None:
            while not done.is_set():
                status = cimd.lookup(url).status
                if status != 200:
                    bad.append(status)
        threads = [threading.Thread(target=look) for _ in range(3)]
        for thread in threads:
            thread.start()
        for i in range(60):
            cimd.configure(RULES if i % 3 else RULES + "nonsense = 1\n")
            cimd.daemon.signal(signal.SIGHUP)
            cimd.status()
        done.set()
        for thread in threads:
            thread.join()
        self.assertEqual(bad, [])
        cimd.configure("deny = { \"" + url + "\" }\n" + RULES)
        self.assertEqual(cimd.reload().status, 200)
        self.assertFails(cimd.lookup(url), "CIMD_E_BLOCKED")
        cimd.stop()
