# SPDX-License-Identifier: Apache-2.0
"""A small DNS server for answers that a real one would not give.

    dns.py --control SOCKET --listen ADDR:PORT [--table FILE.json]

UDP and TCP.  The table maps a name ("*.x": everything below x; "*": all
that is not named otherwise) to a record, a JSON object; all members are
optional:

    "a": [...], "aaaa": [...]   addresses, in this order; a list that is
                                absent means NODATA
    "cname": "other.name"       the answer starts with this alias; the chain
                                is followed in the table (at most 16 links)
    "ttl": 0                    of every record
    "rcode": "SERVFAIL"         or NXDOMAIN, REFUSED, FORMERR, NOTIMP
    "delay": 1.5                seconds before the answer
    "dead": true                no answer; ["AAAA"] for one type only
    "truncate": true            UDP answers are empty with TC set
    "wrong": "id"               an answer to another question: "id" or "name"
    "garbage": true             bytes that are no DNS message
    "sequence": [rec, rec]      the first query of a type gets the first
                                record, and so on; the last one stays
    "cycle": true               ... or the sequence starts again

Without an entry: NXDOMAIN.  A question that somebody repeats since our answer
takes long is one question: it is counted once, and no sequence moves on; what
was met with silence is asked anew.  Commands of the control socket: ping;
set(name, record); unset(name); table(); replace(table); queries() ->
{"NAME TYPE": n}; reset() (the counts and sequences).
"""

from __future__ import annotations

import argparse
import collections
import ipaddress
import json
import socket
import struct
import sys
import threading
import time
from typing import Any, NamedTuple

from control import ControlServer
from trap import split, tcp_socket

TYPES = {1: "A", 28: "AAAA", 5: "CNAME", 6: "SOA", 15: "MX", 16: "TXT",
         33: "SRV", 65: "HTTPS"}
RCODES = {"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3,
          "NOTIMP": 4, "REFUSED": 5}
OPT = 41
PLAIN_UDP = 512
Record = dict[str, Any]


class Query(NamedTuple):
    """One question, as it came."""

    ident: int
    flags: int
    name: str
    qtype: int
    question: bytes
    udp_size: int
    edns: bool


def pack_name(name: str) -> bytes:
    """A domain name in wire form, not compressed."""
    out = b""
    for label in name.rstrip(".").split("."):
        raw = label.encode("ascii")
        out += bytes([len(raw)]) + raw
    return out + b"\0"


def unpack_name(data: bytes, at: int) -> tuple[str, int]:
    """The name at this offset (a question's, so never compressed)."""
    labels = []
    while data[at] != 0:
        size = data[at]
        if size > 63:
            raise ValueError("compressed name in a question")
        labels.append(data[at + 1:at + 1 + size].decode("latin-1"))
        at += 1 + size
    return ".".join(labels), at + 1


def parse(data: bytes) -> Query:
    """Read a query with one question and perhaps an OPT record."""
    ident, flags, count, _, _, extra = struct.unpack_from("!6H", data)
    if count != 1 or flags & 0x8000:
        raise ValueError("not a query with one question")
    name, at = unpack_name(data, 12)
    qtype = struct.unpack_from("!H", data, at)[0]
    question = data[12:at + 4]
    size, edns = PLAIN_UDP, False
    rest = data[at + 4:]
    if extra and len(rest) >= 11 and rest[0] == 0:
        kind, asked = struct.unpack_from("!HH", rest, 1)
        if kind == OPT:
            size, edns = max(PLAIN_UDP, asked), True
    return Query(ident, flags, name, qtype, question, size, edns)


def resource(name: str, qtype: int, ttl: int, data: bytes) -> bytes:
    """One resource record of class IN."""
    return pack_name(name) + struct.pack(
        "!HHIH", qtype, 1, ttl, len(data)) + data


class Table:
    """Names, records and counts; safe to use from several threads."""

    def __init__(self, records: dict[str, Record]) -> None:
        self.lock, self.asking = threading.Lock(), threading.Lock()
        self.records = {k.lower(): v for k, v in records.items()}
        self.counts: collections.Counter[str] = collections.Counter()
        self.steps: collections.Counter[tuple[str, int]] = \
            collections.Counter()
        self.asked: collections.OrderedDict[Any, Record | None] = \
            collections.OrderedDict()

    def set(self, name: str, record: Record) -> None:
        """Answer this for the name from now on."""
        with self.lock:
            self.records[name.lower()] = record
            for key in [k for k in self.steps if k[0] == name.lower()]:
                del self.steps[key]

    def unset(self, name: str) -> None:
        """Forget the name."""
        with self.lock:
            self.records.pop(name.lower(), None)

    def replace(self, table: dict[str, Record]) -> None:
        """Forget all names, take these."""
        with self.lock:
            self.records = {k.lower(): v for k, v in table.items()}
            self.steps.clear()

    def table(self) -> dict[str, Record]:
        """All names."""
        with self.lock:
            return dict(self.records)

    def queries(self) -> dict[str, int]:
        """How often each name and type was asked for."""
        with self.lock:
            return dict(self.counts)

    def reset(self) -> None:
        """Zero the counts, start the sequences again."""
        with self.lock:
            self.counts.clear()
            self.steps.clear()
            self.asked.clear()

    def count(self, query: Query) -> None:
        """Note a query."""
        qtype = TYPES.get(query.qtype, str(query.qtype))
        with self.lock:
            self.counts[f"{query.name.lower()} {qtype}"] += 1

    def find(self, name: str, qtype: int) -> Record | None:
        """The record for this query, with its sequence advanced."""
        with self.lock:
            key = name.lower()
            parts = key.split(".")
            keys = [key] + ["*." + ".".join(parts[n:])
                            for n in range(1, len(parts))] + ["*"]
            key = next((k for k in keys if k in self.records), "")
            if not key:
                return None
            record = self.records[key]
            steps = record.get("sequence")
            if not steps:
                return record
            step = self.steps[key, qtype]
            self.steps[key, qtype] += 1
            cycle = record.get("cycle", False)
            at = step % len(steps) if cycle else min(step, len(steps) - 1)
            return {**record, "sequence": None, **steps[at]}


def addresses(record: Record, qtype: int) -> list[bytes]:
    """The record's addresses of this type, packed."""
    name = TYPES.get(qtype, "").lower()
    if name not in ("a", "aaaa"):
        return []
    return [ipaddress.ip_address(a).packed for a in record.get(name, [])]


def is_dead(record: Record, qtype: int) -> bool:
    """Is this query never to be answered?"""
    dead = record.get("dead", False)
    return dead if isinstance(dead, bool) else TYPES.get(qtype) in dead


class Server:
    """Answers queries from the table."""

    REMEMBERED = 64

    def __init__(self, table: Table) -> None:
        self.table = table

    def record(self, query: Query, peer: Any) -> Record | None:
        """What the table has for a question, which is counted unless this
        is the same datagram again."""
        table, key = self.table, (peer, query.ident, query.question)
        with table.asking:
            if peer is not None and key in table.asked:
                return table.asked[key]
            table.count(query)
            record = table.find(query.name, query.qtype)
            if peer is not None and not is_dead(record or {}, query.qtype):
                table.asked[key] = record
                if len(table.asked) > self.REMEMBERED:
                    table.asked.popitem(last=False)
            return record

    def reply(self, data: bytes, peer: Any = None) -> bytes | None:
        """The answer to a datagram of a peer, or to a message by TCP; None
        is silence."""
        try:
            query = parse(data)
        except (ValueError, IndexError, struct.error):
            return None
        record = self.record(query, peer)
        if record is None:
            return self.message(query, [], "NXDOMAIN")
        if record.get("delay"):
            time.sleep(record["delay"])
        if is_dead(record, query.qtype):
            return None
        if record.get("garbage"):
            return data[:2] + b"\xff" * 40
        answers, rcode = self.collect(query, record)
        if peer is None:
            return self.message(query, answers, rcode)
        return self.datagram(query, record, answers, rcode)

    def collect(self, query: Query, record: Record | None
                ) -> tuple[list[bytes], str]:
        """Resource records and response code, aliases followed."""
        out: list[bytes] = []
        name = query.name
        for _ in range(16):
            if record is None:
                return out, "NXDOMAIN"
            ttl = record.get("ttl", 0)
            if "cname" not in record:
                break
            target = record["cname"]
            out.append(resource(name, 5, ttl, pack_name(target)))
            name, record = target, self.table.find(target, query.qtype)
        else:
            return out, "NOERROR"
        out += [resource(name, query.qtype, ttl, packed)
                for packed in addresses(record, query.qtype)]
        return out, record.get("rcode", "NOERROR")

    def datagram(self, query: Query, record: Record, answers: list[bytes],
                 rcode: str) -> bytes:
        """The answer by UDP, with the faults that only UDP has."""
        if record.get("wrong") == "id":
            query = query._replace(ident=query.ident ^ 0x5555)
        if record.get("wrong") == "name":
            query = query._replace(
                question=pack_name("other.example.net")
                + query.question[-4:])
        full = self.message(query, answers, rcode)
        if record.get("truncate") or len(full) > query.udp_size:
            return self.message(query, [], rcode, truncated=True)
        return full

    @staticmethod
    def message(query: Query, answers: list[bytes], rcode: str,
                truncated: bool = False) -> bytes:
        """Header, question, answers and, if asked with one, OPT."""
        flags = 0x8480 | (query.flags & 0x0100) | RCODES[rcode]
        if truncated:
            flags |= 0x0200
        head = struct.pack("!6H", query.ident, flags, 1, len(answers), 0,
                           int(query.edns))
        tail = b"\0" + struct.pack("!HHIH", OPT, 1232, 0, 0) \
            if query.edns else b""
        return head + query.question + b"".join(answers) + tail

    def udp(self, sock: socket.socket) -> None:
        """Serve datagrams, a thread for each."""
        while True:
            data, peer = sock.recvfrom(4096)
            threading.Thread(target=self._one, args=(sock, data, peer),
                             daemon=True).start()

    def _one(self, sock: socket.socket, data: bytes, peer: Any) -> None:
        out = self.reply(data, peer)
        if out is not None:
            sock.sendto(out, peer)

    def tcp(self, door: socket.socket) -> None:
        """Serve connections, a thread for each."""
        while True:
            conn, _ = door.accept()
            threading.Thread(
                target=self._stream, args=(conn,), daemon=True).start()

    def _stream(self, conn: socket.socket) -> None:
        with conn, conn.makefile("rb") as stream:
            while True:
                head = stream.read(2)
                if len(head) < 2:
                    return
                data = stream.read(struct.unpack("!H", head)[0])
                out = self.reply(data)
                if out is None:
                    continue
                try:
                    conn.sendall(struct.pack("!H", len(out)) + out)
                except OSError:
                    return


def open_sockets(where: str) -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket at one address and port (0: any)."""
    host, port = split(where)
    tcp = tcp_socket(host, port, 64)
    tcp.setblocking(True)
    udp = socket.socket(tcp.family, socket.SOCK_DGRAM)
    udp.bind((host, tcp.getsockname()[1]))
    return udp, tcp


def main() -> int:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(description="DNS with faults")
    parser.add_argument("--control", required=True)
    parser.add_argument("--listen", action="append", required=True)
    parser.add_argument("--table")
    args = parser.parse_args()
    records = {}
    if args.table:
        with open(args.table, encoding="utf-8") as src:
            records = json.load(src)
    table = Table(records)
    server = Server(table)
    ports = []
    for where in args.listen:
        udp, tcp = open_sockets(where)
        ports.append(udp.getsockname()[1])
        threading.Thread(target=server.udp, args=(udp,), daemon=True).start()
        threading.Thread(target=server.tcp, args=(tcp,), daemon=True).start()
    ControlServer(args.control, {
        "ping": lambda: "dns", "ports": lambda: ports, "set": table.set,
        "unset": table.unset, "table": table.table,
        "replace": table.replace, "queries": table.queries,
        "reset": table.reset})
    threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
