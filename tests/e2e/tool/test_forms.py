"""`bossjy import` of other formats: their content, the messages, and standard input."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.e2e.conftest import caller_environment
from tests.e2e.tool.conftest import Run, objects

pytestmark = pytest.mark.timeout(300)

PEOPLE = [{"name": "Ann", "phone": "13800138000"}, {"name": "Bob", "phone": "13800138001"}]
CSV = "name,phone\nAnn,13800138000\nBob,13800138001\n"
CARDS = "".join(f"BEGIN:VCARD\nVERSION:4.0\nFN:{one['name']}\nTEL:{one['phone']}\nEND:VCARD\n" for one in PEOPLE)


def zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("people.csv", CSV)
    return made.getvalue()


def workbook() -> bytes:
    book = openpyxl.Workbook()
    for row in CSV.splitlines():
        book.worksheets[0].append(row.split(","))
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


FILES = {
    "people.json": json.dumps({"people": PEOPLE}).encode(),
    "people.vcf": CARDS.encode(),
    "people.csv.bz2": bz2.compress(CSV.encode()),
    "people.csv.gz.gz": gzip.compress(gzip.compress(CSV.encode())),
    "people.zip": zipped(),
    "people.xlsx": workbook(),
    "people.xls": f"<table><tr><td>{CSV.strip().replace(',', '<td>').replace(chr(10), '<tr><td>')}</table>".encode(),
    "dos.csv": CSV.encode() + b"\x1a",
    "dos.csv.gz": gzip.compress(CSV.encode() + b"\x1a\x1a"),
}


def numbers(run: Run) -> list[tuple[Any, Any]]:
    return [(contact["name"], contact["phone_number"]) for contact in objects(run("contacts", "list", "--json"))]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("by_pipe", [False, True])
def test_other_formats(run: Run, tmp_path: Path, name: str, *, by_pipe: bool) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])
    if by_pipe:
        command = [sys.executable, "-m", "bossjy_client", "import", "-", "--region", "CN", "--json"]
        done = subprocess.run(
            command, input=FILES[name], capture_output=True, env=caller_environment(tmp_path), timeout=60, check=False
        )
        assert done.returncode == 0, done
    else:
        run("import", str(path), "--region", "CN")
    assert numbers(run) == [("Ann", "+8613800138000"), ("Bob", "+8613800138001")]


def test_options_say_what_is_read(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "people.json"
    path.write_text(json.dumps({"old": PEOPLE, "new": {"people": PEOPLE[:1]}}))
    refused = run("import", str(path), "--region", "CN", code=7)
    assert "choose with --records: old (2), new.people (1)" in refused.stderr
    run("import", str(path), "--region", "CN", "--records", "new.people")
    assert len(numbers(run)) == 1
    assert "--records is for JSON documents" in run("import", "-", "--records", "x", code=2, text=CSV).stderr
    book = openpyxl.Workbook()
    notes, sheet = book.worksheets[0], book.create_sheet("客户")
    notes.append(["read me"])
    notes.append(["twice"])
    for row in (["name", "phone"], ["Cai", "13800138002"], ["Dan", "13800138003"], ["Eve", '="138"&"00138004"']):
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    path = tmp_path / "people.xlsx"
    book.save(path)
    done = run("import", str(path), "--region", "CN", "--skip-hidden-rows", code=6)
    said = " ".join(done.stderr.split())
    assert "people.xlsx: sheet `客户` is read; --sheet chooses another one" in said
    assert "1 formulas without a value" in said
    assert [name for name, _ in numbers(run)] == ["Ann", "Cai"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty"),
        (b"%PDF-1.7", "it is a PDF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "the old workbook is truncated or damaged"),
    ],
)
def test_what_is_no_list_is_named_and_makes_no_import(run: Run, tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(data)
    assert said in " ".join(run("import", str(path), code=7).stderr.split())
    assert objects(run("imports", "list", "--json")) == []
