"""Arrow streams as text: the cells for any division of the bytes, and the errors of broken streams."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bossjy_server.errors import BossjyError, Reason
from bossjy_server.imports.reading.arrow_text import ArrowText, looks_like_arrow


def stream(table: pa.Table, **named: Any) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, **named)
    return sink.getvalue()


def read(data: bytes, *, chunk: int = 1 << 20, limit: int = 1 << 20) -> tuple[str, bool]:
    reader, text = ArrowText(), bytearray()
    for start in range(0, len(data), chunk):
        piece = data[start : start + chunk]
        while piece or reader.pending:
            plain, used = reader.feed(piece, limit)
            text += plain
            piece = piece[used:]
    return text.decode(), reader.whole


MIXED = pa.table(
    {
        "text": ["13800138000", None, 'a "b",\nc', ""],
        "whole": pa.array([13800138000, None, -1, 0], pa.int64()),
        "float": [13800138000.0, None, 1.5, 2.0**60],
        "truth": [True, False, None, True],
        "day": [date(2026, 11, 23), None, None, None],
        "money": pa.array([Decimal("1.50"), None, None, None]),
        "kind": pa.array(["x", "y", None, "x"]).dictionary_encode(),
        "view": pa.array(["甲", "乙", None, ""], pa.string_view()),
        "nothing": pa.nulls(4),
    }
)
NESTED = pa.table(
    {
        "list": pa.array([["a"], None, ["b", "c"], []], pa.list_(pa.string())),
        "map": pa.array([[("k", "v")], [], None, [("a", "b")]], pa.map_(pa.string(), pa.string())),
    }
)
CELLS = [
    MIXED.column_names,
    ["13800138000", "13800138000", "13800138000", "true", "2026-11-23", "1.50", "x", "甲", ""],
    ["", "", "", "false", "", "", "y", "乙", ""],
    ['a "b",\nc', "-1", "1.5", "", "", "", "", "", ""],
    ["", "0", "1152921504606846976", "true", "", "", "x", "", ""],
]


@pytest.mark.parametrize("chunk", [1, 7, 1000, 1 << 20])
@pytest.mark.parametrize("limit", [10, 1 << 20])
def test_cells_are_what_they_were(chunk: int, limit: int) -> None:
    text, whole = read(stream(MIXED, max_chunksize=3), chunk=chunk, limit=limit)
    rows = list(csv.reader(io.StringIO(text)))
    assert [row[:2] + row[3:] for row in rows] == [row[:2] + row[3:] for row in CELLS]
    # Beyond 2 ** 53 a float has no exact last digit: it is written so that nobody takes it for a number.
    assert [row[2] for row in rows[:4]] == [row[2] for row in CELLS[:4]]
    assert "e+" in rows[4][2]
    assert whole


def test_lists_and_maps_are_json() -> None:
    table = pa.table(
        {
            "numbers": pa.array([["+861", 'a "b"'], None, [], ["c", None]], pa.list_(pa.string())),
            "counts": pa.array([[1, 2], [], None, [3]], pa.large_list(pa.int64())),
            "more": pa.array([[("k", "中\n")], None, [], [("a", "1"), ("b", None)]], pa.map_(pa.string(), pa.string())),
        }
    )
    for limit in (10, 1 << 20):
        rows = list(csv.reader(io.StringIO(read(stream(table, max_chunksize=3), limit=limit)[0])))
        assert rows == [
            ["numbers", "counts", "more"],
            ['["+861","a \\"b\\""]', "[1,2]", '{"k":"中\\n"}'],
            ["", "", ""],
            ["", "", ""],
            ['["c"]', "[3]", '{"a":"1"}'],
        ]


def test_a_file_is_read_as_its_stream() -> None:
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, MIXED.schema) as writer:
        writer.write_table(MIXED)
    assert read(sink.getvalue()) == read(stream(MIXED))
    assert looks_like_arrow(sink.getvalue())
    assert looks_like_arrow(stream(MIXED))


def test_a_stream_that_was_cut_is_not_whole() -> None:
    data = stream(pa.table({"phone": ["1"] * 100}), max_chunksize=10)
    cut = [read(data[:size])[1] for size in range(0, len(data) - 7, 50)]
    assert not any(cut)
    assert read(data)[1]


def refused(data: bytes) -> Reason:
    with pytest.raises(BossjyError) as caught:
        read(data)
    return caught.value.reason


def test_what_becomes_no_text_is_refused() -> None:
    assert refused(stream(pa.table({"tags": [[["a"]]]}))) is Reason.ARROW_INVALID
    assert refused(stream(pa.table({"raw": [b"a"]}))) is Reason.ARROW_INVALID
    assert refused(stream(pa.table({}))) is Reason.ARROW_INVALID
    assert refused(b"\xff\xff\xff\xff" + b"\xff" * 100) is Reason.ARROW_INVALID
    assert refused(b"something else") is Reason.ARROW_INVALID
    data = stream(pa.table({"phone": ["1"]}))
    schema_bytes = 8 + int.from_bytes(data[4:8], "little")
    assert refused(data[:schema_bytes] + data) is Reason.ARROW_INVALID  # two schemas


WHOLES = [stream(MIXED, max_chunksize=2), stream(NESTED, max_chunksize=2)]


def said_of(data: bytes) -> Reason | None:
    try:
        read(data)
    except BossjyError as error:
        return error.reason
    return None


@settings(max_examples=500)
@given(st.sampled_from(WHOLES), st.floats(0, 1), st.binary(min_size=1, max_size=8))
def test_broken_bytes_are_refused_or_read_and_nothing_else(whole: bytes, where: float, bytes_there: bytes) -> None:
    place = int(where * (len(whole) - 1))
    broken = whole[:place] + bytes_there + whole[place + len(bytes_there) :]
    assert said_of(broken) in {None, Reason.ARROW_INVALID}
