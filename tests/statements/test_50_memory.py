"""Statement 50: a request takes memory in proportion to its bytes on the wire, at most 64 MiB beyond them."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Self

import grpc.aio
import pytest

from bossjy.imports.v1 import import_pb2, import_service_pb2, import_service_pb2_grpc
from bossjy.phone.v1 import number_pb2, phone_service_pb2_grpc
from bossjy.phone.v1 import phone_service_pb2 as pb
from tests.hostile import ARROW, SIZE, column, ipc, shared_text
from tests.statements.conftest import Person, Served, refusal, registered

pytestmark = [
    pytest.mark.statement(50),
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc"),
]
MOST = 64 * 1024 * 1024


class Memory:
    """The memory of the server's process. `peak` is reset with each block."""

    def __init__(self, served: Served) -> None:
        assert served.process.process is not None
        self._folder = Path(f"/proc/{served.process.process.pid}")
        self.grown = 0

    def __enter__(self) -> Self:
        (self._folder / "clear_refs").write_text("5")
        self._before = self._bytes("VmRSS")
        return self

    def __exit__(self, *_: object) -> None:
        self.grown = self._bytes("VmHWM") - self._before

    def _bytes(self, name: str) -> int:
        lines = (self._folder / "status").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))


@pytest.fixture
async def owner(nobody: Person) -> Person:
    return await registered(nobody)


def credentials(owner: Person) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {owner.access}"),)


async def streamed(owner: Person, raw: bytes) -> str:
    """OK, or the reason of the refusal, of one message of StreamValidateNumbers."""

    async def one() -> AsyncIterator[bytes]:
        yield raw

    # An answer to 100,000 rows has more than the 4 MiB that clients read by default.
    async with grpc.aio.insecure_channel(owner.target, options=[("grpc.max_receive_message_length", -1)]) as channel:
        call: Any = channel.stream_stream("/bossjy.phone.v1.PhoneService/StreamValidateNumbers")
        try:
            async for _ in call(one(), metadata=credentials(owner), timeout=100):
                pass
        except grpc.aio.AioRpcError as error:
            return refusal(error).reason or error.code().name
    return "OK"


async def unary(owner: Person, path: str, raw: bytes) -> str:
    call: Any = owner.channel.unary_unary(path)
    try:
        await call(raw, metadata=credentials(owner), timeout=100)
    except grpc.aio.AioRpcError as error:
        return refusal(error).reason or error.code().name
    return "OK"


@pytest.fixture
async def warm(owner: Person) -> None:
    """Memory that the process keeps after its first use does not count."""
    plain = pb.StreamValidateNumbersRequest(texts=pb.NumberTexts(phone_numbers=["+44 20 7946 0958 ext. 1"] * 2000))
    assert await streamed(owner, plain.SerializeToString()) == "OK"
    assert await unary(owner, "/bossjy.phone.v1.PhoneService/FindNumbers", b"\x0a\x0212") == "OK"


@pytest.mark.parametrize("name", ARROW)
async def test_50_arrow_messages(served: Served, owner: Person, warm: None, name: str) -> None:
    make, answered = ARROW[name]
    raw = pb.StreamValidateNumbersRequest(arrow_ipc=make()).SerializeToString()
    assert len(raw) <= SIZE
    gc.collect()
    with Memory(served) as memory:
        outcome = await streamed(owner, raw)
    assert outcome == (answered if isinstance(answered, str) else "OK" if answered else "ARROW_INVALID")
    assert memory.grown < MOST + len(raw), f"{memory.grown >> 20} MiB for {len(raw)} bytes"


ITEMS = {
    "texts": ("BatchValidateNumbers", b"\x0a\x00", "INVALID_FIELD"),
    "texts, with a byte too many": ("BatchValidateNumbers", b"\x8a\x00\x00", "INVALID_FIELD"),
    "regions": ("BatchValidateNumbers", b"\x1a\x00", "INVALID_FIELD"),
    "fields that nobody knows": ("ValidateNumber", b"\xf8\x01\x01", "OK"),
    "one field repeatedly": ("ValidateNumber", b"\x0a\x011", "OK"),
}


@pytest.mark.parametrize("name", ITEMS)
async def test_50_very_many_items(served: Served, owner: Person, warm: None, name: str) -> None:
    method, item, reason = ITEMS[name]
    raw = item * (SIZE // len(item))
    with Memory(served) as memory:
        outcome = await unary(owner, f"/bossjy.phone.v1.PhoneService/{method}", raw)
    assert outcome == reason
    assert memory.grown < MOST + len(raw), f"{memory.grown >> 20} MiB"


async def test_50_very_many_items_of_a_stream(served: Served, owner: Person, warm: None) -> None:
    for inner in (b"\x0a\x00", b"\x0a\x001"[:2] + b"\x12\x00"):
        texts = inner * ((SIZE - 16) // len(inner))
        size = len(texts)
        head = b"\x2a" + bytes((size & 127 | 128, size >> 7 & 127 | 128, size >> 14 & 127 | 128, size >> 21))
        with Memory(served) as memory:
            assert await streamed(owner, head + texts) == "INVALID_FIELD"
        assert memory.grown < MOST + size, f"{memory.grown >> 20} MiB"
    mask = b"\x0a\x00" * (1_000_000)
    head = b"\x1a" + bytes((len(mask) & 127 | 128, len(mask) >> 7 & 127 | 128, len(mask) >> 14 & 127))
    with Memory(served) as memory:
        assert await streamed(owner, head + mask + b"\x2a\x00") == "INVALID_FIELD"
    assert memory.grown < MOST + len(mask)


async def test_50_wide_characters(served: Served, owner: Person, warm: None) -> None:
    """One non-ASCII character makes four bytes of each in Python."""
    texts = ["1" * 390 + "\U0001f600"] * 10_000
    raw = pb.BatchValidateNumbersRequest(phone_numbers=texts).SerializeToString()
    with Memory(served) as memory:
        assert await unary(owner, "/bossjy.phone.v1.PhoneService/BatchValidateNumbers", raw) == "OK"
    assert memory.grown < MOST + len(raw), f"{memory.grown >> 20} MiB"


async def test_50_a_full_batch_fits_a_message(owner: Person) -> None:
    stub: Any = phone_service_pb2_grpc.PhoneServiceStub(owner.channel)  # reads 4 MiB, as clients do

    def batch(count: int) -> pb.BatchValidateNumbersRequest:
        numbers = [f"+1888301{number:04d}" for number in range(count)]
        return pb.BatchValidateNumbersRequest(phone_numbers=numbers, view=number_pb2.NUMBER_VIEW_FULL)

    answer = await stub.BatchValidateNumbers(batch(3000), metadata=credentials(owner), timeout=100)
    assert len(answer.results) == 3000
    assert len(answer.results[0].time_zones) > 20
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.BatchValidateNumbers(batch(3001), metadata=credentials(owner), timeout=100)
    assert refusal(caught.value).reason == "INVALID_FIELD"


USUAL = [json.dumps({"phone": f"+8613800{number:06d}", "name": f"Ann Example {number}"}) for number in range(1500)]
LINES: dict[str, bytes] = {
    "keys of their own": "\n".join(
        [*USUAL, *(json.dumps({"phone": f"+8613900{n:06d}", f"k{n}": "1"}) for n in range(20_000))]
    ).encode(),
    "empty objects": "\n".join([*USUAL, *["{}"] * 300_000]).encode(),
    "short rows": b"phone,name\n" + b"1\n" * 300_000,
}


async def imported(owner: Person, data: bytes) -> import_pb2.Import:
    """Upload a file in chunks."""
    stub: Any = import_service_pb2_grpc.ImportServiceStub(owner.channel)
    spec = import_pb2.ImportSpec(file_name="file", default_region="CN")
    made = await stub.CreateImport(import_service_pb2.CreateImportRequest(spec=spec), metadata=credentials(owner))
    job = made.import_job
    request = import_service_pb2.UploadRequest

    async def messages() -> AsyncIterator[import_service_pb2.UploadRequest]:
        yield request(open=import_service_pb2.UploadOpen(import_id=job.import_id, part=0))
        for offset in range(0, len(data), 1 << 20):
            chunk = import_service_pb2.UploadChunk(offset=offset, data=data[offset : offset + (1 << 20)])
            yield request(chunk=chunk)
        yield request(finish=import_service_pb2.UploadFinish(size_bytes=len(data)))

    async for _ in stub.Upload(messages(), metadata=credentials(owner), timeout=100):
        pass
    read: import_service_pb2.GetImportResponse = await stub.GetImport(
        import_service_pb2.GetImportRequest(import_id=job.import_id), metadata=credentials(owner)
    )
    return read.import_job


@pytest.mark.parametrize("name", LINES)
async def test_50_files(served: Served, owner: Person, name: str) -> None:
    assert (await imported(owner, USUAL[0].encode())).counts.rows_in == 1
    with Memory(served) as memory:
        job = await imported(owner, LINES[name])
    all_rejected = job.counts.rejected == job.counts.rows_in
    assert job.state == (import_pb2.IMPORT_STATE_FAILED if all_rejected else import_pb2.IMPORT_STATE_SUCCEEDED)
    assert job.counts.rows_in > 20_000
    assert memory.grown < MOST + len(LINES[name]), f"{memory.grown >> 20} MiB"


async def test_50_a_contact_has_at_most_100_attributes(owner: Person) -> None:
    rows = [
        json.dumps({"phone": f"+8613900000{count:03d}"} | {f"k{n}": "v" for n in range(count)}) for count in (99, 101)
    ]
    job = await imported(owner, "\n".join([*USUAL, *rows]).encode())
    stub: Any = import_service_pb2_grpc.ImportServiceStub(owner.channel)
    listed = await stub.ListRejectedRows(
        import_service_pb2.ListRejectedRowsRequest(
            import_id=job.import_id, reason=import_pb2.REJECT_REASON_TOO_MANY_ATTRIBUTES
        ),
        metadata=credentials(owner),
    )
    assert [(row.line, row.column, row.suggestion) for row in listed.rows] == [(1502, "", "+8613900000101")]


async def test_50_arrow_that_is_imported(served: Served, owner: Person) -> None:
    """Rows that share a text of 900 KB would be 90 GB as text."""
    data = ipc(column(shared_text(900_000, rows=50)), 3)
    assert (await imported(owner, USUAL[0].encode())).counts.rows_in == 1
    with Memory(served) as memory:
        job = await imported(owner, data)
    assert job.counts.rejected == 150
    assert memory.grown < MOST + len(data), f"{memory.grown >> 20} MiB"
