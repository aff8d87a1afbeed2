from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bossjy_client import SourceError
from bossjy_client.parquet import read_parquet
from bossjy_client.stream_source import StreamSource
from bossjy_client.tables import PieceStream, TableRows, cell_text, first_bytes, is_parquet, is_workbook
from bossjy_client.workbook import read_sheet, sheet_names


def cells(table: TableRows) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(table.pieces).decode())))


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "客户"
    for row in (
        [],
        ["姓名", "手机号", "日期"],
        ["王 伟", 13800138000, dt.date(2026, 1, 2)],
        [],
        ['a\nb, "c"', "013800138000", dt.datetime(2026, 1, 2, 3, 4, 5)],  # noqa: DTZ001 - a sheet knows no zones
        ["=1+1", 1.38e20, True],
    ):
        sheet.append(row)
    book.create_sheet("second").append(["phone"])
    path = tmp_path / "list.xlsx"
    book.save(path)
    return path


def test_a_line_is_a_row_of_the_sheet(workbook: Path) -> None:
    assert is_workbook(first_bytes(workbook))
    assert sheet_names(workbook) == ["客户", "second"]
    table = read_sheet(workbook)
    assert table.row_count == 6
    assert cells(table) == [
        [],
        ["姓名", "手机号", "日期"],
        ["王 伟", "13800138000", "2026-01-02"],
        [],
        ['a b, "c"', "013800138000", "2026-01-02 03:04:05"],
        ["", "1.38e+20", "TRUE"],
    ]
    assert cells(read_sheet(workbook, "second")) == [["phone"]]


def test_sheets_that_cannot_be_read(workbook: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no sheet `third`: choose one of 客户, second by --sheet"):
        read_sheet(workbook, "third")
    damaged = tmp_path / "damaged.xlsx"
    damaged.write_bytes(workbook.read_bytes()[:2000])
    with pytest.raises(SourceError, match="cannot be read as a workbook"):
        read_sheet(damaged)
    with pytest.raises(SourceError, match="No such file"):
        first_bytes(tmp_path / "missing.xlsx")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (13800138000.0, "13800138000"),
        (999999999999999.0, "999999999999999"),
        (1e15, "1000000000000000.0"),
        (1.38e20, "1.38e+20"),
        (-0.5, "-0.5"),
        (dt.time(1, 2), "01:02:00"),
        (dt.timedelta(hours=30, seconds=5), "30:00:05"),
        (7, "7"),
        (None, ""),
    ],
)
def test_cells_are_the_text_that_a_person_sees(value: object, text: str) -> None:
    assert cell_text(value) == text


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
        }
    )
    pq.write_table(table, path, row_group_size=2)
    assert is_parquet(first_bytes(path))
    read = read_parquet(path)
    assert (read.row_count, read.has_header) == (3, True)
    assert cells(read) == [
        ["phone", "float", "text", "date", "words", "unsigned"],
        ["13800138000", "13800138000", 'a b, "c"', "2026-01-02", "x", "9223372036854775813"],
        ["", "", "01", "", "", "1"],
        ["0", "1.38e+20", "", "", "y", "2"],
    ]


def test_parquet_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    path.write_bytes(b"PAR1 and nothing behind")
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        read_parquet(path)


async def test_a_table_is_a_stream_that_resumes_after_the_committed_bytes() -> None:
    pieces = [b"abc", b"", b"defgh", b"i"]
    source = StreamSource(PieceStream(iter(pieces)))
    assert await source.read(4, 100) == b"efgh"
    assert await source.read(8, 100) == b"i"
    assert await source.read(9, 100) == b""
    assert source.size == 9


def test_parquet_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    schema = pa.schema([("phone", pa.string())])
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for start in range(0, 2_000_000, 200_000):
            numbers = [f"+8613{number:09d}" for number in range(start, start + 200_000)]
            writer.write_table(pa.table([numbers], schema=schema), row_group_size=50_000)
    before = pa.total_allocated_bytes()
    most = lines = 0
    for piece in read_parquet(path).pieces:
        lines += piece.count(b"\n")
        most = max(most, pa.total_allocated_bytes() - before)
    assert lines == 2_000_001
    assert most < path.stat().st_size / 4


def test_lists_and_records_of_parquet_are_json(tmp_path: Path) -> None:
    table = pa.table(
        {
            "phone": ["13800138000", "13800138001"],
            "tags": [["a", "中"], None],
            "more": pa.array([[("k", "v")], []], pa.map_(pa.string(), pa.string())),
            "record": [{"x": 1.5, "on": dt.date(2026, 11, 27)}, None],
        }
    )
    path = tmp_path / "nested.parquet"
    pq.write_table(table, path)
    rows = cells(read_parquet(path))
    assert rows[1:] == [
        ["13800138000", '["a","中"]', '{"k":"v"}', '{"x":1.5,"on":"2026-11-27"}'],
        ["13800138001", "", "", ""],
    ]
