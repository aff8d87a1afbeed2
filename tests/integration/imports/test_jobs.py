from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_server.errors import BossjyError, InvalidArgument, Reason
from bossjy_server.storage.postgres import Database
from tests.integration.imports.conftest import TENANT, Imports, enter_tenant, make_tenant


async def test_the_same_request_makes_one_import(imports: Imports) -> None:
    made = await asyncio.gather(*(imports.create("r1", display_name="a") for _ in range(5)))
    assert len({job.import_id for job in made}) == 1
    with pytest.raises(BossjyError) as caught:
        await imports.create("r1", display_name="b")
    assert caught.value.reason is Reason.REQUEST_ID_REUSED
    assert (await imports.create(display_name="a")).import_id != made[0].import_id
    listed = await imports.servicer.ListImports(pb.ListImportsRequest())
    assert len(listed.import_jobs) == 2


async def test_open_imports_have_a_limit(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(max_open_imports=3)
    made = await asyncio.gather(*(imports.create() for _ in range(8)), return_exceptions=True)
    refused = [one for one in made if isinstance(one, BossjyError)]
    assert len(refused) == 5
    assert {one.reason for one in refused} == {Reason.QUOTA_EXCEEDED}
    job = next(one for one in made if isinstance(one, import_pb2.Import))
    await imports.servicer.CancelImport(pb.CancelImportRequest(import_id=job.import_id))
    await imports.create()
    # The operator's limit for this tenant wins, in both directions.
    for limit in (4, 1):
        async with imports.database.tenant(TENANT) as connection:
            await connection.execute("UPDATE bossjy.tenants SET open_imports_most = $1", limit)
        if limit == 4:
            await imports.create()
        with pytest.raises(BossjyError, match=f"{limit} are allowed"):
            await imports.create()


async def test_pages_of_imports_and_refused_rows(imports: Imports) -> None:
    made = [(await imports.create(display_name=str(n))).import_id for n in range(7)]
    seen: list[str] = []
    token = ""
    while True:
        page = await imports.servicer.ListImports(pb.ListImportsRequest(page_size=3, page_token=token))
        seen += [job.import_id for job in page.import_jobs]
        token = page.next_page_token
        if not token:
            break
    assert seen == made[::-1]

    await imports.upload(made[0], b"phone\n" + b"".join(b"%d\n" % n for n in range(25)))
    lines: list[int] = []
    while True:
        request = pb.ListRejectedRowsRequest(import_id=made[0], page_size=10, page_token=token)
        rows = await imports.servicer.ListRejectedRows(request)
        lines += [row.line for row in rows.rows]
        token = rows.next_page_token
        if not token:
            break
    assert lines == list(range(2, 27))


async def test_a_token_of_another_listing_is_refused(imports: Imports) -> None:
    for n in range(3):
        await imports.create(display_name=str(n))
    token = (await imports.servicer.ListImports(pb.ListImportsRequest(page_size=1))).next_page_token
    job = (await imports.servicer.ListImports(pb.ListImportsRequest(page_size=1))).import_jobs[0]
    for wrong in ("x", "ÿ", token[:-2], token + "AAAA"):
        with pytest.raises(BossjyError) as caught:
            await imports.servicer.ListImports(pb.ListImportsRequest(page_token=wrong))
        assert caught.value.reason is Reason.PAGE_TOKEN_INVALID
    with pytest.raises(BossjyError) as caught:
        await imports.servicer.ListRejectedRows(pb.ListRejectedRowsRequest(import_id=job.import_id, page_token=token))
    assert caught.value.reason is Reason.PAGE_TOKEN_INVALID


async def test_watching_tells_each_change_until_the_end(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(block_bytes=1000, poll_s=0.02)
    job = await imports.create()
    request = pb.WatchImportRequest(import_id=job.import_id)

    began = asyncio.Event()

    async def watch() -> list[import_pb2.Import]:
        told = []
        async for answer in imports.servicer.WatchImport(request):
            told.append(answer.import_job)
            began.set()
        return told

    task = asyncio.create_task(watch())
    await began.wait()
    await imports.upload(job.import_id, b"phone\n" + b"".join(b"1380013%04d\n" % n for n in range(500)), chunk=500)
    seen = await asyncio.wait_for(task, 60)
    assert [one.revision for one in seen] == sorted({one.revision for one in seen})
    assert seen[0].state == import_pb2.IMPORT_STATE_OPEN
    assert seen[-1].state == import_pb2.IMPORT_STATE_SUCCEEDED
    assert seen[-1].counts.inserted == 500
    # A new stream after the last revision has nothing more to report.
    request = pb.WatchImportRequest(import_id=job.import_id, after_revision=seen[-1].revision)
    assert [one async for one in imports.servicer.WatchImport(request)] == []


async def test_another_tenant_sees_nothing(imports: Imports, database: Database) -> None:
    job = await imports.run(b"phone\n13800138000\nx\n")
    await make_tenant(database, "other-1")
    enter_tenant("other-1")
    calls = [
        imports.servicer.GetImport(pb.GetImportRequest(import_id=job.import_id)),
        imports.servicer.CancelImport(pb.CancelImportRequest(import_id=job.import_id)),
        imports.servicer.ListRejectedRows(pb.ListRejectedRowsRequest(import_id=job.import_id)),
        imports.upload(job.import_id, b"phone\n"),
        anext(imports.servicer.WatchImport(pb.WatchImportRequest(import_id=job.import_id))),
        imports.create(parent_import_id=job.import_id),
    ]
    for call in calls:
        with pytest.raises(BossjyError) as caught:
            await call
        assert caught.value.reason is Reason.RESOURCE_NOT_FOUND
    assert not (await imports.servicer.ListImports(pb.ListImportsRequest())).import_jobs
    # Another tenant can use the same request id.
    assert (await imports.create("r")).import_id != job.import_id


async def test_a_filter_keeps_what_was_asked_for(imports: Imports) -> None:
    first = await imports.create(file_name="march.csv")
    second = await imports.create(file_name="april.csv")
    await imports.servicer.CancelImport(pb.CancelImportRequest(import_id=first.import_id))
    time = second.create_time.ToDatetime().isoformat() + "Z"
    for text, expected in (
        ("state = OPEN", [second]),
        ("NOT state = OPEN", [first]),
        ('file_name : "MARCH"', [first]),
        (f'create_time >= "{time}"', [second]),
        (f'created_by = "{first.created_by}" AND state != REVERTED', [second, first]),
        ("state = FAILED", []),
    ):
        found = await imports.servicer.ListImports(pb.ListImportsRequest(filter=text))
        assert [job.import_id for job in found.import_jobs] == [job.import_id for job in expected], text


@pytest.mark.parametrize("text", ["state = nonsense", "attributes.x = 1", "phone = 1", "state ="])
async def test_a_filter_that_cannot_be_read_is_refused(imports: Imports, text: str) -> None:
    with pytest.raises(BossjyError) as caught:
        await imports.servicer.ListImports(pb.ListImportsRequest(filter=text))
    assert caught.value.reason is Reason.FILTER_INVALID


async def test_a_spec_that_makes_answers_too_large_is_refused(imports: Imports) -> None:
    columns = [f"{number:03d}{'号' * 290}" for number in range(600)]
    with pytest.raises(InvalidArgument) as caught:
        await imports.create(source={"columns": columns})
    assert caught.value.reason is Reason.INVALID_FIELD
    assert caught.value.violations[0].field == "spec"
    accepted = await imports.create(source={"columns": columns[:500]})
    assert len(accepted.spec.source.columns) == 500
