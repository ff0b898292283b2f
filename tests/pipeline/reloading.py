# SPDX-License-Identifier: Apache-2.0
"""A new configuration, good or bad, while lookups go on."""

from __future__ import annotations

import os
import signal
import threading

import labtest
from cimdd import Case, Cimdd, RULES
from load import Herd
from unixhttp import UnixHTTP


class Traffic:
    """Lookups without end, in threads; collects what was answered."""

    def __init__(self, cimd: Cimdd, url: str, threads: int = 4) -> None:
        self.cimd, self.url = cimd, url
        self.stop = threading.Event()
        self.answers: list[set[int]] = [set() for _ in range(threads)]
        self.counts = [0] * threads
        self.errors: list[str] = []
        self.threads = [threading.Thread(target=self.run, args=(n,))
                        for n in range(threads)]

    def run(self, number: int) -> None:
        """One client that keeps its connection."""
        try:
            with UnixHTTP(self.cimd.path, timeout=30) as client:
                while not self.stop.is_set():
                    answer = client.lookup(self.url)
                    self.answers[number].add(answer.status)
                    self.counts[number] += 1
        except Exception as exc:  # the test says what it was
            self.errors.append(repr(exc))

    def __enter__(self) -> "Traffic":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def more(self, count: int = 20) -> None:
        """Wait until every client had so many more answers."""
        wanted = [n + count for n in self.counts]
        labtest.wait_until(
            lambda: self.errors or all(
                now >= want for now, want in zip(self.counts, wanted)),
            what="lookups go on")


class Reloading(Case):
    """All of the new configuration, or all of the old one."""

    def hup(self, cimd: Cimdd, event: str, count: int) -> None:
        """SIGHUP; wait for so many lines of the event in all."""
        cimd.daemon.signal(signal.SIGHUP)
        labtest.wait_until(lambda: len(cimd.lines(event)) >= count,
                           what=f"{count} lines {event}")

    def test_good(self) -> None:
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        cimd.configure("")
        self.assertEqual(cimd.known(url)["decision"]["rule"], "lab")
        self.hup(cimd, "reload", 1)
        for purpose in ("authorize", "token", "display"):
            self.assertFails(cimd.lookup(url, purpose=purpose),
                             "CIMD_E_POLICY")
        cimd.configure(RULES.replace('"lab"', '"renamed"'))
        self.assertEqual(cimd.reload().json(), {"reloaded": True})
        self.assertEqual(cimd.known(url)["decision"]["rule"], "renamed")
        self.assertFetched(url, 1)

    def test_bad(self) -> None:
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        for rules, line, text in (
                ("client \"x\" {\n", None, ""),
                ("trust = sometimes\n", 1, "trust"),
                ("no_such_setting = 1\n", 1, "no_such_setting"),
                ("default = deny\ndefault = deny\n", 2, "default"),
                (RULES + "fetch_rate = 010\n", None, ""),
                ("client \"a\" {\n match = { \"https://*.x/\" }\n}\n", 2,
                 "match"),
                ("deny = { \"${HOME}\" }\n", 1, "")):
            with self.subTest(rules=rules):
                cimd.configure(rules)
                answer = cimd.reload()
                found = self.assertFails(answer, "CIMD_E_CONFIG", text)
                if line is not None:
                    at = len(cimd.settings) + line
                    self.assertIn(f"cimd.conf:{at}:", found["detail"])
                self.assertEqual(cimd.known(url)["decision"]["rule"], "lab")
        self.hup(cimd, "reload", 1)
        self.assertIn("the old configuration stays",
                      [line.get("text") for line in cimd.lines("reload")])
        cimd.configure(RULES)
        self.assertEqual(cimd.reload().status, 200)

    def test_a_file_that_is_gone(self) -> None:
        cimd = self.start()
        url = self.client()
        os.rename(cimd.conf, cimd.conf + ".old")
        self.assertFails(cimd.reload(), "CIMD_E_CONFIG")
        os.mkdir(cimd.conf)
        self.assertFails(cimd.reload(), "CIMD_E_CONFIG")
        cimd.known(url)

    def test_state_dir_stays(self) -> None:
        cimd = self.start()
        cimd.configure(RULES, state_dir="/run/elsewhere")
        answer = cimd.reload()
        found = self.assertFails(answer, "CIMD_E_STATE", "state_dir")
        self.assertEqual(found["class"], "broken")
        self.assertEqual(cimd.status()["state_dir"], cimd.state)

    def test_conf_d(self) -> None:
        """Files of conf.d, in order, each parsed by itself."""
        cimd = self.start("")
        url = self.client()
        self.assertFails(cimd.lookup(url), "CIMD_E_POLICY")
        folder = os.path.join(cimd.folder, "conf.d")
        os.mkdir(folder)
        with open(os.path.join(folder, "50-lab.conf"), "w",
                  encoding="utf-8") as out:
            out.write(RULES)
        self.assertEqual(cimd.reload().status, 200)
        cimd.known(url)
        where = cimd.status()["rules"][0]["where"]
        self.assertEqual(where, f"{cimd.folder}/conf.d/50-lab.conf:2")
        with open(os.path.join(folder, "60-more.conf"), "w",
                  encoding="utf-8") as out:
            out.write(RULES)
        found = self.assertFails(cimd.reload(), "CIMD_E_CONFIG", "60-more")
        self.assertIn("50-lab", found["detail"])

    def test_under_load(self) -> None:
        """Good and bad ones in turn; no lookup fails."""
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        with Traffic(cimd, url) as traffic:
            for number in range(20):
                bad = number % 2 == 1
                cimd.configure("nonsense\n" if bad else RULES)
                self.assertEqual(cimd.reload().status, 500 if bad else 200)
                traffic.more(5)
        self.assertEqual(traffic.errors, [])
        self.assertEqual(set().union(*traffic.answers), {200})
        self.assertFetched(url, 1)

    def test_lookups_under_way_keep_their_policy(self) -> None:
        cimd = self.start().hold()
        url = self.client()
        self.serve(url, gate="reload")
        herd = Herd(cimd)
        self.addCleanup(herd.close)
        herd.ask(url)
        self.wait_fetches(url, 1)
        cimd.configure("")
        self.assertEqual(cimd.reload().status, 200)
        self.assertFails(cimd.lookup(url), "CIMD_E_POLICY")
        self.hostile.call("release", gate="reload")
        self.assertEqual(herd.answers()[0].status, 200)
        self.assertFails(cimd.lookup(url), "CIMD_E_POLICY")

    def test_many_at_once(self) -> None:
        """A hundred signals and requests are a few reloads."""
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        answers: list[int] = []
        threads = [threading.Thread(
            target=lambda: answers.append(cimd.reload().status))
            for _ in range(8)]
        for thread in threads:
            thread.start()
        for _ in range(100):
            cimd.daemon.signal(signal.SIGHUP)
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [200] * 8)
        cimd.known(url)
        self.assertEqual(cimd.reload().status, 200)
