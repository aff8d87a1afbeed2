from __future__ import annotations

import gzip
import io
from collections.abc import Callable

import pyarrow as pa
import pytest

from bossjy.common.v1 import error_reason_pb2
from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from bossjy_server.errors import BossjyError, Reason
from bossjy_server.storage.postgres import Database
from tests.integration.imports.conftest import Imports, enter_tenant, make_tenant

LIST = "姓名,手机号,备注\n张三,13800000000,甲\n李四,12,乙\n王五,13800000000,丙\n".encode("gb18030")


async def show(
    imports: Imports, sample: bytes, *, complete: bool = True, partial: bool = False, **spec: object
) -> pb.PreviewImportResponse:
    message = import_pb2.ImportSpec(**spec)  # type: ignore[arg-type]
    request = pb.PreviewImportRequest(spec=message, sample=sample, complete=complete, partial=partial)
    return await imports.servicer.PreviewImport(request)


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
        (gzip.compress(LIST, mtime=0)[:40], True, Reason.FORMAT_UNSUPPORTED),
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


CHINESE = b"phone,name\n" + b"".join(b"%d,x\n" % (13800138000 + n) for n in range(40))


@pytest.mark.parametrize(
    ("regions", "data", "doubtful"),
    [
        (("", ""), CHINESE, True),
        (("", "CN"), CHINESE, False),
        (("", "GB"), CHINESE, True),
        (("CN", ""), CHINESE, False),
        (("GB", ""), CHINESE, True),
        (("", ""), CHINESE.replace(b"\n138", b"\n+86138"), False),
        (("", "GB"), CHINESE.replace(b"\n138", b"\n+86138"), False),
        (("", ""), b"phone\n12\n13\n", False),
        (("", ""), b"phone\n", False),
        (("", "GB"), CHINESE.replace(b",x", b",CN").replace(b"name", b"country"), False),
        (("", ""), CHINESE.replace(b",x", b",CN").replace(b"name", b"country"), False),
    ],
    ids=range(11),
)
async def test_a_missing_or_wrong_region_is_told(
    imports: Imports, database: Database, regions: tuple[str, str], data: bytes, *, doubtful: bool
) -> None:
    tenant, asked = regions
    await make_tenant(database, "other-2", tenant)
    enter_tenant("other-2")
    shown = await show(imports, data, default_region=asked)
    assert shown.import_region == (asked or tenant)
    assert shown.region_doubtful is doubtful
    if doubtful:
        assert (shown.likely_region, shown.likely_region_confidence) == ("CN", 1.0)
        assert shown.import_region_confidence == 0.0
        assert not shown.equally_likely_regions


async def test_a_file_that_must_be_repaired_is_shown(imports: Imports) -> None:
    data = b"Liste\nKunde,Rufnr. privat\nAnn,13800138000\n"
    with pytest.raises(BossjyError):
        await show(imports, data, default_region="CN")
    shown = await show(imports, data, partial=True, default_region="CN")
    assert [(row.line, list(row.cells)) for row in shown.sheet] == [
        (1, ["Liste"]),
        (2, ["Kunde", "Rufnr. privat"]),
        (3, ["Ann", "13800138000"]),
    ]
    assert shown.problem.metadata["option"] == "--header-row 2 --map 'phone=Rufnr. privat'"
    mapped = await show(
        imports,
        data,
        partial=True,
        default_region="CN",
        source=import_pb2.SourceFormat(header_row=2),
        mapping=[import_pb2.ColumnMapping(column="column_2", field=import_pb2.CONTACT_FIELD_PHONE_NUMBER)],
    )
    assert not mapped.HasField("problem")
    assert [row.number.e164 for row in mapped.rows] == ["+8613800138000"]
    assert mapped.resolved.source.header_row == 2


@pytest.mark.parametrize(
    ("data", "spec", "reason"),
    [
        (b"Kunde,Ort\nAnn,Ulm\n", {}, Reason.PHONE_COLUMN_MISSING),
        (
            b"phone,Ort\n13800138000,Ulm\n",
            {"mapping": [import_pb2.ColumnMapping(column="Tel", field=import_pb2.CONTACT_FIELD_PHONE_NUMBER)]},
            Reason.MAPPING_INVALID,
        ),
        (b"phone,Ort\n13800138000,Ulm\n", {"source": import_pb2.SourceFormat(header_row=7)}, Reason.HEADER_ROW_INVALID),
        (",".join(f"c{n}" for n in range(150)).encode() + b",phone\n", {}, Reason.TOO_MANY_COLUMNS),
        (",".join(f"c{n}" for n in range(1500)).encode() + b",phone\n", {}, Reason.TOO_MANY_COLUMNS),
        (b'"phone,Ort\n13800138000,Ulm\n', {}, Reason.ROW_TOO_WIDE),
    ],
    ids=["phone", "mapping", "header", "150 columns", "1500 columns", "quote"],
)
async def test_what_can_be_repaired_is_a_problem_of_the_preview(
    imports: Imports, data: bytes, spec: dict[str, object], reason: Reason
) -> None:
    shown = await show(imports, data, partial=True, **spec)  # type: ignore[arg-type]
    assert error_reason_pb2.ErrorReason.Name(shown.problem.reason) == f"ERROR_REASON_{reason.value}"
    assert shown.problem.message
    assert shown.sheet
    assert shown.columns
    with pytest.raises(BossjyError) as caught:
        await show(imports, data, **spec)  # type: ignore[arg-type]
    assert (caught.value.reason, caught.value.message) == (reason, shown.problem.message)


@pytest.mark.parametrize(
    ("number", "asked", "region"),
    [
        ("138001380{:02}", "GB", "CN"),
        ("6123456{:02}", "GB", "ES"),
        ("0151234567{:02}", "US", "DE"),
        ("074001234{:02}", "US", "GB"),
        ("20255501{:02}", "FR", "US"),
    ],
)
async def test_the_region_of_mobile_numbers_is_found(imports: Imports, number: str, asked: str, region: str) -> None:
    lines = ["phone", *(number.format(n) for n in range(40)), "12345", "12345"]
    shown = await show(imports, "\n".join(lines).encode(), default_region=asked)
    assert region in {shown.likely_region, *shown.equally_likely_regions}
    assert shown.region_doubtful
