"""The same rows in every form, encoding and compression, split anywhere, resumed: the same contacts and rejects."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import AsyncIterator, Callable

import pyarrow as pa
import pytest
import zstandard

from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_server.errors import BossjyError, Reason
from tests.integration.imports.conftest import Imports, requests

ROWS = [(f"1380013{n:04d}" if n % 10 else "1.38E+10", f"张三{n}", "北京, 海淀") for n in range(300)]
CSV = "手机号,姓名,城市\n" + "".join(f'{phone},{name},"{city}"\n' for phone, name, city in ROWS)
COUNTS = import_pb2.ImportCounts(rows_in=300, inserted=270, rejected=30)


def delimited(sign: str) -> str:
    return f"手机号{sign}姓名{sign}城市\n" + "".join(sign.join(row) + "\n" for row in ROWS)


JSONL = "".join(
    json.dumps(dict(zip(["手机号", "姓名", "城市"], row, strict=True)), ensure_ascii=False) + "\n" for row in ROWS
)


def arrow(*, file: bool = False, dictionary: bool = False) -> bytes:
    """The rows in record batches of 64."""
    columns = [pa.array(column) for column in zip(*ROWS, strict=True)]
    if dictionary:
        columns[2] = columns[2].dictionary_encode()
    table = pa.table(columns, ["手机号", "姓名", "城市"])
    sink = io.BytesIO()
    with (pa.ipc.new_file if file else pa.ipc.new_stream)(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=64)
    return sink.getvalue()


FILES = {
    "utf-8": CSV.encode(),
    "utf-8-sig": CSV.encode("utf-8-sig"),
    "gb18030": CSV.encode("gb18030"),
    "gb18030-crlf": CSV.replace("\n", "\r\n").encode("gb18030"),
    "big5": CSV.replace("张三", "張三").replace("手机号", "手機號碼").replace("海淀", "海澱").encode("big5"),
    "utf-16": CSV.encode("utf-16"),
    "utf-16le": CSV.encode("utf-16-le"),
    "utf-16be": CSV.encode("utf-16-be"),
    "tab": delimited("\t").encode(),
    "semicolon": delimited(";").encode(),
    "bar": delimited("|").encode("gb18030"),
    "jsonl": JSONL.encode(),
    "gzip": gzip.compress(CSV.encode()),
    "gzip-members": gzip.compress(CSV.encode()[:5000]) + gzip.compress(CSV.encode()[5000:]),
    "gzip-gb18030": gzip.compress(CSV.encode("gb18030")),
    "zstd": zstandard.compress(CSV.encode()),
    "zstd-frames": zstandard.compress(CSV.encode()[:5000]) + zstandard.compress(CSV.encode()[5000:]),
    "zstd-jsonl": zstandard.compress(JSONL.encode()),
    "arrow": arrow(),
    "arrow-file": arrow(file=True),
    "arrow-dictionary": arrow(dictionary=True),
    "arrow-gzip": gzip.compress(arrow()),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("chunk", [333, 1_000_000])
async def test_every_form_gives_the_same_rows(make_imports: Callable[..., Imports], name: str, chunk: int) -> None:
    imports = make_imports(block_bytes=2000)
    job = await imports.run(FILES[name], chunk=chunk)
    assert job.counts == COUNTS
    assert job.state == import_pb2.IMPORT_STATE_SUCCEEDED
    rows = await imports.rows()
    assert [row[0] for row in rows] == [f"+86{phone}" for phone, _, _ in ROWS if "E" not in phone]
    assert str(rows[0][3]).startswith('{"城市": "北京, 海')
    rejects = await imports.rejects(job.import_id)
    first = 1 if "jsonl" in name else 2
    assert [row.line for row in rejects] == list(range(first, first + 300, 10))


@pytest.mark.parametrize("name", ["gb18030-crlf", "utf-16", "gzip", "zstd-frames", "jsonl", "arrow", "arrow-gzip"])
async def test_every_form_is_resumed(make_imports: Callable[..., Imports], name: str) -> None:
    imports = make_imports(block_bytes=1000, flush_s=0.02)
    data = FILES[name]
    job = await imports.create()

    async def first_half() -> AsyncIterator[pb.UploadRequest]:
        async for request in requests(job.import_id, data, chunk=400):
            if request.HasField("finish") or (request.HasField("chunk") and request.chunk.offset > len(data) // 2):
                return
            yield request

    answers = [answer async for answer in imports.servicer.Upload(first_half())]
    assert answers[-1].ack.counts.rows_in > 0

    async def opened() -> int:
        async def opening() -> AsyncIterator[pb.UploadRequest]:
            yield pb.UploadRequest(open=pb.UploadOpen(import_id=job.import_id))

        return (await anext(imports.servicer.Upload(opening()))).opened.next_offset

    source = requests(job.import_id, data, chunk=700, start=await opened())
    done = [answer async for answer in imports.servicer.Upload(source)][-1].finished.import_job
    assert done.counts == COUNTS
    assert len(await imports.rows()) == 270


@pytest.mark.parametrize("name", ["gzip", "zstd"])
async def test_compression_that_ends_too_early_fails_the_import(imports: Imports, name: str) -> None:
    job = await imports.create()
    with pytest.raises(BossjyError) as caught:
        await imports.upload(job.import_id, FILES[name][:-20])
    assert caught.value.reason is Reason.FORMAT_UNSUPPORTED


async def test_text_that_is_none_in_the_encoding_costs_its_row(imports: Imports) -> None:
    data = CSV.encode("gb18030").replace("张三1,".encode("gb18030"), b"\xff\xff,", 1)
    job = await imports.run(data, source=import_pb2.SourceFormat(encoding="gbk"))
    assert job.counts == import_pb2.ImportCounts(rows_in=300, inserted=269, rejected=31)
    bad = [row for row in await imports.rejects(job.import_id) if row.reason == import_pb2.REJECT_REASON_BAD_TEXT]
    assert [row.line for row in bad] == [3]
    assert data[bad[0].byte_offset :].startswith(b"13800130001,")


async def test_rows_behind_a_row_that_is_too_long_are_read_to_the_end(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(block_bytes=1000, max_row_bytes=500)
    data = b"phone,name\n1,a\n" + b"x" * 5000 + b"\n13800138000,a\n13800138001,b\n"
    for chunk in (100, 4900, 1_000_000):
        job = await imports.run(data, chunk=chunk)
        assert (job.counts.rows_in, job.counts.rejected) == (4, 2)
    assert len(await imports.rows()) == 2


async def test_objects_may_have_keys_of_their_own(imports: Imports) -> None:
    lines = [
        '{"phone": 13800138000, "name": "a", "n": 1.50, "flag": true, "none": null}',
        "[1]",
        '{"phone": "13800138001", "later": "x", "deep": {"k": [1]}}',
        '{"phone": "1"',
    ]
    job = await imports.run("\n".join(lines).encode())
    assert job.counts == import_pb2.ImportCounts(rows_in=4, inserted=2, rejected=2)
    assert [json.loads(str(row[3])) for row in await imports.rows()] == [
        {"n": "1.50", "flag": "true"},
        {"later": "x", "deep": '{"k": [1]}'},
    ]
    reasons = [row.reason for row in await imports.rejects(job.import_id)]
    assert reasons == [import_pb2.REJECT_REASON_BAD_JSON] * 2


def late_text(codec: str) -> bytes:
    """Chinese names in a file that begins with more ASCII than the sample for its encoding."""
    plain = "".join(f"User{n},+86138{n:08d},plain ascii text to fill the line\n" for n in range(2000))
    return (
        b"name,phone,note\n"
        + plain.encode()
        + "".join(f"张伟{n},+86139{n:08d},备注\n" for n in range(20)).encode(codec)
    )


@pytest.mark.parametrize("codec", ["gb18030", "utf-8", "big5hkscs"])
@pytest.mark.parametrize("chunk", [3000, 1_000_000])
async def test_an_encoding_is_found_behind_ascii(make_imports: Callable[..., Imports], codec: str, chunk: int) -> None:
    imports = make_imports(block_bytes=20_000, flush_s=0.02)
    data = late_text("gb18030" if codec == "gb18030" else "utf-8")
    if codec == "big5hkscs":
        data = data.decode().replace("张伟", "張偉").replace("备注", "備註").encode(codec)
    job = await imports.run(data, chunk=chunk)
    assert job.counts == import_pb2.ImportCounts(rows_in=2020, inserted=2020)
    names = {str(row[1]) for row in await imports.rows()}
    assert ("張偉7" if codec == "big5hkscs" else "张伟7") in names


async def test_an_encoding_behind_ascii_is_kept_when_the_upload_resumes(make_imports: Callable[..., Imports]) -> None:
    imports = make_imports(block_bytes=4_000, flush_s=0.02)
    data = late_text("gb18030")
    job = await imports.create()
    sent = data.rindex("张伟15".encode("gb18030"))

    async def first_part() -> AsyncIterator[pb.UploadRequest]:
        async for request in requests(job.import_id, data, chunk=500):
            if request.HasField("finish") or (request.HasField("chunk") and request.chunk.offset > sent):
                return
            yield request

    answers = [answer async for answer in imports.servicer.Upload(first_part())]
    start = answers[-1].ack.committed_offset
    assert start > data.index("张伟0".encode("gb18030"))
    again = requests(job.import_id, data, start=start)
    done = [answer async for answer in imports.servicer.Upload(again)][-1].finished.import_job
    assert done.counts == import_pb2.ImportCounts(rows_in=2020, inserted=2020)


@pytest.mark.parametrize("encoding", ["", "gb18030"])
async def test_rows_of_utf_8_in_gbk_are_read_as_they_are(imports: Imports, encoding: str) -> None:
    row = "张伟{},139{:08d},重要客户请及时联系\n"
    gbk = [row.format(n, n).encode("gb18030") for n in range(50)]
    utf_8 = [row.replace("张", "张李欧"[n % 3 :][:1] + "阳" * (n % 2)).format(n, n).encode() for n in range(50, 60)]
    data = "姓名,手机号,备注\n".encode("gb18030") + b"".join([*gbk[:30], *utf_8, *gbk[30:]])
    job = await imports.run(data, source=import_pb2.SourceFormat(encoding=encoding))
    assert job.counts == import_pb2.ImportCounts(rows_in=60, inserted=60)
    assert [str(found[1]).rstrip("0123456789")[-1] for found in await imports.rows()] == ["伟"] * 60
    assert all("重要客户请及时联系" in str(found[3]) for found in await imports.rows())
