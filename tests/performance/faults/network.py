"""A bad network on loopback: a proxy that delays bytes, stalls some of them, or drops all."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

_PIECE_BYTES = 64 * 1024


class BadNetwork:
    """Passes bytes on to a Unix socket. `delay_s`: each way. `stall`: share of the chunks delayed by a lost packet.

    A reader of a TCP stream does not lose a lost packet: it comes again after 0.2 s or more, and all later bytes wait.
    `dead`: sent bytes are dropped without an error.
    """

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self.delay_s, self.stall, self.dead = 0.0, 0.0, False
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self._upstream)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, far_writer}
        self._writers |= both
        await asyncio.gather(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))
        self._writers -= both

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_PIECE_BYTES):
                while self.dead:
                    await asyncio.sleep(0.05)
                wait_s = self.delay_s
                if random.random() < self.stall:
                    wait_s += random.uniform(0.2, 0.6)
                if wait_s:
                    await asyncio.sleep(wait_s)
                writer.write(data)
                await writer.drain()
        writer.close()


def postgres_over(url: str, port: int) -> str:
    """The same database at a port of 127.0.0.1."""
    parts = urlsplit(url)
    return f"postgresql://{parts.username}:{parts.password}@127.0.0.1:{port}{parts.path}"


def postgres_socket(url: str) -> str:
    """The Unix socket in a URL of the embedded PostgreSQL."""
    query = parse_qs(urlsplit(url).query)
    return f"{query['host'][0]}/.s.PGSQL.{query['port'][0]}"


def redis_over(url: str, port: int) -> str:
    """The same Redis at a port of 127.0.0.1."""
    return f"redis://:{urlsplit(url).password}@127.0.0.1:{port}"


def redis_socket(url: str) -> str:
    """The Unix socket in a URL of the embedded Redis."""
    return unquote(urlsplit(url).path)
