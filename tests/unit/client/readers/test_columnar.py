from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet as pq
import pytest

from bossjy.imports.v1.import_pb2 import SourceFormat
from bossjy_client import ClientConfig, ReaderLimits, SourceError
from bossjy_client.opening import open_upload, path_document
from bossjy_client.read_options import ReadOptions
from bossjy_client.readers.columnar import parquet_parts, read_parquet
from tests.unit.client.readers.reading import data_of, is_sent_as_it_is, rows_of, table_of

PEOPLE = {"name": ["Ann", "Bob"], "phone": ["13800138000", "13800138001"]}
PEOPLE_ROWS = [["name", "phone"], ["Ann", "13800138000"], ["Bob", "13800138001"]]


def test_parquet_columns_are_text(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    table = pa.table(
        {
            "phone": pa.array([13800138000, None, 0], pa.int64()),
            "float": pa.array([13800138000.0, float("nan"), 1.38e20]),
            "text": ['a\r\nb, "c"', "01", None],
            "date": [dt.date(2026, 1, 2), None, None],
            "words": pa.array(["x", None, "y"]).dictionary_encode(),
            "unsigned": pa.array([2**63 + 5, 1, 2], pa.uint64()),
            "exact": pa.array([Decimal("13800138000.00"), None, Decimal("1.50")], pa.decimal128(20, 2)),
        }
    )
    pq.write_table(table, path, row_group_size=2)
    read = table_of(path)
    assert (read.row_count, read.has_header) == (3, True)
    assert rows_of(path) == [
        ["phone", "float", "text", "date", "words", "unsigned", "exact"],
        ["13800138000", "13800138000", 'a b, "c"', "2026-01-02", "x", "9223372036854775813", "13800138000"],
        ["", "", "01", "", "", "1", ""],
        ["0", "1.38e+20", "", "", "y", "2", "1.50"],
    ]


@pytest.mark.parametrize("wanted", [1, 2, 3, 7, 100])
def test_parts_of_row_groups_are_the_whole_file(tmp_path: Path, wanted: int) -> None:
    path = tmp_path / "list.parquet"
    table = pa.table({"phone": [f"{number:05d}" for number in range(70)], "bytes": [b"x"] * 70})
    pq.write_table(table, path, row_group_size=10)
    ranges = parquet_parts(path_document(path), wanted)
    assert len(ranges) == min(wanted, 7)
    parts = [b"".join(read_parquet(path_document(path), ReadOptions(), part).pieces) for part in ranges]
    assert b"".join(parts) == b"".join(table_of(path).pieces)
    assert all(parts)
    opened = open_upload(path, SourceFormat(), parts=wanted, config=ClientConfig(), options=ReadOptions())
    assert len(opened.sources) == len(ranges)
    opened.close()


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    for data, what in (
        (b"PAR1 and nothing behind", "Parquet"),
        (b"ORC\x01 and nothing", "ORC"),
        (b"FEA1 and", "Arrow"),
    ):
        path.write_bytes(data)
        with pytest.raises(SourceError, match=f"cannot be read as {what}"):
            table_of(path)


def test_parquet_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    schema = pa.schema([("phone", pa.string())])
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for start in range(0, 2_000_000, 200_000):
            numbers = [f"+8613{number:09d}" for number in range(start, start + 200_000)]
            writer.write_table(pa.table([numbers], schema=schema), row_group_size=50_000)
    before = pa.total_allocated_bytes()
    most = lines = 0
    for piece in table_of(path).pieces:
        lines += piece.count(b"\n")
        most = max(most, pa.total_allocated_bytes() - before)
    assert lines == 2_000_001
    assert most < path.stat().st_size / 4


def test_lists_and_records_are_json_and_bytes_are_left_out(tmp_path: Path) -> None:
    table = pa.table(
        {
            "phone": ["13800138000", "13800138001"],
            "tags": [["a", "中"], None],
            "more": pa.array([[("k", "v")], []], pa.map_(pa.string(), pa.string())),
            "record": [{"x": 1.5, "on": dt.date(2026, 11, 27)}, None],
            "photo": [b"\x89PNG", None],
        }
    )
    path = tmp_path / "nested.parquet"
    pq.write_table(table, path)
    assert "columns of bytes are left out: photo" in table_of(path).note
    assert rows_of(path) == [
        ["phone", "tags", "more", "record"],
        ["13800138000", '["a","中"]', '{"k":"v"}', '{"x":1.5,"on":"2026-11-27"}'],
        ["13800138001", "", "", ""],
    ]


@pytest.mark.filterwarnings("ignore:Feather V1 files are deprecated")
@pytest.mark.parametrize("form", ["orc", "feather lz4", "feather zstd", "feather 1", "arrow of records", "stream lz4"])
def test_forms_of_arrow_that_the_service_does_not_read(tmp_path: Path, form: str) -> None:
    path = tmp_path / "list"
    table: Any = pa.table(PEOPLE)
    rows = PEOPLE_ROWS
    if form == "orc":
        pyarrow.orc.write_table(table, path)
    elif form.startswith("feather"):
        version: Any = 1 if form.endswith("1") else 2
        compression: Any = form.split()[1] if version == 2 else None
        pyarrow.feather.write_feather(table, str(path), compression=compression, version=version)
    else:
        if form == "arrow of records":
            table = table.append_column("rows", pa.array([[{"a": 1}], None]))
            rows = [[*row, cell] for row, cell in zip(rows, ["rows", '[{"a":1}]', ""], strict=True)]
        options = pa.ipc.IpcWriteOptions(compression="lz4" if form == "stream lz4" else None)
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema, options=options) as writer:
            writer.write_table(table)
    assert not is_sent_as_it_is(path)
    assert rows_of(path) == rows


@pytest.mark.parametrize("of_file", [False, True])
def test_plain_arrow_goes_to_the_service_as_it_is(tmp_path: Path, *, of_file: bool) -> None:
    path = tmp_path / "list.arrow"
    table = pa.table({**PEOPLE, "tags": [["a"], []], "word": pa.array(["x", "y"]).dictionary_encode()})
    write = pa.ipc.new_file if of_file else pa.ipc.new_stream
    with pa.OSFile(str(path), "wb") as file, write(file, table.schema) as writer:
        writer.write_table(table)
    assert is_sent_as_it_is(path)


def test_limits(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    pq.write_table(pa.table(PEOPLE), path)
    with pytest.raises(SourceError, match=r"more than 1 columns \(columns\)"):
        table_of(path, ReaderLimits(columns=1))
    with pytest.raises(SourceError, match=r"column `phone` has a cell of more than 5 characters \(cell_characters\)"):
        data_of(table_of(path, ReaderLimits(cell_characters=5)))
