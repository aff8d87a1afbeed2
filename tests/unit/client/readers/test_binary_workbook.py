"""Binary workbooks (XLSB): cells, sheets and hidden rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from bossjy_client import SourceError
from bossjy_client.readers.binary_sheets import records
from bossjy_client.workbook import sheet_names
from tests.unit.client.readers import xlsb
from tests.unit.client.readers.reading import rows_of, table_of

PEOPLE: list[list[xlsb.Cell]] = [
    ["姓名", "手机号", "日期", "VIP"],
    ["王 伟", 13_800_138_000, 46_024.25, True],
    ["Ann", "013800138001", None, False],
    ["Bob", 20_794, 46_024.5, None],
]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "list.xlsb"
    xlsb.write(path, {"Notes & more": [["call them all"]], "客户": PEOPLE}, hidden=[2], dates=[2])
    return path


def test_the_cells_of_a_binary_workbook(book: Path) -> None:
    assert sheet_names(book) == ["Notes & more", "客户"]
    assert table_of(book).row_count == 4
    assert rows_of(book) == [
        ["姓名", "手机号", "日期", "VIP"],
        ["王 伟", "13800138000", "2026-01-02 06:00:00", "TRUE"],
        ["Ann", "013800138001", "", "FALSE"],
        ["Bob", "20794", "2026-01-02 12:00:00", ""],
    ]


def test_hidden_rows_of_a_binary_workbook(book: Path) -> None:
    rows = rows_of(book, skip_hidden_rows=True)
    assert [row[:1] for row in rows] == [["姓名"], ["王 伟"], [], ["Bob"]]


def test_records_that_are_cut_by_pieces() -> None:
    data = b"".join(xlsb.record(kind, bytes(size)) for kind, size in [(0, 3), (148, 200), (5, 0), (19, 40_000)])
    whole = [(kind, len(contents)) for kind, contents in records([data])]
    assert whole == [(0, 3), (148, 200), (5, 0), (19, 40_000)]
    for size in (1, 2, 7, 1000):
        pieces = [data[start : start + size] for start in range(0, len(data), size)]
        assert [(kind, len(contents)) for kind, contents in records(pieces)] == whole


def test_a_record_that_no_sheet_has() -> None:
    with pytest.raises(ValueError, match="268,435,455 bytes"):
        list(records([b"\x00\xff\xff\xff\x7f" + bytes(20)]))


def test_a_truncated_binary_workbook(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsb"
    xlsb.write(path, {"people": PEOPLE})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(SourceError, match="damaged"):
        table_of(path)
