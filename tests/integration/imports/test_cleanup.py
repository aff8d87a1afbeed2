"""Cleanup after dry runs: their numbers are deleted after the end, even without a caller; those of imports stay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_server.errors import BossjyError
from bossjy_server.imports.database import cleanup
from tests.integration.imports.conftest import TENANT, Imports, enter_tenant, requests

# Not only ASCII, so that the first bytes determine the encoding.
FILE = "手机号,姓名\n".encode() + b"".join(b"+86138001%05d,x\n" % number for number in range(2000))
CHANGED = FILE.replace(b"00007,x", b"00007,y")


async def marks(imports: Imports) -> tuple[int, int]:
    """The number of marks: without former values, with them."""
    async with imports.database.tenant(TENANT) as connection:
        row = await connection.fetchrow(
            "SELECT count(*) FILTER (WHERE former IS NULL), count(former) FROM bossjy.import_changes"
        )
    assert row is not None
    return row[0], row[1]


async def until_marks_are(imports: Imports, wanted: tuple[int, int]) -> None:
    async with asyncio.timeout(30):
        while await marks(imports) != wanted:
            await asyncio.sleep(0.02)


async def test_they_go_though_the_client_leaves_at_the_end(imports: Imports) -> None:
    await imports.run(FILE)
    job = await imports.create(validate_only=True)
    stream = imports.servicer.Upload(requests(job.import_id, CHANGED))
    async for answer in stream:
        if answer.HasField("finished"):
            break
    await stream.aclose()
    await until_marks_are(imports, (0, 0))


async def test_layers_of_an_import_stay(imports: Imports) -> None:
    """They list the contacts that the import confirmed, in case another import is reverted."""
    await imports.run(FILE)
    await imports.run(CHANGED)
    dry = await imports.create(validate_only=True)
    await imports.upload(dry.import_id, FILE)
    await until_marks_are(imports, (1999, 1))


@pytest.mark.parametrize("end", ["cancelled", "failed"])
async def test_they_go_where_the_import_ended_early(make_imports: Callable[..., Imports], end: str) -> None:
    imports = make_imports(flush_s=0.05, max_file_bytes=len(FILE))
    await imports.run(FILE)
    job = await imports.create(validate_only=True)

    async def messages() -> AsyncIterator[pb.UploadRequest]:
        yield pb.UploadRequest(open=pb.UploadOpen(import_id=job.import_id))
        yield pb.UploadRequest(chunk=pb.UploadChunk(offset=0, data=FILE))
        while (await marks(imports))[0] == 0:
            await asyncio.sleep(0.01)
        if end == "cancelled":
            enter_tenant(TENANT)
            await imports.servicer.CancelImport(pb.CancelImportRequest(import_id=job.import_id))
        yield pb.UploadRequest(chunk=pb.UploadChunk(offset=len(FILE), data=b"+8613900000000,z\n"))
        await asyncio.Event().wait()

    with pytest.raises(BossjyError, match="cancelled|more than"):
        async for _ in imports.servicer.Upload(messages()):
            pass
    await until_marks_are(imports, (0, 0))
    found = (await imports.servicer.GetImport(pb.GetImportRequest(import_id=job.import_id))).import_job
    assert (
        found.state == {"cancelled": import_pb2.IMPORT_STATE_CANCELLED, "failed": import_pb2.IMPORT_STATE_FAILED}[end]
    )


async def test_a_lost_database_is_told(imports: Imports, caplog: pytest.LogCaptureFixture) -> None:
    await imports.database.close()
    work = cleanup.Cleanup(imports.database, 90)
    work.begin(TENANT, "imp_1")
    async with asyncio.timeout(10):
        while "is postponed" not in caplog.text:
            await asyncio.sleep(0.01)
    await work.close()


async def test_what_is_left_out_is_told(
    imports: Imports, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cleanup, "_MOST_WAITING", 0)
    job = await imports.run(FILE)
    assert f"cleanup after import {job.import_id} is postponed" in caplog.text
