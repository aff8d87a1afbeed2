"""Upload streams: acks only for committed rows, resumption at any byte, one stream a part."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable

import pytest

from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_server.errors import BossjyError, Reason
from tests.integration.imports.conftest import Imports, chunk_of, demo_file, requests

FILE = "手机号,姓名\n".encode() + b"".join(f"138001{n:05d},名{n}\n".encode() for n in range(2000))
OK = import_pb2.IMPORT_STATE_SUCCEEDED


class Cut(Exception):
    """The connection is gone."""


async def cut_after(source: AsyncIterator[pb.UploadRequest], messages: int) -> AsyncIterator[pb.UploadRequest]:
    async for request in source:
        if messages == 0:
            raise Cut
        messages -= 1
        yield request


async def upload_until_cut(imports: Imports, import_id: str, data: bytes, start: int, rng: random.Random) -> None:
    source = requests(import_id, data, chunk=rng.choice([900, 5000]), start=start)
    async for _ in imports.servicer.Upload(cut_after(source, rng.randrange(1, 12))):
        # Give the commit a chance, or none: an interruption may come at any moment.
        await asyncio.sleep(rng.choice([0, 0.01]))


async def committed(imports: Imports, job: import_pb2.Import) -> int:
    request = pb.GetImportRequest(import_id=job.import_id)
    return (await imports.servicer.GetImport(request)).import_job.parts[0].committed_offset


async def refusal(imports: Imports, *messages: pb.UploadRequest) -> BossjyError:
    async def source() -> AsyncIterator[pb.UploadRequest]:
        for message in messages:
            yield message

    with pytest.raises(BossjyError) as caught:
        async for _ in imports.servicer.Upload(source()):
            pass
    return caught.value


def opening(job: import_pb2.Import, part: int = 0) -> pb.UploadRequest:
    return pb.UploadRequest(open=pb.UploadOpen(import_id=job.import_id, part=part))


def chunk(data: bytes, start: int, end: int) -> pb.UploadRequest:
    return pb.UploadRequest(chunk=chunk_of(data, start, end))


async def test_the_answers_come_in_their_order(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(block_bytes=4096)
    job = await imports.create()
    answers = await imports.upload(job.import_id, FILE, chunk=3000)
    kinds = [answer.WhichOneof("message") for answer in answers]
    assert kinds[:2] == ["opened", "flow"]
    assert kinds[-1] == "finished"
    assert set(kinds[2:-1]) == {"ack"}
    acks = [answer.ack for answer in answers if answer.HasField("ack")]
    offsets = [ack.committed_offset for ack in acks]
    assert offsets == sorted(set(offsets))
    assert offsets[-1] == len(FILE)
    for ack in acks:
        counts = ack.counts
        assert counts.rows_in == FILE.count(b"\n", 0, ack.committed_offset) - 1
        assert counts.rows_in == counts.inserted + counts.duplicate + counts.rejected
    done = answers[-1].finished.import_job
    assert (done.state, done.counts.inserted) == (OK, 2000)
    assert done.HasField("end_time")


@pytest.mark.parametrize("seed", range(6))
async def test_cut_at_random_and_resumed_each_row_counts_once(make_imports: Callable[..., Imports], seed: int) -> None:
    rng = random.Random(seed)
    imports = make_imports(block_bytes=rng.choice([1000, 5000, 20_000]), flush_s=0.02)
    data = demo_file()[:120_000].rpartition(b"\n")[0]
    job = await imports.create()
    cuts = 0
    for _ in range(12):
        try:
            await upload_until_cut(imports, job.import_id, data, await committed(imports, job), rng)
        except Cut:
            cuts += 1
    assert cuts > 2
    source = requests(job.import_id, data, start=await committed(imports, job))
    answers = [answer async for answer in imports.servicer.Upload(source)]
    cut_job, cut_rows = answers[-1].finished.import_job, await imports.rows()
    cut_rejects = await imports.rejects(job.import_id)

    async with imports.database.tenant("acme-1") as connection:
        await connection.execute("DELETE FROM bossjy.contacts")
    whole = await imports.run(data)
    assert cut_job.counts == whole.counts
    assert cut_rows == await imports.rows()
    assert cut_rejects == await imports.rejects(whole.import_id)
    assert whole.counts.rows_in > 1000
    assert whole.counts.rejected > 10


async def test_what_is_committed_is_skipped_when_sent_again(imports: Imports) -> None:
    job = await imports.create()

    async def source() -> AsyncIterator[pb.UploadRequest]:
        yield opening(job)
        yield chunk(FILE, 0, 5000)
        yield chunk(FILE, 0, 5000)
        yield chunk(FILE, 4000, 9000)
        yield chunk(FILE, 9000, len(FILE))
        yield pb.UploadRequest(finish=pb.UploadFinish(size_bytes=len(FILE)))

    answers = [answer async for answer in imports.servicer.Upload(source())]
    skipped = [answer.skipped for answer in answers if answer.HasField("skipped")]
    assert [one.offset for one in skipped] == [0]
    assert answers[-1].finished.import_job.counts == import_pb2.ImportCounts(rows_in=2000, inserted=2000)


async def test_what_is_out_of_order_is_refused_and_tells_where_to_go_on(imports: Imports) -> None:
    job = await imports.create()
    damaged = chunk(FILE, 0, 5000)
    damaged.chunk.crc32c ^= 1
    cases = [
        (Reason.UPLOAD_OUT_OF_ORDER, [chunk(FILE, 0, 10)]),
        (Reason.UPLOAD_OUT_OF_ORDER, [opening(job), opening(job)]),
        (Reason.OFFSET_GAP, [opening(job), chunk(FILE, 10, 20)]),
        (Reason.CHECKSUM_MISMATCH, [opening(job), damaged]),
        (Reason.PART_UNKNOWN, [opening(job, part=1)]),
        (
            Reason.PART_SIZE_MISMATCH,
            [opening(job), chunk(FILE, 0, 10), pb.UploadRequest(finish=pb.UploadFinish(size_bytes=11))],
        ),
        (
            Reason.CHECKSUM_MISMATCH,
            [
                opening(job),
                chunk(FILE, 0, 10),
                pb.UploadRequest(finish=pb.UploadFinish(size_bytes=10, sha256=b"x" * 32)),
            ],
        ),
    ]
    for reason, messages in cases:
        error = await refusal(imports, *messages)
        assert error.reason is reason
        if reason not in {Reason.UPLOAD_OUT_OF_ORDER, Reason.PART_UNKNOWN}:
            assert error.metadata["next_offset"] == "0"
    missing = pb.UploadRequest(open=pb.UploadOpen(import_id="imp_none"))
    assert (await refusal(imports, missing)).reason is Reason.RESOURCE_NOT_FOUND
    assert await imports.rows() == []
    # None of it did harm.
    answers = await imports.upload(job.import_id, FILE)
    assert answers[-1].finished.import_job.counts.inserted == 2000


async def test_the_newer_of_two_streams_has_the_part(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(block_bytes=2000, flush_s=0.02)
    job = await imports.create()
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[pb.UploadRequest]:
        yield opening(job)
        yield chunk(FILE, 0, 10_000)
        await go_on.wait()
        yield chunk(FILE, 10_000, 20_000)
        await asyncio.Event().wait()

    async def quick() -> AsyncIterator[pb.UploadRequest]:
        yield opening(job)
        yield chunk(FILE, 0, 30_000)
        await told.wait()
        yield chunk(FILE, 30_000, len(FILE))
        yield pb.UploadRequest(finish=pb.UploadFinish(size_bytes=len(FILE)))

    told = asyncio.Event()
    older, newer = imports.servicer.Upload(slow()), imports.servicer.Upload(quick())
    async for answer in older:
        if answer.HasField("ack"):
            break
    async for answer in newer:
        if answer.HasField("ack"):
            break
    go_on.set()
    with pytest.raises(BossjyError) as caught:
        async for _ in older:
            pass
    assert caught.value.reason is Reason.PART_TAKEN
    told.set()
    done = [answer async for answer in newer][-1].finished.import_job
    assert done.counts == import_pb2.ImportCounts(rows_in=2000, inserted=2000)
    assert len(await imports.rows()) == 2000


async def test_the_end_can_be_asked_for_again(imports: Imports) -> None:
    job = await imports.create()
    first = await imports.upload(job.import_id, FILE)
    again = await imports.upload(job.import_id, FILE)
    assert again[0].opened.next_offset == len(FILE)
    assert again[-1].finished.import_job == first[-1].finished.import_job


async def test_two_streams_that_race_commit_each_row_once(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(block_bytes=3000, flush_s=0.02)
    job = await imports.create()

    async def one() -> str:
        try:
            answers = await imports.upload(job.import_id, FILE, chunk=1000)
        except BossjyError as error:
            return error.reason.value
        return answers[-1].WhichOneof("message") or ""

    ends = await asyncio.gather(*(one() for _ in range(4)))
    assert set(ends) <= {"finished", "PART_TAKEN"}
    assert "finished" in ends
    done = (await imports.servicer.GetImport(pb.GetImportRequest(import_id=job.import_id))).import_job
    assert done.counts == import_pb2.ImportCounts(rows_in=2000, inserted=2000)
    assert len(await imports.rows()) == 2000


async def test_rows_that_wait_for_more_are_committed_in_a_moment(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(flush_s=0.05)
    job = await imports.create()

    async def slow() -> AsyncIterator[pb.UploadRequest]:
        yield opening(job)
        yield chunk(FILE, 0, 1000)
        await asyncio.Event().wait()

    stream = imports.servicer.Upload(slow())
    async for answer in stream:
        if answer.HasField("ack"):
            assert answer.ack.committed_offset == FILE.rindex(b"\n", 0, 1000) + 1
            break
    await stream.aclose()


async def test_a_silent_upload_is_ended(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(idle_s=0.2, poll_s=0.05, flush_s=0.05)
    job = await imports.create()

    async def silent() -> AsyncIterator[pb.UploadRequest]:
        yield opening(job)
        await asyncio.Event().wait()

    with pytest.raises(BossjyError) as caught:
        async for _ in imports.servicer.Upload(silent()):
            pass
    assert caught.value.reason is Reason.UPLOAD_IDLE
    assert caught.value.metadata["next_offset"] == "0"


async def test_when_the_server_drains_what_came_is_committed_and_the_client_told(imports: Imports) -> None:
    job = await imports.create()

    async def slow() -> AsyncIterator[pb.UploadRequest]:
        yield opening(job)
        yield chunk(FILE, 0, 1000)
        imports.draining.set()
        await asyncio.Event().wait()

    answers = [answer async for answer in imports.servicer.Upload(slow())]
    kinds = [answer.WhichOneof("message") for answer in answers]
    assert kinds[:2] == ["opened", "flow"]
    assert set(kinds[2:]) == {"ack", "shutting_down"}
    rest = answers[kinds.index("ack")].ack.committed_offset
    imports.draining.clear()
    source = requests(job.import_id, FILE, start=rest)
    done = [answer async for answer in imports.servicer.Upload(source)][-1].finished.import_job
    assert done.counts == import_pb2.ImportCounts(rows_in=2000, inserted=2000)


async def test_a_cancelled_import_stops_within_a_second(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(block_bytes=2000, flush_s=0.05)
    job = await imports.create()
    acked = asyncio.Event()

    async def slow() -> AsyncIterator[pb.UploadRequest]:
        yield opening(job)
        yield chunk(FILE, 0, 10_000)
        await asyncio.Event().wait()

    async def follow() -> None:
        async for answer in imports.servicer.Upload(slow()):
            if answer.HasField("ack"):
                acked.set()

    task = asyncio.create_task(follow())
    await acked.wait()
    cancelled = await imports.servicer.CancelImport(pb.CancelImportRequest(import_id=job.import_id))
    assert cancelled.import_job.state == import_pb2.IMPORT_STATE_CANCELLED
    with pytest.raises(BossjyError) as caught:
        await asyncio.wait_for(task, 30)
    assert caught.value.reason is Reason.IMPORT_NOT_OPEN
    assert caught.value.metadata["state"] == "cancelled"
    # Safe to repeat. Committed rows stay, and no other rows came later.
    again = await imports.servicer.CancelImport(pb.CancelImportRequest(import_id=job.import_id))
    assert len(await imports.rows()) == again.import_job.counts.inserted > 0
    assert (await refusal(imports, opening(job))).reason is Reason.IMPORT_NOT_OPEN


@pytest.mark.parametrize("first", [b"phone,name\n13800138000,x\n", b'{"phone":"13800138000"}\n'], ids=["csv", "jsonl"])
async def test_a_slow_producer_of_ascii_is_committed_as_it_produces(
    make_imports: Callable[..., Imports], first: bytes
) -> None:
    imports = make_imports(slow_head_s=0.5)
    job = await imports.create()
    committed = asyncio.Event()

    async def messages() -> AsyncIterator[pb.UploadRequest]:
        yield pb.UploadRequest(open=pb.UploadOpen(import_id=job.import_id))
        yield pb.UploadRequest(chunk=chunk_of(first, 0, len(first)))
        await asyncio.wait_for(committed.wait(), 60)  # nothing more comes before the first row is committed
        later = first + (b'{"phone":"13800138001"}\n' if first[:1] == b"{" else b"13800138001,y\n")
        yield pb.UploadRequest(chunk=chunk_of(later, len(first), len(later)))
        yield pb.UploadRequest(finish=pb.UploadFinish(size_bytes=len(later)))

    async for answer in imports.servicer.Upload(messages()):
        if answer.HasField("ack") and answer.ack.counts.rows_in:
            committed.set()
        if answer.HasField("finished"):
            assert answer.finished.import_job.resolved.source.encoding == "us-ascii"
    assert committed.is_set()
    assert [row[0] for row in await imports.rows()] == ["+8613800138000", "+8613800138001"]
