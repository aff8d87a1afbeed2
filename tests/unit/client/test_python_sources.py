"""Sources of a program: streams, rows, frames; the sent bytes, and the state of an import that fails."""

from __future__ import annotations

import csv
import datetime as dt
import enum
import importlib
import io
import os
import sqlite3
import subprocess
import sys
import threading
import uuid
from collections import namedtuple
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest

from bossjy.imports.v1 import import_pb2
from bossjy_client import ClientConfig, ReaderLimits, SourceError
from bossjy_client.opening import Opened, open_upload
from bossjy_client.read_options import ReadOptions
from tests.unit.client.readers.reading import data_of

PEOPLE = [{"name": "张三", "phone": "13800138000"}, {"name": "李四", "phone": "13800138001"}]
LINES = '{"name":"张三","phone":"13800138000"}\n{"name":"李四","phone":"13800138001"}\n'
ROWS = [["name", "phone"], ["张三", "13800138000"], ["李四", "13800138001"]]
TEXT = "name,phone\n张三,13800138000\n李四,13800138001\n"
# Neither is a dependency of the client, so it cannot use their types.
pandas: Any = importlib.import_module("pandas")
polars: Any = importlib.import_module("polars")


def opened(source: object, **options: Any) -> Opened:
    form = import_pb2.SourceFormat()
    return open_upload(source, form, parts=1, config=ClientConfig(), options=ReadOptions(**options))


async def sent(source: object, **options: Any) -> str:
    """The uploaded text."""
    upload = opened(source, **options)
    data, (one,) = b"", upload.sources
    while piece := await one.read(len(data), 1000):
        data += piece
    upload.close()
    return data.decode()


def rows_of(source: object) -> list[list[str]]:
    table = opened(source).table
    assert table is not None
    assert table.form == import_pb2.FILE_FORMAT_CSV
    return list(csv.reader(io.StringIO(data_of(table).decode())))


class Pipe:
    """A stream with only `read`, which returns few bytes at a time."""

    def __init__(self, data: bytes | str) -> None:
        self._data = data

    def read(self, size: int) -> bytes | str:
        data, self._data = self._data[: min(size, 7)], self._data[min(size, 7) :]
        return data


STREAMS: dict[str, Any] = {
    "bytes": TEXT.encode,
    "bytearray": lambda: bytearray(TEXT.encode()),
    "memoryview": lambda: memoryview(TEXT.encode()),
    "binary": partial(io.BytesIO, TEXT.encode()),
    "buffered": lambda: io.BufferedReader(io.BytesIO(TEXT.encode())),
    "text": lambda: io.StringIO(TEXT),
    "pipe": lambda: Pipe(TEXT.encode()),
    "text pipe": lambda: Pipe(TEXT),
}


@pytest.mark.parametrize("kind", STREAMS)
async def test_bytes_and_streams(kind: str) -> None:
    assert await sent(STREAMS[kind]()) == TEXT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(TEXT, "utf-8")
    return path


async def test_files(path: Path) -> None:
    assert await sent(path) == TEXT
    assert await sent(str(path)) == TEXT
    with open(path, encoding="utf-8") as text, open(path, "rb") as raw:  # noqa: ASYNC230, PTH123 - as users do
        assert await sent(text) == TEXT
        assert await sent(raw) == TEXT
        raw.seek(0)
        assert opened(raw).sources[0].name == "list.csv"


@pytest.mark.parametrize("kind", ["path", "bytes", "stream", "pipe", "spooled"])
async def test_a_workbook_of_any_kind(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "list.xlsx"
    book = openpyxl.Workbook()
    for row in ROWS:
        book.worksheets[0].append(row)
    book.save(path)
    data = path.read_bytes()
    sources: dict[str, Any] = {
        "path": path,
        "bytes": data,
        "stream": io.BytesIO(data),
        "pipe": Pipe(data),
        "spooled": io.BufferedReader(io.BytesIO(data)),
    }
    assert await sent(sources[kind]) == TEXT
    with pytest.raises(SourceError, match="no sheet `x`"):
        opened(data, sheet="x")


def test_a_stream_that_must_be_spooled_has_a_limit() -> None:
    form, config = import_pb2.SourceFormat(), ClientConfig(spool_bytes=100)
    for data in (b"BEGIN:VCARD\n" + b"TEL:1\n" * 100, b"[" + b" " * 5000 + b'{"phone":"1"}]'):
        with pytest.raises(SourceError, match=r"more than 100 bytes \(spool_bytes\): save it to a file"):
            open_upload(Pipe(data), form, parts=1, config=config, options=ReadOptions())


def test_nothing_spooled_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    upload = opened(Pipe(b'[{"phone":"1"}]'))
    assert len(list(tmp_path.iterdir())) == 1
    upload.close()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SourceError):
        opened(Pipe(b"PK\x03\x04" + b"x" * 5000))
    assert list(tmp_path.iterdir()) == []


async def test_nested_lines_of_a_slow_pipe_are_sent_as_they_come() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", 0) as stream, os.fdopen(writer, "wb", 0) as producer:
        producer.write(b'{"who":{"phone":"1"}}\n')
        upload = opened(stream)
        (one,) = upload.sources
        first = await one.read(0, 1000)
        assert first == b'{"who.phone":"1"}\n'
        producer.write(b'{"who":{"phone":"2"}}\n{"who"')
        assert await one.read(len(first), 1000) == b'{"who.phone":"2"}\n'
        upload.close()


class Colour(enum.Enum):
    RED = 1


def lazily() -> Iterator[dict[str, str]]:
    yield from PEOPLE


def in_database() -> list[Any]:
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    rows = database.execute("VALUES ('张三', '13800138000'), ('李四', '13800138001')").fetchall()
    database.close()
    return [{"name": row[0], "phone": row[1]} for row in rows]


Person = namedtuple("Person", "name phone")  # noqa: PYI024 - a type of users' csv and database modules


ITERABLES: dict[str, Any] = {
    "list": lambda: PEOPLE,
    "tuple": lambda: tuple(PEOPLE),
    "generator": lazily,
    "map": partial(map, dict, PEOPLE),
    "csv": lambda: csv.DictReader(io.StringIO(TEXT)),
    "named tuples": lambda: [Person(**one) for one in PEOPLE],
    "database": in_database,
}


@pytest.mark.parametrize("kind", ITERABLES)
async def test_rows(kind: str) -> None:
    assert await sent(ITERABLES[kind]()) == LINES


async def test_values_of_rows() -> None:
    zone = dt.timezone(dt.timedelta(hours=8))
    row = {
        1: True,
        "none": None,
        "nan": float("nan"),
        "float": 13800138000.0,
        "part": 0.5,
        "decimal": Decimal("13800138000.00"),
        "price": Decimal("1.50"),
        "day": dt.date(2026, 1, 2),
        "moment": dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=zone),
        "id": uuid.UUID(int=1),
        "number": pandas.Series([13800138000], dtype="int64")[0],
        "missing": pandas.NA,
        "never": pandas.NaT,
        "where": {"city": "Bonn", "zip": [1, 2]},
    }
    assert await sent([row]) == (
        '{"1":true,"none":null,"nan":null,"float":13800138000,"part":0.5,"decimal":13800138000,"price":"1.50",'
        '"day":"2026-01-02","moment":"2026-01-02 03:04:05+08:00","id":"00000000-0000-0000-0000-000000000001",'
        '"number":13800138000,"missing":null,"never":null,"where.city":"Bonn","where.zip":[1,2]}\n'
    )


ARROW = pa.table({"name": ["张三", "李四"], "phone": [13800138000, 13800138001]})


FRAMES: dict[str, Any] = {
    "table": lambda: ARROW,
    "batch": lambda: ARROW.to_batches()[0],
    "reader": lambda: pa.RecordBatchReader.from_batches(ARROW.schema, ARROW.to_batches()),
    "pandas": lambda: pandas.DataFrame(PEOPLE),
    "index": lambda: pandas.DataFrame(PEOPLE).set_index("name"),
    "floats": lambda: pandas.DataFrame({"name": ["张三", "李四"], "phone": [13800138000.0, 13800138001.0]}),
    "mixed": lambda: pandas.DataFrame({"name": ["张三", "李四"], "phone": [13800138000.0, "13800138001"]}),
    "categories": lambda: pandas.DataFrame(
        {"name": pandas.Categorical(["张三", "李四"]), "phone": ["13800138000", "13800138001"]}
    ),
    "polars": lambda: polars.DataFrame(PEOPLE),
    "lazy": lambda: polars.LazyFrame(PEOPLE),
    "categories of polars": lambda: polars.DataFrame(PEOPLE).with_columns(polars.col("name").cast(polars.Categorical)),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_frames(kind: str) -> None:
    assert rows_of(FRAMES[kind]()) == ROWS


def test_a_frame_with_missing_values_and_lists() -> None:
    frame = pandas.DataFrame(
        {
            ("who", "phone"): [13800138000, None],
            ("who", "tags"): [["a"], None],
            "on": pandas.to_datetime(["2026-01-02", None]),
        }
    )
    assert rows_of(frame) == [
        ["who phone", "who tags", "on"],
        ["13800138000", '["a"]', "2026-01-02 00:00:00"],
        ["", "", ""],
    ]


def test_the_client_imports_neither() -> None:
    program = "import sys, bossjy_client, bossjy_client.cli; print({'pandas', 'polars', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def asynchronous() -> Any:
    async def rows() -> Any:
        yield PEOPLE[0]

    return rows()


def failing() -> Iterator[dict[str, str]]:
    yield from (one for one in PEOPLE if lost(one))


def lost(_: object) -> bool:
    raise RuntimeError("the database is gone")


class Asked:
    async def read(self, size: int) -> bytes:
        return b"phone\n"


WRONG: dict[str, tuple[Any, str]] = {
    "list of text": (["phone"], "row 1 is str, no dict"),
    "list of lists": ([["phone"], ["1"]], "row 1 is list, no dict"),
    "dict": ({"phone": ["1"]}, "give a list of dicts"),
    "generator of bytes": ((one for one in [b"phone\n"]), "row 1 is bytes, no dict"),
    "no rows": ([], "has no rows"),
    "number": (7, "cannot be uploaded; upload_file takes a path"),
    "nothing": (None, "cannot be uploaded"),
    "function": (lazily, "cannot be uploaded"),
    "asynchronous": (asynchronous(), "is asynchronous"),
    "failing": (failing(), "the database is gone"),
    "frame without columns": (pandas.DataFrame(), "has no columns"),
    "series": (pandas.Series(["1"]), "give a data frame"),
    "series of polars": (polars.Series(["1"]), "is not a table of columns"),
    "array": (pa.array(["1"]), "is not a table of columns"),
    "stream of numbers": (type("Stream", (), {"read": lambda _, size: size})(), "gave int, neither bytes nor text"),
    "empty stream": (io.BytesIO(), "is empty"),
    "missing": ("missing.csv", "No such file"),
    "folder": (Path(), "not a file"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_uploaded(what: str) -> None:
    source, said = WRONG[what]
    with pytest.raises(SourceError, match=said):
        opened(source)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_an_asynchronous_stream() -> None:
    with pytest.raises(SourceError, match="gave coroutine"):
        opened(Asked())


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"phone": "1"}, "x"], "row 2 is str, no dict"),
        ([{"phone": b"1"}], "row 1: bytes are no text: decode them"),
        ([{"a": 1, "b": 2}], "columns"),
    ],
)
async def test_rows_that_fail_later(rows: Any, said: str) -> None:
    config = ClientConfig(reader_limits=ReaderLimits(columns=1))
    upload = open_upload(rows, import_pb2.SourceFormat(), parts=1, config=config, options=ReadOptions())
    with pytest.raises(SourceError, match=said):
        await upload.sources[0].read(0, 1000)
    upload.close()


async def test_rows_are_made_in_one_thread_of_their_own() -> None:
    threads = set()

    def rows() -> Iterator[dict[str, int]]:
        for number in range(5):
            yield {"phone": number}
            threads.add(threading.current_thread())

    assert (await sent(rows())).count("\n") == 5
    assert len(threads) == 1
