#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy is content with every C file that is built.

The flags of each file come from make itself: a fresh build directory is
configured, and what "make -n" would run there becomes the compilation
database.  Each version of clang-tidy brings new checks; ours is 14.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

TOP = os.path.realpath(os.environ["top_srcdir"])


def find_tool():
    """The clang-tidy of version 14, or None."""
    for name in (os.environ.get("CLANG_TIDY"), "clang-tidy-14", "clang-tidy"):
        try:
            out = subprocess.run([name, "--version"], capture_output=True,
                                 text=True, check=True).stdout
        except (OSError, TypeError, subprocess.CalledProcessError):
            continue
        if re.search(r"version 14\.", out):
            return name
    return None


def make_output(build):
    """What make would run in build, with the directories it would enter."""
    env = {k: v for k, v in os.environ.items()
           if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")}
    env["LC_ALL"] = "C"
    subprocess.run([TOP + "/configure", "-q", "CC=clang"], cwd=build, env=env,
                   check=True, stdout=subprocess.DEVNULL)
    out = ""
    for goal in ("all", "check"):
        # -k: nothing is built, so that a library is missing elsewhere.
        out += subprocess.run(["make", "-nkw", "V=1", goal, "TESTS="],
                              cwd=build, env=env, text=True, check=False,
                              capture_output=True).stdout
    return out


def entries(output):
    """Yield one compilation database entry per C file of the project."""
    where = []
    seen = set()
    for line in output.replace("\\\n", " ").split("\n"):
        moved = re.match(r"make.*: (Entering|Leaving) directory '(.*)'", line)
        if moved and moved[1] == "Entering":
            where.append(moved[2])
        elif moved:
            where.pop()
        if moved or " -c -o " not in line:
            continue
        command = re.sub(r"`test -f '[^']*' \|\| echo '([^']*)'`", r"\1",
                         line.split("&&")[0])
        args = shlex.split(command, comments=True)
        args = args[args.index("clang"):]
        path = os.path.normpath(os.path.join(where[-1], args[-1]))
        if path in seen or not path.endswith(".c"):
            continue
        seen.add(path)
        yield {"directory": where[-1], "file": path, "arguments": args}


def check(tool, build, path):
    """Run clang-tidy over one file; True if it is content."""
    run = subprocess.run([tool, "--quiet", "-p", build, path], text=True,
                         capture_output=True)
    if run.returncode != 0:
        print(run.stdout + run.stderr, flush=True)
    return run.returncode == 0


def main():
    tool = find_tool()
    if tool is None:
        print("skipped: clang-tidy 14 is not installed")
        return 77
    with tempfile.TemporaryDirectory(prefix="cimd-tidy-") as build:
        database = list(entries(make_output(build)))
        with open(build + "/compile_commands.json", "w") as f:
            json.dump(database, f)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            ok = list(pool.map(lambda e: check(tool, build, e["file"]),
                               database))
    print(f"{len(ok)} files, {ok.count(False)} with findings")
    return 0 if ok and all(ok) else 1


if __name__ == "__main__":
    sys.exit(main())
