"""Transcoding: rows and positions of a file are the same in every encoding."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from bossjy_server.imports.reading.layout import Layout, Place, RejectReason, RowBlock
from bossjy_server.imports.reading.split import split_rows
from bossjy_server.imports.reading.transcode import CODECS, IANA, Transcoder, codec_of, to_utf8

LAYOUT = Layout(b",", b'"', 2, 400)
# Letters that each encoding has.
LETTERS = {
    "utf-16-le": "中é",
    "utf-16-be": "中é",
    "gb18030": "中文名",
    "big5hkscs": "中文名",
    "cp932": "田中ス",
    "euc-jp": "田中ス",
    "cp949": "김철수",
    "latin-1": "éü",
    "cp1252": "éü€",
    "cp1250": "Łž",
    "cp1251": "Иван",
    "koi8-r": "Иван",
    "mac-roman": "éü",
    "cp874": "สม",
    "cp437": "éü",
}


def rows_of(block: RowBlock) -> list[tuple[str, ...]]:
    return list(zip(*(column.to_pylist() for column in block.columns), strict=True))


def text_of(letters: str, end: str) -> str:
    return "".join(f'{letters}{n},"{letters},{n}"{end}' for n in range(50))


@pytest.mark.parametrize("codec", LETTERS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rows_and_positions_are_those_of_the_text(codec: str, end: str) -> None:
    text = text_of(LETTERS[codec], end)
    expected = split_rows(text.encode(), Place(), LAYOUT, final=True)
    block = Transcoder(codec).split(text.encode(codec), Place(), LAYOUT, final=True)
    assert rows_of(block) == rows_of(expected)
    assert block.lines.tolist() == expected.lines.tolist()
    lines = text.splitlines(keepends=True)
    assert block.offsets.tolist() == [len("".join(lines[:n]).encode(codec)) for n in range(50)]
    assert block.next.offset == len(text.encode(codec))


@pytest.mark.parametrize("codec", LETTERS)
@pytest.mark.parametrize("seed", range(3))
def test_any_division_gives_the_same_rows(codec: str, seed: int) -> None:
    data = text_of(LETTERS[codec], "\r\n").encode(codec)
    chance = random.Random(seed)
    cuts = sorted({0, len(data), *(chance.randrange(len(data)) for _ in range(20))})
    place, buffer, found = Place(), b"", []
    for start, end in pairwise(cuts):
        buffer += data[start:end]
        block = Transcoder(codec).split(buffer, place, LAYOUT, final=end == len(data))
        found += rows_of(block)
        place, buffer = block.next, buffer[block.consumed :]
    whole = Transcoder(codec).split(data, Place(), LAYOUT, final=True)
    assert found == rows_of(whole)
    assert place.offset == len(data)


@pytest.mark.parametrize(
    ("codec", "bad"), [("gb18030", b"\xff\xff"), ("cp932", b"\x81\xff"), ("utf-16-le", b"\x00\xd8"), ("cp949", b"\xff")]
)
def test_bytes_that_are_not_text_cost_only_their_row(codec: str, bad: bytes) -> None:
    comma, end = ",".encode(codec), "\n".encode(codec)
    rows = [f"a{n}".encode(codec) + comma + f"{n}".encode(codec) + end for n in range(3)]
    rows[1] = bad + comma + "1".encode(codec) + end
    block = Transcoder(codec).split(b"".join(rows), Place(), LAYOUT, final=True)
    assert rows_of(block) == [("a0", "0"), ("a2", "2")]
    (fault,) = block.faults
    assert (fault.reason, fault.line, fault.offset) == (RejectReason.BAD_TEXT, 2, len(rows[0]))


def test_lines_of_utf_8_in_another_encoding_stay_themselves() -> None:
    data = "张伟,1\n".encode("gb18030") + "李娜,2\n".encode() + "王芳,3\n".encode("gb18030")
    block = Transcoder("gb18030").split(data, Place(), LAYOUT, final=True)
    assert rows_of(block) == [("张伟", "1"), ("李娜", "2"), ("王芳", "3")]
    assert block.offsets.tolist() == [0, 7, 7 + len("李娜,2\n".encode())]


@pytest.mark.parametrize("codec", ["utf-16-le", "gb18030"])
def test_a_row_without_an_end_is_skipped_within_bounded_memory(codec: str) -> None:
    data = ("x" * 5_000).encode(codec)
    block = Transcoder(codec).split(data, Place(), LAYOUT, final=False)
    (fault,) = block.faults
    assert fault.reason is RejectReason.ROW_TOO_LONG
    assert block.next.skipping
    rest = data[block.consumed :] + "\na,1\n".encode(codec)
    skipped = Transcoder(codec).split(rest, block.next, LAYOUT, final=False)
    following = Transcoder(codec).split(rest[skipped.consumed :], skipped.next, LAYOUT, final=True)
    assert rows_of(following) == [("a", "1")]
    assert following.lines.tolist() == [2]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("GBK", "gb18030"),
        (" gb2312 ", "gb18030"),
        ("UTF_8", "utf-8"),
        ("ISO8859-2", "iso8859-2"),
        ("iso_8859_15", "iso8859-15"),
        ("Windows 1251", "cp1251"),
        ("Shift_JIS", "cp932"),
        ("KOI8-R", "koi8-r"),
        ("MacRoman", "mac-roman"),
        ("utf-7", None),
        ("", None),
    ],
)
def test_usual_names_of_encodings_are_known(name: str, codec: str | None) -> None:
    assert codec_of(name) == codec


def test_every_codec_has_a_name_that_leads_back_to_it() -> None:
    assert {codec: codec_of(IANA[codec]) for codec in set(CODECS.values())} == {codec: codec for codec in IANA}


def test_a_lone_surrogate_is_not_utf_8() -> None:
    with pytest.raises(UnicodeDecodeError):
        to_utf8(b"\x00\xd8", "utf-16-le").decode("utf-8")
