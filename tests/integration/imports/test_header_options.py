"""Header rows, lines above them, quotes and escapes as requested, and errors that give a remedy."""

from __future__ import annotations

import json

import pytest

from bossjy.imports.v1 import import_pb2
from bossjy_server.errors import BossjyError, Reason
from tests.integration.imports.conftest import Imports

A, B = "+8613800144001", "+8613800144002"
TITLE = "2026年客户名单,,\n联系人,备用,\n姓名,编码甲,城市\n甲,13800144001,北京\n乙,13800144002,上海\n"


async def contacts(imports: Imports, data: bytes, **source: object) -> list[tuple[object, object]]:
    """Number and name of the contacts from a file."""
    mapping = source.pop("mapping", [])
    job = await imports.run(data, source=import_pb2.SourceFormat(**source), mapping=mapping)  # type: ignore[arg-type]
    assert job.counts.inserted == job.counts.rows_in, await imports.rejects(job.import_id)
    return [(row[0], row[1]) for row in await imports.rows()]


# Old Macintosh text, which ends lines with CR, does not exist in UTF-16.
FORMS = [
    (codec, line_end)
    for codec in ("utf-8", "utf-8-sig", "gb18030", "utf-16")
    for line_end in ("\n", "\r\n", "\r")
    if (codec, line_end) != ("utf-16", "\r")
]


def phone(column: str) -> list[import_pb2.ColumnMapping]:
    return [import_pb2.ColumnMapping(column=column, field=import_pb2.CONTACT_FIELD_PHONE_NUMBER)]


async def refused(imports: Imports, data: bytes, **spec: object) -> BossjyError:
    job = await imports.create(**spec)  # type: ignore[arg-type]
    with pytest.raises(BossjyError) as caught:
        await imports.upload(job.import_id, data)
    return caught.value


@pytest.mark.parametrize(("codec", "line_end"), FORMS)
@pytest.mark.parametrize("source", [{"header_row": 3}, {"skip_rows": 2, "header": import_pb2.HEADER_PRESENT}], ids=str)
async def test_the_header_is_where_it_was_asked_for(
    imports: Imports, codec: str, line_end: str, source: dict[str, object]
) -> None:
    data = TITLE.replace("\n", line_end).encode(codec)
    assert await contacts(imports, data, mapping=phone("编码甲"), **source) == [(A, "甲"), (B, "乙")]


async def test_the_line_of_the_header_is_shown_and_lines_of_rejected_rows_are_those_of_the_file(
    imports: Imports,
) -> None:
    source = import_pb2.SourceFormat(header_row=3)
    job = await imports.run((TITLE + "丙,12,x\n").encode(), source=source, mapping=phone("编码甲"))
    assert job.resolved.source.header_row == 3
    assert [row.line for row in await imports.rejects(job.import_id)] == [6]


async def test_lines_are_left_out_of_a_file_without_a_header(imports: Imports) -> None:
    data = b'notes; with "a quote\nmore\n13800144001;x\n13800144002;y\n'
    found = await contacts(imports, data, skip_rows=2, header=import_pb2.HEADER_ABSENT)
    assert found == [(A, ""), (B, "")]


@pytest.mark.parametrize(
    ("source", "line"),
    [({"header_row": 9}, "9"), ({"header_row": 2}, "2"), ({"header_row": 1, "header": import_pb2.HEADER_ABSENT}, "1")],
    ids=["behind the end", "empty", "none"],
)
async def test_a_header_row_that_is_none_is_told(imports: Imports, source: dict[str, object], line: str) -> None:
    form = import_pb2.SourceFormat(**source)  # type: ignore[arg-type]
    error = await refused(imports, b"phone,name\n\n13800144001,x\n", source=form)
    assert (error.reason, error.metadata["header_row"]) == (Reason.HEADER_ROW_INVALID, line)


@pytest.mark.parametrize(
    ("data", "column"),
    [
        ("Nombre,Teléfono\nAna,13800144001\n", "Teléfono"),
        ("title\nNombre,Tel 2024-2025\nAna,13800144001\n", "Tel 2024-2025"),
        ("Nombre;编码\nAna;13800144001\n", "编码"),
        ("a\tb\nAna\t13800144001\n", "b"),
        ("\ufeffKunde,Nr 13800144009\nAna,13800144001\n", "Nr 13800144009"),
        ("sep=;\nx;y\nAna;13800144001\n", "y"),
        ("Tele\u0301fono,x\n13800144001,Ana\n", "Teléfono"),
        ("編碼,x\n13800144001,y\n", "編碼"),
    ],
)
async def test_a_mapped_name_in_the_first_rows_makes_it_the_header(imports: Imports, data: str, column: str) -> None:
    job = await imports.run(data.encode(), mapping=phone(column))
    assert job.counts == import_pb2.ImportCounts(rows_in=1, inserted=1)
    assert [row[0] for row in await imports.rows()] == [A]


async def test_a_key_of_later_objects_can_be_mapped(imports: Imports) -> None:
    first = b"".join(b'{"phone":"%d","x":"%s"}\n' % (13800200000 + n, b"x" * 60) for n in range(1200))
    mapping = [import_pb2.ColumnMapping(column="späť", field=import_pb2.CONTACT_FIELD_NAME)]
    job = await imports.run(first + '{"phone":"13800144001","späť":"Ján"}\n'.encode(), mapping=mapping)
    assert job.counts.inserted == 1201
    assert [row[1] for row in await imports.rows() if row[0] == A] == ["Ján"]


@pytest.mark.parametrize(
    ("data", "source"),
    [
        ('name,phone\n"a \\"b\\" c",13800144001\nx,13800144002\n', {}),
        ('name,phone\n"a \\"b\\" c",13800144001\nx,13800144002\n', {"escape": "\\"}),
        ('a "b" c,13800144001\nx,13800144002\n', {"quoting": import_pb2.QUOTING_NONE, "columns": ["name", "phone"]}),
        ('name\tphone\na "b" c\t13800144001\n"x\t13800144002\n', {}),
        ('name\tphone\na \\"b\\" c\t13800144001\nx\t13800144002\n', {"escape": "\\"}),
        ("name|phone\n'a \"b\" c'|13800144001\nx|13800144002\n", {"quote": "'"}),
    ],
)
async def test_quotes_and_escapes(imports: Imports, data: str, source: dict[str, object]) -> None:
    found = await contacts(imports, data.encode(), **source)
    assert [row[0] for row in found] == [A, B]
    assert found[0][1] == 'a "b" c'


async def test_an_outfile_of_mysql(imports: Imports) -> None:
    data = b"Ann\\\tLee\t13800144001\t\\N\n\\N\t13800144002\tC:\\\\x\\\ny\n"
    source = import_pb2.SourceFormat(
        quoting=import_pb2.QUOTING_NONE,
        escape="\\",
        delimiter="\t",
        header=import_pb2.HEADER_ABSENT,
        columns=["name", "phone", "path"],
    )
    job = await imports.run(data, source=source)
    assert job.counts == import_pb2.ImportCounts(rows_in=2, inserted=2)
    assert [(row[1], json.loads(str(row[3]))) for row in await imports.rows()] == [
        ("Ann\tLee", {}),
        ("", {"path": "C:\\x\ny"}),
    ]


async def test_quotes_that_are_regular_stay_quotes_beside_backslashes(imports: Imports) -> None:
    data = b'name,phone\n"C:\\dir\\",13800144001\n"a ""b""",13800144002\n'
    assert await contacts(imports, data) == [(A, "C:\\dir\\"), (B, 'a "b"')]


async def test_a_missing_phone_column_is_told_with_rows_and_the_option(imports: Imports) -> None:
    data = b"Kunde,Rufnr. privat,Ort\nAnn,13800144001,Ulm\nBob,13800144002,Ulm\n"
    error = await refused(imports, data)
    assert error.reason is Reason.PHONE_COLUMN_MISSING
    assert error.metadata["columns"] == "Kunde, Rufnr. privat, Ort"
    assert error.metadata["phone_column"] == "Rufnr. privat"
    assert error.metadata["option"] == "--map 'phone=Rufnr. privat'"
    rows = json.loads(error.metadata["rows"])
    assert rows[1] == {"line": 2, "cells": ["Ann", "#########01", "Ulm"]}
    assert "--map 'phone=Rufnr. privat'" in error.message
    assert len(error.message.encode()) <= 700
    assert "138001440" not in error.message + json.dumps(dict(error.metadata))


async def test_details_of_a_wide_file_fit_a_status(imports: Imports) -> None:
    names = [f"Spalte mit langem Namen {n}" for n in range(300)]
    row = ["+49 1512 3456 789 und mehr" for _ in names]
    error = await refused(imports, (",".join(names) + "\n" + ",".join(row) + "\n").encode(), drop_unknown_columns=True)
    assert error.reason is Reason.PHONE_COLUMN_MISSING
    assert len(error.message.encode()) <= 700
    assert len(error.metadata["rows"].encode()) <= 1000


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\n", "empty"),
        (b"<html><body><table><tr><td>phone</td></tr></table></body></html>", "HTML"),
        (b"\n<!DOCTYPE html>\n<html></html>", "HTML"),
        ("<table><tr><td>手机号</td></tr></table>".encode("gb18030"), "HTML"),
        (b'<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n<Workbook></Workbook>', "XML"),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\nTEL:+8613800144001\r\nEND:VCARD\r\n", "vCard"),
        (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "PDF"),
        (b"BZh91AY&SY\0\0\0\0", "bzip2"),
        (b"\xfd7zXZ\0\0\4", "xz"),
        (b"ORC\n\x0b\n\3\0\0\0", "ORC"),
        ("phone\n13800144001\n".encode("utf-32"), "UTF-32"),
    ],
)
async def test_files_that_are_no_list_are_named(imports: Imports, data: bytes, word: str) -> None:
    error = await refused(imports, data)
    assert error.reason is Reason.FORMAT_UNSUPPORTED
    assert word in error.message


@pytest.mark.parametrize("region", ["CN", "cn", "CHN", "chn", "86", "+86", "0086", "China", "中国"])
async def test_a_region_is_read_in_any_usual_form(imports: Imports, region: str) -> None:
    job = await imports.run(b"phone\n13800144001\n", default_region=region)
    assert job.counts.inserted == 1
    assert job.resolved.default_region == "CN"


@pytest.mark.parametrize("region", ["Mordor", "XX", "ZZZ", "Virgin Islands", "0"])
async def test_an_unclear_region_is_refused(imports: Imports, region: str) -> None:
    with pytest.raises(BossjyError) as caught:
        await imports.create(default_region=region)
    assert caught.value.reason is Reason.INVALID_FIELD
    assert [one.field for one in caught.value.violations] == ["spec.default_region"]


async def test_the_sign_of_dos_for_the_end_of_a_file_is_no_row(imports: Imports) -> None:
    for data in (
        b"phone\n13800144001\n\x1a",
        b"phone\r\n13800144001\x1a\x1a",
        b"phone\n13800144001\n\x1a" + b"\x1a" * 200,
    ):
        job = await imports.run(data, chunk=7)
        assert job.counts.rows_in == 1
        assert job.counts.rejected == 0
