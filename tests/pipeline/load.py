# SPDX-License-Identifier: Apache-2.0
"""Many at once: single flight, caps per host, slow hosts, many URLs."""

from __future__ import annotations

import json
import selectors
import signal
import socket
import threading
from typing import Any
from urllib.parse import quote

import labtest
from cimdd import Case, Cimdd, sanitizer
from unixhttp import Response

HERD = 500
ANY_HOST = "default = unverified\n"


class Herd:
    """Lookups that are all under way at once, each on a connection."""

    def __init__(self, cimd: Cimdd) -> None:
        self.cimd = cimd
        self.socks: list[socket.socket] = []

    def ask(self, url: str, count: int = 1, purpose: str = "authorize"
            ) -> None:
        """Send lookups; do not wait for answers."""
        request = (f"GET /v1/client?client_id={quote(url, safe='')}"
                   f"&purpose={purpose} HTTP/1.1\r\nHost: cimd\r\n"
                   "Connection: close\r\n\r\n").encode()
        for _ in range(count):
            sock = labtest.connect(self.cimd.path)
            sock.sendall(request)
            self.socks.append(sock)

    def answers(self) -> list[Response]:
        """All answers, in the order of the questions."""
        found = [parse(labtest.read_all(sock)) for sock in self.socks]
        self.close()
        return found

    def first(self, count: int) -> list[int]:
        """Which were answered first (their numbers), so many of them."""
        done: list[int] = []
        with selectors.DefaultSelector() as selector:
            for number, sock in enumerate(self.socks):
                selector.register(sock, selectors.EVENT_READ, number)
            while len(done) < count:
                ready = selector.select(60)
                assert ready, f"{len(done)} answers, not {count}"
                for key, _ in ready:
                    selector.unregister(key.fileobj)
                    done.append(key.data)
        return done

    def close(self) -> None:
        """Leave, whether answered or not."""
        for sock in self.socks:
            sock.close()
        self.socks.clear()


def parse(data: bytes) -> Response:
    """An answer as it came."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in
               (line.partition(":") for line in lines[1:])}
    return Response(int(lines[0].split(" ")[1]), headers, body)


class LoadCase(Case):
    """Waits until flights are where a test wants them."""

    def herd(self, cimd: Cimdd) -> Herd:
        """A herd that is gone after the test."""
        one = Herd(cimd)
        self.addCleanup(one.close)
        return one

    def wait_flights(self, cimd: Cimdd, **wanted: int) -> None:
        """Until /v1/status says so."""
        def there() -> bool:
            found = cimd.status()["fetches"]
            return all(found[k] == v for k, v in wanted.items())
        labtest.wait_until(there, what=f"flights {wanted}")


class SingleFlight(LoadCase):
    """500 lookups of one cold URL are one request, whatever it brings."""

    def stampede(self, **spec: Any) -> tuple[list[Response], Cimdd, str]:
        """500 lookups join one flight that is held at a gate."""
        cimd = self.start().hold()
        url = self.client()
        self.serve(url, gate="herd", **spec)
        herd = self.herd(cimd)
        herd.ask(url)
        self.wait_fetches(url, 1)
        herd.ask(url, HERD - 1)
        self.wait_flights(cimd, joined=HERD - 1)
        self.hostile.call("release", gate="herd")
        answers = herd.answers()
        self.assertEqual(len(answers), HERD)
        self.assertFetched(url, 1)
        self.assertEqual(cimd.status()["fetches"]["started"], 1)
        return answers, cimd, url

    def test_good(self) -> None:
        answers, cimd, url = self.stampede(do="good")
        self.assertEqual({a.status for a in answers}, {200})
        self.assertEqual(len({a.body for a in answers}), 1)
        row, = cimd.rows()
        self.assertEqual(row["lookups"], HERD)

    def test_failing(self) -> None:
        for do, code in (("404", "CIMD_E_GONE"), ("503", "CIMD_E_SERVER"),
                         ("wrong/truncated", "CIMD_E_JSON")):
            with self.subTest(do=do):
                self.hostile.call("reset")
                answers, cimd, url = self.stampede(do=do)
                self.assertEqual({a.json()["code"] for a in answers},
                                 {code})
                cimd.later(1)
                cimd.lookup(url)
                self.assertFetched(url, 2)

    def test_mixed_purposes_and_consumers(self) -> None:
        cimd = self.start().hold()
        url = self.client()
        self.serve(url, gate="mixed")
        herd = self.herd(cimd)
        herd.ask(url)
        self.wait_fetches(url, 1)
        herd.ask(url, 5, "token")
        herd.ask(url, 5, "authorize")
        self.wait_flights(cimd, joined=10)
        answer = cimd.lookup(url, purpose="display")
        self.assertFails(answer, "CIMD_E_NOT_STORED")
        self.hostile.call("release", gate="mixed")
        self.assertEqual({a.status for a in herd.answers()}, {200})
        self.assertFetched(url, 1)

    def test_who_leaves_takes_nothing_away(self) -> None:
        cimd = self.start().hold()
        url = self.client()
        self.serve(url, gate="leave")
        leaver = self.herd(cimd)
        leaver.ask(url)
        self.wait_fetches(url, 1)
        stayer = self.herd(cimd)
        stayer.ask(url, 3)
        self.wait_flights(cimd, joined=3)
        leaver.close()
        self.hostile.call("release", gate="leave")
        self.assertEqual({a.status for a in stayer.answers()}, {200})
        self.assertFetched(url, 1)


class SlowHosts(LoadCase):
    """A slow or hostile host costs nobody else anything."""

    def url(self, label: str, number: int) -> str:
        """One of the URLs of a host."""
        return labtest.lab().url(f"/good/{number}", label)

    def hold(self, label: str, count: int) -> list[str]:
        """So many URLs of a host, all held at the gate "slow"."""
        urls = [self.url(label, n) for n in range(count)]
        for url in urls:
            self.serve(url, gate="slow")
        return urls

    def test_cap_of_a_host(self) -> None:
        """Three at once (four for known clients), others at once."""
        cimd = self.start(ANY_HOST).hold()
        warm = self.url("warm", 0)
        cimd.known(warm)
        herd = self.herd(cimd)
        for url in self.hold("slow", 10):
            herd.ask(url)
        self.wait_flights(cimd, running=3, queued=7)
        for number in range(6):
            self.assertEqual(cimd.known(warm)["source"]["state"], "fresh")
            cimd.known(self.url("quick", number))
        self.assertEqual(self.hostile.call("held", gate="slow"), 3)
        self.assertEqual(cimd.status()["fetches"]["queued"], 7)
        self.hostile.call("release", gate="slow")
        self.assertEqual({a.status for a in herd.answers()}, {200})

    def test_many_slow_hosts_leave_the_reserve(self) -> None:
        """Twelve flights of strangers; known clients still get through."""
        cimd = self.start(ANY_HOST + """
client "known" {
    match = { "https://known.hostile.example.net/good/*" }
    trust = trusted
}
""").hold()
        known = self.url("known", 0)
        cimd.known(known)
        cimd.later(86400)
        herd = self.herd(cimd)
        for label in ("a", "b", "c", "d", "e"):
            for url in self.hold(label, 3):
                herd.ask(url)
        self.wait_flights(cimd, running=12, queued=3)
        labtest.wait_until(
            lambda: self.hostile.call("held", gate="slow") == 12,
            what="twelve requests")
        self.assertEqual(cimd.known(known)["source"]["state"], "fresh")
        self.assertFetched(known, 2)
        self.assertEqual(self.hostile.call("held", gate="slow"), 12)
        self.hostile.call("release", gate="slow")
        herd.answers()

    def test_answers_within_the_deadline(self) -> None:
        """A host that never answers costs its own callers four seconds."""
        self.timely(8, self.ask_a_silent_host)

    def ask_a_silent_host(self) -> None:
        """Six at once, of whom three are asked for; and one of another."""
        cimd = self.start(ANY_HOST)
        herd = self.herd(cimd)
        for number in range(6):
            url = self.url("never", number)
            self.serve(url, do="silent")
            herd.ask(url)
        quick = self.url("quick", 0)
        herd.ask(quick)
        self.assertEqual(herd.first(1), [6])
        answers = herd.answers()
        self.assertEqual(answers.pop().status, 200)
        self.assertEqual({a.status for a in answers}, {503})
        codes = {a.json()["code"] for a in answers}
        self.assertLessEqual(codes, {"CIMD_E_TIMEOUT", "CIMD_E_BUSY"})
        self.assertTrue(all("retry-after" in a.headers for a in answers))

    def test_slow_hosts_pay(self) -> None:
        """More than a second costs half a minute's budget."""
        cimd = self.start(ANY_HOST, fetch_rate_host=8)
        slow = self.url("pays", 0)
        self.serve(slow, delay=1.2)
        cimd.known(slow)
        answers = [cimd.lookup(self.url("pays", n)).status
                   for n in range(1, 4)]
        self.assertIn(503, answers)
        cimd.known(self.url("other", 0))

    def test_every_kind_of_hostility(self) -> None:
        """While all of them are under way, hits and quick hosts go on."""
        cimd = self.start(ANY_HOST)
        warm = self.url("warm", 0)
        cimd.known(warm)
        herd = self.herd(cimd)
        kinds = ("slow-body", "slow-headers", "endless-chunked",
                 "endless-103", "endless-headers", "silent-body",
                 "encoding/bomb", "redirect/302/loop")
        for number, kind in enumerate(kinds):
            url = self.url(f"evil{number}", 0)
            self.serve(url, do=kind)
            herd.ask(url)
        for number in range(30):
            cimd.known(warm)
            cimd.known(self.url("quick", number))
        self.assertNotIn(200, {a.status for a in herd.answers()})
        self.wait_flights(cimd, running=0)


class Bounds(LoadCase):
    """Attackers' URLs move nothing."""

    def test_many_urls(self) -> None:
        """Probation is bounded, and does not push out those who are kept."""
        cimd = self.start("default = unverified\n" + """
client "kept" {
    match = { "https://good.hostile.example.net/good/*" }
    trust = trusted
}
""", max_unverified=50)
        kept = self.client()
        cimd.known(kept)
        with cimd.socket as kept_open:
            for number in range(300):
                url = f"https://many-clients.example.net/c/{number}"
                self.assertEqual(kept_open.lookup(url).status, 200)
        rows = cimd.rows(limit="1000")
        self.assertLessEqual(len(rows), 51)
        self.assertIn(kept, [row["client_id"] for row in rows])
        self.assertEqual(cimd.known(kept)["source"]["state"], "fresh")
        self.assertFetched(kept, 1)

    def test_nothing_is_left_behind(self) -> None:
        """Threads, descriptors and memory come back to where they were."""
        cimd = self.start(ANY_HOST)
        for number in range(20):
            self.some_failures(cimd, number)
        before = (cimd.daemon.threads(), cimd.daemon.fds())
        memory = cimd.daemon.rss()
        for number in range(20, 120):
            self.some_failures(cimd, number)
        labtest.wait_until(lambda: cimd.daemon.fds() <= before[1],
                           what="descriptors closed")
        # Of four hundred, none; a few come for fetches and stay.
        self.assertLess(cimd.daemon.threads() - before[0], 16)
        if not sanitizer():  # which gives nothing back for a while
            self.assertLess(cimd.daemon.rss() - memory, 8192)

    def some_failures(self, cimd: Cimdd, number: int) -> None:
        """A few fetches that fail in different ways."""
        host = f"h{number}"
        for do in ("404", "hang-up", "reset", "endless-chunked"):
            url = labtest.lab().url(f"/{do}/{number}", host)
            self.assertNotEqual(cimd.lookup(url).status, 200)

    def test_the_descriptors_of_a_herd(self) -> None:
        """Five hundred who wait and leave cost nothing afterwards."""
        cimd = self.start().hold()
        url = self.client()
        cimd.known(url)
        before = cimd.daemon.fds()
        herd = self.herd(cimd)
        other = self.client()
        self.serve(other, gate="descriptors")
        herd.ask(other, HERD)
        self.wait_flights(cimd, joined=HERD - 1)
        herd.close()
        self.hostile.call("release", gate="descriptors")
        self.wait_flights(cimd, running=0)
        labtest.wait_until(lambda: cimd.daemon.fds() <= before + 8,
                           what="descriptors closed")
        cimd.known(url)


class Stopping(LoadCase):
    """A clean stop answers what is under way."""

    def test_requests_in_flight(self) -> None:
        cimd = self.start().hold()
        url = self.client()
        self.serve(url, gate="stop")
        herd = self.herd(cimd)
        herd.ask(url, 20)
        self.wait_flights(cimd, joined=19)
        ended: list[int] = []
        stopper = threading.Thread(
            target=lambda: ended.append(cimd.daemon.stop(30)))
        stopper.start()
        labtest.wait_until(lambda: not self.accepts(cimd),
                           what="no new connections")
        self.hostile.call("release", gate="stop")
        self.assertEqual({a.status for a in herd.answers()}, {200})
        stopper.join()
        self.assertEqual(ended, [0])
        cimd.start()
        self.assertEqual(cimd.known(url)["source"]["state"], "fresh")
        self.assertFetched(url, 1)

    def test_after_the_client_has_left(self) -> None:
        """A call that nobody waits for is no reason to leave a mess."""
        cimd = self.start().hold()
        known, url = self.client(), self.client()
        cimd.known(known)
        self.serve(url, gate="left")
        herd = self.herd(cimd)
        herd.ask(url)
        self.wait_fetches(url, 1)
        herd.close()
        cimd.daemon.signal(signal.SIGTERM)
        labtest.wait_until(lambda: not self.accepts(cimd),
                           what="no new connections")
        self.hostile.call("release", gate="left")
        self.assertEqual(cimd.daemon.wait(30), 0, cimd.daemon.text())
        cimd.start()
        self.assertEqual({row["client_id"] for row in cimd.rows()},
                         {known, url})

    def test_at_any_moment(self) -> None:
        """Right after an answer, too."""
        cimd = self.start()
        for _ in range(30):
            cimd.known(self.client())
            cimd.restart()

    @staticmethod
    def accepts(cimd: Cimdd) -> bool:
        """Is a new connection answered?"""
        try:
            return cimd.socket.get("/healthz").status == 200
        except (OSError, json.JSONDecodeError):
            return False
        except Exception:  # http.client: closed without an answer
            return False
