#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Suite: names that resolve to where nobody may connect, and dead DNS.

A trap counts every SYN of the network namespace.  With the guard there is
none to a special-use address; the same with a program whose guard was taken
out when it was linked shows that the trap would see one.
"""

from __future__ import annotations

import os
import sys
from typing import Any

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "server"))

from fetchone import fetch, run, said, timely  # noqa: E402
import labtest  # noqa: E402

OK, ADDRESS = "CIMD_OK", "CIMD_E_ADDRESS"
GOOD4, GOOD6 = "93.184.216.200", "2606:2800:220:1::200"
REFUSED = "93.184.216.252"  # public, nobody listens
BLACKHOLE = "93.184.216.251"  # public, answers no SYN
NAME = "client.hostile.example.net"
URL = f"https://{NAME}/good"
UNGUARDED = "fetch_one_unguarded"
SLACK = 600  # milliseconds behind a deadline

# Records that must be refused.  The public addresses among them refuse
# connections, so that the control goes on to the others.
FORBIDDEN: dict[str, dict[str, Any]] = {
    "private": {"a": ["10.0.0.1"]},
    "private 172.16/12": {"a": ["172.16.0.1"]},
    "private 192.168/16": {"a": ["192.168.1.1"]},
    "loopback": {"a": ["127.0.0.1"]},
    "loopback, not .1": {"a": ["127.8.9.10"]},
    "metadata": {"a": ["169.254.169.254"]},
    "shared": {"a": ["100.64.0.1"]},
    "azure": {"a": ["168.63.129.16"]},
    "benchmarking": {"a": ["198.18.0.1"]},
    "documentation": {"a": ["203.0.113.7"]},
    "reserved": {"a": ["240.0.0.1"]},
    "this network": {"a": ["0.0.0.0"]},
    "public, private": {"a": [REFUSED, "10.0.0.1"]},
    "private, public": {"a": ["10.0.0.1", REFUSED]},
    "one of many": {"a": [REFUSED] * 7 + ["10.0.0.1"] + [REFUSED] * 7},
    "alias": {"cname": "inside.example.net"},
}
FORBIDDEN6: dict[str, dict[str, Any]] = {
    "loopback6": {"aaaa": ["::1"]},
    "unique local": {"aaaa": ["fd00::1"]},
    "site local": {"aaaa": ["fec0::1"]},
    "mapped private": {"aaaa": ["::ffff:10.0.0.1"]},
    "mapped public": {"aaaa": [f"::ffff:{REFUSED}"]},
    "NAT64 of private": {"aaaa": ["64:ff9b::a00:1"]},
    "NAT64 of loopback": {"aaaa": ["64:ff9b::7f00:1"]},
    "NAT64 of metadata": {"aaaa": ["64:ff9b::a9fe:a9fe"]},
    "6to4": {"aaaa": ["2002:a00:1::1"]},
    "Teredo": {"aaaa": ["2001:0:a00:1::1"]},
    "documentation6": {"aaaa": ["2001:db8::1"]},
    "A public, AAAA private": {"a": [REFUSED], "aaaa": ["fd00::1"]},
    "A private, AAAA public": {"a": ["10.0.0.1"],
                               "aaaa": ["2606:2800:220:1::252"]},
    "A public, AAAA mapped": {"a": [REFUSED], "aaaa": ["::ffff:10.0.0.1"]},
    "A public, AAAA NAT64": {"a": [REFUSED], "aaaa": ["64:ff9b::a00:1"]},
}
LITERALS = ("10.0.0.1", "127.0.0.1", "169.254.169.254", "[::1]",
            "[fd00::1]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]",
            "[::ffff:a00:1]")


class Net(labtest.Case):
    """What all tests here need."""

    def setUp(self) -> None:
        self.lab = labtest.lab()
        self.dns = self.lab.dns
        before = self.dns.call("table")
        self.addCleanup(self.dns.call, "replace", table=before)
        self.dns.call("set", name="inside.example.net",
                      record={"a": ["10.0.0.1"]})
        self.again()

    def again(self) -> None:
        """Zero all counts."""
        self.lab.hostile.call("reset")
        self.lab.trap.call("reset")
        self.dns.call("reset")

    def name(self, **record: Any) -> None:
        """What NAME resolves to from now on."""
        self.dns.call("set", name=NAME, record=record)

    def attempts(self) -> dict[str, int]:
        """Every SYN."""
        return dict(self.lab.trap.call("counts")["syn"])

    def records(self) -> dict[str, dict[str, Any]]:
        """The forbidden ones that this kernel can reach."""
        return FORBIDDEN | (FORBIDDEN6 if self.lab.ipv6 else {})


class Guard(Net):
    """No packet to a special-use address."""

    def test_forbidden(self) -> None:
        for what, record in self.records().items():
            with self.subTest(what):
                self.name(**record)
                self.lab.trap.call("reset")
                got = fetch(URL)
                self.assertEqual(got["code"], ADDRESS, got)
                self.assertEqual(got["class"], "refused")
                self.assertEqual(got["section"], "9.6")
                self.assertEqual(self.attempts(), {})

    def test_control(self) -> None:
        """The trap sees each of them when the guard is off."""
        for what, record in self.records().items():
            with self.subTest(what):
                self.name(**record)
                self.lab.trap.call("reset")
                fetch(URL, "--timeout", "1500", program=UNGUARDED)
                attempts = self.lab.unexpected()
                if what == "mapped public":  # goes out as plain IPv4
                    attempts = self.attempts()
                self.assertGreaterEqual(sum(attempts.values()), 1, attempts)

    def test_literals(self) -> None:
        for host in LITERALS:
            got = fetch(f"https://{host}/good")
            self.assertEqual(got["code"], ADDRESS, host)
        self.assertEqual(self.attempts(), {})
        self.assertEqual(self.dns.call("queries"), {})
        for host in LITERALS:
            if self.lab.ipv6 or not host.startswith("["):
                self.lab.trap.call("reset")
                fetch(f"https://{host}/good", program=UNGUARDED)
                self.assertNotEqual(self.lab.unexpected(), {}, host)

    def test_rebinding(self) -> None:
        """A name that is public when it is judged and private later."""
        steps = [{"a": [GOOD4]}, {"a": ["10.0.0.1"]}]
        self.name(sequence=steps)
        got = run(URL, "--repeat", "2").fetches
        self.assertEqual([said(g) for g in got], [OK, ADDRESS])
        self.assertEqual(self.lab.unexpected(), {})
        self.assertEqual(self.dns.call("queries"),
                         {f"{NAME} A": 2, f"{NAME} AAAA": 2},
                         "one question of each type for each fetch")
        self.again()
        run(URL, "--repeat", "2", program=UNGUARDED)
        self.assertNotEqual(self.lab.unexpected(), {})

    def test_rebinding_each_time(self) -> None:
        self.name(sequence=[{"a": [GOOD4]}, {"a": ["10.0.0.1"]}],
                  cycle=True)
        got = run(URL, "--repeat", "10").fetches
        self.assertEqual([said(g) for g in got], [OK, ADDRESS] * 5)
        self.assertEqual(self.lab.unexpected(), {})

    def test_second_check(self) -> None:
        """Without the pin libcurl asks again and hears another address: no
        socket is opened to it."""
        for steps in ([{"a": [GOOD4]}, {"a": ["10.0.0.1"]}],
                      [{"a": [GOOD4]}, {"a": [REFUSED]}]):
            self.again()
            self.name(sequence=steps)
            got = fetch(URL, program="fetch_one_unpinned")
            self.assertEqual(got["code"], ADDRESS)
            self.assertIn("to connect to was never judged", got["text"])
            self.assertEqual(self.attempts(), {})
        self.name(a=[GOOD4])
        self.assertEqual(said(fetch(URL, program="fetch_one_unpinned")), OK)

    def test_third_check(self) -> None:
        """If that fails too: nothing is sent to a peer that is another."""
        self.name(sequence=[{"a": [REFUSED]}, {"a": [GOOD4]}])
        got = fetch(URL, program="fetch_one_unwatched")
        self.assertEqual(got["code"], ADDRESS)
        self.assertIn("the peer was never judged", got["text"])
        self.assertEqual(got["peer"], GOOD4)
        self.assertEqual(self.lab.hostile.call("connections")["handshakes"],
                         1)
        self.assertEqual(self.lab.hostile.call("requests"), [])

    def test_public(self) -> None:
        """The guard lets pass what is public; NAT64 counts as what it
        wraps."""
        self.name(a=[GOOD4])
        self.assertEqual(fetch(URL)["peer"], GOOD4)
        self.name(a=[REFUSED, GOOD4])
        self.assertEqual(fetch(URL)["peer"], GOOD4)
        self.name(a=[REFUSED])
        self.assertEqual(fetch(URL)["code"], "CIMD_E_CONNECT")
        if self.lab.ipv6:
            self.name(a=[], aaaa=[GOOD6])
            self.assertEqual(fetch(URL)["peer"], GOOD6)
            self.name(a=[REFUSED], aaaa=[GOOD6])
            self.assertEqual(fetch(URL)["peer"], GOOD6)
            self.name(a=[GOOD4], aaaa=["2606:2800:220:1::252"])
            self.assertEqual(fetch(URL)["peer"], GOOD4)
            self.again()
            self.name(aaaa=["64:ff9b::5db8:d8fc"])
            self.assertEqual(fetch(URL)["code"], "CIMD_E_CONNECT")
            self.assertEqual(list(self.lab.unexpected()),
                             ["[64:ff9b::5db8:d8fc]:443"])

    def test_other_port(self) -> None:
        self.name(a=[GOOD4])
        self.assertEqual(said(fetch(f"https://{NAME}:8443/good")), OK)
        self.name(a=["10.0.0.1"])
        self.assertEqual(fetch(f"https://{NAME}:8443/good")["code"], ADDRESS)
        self.assertEqual(self.lab.unexpected(), {})

    def test_hosts_file(self) -> None:
        """Names of /etc/hosts are judged like any other."""
        path = os.path.join(self.lab.folder, "hosts")
        with open(path, encoding="ascii") as src:
            before = src.read()

        def write(text: str) -> None:
            with open(path, "w", encoding="ascii") as out:  # a bind mount
                out.write(before + text)
        self.addCleanup(write, "")
        write(f"10.0.0.1 {NAME}\n")
        self.assertEqual(fetch(URL)["code"], ADDRESS)
        write(f"{GOOD4} {NAME}\n10.0.0.1 {NAME}\n")
        self.assertEqual(fetch(URL)["code"], ADDRESS)
        write(f"{GOOD4} {NAME}\n")
        self.assertEqual(said(fetch(URL)), OK)
        self.assertEqual(self.dns.call("queries"), {})
        self.assertEqual(self.lab.unexpected(), {})

    def test_loopback_exception(self) -> None:
        """It opens the loopback interface and nothing else."""
        for record, want in (
                ({"a": ["127.0.0.1"]}, "CIMD_E_CONNECT"),
                ({"a": ["10.0.0.1"]}, ADDRESS),
                ({"a": ["127.0.0.1", "10.0.0.1"]}, ADDRESS),
                ({"a": ["169.254.169.254"]}, ADDRESS)):
            self.name(**record)
            # Nobody listens at this port.
            got = fetch(f"https://{NAME}:9/good", "--loopback")
            self.assertEqual(got["code"], want)
        self.assertEqual(self.lab.unexpected(), {"127.0.0.1:9": 1})


class Dns(Net):
    """Name servers that fail, lie or say nothing."""

    def test_dead(self) -> None:
        for dead in (True, ["A"], ["AAAA"]):
            self.name(a=[GOOD4], aaaa=[GOOD6], dead=dead)
            got = timely(2000 + SLACK, URL)
            self.assertEqual(got.first["code"], "CIMD_E_TIMEOUT")
            self.assertGreaterEqual(got.first["ms"], 1990)
            self.assert_clean(got.process)
        for many in (("--repeat", "10"), ("--threads", "16")):
            got = timely(120 + SLACK, URL, "--timeout", "120", *many)
            self.assertEqual({record["code"] for record in got.fetches},
                             {"CIMD_E_TIMEOUT"})
            self.assert_clean(got.process)

    def test_dead_server(self) -> None:
        """A name server that is not there, or not reachable."""
        for server in (REFUSED, BLACKHOLE, "127.0.0.1:9"):
            got = timely(500 + SLACK, URL, "--dns", server,
                         "--timeout", "500")
            self.assertEqual(got.first["class"], "unavailable")
            self.assert_clean(got.process)
        self.name(a=[GOOD4])
        got = run(URL, "--dns", f"{REFUSED},{self.lab.resolver}")
        self.assertEqual(said(got.first), OK)

    def assert_clean(self, process: dict[str, Any]) -> None:
        """No descriptor and no thread more than before."""
        self.assertEqual(process["fds_before"], process["fds_after"])
        self.assertEqual(process["threads_before"],
                         process["threads_after"])

    def test_failures(self) -> None:
        for record, want in (
                ({"rcode": "SERVFAIL"}, "CIMD_E_DNS"),
                ({"rcode": "REFUSED"}, "CIMD_E_DNS"),
                ({"rcode": "NXDOMAIN"}, "CIMD_E_DNS"),
                ({"a": []}, "CIMD_E_DNS"),
                ({"cname": NAME}, "CIMD_E_DNS"),
                ({"cname": "nothing.example.org"}, "CIMD_E_DNS")):
            self.name(**record)
            got = fetch(URL)
            self.assertEqual(got["code"], want, record)
            self.assertEqual(got["class"], "unavailable")
        for record in ({"a": [GOOD4], "garbage": True},
                       {"a": [GOOD4], "wrong": "id"},
                       {"a": [GOOD4], "wrong": "name"}):
            self.name(**record)
            got = fetch(URL, "--timeout", "500")
            self.assertEqual(got["class"], "unavailable", record)
        self.assertEqual(self.attempts(), {})

    def test_good_answers(self) -> None:
        self.name(a=[GOOD4], truncate=True)
        self.assertEqual(said(fetch(URL)), OK, "asks again by TCP")
        self.name(a=[GOOD4], delay=0.2)
        self.assertEqual(said(fetch(URL)), OK, "waits for a slow answer")
        self.name(sequence=[{"dead": True}, {"a": [GOOD4]}])
        self.assertEqual(said(fetch(URL)), OK, "asks again after silence")
        self.name(a=[f"93.184.217.{n}" for n in range(31)] + [GOOD4])
        self.assertNotEqual(fetch(URL, "--timeout", "300")["code"],
                            "CIMD_E_DNS")
        self.name(a=[f"93.184.217.{n}" for n in range(32)] + [GOOD4])
        got = fetch(URL)
        self.assertEqual(got["code"], "CIMD_E_DNS")
        self.assertIn("more than 32 addresses", got["text"])

    def test_only_the_name_is_asked_for(self) -> None:
        """No search domain, no alias of the environment."""
        aliases = os.path.join(self.folder(), "aliases")
        with open(aliases, "w", encoding="ascii") as out:
            out.write(f"{NAME} inside.example.net\n")
        fetch("https://nothing.example.org/x", env={
            "LOCALDOMAIN": "example.net", "RES_OPTIONS": "ndots:9",
            "HOSTALIASES": aliases, "CARES_HOSTS": aliases})
        asked = {query.split()[0] for query in self.dns.call("queries")}
        self.assertEqual(asked, {"nothing.example.org"})


class Connect(Net):
    """Servers that cannot be connected to."""

    def test_blackhole(self) -> None:
        got = timely(2000 + SLACK, "https://blackhole.example.net/x",
                     "--timeout", "4000").first
        self.assertEqual(got["code"], "CIMD_E_TIMEOUT")
        self.assertGreaterEqual(got["ms"], 1990)

    def test_resolving_counts_as_connecting(self) -> None:
        self.name(a=[BLACKHOLE], delay=0.3)
        got = timely(2000 + SLACK, URL, "--timeout", "4000").first
        self.assertEqual(got["code"], "CIMD_E_TIMEOUT")
        self.assertGreaterEqual(got["ms"], 1990)

    def test_refused(self) -> None:
        got = fetch("https://refused.example.net/x")
        self.assertEqual(got["code"], "CIMD_E_CONNECT")


if __name__ == "__main__":
    labtest.main(["--hostile", "--trap", "--dns", "faults"])
