#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The part of bench/run that runs inside the laboratory."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "lab"))

import fetching  # noqa: E402
from control import Control  # noqa: E402
from fetching import MANY, requests  # noqa: E402
from process import Daemon  # noqa: E402
from target import WRONG, beside, exactly  # noqa: E402

BUILD = os.environ["CIMD_BUILD"]
LAB = os.environ["LAB_DIR"]
HOSTILE = f"https://{os.environ['LAB_HOSTILE']}"
RULE = {"name": "many", "match": [MANY + "*"]}


def state() -> str:
    """An empty state directory."""
    path = os.path.join(LAB, "bench-state")
    shutil.rmtree(path, ignore_errors=True)
    os.mkdir(path, 0o700)
    return path


def bench(mode: str, base: str, n: int, rules: str = "") -> str:
    """One run of bench.c; what it says is printed, too."""
    env = dict(os.environ, BENCH_RULES=rules, BENCH_CLIENTS="1000",
               BENCH_BUNDLE=os.environ["LAB_CA_FILE"])
    said = subprocess.run([os.path.join(BUILD, "bench", "bench"), mode, base,
                           str(n), state()], env=env, check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    print(said, end="", flush=True)
    return said


def figure(said: str, before: str, behind: str) -> float:
    """The number between two texts in what bench.c said."""
    found = re.search(re.escape(before) + r" *([-+0-9.]+) *"
                      + re.escape(behind), said)
    if found is None:
        raise SystemExit(f"bench: no figure between {before} and {behind}")
    return float(found[1])


def percentiles(ns: list[int]) -> str:
    """p50 and p99 in microseconds."""
    ns = sorted(ns)
    return (f"p50 {ns[len(ns) // 2] / 1000:.1f} us, "
            f"p99 {ns[len(ns) * 99 // 100] / 1000:.1f} us")


def ping_pong(rounds: int) -> list[int]:
    """What any answer over a UNIX socket costs: a byte there and back."""
    a, b = socket.socketpair(socket.AF_UNIX)

    def echo() -> None:
        while data := b.recv(2048):
            b.sendall(data)

    thread = threading.Thread(target=echo)
    thread.start()
    ns = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        a.sendall(b"x" * 1500)
        a.recv(2048)
        ns.append(time.perf_counter_ns() - start)
    a.close()
    thread.join()
    b.close()
    return ns


def over_http(sock: socket.socket, body: bytes) -> bytes:
    """One POST /v1/client on a connection that is kept."""
    sock.sendall(b"POST /v1/client HTTP/1.1\r\nHost: cimd\r\n"
                 b"Content-Type: application/json\r\nContent-Length: "
                 + str(len(body)).encode() + b"\r\n\r\n" + body)
    return sock.recv(65536)


def warm(quick: bool) -> None:
    for n in (50, 200) if quick else (50, 1000, 10000):
        said = bench("warm", MANY, n, json.dumps(RULE))
        if n in (200, 10000):
            beside("warm hit, p50", figure(said, "p50", "ns"), 300, "ns",
                   quick)
            beside("warm hit, p99", figure(said, "p99", "ns"), 800, "ns",
                   quick)


@contextlib.contextmanager
def cimdd() -> Iterator[str]:
    """A cimdd that admits everybody; the path of its lookup socket."""
    folder = os.path.join(LAB, "bench-cimdd")
    os.makedirs(folder, 0o700, exist_ok=True)
    config = os.path.join(folder, "cimd.conf")
    lookup = os.path.join(folder, "lookup.sock")
    with open(config, "w", encoding="utf-8") as dst:
        dst.write(f'state_dir = "{state()}"\n'
                  f'ca_path = "{os.environ["LAB_CA_PATH"]}"\n'
                  f'lookup_socket = "{lookup}"\n'
                  f'admin_socket = "{folder}/admin.sock"\n'
                  'user = "root"\nsocket_group = "root"\n'
                  'default = unverified\n')
    daemon = Daemon([os.path.join(BUILD, "cimdd", "cimdd"),
                     "-c", config, "-d", folder + "/none"], folder)
    daemon.log = os.devnull
    daemon.start(notify=True)
    try:
        yield lookup
    finally:
        daemon.stop()


def socket_hit(quick: bool) -> None:
    rounds = 500 if quick else 20000
    body = json.dumps({"client_id": MANY + "1"}).encode()
    with cimdd() as lookup, socket.socket(socket.AF_UNIX) as sock:
        sock.connect(lookup)
        if not over_http(sock, body).startswith(b"HTTP/1.1 200"):
            raise SystemExit("bench: the lookup failed")
        ns = []
        for _ in range(rounds):
            start = time.perf_counter_ns()
            over_http(sock, body)
            ns.append(time.perf_counter_ns() - start)
    bare = ping_pong(rounds)
    ratio = statistics.median(ns) / statistics.median(bare)
    print(f"socket: hit {percentiles(ns)}: {ratio:.1f} times a bare "
          "exchange of 1,500 bytes over a UNIX socket")


def guest(quick: bool) -> None:
    """libcimdclient and pam_cimd.so, in processes new and old."""
    program = os.path.join(BUILD, "bench", "guest")
    if not os.path.exists(program):
        print("guest: not built, libpam was not there")
        return
    often, seldom = (500, 30) if quick else (20000, 2000)
    services = os.path.join(LAB, "bench-pam")
    os.makedirs(services, exist_ok=True)
    took: dict[str, tuple[float, float]] = {}

    def run(deed: str, where: str, rounds: int) -> None:
        said = subprocess.run([program, deed, where, MANY + "1", str(rounds)],
                              check=True, capture_output=True,
                              text=True).stdout
        for line in said.splitlines():
            name, p50, p99 = line.split()
            took[name] = int(p50) / 1000, int(p99) / 1000

    with cimdd() as lookup:
        module = os.path.join(BUILD, "plugins", "pam", ".libs",
                              "pam_cimd.so")
        for name, line in (("permit", "pam_permit.so"),
                           ("cimd", f"{module} socket={lookup}")):
            with open(os.path.join(services, name), "w",
                      encoding="utf-8") as dst:
                dst.write(f"account required {line}\n")
        subprocess.run([program, "lookup", lookup, MANY + "1"], check=True)
        run("raw", lookup, often)
        run("client", lookup, often)
        run("pam", services, often)
        run("new-client", lookup, seldom)
        run("new-pam", services, seldom)
    bare = took["raw"][0]
    print(f"guest: a bare exchange with cimdd: p50 {bare:.1f} us, "
          f"p99 {took['raw'][1]:.1f} us")
    for name, what in (("client", "libcimdclient"),
                       ("pam", "pam_cimd.so, with a handle for each")):
        print(f"guest: long-lived process: {what}: p50 {took[name][0]:.1f} "
              f"us, p99 {took[name][1]:.1f} us, "
              f"{took[name][0] / bare:.2f} times the exchange")
    nothing, exchange = took["nothing"][0], took["exchange"][0]
    beyond("guest", "libcimdclient, against an empty one", nothing, exchange,
           took["lookup"][0])
    permit = took["permit"][0]
    beyond("guest", "pam_cimd.so, against pam_permit.so", permit,
           permit + exchange - nothing, took["account"][0])
    beside("lookup in a new process, beyond an empty one with json-c and the "
           "exchange", took["lookup"][0] - exchange, 60, "us of CPU", quick)


def beyond(mode: str, what: str, without: float, exchange: float,
           whole: float) -> None:
    """What a lookup adds to a new process; all in us of the processor."""
    print(f"{mode}: new process: {what}: {whole - without:.0f} us of the "
          f"processor more than {without:.0f} us, of which "
          f"{exchange - without:.0f} us for its side of the exchange, the "
          f"rest {whole - exchange:.0f} us")


def new_connections(lookup: str, rounds: int) -> list[int]:
    """What the plugins' way to ask costs from here: a connection for each
    question."""
    request = json.dumps({"client_id": MANY + "1"}).encode()
    ns = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(lookup)
            over_http(sock, request)
        ns.append(time.perf_counter_ns() - start)
    return ns


def sasl(quick: bool) -> None:
    """The SASL plugin, in processes new and old."""
    rounds, seldom = (500, 30) if quick else (5000, 2000)
    plugin = os.path.join(BUILD, "plugins", "sasl", ".libs",
                          "libcimd_sasl.so")
    if not os.path.exists(plugin):
        print("sasl: not built, libsasl2 was not there")
        return
    folder = os.path.join(LAB, "bench-sasl")
    os.makedirs(folder, exist_ok=True)
    shutil.copy(plugin, folder)
    with cimdd() as lookup:
        with open(os.path.join(folder, "bench.conf"), "w",
                  encoding="utf-8") as dst:
            dst.write("pwcheck_method: auxprop\nauxprop_plugin: cimd\n"
                      "canon_user_plugin: cimd\n"
                      f"cimd_socket: {lookup}\n")
        program = os.path.join(BUILD, "bench", "sasl")
        env = {**os.environ, "SASL_PATH": folder, "SASL_CONF_PATH": folder}

        def run(deed: str, n: int) -> dict[str, tuple[int, int]]:
            said = subprocess.run([program, deed, lookup, MANY, str(n)],
                                  env=env, check=True, text=True,
                                  capture_output=True).stdout
            return {name: (int(p50), int(p99)) for name, p50, p99 in
                    (line.split() for line in said.splitlines())}

        run("long", 16)  # fetch them
        took = run("long", rounds)
        new = {name: times[0] / 1000
               for name, times in run("new", seldom).items()}
        bare = new_connections(lookup, rounds // 4)
    for name, what in (("nobody", "a name that is no URL"),
                       ("asked", "a client, asked of cimdd"),
                       ("kept", "a client, from the memo")):
        print(f"sasl: {what}: p50 {took[name][0] / 1000:.1f} us, "
              f"p99 {took[name][1] / 1000:.1f} us")
    asked, kept = took["asked"][0], took["kept"][0]
    print(f"sasl: without the memo {asked / kept:.1f} times as long; an "
          f"exchange with cimdd {asked / statistics.median(bare):.2f} times "
          "one from Python on a new connection")
    beyond("sasl", "libcimd_sasl.so, against one that asks for a name that is "
           "no URL", new["nobody"], new["exchange"], new["client"])
    beside("SASL lookup in a new process, beyond one with the plugin and the "
           "exchange", new["client"] - new["exchange"], 60, "us of CPU",
           quick)


def cold(quick: bool) -> None:
    bench("cold", MANY, 20 if quick else 500)


def herd(quick: bool) -> None:
    control = Control(os.environ["LAB_HOSTILE_CONTROL"])
    n = 50 if quick else 500
    for what, path in (("good, late", "/delay/200/herd"),
                       ("404", "/status/404/herd"),
                       ("not JSON", "/wrong/not-json/herd")):
        control.call("reset")
        start = time.monotonic()
        bench("herd", HOSTILE + path, n)
        exactly(f"requests of {n} lookups at once ({what})",
                requests(control), 1, time.monotonic() - start)
        body = json.dumps({"client_id": HOSTILE + path + "s"}).encode()
        processes, threads = (4, 4) if quick else (32, 16)
        control.call("reset")
        with cimdd() as lookup:
            start = time.monotonic()
            fetching.crowd(lookup, body, processes, threads)
            took = time.monotonic() - start
        exactly(f"requests of {processes} processes with {threads} threads "
                f"each ({what})", requests(control), 1, took)


def hostile(quick: bool) -> None:
    n = 2 if quick else 20
    for path in ("endless-103", "endless-headers", "endless-length",
                 "endless-chunked", "endless-close", "encoding/gzip"):
        print(f"{path}: ", end="", flush=True)
        said = bench("refuse", f"{HOSTILE}/{path}/", n)
        beside(f"CPU for {path}", figure(said, "wall,", "ms CPU"), 10, "ms",
               quick)


def flood(quick: bool) -> None:
    said = bench("flood", MANY, 200 if quick else 100000)
    beside("growth of memory", figure(said, "memory", "MB"), 8, "MB", quick)
    beside("growth of the store", figure(said, "state", "MB"), 8, "MB", quick)


MODES = {"warm": warm, "socket": socket_hit, "guest": guest, "sasl": sasl,
         "cold": cold, "process": fetching.process,
         "handshake": fetching.handshake, "far": fetching.far,
         "again": fetching.again, "herd": herd, "hostile": hostile,
         "flood": flood}


def main(args: list[str]) -> int:
    quick = "--quick" in args
    names = [arg for arg in args if arg != "--quick"] or list(MODES)
    unknown = [name for name in names if name not in MODES]
    if unknown:
        print(f"bench/run: no mode {unknown[0]}; there are "
              + " ".join(MODES), file=sys.stderr)
        return 2
    for name in names:
        MODES[name](quick)
    for what in WRONG:
        print(f"wrong: {what}")
    print(f"{max(0, len(names) - len(WRONG))} passed, {len(WRONG)} failed")
    return int(bool(WRONG))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
