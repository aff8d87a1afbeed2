from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from bossjy.contacts.v1 import contact_service_pb2
from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_server.errors import BossjyError, Reason
from tests.integration.imports.conftest import TENANT, Imports
from tests.integration.imports.test_order import HEADER, random_rows, text

A, B = "+8613800138000", "+8613800138001"


async def revert(imports: Imports, job: import_pb2.Import, *, validate_only: bool = False) -> pb.RevertImportResponse:
    return await imports.servicer.RevertImport(
        pb.RevertImportRequest(import_id=job.import_id, validate_only=validate_only)
    )


def counts(answer: pb.RevertImportResponse) -> tuple[int, int, int]:
    return answer.removed_count, answer.restored_count, answer.conflict_count


async def test_what_was_brought_goes_and_what_was_changed_comes_back(imports: Imports) -> None:
    rng = random.Random(5)
    await imports.run(HEADER.encode() + text(random_rows(rng, 30)))
    before = await imports.rows()
    job = await imports.run(HEADER.encode() + text(random_rows(rng, 60)))
    after = await imports.rows()
    assert before != after
    told = await revert(imports, job, validate_only=True)
    assert await imports.rows() == after
    assert told.import_job.state == import_pb2.IMPORT_STATE_SUCCEEDED
    done = await revert(imports, job)
    assert counts(done) == counts(told) == (job.counts.inserted, job.counts.updated, 0)
    assert done.import_job.state == import_pb2.IMPORT_STATE_REVERTED
    assert await imports.rows() == before


async def test_what_later_imports_said_stays(imports: Imports) -> None:
    await imports.run("手机号,姓名\n13800138000,一\n13800138001,一\n".encode())
    second = await imports.run("手机号,姓名\n13800138000,二\n13800138001,二\n13800138002,二\n13800138003,二\n".encode())
    third = await imports.run("手机号,姓名\n13800138000,三\n13800138002,三\n13800138003,二\n".encode())
    done = await revert(imports, second)
    # The third import named three of them, one without a change: it would have created the last two itself.
    assert counts(done) == (0, 1, 0)
    names = {"+8613800138000": "三", "+8613800138001": "一", "+8613800138002": "三", "+8613800138003": "二"}
    assert {str(row[0]): row[1] for row in await imports.rows()} == names
    request = pb.ListRevertConflictsRequest(import_id=second.import_id)
    assert not (await imports.servicer.ListRevertConflicts(request)).conflicts
    assert counts(await revert(imports, third)) == (2, 1, 0)
    assert [row[1] for row in await imports.rows()] == ["一", "一"]


async def test_what_two_rows_of_an_import_changed_one_after_the_other_comes_back_whole(
    make_imports: Callable[..., Imports],
) -> None:
    """Each row is a separate block, so the last one takes the place of those before it."""
    imports = make_imports(block_bytes=1, flush_s=0.01)
    first = await imports.run("手机号,姓名\n13800138000,一\n".encode())
    before = await written(imports)
    for last, changed in (("三", True), ("一", False)):
        rows = f"13800138000,二\n13800138000,{last}\n"
        policy = import_pb2.DUPLICATE_POLICY_LAST_WINS
        job = await imports.run(f"手机号,姓名\n{rows}".encode(), chunk=24, duplicate_policy=policy)
        assert (job.counts.updated, job.counts.unchanged, job.counts.duplicate) == (changed, not changed, 1)
        assert (await written(imports) == before) is not changed
        assert counts(await revert(imports, job)) == (0, int(changed), 0)
        assert await written(imports) == before
    # The first import still counts as the last writer of the contact.
    assert counts(await revert(imports, first)) == (1, 0, 0)


async def written(imports: Imports) -> list[tuple[object, ...]]:
    """Contacts, and the row and import that wrote each last."""
    async with imports.database.tenant(TENANT) as connection:
        found = await connection.fetch("SELECT e164, name, changed_import_id, changed_position FROM bossjy.contacts")
    return [tuple(row) for row in found]


async def test_imports_are_taken_back_one_after_the_other(imports: Imports) -> None:
    rng = random.Random(9)
    states, jobs = [await imports.rows()], []
    for _ in range(4):
        jobs.append(await imports.run(HEADER.encode() + text(random_rows(rng, 40))))
        states.append(await imports.rows())
    while jobs:
        assert states.pop() == await imports.rows()
        assert (await revert(imports, jobs.pop())).conflict_count == 0
    assert await imports.rows() == []


async def test_deleted_contacts_do_not_come_back(imports: Imports) -> None:
    await imports.run(b"phone,name\n13800138000,a\n")
    job = await imports.run(b"phone,name\n13800138000,b\n13800138001,b\n")
    for number in (A, B):
        await imports.contacts.DeleteContact(contact_service_pb2.DeleteContactRequest(phone_number=number))
    assert counts(await revert(imports, job)) == (0, 0, 0)
    assert await imports.rows() == []


async def test_only_an_ended_import_is_reverted_and_only_once(imports: Imports) -> None:
    job = await imports.create()

    async def refused(one: import_pb2.Import) -> Reason:
        with pytest.raises(BossjyError) as caught:
            await revert(imports, one)
        return caught.value.reason

    assert await refused(job) is Reason.IMPORT_NOT_REVERTIBLE
    await imports.servicer.CancelImport(pb.CancelImportRequest(import_id=job.import_id))
    await revert(imports, job)
    assert await refused(job) is Reason.IMPORT_NOT_REVERTIBLE
    assert await refused(import_pb2.Import(import_id="imp_none")) is Reason.RESOURCE_NOT_FOUND
    dry = await imports.create(validate_only=True)
    await imports.upload(dry.import_id, b"phone\n13800138000\n")
    assert await refused(dry) is Reason.IMPORT_NOT_REVERTIBLE
