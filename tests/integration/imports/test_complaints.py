"""A file for each common complaint about importers, and its exact result."""

from __future__ import annotations

import asyncio
import bz2
import gzip
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bossjy.contacts.v1 import contact_service_pb2 as contacts_pb
from bossjy.contacts.v1 import contact_service_pb2_grpc
from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from tests.integration.imports.caller import Caller
from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="module")

A, B, C, D = (f"+861380013800{n}" for n in range(4))
a, b, c, d = (one[3:] for one in (A, B, C, D))


@dataclass(frozen=True)
class Case:
    """A file. `contacts`: number to name. `rejects`: line, first bytes of the row, column, reason."""

    data: bytes
    contacts: dict[str, str] = field(default_factory=dict)
    rejects: list[tuple[int, bytes, str, str]] = field(default_factory=list)
    spec: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    others: dict[str, list[str]] = field(default_factory=dict)


PAIR = {A: "甲", B: "乙"}
PAIR_TEXT = f"手机号,姓名\n{a},甲\n{b},乙\n1.38E+10,丙\n"


def encoded(codec: str, text: str = PAIR_TEXT, names: dict[str, str] | None = None) -> Case:
    start = "1.38E+10".encode("utf-16-le" if codec == "utf-16" else codec.removesuffix("-sig"))
    rejected = (4, start, text.partition(",")[0], "PRECISION_LOST")
    return Case(text.encode(codec), names or PAIR, [rejected])


MANY = {f"+8613{n:09d}": "" for n in range(800_000_000, 800_003_000)}
MANY_ROWS = b"".join(f"{number},{'x' * 20}\n".encode() for number in MANY)
CASES = {
    "header only": Case(b"phone,name\n"),
    "header without a line end": Case(b"phone,name"),
    "no header": Case(f"{a},x\n{b},y\n".encode(), {A: "", B: ""}, attributes={A: {"column_2": "x"}}),
    "blank lines": Case(f"\n\nphone,name\n\n{a},x\r\n\r\n\n{b},y\n\n\n".encode(), {A: "x", B: "y"}),
    "nul bytes": Case(
        f"phone,name\n{a},x\n{b},y\0\n\0\0\n{c},z\n".encode(),
        {A: "x", C: "z"},
        [(3, f"{b},y\0".encode(), "", "BAD_TEXT"), (4, b"\0\0", "", "BAD_TEXT")],
    ),
    "a quote that is never closed": Case(
        f'phone,name\n{a},"x\n{b},y\n{c},z\n'.encode(),
        {B: "y", C: "z"},
        [(2, f'{a},"x'.encode(), "", "BAD_QUOTE")],
    ),
    "a quote that is never closed, in a large file": Case(
        b'phone,name\n"' + MANY_ROWS,
        dict.fromkeys(list(MANY)[1:], "x" * 20),
        [(2, b'"+86', "", "BAD_QUOTE")],
    ),
    "characters after a quote": Case(
        f'phone,name\n{a},"x"y\n{b},"y ""z"""\n'.encode(),
        {B: 'y "z"'},
        [(2, f'{a},"x"y'.encode(), "", "BAD_QUOTE")],
    ),
    "a line end inside quotes": Case(
        f'phone,name,note\n{a},x,"one\ntwo"\n{b},y,\n12,z,\n'.encode(),
        {A: "x", B: "y"},
        [(5, b"12,z", "phone", "TOO_SHORT")],
        attributes={A: {"note": "one\ntwo"}},
    ),
    "two encodings": Case(
        f"手机号,姓名\n{a},甲\n".encode() + f"{b},张三\n".encode("gb18030") + f"{c},丙\n{d},丁\n".encode(),
        {A: "甲", C: "丙", D: "丁"},
        [(3, b.encode(), "", "BAD_TEXT")],
    ),
    "two encodings, far apart": Case(
        b"phone,name\n" + MANY_ROWS + f"{a},张三\n".encode("gb18030") + f"{b},李四\n".encode(),
        {**dict.fromkeys(MANY, "x" * 20), B: "李四"},
        [(3002, f"{a},".encode(), "", "BAD_TEXT")],
        spec={"source": import_pb2.SourceFormat(encoding="utf-8")},
    ),
    "two phone columns": Case(
        f"手机号,联系电话,姓名\n{a},{b},甲\n{c},,丙\n".encode(), {A: "甲", C: "丙"}, others={A: [B], C: []}
    ),
    "two columns of one name": Case(
        f"phone,tag,tag\n{a},x,y\n".encode(), {A: ""}, attributes={A: {"tag": "x", "tag_2": "y"}}
    ),
    "formulas": Case(
        f'phone,name\n"=""{a}""",=1+1\n\'{b},\'=SUM(A1:A9)\n=1+1,z\n'.encode(),
        {A: "=1+1", B: "=SUM(A1:A9)"},
        [(4, b"=1+1,z", "phone", "NOT_A_NUMBER")],
    ),
    "ragged rows": Case(
        f"phone,name\n{a}\n{b},y\n{c},z,more\n".encode(),
        {A: "", B: "y"},
        [(4, c.encode(), "", "WRONG_CELL_COUNT")],
    ),
    "delimiters at the end": Case(
        f'phone,name\n{a},x,\n{b},y,,"", \n{c},"line\nend",\n'.encode(), {A: "x", B: "y", C: "line\nend"}
    ),
    "the end-of-file character of DOS": Case(
        f"phone,name\r\n{a},x\r\n\x1a,\r\n{b},y\x1a\x1a".encode(),
        {A: "x", B: "y"},
        [(3, b"\x1a,", "phone", "NOT_A_NUMBER")],
    ),
    "the end-of-file character of DOS, in UTF-16": Case(
        f"phone,name\n{a},x\n{b},y\n\x1a".encode("utf-16"), {A: "x", B: "y"}
    ),
    "lone carriage returns": Case(f"phone,name\r{a},x\r{b},y\r".encode(), {A: "x", B: "y"}),
    "mixed line ends": Case(
        f"phone,name\r\n{a},x\n{b},y\r{c},z\r\n12,w\n".encode(),
        {A: "x", B: "y", C: "z"},
        [(5, b"12,w", "phone", "TOO_SHORT")],
    ),
    "rounded numbers": Case(
        f"phone,name\n1.38E+10,x\n1.38001E+10,y\n{c}.0,z\n".encode(),
        {C: "z"},
        [(2, b"1.38E", "phone", "PRECISION_LOST"), (3, b"1.38001E", "phone", "PRECISION_LOST")],
    ),
    "leading zeros": Case(
        b"phone,id\n020 7946 0018,007\n",
        {"+442079460018": ""},
        attributes={"+442079460018": {"id": "007"}},
        spec={"default_region": "GB"},
    ),
    "utf-8 with a mark": encoded("utf-8-sig"),
    "gb18030": encoded("gb18030"),
    "big5": encoded("big5", PAIR_TEXT.replace("手机号", "手機")),
    "utf-16 with a mark": encoded("utf-16"),
    "utf-16 little endian": encoded("utf-16-le"),
    "utf-16 big endian": encoded("utf-16-be"),
    "latin-1": Case(
        "phone,name\n+33 1 42 68 53 00,François Lefèvre\n12,Zoé\n".encode("latin-1"),
        {"+33142685300": "François Lefèvre"},
        [(3, b"12,", "phone", "TOO_SHORT")],
    ),
}


@pytest.fixture
def caller(shared_service: Service) -> Caller:
    return Caller(shared_service)


async def contacts(service: Service, import_id: str) -> list[Any]:
    """All contacts of an import, by pages."""
    stub: Any = contact_service_pb2_grpc.ContactServiceStub(service.channel)
    found: list[Any] = []
    request = contacts_pb.ListContactsRequest(filter=f'created_import = "{import_id}"', page_size=1000)
    while True:
        page = await stub.ListContacts(request, metadata=service.metadata)
        found += page.contacts
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token


@pytest.mark.parametrize("name", CASES)
async def test_what_becomes_of_a_file(caller: Caller, shared_service: Service, name: str) -> None:
    case = CASES[name]
    import_id = await caller.create(**{"default_region": "CN", **case.spec})
    try:
        await check(caller, shared_service, import_id, case)
    finally:
        await caller.call("RevertImport", pb.RevertImportRequest(import_id=import_id))
    assert await contacts(shared_service, import_id) == []


async def check(caller: Caller, service: Service, import_id: str, case: Case) -> None:
    job = await caller.upload(import_id, case.data)
    found = await contacts(service, import_id)
    assert {one.phone_number: one.name for one in found} == case.contacts
    for one in found:
        if one.phone_number in case.attributes:
            assert dict(one.attributes.items()) == case.attributes[one.phone_number]
        if one.phone_number in case.others:
            assert list(one.other_numbers) == case.others[one.phone_number]
    assert [
        (row.line, row.byte_offset, row.column, import_pb2.RejectReason.Name(row.reason).removeprefix("REJECT_REASON_"))
        for row in await caller.rejects(import_id)
    ] == [(line, case.data.index(start), column, reason) for line, start, column, reason in case.rejects]
    total = len(case.contacts) + len(case.rejects)
    assert (job.counts.rows_in, job.counts.inserted, job.counts.rejected) == (
        total,
        len(case.contacts),
        len(case.rejects),
    )


def arrow_stream(*, compressed: bool = False) -> bytes:
    sink = io.BytesIO()
    table = pa.table({"phone": [a] * 1000})
    options = pa.ipc.IpcWriteOptions(compression="zstd" if compressed else None)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue()


REFUSED = {
    "empty": (b"", "FORMAT_UNSUPPORTED"),
    "line ends alone": (b"\n\r\n\n", "FORMAT_UNSUPPORTED"),
    "10,000 columns": (b",".join(b"c%d" % n for n in range(10_000)) + b"\n", "TOO_MANY_COLUMNS"),
    "no phone column": (b"name,city\nx,y\n", "PHONE_COLUMN_MISSING"),
    "a header with a quote that is never closed": (b'"phone,name\n' + MANY_ROWS, "ROW_TOO_WIDE"),
    "a workbook": (b"PK\x03\x04\x14\x00\x06\x00\x08\x00" + b"\0" * 200, "FORMAT_UNSUPPORTED"),
    "an incomplete Arrow stream": (arrow_stream()[:-8], "FORMAT_UNSUPPORTED"),
    "an Arrow stream with compressed batches": (arrow_stream(compressed=True), "ARROW_INVALID"),
    "an Arrow stream that is broken": (b"\xff" * 1000, "ARROW_INVALID"),
    "Parquet": (b"PAR1\x15\x04" + b"\0" * 200, "FORMAT_UNSUPPORTED"),
    "vCard": (f"BEGIN:VCARD\nTEL:{a}\nEND:VCARD\n".encode(), "FORMAT_UNSUPPORTED"),
    "HTML": (f"<html><table><tr><td>phone<tr><td>{a}".encode(), "FORMAT_UNSUPPORTED"),
    "PDF": (b"%PDF-1.7\n", "FORMAT_UNSUPPORTED"),
    "UTF-32": ("phone\n".encode("utf-32"), "FORMAT_UNSUPPORTED"),
    "bzip2": (bz2.compress(f"phone\n{a}\n".encode()), "FORMAT_UNSUPPORTED"),
    "gzip twice": (gzip.compress(gzip.compress(f"phone\n{a}\n".encode())), "FORMAT_UNSUPPORTED"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_no_import_can_read_is_refused(caller: Caller, name: str) -> None:
    data, reason = REFUSED[name]
    assert (await caller.refused(data))[1] == reason


LINE_MIB = 100


async def long_line(import_id: str) -> AsyncIterator[pb.UploadRequest]:
    yield pb.UploadRequest(open=pb.UploadOpen(import_id=import_id))
    pieces = [f"phone,name\n{a},x\n{b},".encode(), *[b"y" * 2**20] * LINE_MIB, f"\n{c},z\n".encode()]
    offset = 0
    for piece in pieces:
        yield pb.UploadRequest(chunk=pb.UploadChunk(offset=offset, data=piece))
        offset += len(piece)
    yield pb.UploadRequest(finish=pb.UploadFinish(size_bytes=offset))


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096 / 2**20


async def test_a_line_of_100_mb_costs_itself_and_no_memory(caller: Caller, shared_service: Service) -> None:
    import_id = await caller.create(default_region="CN")
    before, peak = resident_mib(), 0.0
    upload = asyncio.ensure_future(caller.stream(long_line(import_id)))
    while not upload.done():
        peak = max(peak, resident_mib())
        await asyncio.sleep(0.005)
    job = await upload
    assert (job.counts.rows_in, job.counts.inserted, job.counts.rejected) == (3, 2, 1)
    assert {one.phone_number for one in await contacts(shared_service, import_id)} == {A, C}
    (row,) = await caller.rejects(import_id)
    assert (row.line, row.byte_offset, row.reason) == (3, 25, import_pb2.REJECT_REASON_ROW_TOO_LONG)
    # Client and server are both in this process.
    assert peak - before < 64
    await caller.call("RevertImport", pb.RevertImportRequest(import_id=import_id))
