# SPDX-License-Identifier: Apache-2.0
"""The machine of the laboratory as the install pages want it: the shipped
configuration files where they belong, and cimdd's sockets in /run/cimd."""

from __future__ import annotations

import ctypes
import os
import shutil

import labtest
from cimdd import RULES, Cimdd
from saslhost import Case, plugin_folder

EXAMPLES = os.path.join(labtest.top_src(), "doc", "hosts", "sasl")
MS_BIND = 4096


def bind(source: str, target: str) -> None:
    """Put a folder over another one, for the laboratory alone."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), target.encode(), None, MS_BIND, None):
        raise OSError(ctypes.get_errno(), f"cannot mount over {target}")


def unbind(target: str) -> None:
    """Take it away."""
    ctypes.CDLL(None).umount2(target.encode(), 2)


def example(*parts: str) -> str:
    """A file that is shipped."""
    return os.path.join(EXAMPLES, *parts)


class MachineCase(Case):
    """cimdd at its usual place, with the shipped consumers."""

    def setUp(self) -> None:
        super().setUp()
        if labtest.lab().mode == "loopback":
            self.skipTest("needs the mounts of the laboratory")
        self.plugins = plugin_folder(self, "plain")
        os.chmod(self.plugins, 0o755)
        self.cimd = self.at_its_place()

    def at_its_place(self) -> Cimdd:
        """Sockets in /run/cimd, consumers from the shipped file."""
        os.makedirs("/run/cimd", exist_ok=True)
        self.addCleanup(shutil.rmtree, "/run/cimd")
        with open(example("cimd.conf"), encoding="utf-8") as src:
            shipped = src.read()
        one = Cimdd(self, RULES + shipped, mux_group="root",
                    lookup_socket="/run/cimd/lookup.sock")
        one.path = one.socket.path = "/run/cimd/lookup.sock"
        self.addCleanup(one.check)
        one.start()
        os.chmod("/run/cimd/mux", 0o666)
        os.chmod("/run/cimd/lookup.sock", 0o666)
        return one

    def over(self, folder: str, *example_parts: str) -> None:
        """Put a shipped folder where it belongs."""
        if not os.path.isdir(folder):
            self.skipTest(f"{folder} is not there")
        copy = self.folder()  # readable for the server's user
        shutil.copytree(example(*example_parts), copy, dirs_exist_ok=True)
        os.chmod(copy, 0o755)
        bind(copy, folder)
        self.addCleanup(unbind, folder)

    def need(self, program: str) -> None:
        """Skip where the machine does not have it."""
        if shutil.which(program, path=os.environ["PATH"]
                        + ":/usr/sbin:/sbin") is None:
            self.skipTest(f"{program} is not installed")

    def environment(self, **more: str) -> dict[str, str]:
        """Where plugins are."""
        return {**os.environ, "SASL_PATH": self.plugins, **more}
