from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from bossjy_client import ReaderLimits, SourceError
from tests.unit.client.readers.reading import data_of, is_sent_as_it_is, records_of, rows_of, table_of

CSV = b"name,phone\nAnn,13800138000\n"
PEOPLE = [{"name": "Ann", "phone": "13800138000"}]


def zipped(*members: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)  # without the time: ids of tests
    return made.getvalue()


def zstd(data: bytes) -> bytes:
    made = pa.BufferOutputStream()
    with pa.CompressedOutputStream(made, "zstd") as stream:
        stream.write(data)
    return made.getvalue().to_pybytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "people.csv.bin"


ARCHIVES: dict[str, Callable[[bytes], bytes]] = {
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "gzip twice": lambda data: gzip.compress(gzip.compress(data)),
    "gzip in zstd": lambda data: zstd(gzip.compress(data)),
    "zip": lambda data: zipped(("list.csv", data)),
    "zip of a Mac": lambda data: zipped(("a/list.csv", data), ("__MACOSX/a/._list.csv", b"x"), (".DS_Store", b"x")),
    "zip with a note": lambda data: zipped(("readme.txt", b"see list"), ("list.csv", data), ("logo.png", b"x")),
    "gzip in zip": lambda data: zipped(("list.csv.gz", gzip.compress(data))),
}


@pytest.mark.parametrize("archive", ARCHIVES)
def test_the_table_inside(path: Path, archive: str) -> None:
    path.write_bytes(ARCHIVES[archive](CSV))
    table = table_of(path)
    # The service detects the form of the text.
    assert (table.form, table.encoding) == (None, "")
    assert data_of(table) == CSV


@pytest.mark.parametrize("compress", [gzip.compress, zstd])
def test_what_the_service_unpacks_is_left_to_it(path: Path, compress: Callable[[bytes], bytes]) -> None:
    path.write_bytes(compress(CSV))
    assert is_sent_as_it_is(path)
    path.write_bytes(compress(json.dumps(PEOPLE).encode()))
    assert records_of(path) == PEOPLE


@pytest.mark.parametrize("archive", ARCHIVES)
def test_other_formats_inside(path: Path, archive: str) -> None:
    path.write_bytes(ARCHIVES[archive](json.dumps(PEOPLE).encode()))
    assert records_of(path) == PEOPLE
    book = openpyxl.Workbook()
    book.worksheets[0].append(["phone"])
    made = io.BytesIO()
    book.save(made)
    path.write_bytes(ARCHIVES[archive](made.getvalue()))
    assert rows_of(path) == [["phone"]]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (zipped(), "the ZIP archive is empty"),
        (zipped(("a.csv", CSV), ("b.csv", CSV)), r"contains 2 files \(a.csv, b.csv\): unpack it"),
        (zipped(("a.dat", CSV), ("b.dat", CSV)), r"contains 2 files \(a.dat, b.dat\): unpack it"),
        (zipped(("word/document.xml", b"<x/>")), "a document of an office program"),
        (zipped(("a.csv", CSV))[:-30], "truncated or damaged"),
        (zipped(("a.csv", b"")), "the file is empty"),
        (zipped(("a.pdf", b"%PDF-1.7")), "a PDF document"),
        (gzip.compress(gzip.compress(CSV, mtime=0), mtime=0)[:-5], "damaged"),
        (bz2.compress(CSV)[:-5], "damaged"),
        (lzma.compress(CSV)[:-20], "damaged"),
    ],
)
def test_archives_that_cannot_be_read(path: Path, data: bytes, said: str) -> None:
    path.write_bytes(data)
    with pytest.raises(SourceError, match=said):
        data_of(table_of(path))


def test_a_member_that_is_locked(path: Path) -> None:
    data = bytearray(zipped(("a.csv", CSV)))
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(sign) + place] |= 1
    path.write_bytes(data)
    with pytest.raises(SourceError, match="locked by a password"):
        table_of(path)


@pytest.mark.parametrize("archive", ARCHIVES)
def test_bombs(path: Path, archive: str) -> None:
    path.write_bytes(ARCHIVES[archive](CSV + b"x" * 10_000_000))
    with pytest.raises(SourceError, match="unpacked_bytes"):
        data_of(table_of(path, ReaderLimits(unpacked_bytes=1_000_000)))


def test_limits(path: Path) -> None:
    data = CSV
    for _ in range(6):
        data = zipped(("a.csv", data))
    path.write_bytes(data)
    with pytest.raises(SourceError, match="archives"):
        table_of(path)
    path.write_bytes(zipped(*((f"{number}.dat", b"x") for number in range(20))))
    with pytest.raises(SourceError, match="zip_members"):
        table_of(path, ReaderLimits(zip_members=10))
