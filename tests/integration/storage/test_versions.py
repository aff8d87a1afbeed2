"""Versions of PostgreSQL: the tests run on the chosen one, and its login role has the same rights on each."""

from __future__ import annotations

import subprocess
from pathlib import Path

import asyncpg
import pytest

from bossjy_server.embedded.servers import EmbeddedParts
from bossjy_server.errors import StartError
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.schema import MINIMUM_VERSION, ServiceLogin, apply_schema, read_init_sql
from tests.other_postgres import chosen_programs
from tests.parts import service_url


async def test_the_chosen_server(parts: EmbeddedParts) -> None:
    connection = await asyncpg.connect(parts.database_url)
    version = connection.get_server_version()
    await connection.close()
    assert version.major >= MINIMUM_VERSION
    programs = chosen_programs()
    if programs is not None:
        assert f" {version.major}.{version.micro}" in told_version(programs)


def told_version(programs: Path) -> str:
    """The version line of the programs."""
    return subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout


async def test_a_login_that_does_not_inherit(database_url: str) -> None:
    """Its membership gives it the right to connect, on each version."""
    plain = service_url(database_url).replace("service_of", "plain_of")
    login = ServiceLogin(plain)
    owner = await asyncpg.connect(database_url)
    await owner.execute(f"CREATE ROLE {login.name} LOGIN NOINHERIT PASSWORD '{login.password}'")
    try:
        await apply_schema(database_url, read_init_sql(), service=login)
        await apply_schema(database_url, read_init_sql(), service=login)
        database = await Database.open(plain, min_size=1, max_size=1)
        try:
            async with database.tenant("acme-1") as connection:
                assert await connection.fetchval("SELECT count(*) FROM bossjy.contacts") == 0
            assert database.remarks == ()
        finally:
            await database.close()
    finally:
        await owner.execute(f"DROP ROLE {login.name}")
        await owner.close()


async def test_a_login_loses_its_role(database_url: str) -> None:
    """A login without membership cannot act as the application role, and the line says what to run."""
    plain = service_url(database_url).replace("service_of", "stranger_of")
    login = ServiceLogin(plain)
    owner = await asyncpg.connect(database_url)
    await owner.execute(f"CREATE ROLE {login.name} LOGIN PASSWORD '{login.password}'")
    await owner.execute(
        f"GRANT CONNECT ON DATABASE {database_url.rpartition('/')[2].partition('?')[0]} TO {login.name}"
    )
    try:
        with pytest.raises(StartError, match="may not act as the application role"):
            await Database.open(plain, min_size=1, max_size=1)
    finally:
        await owner.execute(f"DROP OWNED BY {login.name}; DROP ROLE {login.name}")
        await owner.close()
