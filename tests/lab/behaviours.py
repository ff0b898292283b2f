# SPDX-License-Identifier: Apache-2.0
"""What the hostile server can do with a request.

A behaviour is a function of an Exchange and of the path segments behind its
name: https://HOST/length/5121/any is length(exchange, "5121", "any").  The
table BEHAVIOURS maps names to functions; `python3 behaviours.py` lists them.
"""

from __future__ import annotations

import gzip
import json
import time
import zlib
from typing import TYPE_CHECKING, Callable
from urllib.parse import unquote

if TYPE_CHECKING:
    from hostile import Exchange

Behaviour = Callable[..., None]
BEHAVIOURS: dict[str, Behaviour] = {}
JSON = ("Content-Type", "application/json")
NO_CACHE = ("Cache-Control", "no-store")
CHUNK = 16384
MAX_SECONDS = 60
MAX_BYTES = 1 << 30
DATE = "Mon, 02 Nov 2026 08:00:00 GMT"


def behaviour(name: str) -> Callable[[Behaviour], Behaviour]:
    """Register a function under a name."""
    def register(function: Behaviour) -> Behaviour:
        BEHAVIOURS[name] = function
        return function
    return register


def endless(ex: "Exchange", data: bytes, pause: float = 0.0) -> None:
    """Send data again and again until the client has had enough."""
    ex.close = True
    stop = time.monotonic() + MAX_SECONDS
    while time.monotonic() < stop and ex.sent < MAX_BYTES:
        ex.send(data)
        if pause:
            time.sleep(pause)


def padded(ex: "Exchange", size: int) -> bytes:
    """A good document of exactly this many bytes."""
    empty = json.dumps({**ex.members(), "x_padding": ""}).encode()
    if size < len(empty):
        raise ValueError(f"a document has at least {len(empty)} bytes")
    return empty[:-2] + b"a" * (size - len(empty)) + empty[-2:]


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


# Good answers

@behaviour("good")
def good(ex: "Exchange", *_: str) -> None:
    """A good document, whatever else is in the path."""
    ex.respond(200, [JSON], ex.document())


@behaviour("etag")
def etag(ex: "Exchange", *_: str) -> None:
    """A good document with an ETag; 304 when asked with If-None-Match."""
    body = ex.document()
    tag = f'"{zlib.crc32(body):08x}"'
    if ex.request.header("if-none-match") == tag:
        ex.respond(304, [("ETag", tag)], None)
    else:
        ex.respond(200, [JSON, ("ETag", tag)], body)


@behaviour("last-modified")
def last_modified(ex: "Exchange", *_: str) -> None:
    """A good document with Last-Modified; 304 for If-Modified-Since."""
    if ex.request.header("if-modified-since") == DATE:
        ex.respond(304, [("Last-Modified", DATE)], None)
    else:
        ex.respond(200, [JSON, ("Last-Modified", DATE)], ex.document())


@behaviour("cache")
def cache(ex: "Exchange", value: str = "max-age=60", *_: str) -> None:
    """A good document with this Cache-Control value."""
    ex.respond(200, [JSON, ("Cache-Control", value)], ex.document())


@behaviour("delay")
def delay(ex: "Exchange", milliseconds: str = "500", *_: str) -> None:
    """A good document, late."""
    time.sleep(int(milliseconds) / 1000)
    good(ex)


@behaviour("jwks")
def jwks(ex: "Exchange", *_: str) -> None:
    """The key set that a test put there ("json"), else an empty one."""
    body = json.dumps(ex.spec.get("json", {"keys": []})).encode()
    ex.respond(200, [JSON], body)


@behaviour("custom")
def custom(ex: "Exchange", *_: str) -> None:
    """Status, headers and body as a test gave them."""
    given = [(name, value) for name, value in ex.spec.get("headers", [])]
    ex.extra = []
    ex.respond(ex.spec.get("status", 200), given or [JSON], ex.spec_body())


@behaviour("raw")
def raw(ex: "Exchange", *_: str) -> None:
    """The bytes that a test gave (body or body_b64), then close."""
    ex.close = True
    ex.send(ex.spec_body())


# Sizes and framing

@behaviour("length")
def length(ex: "Exchange", size: str, *_: str) -> None:
    """A good document of exactly this size, declared."""
    ex.respond(200, [JSON], padded(ex, int(size)))


@behaviour("chunked")
def chunked(ex: "Exchange", size: str = "0", *_: str) -> None:
    """A good document of exactly this size (0: as it is), chunked."""
    body = padded(ex, int(size)) if int(size) else ex.document()
    ex.head(200, [JSON, ("Transfer-Encoding", "chunked")])
    for at in range(0, len(body), 1000):
        ex.send(chunk(body[at:at + 1000]))
    ex.send(b"0\r\n\r\n")


@behaviour("close")
def close(ex: "Exchange", size: str = "0", *_: str) -> None:
    """A good document of this size (0: as it is), ended by close_notify."""
    ex.close = True
    ex.head(200, [JSON, ("Connection", "close")])
    ex.send(padded(ex, int(size)) if int(size) else ex.document())


@behaviour("close-cut")
def close_cut(ex: "Exchange", size: str = "0", *_: str) -> None:
    """As close, but the connection ends without close_notify."""
    close(ex, size)
    ex.notify = False


@behaviour("short-body")
def short_body(ex: "Exchange", *_: str) -> None:
    """Declares more than it sends."""
    body = ex.document()
    ex.close = True
    ex.head(200, [JSON, ("Content-Length", str(len(body) + 100))])
    ex.send(body)


@behaviour("long-body")
def long_body(ex: "Exchange", *_: str) -> None:
    """Sends more than it declares."""
    body = ex.document()
    ex.close = True
    ex.head(200, [JSON, ("Content-Length", str(len(body)))])
    ex.send(body + b'{"client_id":"https://evil.example.net/"}')


@behaviour("chunked-cut")
def chunked_cut(ex: "Exchange", *_: str) -> None:
    """A whole document in chunks, without the last chunk."""
    ex.close = True
    ex.head(200, [JSON, ("Transfer-Encoding", "chunked")])
    ex.send(chunk(ex.document()))


@behaviour("chunk-garbage")
def chunk_garbage(ex: "Exchange", *_: str) -> None:
    """A chunk size that is no number."""
    ex.close = True
    ex.head(200, [JSON, ("Transfer-Encoding", "chunked")])
    ex.send(chunk(ex.document()) + b"xyz\r\nabc\r\n0\r\n\r\n")


@behaviour("two-lengths")
def two_lengths(ex: "Exchange", *_: str) -> None:
    """Two Content-Length headers that differ."""
    body = ex.document()
    ex.close = True
    ex.head(200, [JSON, ("Content-Length", str(len(body))),
                  ("Content-Length", str(len(body) - 1))])
    ex.send(body)


@behaviour("length-and-chunked")
def length_and_chunked(ex: "Exchange", *_: str) -> None:
    """Content-Length and Transfer-Encoding at once."""
    ex.close = True
    ex.head(200, [JSON, ("Content-Length", "3"),
                  ("Transfer-Encoding", "chunked")])
    ex.send(chunk(ex.document()) + b"0\r\n\r\n")


@behaviour("negative-length")
def negative_length(ex: "Exchange", *_: str) -> None:
    """Content-Length: -1."""
    ex.close = True
    ex.head(200, [JSON, ("Content-Length", "-1")])
    ex.send(ex.document())


# Without end, or very slow

@behaviour("endless-chunked")
def endless_chunked(ex: "Exchange", *_: str) -> None:
    """A chunked body without end."""
    ex.head(200, [JSON, ("Transfer-Encoding", "chunked")])
    endless(ex, chunk(b" " * CHUNK))


@behaviour("endless-length")
def endless_length(ex: "Exchange", *_: str) -> None:
    """A declared gigabyte."""
    ex.head(200, [JSON, ("Content-Length", str(MAX_BYTES))])
    endless(ex, b" " * CHUNK)


@behaviour("endless-close")
def endless_close(ex: "Exchange", *_: str) -> None:
    """A body without a length, without end."""
    ex.head(200, [JSON, ("Connection", "close")])
    endless(ex, b" " * CHUNK)


@behaviour("endless-headers")
def endless_headers(ex: "Exchange", *_: str) -> None:
    """Header lines without end."""
    ex.status_line(200)
    endless(ex, b"X-Filler: " + b"a" * 80 + b"\r\n")


@behaviour("endless-header")
def endless_header(ex: "Exchange", *_: str) -> None:
    """One header line without end."""
    ex.status_line(200)
    ex.send(b"X-Filler: ")
    endless(ex, b"a" * 1024)


@behaviour("endless-103")
def endless_103(ex: "Exchange", *_: str) -> None:
    """103 Early Hints without end, in large writes."""
    hint = b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n"
    endless(ex, hint * 200)


@behaviour("endless-trailers")
def endless_trailers(ex: "Exchange", *_: str) -> None:
    """A whole document in chunks, then trailer lines without end."""
    ex.head(200, [JSON, ("Transfer-Encoding", "chunked")])
    ex.send(chunk(ex.document()) + b"0\r\n")
    endless(ex, b"X-Trailer: " + b"a" * 80 + b"\r\n")


@behaviour("informational")
def informational(ex: "Exchange", count: str = "3", *_: str) -> None:
    """So many 103 responses, then a good document."""
    for _i in range(int(count)):
        ex.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
    good(ex)


@behaviour("headers")
def headers(ex: "Exchange", size: str = "8192", *_: str) -> None:
    """A good document below so many bytes of additional headers."""
    line = len("X-Filler: \r\n")
    many = [("X-Filler", "a" * (1024 - line))] * (int(size) // 1024)
    ex.respond(200, [JSON, *many], ex.document())


@behaviour("slow-body")
def slow_body(ex: "Exchange", *_: str) -> None:
    """A good document, a byte a second."""
    body = ex.document()
    ex.head(200, [JSON, ("Content-Length", str(len(body)))])
    for byte in body:
        ex.send(bytes([byte]))
        time.sleep(1)


@behaviour("slow-headers")
def slow_headers(ex: "Exchange", *_: str) -> None:
    """Headers, a byte a second."""
    ex.status_line(200)
    endless(ex, b"a", pause=1)


@behaviour("silent")
def silent(ex: "Exchange", *_: str) -> None:
    """Reads the request and answers nothing until the client leaves."""
    ex.close = True
    ex.wait_gone(MAX_SECONDS)


@behaviour("silent-body")
def silent_body(ex: "Exchange", *_: str) -> None:
    """Good headers, then nothing."""
    ex.head(200, [JSON, ("Content-Length", "300")])
    silent(ex)


# Status codes

def status(ex: "Exchange", code: str, *args: str) -> None:
    """This status with a small body; 429 and 503 take a Retry-After."""
    more = [("Retry-After", args[0])] if args and args[0] else []
    if code == "401":
        more.append(("WWW-Authenticate", 'Basic realm="x"'))
    if code in ("204", "304"):
        ex.respond(int(code), more, None)
    else:
        ex.respond(int(code), [JSON, *more], ex.document())


@behaviour("bot-wall")
def bot_wall(ex: "Exchange", *_: str) -> None:
    """403 as a bot wall sends it."""
    ex.respond(403, [("Content-Type", "text/html; charset=UTF-8"),
                     ("cf-mitigated", "challenge"),
                     ("Server", "cloudflare")],
               b"<!DOCTYPE html><title>Just a moment...</title>")


@behaviour("redirect")
def redirect(ex: "Exchange", code: str = "302", where: str = "same",
             *_: str) -> None:
    """To: same (host), public, private, loopback, metadata, http, loop."""
    here = f"https://{ex.request.host}"
    targets = {
        "same": here + "/good/redirected",
        "public": "https://good.hostile.example.net/good/redirected",
        "private": "https://10.0.0.1/good/redirected",
        "loopback": "https://127.0.0.1/good/redirected",
        "metadata": "http://169.254.169.254/latest/meta-data/",
        "http": f"http://{ex.request.host}/good/redirected",
        "loop": here + ex.request.target,
    }
    ex.respond(int(code), [JSON, ("Location", targets[where])],
               ex.document())


# Headers

TYPES: dict[str, list[tuple[str, str]]] = {
    "none": [],
    "empty": [("Content-Type", "")],
    "two": [JSON, ("Content-Type", "text/html")],
    "two-same": [JSON, JSON],
    "list": [("Content-Type", "application/json, text/html")],
    "text-plain": [("Content-Type", "text/plain")],
    "text-html": [("Content-Type", "text/html; charset=utf-8")],
    "octet": [("Content-Type", "application/octet-stream")],
    "latin1": [("Content-Type", "application/json; charset=iso-8859-1")],
    "utf8": [("Content-Type", "application/json; charset=utf-8")],
    "utf8-quoted": [("Content-Type", 'application/json;charset="UTF-8"')],
    "upper": [("CONTENT-TYPE", "Application/JSON")],
    "vendor": [("Content-Type", "application/vnd.x+json")],
    "jsonp": [("Content-Type", "application/jsonp")],
    "text-json": [("Content-Type", "text/json")],
    "plus-only": [("Content-Type", "application/+json")],
}


@behaviour("type")
def content_type(ex: "Exchange", kind: str = "none", *_: str) -> None:
    """A good document with another Content-Type."""
    ex.respond(200, TYPES[kind], ex.document())


@behaviour("encoding")
def encoding(ex: "Exchange", kind: str = "gzip", *_: str) -> None:
    """Content-Encoding: gzip, deflate, identity, br (and it is not), lie
    (says gzip, is plain), bomb (1 MB that becomes 1 GB)."""
    body = ex.document()
    names = {"lie": "gzip", "bomb": "gzip"}
    if kind == "gzip":
        body = gzip.compress(body)
    elif kind == "deflate":
        body = zlib.compress(body)
    elif kind == "bomb":
        body = bomb()
    ex.respond(200, [JSON, ("Content-Encoding", names.get(kind, kind))],
               body)


def bomb() -> bytes:
    """A gigabyte of spaces, compressed: one block again and again (so the
    checksum at the end is wrong, where nobody should get)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    space = b" " * (1 << 20)
    first = packer.compress(space) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(space) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * 1023 + packer.flush()


@behaviour("cookies")
def cookies(ex: "Exchange", *_: str) -> None:
    """A good document with everything that a browser would remember."""
    ex.respond(200, [
        JSON, ("Set-Cookie", "a=b; Path=/; Secure"),
        ("Strict-Transport-Security", "max-age=31536000"),
        ("Alt-Svc", 'h3=":443"; ma=86400, h2="127.0.0.1:443"'),
        ("Link", "<https://10.0.0.1/>; rel=preload"),
        ("Refresh", "0; url=https://10.0.0.1/")], ex.document())


@behaviour("folded")
def folded(ex: "Exchange", *_: str) -> None:
    """A folded Content-Type header (obs-fold)."""
    body = ex.document()
    ex.status_line(200)
    ex.send(b"Content-Type: text/html;\r\n application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body)


@behaviour("nul-header")
def nul_header(ex: "Exchange", *_: str) -> None:
    """A NUL inside a header value."""
    body = ex.document()
    ex.status_line(200)
    ex.send(b"Content-Type: application/json\0; x\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body)


# Not quite HTTP

@behaviour("http10")
def http10(ex: "Exchange", *_: str) -> None:
    """HTTP/1.0: no length, ended by closing."""
    ex.close = True
    ex.send(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n")
    ex.send(ex.document())


@behaviour("http09")
def http09(ex: "Exchange", *_: str) -> None:
    """The document alone, as HTTP/0.9 had it."""
    ex.close = True
    ex.send(ex.document())


@behaviour("garbage")
def garbage(ex: "Exchange", *_: str) -> None:
    """Bytes that are no HTTP at all."""
    ex.close = True
    ex.send(b"\x00\x01\x02garbage\xff\r\n\r\n" * 10)


@behaviour("h2-preface")
def h2_preface(ex: "Exchange", *_: str) -> None:
    """HTTP/2 SETTINGS and GOAWAY frames to an HTTP/1.1 request."""
    ex.close = True
    ex.send(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"
            b"\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00"
            b"\x00\x00\x00\x0d")


@behaviour("hang-up")
def hang_up(ex: "Exchange", *_: str) -> None:
    """Closes without an answer."""
    ex.close = True


@behaviour("reset")
def reset(ex: "Exchange", *_: str) -> None:
    """RST in the middle of the body."""
    body = ex.document()
    ex.head(200, [JSON, ("Content-Length", str(len(body)))])
    ex.send(body[:len(body) // 2])
    ex.reset = ex.close = True


@behaviour("reset-headers")
def reset_headers(ex: "Exchange", *_: str) -> None:
    """RST in the middle of the headers."""
    ex.status_line(200)
    ex.send(b"Content-Ty")
    ex.reset = ex.close = True


# Wrong documents

def wrong_bodies(ex: "Exchange") -> dict[str, bytes]:
    """Bodies that are not the client's document, by name."""
    body, own = ex.document(), json.dumps(ex.url())
    name = b'{"client_id": ' + own.encode() + b", "
    return {
        "empty": b"",
        "array": b"[" + body + b"]",
        "string": own.encode(),
        "truncated": body[:-1],
        "trailing": body + b"{}",
        "comment": b"/* */" + body,
        "bom": b"\xef\xbb\xbf" + body,
        "utf16": body.decode().encode("utf-16"),
        "bad-utf8": body.replace(b"lab client", b"lab \xff\xfe"),
        "nul": body + b"\0",
        "duplicate-client-id": name + body[1:],
        "duplicate-escaped": b'{"client\\u005fid": ' + own.encode()
                             + b", " + body[1:],
        "deep": name + b'"x": ' + b"[" * 64 + b"]" * 64 + b"}",
        "html": b"<!DOCTYPE html><title>Sign in</title>",
    }


@behaviour("wrong")
def wrong(ex: "Exchange", kind: str = "truncated", *_: str) -> None:
    """A body that is not a good document (see wrong_bodies)."""
    ex.respond(200, [JSON], wrong_bodies(ex)[kind])


@behaviour("mismatch")
def mismatch(ex: "Exchange", *_: str) -> None:
    """A document of another client."""
    other = {**ex.members(), "client_id": ex.url() + "/other"}
    ex.respond(200, [JSON], json.dumps(other).encode())


def names() -> list[tuple[str, str]]:
    """Every behaviour with the first line of its description."""
    return [(name, (function.__doc__ or "").splitlines()[0])
            for name, function in sorted(BEHAVIOURS.items())]


def find(target: str) -> tuple[Behaviour, list[str]] | None:
    """The behaviour that a request target names, and its arguments."""
    first, *rest = [unquote(part) for part in
                    target.partition("?")[0].lstrip("/").split("/")]
    if first.isdigit() and len(first) == 3:
        return status, [first, *rest]
    function = BEHAVIOURS.get(first)
    return None if function is None else (function, rest)


if __name__ == "__main__":
    for entry in names():
        print("%-20s %s" % entry)
