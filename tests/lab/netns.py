# SPDX-License-Identifier: Apache-2.0
"""A network of its own: namespaces in which real names and public-looking
addresses exist, and nothing that leaves them.

run(function) forks into new user (if not root), network, mount and PID
namespaces and calls the function there as process 1.  When it returns, or
when the caller dies in any way, every process inside is gone.

Inside, /run is an empty tmpfs, and resolv.conf, hosts and nsswitch.conf are
bind mounts; nothing outside changes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
from typing import Callable

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
NOT_ALLOWED = 77

LIBC = ctypes.CDLL(None, use_errno=True)


class NotAllowed(Exception):
    """This machine does not let us make namespaces."""


def call(name: str, *args: int | bytes | None) -> None:
    """A libc function that returns 0; NotAllowed with its error if not."""
    if getattr(LIBC, name)(*args) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise NotAllowed(f"{name}: {reason}")


def mount(source: str, target: str, kind: str | None, flags: int) -> None:
    """mount(2)."""
    call("mount", source.encode(), target.encode(),
         kind.encode() if kind else None, flags, None)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def unshare() -> None:
    """New namespaces for this process; its children get a new PID one."""
    uid, gid = os.geteuid(), os.getegid()
    flags = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID
    if uid == 0:
        try:
            call("unshare", flags)
            return
        except NotAllowed:
            pass
    call("unshare", flags | CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"),
                       ("gid_map", f"0 {gid} 1")):
        try:
            with open(f"/proc/self/{name}", "w", encoding="ascii") as out:
                out.write(text)
        except OSError as exc:
            raise NotAllowed(f"{name}: {exc.strerror}") from None


def mounts() -> None:
    """A private /run, and a /proc of the new PID namespace if allowed."""
    call("mount", None, b"/", None, MS_REC | MS_PRIVATE, None)
    mount("lab", "/run", "tmpfs", MS_NOSUID | MS_NODEV)
    try:
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    except NotAllowed:
        pass  # a container that hides parts of /proc; the old one will do


def replace_file(path: str, text: str, folder: str) -> None:
    """Bind a file with this text over path."""
    own = os.path.join(folder, os.path.basename(path))
    with open(own, "w", encoding="ascii") as out:
        out.write(text)
    target = os.path.realpath(path)
    if target.startswith("/run/"):  # systemd-resolved; /run is ours now
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="ascii") as out:
            out.write(text)
    elif os.path.exists(target):
        mount(own, target, None, MS_BIND)
    elif path.endswith("resolv.conf"):
        raise NotAllowed(f"{path} does not exist, nothing to mount over")


def ip(family: str, lines: list[str]) -> None:
    """Run commands of ip(8), for -4 or -6."""
    done = subprocess.run(["ip", family, "-batch", "-"], input="\n".join(lines),
                          text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise NotAllowed("ip: " + " ".join(done.stderr.split()))


def network(addresses: list[str]) -> bool:
    """Bring up lo with these addresses, and make every other address local
    too, so that an attempt to reach it is seen.  True if IPv6 works."""
    v4 = [a for a in addresses if ":" not in a]
    v6 = [a for a in addresses if ":" in a]
    ip("-4", ["link set lo up"] + [f"addr add {a}/32 dev lo" for a in v4]
       + ["route add local 0.0.0.0/0 dev lo"])
    try:
        ip("-6", [f"addr add {a}/128 dev lo nodad" for a in v6]
           + ["route add local ::/0 dev lo"])
    except NotAllowed:
        return False
    return True


def names(folder: str, nameserver: str) -> None:
    """Point the resolver at the name server of the laboratory."""
    replace_file("/etc/resolv.conf", f"nameserver {nameserver}\n", folder)
    # Keycloak's test database wants to know the machine's own name.
    replace_file("/etc/hosts", "127.0.0.1 localhost "
                 f"{socket.gethostname()}\n::1 localhost\n", folder)
    replace_file("/etc/nsswitch.conf", "passwd: files\ngroup: files\n"
                 "shadow: files\nhosts: files dns\nservices: files\n"
                 "protocols: files\n", folder)


def run(inside: Callable[[], int]) -> int:
    """Call inside() as process 1 of new namespaces; return its status.

    NotAllowed if the namespaces cannot be made.  inside() must not return
    before its work is done: whatever it leaves behind is killed.
    """
    sys.stdout.flush()
    unshare()
    here, there = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(here[0])
        os.close(there[1])
        os._exit(first_process(inside, here[1], there[0]))
    os.close(here[1])
    os.close(there[0])

    def forward(number: int, _frame: object) -> None:
        os.kill(child, number)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, forward)
    os.read(here[0], 1)
    os.write(there[1], b"g")
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) & 0xff


def first_process(inside: Callable[[], int], out: int, go: int) -> int:
    """Bind our life to the parent's, then do the work."""
    die_with_parent()
    os.write(out, b"r")
    if os.read(go, 1) != b"g":
        return 1
    try:
        return inside()
    except NotAllowed as exc:
        sys.stderr.write(f"lab: no namespaces here ({exc})\n")
        return NOT_ALLOWED
    except Exception as exc:  # no traceback machinery survives os._exit
        sys.stderr.write(f"lab: {type(exc).__name__}: {exc}\n")
        return 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
