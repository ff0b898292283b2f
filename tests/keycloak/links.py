# SPDX-License-Identifier: Apache-2.0
"""What the jar refers to exists in this Keycloak, with that very type."""

from __future__ import annotations

import os
import struct
import subprocess
import zipfile

import host
from keycloak import distribution, wanted

__all__ = ["Links"]


class Links(host.Case):
    """Most of it runs in other tests; this finds the rest."""

    def setUp(self) -> None:
        pass  # neither a server nor Keycloak has to run

    def test_every_reference(self) -> None:
        libraries = os.path.join(distribution(wanted()), "lib", "lib")
        done = subprocess.run(
            ["java", os.path.join(host.HERE, "LinkCheck.java"), host.jar(),
             os.path.join(libraries, "main"),
             os.path.join(libraries, "boot")],
            capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"[0-9]{3,} references, 0 faults")

    def test_nothing_but_ours(self) -> None:
        """Nothing is shaded, and Java 17 can run it."""
        with zipfile.ZipFile(host.jar()) as jar:
            names = [one for one in jar.namelist() if one.endswith(".class")]
            self.assertGreater(len(names), 30)
            for name in names:
                self.assertTrue(name.startswith("cimd/keycloak/"), name)
                magic, _, version = struct.unpack(">IHH", jar.read(name)[:8])
                self.assertEqual((magic, version), (0xCAFEBABE, 61), name)
