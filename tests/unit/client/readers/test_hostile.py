"""Damaged and hostile files: each is read or is a SourceError, within limited time."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import random
import struct
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet as pq
import pytest

from bossjy_client import SourceError
from tests.unit.client.readers import test_markup, test_vcard, test_workbook
from tests.unit.client.readers.reading import data_of, table_of

ROUNDS = 150
INSERTED = (
    b"\0",
    b'"',
    b"<",
    b"{",
    b"[",
    b"\n",
    b"=",
    b":",
    b";",
    b"\xff\xff\xff\xff",
    b"</Row>",
    b"<td>",
    b"END:VCARD\n",
)


def columnar(form: str) -> bytes:
    table = pa.table({"name": ["A", "B"], "phone": ["1", "2"], "list": [[1], [2]]})
    made = io.BytesIO()
    if form == "parquet":
        pq.write_table(table, made)
    elif form == "orc":
        pyarrow.orc.write_table(table, made)
    else:
        pyarrow.feather.write_feather(table, made, compression="lz4")
    return made.getvalue()


def workbook(folder: Path, form: str) -> bytes:
    path = folder / form
    if form == "xlsx":
        test_workbook.make(path, {"people": test_workbook.PEOPLE, "notes": test_workbook.NOTES})
    else:
        test_workbook.make_ods(path, f'<table:table table:name="p">{test_workbook.ods_row("phone")}</table:table>')
    return path.read_bytes()


NESTED = json.dumps({"a": {"b": [{"x": 1, "y": {"z": [1, {"q": 2}]}}]}, "c": 1.5e3}, indent=1).encode()
FILES = {
    "json": NESTED,
    "nested lines": b'{"a":{"b":1}}\n{"a":2}\n',
    "vCard 2.1": test_vcard.V21.encode(),
    "vCard 4.0": test_vcard.V40.encode(),
    "html": f"<html>{test_markup.table(test_markup.ROWS)}".encode(),
    "xml": test_markup.BOOK.format("").encode(),
    "xls": test_workbook.OLD.read_bytes(),
    "gzip": gzip.compress(NESTED),
    "bzip2": bz2.compress(NESTED),
    "utf-32": "phone\n1\n".encode("utf-32"),
}


def damaged(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 10))):
        kind, place = chance.random(), chance.randrange(len(changed) + 1)
        if kind < 0.4 and changed:
            changed[place % len(changed)] = chance.randrange(256)
        elif kind < 0.6:
            changed[place:place] = chance.choice(INSERTED) * chance.choice((1, 3, 50))
        elif kind < 0.8:
            del changed[place : place + chance.choice((1, 2, 8, 100))]
        else:
            changed[place:place] = changed[chance.randrange(len(changed) + 1) :][:50]
    return bytes(changed)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", [*FILES, "xlsx", "ods", "parquet", "orc", "feather"])
def test_a_damaged_file_is_read_or_named(tmp_path: Path, name: str) -> None:
    data = FILES.get(name) or (workbook(tmp_path, name) if name in {"xlsx", "ods"} else columnar(name))
    chance, path, refused = random.Random(name), tmp_path / "damaged", 0
    for _ in range(ROUNDS):
        path.write_bytes(damaged(data, chance))
        try:
            data_of(table_of(path))
        except SourceError:
            refused += 1
        except AssertionError:
            pass  # it now looks like text, which the service reads
    assert refused or name in {"html", "nested lines", "utf-32"}


@pytest.mark.timeout(60)
def test_a_chain_of_sectors_without_an_end(tmp_path: Path) -> None:
    data = bytearray(test_workbook.OLD.read_bytes())
    directory = struct.unpack_from("<I", data, 48)[0]
    table = struct.unpack_from("<I", data, 76)[0]
    # The directory's chain returns to itself.
    struct.pack_into("<I", data, (table + 1) * 512 + 4 * directory, directory)
    path = tmp_path / "list.xls"
    path.write_bytes(data)
    with pytest.raises(SourceError, match="truncated or damaged: save it as XLSX"):
        table_of(path)
