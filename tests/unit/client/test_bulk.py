"""Input of `bossjy phone bulk`: encodings, long lines, and messages that a server accepts."""

from __future__ import annotations

import codecs
import io
from pathlib import Path

import pytest

from bossjy_client import SourceError
from bossjy_client.cli.bulk import batches
from bossjy_client.cli.bulk_input import LINE_MAX, encoding_of, opened
from bossjy_client.columns.column import warning_words
from bossjy_client.phone import _batches

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
    assert max(len(one) for one in cut) * 251 * 4 <= 1024 * 1024
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
