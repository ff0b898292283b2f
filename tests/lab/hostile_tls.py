# SPDX-License-Identifier: Apache-2.0
"""TLS of the hostile server: which certificate and which fault, by name.

The server peeks at the ClientHello before any TLS object exists, so that
the name that the client sends selects everything: the certificate, the
protocol version, or a fault below TLS.  The first label of the name is the
mode (expired.hostile.example.net); any other first label is "good".
A client that sends no name (an IP literal) gets a certificate for the
address that it connected to.

A certificate is made when it is first asked for, which takes a while, and a
client that waits two seconds for a handshake may see no end of it.  So all
the names right below DOMAIN share one certificate of each kind, and these are
there before the server is.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import struct
import time
import warnings
from typing import Callable

from ca import CA, KINDS

DOMAIN = "hostile.example.net"
HANDSHAKE = 22
SERVER_NAME = 0

# Modes that answer with something other than TLS.
BELOW_TLS = ("tcp-silent", "tcp-close", "tcp-reset", "tls-garbage",
             "tls-alert", "tls-drip")
VERSIONS = {
    "tls10": (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1),
    "tls11": (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1),
    "tls12": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
    "tls13": (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3),
}
MODES = KINDS + BELOW_TLS + tuple(VERSIONS)
PATIENCE = 30.0


def peek_hello(conn: socket.socket, seconds: float) -> bytes:
    """The client's first TLS record, left in the socket; b"" if there is
    none in time."""
    limit = struct.pack("ll", int(seconds), 0)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    flags = socket.MSG_PEEK | socket.MSG_WAITALL
    try:
        head = conn.recv(5, flags)
        if len(head) < 5 or head[0] != HANDSHAKE:
            return head
        size = struct.unpack("!H", head[3:5])[0]
        return conn.recv(5 + size, flags)
    except OSError:
        return b""
    finally:
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO,
                        struct.pack("ll", 0, 0))


def skip(data: bytes, at: int, width: int) -> int:
    """The offset behind a vector whose length has this many bytes."""
    return at + width + int.from_bytes(data[at:at + width], "big")


def server_name(hello: bytes) -> str | None:
    """The host name in a ClientHello record, if it has one."""
    if len(hello) < 44 or hello[0] != HANDSHAKE:
        return None
    at = 5 + 4 + 2 + 32
    for width in (1, 2, 1):  # session id, cipher suites, compression
        at = skip(hello, at, width)
    at += 2
    while at + 4 <= len(hello):
        kind, size = struct.unpack_from("!HH", hello, at)
        body = hello[at + 4:at + 4 + size]
        if kind == SERVER_NAME and len(body) > 5:
            return body[5:].decode("latin-1").lower()
        at += 4 + size
    return None


class Tls:
    """Certificates and modes by host name."""

    def __init__(self, ca: CA) -> None:
        self.ca = ca
        self.modes: dict[str, str] = {}
        self.contexts: dict[tuple[str, str], ssl.SSLContext] = {}
        for kind in KINDS:
            self.context(f"{kind}.{DOMAIN}", kind)

    def set_mode(self, host: str, mode: str | None) -> None:
        """From now on this name (or own address) has this mode; None: the
        default again."""
        if mode is None:
            self.modes.pop(host.lower(), None)
        elif mode in MODES:
            self.modes[host.lower()] = mode
        else:
            raise ValueError(f"no such mode: {mode}")

    def mode(self, host: str) -> str:
        """The mode for a name."""
        label = host.partition(".")[0]
        return self.modes.get(host, label if label in MODES else "good")

    def context(self, host: str, mode: str) -> ssl.SSLContext:
        """The TLS context for a name, made when first asked for."""
        if host.partition(".")[2] == DOMAIN:
            host = "*." + DOMAIN
        key = (host, mode)
        if key not in self.contexts:
            self.contexts[key] = self._context(host, mode)
        return self.contexts[key]

    def _context(self, host: str, mode: str) -> ssl.SSLContext:
        leaf = self.ca.leaf([host], mode if mode in KINDS else "good")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if mode in VERSIONS:
            low, high = VERSIONS[mode]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.set_ciphers("ALL:@SECLEVEL=0")
                context.minimum_version = low
                context.maximum_version = high
        context.load_cert_chain(leaf.cert, leaf.key)
        return context

    def wrap(self, conn: socket.socket, host: str) -> ssl.SSLSocket | None:
        """Do the handshake; None when the mode ends the connection."""
        mode = self.mode(host)
        if mode in BELOW_TLS:
            FAULTS[mode](self, conn, host)
            return None
        conn.settimeout(PATIENCE)
        return self.context(host, mode).wrap_socket(conn, server_side=True)

    def silent(self, conn: socket.socket, _host: str) -> None:
        """Read what comes, answer nothing, until the client leaves."""
        conn.settimeout(PATIENCE)
        while conn.recv(65536):
            pass

    def close(self, conn: socket.socket, _host: str) -> None:
        """Close in the middle of the handshake."""
        conn.recv(65536)

    def reset(self, conn: socket.socket, _host: str) -> None:
        """Answer the ClientHello with RST."""
        reset(conn)

    def garbage(self, conn: socket.socket, _host: str) -> None:
        """Answer with something that is not TLS."""
        conn.recv(65536)
        conn.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" * 8)

    def alert(self, conn: socket.socket, _host: str) -> None:
        """A fatal unrecognized_name alert."""
        conn.recv(65536)
        conn.sendall(b"\x15\x03\x03\x00\x02\x02\x70")

    def drip(self, conn: socket.socket, host: str) -> None:
        """A good handshake, one byte a second."""
        source, sink = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context(host, "good").wrap_bio(
            source, sink, server_side=True)
        source.write(conn.recv(65536))
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        for byte in sink.read():
            conn.sendall(bytes([byte]))
            time.sleep(1)


FAULTS: dict[str, Callable[[Tls, socket.socket, str], None]] = {
    "tcp-silent": Tls.silent, "tcp-close": Tls.close,
    "tcp-reset": Tls.reset, "tls-garbage": Tls.garbage,
    "tls-alert": Tls.alert, "tls-drip": Tls.drip,
}


def reset(conn: socket.socket) -> None:
    """Make the coming close of this socket an RST."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))


def own_name(conn: socket.socket) -> str:
    """The address that the client connected to, as text."""
    address = ipaddress.ip_address(conn.getsockname()[0].partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
