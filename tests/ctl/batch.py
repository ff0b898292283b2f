# SPDX-License-Identifier: Apache-2.0
"""check --batch: the tables of tests/cases/batch, and those of others.

A case is a line of JSON: "case" names it, "want" is what the answer must
hold, everything else is the input, but for these:

    doc       members that differ from BASE (null removes one); the body
    set_null  a member of doc that is null
    pad       white space is added to the body up to so many bytes
    as_b64    the body is sent as body_b64
    fixture   URL and body of a fixture
    raw       the whole line as it is

In "want", detail is a part of the text, warnings have no order, null says
that the member is absent; "has" and "lacks" list members.
"""

from __future__ import annotations

import base64
import glob
import json
import os
from typing import Any

import labtest
from ctl import cimdctl, fixture_path, fixtures

URL = "https://client.example.com/oauth/metadata.json"
BASE = {
    "client_id": URL,
    "client_name": "Case",
    "redirect_uris": ["http://127.0.0.1/callback"],
    "token_endpoint_auth_method": "none",
}
CASES = os.path.join(labtest.top_src(), "tests", "cases", "batch")
MANY = 10000
Case = dict[str, Any]


def body_of(case: Case) -> str:
    """The document that a case describes."""
    if "fixture" in case:
        with open(fixture_path(fixtures()[case["fixture"]]),
                  encoding="utf-8") as src:
            return src.read()
    members = {**BASE, **case["doc"]}
    members = {k: v for k, v in members.items() if v is not None}
    if "set_null" in case:
        members[case["set_null"]] = None
    text = json.dumps(members, ensure_ascii=False)
    return text + " " * (case.get("pad", 0) - len(text.encode()))


def line_of(case: Case) -> str:
    """The line of input of a case."""
    if "raw" in case:
        return str(case["raw"])
    ours = ("case", "want", "doc", "set_null", "pad", "as_b64", "fixture")
    line = {k: v for k, v in case.items() if k not in ours}
    line.setdefault("id", case["case"])
    line.setdefault("url", URL)
    if "fixture" in case:
        line["url"] = fixtures()[case["fixture"]]["url"]
    if "doc" in case or "fixture" in case:
        line["body"] = body_of(case)
    if case.get("as_b64"):
        line["body_b64"] = base64.b64encode(line.pop("body").encode()).decode()
    return json.dumps(line)


def wrong(case: Case, got: Case) -> list[str]:
    """What in the answer is not as the case wants it."""
    faults = []
    want = dict(case["want"])
    faults += [f"{m} is missing" for m in want.pop("has", []) if m not in got]
    faults += [f"{m} is there" for m in want.pop("lacks", []) if m in got]
    if "raw" not in case and got.get("id") != case.get("id", case["case"]):
        faults.append("another id")
    for member, value in want.items():
        found = got.get(member)
        if member == "detail":
            good = isinstance(found, str) and value in found
        elif member == "warnings":
            good = sorted(found or []) == sorted(value)
        elif value is None:
            good = member not in got
        else:
            good = member in got and found == value
        if not good:
            faults.append(f"{member}: {value!r} is wanted")
    return faults


def answers(lines: list[str], *more: str) -> list[Case]:
    """The answers of one run."""
    done = cimdctl("check", "--batch", "-", *more,
                   stdin="".join(line + "\n" for line in lines).encode())
    if done.status != 0 or done.err:
        raise AssertionError(f"status {done.status}: {done.err}")
    found = [json.loads(line) for line in done.out.splitlines()]
    if len(found) != len(lines):
        raise AssertionError(f"{len(found)} answers to {len(lines)} lines")
    return found


def tables() -> list[str]:
    """The files of cases."""
    found = sorted(glob.glob(os.path.join(CASES, "*.jsonl")))
    assert found, CASES
    return found


def read(path: str) -> list[Case]:
    """The cases of a file."""
    with open(path, encoding="utf-8") as src:
        return [json.loads(line) for line in src]


class Batch(labtest.Case):
    """The tables, all lines of a file in one run."""

    def test_tables(self) -> None:
        for path in tables():
            cases = read(path)
            got = answers([line_of(case) for case in cases])
            for case, answer in zip(cases, got):
                name = f"{os.path.basename(path)}: {case['case']}"
                faults = wrong(case, answer)
                with self.subTest(name):
                    self.assertEqual(faults, [], answer)

    def test_answers_have_all_members(self) -> None:
        for path in tables():
            for answer in answers([line_of(c) for c in read(path)]):
                for member in ("verdict", "class", "code", "section",
                               "warnings"):
                    self.assertIn(member, answer)
                self.assertEqual("detail" in answer,
                                 answer["code"] != "CIMD_OK")

    def test_many_lines(self) -> None:
        cases = [case for path in tables() for case in read(path)]
        lines = [line_of(case) for case in cases]
        lines = (lines * (MANY // len(lines) + 1))[:MANY]
        got = answers(lines)
        self.assertEqual(got[:1000], got[len(cases):len(cases) + 1000])

    def test_file(self) -> None:
        path = os.path.join(self.folder(), "in.jsonl")
        with open(path, "w", encoding="utf-8") as out:
            out.write(json.dumps({"url": URL}))  # no newline at the end
        done = cimdctl("check", "--batch", path)
        self.assertEqual(done.status, 0, done)
        self.assertEqual(done.json()["verdict"], "accept")
        missing = cimdctl("check", "--batch", path + ".missing")
        self.assertEqual((missing.status, missing.out), (2, ""))
        self.assertIn("No such file", missing.err)

    def test_utf8(self) -> None:
        """As it is, not escaped; not outside of strings, and no laxer."""
        name = "\u00c4\u20ac\U0001f642"
        body = json.dumps({**BASE, "client_name": name}, ensure_ascii=False)
        good = json.dumps({"id": name, "url": URL, "body": body},
                          ensure_ascii=False)
        got = answers([good, good[:-1] + ",}", good[:-1] + "\u00e4}",
                       good + "\u00e4", "\u00e4" + good])
        self.assertEqual([a["verdict"] for a in got],
                         ["accept"] + ["refuse"] * 4)
        self.assertEqual(got[0]["id"], name)
        self.assertEqual({a["code"] for a in got[1:]}, {"CIMD_E_JSON"})

    def test_not_utf8(self) -> None:
        """What is echoed stays JSON."""
        bad = b'{"id": "\xff", "url": "' + URL.encode() + b'"}\n'
        done = cimdctl("check", "--batch", "-", stdin=bad)
        self.assertEqual(done.status, 0, done)
        self.assertEqual(done.json()["code"], "CIMD_E_JSON")
        self.assertIn("UTF-8", done.json()["detail"])

    def test_long_lines(self) -> None:
        """They end nothing and take no memory, so that the run cannot end
        with status 0 amid the table; the next line has its answer."""
        limit = 4 * 1024 * 1024
        most = json.dumps({"id": 1, "url": URL, "x": ""})
        most = most[:-2] + "x" * (limit - len(most)) + most[-2:]
        got = answers([most, most + " ", json.dumps({"id": 3, "url": URL})])
        self.assertEqual([a["code"] for a in got],
                         ["CIMD_OK", "CIMD_E_JSON", "CIMD_OK"])
        self.assertEqual([a.get("id") for a in got], [1, None, 3])
        self.assertIn("more than 4194304 bytes", got[1]["detail"])

    def test_policy_for_all_lines(self) -> None:
        path = os.path.join(self.folder(), "policy.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump({"default": "deny", "allow": [URL]}, out)
        other = "https://other.example.com/x"
        own = {"url": other, "policy": {}}
        codes = [a["code"] for a in answers(
            [json.dumps(v) for v in ({"url": URL}, {"url": other}, own)],
            "--policy", path)]
        self.assertEqual(codes, ["CIMD_OK", "CIMD_E_POLICY", "CIMD_OK"])


class Corpora(labtest.Case):
    """Tables that others keep, where they are there."""

    WANT = {
        "accept": {"verdict": "accept"},
        "policy": {"verdict": "refuse"},
        "reject-syntax": {"verdict": "refuse", "code": "CIMD_E_URL"},
        "reject-address": {"verdict": "refuse"},
        "not-ours": {"verdict": "not_ours"},
    }

    def test_ssrf_forms(self) -> None:
        folder = os.environ.get("CIMD_CORPORA") or os.path.join(
            labtest.top_src(), "..", "shared", "data")
        path = os.path.join(folder, "ssrf", "url-forms.tsv")
        if not os.path.exists(path):
            self.skipTest("the corpora are not here (CIMD_CORPORA)")
        rows = []
        with open(path, encoding="utf-8") as src:
            for line in src:
                cells = line.rstrip("\n").split("\t")
                if line.startswith('"') and cells[2] in self.WANT:
                    rows.append((json.loads(cells[0]), cells[2]))
        self.assertGreater(len(rows), 100)
        got = answers([json.dumps({"url": url}) for url, _ in rows])
        for (url, kind), answer in zip(rows, got):
            for member, value in self.WANT[kind].items():
                self.assertEqual(answer[member], value, (url, kind, answer))
