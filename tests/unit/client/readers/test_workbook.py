from __future__ import annotations

import datetime as dt
import struct
import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from bossjy_client import ReaderLimits, SourceError
from bossjy_client.opening import path_document
from bossjy_client.readers.registry import OptionError
from bossjy_client.readers.workbook_parts import WorkbookParts
from bossjy_client.tables import cell_text
from bossjy_client.workbook import sheet_names
from tests.unit.client.readers.reading import data_of, rows_of, table_of

# Written by xlwt: a sheet of notes, and a list below a merged title.
OLD = Path(__file__).parent / "people.xls"


def make(path: Path, sheets: dict[str, list[list[object]]], **states: str) -> dict[str, Worksheet]:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    made = {}
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = states.get(name, "visible")
        made[name] = sheet
    book.save(path)
    return made


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "list.xlsx"
    moment = dt.datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - a sheet has no zones
    rows: list[list[object]] = [
        [],
        ["姓名", "手机号", "日期"],
        ["王 伟", 13800138000, dt.date(2026, 1, 2)],
        [],
        ['a\nb, "c"', "013800138000", moment],
        ["x", 1.38e20, True],
    ]
    make(path, {"客户": rows, "second": [["phone"]]})
    return path


def test_a_line_is_a_row_of_the_sheet(workbook: Path) -> None:
    assert sheet_names(workbook) == ["客户", "second"]
    table = table_of(workbook)
    assert (table.row_count, table.has_header) == (6, None)
    assert rows_of(workbook) == [
        [],
        ["姓名", "手机号", "日期"],
        ["王 伟", "13800138000", "2026-01-02"],
        [],
        ['a b, "c"', "013800138000", "2026-01-02 03:04:05"],
        ["x", "1.38e+20", "TRUE"],
    ]
    assert rows_of(workbook, sheet="second") == [["phone"]]
    assert data_of(table_of(workbook)) == data_of(table_of(workbook))


NOTES: list[list[object]] = [["how to fill in this list"], ["call us"]]
ORDERS: list[list[object]] = [["order", "sum"], [2026110001, 5], [2026110002, 7]]
PEOPLE: list[list[object]] = [["name", "mobile"], ["Ann", 13800138000]]
NAMELESS: list[list[object]] = [["nombre", "número"], ["Ana", "+34 612 345 678"]]


@pytest.mark.parametrize(
    ("sheets", "chosen"),
    [
        ({"notes": NOTES, "people": PEOPLE}, "people"),
        ({"orders": ORDERS, "people": PEOPLE}, "people"),
        ({"empty": [], "notes": NOTES, "numbers": NAMELESS}, "numbers"),
        ({"people": PEOPLE, "more": PEOPLE}, "people"),
        ({"old": PEOPLE, "new": PEOPLE}, "new"),
    ],
)
def test_the_first_sheet_with_phone_numbers_is_read(
    tmp_path: Path, sheets: dict[str, list[list[object]]], chosen: str
) -> None:
    path = tmp_path / "list.xlsx"
    make(path, sheets, old="hidden")
    table = table_of(path)
    assert f"sheet `{chosen}` is read" in table.note
    assert data_of(table) == data_of(table_of(path, sheet=chosen))


def test_mapped_columns_choose_the_sheet(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    make(path, {"people": PEOPLE, "番号": [["氏名", "番号"], ["山田", "x"]]})
    assert rows_of(path, columns=("番号",))[0] == ["氏名", "番号"]


def test_sheets_without_numbers_are_named(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    make(path, {"notes": NOTES, "empty": [], "more": NOTES})
    with pytest.raises(SourceError, match=r"one of notes, more with --sheet, and name its phone column with --map"):
        table_of(path)
    make(path, {"notes": NOTES, "empty": []})
    assert rows_of(path) == [[str(cell) for cell in row] for row in NOTES]


def test_sheets_that_cannot_be_read(workbook: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no sheet `third`: choose one of 客户, second by --sheet"):
        table_of(workbook, sheet="third")
    damaged = tmp_path / "damaged.xlsx"
    damaged.write_bytes(workbook.read_bytes()[:2000])
    with pytest.raises(SourceError, match="it is truncated or damaged"):
        table_of(damaged)
    damaged.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(SourceError, match="the old workbook is truncated or damaged"):
        table_of(damaged)


def test_an_old_workbook(tmp_path: Path) -> None:
    table = table_of(OLD)
    assert "sheet `客户` is read" in table.note
    assert rows_of(OLD) == [
        ["客户名单 2026", "", ""],
        ["姓名", "手机号", "日期"],
        ["王伟", "13800138000", "2026-01-02"],
        ["李娜", "13800138001", ""],
    ]
    with pytest.raises(SourceError, match="save the workbook as XLSX"):
        table_of(OLD, skip_hidden_rows=True)


def test_cells_merged_with_those_below_count_for_each(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (
        ["客户名单"],
        ["公司", "联系"],
        [None, "手机"],
        ["甲", "13800138000"],
        [None, "13800138001"],
        ["乙", "1"],
    ):
        sheet.append(["", *row] if row[0] is not None else ["", None, *row[1:]])
    for cells in ("B1:C1", "B2:B3", "B4:B5"):
        sheet.merge_cells(cells)
    book.save(path)
    rows = [row[-2:] for row in rows_of(path)]
    assert rows[0] == ["客户名单", ""]
    assert rows[2:] == [["公司", "手机"], ["甲", "13800138000"], ["甲", "13800138001"], ["乙", "1"]]


def test_hidden_rows_are_left_out_by_an_option(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["name", "phone"], ["Ann", "13800138000"], ["Bob", "13800138001"], ["Cai", "13800138002"]):
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    book.save(path)
    assert [row[0] for row in rows_of(path)] == ["name", "Ann", "Bob", "Cai"]
    # The line of a row does not change.
    assert rows_of(path, skip_hidden_rows=True) == [
        ["name", "phone"],
        ["Ann", "13800138000"],
        [],
        ["Cai", "13800138002"],
    ]


def test_formulas_without_a_value_are_told(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    make(path, {"people": [["name", "phone"], ["Ann", '=CONCATENATE("138","00138000")'], ["Bob", 13800138001]]})
    assert "sheet `people` has 1 formulas without a value" in table_of(path).note
    make(path, {"people": PEOPLE})
    assert not table_of(path).note


ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
ODS = """<?xml version="1.0"?><office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>
{}</office:spreadsheet></office:body></office:document-content>"""


def make_ods(path: Path, tables: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", ODS_TYPE)
        archive.writestr("content.xml", ODS.format(tables))
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )


def ods_row(*cells: str, attributes: str = "") -> str:
    made = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in cells
    )
    return f"<table:table-row {attributes}>{made}</table:table-row>\n"


def test_ods(tmp_path: Path) -> None:
    path = tmp_path / "list.ods"
    rows = (
        ods_row("name", "phone")
        + ods_row("Ann", "13800138000")
        + ods_row("Bob", "13800138001", attributes='table:visibility="filter"')
        + ods_row("Cai", "13800138002")
        + ods_row(attributes='table:number-rows-repeated="1048000"')
    )
    notes = f'<table:table table:name="notes">{ods_row("read me")}</table:table>'
    make_ods(path, f'{notes}<table:table table:name="people">{rows}</table:table>')
    assert sheet_names(path) == ["notes", "people"]
    assert [row[0] for row in rows_of(path)] == ["name", "Ann", "Bob", "Cai"]
    assert rows_of(path, skip_hidden_rows=True)[2:] == [[], ["Cai", "13800138002"]]
    many = ods_row("x", "y", attributes='table:number-rows-repeated="1000000"')
    make_ods(path, f'<table:table table:name="people">{many * 2}</table:table>')
    with pytest.raises(SourceError, match="sheet_cells"):
        table_of(path, ReaderLimits(sheet_cells=1_500_000))


def test_a_sheet_beyond_the_limits_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    sheet = openpyxl.Workbook().worksheets[0]
    sheet["A1"] = "phone"
    sheet["XFD1048576"] = "stray"
    assert sheet.parent is not None
    sheet.parent.save(path)
    with pytest.raises(SourceError, match=r"row 1,048,576 and column 16,384.*sheet_cells"):
        table_of(path)
    make(path, {"people": [*PEOPLE, *[[str(number) * 20, number] for number in range(2000)]]})
    with pytest.raises(SourceError, match="sheet_bytes"):
        table_of(path, ReaderLimits(sheet_bytes=10_000))
    with pytest.raises(SourceError, match="zip_members"):
        table_of(path, ReaderLimits(zip_members=3))
    with pytest.raises(SourceError, match=r"row 1 has more than 1 cells \(columns\)"):
        data_of(table_of(path, ReaderLimits(columns=1)))
    with pytest.raises(SourceError, match=r"row 13 has a cell of more than 30 characters \(cell_characters\)"):
        data_of(table_of(path, ReaderLimits(cell_characters=30)))


def test_a_workbook_that_states_wrong_sizes_is_refused(tmp_path: Path) -> None:
    path, bomb = tmp_path / "list.xlsx", tmp_path / "bomb.xlsx"
    make(path, {"people": PEOPLE})
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.infolist():
            data = source.read(member)
            if member.filename.endswith("sheet1.xml"):
                data += b" " * 5_000_000
            target.writestr(member.filename, data)
    made = bomb.read_bytes()
    size = (len(zipfile.ZipFile(bomb).read("xl/worksheets/sheet1.xml"))).to_bytes(4, "little")
    assert made.count(size) == 2
    bomb.write_bytes(made.replace(size, (500).to_bytes(4, "little")))
    with pytest.raises(SourceError, match="damaged"):
        data_of(table_of(bomb))


def test_options_of_other_formats_are_refused(workbook: Path) -> None:
    with pytest.raises(OptionError, match="is a workbook: --records is for JSON documents"):
        table_of(workbook, records="data")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (13800138000.0, "13800138000"),
        (999999999999999.0, "999999999999999"),
        (1e15, "1000000000000000"),
        (float(2**53 - 1), "9007199254740991"),
        (float(2**53), "9007199254740992.0"),
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


@pytest.mark.parametrize(("last_row", "last_column", "refused"), [(1_048_575, 16_383, True), (99, 5, False)])
def test_the_extent_that_a_binary_workbook_states(
    tmp_path: Path, last_row: int, last_column: int, *, refused: bool
) -> None:
    path = tmp_path / "list.xlsb"
    # BrtBeginSheet, BrtWsProp and BrtWsDim: kind, size, contents.
    extent = b"\x94\x01\x10" + struct.pack("<4I", 0, last_row, 0, last_column)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.bin", b"")
        archive.writestr("xl/worksheets/sheet1.bin", b"\x81\x01\x00" + b"\x93\x01\x03abc" + extent)
    parts = WorkbookParts(path_document(path), path)
    if refused:
        with pytest.raises(SourceError, match="sheet_cells"):
            parts.check()
    else:
        parts.check()
