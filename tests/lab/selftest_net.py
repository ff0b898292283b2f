# SPDX-License-Identifier: Apache-2.0
"""Self-test: DNS faults, the trap, isolation, what suites use."""

from __future__ import annotations

import ipaddress
import os
import re
import select
import socket
import subprocess
import sys
import time

import labtest
from witness import curl, hostile, query, question, read_answer


class Dns(labtest.Case):
    """The name server gives the faults of its table."""

    def setUp(self) -> None:
        self.dns = labtest.lab().dns
        self.before = self.dns.call("table")
        self.addCleanup(self.dns.call, "replace", table=self.before)
        self.dns.call("reset")

    def resolve(self, name: str, seconds: str = "30") -> tuple[list[str], int]:
        """Addresses that the system's resolver finds, in order of the
        answer; the exit status of getent."""
        done = subprocess.run(
            ["timeout", seconds, "getent", "ahostsv4", name],
            capture_output=True, text=True, check=False)
        found = [line.split()[0] for line in done.stdout.splitlines()
                 if "STREAM" in line]
        return found, done.returncode

    def test_order(self) -> None:
        for order in (["93.184.216.9", "10.0.0.1"],
                      ["10.0.0.1", "93.184.216.9"]):
            self.dns.call("set", name="mix.example.net", record={"a": order})
            self.assertEqual(query("mix.example.net"), (0, order))
            self.assertEqual(query("mix.example.net", tcp=True), (0, order))
            self.assertEqual(sorted(self.resolve("mix.example.net")[0]),
                             sorted(order))

    def test_families(self) -> None:
        self.dns.call("set", name="six.example.net", record={
            "a": [], "aaaa": ["64:ff9b::a00:1", "::ffff:10.0.0.1"]})
        self.assertEqual(query("six.example.net"), (0, []))
        self.assertEqual(query("six.example.net", qtype=28), (0, [
            str(ipaddress.ip_address("64:ff9b::a00:1")),
            str(ipaddress.ip_address("::ffff:10.0.0.1"))]))

    def test_rebinding(self) -> None:
        steps = [{"a": ["93.184.216.9"]}, {"a": ["10.0.0.1"]}]
        self.dns.call("set", name="r.example.net",
                      record={"sequence": steps})
        seen = [query("r.example.net")[1][0] for _ in range(3)]
        self.assertEqual(seen, ["93.184.216.9", "10.0.0.1", "10.0.0.1"])
        self.dns.call("set", name="r.example.net",
                      record={"sequence": steps, "cycle": True})
        seen = [query("r.example.net")[1][0] for _ in range(3)]
        self.assertEqual(seen, ["93.184.216.9", "10.0.0.1", "93.184.216.9"])
        self.assertEqual(self.dns.call("queries"), {"r.example.net A": 6})

    def test_question_that_is_repeated(self) -> None:
        """It gets the same answer; after silence it is another one."""
        steps = [{"dead": True}, {"a": ["93.184.216.9"]},
                 {"a": ["10.0.0.1"]}]
        self.dns.call("set", name="again.example.net",
                      record={"sequence": steps})
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect((labtest.lab().resolver, 53))
            sock.settimeout(30)
            data = question("again.example.net", 1, 77)
            sock.send(data)
            labtest.wait_until(lambda: self.dns.call("queries"))
            for _ in range(3):
                sock.send(data)
                self.assertEqual(
                    read_answer(sock.recv(4096), len(data), 1, 77),
                    (0, ["93.184.216.9"]))
        self.assertEqual(self.dns.call("queries"), {"again.example.net A": 2})
        self.assertEqual(query("again.example.net"), (0, ["10.0.0.1"]))

    def test_codes(self) -> None:
        self.dns.call("set", name="fail.example.net",
                      record={"rcode": "SERVFAIL"})
        self.assertEqual(query("fail.example.net"), (2, []))
        self.assertEqual(query("nothing.example.net"), (3, []))
        self.dns.call("set", name="*.wild.example.net",
                      record={"a": ["93.184.216.9"]})
        self.assertEqual(query("a.b.wild.example.net")[1], ["93.184.216.9"])
        self.dns.call("set", name="*", record={"rcode": "REFUSED"})
        self.assertEqual(query("nothing.example.net"), (5, []))
        self.assertEqual(query("a.wild.example.net")[1], ["93.184.216.9"])

    def test_other_nameserver(self) -> None:
        lab = labtest.lab()
        self.addCleanup(lab.nameservers)
        self.assertNotEqual(self.resolve("claude.ai")[0], [])
        lab.nameservers("93.184.216.99")  # nobody listens there
        self.assertEqual(self.resolve("claude.ai")[0], [])

    def test_aliases(self) -> None:
        self.dns.call("set", name="one.example.net",
                      record={"cname": "two.example.net"})
        self.dns.call("set", name="two.example.net",
                      record={"cname": "three.example.net"})
        self.dns.call("set", name="three.example.net",
                      record={"a": ["93.184.216.9"]})
        self.assertEqual(self.resolve("one.example.net")[0],
                         ["93.184.216.9"])
        self.dns.call("set", name="three.example.net",
                      record={"cname": "one.example.net"})
        self.assertNotEqual(self.resolve("one.example.net")[1], 0)

    def test_silence(self) -> None:
        self.dns.call("set", name="dead.example.net", record={"dead": True})
        self.assertEqual(self.resolve("dead.example.net", "0.5")[1], 124)
        self.dns.call("set", name="half.example.net", record={
            "a": ["93.184.216.9"], "dead": ["AAAA"]})
        self.assertEqual(query("half.example.net")[1], ["93.184.216.9"])
        with self.assertRaises(TimeoutError):
            query("half.example.net", qtype=28, seconds=0.3)
        self.dns.call("set", name="late.example.net", record={
            "a": ["93.184.216.9"], "delay": 0.3})
        start = time.monotonic()
        query("late.example.net")
        self.assertGreater(time.monotonic() - start, 0.3)

    def test_bad_datagrams(self) -> None:
        name = "odd.example.net"
        self.dns.call("set", name=name, record={
            "a": ["93.184.216.9"], "truncate": True})
        self.assertEqual(query(name), ("truncated", []))
        self.assertEqual(self.resolve(name)[0], ["93.184.216.9"],
                         "the resolver asks again by TCP")
        many = [f"93.184.217.{n}" for n in range(1, 101)]
        self.dns.call("set", name=name, record={"a": many})
        self.assertEqual(query(name), ("truncated", []))
        self.assertEqual(query(name, tcp=True), (0, many))
        self.dns.call("set", name=name, record={
            "a": ["93.184.216.9"], "wrong": "id"})
        self.assertEqual(query(name), ("another", []))
        self.dns.call("set", name=name, record={"garbage": True})
        self.assertEqual(query(name)[0], "garbage")


class Trap(labtest.Case):
    """Every attempt to connect is counted, wherever it goes."""

    def setUp(self) -> None:
        self.lab = labtest.lab()
        self.lab.trap.call("reset")

    def test_public_only(self) -> None:
        self.assertEqual(hostile("/good").status, 200)
        self.assertEqual(self.lab.unexpected(), {})
        self.assertNotEqual(self.lab.trap.call("counts")["syn"], {})

    def test_private(self) -> None:
        self.assertNotEqual(curl("https://10.0.0.1/").code, 0)
        self.assertNotEqual(curl("https://169.254.169.254/").code, 0)
        counts = self.lab.trap.call("counts")
        want = {"10.0.0.1:443": 1, "169.254.169.254:443": 1}
        self.assertEqual(counts["accepted"], want)
        self.assertEqual(counts["syn"], want)

    def test_nobody_listens(self) -> None:
        self.assertEqual(curl("https://8.8.4.4:8080/").code, 7)
        self.assertEqual(curl("https://127.0.0.1:1/").code, 7)
        self.assertEqual(self.lab.unexpected(),
                         {"8.8.4.4:8080": 1, "127.0.0.1:1": 1})

    def test_ipv6(self) -> None:
        if not self.lab.ipv6:
            self.skipTest("no IPv6 in this kernel")
        curl("https://[64:ff9b::a00:1]/")
        curl("https://[fd00::99]/")
        curl("https://[::ffff:10.0.0.7]/")
        counts = self.lab.trap.call("counts")
        self.assertEqual(counts["syn"], {
            "[64:ff9b::a00:1]:443": 1, "[fd00::99]:443": 1,
            "10.0.0.7:443": 1})

    def test_dead_ends(self) -> None:
        self.assertEqual(curl("https://blackhole.example.net/",
                              seconds=0.5).code, 28)
        self.assertEqual(curl("https://refused.example.net/").code, 7)


DAEMON = """
import os, signal, socket, sys
print('{"event": "start"}', file=sys.stderr, flush=True)
assert os.environ["LISTEN_PID"] == str(os.getpid())
door = socket.socket(fileno=3)
tell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
tell.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
while True:
    conn, _ = door.accept()
    text = conn.recv(4096).split(b" ")[1]
    conn.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\n"
                 b"Content-Length: %d\\r\\n\\r\\n\\"%s\\""
                 % (len(text) + 2, text))
    conn.close()
"""


class Tools(labtest.Case):
    """What suites use to run a daemon."""

    def test_activated_daemon(self) -> None:
        folder = self.folder()
        path = os.path.join(folder, "s")
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        door.bind(path)
        door.listen(8)
        with door:
            daemon = self.daemon([sys.executable, "-c", DAEMON],
                                 folder=folder, sockets=[door])
            daemon.start(notify=True)
        client = labtest.UnixHTTP(path)
        got = client.lookup("https://a.example.net/x?y", purpose="token")
        self.assertEqual(got.json(), "/v1/client?client_id=https%3A%2F%2Fa"
                         ".example.net%2Fx%3Fy&purpose=token")
        self.assertTrue(client.raw(b"GET /r X\r\n\r\n").endswith(b'"/r"'))
        self.assertEqual(daemon.records(), [{"event": "start"}])
        self.assertGreaterEqual(daemon.fds(), 4)
        self.assertEqual(daemon.threads(), 1)
        self.assertGreater(daemon.rss(), 1000)
        self.assertEqual(daemon.stop(), 3)

    def test_daemon_that_ends(self) -> None:
        daemon = self.daemon(["/bin/sh", "-c", "echo no luck >&2; exit 5"])
        with self.assertRaisesRegex(AssertionError, "no luck"):
            daemon.start(ready=lambda: False)

    def test_wait(self) -> None:
        with self.assertRaisesRegex(AssertionError, "never: not within"):
            labtest.wait_until(lambda: False, 0.05, "never")


class Isolation(labtest.Case):
    """Nothing leaks out, nothing outlives the laboratory."""

    def test_names_and_files(self) -> None:
        with open("/etc/resolv.conf", encoding="ascii") as src:
            self.assertEqual(src.read(),
                             f"nameserver {labtest.lab().resolver}\n")
        with open("/proc/net/dev", encoding="ascii") as src:
            names = re.findall(r"^\s*(\S+):", src.read(), re.M)
        self.assertEqual(names, ["lo"])

    def test_killed_laboratory(self) -> None:
        """kill -9 of the outer process ends everything inside."""
        pipe = os.pipe()
        outer = subprocess.Popen(
            [sys.executable, os.path.join(labtest.HERE, "lab.py"), "run",
             "--", "/bin/sh", "-c", "echo up; exec sleep 1000"],
            stdout=pipe[1], pass_fds=[pipe[1]])
        os.close(pipe[1])
        self.addCleanup(outer.wait)
        self.addCleanup(outer.kill)
        self.assertTrue(select.select([pipe[0]], [], [], 60)[0])
        self.assertEqual(os.read(pipe[0], 3), b"up\n")
        outer.kill()
        outer.wait()
        ended = select.select([pipe[0]], [], [], 60)[0]
        self.assertTrue(ended, "something inside still holds the pipe")
        self.assertEqual(os.read(pipe[0], 1), b"")
        os.close(pipe[0])

    def test_loopback(self) -> None:
        """Without namespaces: the same documents, on one port."""
        script = ('curl -q -sS --cacert "$LAB_CA_FILE" '
                  '"$LAB_BASE/claude.ai/oauth/claude-code-client-metadata" '
                  '"https://$LAB_HOSTILE/good"; echo; echo "$LAB_BASE"')
        done = subprocess.run(
            [sys.executable, os.path.join(labtest.HERE, "lab.py"), "run",
             "--loopback", "--hostile", "--sites",
             os.path.join(labtest.top_src(), "tests/fixtures/documents"),
             "--", "/bin/sh", "-c", script], capture_output=True, text=True,
            check=False, timeout=120)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        base = done.stdout.splitlines()[-1]
        self.assertIn(f'"{base}/claude.ai/oauth/claude-code-client-metadata"',
                      done.stdout)
        self.assertIn("A lab client", done.stdout)
