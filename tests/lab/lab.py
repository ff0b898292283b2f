#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The laboratory: run a command where the internet is ours.

    lab.py run [--sites FOLDER] [--hostile] [--trap] [--dns dnsmasq|faults]
               [--loopback] [--keep FOLDER] -- COMMAND...
    lab.py probe        may this machine make namespaces?  0, or 77 and why

In namespaces (netns.py), real host names resolve to public-looking
addresses at which nginx serves the fixtures; on a machine that allows none,
run exits with 77 and one line.  --loopback needs no namespaces: everything
listens on free ports of 127.0.0.1.

COMMAND gets the environment that README.md lists.  Its exit status is ours.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from typing import Any

import netns
import sites
from ca import CA
from control import Control
from unixhttp import connect

HERE = os.path.dirname(os.path.abspath(__file__))
V4, V6 = "93.184.216.", "2606:2800:220:1::"
DNS4 = V4 + "53"
HOSTILE = "hostile.example.net"
HOSTILE4, HOSTILE6 = V4 + "200", V6 + "200"
BLACKHOLE, BLACKHOLE4 = "blackhole.example.net", V4 + "251"
REFUSED, REFUSED4 = "refused.example.net", V4 + "252"
PRIVATE = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
           "100.64.0.1", "168.63.129.16", "127.0.0.1", "::1", "fd00::1",
           "64:ff9b::a00:1", "2002:a00:1::1", "fec0::1"]
READY_SECONDS = 60.0
SERVICES = ("/usr/sbin", "/sbin")


class Failure(Exception):
    """A part of the laboratory did not start; the text says which."""


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago, and that the kernel
    gives nobody who does not ask for it."""
    with open("/proc/sys/net/ipv4/ip_local_port_range",
              encoding="ascii") as src:
        first, last = (int(word) for word in src.read().split())
    ports = [p for p in range(10000, 65536)
             if not first <= p <= last] or [0]
    while True:
        port = random.choice(ports)
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
                return int(sock.getsockname()[1])
            except OSError:
                continue


def program(name: str) -> str:
    """The path of a program, also where a user's PATH has no sbin."""
    path = os.pathsep.join((os.environ.get("PATH", ""), *SERVICES))
    found = shutil.which(name, path=path)
    if found is None:
        raise Failure(f"{name} is not installed")
    return found


def answers(where: tuple[str, int] | str) -> bool:
    """Does something accept connections at this port, or at this path of a
    UNIX socket, whose file is there before that?"""
    try:
        if isinstance(where, str):
            connect(where, 2).close()
        else:
            socket.create_connection(where, timeout=2).close()
    except OSError:
        return False
    return True


class Lab:
    """The services of one laboratory and what COMMAND must know of them."""

    def __init__(self, args: argparse.Namespace, folder: str) -> None:
        self.args, self.folder = args, folder
        self.loopback = bool(args.loopback)
        self.children: list[subprocess.Popen[bytes]] = []
        self.env: dict[str, str] = {}
        os.makedirs(folder, exist_ok=True)
        self.ca = CA(os.path.join(folder, "ca"))
        self.entries = sites.load(args.sites) if args.sites else []
        self.hosts = sites.hosts(self.entries)
        self.addresses = {host: (f"{V4}{n}", f"{V6}{n}")
                          for n, host in enumerate(self.hosts, 60)}

    def public(self) -> list[str]:
        """The addresses that are meant to be reached."""
        if self.loopback:
            return ["127.0.0.1"]
        pairs = [a for pair in self.addresses.values() for a in pair]
        return [DNS4, HOSTILE4, HOSTILE6, BLACKHOLE4, REFUSED4, *pairs]

    def start(self) -> None:
        """Start everything that was asked for; return when all answers."""
        self.env = {
            "LAB_MODE": "loopback" if self.loopback else "netns",
            "LAB_DIR": self.folder, "LAB_CA_PATH": self.ca.path,
            "LAB_CA_FILE": self.ca.file, "LAB_CA_DIR": self.ca.folder,
            "LAB_PUBLIC": " ".join(self.public()),
        }
        ipv6 = True
        if not self.loopback:
            own = [a for a in PRIVATE if a not in ("127.0.0.1", "::1")]
            ipv6 = netns.network(self.public() + own)
            netns.names(self.folder, DNS4)
        self.env["LAB_IPV6"] = str(int(ipv6))
        self.start_dns(ipv6)
        if self.args.sites:
            self.start_nginx(ipv6)
        if self.args.hostile:
            self.start_hostile(ipv6)
        if self.args.trap:
            self.start_trap(ipv6)

    def spawn(self, name: str, argv: list[str]) -> subprocess.Popen[bytes]:
        """Start a service; its words go to FOLDER/NAME.log."""
        with open(os.path.join(self.folder, name + ".log"), "wb") as log:
            child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=netns.die_with_parent)
        self.children.append(child)
        return child

    def wait(self, name: str, child: subprocess.Popen[bytes],
             ready: Any) -> None:
        """Wait until ready() or fail with the service's last words."""
        deadline = time.monotonic() + READY_SECONDS
        while not ready():
            if child.poll() is not None or time.monotonic() > deadline:
                path = os.path.join(self.folder, name + ".log")
                with open(path, encoding="utf-8", errors="replace") as log:
                    raise Failure(f"{name} did not start: {log.read()}")
            time.sleep(0.01)

    def mock(self, name: str, *args: str) -> Control:
        """Start one of our own servers; wait for its control socket."""
        path = os.path.join(self.folder, name + ".ctl")
        child = self.spawn(name, [
            sys.executable, os.path.join(HERE, name + ".py"),
            "--control", path, *args])
        self.wait(name, child, lambda: os.path.exists(path))
        control = Control(path)
        control.wait_ready()
        self.env[f"LAB_{name.upper()}_CONTROL"] = path
        return control

    def records(self, ipv6: bool) -> dict[str, Any]:
        """What the names of the laboratory resolve to."""
        here = (["127.0.0.1"], [])
        table = {}
        for host, (v4, v6) in self.addresses.items():
            table[host] = here if self.loopback else ([v4], [v6])
        hostile = here if self.loopback else ([HOSTILE4], [HOSTILE6])
        table[HOSTILE] = table["*." + HOSTILE] = hostile
        if not self.loopback:
            table[BLACKHOLE] = ([BLACKHOLE4], [])
            table[REFUSED] = ([REFUSED4], [])
        return {name: {"a": v4, "aaaa": v6 if ipv6 else []}
                for name, (v4, v6) in table.items()}

    def start_dns(self, ipv6: bool) -> None:
        """A name server: dnsmasq, or ours where faults are wanted."""
        records = self.records(ipv6)
        if self.args.dns == "faults" or self.loopback:
            table = os.path.join(self.folder, "dns.json")
            with open(table, "w", encoding="ascii") as out:
                json.dump(records, out, indent=1)
            where = "127.0.0.1:0" if self.loopback else f"{DNS4}:53"
            control = self.mock("dns", "--listen", where, "--table", table)
            port = control.call("ports")[0]
            self.env["LAB_DNS"] = f"127.0.0.1:{port}" if self.loopback \
                else DNS4
        else:
            self.start_dnsmasq(records)
            self.env["LAB_DNS"] = DNS4

    def start_dnsmasq(self, records: dict[str, Any]) -> None:
        """Good answers from a real name server."""
        lines = ["no-resolv", "no-hosts", "bind-interfaces", "log-queries",
                 f"listen-address={DNS4}", "local=/#/"]
        for name, record in records.items():
            addresses = record["a"] + record["aaaa"]
            if name.startswith("*."):
                lines += [f"address=/{name[2:]}/{a}" for a in addresses]
            else:
                lines.append(",".join(["host-record=" + name, *addresses]))
        conf = os.path.join(self.folder, "dnsmasq.conf")
        with open(conf, "w", encoding="ascii") as out:
            out.write("\n".join(lines) + "\n")
        child = self.spawn("dnsmasq", [  # -d: it cannot change its group here
            program("dnsmasq"), "--no-daemon", "--conf-file=" + conf])
        self.wait("dnsmasq", child, lambda: answers((DNS4, 53)))

    def start_nginx(self, ipv6: bool) -> None:
        """The fixtures, on a real TLS server."""
        work = sites.Sites(self.folder, self.entries, self.ca)
        if self.loopback:
            port = free_port()
            base = f"https://127.0.0.1:{port}"
            hosts = [sites.Site(h, ["127.0.0.1"]) for h in self.hosts]
            conf = work.write(hosts, port, base)
            where = [("127.0.0.1", port)]
            self.env["LAB_BASE"] = base
        else:
            hosts = [sites.Site(h, list(pair if ipv6 else pair[:1]))
                     for h, pair in self.addresses.items()]
            conf = work.write(hosts)
            where = [(address, 443) for site in hosts
                     for address in site.addresses]
        child = self.spawn("nginx", [
            program("nginx"), "-p", self.folder, "-c", conf,
            "-e", os.path.join(self.folder, "nginx-error.log")])
        self.wait("nginx", child, lambda: all(map(answers, where)))
        self.env["LAB_SITES"] = os.path.join(self.folder, "sites.json")

    def start_hostile(self, ipv6: bool) -> None:
        """The hostile server, at port 443 and at one other port."""
        where = [f"{HOSTILE4}:443", f"{HOSTILE4}:8443"]
        if ipv6:
            where += [f"[{HOSTILE6}]:443"]
        if self.loopback:
            where = ["127.0.0.1:0"]
        args = [part for w in where for part in ("--listen", w)]
        control = self.mock("hostile", "--ca", self.ca.folder, *args)
        port = control.call("ports")[0]
        self.env["LAB_HOSTILE"] = f"127.0.0.1:{port}" if self.loopback \
            else HOSTILE

    def start_trap(self, ipv6: bool) -> None:
        """Listeners at private addresses, and the counter of SYNs."""
        if self.loopback:
            args = ["--listen", "127.0.0.1:0"]
        else:
            args = ["--sniff", "--blackhole", f"{BLACKHOLE4}:443"]
            for address in PRIVATE:
                if ipv6 or ":" not in address:
                    args += ["--listen", f"{address}:443"]
        self.mock("trap", *args)

    def command(self) -> int:
        """Run COMMAND with our environment; signals are handed on."""
        # A proxy of the machine is not within reach; CI may have one.
        outer = {name: value for name, value in os.environ.items()
                 if not name.lower().endswith("_proxy")}
        child = subprocess.Popen(self.args.command,
                                 env={**outer, **self.env},
                                 preexec_fn=netns.die_with_parent)

        def forward(number: int, _frame: object) -> None:
            child.send_signal(number)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, forward)
        if os.getpid() != 1:
            status = child.wait()
        else:
            status = reap(child.pid)
        return status if status >= 0 else 128 - status

    def stop(self) -> None:
        """End the services (in a PID namespace the kernel would, too)."""
        for child in self.children:
            child.kill()
        if os.getpid() != 1:
            for child in self.children:
                child.wait()

    def run(self) -> int:
        """Everything, from start to the status of COMMAND."""
        try:
            self.start()
            return self.command()
        except (Failure, FileNotFoundError) as exc:
            sys.stderr.write(f"lab: {exc}\n")
            return 70
        finally:
            self.stop()


def reap(wanted: int) -> int:
    """As process 1: collect orphans until the wanted child ends."""
    while True:
        pid, status = os.wait()
        if pid == wanted:
            return os.waitstatus_to_exitcode(status)


def run(args: argparse.Namespace) -> int:
    """The command `run`."""
    if args.loopback:
        folder = args.keep or tempfile.mkdtemp(prefix="lab-")
        try:
            return Lab(args, folder).run()
        finally:
            if not args.keep:
                shutil.rmtree(folder, ignore_errors=True)

    def inside() -> int:
        netns.mounts()
        return Lab(args, args.keep or "/run/lab").run()
    return netns.run(inside)


def probe(_args: argparse.Namespace) -> int:
    """The command `probe`: what run needs, and nothing else."""
    def inside() -> int:
        netns.mounts()
        netns.network([DNS4])
        return 0
    return netns.run(inside)


def main() -> int:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description="a laboratory network")
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("run")
    one.add_argument("--sites")
    one.add_argument("--hostile", action="store_true")
    one.add_argument("--trap", action="store_true")
    one.add_argument("--dns", choices=("dnsmasq", "faults"),
                     default="dnsmasq")
    one.add_argument("--loopback", action="store_true")
    one.add_argument("--keep")
    one.add_argument("command", nargs="+")
    one.set_defaults(function=run)
    two = commands.add_parser("probe")
    two.set_defaults(function=probe)
    args = parser.parse_args()
    if getattr(args, "keep", None):
        args.keep = os.path.abspath(args.keep)
    try:
        return int(args.function(args))
    except netns.NotAllowed as exc:
        sys.stderr.write(f"lab: no namespaces here ({exc})\n")
        return netns.NOT_ALLOWED


if __name__ == "__main__":
    sys.exit(main())
