"""Sources of programs for `upload_file`: each becomes contacts, or a clear error; no failure leaves an import open."""

from __future__ import annotations

import asyncio
import gzip
import importlib
import io
import json
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from bossjy.imports.v1 import import_pb2
from bossjy_client import BossjyError, Client, ClientConfig, ReadOptions, SourceError, UploadProgress
from tests.e2e.conftest import ServerProcess, Tenant

pytestmark = pytest.mark.timeout(300)

SPEC = import_pb2.ImportSpec(default_region="CN")
CONFIG = ClientConfig(chunk_bytes=32 * 1024, window_bytes=256 * 1024)
ROWS = [{"姓名": "张三", "手机号": "138 0013 8000"}, {"姓名": "李四", "手机号": "138 0013 8001"}]
CONTACTS = [("+8613800138000", "张三"), ("+8613800138001", "李四")]
CSV = "姓名,手机号\n张三,138 0013 8000\n李四,138 0013 8001\n"
PAGE = f"<html><table><tr><td>{CSV.strip().replace(',', '<td>').replace(chr(10), '<tr><td>')}"
CARDS = "".join(f"BEGIN:VCARD\nVERSION:3.0\nFN:{one['姓名']}\nTEL:{one['手机号']}\nEND:VCARD\n" for one in ROWS)
pandas: Any = importlib.import_module("pandas")
polars: Any = importlib.import_module("polars")


@pytest.fixture
async def client(shared_server: ServerProcess, tenant: Tenant) -> AsyncIterator[Client]:
    async with await Client.connect(shared_server.target, token=tenant.token, config=CONFIG) as connected:
        yield connected


def workbook() -> bytes:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["nothing here"])
    book.worksheets[0].append(["nor here"])
    sheet = book.create_sheet("客户")
    for row in (["客户名单"], list(ROWS[0]), *(list(one.values()) for one in ROWS)):
        sheet.append(row)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def columnar(write: Any, **options: Any) -> bytes:
    made = io.BytesIO()
    write(pa.Table.from_pylist(ROWS), made, **options)
    return made.getvalue()


SOURCES: dict[str, Any] = {
    "text": partial(io.StringIO, CSV),
    "binary": lambda: io.BytesIO(CSV.encode("gb18030")),
    "rows": ROWS.copy,
    "pandas": lambda: pandas.DataFrame(ROWS),
    "polars": lambda: polars.DataFrame(ROWS),
    "Arrow table": lambda: pa.Table.from_pylist(ROWS),
    "workbook": workbook,
    "Parquet": lambda: columnar(pq.write_table),
    "Feather": lambda: columnar(pyarrow.feather.write_feather, compression="lz4"),
    "cards": lambda: io.BytesIO(CARDS.encode()),
    "JSON array": lambda: json.dumps(ROWS).encode(),
    "JSON document": lambda: io.StringIO(json.dumps({"data": ROWS}, indent=1)),
    "JSON lines": lambda: io.StringIO("".join(json.dumps(one) + "\n" for one in ROWS)),
    "gzip": lambda: gzip.compress(CSV.encode()),
    "gzip of JSON": lambda: gzip.compress(json.dumps(ROWS).encode()),
    "UTF-32": partial(CSV.encode, "utf-32"),
    "HTML": PAGE.encode,
}


@pytest.mark.parametrize("kind", SOURCES)
async def test_each_source_becomes_contacts(client: Client, kind: str) -> None:
    job = await client.imports.upload_file(SOURCES[kind](), SPEC)
    assert job.state == import_pb2.IMPORT_STATE_SUCCEEDED
    assert [(one.phone_number, one.name) async for one in client.contacts.list()] == CONTACTS


@pytest.mark.parametrize("source", [CSV.encode(), ROWS, pandas.DataFrame(ROWS)], ids=["bytes", "dicts", "frame"])
async def test_the_only_region_that_fits_is_used(client: Client, source: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Numbers without a country code need a region."""
    many = [{"姓名": f"n{n}", "手机号": f"138 0013 {n:04}"} for n in range(200)]
    job = await client.imports.upload_file(many)
    assert (job.spec.default_region, job.counts.inserted) == ("CN", 200)
    assert "region CN is used" in caplog.text
    caplog.clear()
    named = await client.imports.upload_file(source, region="cn", validate_only=True)
    assert (named.spec.default_region, named.counts.rejected, caplog.text) == ("CN", 0, "")


async def test_a_path_and_what_is_read_of_it(client: Client, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "customers.xlsx"
    path.write_bytes(workbook())
    job = await client.imports.upload_file(path, SPEC)
    assert (job.spec.file_name, job.counts.inserted) == ("customers.xlsx", 2)
    assert "customers.xlsx: sheet `客户` is read" in caplog.text
    with pytest.raises(BossjyError) as caught:
        await client.imports.upload_file(path, SPEC, reading=ReadOptions(sheet="Sheet"))
    assert caught.value.reason == "PHONE_COLUMN_MISSING"
    document = json.dumps({"a": ROWS, "b": ROWS[:1]}).encode()
    job = await client.imports.upload_file(document, SPEC, reading=ReadOptions(records="b"))
    assert job.counts.rows_in == 1


@pytest.mark.parametrize("wrong", [["phone"], {"phone": "1"}, 7, b"", b"%PDF-1.4", [[1]], "missing.csv", io.BytesIO()])
async def test_a_source_that_cannot_be_used_makes_no_import(client: Client, wrong: Any) -> None:
    with pytest.raises(SourceError):
        await client.imports.upload_file(wrong, SPEC)
    assert [job async for job in client.imports.list()] == []


def failing() -> Iterator[dict[str, str]]:
    for number in range(20_000):
        yield {"phone": f"+86138{number:08d}"}
    raise RuntimeError("the database is gone")


@pytest.mark.parametrize("request_id", ["", "5f0c6a39-8d4b-4a57-9a53-2f5b9c1e7d10"])
async def test_a_source_that_fails_cancels_its_import(client: Client, request_id: str) -> None:
    with pytest.raises(SourceError, match="the database is gone"):
        await client.imports.upload_file(failing(), SPEC, request_id=request_id)
    (job,) = [job async for job in client.imports.list()]
    assert job.state == import_pb2.IMPORT_STATE_CANCELLED


@pytest.mark.parametrize("request_id", ["", "8b1f2c54-3e7a-4d0f-8c66-0d9a4b7e5f21"])
async def test_an_upload_that_is_interrupted_stays_open_only_if_it_can_go_on(client: Client, request_id: str) -> None:
    rows_came, stop = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def endless() -> Iterator[dict[str, str]]:
        for number in range(5_000):
            yield {"phone": f"+86138{number:08d}"}
        asyncio.run_coroutine_threadsafe(stop.wait(), loop).result()

    def watch(progress: UploadProgress) -> None:
        if progress.sent_bytes:
            rows_came.set()

    uploading = asyncio.ensure_future(
        client.imports.upload_file(endless(), SPEC, request_id=request_id, on_progress=watch)
    )
    await asyncio.wait_for(rows_came.wait(), 60)
    uploading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await uploading
    stop.set()
    (job,) = [job async for job in client.imports.list()]
    assert job.state == (import_pb2.IMPORT_STATE_OPEN if request_id else import_pb2.IMPORT_STATE_CANCELLED)


async def test_a_refused_upload_leaves_nothing_open(client: Client) -> None:
    for _ in range(3):
        with pytest.raises(BossjyError) as caught:
            await client.imports.upload_file(b"city,name\nBonn,Ann\n", SPEC)
        assert caught.value.reason == "PHONE_COLUMN_MISSING"
    states = {job.state async for job in client.imports.list()}
    assert import_pb2.IMPORT_STATE_OPEN not in states
