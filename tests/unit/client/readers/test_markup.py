from __future__ import annotations

from pathlib import Path

import pytest

from bossjy_client import ReaderLimits, SourceError
from tests.unit.client.readers.reading import data_of, rows_of, table_of

ROWS = [["name", "phone"], ["Ann", "13800138000"], ["张三", "13800138001"]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.xls"


def table(rows: list[list[str]], cell: str = "td") -> str:
    return (
        "<table>"
        + "".join("<tr>" + "".join(f"<{cell}>{text}</{cell}>" for text in row) + "</tr>" for row in rows)
        + "</table>"
    )


@pytest.mark.parametrize(
    "before",
    [
        "<html><body>",
        "<!DOCTYPE html>\n<html><head><style>td { color: red }</style><script>'<td>'</script></head>",
        '<html xmlns:x="urn:schemas-microsoft-com:office:excel"><meta charset="utf-8">',
        '\ufeff<?xml version="1.0"?><!-- made by a program --><html>',
        "",
    ],
)
def test_a_page(path: Path, before: str) -> None:
    path.write_text(before + table(ROWS), "utf-8")
    assert rows_of(path) == ROWS
    assert data_of(table_of(path)) == data_of(table_of(path))


def test_encodings(path: Path) -> None:
    path.write_bytes(
        f'<html><meta http-equiv="Content-Type" content="text/html; charset=gb2312">{table(ROWS)}'.encode("gbk")
    )
    assert rows_of(path) == ROWS
    path.write_text(f"<html>{table(ROWS)}", "utf-16")
    assert rows_of(path) == ROWS
    path.write_bytes(f"<html>{table([['phone', 'name'], ['1', 'Žofie']])}".encode("cp1250"))
    assert rows_of(path, encoding="windows-1250")[1] == ["1", "Žofie"]


def test_cells(path: Path) -> None:
    path.write_text(
        '<html><table><thead><tr><th colspan="3">list</th></tr><tr><th>company<th>name<th>phone</thead>'
        '<tr><td rowspan=2>Acme &amp; Sons</td><td>Ann<br>Lee</td><td x:num="13800138000">1.38E+10</td></tr>'
        "<tr><td> Bob\n\n  Ray </td><td><b>138</b>0013<i>8001</i></td></tr>"
        "<tr><td></td><td>Cai</td><td>&nbsp;13800138002</td>"
        "</table>"
    )
    assert rows_of(path) == [
        ["list"],
        ["company", "name", "phone"],
        ["Acme & Sons", "Ann Lee", "13800138000"],
        ["Acme & Sons", "Bob Ray", "13800138001"],
        ["", "Cai", "13800138002"],
    ]


def test_the_table_with_numbers_is_read(path: Path) -> None:
    path.write_text(f"<html>{table([['menu', 'more'], ['home', 'away']])}<p>{table(ROWS, 'th')}", "utf-8")
    assert "sheet `table 2` is read" in table_of(path).note
    assert rows_of(path) == ROWS
    assert rows_of(path, sheet="table 1") == [["menu", "more"], ["home", "away"]]
    with pytest.raises(SourceError, match="choose one of table 1, table 2 by --sheet"):
        table_of(path, sheet="table 3")
    path.write_text(f"<html><table><tr><td>{table(ROWS)}</td></tr></table>", "utf-8")
    assert rows_of(path) == ROWS


def test_a_page_without_a_table(path: Path) -> None:
    path.write_text("<html><p>log in first</p></html>")
    with pytest.raises(SourceError, match="it has no table"):
        table_of(path)


BOOK = """<?xml version="1.0"{}?>
<?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
 <Worksheet ss:Name="notes"><Table><Row><Cell><Data ss:Type="String">read me</Data></Cell></Row></Table></Worksheet>
 <Worksheet ss:Name="客户"><Table>
  <Row><Cell ss:MergeAcross="2"><Data ss:Type="String">list</Data></Cell></Row>
  <Row ss:Index="3"><Cell><Data ss:Type="String">company</Data></Cell>
   <Cell ss:Index="3"><Data ss:Type="String">phone</Data></Cell><Cell><Data ss:Type="String">day</Data></Cell></Row>
  <Row><Cell ss:MergeDown="1"><Data ss:Type="String">A &amp; <B xmlns="urn:x">Sons</B></Data></Cell>
   <Cell ss:Index="3"><Data ss:Type="Number">1.3800138E10</Data></Cell>
   <Cell><Data ss:Type="DateTime">2026-01-02T00:00:00.000</Data></Cell></Row>
  <Row ss:Hidden="1"><Cell ss:Index="3"><Data ss:Type="String">13800138001</Data></Cell>
   <Cell><Data ss:Type="DateTime">2026-01-02T03:04:05.000</Data></Cell></Row>
 </Table></Worksheet>
</Workbook>"""
SHEET = [
    ["list"],
    [],
    ["company", "", "phone", "day"],
    ["A & Sons", "", "13800138000", "2026-01-02"],
    ["A & Sons", "", "13800138001", "2026-01-02 03:04:05"],
]


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_spreadsheetml(path: Path, codec: str) -> None:
    path.write_text(BOOK.format(""), codec)
    assert "sheet `客户` is read" in table_of(path).note
    assert rows_of(path) == SHEET
    assert rows_of(path, sheet="notes") == [["read me"]]
    assert rows_of(path, skip_hidden_rows=True) == [*SHEET[:4], []]
    assert data_of(table_of(path)) == data_of(table_of(path))


def test_spreadsheetml_that_cannot_be_read(path: Path) -> None:
    path.write_text(BOOK.format("").replace("</Table>", ""), "utf-8")
    with pytest.raises(SourceError, match="the XML is damaged"):
        table_of(path)
    entities = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>]>\n<Workbook"
    path.write_text(BOOK.format("").replace("<Workbook", entities, 1).replace("read me", "&b;"), "utf-8")
    with pytest.raises(SourceError, match="entities"):
        table_of(path)
    path.write_text(BOOK.format("").replace('ss:Index="3"><Cell>', 'ss:Index="2000000"><Cell>'), "utf-8")
    with pytest.raises(SourceError, match="beyond the last row"):
        table_of(path)
    path.write_text('<?xml version="1.0"?><contacts><contact/></contacts>')
    with pytest.raises(SourceError, match="XML of an unsupported form"):
        table_of(path)


@pytest.mark.parametrize("markup", ["html", "xml"])
def test_limits(path: Path, markup: str) -> None:
    path.write_text(f"<html>{table(ROWS)}{table(ROWS)}" if markup == "html" else BOOK.format(""), "utf-8")
    with pytest.raises(SourceError, match="columns"):
        table_of(path, ReaderLimits(columns=1))
    with pytest.raises(SourceError, match="sheets"):
        table_of(path, ReaderLimits(sheets=1))
    if markup == "html":
        path.write_text("<html><table><tr><td>" + "x" * 5000)
        with pytest.raises(SourceError, match="record_characters"):
            table_of(path, ReaderLimits(record_characters=3000))
        path.write_text("<html>" + "<table><tr><td>" * 100)
        with pytest.raises(SourceError, match="nesting"):
            table_of(path)
        path.write_text("<html><table><tr><td colspan=9999999>")
        with pytest.raises(SourceError, match="columns"):
            table_of(path)
    else:
        with pytest.raises(SourceError, match="cell_characters"):
            table_of(path, ReaderLimits(cell_characters=5))
