#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The figures of our style, measured and held against the bar.

Prints one line per figure, and one per place that breaks a rule.  Fails if
any is past the bar.  The rules for single functions and lines hold for tests
and benchmarks too; the statistics are those of the product's own code.
"""

import json
import os
import re
import statistics
import subprocess
import sys

TOP = os.path.realpath(os.environ.get("top_srcdir", "."))
PRODUCT = ("common", "cimdd", "cimdctl", "plugins",
           "keycloak-bridge")
BESIDE = ("tests", "bench")

# Rules for each function, line and file.
MAX_LINES = 80
MAX_NESTING = 4
MAX_PARAMETERS = 6
MAX_COLUMNS = 80
MAX_FILE_LINES = 600
BANNED_ALWAYS = r"v?sprintf|strn?cpy|strn?cat|strtok(?:_r)?|gets|alloca"
BANNED_PRODUCT = BANNED_ALWAYS + (
    r"|ato[ifl]l?|strto[a-z]+|rand|srand|signal|(?:secure_)?getenv|system"
    r"|popen")

TOKEN = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"
                   |'(?:\\.|[^'\\\n])*'""", re.S | re.X)


def blank(match):
    """A comment or literal with all but its line ends gone."""
    text = match.group()
    inside = re.sub(r"[^\n]", " ", text[1:-1])
    return text[0] + inside + text[-1] if text[0] in "\"'" else f" {inside} "


class Source:
    """One C file: its text, and the same without comments and literals."""

    def __init__(self, path):
        self.path = path
        with open(os.path.join(TOP, path), encoding="utf-8") as f:
            self.raw = f.read()
        self.code = TOKEN.sub(blank, self.raw)
        self.lines = self.raw.splitlines()
        self.product = path.split("/")[0] in PRODUCT


def parameter_count(signature):
    """How many parameters "(int a, void (*f)(int, int))" has."""
    inner = signature.strip()[1:-1].strip()
    if inner in ("", "void"):
        return 0
    while re.search(r"\([^()]*\)", inner):
        inner = re.sub(r"\([^()]*\)", "", inner)
    return inner.count(",") + 1


def nesting(code):
    """The greatest depth of braces."""
    depth = deepest = 0
    for c in re.findall(r"[{}]", code):
        depth += 1 if c == "{" else -1
        deepest = max(deepest, depth)
    return deepest


class Function:
    """One function: where it is and how big it is."""

    def __init__(self, source, tag):
        body = source.code.split("\n")[tag["line"] - 1:tag["end"]]
        self.name = tag["name"]
        self.source = source
        self.place = f'{source.path}:{tag["line"]}: {tag["name"]}'
        self.lines = len(body)
        self.nesting = nesting("\n".join(body))
        self.parameters = parameter_count(tag.get("signature", "()"))
        # Whose parameters somebody else has laid down, says so above.
        above = source.lines[max(0, tag["line"] - 4):tag["line"] - 1]
        if any("NOLINTNEXTLINE(readability-function-size): " in line
               for line in above):
            self.parameters = 0


def functions(sources):
    """The functions of all .c files, as universal-ctags sees them."""
    by_path = {s.path: s for s in sources if s.path.endswith(".c")}
    out = subprocess.run(
        ["ctags", "--languages=C", "--c-kinds=f", "--fields=+neS",
         "--output-format=json", "-f", "-", *by_path],
        cwd=TOP, capture_output=True, text=True, check=True).stdout
    tags = [json.loads(line) for line in out.splitlines()]
    return [Function(by_path[t["path"]], t) for t in tags if "end" in t]


def quantile(values, share):
    """The value below which that share of the values lies."""
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def broken_rules(sources, funcs):
    """Yield a line for each place that breaks a rule."""
    for f in funcs:
        for what, value, bar in (("lines", f.lines, MAX_LINES),
                                 ("levels", f.nesting, MAX_NESTING),
                                 ("parameters", f.parameters,
                                  MAX_PARAMETERS)):
            if value > bar:
                yield f"{f.place}: {value} {what}, at most {bar}"
    for s in sources:
        if len(s.lines) > MAX_FILE_LINES:
            yield (f"{s.path}: {len(s.lines)} lines, "
                   f"at most {MAX_FILE_LINES}")
        for n, line in enumerate(s.lines, 1):
            if len(line.expandtabs(8)) > MAX_COLUMNS:
                yield f"{s.path}:{n}: over {MAX_COLUMNS} columns"
        banned = BANNED_PRODUCT if s.product else BANNED_ALWAYS
        for m in re.finditer(rf"\b({banned})\s*\(", s.code):
            n = s.code.count("\n", 0, m.start()) + 1
            yield f"{s.path}:{n}: calls {m[1]}"


def bad_prototypes():
    """Yield a line for each public prototype without comment or names."""
    source = Source("common/cimd.h")
    pattern = re.compile(r"^CIMD_(?:API|MUST)\b[^;]*?\b(cimd_\w+)\(([^;]*)\);",
                         re.M)
    for m in pattern.finditer(source.code):
        n = source.code.count("\n", 0, m.start())
        last = source.code.count("\n", 0, m.end())
        first = n
        while source.lines[first - 1].strip():
            first -= 1
        if not any("/*" in s for s in source.lines[first:last + 1]):
            yield f"common/cimd.h:{n + 1}: {m[1]}: no comment"
        for p in m[2].split(","):
            if p.strip() != "void" and not re.search(r"[\w)][\s*]+\w+$",
                                                     p.strip()):
                yield f"common/cimd.h:{n + 1}: {m[1]}: unnamed: {p.strip()}"


def statistics_of(funcs, product_lines, test_lines):
    """Yield (figure, value, bar, is the value within the bar)."""
    lengths = [f.lines for f in funcs]
    long_share = 100 * sum(n > 60 for n in lengths) / len(lengths)
    depths = [f.nesting for f in funcs]
    name = statistics.mean(len(f.name) for f in funcs)
    ratio = test_lines / product_lines
    rows = [("function lines, median", statistics.median(lengths), 17),
            ("function lines, 90 %", quantile(lengths, 0.9), 45),
            ("function lines, most", max(lengths), MAX_LINES),
            ("functions over 60 lines, %", round(long_share, 1), 4),
            ("nesting, 90 %", quantile(depths, 0.9), 3),
            ("nesting, most", max(depths), MAX_NESTING),
            ("parameters, most", max(f.parameters for f in funcs),
             MAX_PARAMETERS),
            ("function name, mean length", round(name, 1), 18)]
    for figure, value, bar in rows:
        yield figure, value, f"<= {bar}", value <= bar
    yield ("test lines per source line", round(ratio, 2), ">= 1.0",
           ratio >= 1.0)


def tree(tops, endings):
    """Paths of all files under tops with one of the endings."""
    for top in tops:
        for where, _, names in os.walk(os.path.join(TOP, top)):
            for name in sorted(names):
                if name.endswith(endings):
                    yield os.path.relpath(os.path.join(where, name), TOP)


def count_lines(paths):
    """Lines of all the files."""
    total = 0
    for path in paths:
        with open(os.path.join(TOP, path), "rb") as f:
            total += f.read().count(b"\n")
    return total


def main():
    try:
        out = subprocess.run(["ctags", "--version"], capture_output=True,
                             text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        out = ""
    if "Universal Ctags" not in out:
        print("skipped: universal-ctags is not installed")
        return 77
    product = list(tree(PRODUCT, (".c", ".h")))
    sources = [Source(p) for p in (*product, *tree(BESIDE, (".c", ".h")))]
    funcs = functions(sources)
    rows = statistics_of([f for f in funcs if f.source.product],
                         count_lines(product),
                         count_lines(tree(("tests",),
                                          (".c", ".h", ".py", ".sh")))
                         # A case is a test as data: no line of code.
                         + count_lines(tree((os.path.join("tests", "cases"),),
                                            ("",))))
    good = True
    for figure, value, bar, within in rows:
        good = good and within
        print(f"{figure:32}{value:>8}   {bar:8}{'' if within else 'FAILED'}")
    broken = [*broken_rules(sources, funcs), *bad_prototypes()]
    print("".join(f"error: {line}\n" for line in broken), end="")
    print(f"{len(funcs)} functions in {len(sources)} files, "
          f"{len(broken)} broken rules")
    return 0 if good and not broken else 1


if __name__ == "__main__":
    sys.exit(main())
