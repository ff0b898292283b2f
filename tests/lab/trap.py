# SPDX-License-Identifier: Apache-2.0
"""Counts TCP connection attempts that must not happen.

    trap.py --control SOCKET [--listen ADDR:PORT ...] [--sniff]
            [--blackhole ADDR:PORT ...]

--listen    accepts and closes; counts what was accepted.
--sniff     counts every SYN that leaves on any interface of this network
            namespace, whatever its destination (needs CAP_NET_RAW).
--blackhole an address that answers no SYN at all: a listener whose queue is
            kept full, for connect time-outs.

Commands of the control socket: ping; counts -> {"accepted": {ADDR:PORT: n},
"syn": {ADDR:PORT: n}}; reset.  A count includes everything that happened
before the question was asked: the sockets are drained first.
"""

from __future__ import annotations

import argparse
import collections
import ipaddress
import select
import socket
import struct
import sys
from typing import Any

from control import answer, listen

ETH_P_ALL = 3
PACKET_OUTGOING = 4
TCP = 6
SYN, ACK = 0x02, 0x10


def split(text: str) -> tuple[str, int]:
    """ADDR:PORT, with or without brackets round an IPv6 address."""
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def show(host: str, port: int) -> str:
    """The spelling that counts use as a key."""
    address = ipaddress.ip_address(host.partition("%")[0])
    return f"[{address}]:{port}" if address.version == 6 \
        else f"{address}:{port}"


def tcp_socket(host: str, port: int, backlog: int) -> socket.socket:
    """A non-blocking listening socket for exactly this address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind((host, port))
    sock.listen(backlog)
    sock.setblocking(False)
    return sock


def queue(door: socket.socket) -> tuple[int, int]:
    """How many wait at a listener, and how many may; one more than these
    wait before it takes no SYN."""
    info = door.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
    queued, limit = struct.unpack_from("=II", info, 24)  # unacked, sacked
    return queued, limit


def destination(packet: bytes) -> str | None:
    """Where a SYN goes, if the IP packet is one."""
    if len(packet) < 20:
        return None
    if packet[0] >> 4 == 4:
        size, proto = (packet[0] & 15) * 4, packet[9]
        host = str(ipaddress.IPv4Address(packet[16:20]))
    elif len(packet) >= 40:
        size, proto = 40, packet[6]
        host = str(ipaddress.IPv6Address(packet[24:40]))
    else:
        return None
    if proto != TCP or len(packet) < size + 14:
        return None
    if packet[size + 13] & (SYN | ACK) != SYN:
        return None
    return show(host, struct.unpack_from("!H", packet, size + 2)[0])


class Trap:
    """The sockets and the two tables of counts."""

    def __init__(self) -> None:
        self.accepted: collections.Counter[str] = collections.Counter()
        self.syn: collections.Counter[str] = collections.Counter()
        self.listeners: dict[socket.socket, str] = {}
        self.sniffer: socket.socket | None = None
        self.kept: list[socket.socket] = []

    def add(self, where: str) -> None:
        """Listen at ADDR:PORT (port 0: any) and count."""
        host, port = split(where)
        sock = tcp_socket(host, port, 1024)
        self.listeners[sock] = show(host, sock.getsockname()[1])

    def sniff(self) -> None:
        """Count SYNs of the whole network namespace."""
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                             socket.htons(ETH_P_ALL))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        sock.setblocking(False)
        self.sniffer = sock

    def blackhole(self, where: str) -> None:
        """Fill the queue of a listener, so that a connect gets no answer."""
        host, port = split(where)
        sock = tcp_socket(host, port, 0)
        self.kept.append(sock)
        queued, limit = queue(sock)
        while queued <= limit:
            self.kept.append(socket.create_connection((host, port), 30))
            before = queued
            while queued == before:  # our side is the first to know
                queued, limit = queue(sock)

    def drain(self) -> None:
        """Take everything that has happened so far into the counts."""
        for sock, name in self.listeners.items():
            self._drain_accepts(sock, name)
        while self.sniffer is not None:
            try:
                packet, where = self.sniffer.recvfrom(128)
            except BlockingIOError:
                return
            if where[2] == PACKET_OUTGOING:
                target = destination(packet)
                if target is not None:
                    self.syn[target] += 1

    def _drain_accepts(self, sock: socket.socket, name: str) -> None:
        while True:
            try:
                conn, _ = sock.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            conn.close()
            self.accepted[name] += 1

    def counts(self) -> dict[str, Any]:
        """Both tables, after a drain."""
        self.drain()
        return {"accepted": dict(self.accepted), "syn": dict(self.syn)}

    def reset(self) -> None:
        """Forget what was counted."""
        self.drain()
        self.accepted.clear()
        self.syn.clear()

    def serve(self, path: str) -> None:
        """Answer control commands for ever."""
        handlers = {"ping": lambda: "trap", "counts": self.counts,
                    "reset": self.reset,
                    "listeners": lambda: list(self.listeners.values())}
        door = listen(path)
        clients: dict[socket.socket, bytes] = {}
        while True:
            watched = [door, *self.listeners, *clients]
            if self.sniffer is not None:
                watched.append(self.sniffer)
            ready = select.select(watched, [], [])[0]
            self.drain()
            for sock in ready:
                if sock is door:
                    clients[door.accept()[0]] = b""
                elif sock in clients:
                    self._client(sock, clients, handlers)

    @staticmethod
    def _client(sock: socket.socket, clients: dict[socket.socket, bytes],
                handlers: dict[str, Any]) -> None:
        data = sock.recv(65536)
        if not data:
            del clients[sock]
            sock.close()
            return
        *lines, clients[sock] = (clients[sock] + data).split(b"\n")
        for line in lines:
            sock.sendall(answer(handlers, line))


def main() -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(description="count TCP attempts")
    parser.add_argument("--control", required=True)
    parser.add_argument("--listen", action="append", default=[])
    parser.add_argument("--blackhole", action="append", default=[])
    parser.add_argument("--sniff", action="store_true")
    args = parser.parse_args()
    trap = Trap()
    for where in args.blackhole:
        trap.blackhole(where)
    for where in args.listen:
        trap.add(where)
    if args.sniff:
        trap.sniff()
    trap.serve(args.control)
    return 0


if __name__ == "__main__":
    sys.exit(main())
