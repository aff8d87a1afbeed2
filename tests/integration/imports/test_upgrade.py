"""Databases of the former release: the schema is applied over them, and their imports can be merged and reverted."""

from __future__ import annotations

import asyncpg

from bossjy.contacts.v1 import contact_service_pb2 as contacts_pb
from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_server.storage.schema import apply_schema, read_init_sql
from tests.integration.imports.conftest import Imports

# Removes the parts of the schema that the former release did not have.
FORMER = """
DROP TABLE bossjy.import_duplicates;
ALTER TABLE bossjy.contacts DROP COLUMN extension, DROP COLUMN created_line;
ALTER TABLE bossjy.import_changes DROP COLUMN line;
ALTER TABLE bossjy.imports DROP COLUMN duplicates_truncated;
UPDATE bossjy.import_changes SET former = former - 'extension', fields = fields - 'extension';
COMMENT ON SCHEMA bossjy IS NULL"""


async def test_imports_of_the_former_release(imports: Imports, database_url: str) -> None:
    first = await imports.run(b"phone,name\n+12025550123,Ann\n+12025550199,Bob\n")
    second = await imports.run(b"phone,name\n+12025550123,Anna\n+12025550199,Bob\n")
    owner = await asyncpg.connect(database_url)
    try:
        await remove_new_parts(owner)
        await apply_schema(database_url, read_init_sql())
        await apply_schema(database_url, read_init_sql())
        policies = await owner.fetchval(
            "SELECT count(*) FROM pg_policies WHERE tablename = 'import_duplicates' AND policyname = 'tenant'"
        )
        assert policies == 1
        role = await imports_role(imports)
        await owner.execute(f"SELECT bossjy.grant_to_service('{role}', '{role}')")
    finally:
        await owner.close()
    third = await imports.run(b"phone,name\n+12025550123 x7,Anne\n+12025550123 x8,Other\n+12025550199,Bob\n")
    assert (third.counts.updated, third.counts.unchanged, third.counts.duplicate) == (1, 1, 1)
    request = pb.ListDuplicateRowsRequest(import_id=third.import_id)
    (row,) = (await imports.servicer.ListDuplicateRows(request)).rows
    assert (row.line, row.winner_line) == (3, 2)
    for job, names in ((second, ["Anne", "Bob"]), (third, ["Ann", "Bob"]), (first, [])):
        await imports.servicer.RevertImport(pb.RevertImportRequest(import_id=job.import_id))
        listed = (await imports.contacts.ListContacts(contacts_pb.ListContactsRequest())).contacts
        assert [one.name for one in listed] == names


async def remove_new_parts(owner: asyncpg.Connection) -> None:
    """Run FORMER, atomic as one message. A deadlock with the service's own transactions is repeated."""
    for _ in range(5):
        try:
            await owner.execute(FORMER)
        except asyncpg.DeadlockDetectedError:
            continue
        else:
            return
    raise AssertionError("five deadlocks in a row")


async def imports_role(imports: Imports) -> str:
    """The database role of the service."""
    async with imports.database.tenant("acme-1") as connection:
        return str(await connection.fetchval("SELECT current_user"))
