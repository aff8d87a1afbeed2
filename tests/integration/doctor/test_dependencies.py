"""The self-check on real PostgreSQL and Redis, sound and broken."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from redis.asyncio import Redis

from bossjy_server.config import Settings, read_settings
from bossjy_server.doctor.database_check import database_findings
from bossjy_server.doctor.findings import Finding, State
from bossjy_server.doctor.redis_check import redis_findings
from bossjy_server.embedded.servers import EmbeddedParts
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.roles import database_of
from tests.parts import fresh_database, service_url

WAIT_S = 5.0
SECRET = "quiet-harbour-secret"


def settings_for(folder: Path, **variables: str) -> Settings:
    return read_settings({"BOSSJY_DATA_DIR": str(folder / "data"), **variables})


def of(found: list[Finding], check: str) -> list[Finding]:
    return [one for one in found if one.check == check]


def states(found: list[Finding]) -> dict[str, State]:
    return {one.check: one.state for one in found}


def broken(found: list[Finding]) -> list[Finding]:
    assert all(one.action for one in found if one.state is not State.OK), "a fault without an action"
    assert not any(SECRET in one.fact + one.action for one in found)
    return [one for one in found if one.state is not State.OK]


async def administer(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def silent_server() -> Iterator[int]:
    """The port of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


async def test_a_sound_database(database_url: str, database: Database, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, DATABASE_URL=service_url(database_url), DATABASE_ADMIN_URL=database_url)
    found = await database_findings(settings, WAIT_S)
    assert broken(found) == []
    assert [one.check for one in found] == ["database", "clock", "connections", "extensions", "schema", "roles"]
    assert f"database {database_of(database_url)}" in found[0].fact
    # The pool of the fixture has a connection.
    assert "and servers have 1 open" in of(found, "connections")[0].fact


async def test_a_database_that_is_not_set_up(empty_database_url: str, tmp_path: Path) -> None:
    found = await database_findings(settings_for(tmp_path, DATABASE_URL=empty_database_url), WAIT_S)
    assert states(broken(found)) == {"schema": State.WARN}
    assert "bossjy-server database apply" in of(found, "schema")[0].action


async def test_the_owner_as_the_login_of_the_service(database_url: str, tmp_path: Path) -> None:
    found = await database_findings(settings_for(tmp_path, DATABASE_URL=database_url), WAIT_S)
    assert states(broken(found)) == {"roles": State.WARN}
    assert "superuser" in of(found, "roles")[0].fact


async def test_a_login_without_rights(parts: EmbeddedParts, tmp_path: Path) -> None:
    async for url in fresh_database(parts.database_url):
        name = database_of(url)
        await administer(url, f'REVOKE "bossjy_app_{name}" FROM "service_of_{name}"')
        # The owner would grant the role again at the next start.
        settings = settings_for(tmp_path, DATABASE_URL=service_url(url), DATABASE_ADMIN_URL=url)
        assert states(broken(await database_findings(settings, WAIT_S))) == {"schema": State.WARN, "roles": State.WARN}
        # Without the owner nobody may: CONNECT comes with the role, so even the connection fails.
        found = await database_findings(settings_for(tmp_path, DATABASE_URL=service_url(url)), WAIT_S)
        assert states(broken(found)) == {"database": State.FAIL}


async def test_tables_of_another_release_and_no_owner(parts: EmbeddedParts, tmp_path: Path) -> None:
    async for url in fresh_database(parts.database_url):
        await administer(
            url, "COMMENT ON SCHEMA bossjy IS 'init.sql sha256:0 role:bossjy_app_" + database_of(url) + "'"
        )
        found = await database_findings(settings_for(tmp_path, DATABASE_URL=service_url(url)), WAIT_S)
        assert states(broken(found)) == {"schema": State.FAIL}
        assert "DATABASE_ADMIN_URL" in of(found, "schema")[0].action


async def test_a_wrong_password(database_url: str, tmp_path: Path) -> None:
    parts = urlsplit(service_url(database_url))
    url = parts._replace(netloc=f"{parts.username}:{SECRET}@{parts.netloc.rpartition('@')[2]}").geturl()
    found = await database_findings(settings_for(tmp_path, DATABASE_URL=url), WAIT_S)
    assert states(broken(found)) == {"database": State.FAIL}
    assert found[0].action == "set the right password in DATABASE_URL"


async def test_few_connections_and_read_only(parts: EmbeddedParts, tmp_path: Path) -> None:
    async for url in fresh_database(parts.database_url):
        name = database_of(url)
        await administer(
            url,
            f"ALTER ROLE service_of_{name} CONNECTION LIMIT 3",
            f"ALTER DATABASE {name} SET default_transaction_read_only = on",
        )
        settings = settings_for(tmp_path, DATABASE_URL=service_url(url), DATABASE_ADMIN_URL=url)
        found = broken(await database_findings(settings, WAIT_S))
        assert states(found) == {"connections": State.WARN, "database": State.FAIL}
        assert "2 connections are free; this server opens 20" in of(found, "connections")[0].fact


@pytest.mark.parametrize("scheme", ["postgresql", "redis"])
async def test_a_server_that_never_answers(scheme: str, tmp_path: Path) -> None:
    with silent_server() as port:
        url = f"{scheme}://user:{SECRET}@127.0.0.1:{port}/0"
        began = time.monotonic()
        if scheme == "redis":
            found = await redis_findings(settings_for(tmp_path, REDIS_URL=url), 0.3)
        else:
            found = await database_findings(settings_for(tmp_path, DATABASE_URL=url), 0.3)
    assert time.monotonic() - began < 30
    assert [one.state for one in broken(found)] == [State.FAIL]


async def test_no_embedded_server_runs(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    found = [*await database_findings(settings, WAIT_S), *await redis_findings(settings, WAIT_S)]
    assert [(one.check, one.state) for one in found] == [("database", State.OK), ("redis", State.OK)]
    assert not (tmp_path / "data").exists()


@asynccontextmanager
async def configured(redis: Redis, **changed: str) -> AsyncIterator[None]:
    """Other settings of Redis during the block."""
    names: dict[str, Any] = {name.replace("_", "-"): value for name, value in changed.items()}
    former: dict[str, Any] = {name: (await redis.config_get(name))[name] for name in names}
    try:
        for name, value in names.items():
            await redis.config_set(name, value)
        yield
    finally:
        for name, value in former.items():
            await redis.config_set(name, value)


async def test_a_sound_redis(redis_url: str, tmp_path: Path) -> None:
    found = await redis_findings(settings_for(tmp_path, REDIS_URL=redis_url), WAIT_S)
    assert broken(found) == []
    assert [one.check for one in found] == ["redis", "redis memory", "redis disk"]


async def test_a_redis_that_forgets(redis_url: str, redis: Redis, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, REDIS_URL=redis_url)
    async with configured(redis, maxmemory_policy="allkeys-lru", appendonly="no", save=""):
        found = broken(await redis_findings(settings, WAIT_S))
        assert states(found) == {"redis memory": State.WARN, "redis disk": State.WARN}
        await redis.config_set("save", "3600 1")
        assert states(broken(await redis_findings(settings, WAIT_S))) == {"redis memory": State.WARN}


async def test_redis_refuses_the_user(redis_url: str, redis: Redis, tmp_path: Path) -> None:
    place = urlsplit(redis_url).netloc.rpartition("@")[2]
    path = urlsplit(redis_url).path
    for credentials in (f":{SECRET}@", ""):
        url = f"unix://{credentials}{place}{path}"
        found = broken(await redis_findings(settings_for(tmp_path, REDIS_URL=url), WAIT_S))
        assert states(found) == {"redis": State.FAIL}
        assert "REDIS_URL" in found[0].action
    rights = ["+@all", "-info"]
    await redis.acl_setuser("plain", enabled=True, passwords=[f"+{SECRET}"], keys=["*"], commands=rights)
    try:
        url = f"unix://plain:{SECRET}@{place}{path}"
        assert states(broken(await redis_findings(settings_for(tmp_path, REDIS_URL=url), WAIT_S))) == {
            "redis": State.WARN
        }
    finally:
        await redis.acl_deluser("plain")


async def test_something_else_than_redis(tmp_path: Path) -> None:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = await redis_findings(settings_for(tmp_path, REDIS_URL=f"redis://127.0.0.1:{port}"), WAIT_S)
    assert states(broken(found)) == {"redis": State.FAIL}
