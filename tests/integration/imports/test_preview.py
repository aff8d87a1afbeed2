from __future__ import annotations

import gzip
import io
from collections.abc import Callable

import pyarrow as pa
import pytest

from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_server.errors import BossjyError, Reason
from bossjy_server.storage.postgres import Database
from tests.integration.imports.conftest import Imports, enter_tenant, make_tenant

LIST = "姓名,手机号,备注\n张三,13800000000,甲\n李四,12,乙\n王五,13800000000,丙\n".encode("gb18030")


async def show(imports: Imports, sample: bytes, *, complete: bool = True, **spec: object) -> pb.PreviewImportResponse:
    message = import_pb2.ImportSpec(**spec)  # type: ignore[arg-type]
    return await imports.servicer.PreviewImport(pb.PreviewImportRequest(spec=message, sample=sample, complete=complete))


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gzip"])
async def test_a_preview_says_what_the_import_then_does(imports: Imports, compress: Callable[[bytes], bytes]) -> None:
    data = compress(LIST)
    shown = await show(imports, data)
    assert shown.resolved.source.encoding == "gb18030"
    assert shown.encoding_evidence
    assert shown.delimiter_evidence.startswith("comma")
    assert shown.resolved.default_region == "CN"
    assert shown.region_confidence == pytest.approx(2 / 3)
    fields = [(one.column, one.field, list(one.samples)) for one in shown.columns]
    assert fields[1] == ("手机号", import_pb2.CONTACT_FIELD_PHONE_NUMBER, ["13800000000", "12", "13800000000"])
    assert fields[0][:2] == ("姓名", import_pb2.CONTACT_FIELD_NAME)
    assert [(row.line, row.number.e164, row.reason) for row in shown.rows] == [
        (2, "+8613800000000", 0),
        (3, shown.rows[1].number.e164, shown.rows[1].reason),
        (4, "+8613800000000", 0),
    ]
    assert await imports.rows() == []
    assert not (await imports.servicer.ListImports(pb.ListImportsRequest())).import_jobs

    job = await imports.run(data)
    assert shown.counts == job.counts
    assert shown.resolved == job.resolved
    (refused,) = await imports.rejects(job.import_id)
    assert (shown.rows[1].reason, shown.rows[1].suggestion) == (refused.reason, refused.suggestion)


async def test_arrow_is_shown_as_it_will_be_read(imports: Imports) -> None:
    sink = io.BytesIO()
    table = pa.table({"手机号": ["13800138000", "13800138001"], "姓名": ["甲", None]})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    shown = await show(imports, sink.getvalue(), default_region="CN")
    assert shown.resolved.source.format == import_pb2.FILE_FORMAT_ARROW
    assert [row.number.e164 for row in shown.rows] == ["+8613800138000", "+8613800138001"]
    cut = await show(imports, sink.getvalue()[:-8], complete=False, default_region="CN")
    assert cut.rows == shown.rows


async def test_a_row_that_is_cut_is_not_shown(imports: Imports) -> None:
    cut = b"phone,name\n13800000000,a\n13800000001,b\n1380000"
    assert [row.line for row in (await show(imports, cut, complete=False)).rows] == [2, 3]
    assert [row.line for row in (await show(imports, cut, complete=True)).rows] == [2, 3, 4]
    assert (await show(imports, b"phone,name\n", complete=False)).counts.rows_in == 0


async def test_what_was_found_out_can_be_overridden(imports: Imports) -> None:
    mapping = [import_pb2.ColumnMapping(column="b", field=import_pb2.CONTACT_FIELD_PHONE_NUMBER)]
    source = import_pb2.SourceFormat(delimiter=";", encoding="utf-8", header=import_pb2.HEADER_PRESENT)
    shown = await show(imports, b"a;b\nx;6502530000\n", source=source, mapping=mapping, default_region="US")
    assert (shown.encoding_evidence, shown.delimiter_evidence) == ("as asked", "as asked")
    assert (shown.columns[1].confidence, shown.columns[1].evidence) == (1.0, "as asked")
    assert [row.number.e164 for row in shown.rows] == ["+16502530000"]


@pytest.mark.parametrize(
    ("lines", "region"), [("13800000000", "CN"), ("07912345678", "GB"), ("+8613800000000", ""), ("1", "")]
)
async def test_the_likely_region_of_a_tenant_without_one(
    imports: Imports, database: Database, lines: str, region: str
) -> None:
    await make_tenant(database, "other-1", region="")
    enter_tenant("other-1")
    shown = await show(imports, f"phone\n{lines}\n".encode())
    assert shown.resolved.default_region == region


@pytest.mark.parametrize(
    ("sample", "complete", "reason"),
    [
        (b"", True, Reason.INVALID_FIELD),
        (b"phone", False, Reason.INVALID_FIELD),
        (b"a,b\nx,y\n", True, Reason.PHONE_COLUMN_MISSING),
        (gzip.compress(LIST)[:40], True, Reason.FORMAT_UNSUPPORTED),
    ],
    ids=["empty", "no whole row", "no phone column", "cut gzip"],
)
async def test_what_cannot_be_shown_is_told(
    imports: Imports,
    sample: bytes,
    complete: bool,  # noqa: FBT001
    reason: Reason,
) -> None:
    with pytest.raises(BossjyError) as caught:
        await show(imports, sample, complete=complete)
    assert caught.value.reason is reason
