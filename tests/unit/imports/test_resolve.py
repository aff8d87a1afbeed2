"""File detection: form, delimiter, header, columns and their meaning from the first bytes."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from bossjy_server.errors import FailedPrecondition, InvalidArgument, Reason
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.reading.resolve import Resolved, of_arrow, resolve
from bossjy_server.imports.records import (
    ColumnMapping,
    Compression,
    ContactField,
    FileFormat,
    Header,
    SourceFormat,
    Spec,
)

OPTIONS = ImportOptions()
ROWS = [("name", "phone"), ("A", "13800138000"), ("B", "13800138001")]


def resolved(text: str | bytes, spec: Spec | None = None) -> Resolved:
    data = text.encode() if isinstance(text, str) else text
    found = resolve(data, spec or Spec(), OPTIONS, final=True)
    assert found is not None
    return found


def phone_of(found: Resolved) -> str:
    (column,) = [one.column for one in found.spec.mapping if one.field is ContactField.PHONE_NUMBER]
    return column


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    found = resolved("\n".join(delimiter.join(row) for row in ROWS))
    assert found.spec.source.delimiter == delimiter
    assert found.spec.source.columns == ("name", "phone")
    assert found.spec.source.header is Header.PRESENT
    assert phone_of(found) == "phone"


def test_a_line_can_name_the_delimiter() -> None:
    found = resolved("sep=|\nname|phone\nA,B|13800138000\n")
    assert (found.spec.source.delimiter, found.spec.source.columns) == ("|", ("name", "phone"))
    assert found.line == 3


def test_a_file_without_a_header_names_its_columns_by_number() -> None:
    found = resolved("张伟,13800138000\n李娜,13800138001\n")
    assert found.spec.source.header is Header.ABSENT
    assert found.text_offset == 0
    assert phone_of(found) == found.spec.source.columns[1]


def test_objects_name_their_columns_by_their_keys() -> None:
    found = resolved('{"name":"A","phone":"1"}\n{"phone":"2","city":"X"}\n')
    assert found.spec.source.format is FileFormat.JSONL
    assert found.spec.source.columns == ("name", "phone", "city")


def test_compression_and_encoding_are_found() -> None:
    found = resolved(gzip.compress("姓名,手机号\n张伟,13800138000\n李娜,13800138001\n".encode("gb18030")))
    assert found.spec.source.compression is Compression.GZIP
    assert found.spec.source.encoding == "gb18030"
    assert phone_of(found) == "手机号"


@pytest.mark.parametrize("head", [b"", b"name", b"name,pho"])
def test_too_few_bytes_decide_nothing(head: bytes) -> None:
    assert resolve(head, Spec(), OPTIONS, final=False) is None


def test_a_slow_producer_needs_a_row_with_a_number() -> None:
    assert resolve(b"name,phone\n", Spec(), OPTIONS, final=False, hurry=True) is None
    found = resolve(b"name,phone\nA,13800138000\n", Spec(), OPTIONS, final=False, hurry=True)
    assert found is not None
    assert phone_of(found) == "phone"


def test_a_file_without_a_phone_column_names_its_columns() -> None:
    with pytest.raises(FailedPrecondition) as caught:
        resolved("colour,size\nred,big\nblue,small\n")
    assert caught.value.reason is Reason.PHONE_COLUMN_MISSING
    assert "colour" in str(caught.value.metadata) + str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        SourceFormat(delimiter="，"),
        SourceFormat(delimiter="\n"),
        SourceFormat(delimiter='"'),
        SourceFormat(delimiter="|", quote="|"),
        SourceFormat(delimiter="|", escape="|"),
        SourceFormat(quote="“"),
    ],
)
def test_signs_that_cannot_divide_cells_are_refused(source: SourceFormat) -> None:
    with pytest.raises(InvalidArgument) as caught:
        resolved("name,phone\nA,13800138000\n", Spec(source=source))
    assert caught.value.reason is Reason.FORMAT_UNSUPPORTED


def test_a_header_row_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        resolved("name,phone\nA,1\n", Spec(source=SourceFormat(header_row=1, header=Header.ABSENT)))
    with pytest.raises(InvalidArgument):
        resolved("name,phone\nA,1\n", Spec(source=SourceFormat(header_row=1, skip_rows=1)))


def test_too_many_columns_are_refused() -> None:
    header = ",".join(f"c{n}" for n in range(OPTIONS.max_columns + 1))
    with pytest.raises(InvalidArgument) as caught:
        resolved(f"{header}\n{header}\n")
    assert caught.value.reason is Reason.TOO_MANY_COLUMNS


def test_a_mapping_by_name_wins() -> None:
    spec = Spec(mapping=(ColumnMapping("backup", ContactField.PHONE_NUMBER),))
    assert phone_of(resolved("phone,backup\n13800138000,13800138001\n", spec)) == "backup"


def test_an_unknown_column_in_a_mapping_is_refused() -> None:
    spec = Spec(mapping=(ColumnMapping("fax", ContactField.PHONE_NUMBER),))
    with pytest.raises(InvalidArgument) as caught:
        resolved("phone,backup\n13800138000,13800138001\n", spec)
    assert caught.value.reason is Reason.MAPPING_INVALID


def test_arrow_comes_in_one_part() -> None:
    with pytest.raises(InvalidArgument):
        of_arrow(Spec(part_count=2))
    assert of_arrow(replace(Spec(), part_count=1)).source.format is FileFormat.CSV
