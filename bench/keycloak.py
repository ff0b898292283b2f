#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench/run keycloak: what clients identified by URL cost a Keycloak.

Inside the laboratory, on the newest Keycloak that is known. Three tables:

  logins   a user with a session comes back: authorization request and token
           request, ours beside a pre-registered client of the same realm, in
           turns, with each engine; and the first time that a URL is seen
  lookups  an engine alone: nanoseconds of one stored lookup, lookups a second
           of 8 threads
  rows     1, 100, 1000 URLs that nobody has seen: time, fetches, and rows in
           Keycloak's database, beside Keycloak's own experimental feature

Only figures of one run can be compared. Medians; the spread is the distance
between the quartiles. Lines "target:" are those of bench/run: what a request
of a known client may cost more than one of a registered client, and, judged
anywhere, that no URL makes a row, and that each is fetched once.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from typing import Any, Callable

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.join(HERE, os.pardir, "tests")
for folder in ("lab", "pipeline", "keycloak"):
    sys.path.insert(0, os.path.join(TESTS, folder))

import cimdd  # noqa: E402
import engines  # noqa: E402
import keycloak  # noqa: E402
import labtest  # noqa: E402
import target  # noqa: E402
from flow import Browser, Flow  # noqa: E402
from host import RULES, jar  # noqa: E402

REALM = "bench"
MANY = "https://many-clients.example.net/c/"
REDIRECT = "http://127.0.0.1:34567/callback"
REGISTERED = "registered"
NATIVE = "client-id-metadata-document"
# One call of the engine for each request (0.3 ms with connecting), and what
# Keycloak does with a client that it may not keep. Nobody notices this much.
ADDED_MS = 2.0
# As an installation has it; tests use one compiler only.
JAVA = {"JAVA_OPTS_APPEND": "--enable-native-access=ALL-UNNAMED"}


def spread(values: list[float]) -> str:
    """Median and distance of the quartiles, in milliseconds."""
    quarters = statistics.quantiles(values, n=4)
    return f"{statistics.median(values):.1f} ms" \
        f" (spread {quarters[2] - quarters[0]:.1f})"


def clock(work: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds, and what came of it."""
    start = time.perf_counter()
    result = work()
    return (time.perf_counter() - start) * 1000, result


class Site:
    """A Keycloak with a realm, and cimdd for it."""

    def __init__(self, name: str, options: list[str], jars: list[str],
                 cimd: cimdd.Cimdd) -> None:
        folder = os.path.join(os.environ["LAB_DIR"], name)
        os.mkdir(folder)
        self.cimd = cimd
        self.kc = keycloak.Keycloak(keycloak.newest(), folder, jars, options,
                                    JAVA)
        self.kc.start()
        self.kc.admin.realm(REALM)
        self.issuer = self.kc.realm_url(REALM)

    def flow(self, client: str, browser: Browser | None = None) -> Flow:
        """A login of this client."""
        return Flow(self.issuer, client, REDIRECT, browser)

    def rows(self) -> int:
        """Rows of the table of clients, as the admin API counts them."""
        return self.kc.admin.client_rows(REALM)


def site(case: labtest.Case, engine: str) -> Site:
    """With our jar."""
    one = cimdd.Cimdd(case, RULES)
    one.daemon.argv += ["-C", os.path.join(labtest.top_src(), "catalog.d")]
    options = {"socket": one.path}
    if engine == "socket":
        one.start()
    else:
        options = {"engine": "jni", "library": engines.library(),
                   "config": engines.configuration(one)}
    made = Site(engine, [f"--spi-client-storage-cimd-{name}={value}"
                         for name, value in options.items()], [jar()], one)
    made.kc.admin.switch_on(REALM, {"clients": [MANY + "*"]})
    made.kc.admin.call("POST", f"/{REALM}/clients", {
        "clientId": REGISTERED, "publicClient": True, "consentRequired": True,
        "redirectUris": ["http://127.0.0.1/callback"],
        "standardFlowEnabled": True, "fullScopeAllowed": False,
        "attributes": {"pkce.code.challenge.method": "S256"}})
    return made


def native_site(case: labtest.Case) -> Site:
    """Keycloak's own feature, without our jar."""
    made = Site("native", ["--features=cimd", "--truststore-paths="
                           + os.environ["LAB_CA_FILE"]], [],
                cimdd.Cimdd(case, RULES))
    hosts = ["many-clients.example.net", "127.0.0.1"]
    made.kc.admin.call("PUT", f"/{REALM}/client-policies/profiles", {
        "profiles": [{"name": "cimd", "executors": [{
            "executor": NATIVE, "configuration": {
                "cimd-allow-permitted-domains": hosts,
                "cimd-restrict-same-domain": False}}]}]})
    made.kc.admin.call("PUT", f"/{REALM}/client-policies/policies", {
        "policies": [{"name": "cimd", "enabled": True, "profiles": ["cimd"],
                      "conditions": [{
                          "condition": "client-id-uri", "configuration": {
                              "client-id-uri-scheme": ["https"],
                              "client-id-uri-allow-permitted-domains":
                                  hosts}}]}]})
    return made


def again(flow: Flow) -> tuple[float, float]:
    """A user with a session comes back: milliseconds of the authorization
    request, and of the token request."""
    auth, page = clock(flow.authorize)
    assert page.location is not None, page.text()
    token, _ = clock(lambda: flow.exchange(page))
    return auth, token


def logins(where: Site, engine: str, count: int, quick: bool) -> None:
    """Ours and the registered one, in turns, in one session."""
    browser = Browser()
    ours, theirs = MANY + "login", REGISTERED
    for client in (ours, theirs):
        flow = where.flow(client, browser)
        page = flow.authorize()
        if "password" in page.body:
            page = flow.login(page)
        flow.exchange(flow.consent(page))
    found: dict[str, list[tuple[float, float]]] = {ours: [], theirs: []}
    for number in range(count + 5):
        for client in (ours, theirs):
            times = again(where.flow(client, browser))
            if number >= 5:
                found[client].append(times)
    for at, name in enumerate(("authorize", "token")):
        mine, other = ([times[at] for times in found[c]]
                       for c in (ours, theirs))
        both = [statistics.median(v) for v in (mine, other)]
        print(f"{engine:7} {name:10} by URL {spread(mine)}, registered"
              f" {spread(other)}: {both[0] - both[1]:+.1f} ms,"
              f" {both[0] / both[1]:.2f} times", flush=True)
        target.beside(f"{engine}, added to {name}", both[0] - both[1],
                      ADDED_MS, "ms", quick)
    first, known = [], []
    for number in range(count):
        first.append(clock(where.flow(f"{MANY}first-{engine}-{number}")
                           .authorize)[0])
        known.append(clock(where.flow(REGISTERED).authorize)[0])
    print(f"{engine:7} login page of a URL never seen {spread(first)},"
          f" registered {spread(known)}:"
          f" {statistics.median(first) - statistics.median(known):+.1f} ms",
          flush=True)


def lookups(case: labtest.Case, count: int) -> None:
    """Engines alone, without Keycloak."""
    home = list(engines.jdks().values())[-1]
    request = json.dumps({"client_id": MANY + "lookup", "policy": {
        "allow": [MANY + "*"]}, "purpose": "authorize"})
    for engine in ("socket", "jni"):
        one = cimdd.Cimdd(case, RULES)
        if engine == "socket":
            one.start()
            words = ["socket", one.path]
        else:
            words = ["jni", engines.library(), engines.configuration(one)]
        tool = engines.Tool(case, home, *words, check=False)
        assert tool.ask_raw(request).startswith('{"client"')
        each = int(tool.ask_raw(f"time {count} {request}").split()[1])
        took, answer = clock(
            lambda: tool.ask_raw(f"burst 8 {count} {request}"))
        assert answer == f"good: {8 * count}", answer
        print(f"{engine:7} one stored lookup {each / 1000:.1f} us; 8 threads:"
              f" {8 * count / took * 1000:.0f} a second", flush=True)


def rows(where: Site, engine: str, counts: list[int]) -> None:
    """URLs that nobody has seen, one after the other."""
    for count in counts:
        before, fetched = where.rows(), fetches()
        took, _ = clock(lambda: [
            first_contact(where, f"{MANY}{engine}-{count}-{n}")
            for n in range(count)])
        made, got = where.rows() - before, fetches(fetched + count) - fetched
        print(f"{engine:7} {count:5} URLs: {made:5} rows, {got:5} fetches,"
              f" {took / 1000:7.2f} s, {took / count:.1f} ms each", flush=True)
        if engine != "native":
            target.exactly(f"{engine}, rows of {count} URLs", made, 0)
            target.exactly(f"{engine}, fetches of {count} URLs", got, count)


def fetches(expected: int = 0) -> int:
    """How many documents the many clients' host has given away; nginx says
    so after its answer."""
    def found() -> int:
        return len(labtest.lab().nginx_requests("many-clients.example.net"))
    try:
        labtest.wait_until(lambda: found() >= expected, 10)
    except AssertionError:
        pass  # so there are fewer
    return found()


def first_contact(where: Site, client: str) -> None:
    """A stranger's authorization request; nobody logs in."""
    page = where.flow(client).authorize()
    assert "password" in page.body, page.text()


def main() -> int:
    """Parse the command line; run what is wanted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    count = 5 if args.quick else 60
    counts = [1, 10] if args.quick else [1, 100, 1000]
    case = labtest.Case()
    try:
        print(f"Keycloak {keycloak.newest()}, in one run")
        lookups(case, 200 if args.quick else 5000)
        for engine in ("socket", "jni"):
            one = site(case, engine)
            try:
                logins(one, engine, count, args.quick)
                rows(one, engine, counts)
            finally:
                one.kc.stop()
        other = native_site(case)
        try:
            rows(other, "native", counts)
        finally:
            other.kc.stop()
    finally:
        case.doCleanups()
    return 1 if target.WRONG else 0


if __name__ == "__main__":
    sys.exit(main())
