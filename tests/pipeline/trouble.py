# SPDX-License-Identifier: Apache-2.0
"""When the disk is full, read-only, damaged, newer, or somebody else's."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from typing import Any

import labtest
from cimdd import Case, Cimdd, RULES
from keys import Keys

CONSUMER = RULES + """
consumer "me" {
    uid = { 0 }
    audiences = { "https://idp.example.com/" }
}
"""
FILLER = "filler"


class TroubleCase(Case):
    """State directories of all kinds."""

    def prepare(self, rules: str = RULES, **settings: Any) -> Cimdd:
        """A cimdd that is not started yet."""
        one = Cimdd(self, rules, **settings)
        self.addCleanup(one.check)
        return one

    def mount(self, cimd: Cimdd, size: str) -> None:
        """A small disk for its state."""
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700",
                        "state", cimd.state], check=True)
        self.addCleanup(lambda: subprocess.run(
            ["umount", "-l", cimd.state], check=False))

    def remount(self, cimd: Cimdd, how: str) -> None:
        """Make that disk read-only, or writable again."""
        subprocess.run(["mount", "-o", f"remount,{how}", cimd.state],
                       check=True)

    def fill(self, cimd: Cimdd) -> None:
        """Leave not one byte on that disk."""
        with open(os.path.join(cimd.state, FILLER), "ab",
                  buffering=0) as out:
            for block in (65536, 4096):
                try:
                    while True:
                        out.write(bytes(block))
                except OSError:
                    pass

    def empty(self, cimd: Cimdd) -> None:
        """Make room again."""
        os.unlink(os.path.join(cimd.state, FILLER))

    def database(self, cimd: Cimdd) -> sqlite3.Connection:
        """Its file; the daemon must be down."""
        return sqlite3.connect(os.path.join(cimd.state, "cimd.db"),
                               isolation_level=None)

    def assertProblem(self, cimd: Cimdd, text: str) -> None:
        """It says what is wrong, to whom it may."""
        self.assertRegex(cimd.status().get("store_problem", ""), text)
        self.assertEqual(cimd.socket.get("/healthz").json(),
                         {"status": "degraded"})
        found = cimd.admin.get("/healthz").json()
        self.assertEqual(found["status"], "degraded")
        self.assertRegex(found["store_problem"], text)
        metrics = cimd.socket.get("/metrics").body.decode()
        self.assertIn("\ncimd_store_degraded 1\n", metrics)
        labtest.wait_until(lambda: self.told(cimd)["level"] == "error",
                           what="a line about the store")
        self.assertRegex(self.told(cimd)["text"], text)

    @staticmethod
    def told(cimd: Cimdd) -> dict[str, Any]:
        """The last log line about the store as a whole."""
        lines = [line for line in cimd.lines("store")
                 if "client_id" not in line]
        return lines[-1] if lines else {"level": ""}

    def assertNoProblem(self, cimd: Cimdd) -> None:
        """All is well."""
        self.assertNotIn("store_problem", cimd.status())
        self.assertEqual(cimd.socket.get("/healthz").json(),
                         {"status": "ok"})

    def serves_on(self, cimd: Cimdd, known: str) -> None:
        """Old clients, new ones, withdrawals: in memory if need be."""
        for purpose in ("authorize", "token", "display"):
            self.assertEqual(
                cimd.known(known, purpose=purpose)["source"]["state"],
                "fresh")
        new = self.client()
        cimd.known(new)
        cimd.known(new, purpose="display")
        self.assertFetched(new, 1)
        self.serve(new, do="410")
        self.assertFails(cimd.act("refresh", new), "CIMD_E_GONE")
        self.assertFails(cimd.lookup(new, purpose="display"),
                         "CIMD_E_NOT_STORED")

    def nothing_is_promised(self, cimd: Cimdd, url: str) -> None:
        """What could not be made durable is not acknowledged."""
        for what in ("deny", "approve", "pin", "forget"):
            self.assertFails(cimd.act(what, url), "CIMD_E_STORE")


class FullDisk(TroubleCase):
    """Stop writing, say so, keep serving, come back by itself."""

    def test_full(self) -> None:
        cimd = self.prepare(CONSUMER)
        self.mount(cimd, "4m")
        cimd.start()
        keys = Keys(self)
        url = self.client()
        self.serve(url, document=keys.members())
        cimd.known(url)
        blocked = self.client()
        cimd.act("deny", blocked)
        self.fill(cimd)
        self.nothing_is_promised(cimd, url)
        self.assertProblem(cimd, "full")
        self.serves_on(cimd, url)
        self.assertFails(cimd.lookup(blocked), "CIMD_E_BLOCKED")
        answer = cimd.socket.post("/v1/assertion", {
            "client_id": url, "client_assertion":
                keys.assertion(url, "https://idp.example.com/")})
        self.assertFails(answer, "CIMD_E_STORE")
        self.assertEqual(answer.status, 500)

    def test_room_again(self) -> None:
        cimd = self.prepare()
        self.mount(cimd, "4m")
        cimd.start()
        url = self.client()
        cimd.known(url)
        self.fill(cimd)
        self.nothing_is_promised(cimd, url)
        self.assertProblem(cimd, "full")
        self.empty(cimd)
        cimd.later(120)
        labtest.wait_until(
            lambda: cimd.act("deny", url).status == 200,
            what="a write that succeeds")
        self.assertNoProblem(cimd)
        labtest.wait_until(lambda: self.told(cimd)["level"] == "notice",
                           what="a line that all is well")
        cimd.crash()
        self.assertFails(cimd.lookup(url), "CIMD_E_BLOCKED")
        self.assertNoProblem(cimd)

    def test_full_at_the_start(self) -> None:
        cimd = self.prepare()
        self.mount(cimd, "4m")
        cimd.start()
        url = self.client()
        cimd.known(url)
        cimd.stop()
        self.fill(cimd)
        cimd.start()
        cimd.known(url, purpose="display")
        self.serves_on(cimd, url)
        self.nothing_is_promised(cimd, url)
        self.assertProblem(cimd, "full")


class ReadOnly(TroubleCase):
    """What is there is read; nothing is written."""

    def test_read_only(self) -> None:
        cimd = self.prepare()
        self.mount(cimd, "8m")
        cimd.start()
        url, blocked = self.client(), self.client()
        cimd.known(url)
        cimd.act("deny", blocked)
        cimd.stop()
        self.remount(cimd, "ro")
        cimd.start()
        self.assertProblem(cimd, "read-only")
        self.serves_on(cimd, url)
        self.assertFails(cimd.lookup(blocked), "CIMD_E_BLOCKED")
        self.nothing_is_promised(cimd, url)
        cimd.stop()
        self.remount(cimd, "rw")
        cimd.start()
        self.assertNoProblem(cimd)
        self.assertFetched(url, 1)

    def test_newer_schema(self) -> None:
        cimd = self.prepare()
        cimd.start()
        url, blocked = self.client(), self.client()
        cimd.known(url)
        cimd.act("deny", blocked)
        cimd.stop()
        base = self.database(cimd)
        schema, = base.execute("PRAGMA user_version").fetchone()
        base.execute("PRAGMA user_version = 9000")
        base.close()
        before = self.bytes_of(cimd)
        cimd.start()
        self.assertProblem(cimd, "9000")
        self.serves_on(cimd, url)
        self.assertFails(cimd.lookup(blocked), "CIMD_E_BLOCKED")
        self.nothing_is_promised(cimd, url)
        cimd.stop()
        self.assertEqual(self.bytes_of(cimd), before, "not one byte")
        base = self.database(cimd)
        base.execute(f"PRAGMA user_version = {schema}")
        base.close()
        cimd.start()
        self.assertNoProblem(cimd)
        self.assertFetched(url, 1)

    @staticmethod
    def bytes_of(cimd: Cimdd) -> bytes:
        """The whole file."""
        with open(os.path.join(cimd.state, "cimd.db"), "rb") as src:
            return src.read()


class OtherTrouble(TroubleCase):
    """It does not start, or starts with what is left."""

    def fails_to_start(self, cimd: Cimdd, text: str) -> None:
        """Status 3 and one clear line."""
        with self.assertRaises(AssertionError):
            cimd.start()
        self.assertEqual(cimd.daemon.process().returncode, 3)
        lines = cimd.lines("start")
        self.assertRegex(lines[-1]["text"], text)

    def test_second_writer(self) -> None:
        first = self.start()
        second = self.prepare(state_dir=first.state)
        self.fails_to_start(second, first.state)
        url = self.client()
        first.known(url)
        first.stop()
        second.start()
        second.known(url)
        self.assertFetched(url, 1)

    def test_no_such_directory(self) -> None:
        cimd = self.prepare(state_dir="/run/lab/not/there")
        self.fails_to_start(cimd, "/run/lab/not/there")

    def test_not_ours(self) -> None:
        cimd = self.prepare()
        base = self.database(cimd)
        base.execute("CREATE TABLE x (y)")
        base.close()
        self.fails_to_start(cimd, "cimd.db: .*(another program|damaged)")
        cimd = self.prepare()
        with open(os.path.join(cimd.state, "cimd.db"), "wb") as out:
            out.write(os.urandom(8192))
        self.fails_to_start(cimd, "cimd.db: .*(another program|damaged)")

    def test_lost(self) -> None:
        """Cut to nothing, or removed: not one block is forgotten."""
        cimd = self.start()
        blocked = self.client()
        cimd.act("deny", blocked)
        cimd.stop()
        path = os.path.join(cimd.state, "cimd.db")
        with open(path, "rb") as src:
            whole = src.read()
        with open(path, "wb"):
            pass
        self.fails_to_start(cimd, "cimd.db is empty, but there was a store")
        os.unlink(path)
        self.fails_to_start(cimd, "cimd.db is gone, but there was a store")
        with open(path, "wb") as out:
            out.write(whole)
        cimd.start()
        self.assertFails(cimd.lookup(blocked), "CIMD_E_BLOCKED")
        cimd.stop()
        os.unlink(path)
        os.unlink(os.path.join(cimd.state, "cimd.lock"))
        cimd.start()
        cimd.known(blocked)

    def test_damaged_records(self) -> None:
        """Somebody wrote into a row: it is fetched again, not believed."""
        cimd = self.start()
        url, other = self.client(), self.client()
        cimd.known(url)
        cimd.known(other)
        cimd.stop()
        base = self.database(cimd)
        damaged = 0
        for table, in base.execute("SELECT name FROM sqlite_master "
                                   "WHERE type = 'table'").fetchall():
            for _, column, kind, *_ in base.execute(
                    f"PRAGMA table_info({table})").fetchall():
                if kind.upper() == "BLOB":
                    damaged += base.execute(
                        f"UPDATE {table} SET {column} = CAST(substr({column}"
                        f", 1, length({column}) - 9) || x'ffffffffffffffffff'"
                        f" AS BLOB) WHERE length({column}) > 100").rowcount
        base.close()
        self.assertGreater(damaged, 0)
        cimd.start()
        for one in (url, other):
            answer = cimd.lookup(one)
            if answer.status == 200:
                self.assertEqual(answer.json()["client"]["client_id"], one)
                self.assertEqual(answer.json()["client"]["redirect_uris"][0],
                                 "http://127.0.0.1/callback")

    def test_without_a_state_dir(self) -> None:
        """state_dir = "" keeps everything in memory."""
        cimd = self.start(state_dir="")
        url = self.client()
        cimd.known(url)
        self.assertEqual(cimd.act("deny", url).status, 200)
        self.assertFails(cimd.lookup(url), "CIMD_E_BLOCKED")
        cimd.restart()
        cimd.known(url)
        self.assertFetched(url, 2)
        self.assertEqual(os.listdir(cimd.state), [])

    def test_permissions(self) -> None:
        """Nobody else reads what is stored."""
        cimd = self.start()
        cimd.known(self.client())
        for name in os.listdir(cimd.state):
            mode = os.stat(os.path.join(cimd.state, name)).st_mode
            self.assertEqual(mode & 0o077, 0, name)


