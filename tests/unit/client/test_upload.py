from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from bossjy.imports.v1 import import_pb2, import_service_pb2
from bossjy_client import (
    Client,
    ClientConfig,
    ConflictError,
    InvalidRequestError,
    SourceError,
    UploadError,
    UploadProgress,
)
from tests.unit.client.conftest import Start
from tests.unit.client.double import Context, ImportDouble, refuse

FILE = b"".join(b"row %d of the file\n" % number for number in range(2000))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(FILE)
    return path


async def upload(
    start: Start,
    config: ClientConfig,
    double: ImportDouble,
    source: object,
    *,
    request_id: str = "",
    on_progress: Callable[[UploadProgress], None] | None = None,
) -> import_pb2.Import:
    server = await start(double.add_to)
    async with await Client.connect(server.target, token="t", config=config) as client:
        return await client.imports.upload_file(source, request_id=request_id, on_progress=on_progress)


async def test_whole_file_arrives_once_within_the_window(start: Start, quick: ClientConfig, path: Path) -> None:
    double = ImportDouble(window_bytes=8000)
    seen: list[UploadProgress] = []
    job = await upload(start, quick, double, path, on_progress=seen.append)
    assert job.state == import_pb2.IMPORT_STATE_SUCCEEDED
    assert bytes(double.committed) == FILE
    assert double.sha256 == hashlib.sha256(FILE).digest()
    assert double.largest_flight <= 8000
    assert double.requests[0].spec.file_name == "list.csv"
    assert double.requests[0].request_id
    offsets = [progress.committed_bytes for progress in seen]
    assert offsets == sorted(offsets)
    assert all(progress.total_bytes == len(FILE) for progress in seen)
    assert seen[-1].counts.rows_in > 1900


async def test_window_below_one_chunk_does_not_stop(start: Start, quick: ClientConfig, path: Path) -> None:
    double = ImportDouble(window_bytes=500, commit_every=100)
    await upload(start, quick, double, path)
    assert bytes(double.committed) == FILE


@pytest.mark.parametrize("source", [FILE, io.BytesIO(FILE)], ids=["bytes", "stream"])
async def test_stream_goes_back_to_what_was_not_acknowledged(
    start: Start, quick: ClientConfig, source: bytes | io.BytesIO
) -> None:
    double = ImportDouble(window_bytes=8000, faults={5: cut, 17: cut, 30: cut})
    await upload(start, quick, double, source)
    assert bytes(double.committed) == FILE
    assert double.opened == 4


async def cut(double: ImportDouble, context: Context) -> None:
    await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset")


TRIES = 100


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN"),
        (grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"),
        (grpc.StatusCode.OUT_OF_RANGE, "OFFSET_GAP"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, "UPLOAD_IDLE"),
        (grpc.StatusCode.INVALID_ARGUMENT, "CHECKSUM_MISMATCH"),
        (grpc.StatusCode.ABORTED, "PART_TAKEN"),
        (grpc.StatusCode.INTERNAL, ""),
    ],
)
async def test_resumes_after(start: Start, quick: ClientConfig, path: Path, code: grpc.StatusCode, reason: str) -> None:
    async def fault(double: ImportDouble, context: Context) -> None:
        if reason:
            await refuse(context, code, reason)
        await context.abort(code, "stream reset by a proxy")

    double = ImportDouble(faults={9: fault})
    job = await upload(start, quick, double, path)
    assert job.state == import_pb2.IMPORT_STATE_SUCCEEDED
    assert bytes(double.committed) == FILE
    assert double.opened == 2
    assert double.sha256 == (b"" if double.opened > 1 else hashlib.sha256(FILE).digest())


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.FAILED_PRECONDITION, "PHONE_COLUMN_MISSING"),
        (grpc.StatusCode.INVALID_ARGUMENT, "ENCODING_UNSUPPORTED"),
        (grpc.StatusCode.FAILED_PRECONDITION, "IMPORT_NOT_OPEN"),
    ],
)
async def test_a_permanent_refusal_is_reported_at_once(
    start: Start, quick: ClientConfig, path: Path, code: grpc.StatusCode, reason: str
) -> None:
    async def fault(double: ImportDouble, context: Context) -> None:
        double.faults[double.chunks] = fault
        await refuse(context, code, reason)

    double = ImportDouble(faults={3: fault})
    # gRPC often loses the status to a write on a busy machine: INTERNAL, and the next try gets it.
    config = replace(quick, upload_attempts=TRIES)
    with pytest.raises((ConflictError, InvalidRequestError)) as caught:
        await upload(start, config, double, path)
    assert (caught.value.code, caught.value.reason) == (code.name, reason)
    assert double.opened < TRIES


async def test_gives_up_after_bounded_tries_without_progress(start: Start, quick: ClientConfig, path: Path) -> None:
    async def cut_again(double: ImportDouble, context: Context) -> None:
        double.faults[double.chunks] = cut_again
        await cut(double, context)

    double = ImportDouble(faults={0: cut_again})
    with pytest.raises(UploadError, match="6 tries"):
        await upload(start, quick, double, path)
    assert double.opened == quick.upload_attempts


async def test_progress_renews_the_tries(start: Start, quick: ClientConfig, path: Path) -> None:
    double = ImportDouble(commit_every=900, faults=dict.fromkeys(range(0, 36, 3), cut))
    await upload(start, quick, double, path)
    assert bytes(double.committed) == FILE
    assert double.opened > quick.upload_attempts


async def test_last_message_lost(start: Start, quick: ClientConfig, path: Path) -> None:
    double = ImportDouble(faults={-1: cut})
    job = await upload(start, quick, double, path)
    assert job.state == import_pb2.IMPORT_STATE_SUCCEEDED
    assert bytes(double.committed) == FILE


async def test_draining_server_is_sent_no_more(start: Start, quick: ClientConfig, path: Path) -> None:
    async def drain(double: ImportDouble, context: Context) -> None:
        await context.write(
            import_service_pb2.UploadResponse(shutting_down=import_service_pb2.UploadShuttingDown(grace_ms=100))
        )
        await asyncio.sleep(0.2)

    double = ImportDouble(faults={8: drain}, window_bytes=2000, commit_every=900)
    await upload(start, quick, double, path)
    assert bytes(double.committed) == FILE
    assert double.opened == 2


async def test_server_restart(start: Start, quick: ClientConfig, path: Path) -> None:
    """The server ends during the upload and restarts on its port a little later."""
    double = ImportDouble(commit_every=900)
    reached = asyncio.Event()

    async def stop_here(double: ImportDouble, context: Context) -> None:
        reached.set()
        await asyncio.sleep(3600)

    double.faults[12] = stop_here
    server = await start(double.add_to)
    config = replace(quick, upload_attempts=100)
    async with await Client.connect(server.target, token="t", config=config) as client:
        uploading = asyncio.ensure_future(client.imports.upload_file(path))
        await reached.wait()
        await server.server.stop(None)
        await asyncio.sleep(0.3)
        await start(double.add_to, port=server.port)
        job = await asyncio.wait_for(uploading, 60)
    assert job.state == import_pb2.IMPORT_STATE_SUCCEEDED
    assert bytes(double.committed) == FILE


async def test_silent_server_is_left(start: Start, quick: ClientConfig, path: Path) -> None:
    async def silence(double: ImportDouble, context: Context) -> None:
        await asyncio.sleep(3600)

    double = ImportDouble(faults={4: silence})
    await upload(start, replace(quick, stall_timeout_s=0.3), double, path)
    assert bytes(double.committed) == FILE
    assert double.opened == 2


async def test_ended_import_is_given_back_without_upload(start: Start, quick: ClientConfig, path: Path) -> None:
    double = ImportDouble()
    double.finish()
    job = await upload(start, quick, double, path, request_id="7b0c")
    assert job.state == import_pb2.IMPORT_STATE_SUCCEEDED
    assert double.opened == 0
    assert double.requests[0].request_id == "7b0c"


async def test_file_that_changes_is_refused(start: Start, quick: ClientConfig, path: Path) -> None:
    async def change(double: ImportDouble, context: Context) -> None:
        with path.open("r+b") as file:
            file.truncate(len(FILE) - 5)

    double = ImportDouble(window_bytes=3000, commit_every=900, faults={3: change})
    with pytest.raises(SourceError, match="changed while it was uploaded"):
        await upload(start, quick, double, path)
    assert not double.finished


async def test_empty_file(start: Start, quick: ClientConfig, tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.touch()
    double = ImportDouble()
    with pytest.raises(SourceError, match="the file is empty"):
        await upload(start, quick, double, path)
    assert double.requests == []


async def test_cancelled_upload_ends_and_leaves_nothing(start: Start, quick: ClientConfig, path: Path) -> None:
    async def silence(double: ImportDouble, context: Context) -> None:
        reached.set()
        await asyncio.sleep(3600)

    reached = asyncio.Event()
    double = ImportDouble(faults={4: silence})
    server = await start(double.add_to)
    async with await Client.connect(server.target, token="t", config=quick) as client:
        uploading = asyncio.ensure_future(client.imports.upload_file(path))
        await reached.wait()
        uploading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await uploading
    assert str(path) not in _open_files()


def _open_files() -> list[str]:
    folder = Path("/proc/self/fd")
    if not folder.exists():
        return []
    return [str(entry.readlink()) for entry in folder.iterdir() if entry.is_symlink()]


class Producer:
    """A pipe whose producer pauses at given offsets; its reads are counted by thread."""

    def __init__(self, data: bytes, pauses: dict[int, float], piece: int = 700) -> None:
        self._data, self._pauses, self._piece = data, pauses, piece
        self._at = 0
        # Threads, not their numbers: the thread that has read the head may leave its number to the next one.
        self.readers: set[threading.Thread] = set()

    def read(self, size: int, /) -> bytes:
        self.readers.add(threading.current_thread())
        at = self._at
        time.sleep(self._pauses.pop(at // self._piece, 0))
        assert at == self._at, "two readers share the stream"
        self._at += min(self._piece, size)
        return self._data[at : self._at]


async def test_a_producer_that_pauses_loses_nothing(start: Start, quick: ClientConfig) -> None:
    """Pauses beyond the stall timeout: of a server that waits for a whole line, and of one that ends idle uploads."""

    async def idle(double: ImportDouble, context: Context) -> None:
        await refuse(context, grpc.StatusCode.DEADLINE_EXCEEDED, "UPLOAD_IDLE")

    producer = Producer(FILE, {0: 1.0, 9: 1.0, 30: 1.0})
    double = ImportDouble(faults=dict.fromkeys(range(5, 45, 5), idle), commit_every=900)
    config = replace(quick, stall_timeout_s=0.2, upload_attempts=3)
    job = await upload(start, config, double, producer)
    assert bytes(double.committed) == FILE
    assert job.counts.rows_in == 2000
    assert double.sha256 == hashlib.sha256(FILE).digest()
    # Another thread may have read the head, before the only reader of the upload began.
    assert [one.name for one in producer.readers].count("bossjy-source") == 1


async def test_a_compressed_stream_begins_again(start: Start, quick: ClientConfig) -> None:
    """The server cannot resume a compressed part, so it asks for its first byte again."""
    data = gzip.compress(FILE, 0)

    async def cut_and_forget(double: ImportDouble, context: Context) -> None:
        double.committed.clear()
        await cut(double, context)

    double = ImportDouble(faults={7: cut_and_forget, 20: cut_and_forget})
    await upload(start, quick, double, Producer(data, {}))
    assert bytes(double.committed) == data
    short = ImportDouble(faults={30: cut_and_forget})
    with pytest.raises(SourceError, match="more than 2000 bytes.*save it to a file"):
        await upload(start, replace(quick, spool_bytes=2000), short, Producer(data, {}))


async def test_a_stream_of_text_is_sent_in_utf8(start: Start, quick: ClientConfig) -> None:
    double = ImportDouble()
    await upload(start, quick, double, io.StringIO("姓名,手机号\n张三,13800138000\n"))
    assert double.committed.decode() == "姓名,手机号\n张三,13800138000\n"
    assert double.requests[0].spec.source.encoding == "utf-8"
