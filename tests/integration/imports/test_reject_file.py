from __future__ import annotations

import csv
import io

from bossjy.imports.v1 import import_pb2
from bossjy.imports.v1 import import_service_pb2 as pb
from tests.integration.imports.conftest import Imports

FILE = """姓名;手机号;备注
"张;三";1.38E+10;=1+1
李四;8;-
王五;7;甲;乙
"赵六;1;2
""".encode()


async def exported(imports: Imports, job: import_pb2.Import) -> tuple[str, int]:
    data, count = b"", 0
    async for piece in imports.servicer.ExportRejectedRows(pb.ExportRejectedRowsRequest(import_id=job.import_id)):
        data, count = data + piece.data, piece.row_count
    return data.decode("utf-8-sig"), count


async def test_refused_rows_are_corrected_and_imported_again(imports: Imports) -> None:
    source = import_pb2.SourceFormat(delimiter=";")
    job = await imports.run(FILE, source=source)
    assert job.counts == import_pb2.ImportCounts(rows_in=4, rejected=4)
    text, count = await exported(imports, job)
    rows = list(csv.reader(io.StringIO(text)))
    assert count == 4
    assert rows == [
        ["姓名", "手机号", "备注", "bossjy_line", "bossjy_column", "bossjy_reason", "bossjy_suggestion", "bossjy_row"],
        ["张;三", "1.38E+10", "'=1+1", "2", "手机号", "PRECISION_LOST", "", ""],
        ["李四", "8", "'-", "3", "手机号", "NOT_A_NUMBER", "", ""],
        ["王五", "7", "甲;乙", "4", "", "WRONG_CELL_COUNT", "", "王五;7;甲;乙"],
        ["", "", "", "5", "", "BAD_QUOTE", "", '"赵六;1;2'],
    ]
    corrected = text.replace("1.38E+10", "13800138000").replace(",8,", ",13800138001,")
    again = await imports.run(corrected.encode(), parent_import_id=job.import_id)
    assert again.counts == import_pb2.ImportCounts(rows_in=4, inserted=2, rejected=2)
    assert again.spec.parent_import_id == job.import_id
    # The guards for a spreadsheet are gone, and the notes are no attributes.
    assert await imports.rows() == [
        ("+8613800138000", "张;三", "", '{"备注": "=1+1"}', []),
        ("+8613800138001", "李四", "", "{}", []),
    ]


async def test_an_import_without_refused_rows_has_an_empty_file(imports: Imports) -> None:
    job = await imports.run(b"phone\n13800138000\n")
    text, count = await exported(imports, job)
    assert (len(text.splitlines()), count) == (1, 0)


async def test_a_row_that_was_kept_in_part_stands_whole_in_the_note_and_in_no_cell(imports: Imports) -> None:
    note = "x" * 9_000
    text, count = await exported(imports, await imports.run(f"phone,=note\n8,{note}\n".encode()))
    header, row = csv.reader(io.StringIO(text))
    assert count == 1
    assert header[:2] == ["phone", "'=note"]
    assert row == ["", "", "2", "phone", "NOT_A_NUMBER", "", f"8,{note}"[:8_000]]


async def test_refused_objects_have_columns(imports: Imports) -> None:
    lines = b'{"phone": "8", "n": 1.50}\n{"n": 2, "phone": "9"}\n{"phone": "7", "later": "x"}\n{"phone"\n'
    source = import_pb2.SourceFormat(columns=["phone", "n"], format=import_pb2.FILE_FORMAT_JSONL)
    text, count = await exported(imports, await imports.run(lines, source=source))
    assert count == 4
    cells = [[*row[:2], row[-1]] for row in csv.reader(io.StringIO(text))]
    whole = [["", "", '{"phone": "7", "later": "x"}'], ["", "", '{"phone"']]
    assert cells[1:] == [["8", "1.50", ""], ["9", "2", ""], *whole]
