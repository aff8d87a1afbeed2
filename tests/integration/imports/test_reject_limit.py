"""Imports that fail because of their rejected rows: all of them, more than a limit, and the counts by reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_server.errors import BossjyError, Reason
from tests.integration.imports.conftest import Imports

Make = Callable[..., Imports]
FAILED, SUCCEEDED = import_pb2.IMPORT_STATE_FAILED, import_pb2.IMPORT_STATE_SUCCEEDED


def good(count: int, first: int = 0) -> bytes:
    return b"".join(b"%d\n" % (13800000000 + n) for n in range(first, first + count))


def limit(**values: object) -> import_pb2.RejectLimit:
    return import_pb2.RejectLimit(**values)  # type: ignore[arg-type]


async def found(imports: Imports, import_id: str) -> import_pb2.Import:
    return (await imports.servicer.GetImport(pb.GetImportRequest(import_id=import_id))).import_job


async def stopped(imports: Imports, data: bytes, **spec: object) -> import_pb2.Import:
    """The import after an upload that its limit ended."""
    job = await imports.create(**spec)  # type: ignore[arg-type]
    with pytest.raises(BossjyError) as caught:
        await imports.upload(job.import_id, data, chunk=1000)
    assert caught.value.reason is Reason.REJECT_LIMIT_EXCEEDED
    assert caught.value.metadata["import_id"] == job.import_id
    after = await found(imports, job.import_id)
    assert after.failure == caught.value.message
    return after


def reasons(job: import_pb2.Import) -> list[tuple[str, int, int]]:
    names = import_pb2.RejectReason.Name
    return [
        (names(one.reason).removeprefix("REJECT_REASON_"), one.row_count, one.suggestion_count)
        for one in job.reject_counts
    ]


async def test_rejected_rows_are_counted_by_reason(make_imports: Make) -> None:
    imports = make_imports(block_rows=20)
    rows = [b"13800144001 Ann\n"] * 30 + [b"\xff\n"] * 10 + [b"12\n"] * 20 + [b"+1 2025550123,x\n"] * 5
    job = await imports.run(b"phone\n" + good(100) + b"".join(rows), chunk=200)
    assert job.state == SUCCEEDED
    counted = reasons(job)
    assert sum(count for _, count, _ in counted) == job.counts.rejected == 65
    listed = await imports.rejects(job.import_id)
    by_reason = {name: sum(row.reason == import_pb2.RejectReason.Value(f"REJECT_REASON_{name}") for row in listed)
                 for name, _, _ in counted}  # fmt: skip
    assert by_reason == {name: count for name, count, _ in counted}
    assert [count for _, count, _ in counted] == sorted(by_reason.values(), reverse=True)
    suggested = sum(bool(row.suggestion) for row in listed)
    assert sum(one for _, _, one in counted) == suggested >= 30
    listing = await imports.servicer.ListImports(pb.ListImportsRequest())
    assert list(listing.import_jobs[0].reject_counts) == list(job.reject_counts)


async def test_rows_that_are_not_kept_are_counted_by_reason_too(make_imports: Make) -> None:
    imports = make_imports(max_rejects_kept=7, block_rows=10)
    job = await imports.run(b"phone,x\n" + good(1) + b"1,2,3\n" * 15 + b",\n" * 15, chunk=64)
    assert job.rejects_truncated
    assert len(await imports.rejects(job.import_id)) == 7
    assert reasons(job) == [("PHONE_EMPTY", 15, 0), ("WRONG_CELL_COUNT", 15, 0)]


@pytest.mark.parametrize("dry", [False, True])
async def test_an_import_without_an_accepted_row_has_failed(imports: Imports, *, dry: bool) -> None:
    job = await imports.create(validate_only=dry, default_region="GB")
    answers = await imports.upload(job.import_id, b"phone\n" + good(3))
    job = answers[-1].finished.import_job
    assert job.state == FAILED
    assert job.counts == import_pb2.ImportCounts(rows_in=3, rejected=3)
    assert job.failure.startswith("all 3 rows were rejected: ")
    assert "region" in job.failure
    assert job.HasField("end_time")
    assert await imports.rows() == []
    assert len(await imports.rejects(job.import_id)) == 3
    # Its corrected rows can be imported as its child, and it can be reverted.
    child = await imports.run(b"phone\n" + good(3), parent_import_id=job.import_id)
    assert (child.state, child.counts.inserted) == (SUCCEEDED, 3)
    if not dry:
        done = await imports.servicer.RevertImport(pb.RevertImportRequest(import_id=job.import_id))
        assert done.import_job.state == import_pb2.IMPORT_STATE_REVERTED
    assert len(await imports.rows()) == 3


async def test_a_file_without_rows_has_succeeded(imports: Imports) -> None:
    assert (await imports.run(b"phone\n")).state == SUCCEEDED


async def test_a_limit_of_rows_stops_the_import(make_imports: Make) -> None:
    imports = make_imports(block_rows=50)
    data = b"phone\n" + good(100) + b"bad\n" * 20 + good(1000, 100)
    job = await stopped(imports, data, reject_limit=limit(rows=19))
    assert job.state == FAILED
    assert job.failure.startswith("20 of the first ")
    assert "at most 19 are allowed: NOT_A_NUMBER 20" in job.failure
    assert "stay until the import is reverted" in job.failure
    rows = await imports.rows()
    # Blocks before the one that exceeded the limit were committed; of that one only the rejected rows count.
    assert job.counts.inserted == len(rows) <= 150
    assert job.counts == import_pb2.ImportCounts(rows_in=len(rows) + 20, inserted=len(rows), rejected=20)
    assert len(await imports.rejects(job.import_id)) == 20
    done = await imports.servicer.RevertImport(pb.RevertImportRequest(import_id=job.import_id))
    assert done.removed_count == len(rows)
    assert await imports.rows() == []


async def test_as_many_rejected_rows_as_the_limit_are_allowed(imports: Imports) -> None:
    data = b"phone\n" + good(10) + b"bad\n" * 5
    job = await imports.run(data, reject_limit=limit(rows=5, percent=34))
    assert (job.state, job.counts.inserted, job.counts.rejected) == (SUCCEEDED, 10, 5)


async def test_none_is_a_limit(imports: Imports) -> None:
    job = await stopped(imports, b"phone\n" + good(10) + b"bad\n", reject_limit=limit(rows=0))
    assert job.failure.startswith("1 of the first 11 rows were rejected, at most 0 are allowed")
    assert "nothing was imported" in job.failure
    assert await imports.rows() == []


async def test_a_share_applies_after_its_least_rows_and_at_the_end(make_imports: Make) -> None:
    imports = make_imports(block_rows=10)
    data = b"phone\n" + b"bad\n" * 9 + good(91)
    # Half of the first rows are bad, but only 9 % of all of them.
    job = await imports.run(data, chunk=50, reject_limit=limit(percent=9, minimum_rows=100))
    assert job.state == SUCCEEDED
    early = await stopped(imports, data, reject_limit=limit(percent=9, minimum_rows=10))
    assert early.counts.rows_in < 30
    late = await stopped(imports, b"phone\n" + good(8, 500) + b"bad\n", reject_limit=limit(percent=11))
    assert "1 of the first 9 rows were rejected, at most 11 % are allowed" in late.failure


async def test_a_dry_run_stops_as_well(imports: Imports) -> None:
    job = await imports.create(validate_only=True, reject_limit=limit(rows=0))
    with pytest.raises(BossjyError) as caught:
        await imports.upload(job.import_id, b"phone\n" + good(1) + b"bad\n")
    assert caught.value.reason is Reason.REJECT_LIMIT_EXCEEDED
    assert await imports.rows() == []


async def test_a_failed_import_takes_no_more_rows_and_says_why(imports: Imports) -> None:
    job = await stopped(imports, b"phone\nbad\n" + good(3), reject_limit=limit(rows=0))
    with pytest.raises(BossjyError) as caught:
        await imports.upload(job.import_id, b"phone\nbad\n" + good(3))
    assert caught.value.reason is Reason.IMPORT_NOT_OPEN
    assert "1 of the first 4 rows were rejected" in caught.value.message


@pytest.mark.parametrize("trial", range(8))
async def test_parallel_parts_share_the_limit(make_imports: Make, trial: int) -> None:
    imports = make_imports(block_rows=10)
    parts = 4
    job = await imports.create(part_count=parts, reject_limit=limit(rows=30))
    first = b"phone\n"

    async def upload(part: int) -> str:
        # Every single part is within the limit.
        data = (first if part == 0 else b"") + b"".join(
            good(8, part * 1000 + block * 10) + b"bad\n" * 2 for block in range(13)
        )
        try:
            await imports.upload(job.import_id, data, part=part, chunk=40 + trial)
        except BossjyError as error:
            return error.reason.value
        return ""

    ended = await asyncio.gather(*(upload(part) for part in range(parts)))
    assert ended.count("REJECT_LIMIT_EXCEEDED") == 1, ended
    assert set(ended) <= {"REJECT_LIMIT_EXCEEDED", "IMPORT_NOT_OPEN", ""}
    after = await found(imports, job.import_id)
    assert after.state == FAILED
    counts = after.counts
    assert counts.rows_in == counts.inserted + counts.rejected
    assert counts.inserted == len(await imports.rows())
    # The block that exceeded the limit is the last one: at most one block of ten rows beyond it.
    assert 30 < counts.rejected <= 40
    assert sum(one.row_count for one in after.reject_counts) == counts.rejected
    assert len(await imports.rejects(job.import_id)) == counts.rejected


@pytest.mark.parametrize("bad", [1, 2])
async def test_all_parts_count_for_an_import_without_an_accepted_row(imports: Imports, bad: int) -> None:
    job = await imports.create(part_count=2)
    await imports.upload(job.import_id, b"phone\nbad\n", part=0)
    answers = await imports.upload(job.import_id, b"bad\n" if bad == 2 else good(1), part=1)
    assert answers[-1].finished.import_job.state == (FAILED if bad == 2 else SUCCEEDED)
