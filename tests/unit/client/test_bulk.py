"""Input of `bossjy phone bulk`: encodings, long lines, and messages that a server accepts."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from bossjy_client import SourceError
from bossjy_client.cli.bulk_input import LINE_MAX, encoding_of, opened
from bossjy_client.cli.bulk_table import read_table
from bossjy_client.cli.bulk_where import parse_where
from bossjy_client.cli.exit_codes import UsageError
from bossjy_client.columns.column import warning_words
from bossjy_client.phone import _batches


def batches(file: TextIO) -> Iterator[list[str]]:
    """The texts of a file of lines, by message."""
    return ([text for (text,) in batch] for batch in read_table(file, "").batches())


LINES = "138 0000 0000\n+44 20 7946 0958\n"
ENCODINGS = {
    "utf-8": LINES.encode(),
    "utf-8-sig": LINES.encode("utf-8-sig"),
    "utf-16": LINES.encode("utf-16"),
    "utf-16 be": codecs.BOM_UTF16_BE + LINES.encode("utf-16-be"),
    "utf-16-le": LINES.encode("utf-16-le"),
    "utf-16-be": LINES.encode("utf-16-be"),
    "utf-32": LINES.encode("utf-32"),
    "utf-32 be": codecs.BOM_UTF32_BE + LINES.encode("utf-32-be"),
    "line ends": LINES.replace("\n", "\r\n").encode(),
}


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_lines_of_each_encoding(tmp_path: Path, name: str) -> None:
    path = tmp_path / "numbers.txt"
    path.write_bytes(ENCODINGS[name])
    with opened(str(path)) as file:
        assert list(batches(file)) == [["138 0000 0000", "+44 20 7946 0958"]]


@pytest.mark.parametrize("start", [b"PK\x03\x04\0\0\0\0ab", b"\x1f\x8b\x08\0\0\0\0\0\0\x03abc", bytes(20)])
def test_what_is_no_text_is_refused(tmp_path: Path, start: bytes) -> None:
    assert encoding_of(start) is None
    path = tmp_path / "numbers.bin"
    path.write_bytes(start)
    with pytest.raises(SourceError, match="not a text file"):
        opened(str(path))


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(SourceError):
            opened(str(path))


def test_messages_are_cut_by_rows_and_by_bytes() -> None:
    short = [str(number) for number in range(12_000)]
    assert [len(one) for one in batches(io.StringIO("\n".join(short)))] == [5000, 5000, 2000]
    long = ["é" * 1000] * 5000
    cut = list(batches(io.StringIO("\n".join(long))))
    assert [line for one in cut for line in one] == long
    # Of a long line only 251 characters of at most four bytes are sent: enough to show that it is too long.
    assert max(len(one) for one in cut) * 251 * 4 <= 2 * 1024 * 1024
    assert list(batches(io.StringIO(""))) == []


@pytest.mark.parametrize(
    ("texts", "limit", "sizes"),
    [
        (["1"] * 7, 3, [3, 3, 1]),
        (["1"] * 6, 3, [3, 3]),
        ([], 3, []),
        (["9" * 1024 * 1024] * 5, 10_000, [2, 2, 1]),
        (["é" * 4096] * 300, 10_000, [128, 128, 44]),
        (["9" * 5 * 1024 * 1024, "1"], 10_000, [1, 1]),
    ],
)
def test_batches_are_cut_by_rows_and_by_bytes(texts: list[str], limit: int, sizes: list[int]) -> None:
    cut = list(_batches(texts, limit))
    assert [len(one) for one in cut] == sizes
    assert [text for one in cut for text in one] == texts


def test_a_line_without_end_is_refused() -> None:
    lines = batches(io.StringIO("1\n" + "2" * (LINE_MAX + 1)))
    with pytest.raises(SourceError, match="line 2 has more than"):
        list(lines)
    assert list(batches(io.StringIO("3" * (LINE_MAX - 1)))) == [["3" * (LINE_MAX - 1)]]


def test_warnings_are_named() -> None:
    assert warning_words(0) == ""
    assert warning_words(33) == "KEYPAD_LETTERS REGION_ASSUMED"
    assert warning_words(512) == "REGION_UNKNOWN"


def test_the_columns_of_a_csv_file() -> None:
    text = 'name;phone;note\n"Li; Wang";138;"two\nlines"\n\nZhao;139\n'
    table = read_table(io.StringIO(text), "phone")
    assert list(table.header) == ["name", "phone", "note"]
    (batch,) = table.batches()
    assert list(map(list, batch)) == [["Li; Wang", "138", "two\nlines"], ["Zhao", "139", ""]]
    assert table.texts(batch) == ["138", "139"]


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("name,mobile\n", UsageError, "no column 'phone': the columns are name, mobile"),
        ("", UsageError, "the columns are none"),
        ("phone,phone\n", SourceError, "two columns have the same name"),
        ("phone,name\n1,2,3\n", SourceError, "line 2 has 3 cells, and the header has 2"),
        ('phone\n"1\n', SourceError, "is no CSV"),
    ],
)
def test_a_csv_file_that_cannot_be_read(text: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        list(read_table(io.StringIO(text), "phone").batches())


ROW = {"region": "CN", "type": "MOBILE", "valid": "yes", "reason": "", "full name": "Li"}


@pytest.mark.parametrize(
    ("where", "passes"),
    [
        ('region = "CN" AND type = "MOBILE"', True),
        ("region=CN and type!=MOBILE", False),
        ("region = US OR type = MOBILE AND valid = yes", True),
        ("(region = US OR type = MOBILE) AND valid = no", False),
        ("NOT (region = US) AND NOT valid = no", True),
        ("reason = ''", True),
        ("\"full name\" = 'Li'", True),
    ],
)
def test_a_filter(where: str, passes: bool) -> None:  # noqa: FBT001 - expected value
    assert parse_where(where, list(ROW))(ROW) is passes


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("country = CN", "no column 'country': the columns are region, type"),
        ("region", "ends where = or != is needed"),
        ("region =", "ends where a value is needed"),
        ("region = = CN", "'=' is in the place of a value"),
        ("region CN", "'CN' is in the place of = or !="),
        ("region ( CN", "= or != follows region"),
        ("region = CN type = MOBILE", "AND or OR is missing before 'type'"),
        ("(region = CN", "no `\\)`"),
        ('region = "CN', "is not understood"),
        ("(" * 60 + "region = CN" + ")" * 60, "more than 50 parentheses"),
        ("", "ends where a column is needed"),
    ],
)
def test_a_wrong_filter_is_explained(where: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_where(where, list(ROW))
