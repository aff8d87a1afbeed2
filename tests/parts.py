"""Fixtures: a real PostgreSQL and a real Redis for each test process, a clean database for each test.

They are the service's own embedded servers, under its own watchdog, so they end with the test process however it ends;
then their folder is removed, also after a kill. BOSSJY_TEST_POSTGRES_BIN chooses a PostgreSQL of another version.
"""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from redis.asyncio import Redis

from bossjy_server.embedded.servers import EmbeddedParts, start_embedded
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.redis import open_redis
from bossjy_server.storage.roles import database_of, role_for
from bossjy_server.storage.schema import ServiceLogin, apply_schema, read_init_sql
from tests.databases import CleanDatabase
from tests.other_postgres import chosen_programs, running_postgres

_TEMPLATE = "bossjy_template"
_numbers = itertools.count(1)

# A separate process: waits for the end of its input (of the test process, however it ends), then for the watchdog's.
_SWEEP = """
import fcntl, shutil, sys
sys.stdin.read()
with open(sys.argv[1] + "/lock", "a") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    shutil.rmtree(sys.argv[1], ignore_errors=True)
"""


@pytest.fixture(scope="session")
def parts() -> Iterator[EmbeddedParts]:
    """PostgreSQL and Redis of this test process, with a template database that has the schema."""
    programs = chosen_programs()
    with swept_folder() as folder, asyncio.Runner() as runner, ExitStack() as stack:
        embedded = start_embedded(folder, postgres=programs is None, redis=True)
        started = runner.run(embedded.__aenter__())
        try:
            if programs is not None:
                other = stack.enter_context(running_postgres(programs))
                started = replace(other, redis_url=started.redis_url, redis_pid=started.redis_pid)
            runner.run(_make_template(started.database_url))
            yield started
        finally:
            runner.run(embedded.__aexit__(None, None, None))


@contextmanager
def swept_folder() -> Iterator[Path]:
    """A folder for embedded servers that is removed after the block, or after this process was killed."""
    folder = Path(tempfile.mkdtemp(prefix="bossjy-test-"))
    command = [sys.executable, "-c", _SWEEP, str(folder)]
    # Out of reach of a Ctrl-C in the terminal.
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True):
        yield folder


async def _make_template(url: str) -> None:
    admin = await asyncpg.connect(url)
    try:
        # No data of a test has to survive a power failure.
        await admin.execute("ALTER SYSTEM SET fsync = off")
        await admin.execute("ALTER SYSTEM SET synchronous_commit = off")
        await admin.execute("SELECT pg_reload_conf()")
        await admin.execute(f"CREATE DATABASE {_TEMPLATE}")
    finally:
        await admin.close()
    await apply_schema(with_database(url, _TEMPLATE), read_init_sql())


def with_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@pytest.fixture
async def empty_database_url(parts: EmbeddedParts) -> AsyncIterator[str]:
    """A database with nothing in it."""
    async for url in fresh_database(parts.database_url, "template1"):
        yield url


@pytest.fixture
async def database_url(parts: EmbeddedParts, clean_databases: list[CleanDatabase]) -> AsyncIterator[str]:
    """A database with the schema and no rows. The URL's user owns the tables."""
    lent = clean_databases.pop() if clean_databases else await CleanDatabase.known(await _make_database(parts))
    yield lent.url
    if await lent.restore():
        clean_databases.append(lent)
    else:
        await _drop_database(parts.database_url, lent.url)


@pytest.fixture(scope="session")
def clean_databases() -> list[CleanDatabase]:
    """Databases that earlier tests left without rows."""
    return []


async def _make_database(parts: EmbeddedParts) -> str:
    url = with_database(parts.database_url, f"test_{next(_numbers)}")
    await _create_database(parts.database_url, url, _TEMPLATE)
    return url


async def _create_database(server: str, url: str, template: str) -> None:
    admin = await asyncpg.connect(server)
    try:
        await admin.execute(f"CREATE DATABASE {database_of(url)} TEMPLATE {template} STRATEGY file_copy")
    finally:
        await admin.close()
    if template == _TEMPLATE:
        await set_up(url)


async def _drop_database(server: str, url: str) -> None:
    name = database_of(url)
    admin = await asyncpg.connect(server)
    try:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.execute(f"DROP ROLE IF EXISTS {role_for(name)}, service_of_{name}")
    finally:
        await admin.close()


def service_url(url: str) -> str:
    """The same database as the login of its service: a plain role. The password is no secret here."""
    parts = urlsplit(url)
    login = f"service_of_{parts.path[1:]}"
    return urlunsplit(parts._replace(netloc=f"{login}:{login}@{parts.netloc.rpartition('@')[2]}"))


async def set_up(url: str) -> None:
    """Bring a database up to date, with its own application role and service login."""
    await apply_schema(url, read_init_sql(), service=ServiceLogin(service_url(url), make=True))


async def fresh_database(url: str, template: str = _TEMPLATE) -> AsyncIterator[str]:
    """A new database on the server at `url`; dropped when the iteration continues.

    With the schema, it has its own application role and service login.
    """
    own = with_database(url, f"test_{next(_numbers)}")
    await _create_database(url, own, template)
    yield own
    await _drop_database(url, own)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The service's own pool on a fresh database."""
    opened = await Database.open(service_url(database_url), min_size=1, max_size=5)
    yield opened
    await opened.close()


@pytest.fixture
async def redis_url(parts: EmbeddedParts) -> str:
    """The Redis of this test process, empty."""
    client = open_redis(parts.redis_url)
    await client.flushall()
    await client.aclose()
    return parts.redis_url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """The service's own client of an empty Redis."""
    client = open_redis(redis_url)
    yield client
    await client.aclose()
