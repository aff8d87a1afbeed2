"""Erasure of numbers from every place that can contain them, and the remaining record."""

from __future__ import annotations

import asyncio

import pytest

from bossjy.contacts.v1 import contact_service_pb2 as pb
from bossjy.imports.v1 import import_pb2, import_service_pb2
from bossjy_numbering import Plan
from bossjy_server.contacts.servicer import ContactServicer
from bossjy_server.errors import BossjyError, Reason
from bossjy_server.storage.postgres import Database
from tests.integration.imports.conftest import TENANT, Imports, enter_tenant, mac, make_tenant

A, B, C = "+8613800138000", "+8613800138001", "+8613800138002"

# Every column of every table with rows of a tenant, as text.
EVERYTHING = """
SELECT table_name, column_name FROM information_schema.columns c JOIN information_schema.tables t
    USING (table_schema, table_name)
WHERE c.table_schema = 'bossjy' AND t.table_type = 'BASE TABLE'"""


@pytest.fixture
async def contacts(imports: Imports, plan: Plan) -> ContactServicer:
    return ContactServicer(imports.database, plan, mac)


async def erase(contacts: ContactServicer, *numbers: str, **fields: str) -> pb.EraseContactsResponse:
    return await contacts.EraseContacts(pb.EraseContactsRequest(phone_numbers=numbers, **fields))


async def places_of(database: Database, digits: str) -> set[str]:
    """The columns of the database that contain these digits."""
    found = set()
    async with database.tenant(TENANT) as connection:
        for table, column in await connection.fetch(EVERYTHING):
            if await connection.fetchval(
                f"SELECT count(*) FROM bossjy.{table} WHERE regexp_replace({column}::text, '[- +]', '', 'g') LIKE $1",
                f"%{digits}%",
            ):
                found.add(f"{table}.{column}")
    return found


async def revert(imports: Imports, job: import_pb2.Import) -> import_service_pb2.RevertImportResponse:
    return await imports.servicer.RevertImport(import_service_pb2.RevertImportRequest(import_id=job.import_id))


async def test_a_number_goes_from_every_place(imports: Imports, contacts: ContactServicer) -> None:
    first = "phone,name,phone2\n138 0013 8000,wang,\n13800138001,li,138 0013 8000\n"
    await imports.run(first.encode())
    second = (
        "phone,name,phone2\n13800138000,zhang,\n13800138001,zhao,13800138002\n"
        "138-0013-8000 / 139 0013 9000,refused,\n138 0013 80 00,too,many,cells\n12,stays,\n"
        "138 0013 8000,duplicate,\n13800138001,also,138 0013 8000\n13800138001,kept,\n"
    )
    job = await imports.run(second.encode())
    assert job.counts.rejected == 3
    national = "13800138000"
    assert await places_of(imports.database, national) == {
        "contacts.e164",
        "import_changes.e164",
        "import_changes.former",
        "import_duplicates.e164",
        "import_duplicates.other_numbers",
        "import_duplicates.row_text",
        "import_rejects.original",
        "import_rejects.suggestion",
        "import_rejects.row_text",
    }
    done = await erase(contacts, A, C, purpose="GDPR 17")
    # The second was an additional number of a contact, and no contact.
    assert (done.erased_count, done.missing_count) == (1, 1)
    assert done.erase_time.seconds > 0
    for digits in (national, C[3:]):
        assert await places_of(imports.database, digits) == set()
    assert [row[0] for row in await imports.rows()] == [B]
    rejects = await imports.rejects(job.import_id)
    assert [(row.line, row.row_text) for row in rejects] == [(4, ""), (5, ""), (6, "12,stays,")]
    request = import_service_pb2.ListDuplicateRowsRequest(import_id=job.import_id)
    listed = (await imports.servicer.ListDuplicateRows(request)).rows
    assert [(row.line, row.phone_number, row.row_text) for row in listed] == [
        (7, "", ""),
        (8, "", ""),
        (9, B, "13800138001,kept,"),
    ]
    assert [len(row.differences) for row in listed] == [0, 0, 1]


async def test_taking_an_import_back_brings_nothing_erased_back(
    imports: Imports,
    contacts: ContactServicer,
) -> None:
    first = await imports.run(b"phone,name,phone2\n13800138000,wang,\n13800138001,li,13800138000\n")
    second = await imports.run(b"phone,name,phone2\n13800138000,zhang,\n13800138001,zhao,13800138002\n")
    await erase(contacts, A)
    answer = await revert(imports, second)
    assert (answer.removed_count, answer.restored_count, answer.conflict_count) == (0, 1, 0)
    # The former values come back, without the erased number.
    assert [(row[0], row[1], row[4]) for row in await imports.rows()] == [(B, "li", [])]
    assert await places_of(imports.database, A[1:]) == set()
    await revert(imports, first)
    assert await imports.rows() == []


async def test_a_later_import_may_bring_the_number_again(imports: Imports, contacts: ContactServicer) -> None:
    first = await imports.run(b"phone,name\n13800138000,wang\n")
    await erase(contacts, A)
    again = await imports.run(b"phone,name\n13800138000,new\n")
    assert again.counts.inserted == 1
    answer = await revert(imports, first)
    assert (answer.removed_count, answer.conflict_count) == (0, 0)
    assert [row[:2] for row in await imports.rows()] == [(A, "new")]


async def test_the_record_contains_no_number_and_proves_the_erasure(
    imports: Imports,
    contacts: ContactServicer,
) -> None:
    await imports.run(b"phone\n13800138000\n")
    done = await erase(contacts, A, A, purpose="ticket", request_id="r1")
    assert (done.erased_count, done.missing_count) == (1, 0)
    async with imports.database.tenant(TENANT) as connection:
        (row,) = await connection.fetch("SELECT * FROM bossjy.erasures")
    assert row["erasure_id"] == done.erasure_id
    assert (row["purpose"], row["erased_by"], row["call_id"]) == ("ticket", "usr_1", "test")
    assert row["number_macs"] == [mac("erased-number", TENANT.encode(), A.encode())]
    with pytest.raises(BossjyError) as caught:
        await erase(contacts, A, purpose="of +86 138 0013 8000")
    assert caught.value.reason is Reason.INVALID_FIELD


async def test_the_record_is_written_once(imports: Imports, contacts: ContactServicer) -> None:
    await erase(contacts, A)
    for statement in ("DELETE FROM bossjy.erasures", "UPDATE bossjy.erasures SET purpose = 'x'"):
        with pytest.raises(Exception, match="permission denied"):
            async with imports.database.tenant(TENANT) as connection:
                await connection.execute(statement)


async def test_the_same_request_erases_once(imports: Imports, contacts: ContactServicer) -> None:
    await imports.run(b"phone\n13800138000\n13800138001\n")
    one, two = await asyncio.gather(*(erase(contacts, B, A, request_id="r1") for _ in range(2)))
    assert one == two
    await imports.run(b"phone\n13800138000\n")
    assert await erase(contacts, A, B, request_id="r1") == one
    assert [row[0] for row in await imports.rows()] == [A]
    for fields in ({"purpose": "other"}, {}):
        with pytest.raises(BossjyError) as caught:
            await erase(contacts, *([A, B] if fields else [A]), request_id="r1", **fields)
        assert caught.value.reason is Reason.REQUEST_ID_REUSED


async def test_other_tenants_keep_theirs(imports: Imports, contacts: ContactServicer) -> None:
    await imports.run(b"phone\n13800138000\n")
    await make_tenant(imports.database, "other-1")
    enter_tenant("other-1")
    done = await erase(contacts, A)
    assert (done.erased_count, done.missing_count) == (0, 1)
    assert [row[0] for row in await imports.rows()] == [A]


async def test_short_numbers_take_no_other_rows_along(imports: Imports, contacts: ContactServicer) -> None:
    job = await imports.run(b"phone\n+2906 12345\n+86 29061 23\n0290612345000\n")
    kept = [row.row_text for row in await imports.rejects(job.import_id)]
    # A number of five digits on Saint Helena: rows that contain them by chance stay.
    await erase(contacts, "+29061234")
    left = [row.row_text for row in await imports.rejects(job.import_id)]
    assert left == [text if "29061234" not in text.replace(" ", "") else "" for text in kept]


async def test_an_erasure_waits_for_a_block_that_changes_the_contact(
    imports: Imports,
    contacts: ContactServicer,
) -> None:
    await imports.run(b"phone,name\n13800138000,wang\n")
    async with imports.database.tenant(TENANT) as connection:
        # As a block does: the contact is changed, its former values are kept, and nothing is committed yet.
        await connection.execute("UPDATE bossjy.contacts SET name = 'x' WHERE e164 = $1", A)
        await connection.execute(
            "INSERT INTO bossjy.import_changes (tenant_id, import_id, e164, position, former) "
            "VALUES ($1, 'imp_2', $2, 1, jsonb_build_object('other_numbers', ARRAY[$2::text]))",
            TENANT,
            A,
        )
        task = asyncio.create_task(erase(contacts, A))
        await asyncio.sleep(0.3)
        assert not task.done()
    assert (await task).erased_count == 1
    assert await places_of(imports.database, A[1:]) == set()
