#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The life of cimdd: start, sockets, reload, signals, end."""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from served import (Case, Served, connect, labtest, read_all,  # noqa: E402
                    run)

NOBODY = 65534


def has_cimd(kind: str) -> bool:
    """Does this machine have the user or group of that name?"""
    try:
        (pwd.getpwnam if kind == "user" else grp.getgrnam)("cimd")
    except KeyError:
        return False
    return True


class Start(Case):
    """Sockets, privileges, and what is refused at start."""

    def refused(self, served: Served, status: int, text: str,
                **env: "str | None") -> None:
        """It ends at once with this status and says why."""
        done = subprocess.run(served.argv(), capture_output=True, text=True,
                              timeout=120, check=False,
                              env={**os.environ, **env})
        self.assertEqual((done.returncode, done.stdout), (status, ""))
        self.assertIn(text, done.stderr)
        for line in done.stderr.splitlines():
            self.assertIn("event", json.loads(line))

    def test_sockets(self) -> None:
        """Modes from the first moment, gone at the end."""
        served = self.serve()
        for path, mode in ((served.lookup_path, 0o660),
                           (served.admin_path, 0o600)):
            found = os.stat(path)
            self.assertTrue(stat.S_ISSOCK(found.st_mode))
            self.assertEqual(stat.S_IMODE(found.st_mode), mode)
        self.assertEqual(served.daemon.stop(), 0)
        self.assertFalse(os.path.exists(served.lookup_path))
        self.assertFalse(os.path.exists(served.admin_path))
        events = [line["event"] for line in served.daemon.records()]
        self.assertEqual([e for e in events if e != "warning"],
                         ["start", "stop"])

    def test_left_over_socket(self) -> None:
        """A socket on which nobody answers is replaced."""
        served = Served(self)
        for path in (served.lookup_path, served.admin_path):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.bind(path)
        served.start()
        self.assertEqual(served.lookup.lookup("now").status, 200)
        served.daemon.kill()  # leaves its own behind
        self.assertTrue(os.path.exists(served.lookup_path))
        served.start()
        self.assertEqual(served.lookup.lookup("now").status, 200)

    def test_socket_in_use(self) -> None:
        """One on which somebody answers is not, even where his backlog is
        full."""
        served = self.serve()
        self.refused(served, 3, "another process answers")
        self.assertEqual(served.lookup.lookup("now").status, 200)
        served.daemon.stop()
        with socket.socket(socket.AF_UNIX) as busy:
            busy.bind(served.lookup_path)
            busy.listen(0)
            held = [socket.socket(socket.AF_UNIX) for _ in range(4)]
            for sock in held:
                self.addCleanup(sock.close)
                sock.setblocking(False)
                try:
                    sock.connect(served.lookup_path)
                except BlockingIOError:
                    pass
            self.refused(served, 3, "another process answers")

    def test_file_in_the_way(self) -> None:
        """What is no socket is never removed."""
        served = Served(self)
        with open(served.admin_path, "w", encoding="ascii") as out:
            out.write("precious")
        self.refused(served, 3, "is in the way: no socket")
        self.assertTrue(os.path.isfile(served.admin_path))
        self.assertFalse(os.path.exists(served.lookup_path))

    def test_no_place_for_the_socket(self) -> None:
        """A missing folder is named."""
        served = Served(self)
        served.lookup_path = os.path.join(served.folder, "no", "l.sock")
        served.configure()
        self.refused(served, 3, "cannot bind " + served.lookup_path)

    def test_bad_configuration(self) -> None:
        """Each fault is one line; nothing is opened."""
        served = Served(self, "nonsense = 1\nquery = maybe\n")
        self.refused(served, 1,
                     f"{served.conf}:5: there is no setting")
        served.configure("contact = 'bad@example.org'\n")
        self.refused(served, 1, "cimd.conf:1: contact: bad")
        os.unlink(served.conf)
        self.refused(served, 1, f"{served.conf}: cannot open it")
        self.assertFalse(os.path.exists(served.lookup_path))

    def activated(self, *names: str) -> tuple[Served, list[socket.socket]]:
        """Listening sockets as systemd passes them; not started yet."""
        served = Served(self)
        made = []
        for name in names:
            sock = socket.socket(socket.AF_UNIX)
            sock.bind(os.path.join(served.folder, f"{name}.sock"))
            sock.listen(64)
            self.addCleanup(sock.close)
            made.append(sock)
        served.daemon = self.daemon(
            served.argv(), folder=served.folder, sockets=made,
            env={"LISTEN_FDNAMES": ":".join(names)})
        return served, made

    def test_activation(self) -> None:
        """Sockets of systemd are served by name, in any order, and stay."""
        for names in (("lookup", "admin"), ("admin", "lookup")):
            with self.subTest(names):
                served, _ = self.activated(*names)
                early = connect(os.path.join(served.folder, "lookup.sock"))
                self.addCleanup(early.close)
                early.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
                              b"Connection: close\r\n\r\n")
                served.start()
                self.assertRegex(read_all(early), rb"^HTTP/1.1 200 ")
                self.assertFalse(
                    served.lookup.lookup("now").json()["admin"])
                self.assertTrue(served.admin.get("/v1/status")
                                .json()["admin"])
                self.assertEqual(served.daemon.stop(), 0)
                self.assertTrue(os.path.exists(served.lookup_path))
                self.assertTrue(os.path.exists(served.admin_path))

    def test_activation_of_lookup_alone(self) -> None:
        """Then there is no admin socket."""
        served, _ = self.activated("lookup")
        served.start()
        self.assertEqual(served.lookup.get("/healthz").status, 200)
        self.assertFalse(os.path.exists(served.admin_path))

    def test_activation_refused(self) -> None:
        """Unknown names, names twice and sockets that do not listen."""
        served, _ = self.activated("lookup", "cimdd.socket")
        with self.assertRaisesRegex(AssertionError,
                                    "neither .*lookup.* nor .*admin"):
            served.start()
        served, made = self.activated("lookup")
        served.daemon.sockets = [made[0], made[0]]
        served.daemon.env = {"LISTEN_FDNAMES": "lookup:lookup"}
        with self.assertRaisesRegex(AssertionError, "two inherited"):
            served.start()
        served, made = self.activated("lookup")
        ends = socket.socketpair()
        for end in ends:
            self.addCleanup(end.close)
        served.daemon.sockets = [ends[0]]
        with self.assertRaisesRegex(AssertionError, "no listening UNIX"):
            served.start()

    def test_inherited_descriptors_are_closed(self) -> None:
        """Whatever the one who started us had open."""
        served = Served(self)
        ours, theirs = os.pipe()
        self.addCleanup(os.close, ours)
        served.daemon.inherited = [theirs]
        try:
            served.start()
        finally:
            os.close(theirs)
        os.set_blocking(ours, False)
        self.assertEqual(os.read(ours, 1), b"")  # closed, not ended
        self.assertEqual(served.daemon.stop(), 0)

    def test_without_standard_descriptors(self) -> None:
        """No socket of ours becomes standard error."""
        served = Served(self)
        close = "import os, sys; os.closerange(0, 3); " \
            "os.execv(sys.argv[1], sys.argv[1:])"
        served.daemon = self.daemon(
            [sys.executable, "-c", close, *served.argv()],
            folder=served.folder)
        served.start()
        self.assertEqual(served.lookup.lookup("now").status, 200)
        for fd in range(3):
            self.assertEqual(os.readlink(served.daemon.proc(f"fd/{fd}")),
                             "/dev/null")
        self.assertEqual(served.daemon.stop(), 0)

    def test_what_the_process_gave_up(self) -> None:
        """Core dumps, new privileges, files for others."""
        served = self.serve()
        self.assertEqual(served.daemon.status("NoNewPrivs"), 1)
        with open(served.daemon.proc("limits"), encoding="ascii") as src:
            core, = [line for line in src if "core file" in line]
        self.assertEqual(core.split()[4:6], ["0", "0"])
        with open(served.daemon.proc("status"), encoding="ascii") as src:
            self.assertIn("Umask:\t0077\n", src.read())

    def test_user(self) -> None:
        """Root becomes the user, for good and with its groups only; anybody
        else stays who he is."""
        served = Served(self)
        with open(served.conf, encoding="utf-8") as src:
            text = src.read()
        with open(served.conf, "w", encoding="utf-8") as out:
            out.write(text.replace("user = root", "user = nobody"))
        os.chmod(served.folder, 0o755)
        served.daemon.start(
            ready=lambda: served.daemon.wait_log('"start"'))
        with open(served.daemon.proc("status"), encoding="ascii") as src:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in src)
        wanted = NOBODY if os.geteuid() == 0 else os.geteuid()
        self.assertEqual(fields["Uid"].split(), [str(wanted)] * 4)
        self.assertEqual(served.lookup.lookup("now").status, 200)
        self.assertEqual(served.admin.get("/v1/status").status, 200)
        if os.geteuid() == 0:
            self.assertNotIn("0", fields["Gid"].split())
            self.assertNotIn("0", fields["Groups"].split())
            self.assertEqual(int(fields["CapEff"], 16), 0)
            self.assertEqual(int(fields["CapPrm"], 16), 0)
            self.assertEqual(os.stat(served.admin_path).st_uid, 0)
        served.daemon.signal(signal.SIGHUP)
        served.daemon.wait_log("the configuration was read again")
        self.assertEqual(served.daemon.stop(), 0)

    def test_no_such_user_or_group(self) -> None:
        """Whoever starts it: the file is wrong, and the line is named."""
        served = Served(self)
        for line, name, what in ((3, "user", "user"),
                                 (4, "socket_group", "group")):
            served.configure()
            with open(served.conf, encoding="utf-8") as src:
                conf = src.read()
            with open(served.conf, "w", encoding="utf-8") as out:
                out.write(conf.replace(f"{name} = root",
                                       f"{name} = no-such-name"))
            self.refused(served, 1, f"{served.conf}:{line}: there is no "
                         f"{what} \\\"no-such-name\\\"")
            self.assertFalse(os.path.exists(served.lookup_path))

    def test_no_initial_user(self) -> None:
        """Root does not go on as root where nothing was configured; -t only
        notes it, since a package may be about to make the user."""
        for name in ("user", "socket_group"):
            served = Served(self)
            with open(served.conf, encoding="utf-8") as src:
                conf = src.read()
            with open(served.conf, "w", encoding="utf-8") as out:
                out.write(conf.replace(f"{name} = root\n", ""))
            kind = {"user": "user", "socket_group": "group"}[name]
            done = run("-t", "-c", served.conf)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            if os.geteuid() != 0 or has_cimd(kind):
                self.assertNotIn("note:", done.stdout)
                continue
            self.assertIn(f"note: there is no {kind} \"cimd\": ",
                          done.stdout)
            self.refused(served, 3, f"{name}: there is no {kind} ")

    def test_development_loopback(self) -> None:
        """Not for a system service; a warning anywhere else."""
        served = Served(self, "development_loopback = yes\n")
        self.refused(served, 1, "not for a system service: a service "
                     "manager waits", NOTIFY_SOCKET="/nowhere")
        served.daemon.start(
            ready=lambda: served.daemon.wait_log('"start"'))
        served.daemon.wait_log('"warning".*development_loopback is on')
        self.assertEqual(served.daemon.stop(), 0)
        served, _ = self.activated("lookup")
        served.configure("development_loopback = yes\n")
        with self.assertRaisesRegex(AssertionError,
                                    "the sockets come from systemd"):
            served.daemon.start(ready=lambda: False)

    def test_journal(self) -> None:
        """Lines carry a priority for the journal, and for nobody else."""
        for right in (True, False):
            served = Served(self)
            with open(served.daemon.log, "wb") as out:
                st = os.fstat(out.fileno())
            served.daemon.env["JOURNAL_STREAM"] = \
                f"{st.st_dev}:{st.st_ino + (not right)}"
            served.start()
            self.assertEqual(served.daemon.stop(), 0)
            lines = served.daemon.text().splitlines()
            pattern = r"^<[35]>\{" if right else r"^\{"
            self.assertGreater(len(lines), 1)
            for line in lines:
                self.assertRegex(line, pattern)

    def test_verbose(self) -> None:
        """Debug lines only where they are asked for."""
        served = self.serve()
        served.daemon.stop()
        self.assertNotIn("double", served.daemon.text())
        served.daemon.argv.append("-v")
        served.start()
        served.daemon.wait_log('"event":"double"')


class Reload(Case):
    """A new configuration, all of it or nothing."""

    def loads(self, served: Served) -> int:
        """How often the double was given a configuration."""
        return int(served.lookup.lookup("now").json()["loads"])

    def hangup(self, served: Served, pattern: str) -> None:
        """SIGHUP, and a line that comes of it."""
        before = len(re.findall(pattern, served.daemon.text()))
        served.daemon.signal(signal.SIGHUP)
        labtest.wait_until(lambda: len(re.findall(
            pattern, served.daemon.text())) > before, what=pattern)

    def test_good(self) -> None:
        """By signal and by request."""
        served = self.serve()
        self.hangup(served, "the configuration was read again")
        self.assertEqual(self.loads(served), 2)
        self.assertNotIn("asks for it", served.daemon.text())
        answer = served.admin.post("/v1/reload")
        served.daemon.wait_log(f"user {os.geteuid()} asks for it")
        self.assertEqual((answer.status, answer.json()),
                         (200, {"reloaded": True}))
        self.assertEqual(self.loads(served), 3)
        self.assertEqual(served.lookup.post("/v1/reload").status, 403)
        self.assertEqual(self.loads(served), 3)

    def test_bad(self) -> None:
        """The old one stays; file, line and reason are logged and told."""
        served = self.serve()
        for settings, reason in [
                ("nonsense = 1\n", f"{served.conf}:5: there is no setting"),
                ("client a {\n", f"{served.conf}:5: client .*a.* is not "
                 "closed"),
                ("contact = 'bad@example.org'\n", "cimd.conf:1: contact"),
                ("development_loopback = yes\n",
                 "not for a system service")]:
            with self.subTest(settings):
                served.configure(settings)
                self.hangup(served, reason)
                self.hangup(served, "the old configuration stays")
                answer = served.admin.post("/v1/reload")
                self.assertEqual(answer.status, 500)
                found = answer.json()
                self.assertEqual((found["code"], found["class"]),
                                 ("CIMD_E_CONFIG", "broken"))
                self.assertRegex(found["detail"], reason)
        os.unlink(served.conf)
        self.hangup(served, "cannot open it")
        self.assertEqual(self.loads(served), 1)
        served.configure()
        self.hangup(served, "the configuration was read again")
        self.assertEqual(self.loads(served), 2)

    def test_all_faults_are_logged(self) -> None:
        """One line each; the answer tells the first and how many more."""
        served = self.serve()
        served.configure("a = 1\nb = 1\nc = 1\n")
        found = served.admin.post("/v1/reload").json()
        self.assertIn(f"{served.conf}:5: ", found["detail"])
        self.assertIn("(and 2 more)", found["detail"])
        for line in (5, 6, 7):
            served.daemon.wait_log(f"{served.conf}:{line}: there is no")

    def test_limits_of_connections(self) -> None:
        """They are taken over."""
        served = self.serve()
        held = [served.connect() for _ in range(5)]
        served.configure("max_connections_uid = 5\n")
        self.assertEqual(served.admin.post("/v1/reload").status, 200)
        self.assertRegex(read_all(served.connect()), rb"^HTTP/1.1 503 ")
        served.configure()
        self.assertEqual(served.admin.post("/v1/reload").status, 200)
        self.assertEqual(served.lookup.lookup("now").status, 200)
        self.assertEqual(len(held), 5)

    def test_what_needs_a_start(self) -> None:
        """Other sockets are not opened, and that is said."""
        served = self.serve()
        path = served.lookup_path
        served.lookup_path += "x"
        served.configure()
        self.assertEqual(served.admin.post("/v1/reload").status, 200)
        served.daemon.wait_log("change with the next start")
        self.assertTrue(os.path.exists(path))
        self.assertFalse(os.path.exists(path + "x"))

    def test_service_manager(self) -> None:
        """It is told that a reload begins, when, and that it is over."""
        served = self.serve()
        self.assertEqual(served.told(), ["READY=1", "STATUS=Serving"])
        served.admin.post("/v1/reload")
        labtest.wait_until(lambda: len(served.told()) >= 7)
        said = served.told()[2:]
        self.assertEqual(said[0], "RELOADING=1")
        self.assertRegex(said[1], r"^MONOTONIC_USEC=\d+$")
        self.assertLess(abs(time.monotonic() * 1e6
                            - int(said[1].partition("=")[2])), 30e6)
        self.assertEqual(said[-2:], ["READY=1", "STATUS=Serving"])
        served.configure("x = 1\n")
        served.admin.post("/v1/reload")
        labtest.wait_until(
            lambda: "STATUS=Serving; the last reload failed, the old "
            "configuration stays" in served.told())
        served.daemon.signal(signal.SIGTERM)
        self.assertEqual(served.daemon.wait(), 0)
        labtest.wait_until(lambda: "STOPPING=1" in served.told())

    def test_storm(self) -> None:
        """Hundreds of signals and requests beside lookups: the last
        configuration holds, and nothing is left behind."""
        served = Served(self)  # nobody reads what a service manager is told
        served.daemon.start(
            ready=lambda: served.daemon.wait_log('"start"'))
        before = served.figures()
        bad: list[Any] = []
        done = threading.Event()

        def look() -> None:
            with labtest.UnixHTTP(served.lookup_path) as client:
                while not done.is_set():
                    status = client.lookup("later").status
                    if status != 200:
                        bad.append(status)

        def ask() -> None:
            for _ in range(10):
                status = served.admin.post("/v1/reload").status
                if status != 200:
                    bad.append(status)
        threads = [threading.Thread(target=look) for _ in range(3)]
        askers = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads + askers:
            thread.start()
        for _ in range(300):
            served.daemon.signal(signal.SIGHUP)
        for thread in askers:
            thread.join()
        done.set()
        for thread in threads:
            thread.join()
        self.assertEqual(bad, [])
        labtest.wait_until(lambda: served.figure(
            'cimdd_connections{socket="lookup"}') == 0, what="no clients")
        served.configure("max_connections_uid = 2\n")
        self.hangup(served, "the configuration was read again")
        held = [served.connect() for _ in range(2)]
        self.assertRegex(read_all(served.connect()), rb"^HTTP/1.1 503 ")
        for sock in held:
            sock.close()
        for name in ("process_open_fds", "process_threads"):
            labtest.wait_until(lambda: served.figure(name) <= before[name],
                               what=name)
        self.assertEqual(served.daemon.stop(), 0)


class Stop(Case):
    """The end, with clients that are not done."""

    def stopping(self, served: Served) -> None:
        """It stops, and has noticed that."""
        served.daemon.signal(signal.SIGTERM)
        labtest.wait_until(
            lambda: not os.path.exists(served.lookup_path), what="the end")

    def test_requests_under_way_are_answered(self) -> None:
        """Those that were read get their answer, the last of their
        connection; nobody new comes in."""
        served = self.serve()
        waiting = [served.ask("hold:a") for _ in range(20)]
        helper = labtest.UnixHTTP(served.lookup_path)
        with helper:
            self.assertEqual(helper.lookup("now").status, 200)
            labtest.wait_until(lambda: served.figure(
                'cimdd_calls{socket="lookup"}') == 20)
            self.stopping(served)
            with self.assertRaises((ConnectionRefusedError,
                                    FileNotFoundError)):
                served.connect()
            answer = helper.lookup("release:a")
            self.assertEqual(answer.json(), {"released": 20})
            self.assertEqual(answer.headers["connection"], "close")
        for sock in waiting:
            found = read_all(sock)
            self.assertRegex(found, rb"^HTTP/1.1 200 ")
            self.assertIn(b"\r\nConnection: close\r\n", found)
        self.assertEqual(served.daemon.wait(), 0)

    def test_requests_that_never_get_an_answer(self) -> None:
        """They are told so in bounded time, and the status says it."""
        served = self.serve()
        waiting = [served.ask("never") for _ in range(3)]
        labtest.wait_until(lambda: served.figure(
            'cimdd_calls{socket="lookup"}') == 3)
        self.stopping(served)
        for sock in waiting:
            found = read_all(sock)
            self.assertRegex(found, rb"^HTTP/1.1 503 ")
            problem = json.loads(found.partition(b"\r\n\r\n")[2])
            self.assertEqual((problem["code"], problem["class"]),
                             ("CIMD_E_BUSY", "unavailable"))
        self.assertEqual(served.daemon.wait(), 3)
        self.assertIn("3 requests got no answer in time",
                      served.daemon.text())
        self.assertIn("3 calls did not end", served.daemon.text())

    def test_idle_and_half_requests_do_not_hold_it_up(self) -> None:
        """Silent, kept, in the middle of a head or of a body.  Calls under
        way would have five seconds; a machine that stands still has other
        chances to show that these do not wait for that."""
        took = min(self.stop_with_idle_ones() for _ in range(3))
        self.assertLess(took, 4)

    def stop_with_idle_ones(self) -> float:
        """The seconds that it takes."""
        served = self.serve()
        socks = [served.connect() for _ in range(4)]
        socks[1].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertRegex(socks[1].recv(65536), rb"^HTTP/1.1 200 ")
        socks[2].sendall(b"GET /healthz HTTP/1.1\r\nHost:")
        socks[3].sendall(b"POST /v1/client HTTP/1.1\r\nHost: x\r\n"
                         b"Content-Length: 10\r\n\r\nabc")
        started = time.monotonic()
        self.assertEqual(served.daemon.stop(), 0)
        took = time.monotonic() - started
        for sock in socks:
            try:
                self.assertEqual(read_all(sock), b"")
            except ConnectionResetError:
                pass  # closed while bytes of ours were still unread
        return took

    def test_signals(self) -> None:
        """SIGTERM and SIGINT end it; again is no harm; so does one at once
        after a reload."""
        for numbers in ([signal.SIGINT], [signal.SIGTERM] * 3,
                        [signal.SIGHUP, signal.SIGTERM],
                        [signal.SIGPIPE, signal.SIGTERM]):
            with self.subTest(numbers):
                served = self.serve()
                for number in numbers:
                    served.daemon.signal(number)
                self.assertEqual(served.daemon.wait(), 0)

    def test_stop_of_a_herd(self) -> None:
        """While many clients ask: every answer that began is whole."""
        served = self.serve()
        bad: list[bytes] = []
        good = 0
        count = threading.Lock()

        def ask() -> None:
            nonlocal good
            while True:
                try:
                    sock = connect(served.lookup_path)
                    with sock:
                        sock.sendall(
                            b"GET /v1/client?client_id=later HTTP/1.1\r\n"
                            b"Host: x\r\nConnection: close\r\n\r\n")
                        found = read_all(sock)
                except OSError:
                    return
                head, _, body = found.partition(b"\r\n\r\n")
                length = re.search(rb"Content-Length: (\d+)", head)
                with count:
                    if found and (length is None
                                  or int(length[1]) != len(body)):
                        bad.append(found)
                    good += bool(found)
        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        labtest.wait_until(lambda: good > 200)
        self.assertEqual(served.daemon.stop(), 0)
        for thread in threads:
            thread.join()
        self.assertEqual(bad, [])

    def test_watchdog(self) -> None:
        """Signs of life come while all is well."""
        served = Served(self)
        served.daemon.env = {"WATCHDOG_USEC": "100000", "WATCHDOG_PID": None}
        served.start()
        labtest.wait_until(lambda: served.told().count("WATCHDOG=1") > 3)
        self.assertEqual(served.daemon.stop(), 0)


class Deleted(Case):
    """A package was replaced under the running daemon."""

    def test_reload_after_replacement(self) -> None:
        """The child is the program that runs, not what its file became."""
        served = Served(self)
        # libtool keeps the program itself in .libs.
        real = os.path.join(os.path.dirname(served.argv()[0]), ".libs",
                            "cimdd_double")
        if not os.path.exists(real):
            real = served.argv()[0]
        copy = os.path.join(served.folder, "cimdd")
        with open(real, "rb") as src, open(copy, "wb") as out:
            out.write(src.read())
        os.chmod(copy, 0o755)
        served.daemon.argv[0] = copy
        library = os.path.join(labtest.top_build(), "common", ".libs")
        served.daemon.env = {"LD_LIBRARY_PATH": library}
        served.start()
        os.unlink(copy)
        self.assertEqual(served.admin.post("/v1/reload").status, 200)


class Usage(Case):
    """What is said of a command line that is wrong."""

    def test_no_such_file(self) -> None:
        """The path is named."""
        done = run("-c", "/nonexistent/cimd.conf")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nonexistent/cimd.conf: cannot open it", done.stderr)


if __name__ == "__main__":
    labtest.main()
