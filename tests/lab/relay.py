#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Lets a browser outside of the laboratory see a server inside.

    relay.py FROM TO    each a port of 127.0.0.1, or the path of a UNIX socket

A UNIX socket in a folder that both sides see is the way through: inside,
"relay.py FOLDER/web 8080"; outside, "relay.py 8080 FOLDER/web".
"""

from __future__ import annotations

import asyncio
import os
import sys


async def pump(reader: asyncio.StreamReader,
               writer: asyncio.StreamWriter) -> None:
    """Bytes one way, to their end."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def connect(where: str) -> tuple[asyncio.StreamReader,
                                       asyncio.StreamWriter]:
    """To a port or a path."""
    if where.isdigit():
        return await asyncio.open_connection("127.0.0.1", int(where))
    return await asyncio.open_unix_connection(short(where))


def short(path: str) -> str:
    """A path of at most 107 bytes; the kernel takes no other."""
    return min(path, os.path.relpath(path), key=len)


async def run(source: str, target: str) -> None:
    """Take connections until somebody ends us."""
    async def accept(reader: asyncio.StreamReader,
                     writer: asyncio.StreamWriter) -> None:
        try:
            there, here = await connect(target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, here), pump(there, writer))
    if source.isdigit():
        server = await asyncio.start_server(accept, "127.0.0.1", int(source))
    else:
        server = await asyncio.start_unix_server(accept, short(source))
    await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(run(*sys.argv[1:]))
    except KeyboardInterrupt:
        pass
