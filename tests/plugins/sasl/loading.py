# SPDX-License-Identifier: Apache-2.0
"""Where the plugin is loaded: what it brings along, what it leaves behind,
in servers, clients, threads and children."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess

from saslhost import OK, Case, Host, plugin, plugin_folder

VALGRIND = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=full",
            "--errors-for-leak-kinds=definite,possible", "--num-callers=30"]


def output(*argv: str, **more: str) -> str:
    """What a program says, with additions to its environment."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False,
                          timeout=60, env={**os.environ, **more})
    return done.stdout + done.stderr


class LoadingCase(Case):
    """A host, and what the machine has."""

    def with_everything(self, wrapper: list[str] | None = None) -> Host:
        """A host; what it asks is left to the test."""
        self.cimd = self.with_mux()
        options = self.options(self.cimd, pwcheck_method="auxprop")
        return Host(self, plugin_folder(self, "plain"), options, wrapper)


class Loading(LoadingCase):
    """One shared object in everybody's process."""

    def test_what_it_exports(self) -> None:
        """Two entry points, one of them for clients too."""
        names = output("nm", "-D", "--defined-only", plugin()).split()[2::3]
        self.assertEqual([n for n in names if not n.startswith("__")],
                         ["sasl_auxprop_plug_init", "sasl_canonuser_init"])

    def test_load_and_unload(self) -> None:
        """A hundred times; nothing is left open."""
        sasl = self.with_everything()
        sasl.new()
        self.assertEqual(sasl.exists(self.url).status, OK)
        fds = f"/proc/{sasl.child.pid}/fd"
        open_before = os.listdir(fds)
        self.assertEqual(sasl.call("reinit", "100").status, OK)
        sasl.new()
        self.assertEqual(sasl.exists(self.url).status, OK)
        self.assertEqual(os.listdir(fds), open_before)
        self.assertEqual(os.listdir(f"/proc/{sasl.child.pid}/task"),
                         [str(sasl.child.pid)])
        self.assertEqual(sasl.finish(), 0)

    def test_fork_after_load(self) -> None:
        """Servers load it once, and fork for each connection."""
        sasl = self.with_everything()
        for _ in range(5):
            sasl.new()
            self.assertEqual(sasl.call("fork", self.url).status, OK)
            self.assertEqual(sasl.exists(self.url).status, OK)
            self.assertEqual(sasl.call("fork", self.url).status, OK)

    def test_threads(self) -> None:
        """Many at once, each with connections of its own."""
        sasl = self.with_everything()
        found = sasl.call("threads", "12", "25", self.url)
        self.assertEqual(found.status, 12 * 25, found)


class Stock(LoadingCase):
    """Programs of the machine, which cannot load a sanitizer's plugin."""

    def need(self, program: str) -> None:
        """Skip where the machine has no such program."""
        if shutil.which(program) is None:
            self.skipTest(f"{program} is not installed")

    def test_what_it_links(self) -> None:
        """libc and json-c; neither libcurl nor any TLS."""
        needed = re.findall(r"NEEDED.*\[(.*)\]",
                            output("readelf", "-d", plugin()))
        self.assertEqual(sorted(re.sub(r"\.so.*", "", n) for n in needed),
                         ["libc", "libjson-c"])
        everything = output("ldd", plugin())
        for name in ("curl", "ssl", "crypto", "gnutls", "sasl", "cares"):
            self.assertNotIn(name, everything)

    def test_viewer(self) -> None:
        """saslpluginviewer shows it, configured or not."""
        self.need("saslpluginviewer")
        folder = plugin_folder(self, "plain")
        said = output("saslpluginviewer", "-a", SASL_PATH=folder)
        self.assertRegex(said, r'Plugin "cimd"')
        said = output("saslpluginviewer", "-c", SASL_PATH=folder)
        self.assertIn("PLAIN", said)

    def test_client_program(self) -> None:
        """ldapsearch loads it, works as before, and asks nobody."""
        self.need("ldapsearch")
        folder = plugin_folder(self, "plain")
        path = os.path.join(self.folder(), "cimd")
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(path)
            sock.listen(4)
            sock.setblocking(False)
            said = output("ldapsearch", "-Y", "PLAIN", "-H",
                          "ldapi://%2fnowhere", "-U", "https://h.example/x",
                          "-w", "x", SASL_PATH=folder, LD_DEBUG="files")
            self.assertIn("libcimd_sasl.so", said)
            self.assertRegex(said, "calling init: .*libcimd_sasl.so")
            self.assertIn("Can't contact LDAP server", said)
            self.assertRaises(BlockingIOError, sock.accept)

    def test_valgrind(self) -> None:
        """All of it, without a bad access or a lost byte."""
        self.need("valgrind")
        sasl = self.with_everything(VALGRIND)
        unknown = "https://other.example.org/x"
        for name in (self.url, "alice", unknown, self.url + "@example.org"):
            sasl.new("imap", "example.org", "*oauthRedirectURI",
                     "*oauthJWKS", "oauthTrust", "*oauthAuthMethod")
            sasl.exists(name)
            sasl.plain(name, "x" * 100)
        for _ in range(10):
            sasl.new()
            sasl.exists(self.client())
        sasl.call("client", self.url, "cimd")
        sasl.call("fork", self.url)
        sasl.call("reinit", "3")
        sasl.new()
        self.assertEqual(sasl.exists(self.url).status, OK)
        self.cimd.daemon.kill()
        sasl.new()
        sasl.exists(self.url)
        self.assertEqual(sasl.finish(), 0, sasl.said())

    def test_valgrind_threads(self) -> None:
        """helgrind's races are libsasl2's own; memory is what counts."""
        self.need("valgrind")
        sasl = self.with_everything(VALGRIND)
        self.assertEqual(sasl.call("threads", "4", "5", self.url).status, 20)
        self.assertEqual(sasl.finish(), 0, sasl.said())
