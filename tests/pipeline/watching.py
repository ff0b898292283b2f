# SPDX-License-Identifier: Apache-2.0
"""What an administrator sees: activity, audit lines, metrics, health."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from typing import Any

import labtest
from cimdd import Cimdd, RULES, short_id
from consumers import GOOD, IDP, MAIL, MAIL_GROUP, TWO, ConsumerCase
from keys import Keys
from load import Herd
from unixhttp import Response, UnixHTTP

SAMPLE = re.compile(
    r'([a-z_:][a-z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})?'
    r" (-?[0-9.]+(?:e[+-]?[0-9]+)?|\+Inf)")


def samples(text: str) -> dict[tuple[str, str], float]:
    """The samples of an exposition, by name and labels; strict."""
    found: dict[tuple[str, str], float] = {}
    types: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types, f"{name}: twice"
            types[name] = kind
        elif not line.startswith("# HELP "):
            match = SAMPLE.fullmatch(line)
            assert match is not None, line
            name, labels, value = match.groups()
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            assert name in types or types.get(base) == "histogram", line
            assert (name, labels or "") not in found, f"{line}: twice"
            found[name, labels or ""] = float(value)
    return found


class Activity(ConsumerCase):
    """First seen, last seen, counts, by consumer."""

    def test_counts(self) -> None:
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        first = cimd.rows()[0]["first_seen"]
        cimd.later(1000)
        for purpose in ("token", "authorize", "display"):
            cimd.known(url, purpose=purpose)
        row, = cimd.rows()
        self.assertEqual((row["client_id"], row["lookups"], row["refused"]),
                         (url, 3, 0), "display is no activity")
        self.assertEqual(row["first_seen"], first)
        self.assertAlmostEqual(row["last_seen"], first + 1000, delta=30)
        self.assertEqual(
            (row["client_host"], row["client_name"], row["trust"],
             row["rule"], row["short"]),
            ("good.hostile.example.net", "A lab client", "trusted", "lab",
             short_id(url)))
        self.assertIn(row["freshness"], ("fresh", "stale"))

    def test_survive_a_restart(self) -> None:
        cimd = self.start()
        url = self.client()
        for _ in range(5):
            cimd.known(url)
        before = cimd.rows()
        for again in (cimd.restart, cimd.crash):
            again()
            self.assertEqual(cimd.rows(), before)
        cimd.known(url)
        cimd.restart()  # without anybody who asked for rows
        self.assertEqual(cimd.rows()[0]["lookups"], 6)

    def test_written_without_being_asked(self) -> None:
        """Every ten seconds, so that a crash loses no more than that."""
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        base = sqlite3.connect(f"file:{cimd.state}/cimd.db?mode=ro", uri=True)
        self.addCleanup(base.close)
        labtest.wait_until(lambda: base.execute(
            "SELECT sum(lookups) FROM activity").fetchone()[0],
            what="a lookup in the file")
        cimd.crash()
        self.assertEqual(cimd.rows()[0]["lookups"], 1)

    def test_refused(self) -> None:
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        cimd.act("deny", url)
        for _ in range(3):
            cimd.lookup(url)
        row, = cimd.rows()
        self.assertEqual((row["lookups"], row["refused"]), (4, 3))

    def test_order_and_pages(self) -> None:
        cimd = self.start()
        urls = []
        for _ in range(5):
            urls.append(self.client())
            cimd.known(urls[-1])
            cimd.later(10)
        cimd.known(urls[1])
        found = [row["client_id"] for row in cimd.rows()]
        self.assertEqual(found, [urls[n] for n in (1, 4, 3, 2, 0)])
        page = [row["client_id"] for row in cimd.rows(limit="2", offset="1")]
        self.assertEqual(page, found[1:3])
        name = urls[3].rpartition("/")[2]
        page = [row["client_id"] for row in cimd.rows(contains=name)]
        self.assertEqual(page, [urls[3]])
        self.assertEqual(cimd.rows(contains="%25"), [])


class Audit(ConsumerCase):
    """One JSON line per decision that matters, codes that are stable."""

    def test_lines(self) -> None:
        cimd = self.start(TWO)
        self.open_doors(cimd)
        self.as_user(cimd, IDP, GOOD + "a", remote_addr="192.0.2.7")
        self.as_user(cimd, IDP, GOOD + "evil", purpose="token")
        good, bad = cimd.lines("lookup")
        self.assertEqual(
            (good["client_id"], good["consumer"], good["purpose"],
             good["rule"], good["level"], good["remote_addr"]),
            (GOOD + "a", "idp", "authorize", "a", "notice", "192.0.2.7"))
        self.assertRegex(good["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertGreaterEqual(int(good["ms"]), 0)
        self.assertEqual(
            (bad["client_id"], bad["code"], bad["class"], bad["purpose"]),
            (GOOD + "evil", "CIMD_E_BLOCKED", "refused", "token"))
        self.assertIn("evil", bad["text"])

    def test_hits_cost_no_line(self) -> None:
        cimd = self.start()
        url = self.client()
        for _ in range(50):
            cimd.known(url)
        self.assertEqual(len(cimd.lines("lookup")), 1)

    def test_suppressed(self) -> None:
        cimd = self.start("")
        url = self.client()
        for _ in range(100):
            self.assertFails(cimd.lookup(url), "CIMD_E_POLICY")
        lines = cimd.lines("lookup", url)
        self.assertEqual(len(lines), 10)
        cimd.later(60)
        cimd.lookup(url)
        # The count may come with that line, or before it from housekeeping.
        lines = cimd.lines("lookup", url)
        self.assertEqual(sum(int(line.get("suppressed", 0))
                             for line in lines), 90)

    def test_hostile_bytes(self) -> None:
        """Whatever somebody sends, a line is one line of ASCII."""
        cimd = self.start(RULES)
        evil = 'https://good.hostile.example.net/good/\n{"event":"x"}\x1b[2J'
        for client_id in (evil, "https://\u00e9.example.net/\u2028",
                          "https://a\u0001/"):
            cimd.ask(client_id=client_id, remote_addr="\n\x1b[31m")
        text = cimd.daemon.text()
        self.assertNotRegex(text, r"[^ -~\n]")
        self.assertTrue(all(line.startswith("{")
                            for line in text.splitlines()), text)
        self.assertNotIn("x", [line["event"] for line in
                               cimd.daemon.records()])
        self.assertEqual(len(cimd.lines("lookup")), 3)

    def test_tail(self) -> None:
        """Deeds, changes and withdrawals outlive the log."""
        cimd = self.start()
        url = self.client()
        cimd.known(url)
        self.serve(url, document={"client_name": "New"})
        cimd.act("refresh", url)
        cimd.act("deny", url, reason="why")
        cimd.act("approve", url)
        self.serve(url, do="410")
        cimd.act("refresh", url)
        self.assertEqual([line["uid"] for line in cimd.lines("refresh")],
                         [0, 0])
        self.assertNotIn("uid", cimd.lines("withdraw")[0])
        cimd.crash()
        lines = cimd.admin.get("/v1/audit?n=10").json()["lines"]
        self.assertEqual([line["event"] for line in lines],
                         ["change", "refresh", "deny", "approve",
                          "withdraw", "refresh"])
        self.assertEqual({line["client_id"] for line in lines}, {url})
        self.assertEqual(lines[2]["detail"], "why")
        self.assertEqual([line.get("uid") for line in lines],
                         [None, 0, 0, 0, None, 0], "deeds have somebody")
        last = cimd.admin.get("/v1/audit?n=1").json()["lines"]
        self.assertEqual(last, lines[-1:])

    def test_no_secrets(self) -> None:
        """Neither bodies nor assertions nor keys."""
        cimd = self.start(RULES + """
consumer "me" {
    uid = { 0 }
    audiences = { "https://idp.example.com/" }
}
""")
        keys = Keys(self)
        url = self.client()
        self.serve(url, document=keys.members())
        for audience in ("https://idp.example.com/", "https://no.example/"):
            token = keys.assertion(url, audience)
            cimd.socket.post("/v1/assertion", {
                "client_id": url, "client_assertion": token})
            text = cimd.daemon.text()
            self.assertNotIn(token[:40], text)
            self.assertNotIn(token.split(".")[2], text)
        self.assertNotIn("jwks", text)
        codes = [line.get("code") for line in cimd.lines("assertion")]
        self.assertEqual(codes[1], "CIMD_E_ASSERTION")


class Metrics(ConsumerCase):
    """Prometheus: by code, by consumer, latency."""

    def metrics(self, cimd: Cimdd) -> tuple[str, dict[Any, float]]:
        """GET /metrics, as an administrator."""
        return self.checked(cimd.admin.get("/metrics"))

    def checked(self, answer: Response) -> tuple[str, dict[Any, float]]:
        """What is in an answer."""
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.headers["content-type"].startswith(
            "text/plain; version=0.0.4"))
        text = answer.body.decode()
        return text, samples(text)

    def some_traffic(self, cimd: Cimdd) -> None:
        """Of every kind."""
        self.open_doors(cimd)
        for _ in range(3):
            self.as_user(cimd, IDP, GOOD + "a")
        self.as_user(cimd, IDP, GOOD + "evil")
        self.as_user(cimd, MAIL, GOOD + "b", [MAIL_GROUP])
        self.as_user(cimd, MAIL, GOOD + "none", [MAIL_GROUP])
        self.become(IDP, [], lambda: UnixHTTP(cimd.path).post(
            "/v1/assertion", {"client_id": GOOD + "a",
                              "client_assertion": "x"}))

    def test_figures(self) -> None:
        cimd = self.start(TWO)
        self.some_traffic(cimd)
        _, found = self.metrics(cimd)
        for (consumer, code), count in {
                ("idp", "CIMD_OK"): 3, ("idp", "CIMD_E_BLOCKED"): 1,
                ("mail", "CIMD_OK"): 1, ("mail", "CIMD_E_POLICY"): 1}.items():
            self.assertEqual(found["cimd_lookups_total", f'consumer='
                                   f'"{consumer}",code="{code}"'], count)
        self.assertEqual(found["cimd_fetches_total", 'code="CIMD_OK"'], 2)
        self.assertEqual(found["cimd_assertions_total", 'consumer="idp",'
                               'code="CIMD_E_AUTH_METHOD"'], 1)
        duration = "cimd_lookup_duration_seconds"
        self.assertEqual(found[duration + "_count", 'way="fetched"'], 2)
        self.assertEqual(found[duration + "_count", 'way="stored"'], 4)
        for way in ("stored", "fetched"):
            buckets = [value for (name, labels), value in found.items()
                       if name == duration + "_bucket"
                       and f'way="{way}"' in labels]
            self.assertEqual(buckets, sorted(buckets))
            self.assertEqual(buckets[-1],
                             found[duration + "_count", f'way="{way}"'])
        self.assertEqual(found["cimd_flights_total", 'result="started"'], 2)
        self.assertEqual(found["cimd_store_degraded", ""], 0)
        before = found
        _, after = self.metrics(cimd)
        for key, value in before.items():
            if key[0].endswith("_total"):
                self.assertGreaterEqual(after[key], value)

    def test_names_of_others(self) -> None:
        """Over the lookup socket, figures bear one's own name or none."""
        cimd = self.start(TWO)
        self.some_traffic(cimd)
        _, found = self.checked(cimd.socket.get("/metrics"))
        labels = [key[1] for key in found if key[0] == "cimd_lookups_total"]
        self.assertTrue(all('consumer=""' in text for text in labels), labels)
        self.assertEqual(found["cimd_lookups_total",
                               'consumer="",code="CIMD_OK"'], 4)
        _, found = self.checked(self.become(
            IDP, [], lambda: UnixHTTP(cimd.path).get("/metrics")))
        self.assertEqual(found["cimd_lookups_total",
                               'consumer="idp",code="CIMD_OK"'], 3)
        self.assertEqual(found["cimd_lookups_total",
                               'consumer="",code="CIMD_OK"'], 1)
        self.assertNotIn("mail", str(found))

    def test_promtool(self) -> None:
        tool = os.environ.get("PROMTOOL") or shutil.which("promtool")
        if tool is None:
            self.skipTest("promtool is not there")
        cimd = self.start(TWO)
        self.some_traffic(cimd)
        text, _ = self.metrics(cimd)
        done = subprocess.run([tool, "check", "metrics"], input=text,
                              text=True, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, "", ""))

    def test_labels_are_bounded(self) -> None:
        """No stranger can make a new time series."""
        cimd = self.start("default = deny\n")
        cimd.lookup(self.client())
        before, _ = self.metrics(cimd)
        for _ in range(50):
            cimd.lookup(self.client())
        after, _ = self.metrics(cimd)
        self.assertEqual(len(after.splitlines()), len(before.splitlines()))


class Health(ConsumerCase):
    """GET /healthz and /v1/status."""

    def test_healthy(self) -> None:
        cimd = self.start()
        self.assertEqual(cimd.socket.get("/healthz").json(),
                         {"status": "ok"})
        found = cimd.status()
        self.assertEqual(found["state_dir"], cimd.state)
        self.assertIs(found["development_loopback"], False)
        self.assertNotIn("store_problem", found)
        self.assertEqual([r["name"] for r in found["rules"]], ["lab"])
        self.assertRegex(found["rules"][0]["where"], rf"^{cimd.conf}:\d+$")

    def test_busy(self) -> None:
        """Health is answered while everything else waits."""
        cimd = self.start("default = unverified\n").hold()
        urls = [labtest.lab().url(f"/good/{n}", f"slow{n % 4}")
                for n in range(12)]
        herd = Herd(cimd)
        self.addCleanup(herd.close)
        for url in urls:
            self.serve(url, gate="busy")
            herd.ask(url)
        labtest.wait_until(lambda: cimd.status()["fetches"]["running"] == 12,
                           what="twelve flights")
        self.assertEqual(cimd.socket.get("/healthz").json(),
                         {"status": "ok"})
        _ = cimd.socket.get("/metrics")
        self.hostile.call("release", gate="busy")
        self.assertEqual({a.status for a in herd.answers()}, {200})
