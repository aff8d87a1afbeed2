"""Every error of opening the database: one line of advice, and no secret in it."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from bossjy_server.embedded.servers import EmbeddedParts
from bossjy_server.errors import StartError
from bossjy_server.storage.postgres import Connection, Database
from bossjy_server.storage.schema import apply_schema, read_init_sql
from tests.ports import free_port

SECRET = "Se_cr-et1"


async def by_setup(url: str) -> None:
    await apply_schema(url, read_init_sql(), setting="DATABASE_ADMIN_URL", connect_timeout_s=3)


async def by_service(url: str) -> None:
    database = await Database.open(url, setting="DATABASE_ADMIN_URL", min_size=1, max_size=1, connect_timeout_s=3)
    await database.close()


WAYS = pytest.mark.parametrize("way", [by_setup, by_service])
Way = Callable[[str], Awaitable[None]]


async def line(way: Way, url: str) -> str:
    """The operator's line."""
    with pytest.raises(StartError) as caught:
        await way(url)
    told = str(caught.value)
    assert "\n" not in told
    assert SECRET not in told
    assert not set(re.findall(r"[A-Za-z0-9_-]{3,}", SECRET)) & set(re.findall(r"[A-Za-z0-9_-]+", told))
    assert "DATABASE_ADMIN_URL" in told or "BOSSJY_DATABASE_POOL" in told
    return told


def over_tcp(parts: EmbeddedParts, user: str, password: str = SECRET, database: str = "bossjy") -> str:
    port = parse_qs(urlsplit(parts.database_url).query)["port"][0]
    return f"postgresql://{user}:{password}@127.0.0.1:{port}/{database}"


@pytest.fixture
async def admin(parts: EmbeddedParts) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(parts.database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def login(admin: Connection) -> AsyncIterator[str]:
    """A login whose password is SECRET."""
    name = f"bossjy_test_{secrets.token_hex(6)}"
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'")
    yield name
    await admin.execute(f"DROP ROLE {name}")


@WAYS
async def test_a_wrong_password(way: Way, parts: EmbeddedParts) -> None:
    told = await line(way, over_tcp(parts, "bossjy"))
    assert "password authentication failed" in told
    assert "set the right password" in told


@WAYS
async def test_a_database_that_is_not_there(way: Way, parts: EmbeddedParts, login: str) -> None:
    told = await line(way, over_tcp(parts, login, database="none_such"))
    assert '"none_such" does not exist' in told
    assert "create the database" in told


@WAYS
async def test_an_address_that_is_not_in_pg_hba(way: Way, parts: EmbeddedParts, admin: Connection, login: str) -> None:
    file = Path(await admin.fetchval("SHOW hba_file"))
    before = await asyncio.to_thread(file.read_text)
    try:
        await asyncio.to_thread(file.write_text, f"host all {login} 127.0.0.1/32 reject\n{before}")
        await admin.execute("SELECT pg_reload_conf()")
        async with asyncio.timeout(20):
            while "pg_hba.conf" not in (told := await line(way, over_tcp(parts, login, database="none_such"))):
                await asyncio.sleep(0.1)
    finally:
        await asyncio.to_thread(file.write_text, before)
        await admin.execute("SELECT pg_reload_conf()")
    assert "add a line to pg_hba.conf" in told


@WAYS
async def test_a_login_that_may_not_connect(
    way: Way, parts: EmbeddedParts, admin: Connection, database_url: str, login: str
) -> None:
    name = urlsplit(database_url).path[1:]
    told = await line(way, over_tcp(parts, login, database=name))
    assert "GRANT CONNECT ON DATABASE" in told
    await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    assert "ALLOW_CONNECTIONS true" in await line(way, over_tcp(parts, login, database=name))
    await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true; ALTER ROLE {login} CONNECTION LIMIT 0")
    assert "too many connections" in await line(way, over_tcp(parts, login))
    await admin.execute(f"ALTER ROLE {login} NOLOGIN")
    assert "is not permitted to log in" in await line(way, over_tcp(parts, login))


@WAYS
@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("sslmode=verify-full&sslrootcert=/none/root.crt", "correct the host and the files"),
        ("sslmode=require&sslcert=/none/a&sslkey=/none/b", "correct the host and the files"),
        ("sslmode=verify-full", "root certificate file"),
        ("sslmode=require", "sslmode"),
        ("sslmode=maybe", "`sslmode` parameter must be one of"),
        ("target_session_attrs=standby", "target_session_attrs"),
    ],
)
async def test_options_that_the_server_or_the_driver_refuses(
    way: Way, parts: EmbeddedParts, login: str, query: str, told: str
) -> None:
    assert told in await line(way, f"{over_tcp(parts, login)}?{query}")


@WAYS
@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("127.0.0.1:{port}", "onnection refused"),
        ("none-such.invalid:5432", "the host is not known"),
        ("%2Fnone%2Fsuch", "start PostgreSQL"),
        ("127.0.0.1:port", "special characters of a password are written as %XX"),
        ("127.0.0.1:99999", "correct"),
        ("[::1", "correct"),
        ("a" * 70 + ".invalid", "correct"),
    ],
)
async def test_a_place_where_no_server_is(way: Way, place: str, told: str) -> None:
    assert told in await line(way, f"postgresql://user:{SECRET}@{place.format(port=free_port())}/db")


@WAYS
async def test_a_password_with_characters_that_end_the_host(way: Way) -> None:
    await line(way, f"postgresql://user:{SECRET}/{SECRET}#x@127.0.0.1/db")


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[int]:
    """A server of another protocol on a port. Its connections end when they are closed or the block ends."""
    tasks: set[asyncio.Task[None] | None] = set()

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            with suppress(ConnectionError, asyncio.CancelledError):
                await serve(reader, writer)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(on_connection, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        ending = [task for task in tasks if task is not None]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        await asyncio.sleep(0.05)  # transports close in the loop's next rounds


@WAYS
async def test_a_server_that_is_silent(way: Way) -> None:
    async def serve(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with listening(serve) as port:
        told = await line(way, f"postgresql://user:{SECRET}@127.0.0.1:{port}/db?sslmode=disable")
    assert "no answer in time" in told


@WAYS
@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-ERR unknown command\r\n"])
async def test_a_server_of_something_else(way: Way, answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(answer)
        await writer.drain()
        await asyncio.sleep(0.2)

    async with listening(serve) as port:
        told = await line(way, f"postgresql://user:{SECRET}@127.0.0.1:{port}/db")
    assert "PostgreSQL cannot be reached" in told


async def test_a_server_that_is_too_old(parts: EmbeddedParts, login: str) -> None:
    """A real one, whose reported version is changed on the way."""
    to_server = urlsplit(over_tcp(parts, login)).port

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, at_server = await asyncio.open_connection("127.0.0.1", to_server)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                sink.write(re.sub(rb"server_version\x00\d\d", b"server_version\x0014", data))
                await sink.drain()
            sink.close()

        await asyncio.gather(pump(reader, at_server), pump(from_server, writer))

    async with listening(serve) as port:
        told = await line(by_setup, f"postgresql://{login}:{SECRET}@127.0.0.1:{port}/bossjy")
    assert "PostgreSQL 15 or later is needed, DATABASE_ADMIN_URL names a 14" in told
