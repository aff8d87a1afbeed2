"""Limits of imports are settings, and each rejects with its reason: tested on a whole service with low limits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest
import pytest_asyncio

from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_server.embedded.servers import EmbeddedParts
from tests.integration.imports.caller import Caller, told
from tests.parts import fresh_database
from tests.service import serve

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMITS = {
    "BOSSJY_IMPORT_FILE_BYTES": "20000",
    "BOSSJY_IMPORT_ROW_BYTES": "300",
    "BOSSJY_IMPORT_COLUMNS": "5",
    "BOSSJY_IMPORT_REJECTS": "3",
    "BOSSJY_IMPORT_DUPLICATES": "3",
    "BOSSJY_IMPORT_PARTS": "4",
    "BOSSJY_OPEN_IMPORTS_PER_TENANT": "2",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def caller(parts: EmbeddedParts, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Caller]:
    async for url in fresh_database(parts.database_url):
        folder: Path = tmp_path_factory.mktemp("limits")
        async for service in serve(url, parts.redis_url, folder, **LIMITS):
            yield Caller(service)


async def test_a_file_that_is_too_large(caller: Caller) -> None:
    data = b"phone\n" + b"+8613800138000\n" * 2000
    assert await caller.refused(data) == ("RESOURCE_EXHAUSTED", "FILE_TOO_LARGE", "20000")


async def test_a_first_row_that_is_too_long(caller: Caller) -> None:
    assert await caller.refused(b"phone" * 400) == ("INVALID_ARGUMENT", "ROW_TOO_WIDE", "300")


async def test_a_later_row_that_is_too_long_costs_itself_alone(caller: Caller) -> None:
    import_id = await caller.create()
    job = await caller.upload(import_id, b"phone,name\n+8613800138000,a\n" + b"x" * 301 + b"\n+8613800138001,b\n")
    assert (job.counts.inserted, job.counts.rejected) == (2, 1)
    assert [(row.line, row.byte_offset, row.reason) for row in await caller.rejects(import_id)] == [
        (3, 28, import_pb2.REJECT_REASON_ROW_TOO_LONG)
    ]


async def test_columns(caller: Caller) -> None:
    assert await caller.refused(b"phone,a,b,c,d,e\n") == ("INVALID_ARGUMENT", "TOO_MANY_COLUMNS", "5")
    assert (await caller.upload(await caller.create(), b"phone,a,b,c,d\n")).state == import_pb2.IMPORT_STATE_SUCCEEDED


async def test_refused_rows_that_are_kept(caller: Caller) -> None:
    import_id = await caller.create()
    job = await caller.upload(import_id, b"phone\n" + b"x\n" * 50)
    assert (job.counts.rejected, job.rejects_truncated) == (50, True)
    assert [row.line for row in await caller.rejects(import_id)] == [2, 3, 4]


async def test_parts(caller: Caller) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await caller.create(part_count=5)
    assert told(caught.value) == ("INVALID_ARGUMENT", "INVALID_FIELD", "4")
    made = await caller.create(part_count=4)
    await caller.call("CancelImport", pb.CancelImportRequest(import_id=made))


async def test_open_imports(caller: Caller) -> None:
    made = [await caller.create() for _ in range(2)]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await caller.create()
    assert told(caught.value) == ("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", "2")
    for import_id in made:
        await caller.call("CancelImport", pb.CancelImportRequest(import_id=import_id))


async def test_duplicate_rows(caller: Caller) -> None:
    import_id = await caller.create()
    job = await caller.upload(import_id, b"phone,name\n" + b"".join(b"+8613800138000,%d\n" % row for row in range(9)))
    assert (job.counts.duplicate, job.duplicates_truncated) == (8, True)
    rows = (await caller.call("ListDuplicateRows", pb.ListDuplicateRowsRequest(import_id=import_id))).rows
    assert [row.line for row in rows] == [3, 4, 5]
