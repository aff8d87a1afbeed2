"""Contacts that others change while an import merges its rows: former values are those of the latest version."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from tests.integration.imports.conftest import TENANT, Imports
from tests.integration.imports.test_duplicates import duplicates, get_import

NUMBER = "+12025550123"
FIRST = f"phone,name,email\n{NUMBER},Ann,ann@example.com\n+12025550199,Bob,\n".encode()
SECOND = f"phone,name\n{NUMBER},Anna\n+12025550199,Bobby\n".encode()
FORMER = f"SELECT former FROM bossjy.import_changes WHERE import_id = $1 AND e164 = '{NUMBER}'"


@asynccontextmanager
async def meanwhile(owner_url: str, statement: str, work: Awaitable[import_pb2.Import]) -> AsyncIterator[None]:
    """Run a statement on the contact, commit it when the work waits for it, and finish the work."""
    owner, watcher = await asyncpg.connect(owner_url), await asyncpg.connect(owner_url)
    try:
        async with owner.transaction():
            await owner.execute(statement)
            task = asyncio.ensure_future(work)
            pid = owner.get_server_pid()
            while not await watcher.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))", pid
            ):
                assert not task.done(), "the import did not wait"
                await asyncio.sleep(0.01)
        await task
        yield
    finally:
        await owner.close()
        await watcher.close()


@pytest.mark.parametrize(
    ("statement", "counts", "former"),
    [
        (f"UPDATE bossjy.contacts SET email = 'new@example.com' WHERE e164 = '{NUMBER}'", (2, 0), "new@example.com"),
        (f"UPDATE bossjy.contacts SET name = 'Anna' WHERE e164 = '{NUMBER}'", (1, 0), None),
        (f"DELETE FROM bossjy.contacts WHERE e164 = '{NUMBER}'", (1, 1), None),
    ],
    ids=["changed", "made equal", "deleted"],
)
async def test_a_contact_that_somebody_changes(
    imports: Imports, database_url: str, statement: str, counts: tuple[int, int], former: str | None
) -> None:
    await imports.run(FIRST)
    job = await imports.create()
    async with meanwhile(database_url, statement, _finished(imports, job.import_id, SECOND)):
        found = (await get_import(imports, job.import_id)).counts
    assert (found.updated, found.inserted, found.unchanged) == (*counts, 2 - sum(counts))
    async with imports.database.tenant(TENANT) as connection:
        email = await connection.fetchval(FORMER.replace("former", "former ->> 'email'", 1), job.import_id)
        assert email == former
    assert [row[1] for row in await imports.rows()] == ["Anna", "Bobby"]
    await imports.servicer.RevertImport(pb.RevertImportRequest(import_id=job.import_id))
    names = {"new@example.com": ["Ann", "Bob"]}.get(former or "", ["Bob"] if counts[1] else ["Anna", "Bob"])
    assert [row[1] for row in await imports.rows()] == names


@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_contact_that_somebody_makes(imports: Imports, database_url: str, *, dry_run: bool) -> None:
    """The block is merged again, and each of its rows counts once."""
    job = await imports.create(validate_only=dry_run)
    values = f"('{TENANT}', '{NUMBER}', 'US', 1, 'Own')"
    made = f"INSERT INTO bossjy.contacts (tenant_id, e164, region, number_type, name) VALUES {values}"
    async with meanwhile(database_url, made, _finished(imports, job.import_id, FIRST)):
        found = (await get_import(imports, job.import_id)).counts
    assert (found.rows_in, found.inserted, found.updated, found.duplicate) == (2, 1, 1, 0)
    assert [row[1] for row in await imports.rows()] == (["Own"] if dry_run else ["Ann", "Bob"])


async def test_a_row_that_loses_while_somebody_changes_its_contact(imports: Imports, database_url: str) -> None:
    """The duplicate row has the values that the winner replaced."""
    job = await imports.create(part_count=2, duplicate_policy=import_pb2.DUPLICATE_POLICY_LAST_WINS)
    await imports.upload(job.import_id, FIRST, part=0)
    change = f"UPDATE bossjy.contacts SET email = 'new@example.com' WHERE e164 = '{NUMBER}'"
    async with meanwhile(database_url, change, _finished(imports, job.import_id, SECOND, part=1)):
        rows = await duplicates(imports, job.import_id)
    assert [(row.line, row.winner_line) for row in rows] == [(2, 2), (3, 3)]
    told = {one.field: one.value for one in rows[0].differences}
    assert (told["name"], told["email"]) == ("Ann", "new@example.com")
    assert [row[1:3] for row in await imports.rows()] == [("Anna", ""), ("Bobby", "")]


async def _finished(imports: Imports, import_id: str, data: bytes, *, part: int = 0) -> import_pb2.Import:
    await imports.upload(import_id, data, part=part)
    return await get_import(imports, import_id)
