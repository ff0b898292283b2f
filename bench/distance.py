# SPDX-License-Identifier: Apache-2.0
"""A server that is far away: a TUN device that delays every packet.

Inside of the laboratory, near() is an address at which a server listens, and
far an address that nobody has.  What is sent to far goes into the device;
this module changes the places of sender and receiver, and hands the packet
back later: it arrives as if far had sent it, at near().  What the server
answers takes the same way back.  Checksums stay right, because they are sums.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import time
from collections import deque
from collections.abc import Iterator

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
DEVICE = "far"


class NotPossible(Exception):
    """This machine has no TUN devices for us; the text says why."""


def device() -> int:
    """A TUN device; it is there as long as the descriptor is."""
    try:
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack(
            "16sH", DEVICE.encode(), IFF_TUN | IFF_NO_PI))
    except OSError as exc:
        raise NotPossible(f"/dev/net/tun: {exc.strerror}") from None
    return fd


def swapped(packet: bytes) -> bytes:
    """The IPv4 packet with its addresses exchanged."""
    return packet[:12] + packet[16:20] + packet[12:16] + packet[20:]


def carry(fd: int, one_way_s: float) -> None:
    """Hand every packet back after its time; never returns."""
    under_way: deque[tuple[float, bytes]] = deque()
    while True:
        now = time.monotonic()
        while under_way and under_way[0][0] <= now:
            os.write(fd, under_way.popleft()[1])
        wait = max(0.0, under_way[0][0] - now) if under_way else None
        if select.select([fd], [], [], wait)[0]:
            packet = os.read(fd, 65536)
            if packet[0] >> 4 == 4:
                under_way.append((time.monotonic() + one_way_s,
                                  swapped(packet)))


@contextlib.contextmanager
def distance(near: str, far: str, one_way_s: float) -> Iterator[None]:
    """While this lasts, far is near, but that far away."""
    fd = device()
    try:
        for line in (f"link set {DEVICE} up",
                     f"route add {far}/32 dev {DEVICE} src {near} table local"):
            done = subprocess.run(["ip", *line.split()], check=False,
                                  capture_output=True, text=True)
            if done.returncode != 0:
                raise NotPossible("ip: " + done.stderr.strip())
        child = os.fork()
        if child == 0:
            carry(fd, one_way_s)
        try:
            yield
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    finally:
        os.close(fd)
