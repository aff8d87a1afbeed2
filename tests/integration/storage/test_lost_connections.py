"""Connections that PostgreSQL gives up between two statements: callers get UNAVAILABLE, never a fault.

The server's last message can arrive before the end of the connection. The driver then refuses each statement with an
error of its own state, also the rollback, and also the reset by which the pool takes the connection back.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest

from bossjy_server.errors import Reason, Unavailable
from bossjy_server.storage.postgres import Database
from tests.parts import service_url

_FIELDS = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0"
_FATAL = b"E" + struct.pack("!I", len(_FIELDS) + 4) + _FIELDS


class _Relay:
    """Passes bytes between a pool and its server, and can send a last message to all connections."""

    def __init__(self, far: str) -> None:
        self._far = far
        self._clients: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._far)
        self._clients.add(writer)
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(_pass_on(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def say_fatal(self) -> None:
        for writer in self._clients:
            writer.write(_FATAL)
            await writer.drain()
        self._clients.clear()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@asynccontextmanager
async def _relayed(url: str) -> AsyncIterator[tuple[Database, _Relay]]:
    parts = urlsplit(service_url(url))
    place = dict(parse_qsl(parts.query))
    socket = f".s.PGSQL.{place['port']}"
    relay = _Relay(f"{place['host']}/{socket}")
    with TemporaryDirectory(prefix="bossjy-test-") as folder:  # short: the path of a socket has a limit
        server = await asyncio.start_unix_server(relay.serve, f"{folder}/{socket}")
        relayed = parts._replace(query=urlencode({**place, "host": folder}))
        database = await Database.open(urlunsplit(relayed), min_size=1, max_size=1)
        try:
            yield database, relay
        finally:
            await database.close()
            server.close()


async def _lines() -> AsyncIterator[bytes]:
    yield b"one\n"


@pytest.mark.parametrize("statement", ["copy", "fetch", "execute", "cursor", "none"])
async def test_a_last_message_between_two_statements_is_unavailable(database_url: str, statement: str) -> None:
    async with _relayed(database_url) as (database, relay):
        with pytest.raises(Unavailable) as refused:
            async with database.tenant("one") as connection:
                await connection.execute("CREATE TEMPORARY TABLE said (text text)")
                await relay.say_fatal()
                await asyncio.sleep(0.1)
                match statement:
                    case "copy":
                        await connection.copy_to_table("said", source=_lines())
                    case "fetch":
                        await connection.fetch("SELECT $1::int", 1)
                    case "execute":
                        await connection.execute("SELECT 1")
                    case "cursor":
                        assert [row async for row in connection.cursor("SELECT 1")]
                    case _:
                        pass  # the commit is the statement
        assert refused.value.reason == Reason.DATABASE_UNAVAILABLE
        # The only place of the pool is free again.
        async with database.tenant("one") as connection:
            assert await connection.fetchval("SELECT 1") == 1
