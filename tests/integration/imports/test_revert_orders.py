"""Reversal of imports in any order leaves the contacts that the other imports make without them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from bossjy.contacts.v1 import contact_service_pb2
from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_server.errors import BossjyError
from tests.integration.imports.conftest import TENANT, Imports
from tests.integration.imports.test_order import HEADER
from tests.performance.imports.histories import layers_of, run_history

A = "+8613800138000"


async def revert(imports: Imports, job: import_pb2.Import) -> pb.RevertImportResponse:
    return await imports.servicer.RevertImport(pb.RevertImportRequest(import_id=job.import_id))


@pytest.mark.parametrize("seed", range(12))
async def test_every_order_of_reverting_a_random_history(make_imports: Callable[..., Imports], seed: int) -> None:
    rng = random.Random(seed)
    outcome = await run_history(make_imports(block_bytes=rng.choice([150, 1 << 20]), flush_s=0.01), rng)
    assert (outcome.wrong, outcome.left_over) == (0, 0)
    assert outcome.reverts >= 2


async def test_the_same_file_twice_leaves_the_people_of_the_second(imports: Imports) -> None:
    file = "手机号,姓名\n13800138000,一\n13800138001,二\n".encode()
    first, second = await imports.run(file), await imports.run(file)
    before = await imports.rows()
    assert (await revert(imports, first)).removed_count == 0
    assert await imports.rows() == before
    assert (await revert(imports, second)).removed_count == 2


async def test_a_deleted_contact_comes_back_by_no_reversal(imports: Imports) -> None:
    jobs = [await imports.run(f"phone,name\n13800138000,{name}\n".encode()) for name in "abc"]
    await imports.contacts.DeleteContact(contact_service_pb2.DeleteContactRequest(phone_number=A))
    again = await imports.run(b"phone,name\n13800138000,d\n")
    for job in jobs:
        await revert(imports, job)
        assert [row[1] for row in await imports.rows()] == ["d"]
    await revert(imports, again)
    assert await imports.rows() == []
    assert await layers_of(imports) == 0


async def test_an_import_waits_for_a_reversal_and_none_is_lost(make_imports: Callable[..., Imports]) -> None:
    """Blocks confirm contacts during the reversal of the import that created them: the contacts stay, or are new."""
    imports = make_imports(block_bytes=400, flush_s=0.01)
    file = HEADER.encode() + b"".join(b"+86138001380%02d,n,,,\n" % number for number in range(60))
    for _ in range(5):
        first = await imports.run(file)
        second, _ = await asyncio.gather(imports.run(file, chunk=200), revert(imports, first))
        assert second.state == import_pb2.IMPORT_STATE_SUCCEEDED
        assert len(await imports.rows()) == 60
        await revert(imports, second)
        assert await imports.rows() == []
        assert await layers_of(imports) == 0


async def test_an_old_import_is_not_reverted_and_its_layers_go(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(revert_days=30)
    file = "手机号,姓名\n13800138000,一\n13800138001,二\n".encode()
    first, second = await imports.run(file), await imports.run(file.replace("二".encode(), "三".encode()))
    async with imports.database.tenant(TENANT) as connection:
        await connection.execute("UPDATE bossjy.imports SET end_time = now() - interval '31 days'")
    third = await imports.run(file)
    async with asyncio.timeout(60):
        while await layers_of(imports) != 2:
            await asyncio.sleep(0.02)
    for old in (first, second):
        with pytest.raises(BossjyError, match="more than 30 days ago"):
            await revert(imports, old)
    await revert(imports, third)
    assert [row[1] for row in await imports.rows()] == ["一", "三"]
