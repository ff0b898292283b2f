# SPDX-License-Identifier: Apache-2.0
"""Modes of bench/run about fetches: processes, handshakes, distance."""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import distance
from target import beside, exactly

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "lab"))

from control import Control  # noqa: E402

BUILD = os.environ["CIMD_BUILD"]
LAB = os.environ["LAB_DIR"]
MANY = "https://many-clients.example.net/c/"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
FAR = "93.184.217.1"
ONE_WAY_S = 0.010
SECONDS = 30.0


def bundle() -> str:
    """The roots that a program loads that sets nothing, and ours."""
    path = os.path.join(LAB, "bench-bundle.pem")
    with open(path, "wb") as out:
        for name in (BUNDLE, os.environ["LAB_CA_FILE"]):
            if os.path.exists(name):
                with open(name, "rb") as src:
                    shutil.copyfileobj(src, out)
    return path


def run(deed: str, base: str, n: int) -> str:
    """One run of fetch.c, with an empty store; what it prints."""
    state = os.path.join(LAB, "bench-fetch")
    shutil.rmtree(state, ignore_errors=True)
    os.mkdir(state, 0o700)
    env = {**os.environ, "BENCH_STATE": state, "BENCH_BUNDLE": bundle()}
    return subprocess.run([os.path.join(BUILD, "bench", "fetch"), deed, base,
                           str(n)], env=env, check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def medians(deed: str, base: str, n: int) -> dict[str, tuple[float, float]]:
    """Milliseconds of wall time and CPU by name."""
    return {name: (int(wall) / 1e6, int(cpu) / 1e6) for name, wall, cpu in
            (line.split() for line in run(deed, base, n).splitlines())}


def process(quick: bool) -> None:
    """A process that fetches one document and ends."""
    took = medians("new", MANY, 3 if quick else 100)
    for name, what in (("nothing", "an empty one"),
                       ("once", "a resolver and one cold lookup"),
                       ("plain", "a GET by libcurl as it is by default")):
        print(f"process: {what}: {took[name][0]:.1f} ms wall, "
              f"{took[name][1]:.1f} ms CPU")
    beside("new process, cold", took["once"][0], 9, "ms", quick)
    beside("share of a default libcurl program",
           took["once"][0] / took["plain"][0], 1 / 3, "times", quick)


def handshake(quick: bool) -> None:
    """Fetches of a process that lives long."""
    n = 3 if quick else 200
    for name, base, limit in (
            ("full", f"https://host@.{os.environ['LAB_HOSTILE']}/good/x", 1.5),
            ("resumed", MANY, 0.7)):
        wall, cpu = medians("many", base, n)["many"]
        least = medians("bare", base, n)["bare"][1]
        print(f"handshake: {name}: {wall:.2f} ms wall, {cpu:.2f} ms CPU for "
              "a lookup (DNS, policy, checks and store included), "
              f"{cpu / least:.2f} times a bare GET by libcurl")
        beside(f"CPU of a cold lookup, {name} handshake", cpu, limit, "ms",
               quick)


def round_trip(address: str) -> float:
    """How long a connection takes to be there: one way there and back."""
    took = []
    for _ in range(9):
        start = time.perf_counter()
        socket.create_connection((address, 443), timeout=5).close()
        took.append(time.perf_counter() - start)
    return statistics.median(took) * 1000


def far(quick: bool) -> None:
    """Fetches from a server 20 ms away, its name in /etc/hosts."""
    host = str(urlsplit(MANY).hostname)
    near = socket.getaddrinfo(host, 443, socket.AF_INET)[0][4][0]
    with open("/etc/hosts", encoding="ascii") as src:
        before = src.read()
    try:
        with distance.distance(str(near), FAR, ONE_WAY_S):
            with open("/etc/hosts", "a", encoding="ascii") as out:
                out.write(f"{FAR} {host}\n")
            trip = round_trip(FAR)
            print(f"far: a round trip takes {trip:.1f} ms")
            for deed, what in (
                    ("first", "full handshake, first of its resolver"),
                    ("many", "resumed session")):
                wall = medians(deed, MANY, 3 if quick else 30)[deed][0]
                print(f"far: cold lookup, {what}: {wall:.1f} ms")
                beside(f"cold lookup beyond 3 round trips, {what}",
                       wall - 3 * trip, 5, "ms", quick)
    except distance.NotPossible as exc:
        print(f"far: not measured: {exc}")
    finally:
        with open("/etc/hosts", "w", encoding="ascii") as out:
            out.write(before)
    print("far: connections are not kept: a URL is fetched once a minute at "
          "most, and nothing of one fetch reaches the next")


def again(quick: bool) -> None:
    """A client whose URL fails is asked for again and again."""
    control = Control(os.environ["LAB_HOSTILE_CONTROL"])
    base = f"https://{os.environ['LAB_HOSTILE']}"
    n = 5 if quick else 50
    for what, path in (("404", "/status/404/again"),
                       ("not JSON", "/wrong/not-json/again")):
        control.call("reset")
        start = time.monotonic()
        limited = int(run("again", base + path, n))
        took = time.monotonic() - start
        print(f"again: {what}: {n} lookups in {took:.2f} s, {limited} of "
              "them limited")
        exactly(f"requests for a failing id ({what})", requests(control), 1,
                took)


def requests(control: Control) -> int:
    """How many requests the hostile server has seen since the reset."""
    counts = control.call("counts")
    return int(sum(counts.values()) if isinstance(counts, dict) else counts)


def ask(lookup: str, body: bytes, barrier: threading.Barrier) -> str:
    """One lookup on a connection of its own: the first line of its answer,
    or what happened instead."""
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(lookup)
            sock.settimeout(SECONDS)
            barrier.wait(SECONDS)
            sock.sendall(b"POST /v1/client HTTP/1.1\r\nHost: cimd\r\n"
                         b"Content-Type: application/json\r\n"
                         b"Content-Length: " + str(len(body)).encode()
                         + b"\r\n\r\n" + body)
            return sock.recv(65536).partition(b"\r\n")[0].decode()
    except (OSError, threading.BrokenBarrierError) as exc:
        return repr(exc)


def ask_together(lookup: str, body: bytes, threads: int) -> int:
    """So many threads ask at once; how many got no answer.  It says what
    they got, and does not matter what the answer was."""
    barrier = threading.Barrier(threads)
    with ThreadPoolExecutor(threads) as pool:
        got = list(pool.map(lambda _: ask(lookup, body, barrier),
                            range(threads)))
    bad = [line for line in got if not line.startswith("HTTP/1.1 ")]
    for line in bad:
        print(f"bench: no answer: {line!r}", file=sys.stderr)
    return len(bad)


def crowd(lookup: str, body: bytes, processes: int, threads: int) -> None:
    """So many processes of so many threads ask cimdd at once."""
    children = []
    for _ in range(processes):
        child = os.fork()
        if child == 0:
            os._exit(1 if ask_together(lookup, body, threads) else 0)
        children.append(child)
    ended = [os.waitpid(child, 0)[1] for child in children]
    if any(ended):
        raise SystemExit("bench: a question was not answered")
