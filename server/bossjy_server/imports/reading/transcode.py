"""Transcoding to UTF-8: whole lines in other encodings become UTF-8, and positions there become positions here.

In every supported encoding the bytes of line ends are part of no other character, so lines can be found before any
decoding. Bytes that are not text become bytes that are not UTF-8, so that their row is rejected like any other such
row.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bossjy_server.imports.reading.layout import Layout, Place, RejectReason, RowBlock, RowFault
from bossjy_server.imports.reading.split import find_line_ends, no_rows, split_rows


class CutText(Protocol):
    """Splits UTF-8 into rows."""

    def __call__(self, data: bytes, place: Place, layout: Layout, *, final: bool) -> RowBlock:
        """The complete rows at the front of `data`."""


# Common names of encodings to Python's codecs.
CODECS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-8-sig": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "cp936": "gb18030",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "big5hkscs": "big5hkscs",
    "iso-8859-1": "latin-1",
    "latin-1": "latin-1",
    "latin1": "latin-1",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "euc-jp": "euc-jp",
    "euc-kr": "cp949",
    "cp949": "cp949",
    "cp932": "cp932",
    **{f"{name}{number}": f"cp{number}" for number in (1250, 1251, *range(1253, 1259)) for name in ("windows-", "cp")},
    **{f"iso-8859-{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)},
    "latin-2": "iso8859-2",
    "latin2": "iso8859-2",
    "latin-9": "iso8859-15",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "macintosh": "mac-roman",
    "mac-roman": "mac-roman",
    "macroman": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
    "mac-cyrillic": "mac-cyrillic",
    "ibm437": "cp437",
    "cp437": "cp437",
    "ibm850": "cp850",
    "cp850": "cp850",
    "ibm852": "cp852",
    "cp852": "cp852",
    "ibm866": "cp866",
    "cp866": "cp866",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "cp874": "cp874",
}
# The same codecs by their IANA names.
IANA = {
    "utf-8": "utf-8",
    "utf-16-le": "utf-16le",
    "utf-16-be": "utf-16be",
    "gb18030": "gb18030",
    "big5hkscs": "big5-hkscs",
    "latin-1": "iso-8859-1",
    "cp1252": "windows-1252",
    "cp932": "shift_jis",
    "euc-jp": "euc-jp",
    "cp949": "euc-kr",
    **{f"cp{number}": f"windows-{number}" for number in (874, 1250, 1251, *range(1253, 1259))},
    **{f"iso8859-{part}": f"iso-8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)},
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "mac-roman": "macintosh",
    "mac-cyrillic": "x-mac-cyrillic",
    **{f"cp{number}": f"ibm{number}" for number in (437, 850, 852, 866)},
}


def codec_of(name: str) -> str | None:
    """Python's codec for a name of an encoding; None if it is not supported."""
    plain = name.strip().casefold().replace("_", "-").replace(" ", "-")
    plain = plain.replace("iso8859", "iso-8859") if plain.startswith("iso8859") else plain
    return CODECS.get(plain) or CODECS.get(name.casefold())


_BAD = "bossjy-bad"
_WIDE = {"utf-16-le": "<u2", "utf-16-be": ">u2"}


def _mark_bad(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    # A lone surrogate, which UTF-8 cannot encode.
    return "\udc80", max(error.end, error.start + 1)


codecs.register_error(_BAD, _mark_bad)


def to_utf8(raw: bytes, codec: str) -> bytes:
    """Text as UTF-8. Bytes that are not text become bytes that are not UTF-8."""
    return raw.decode(codec, _BAD).encode("utf-8", "surrogatepass")


# Bytes that are UTF-8 and rarely text in the encoding: two Chinese characters, or an accented Latin letter.
_CHINESE_UTF_8 = re.compile(rb"(?:[\xe3-\xe9][\x80-\xbf]{2}){2}")
_LATIN_UTF_8 = re.compile(rb"[\xc3-\xc5][\x80-\xbf]")
_UTF_8_IN = {
    "gb18030": _CHINESE_UTF_8,
    "big5hkscs": _CHINESE_UTF_8,
    **dict.fromkeys(("latin-1", "cp1252", "iso8859-15", "mac-roman"), _LATIN_UTF_8),
}


def _mixed_to_utf8(raw: bytes, codec: str) -> bytes:
    """`to_utf8` of whole lines; lines that are UTF-8 already stay as they are."""
    pattern = _UTF_8_IN.get(codec)
    if pattern is None:
        return to_utf8(raw, codec)
    pieces: list[bytes] = []
    position, size = 0, len(raw)
    found = pattern.search(raw)
    while found is not None:
        start = max(raw.rfind(b"\n", position, found.start()), raw.rfind(b"\r", position, found.start())) + 1
        start = max(start, position)
        end = raw.find(b"\n", found.end()) + 1 or size
        if _is_utf8(raw[start:end]):
            pieces += (to_utf8(raw[position:start], codec), raw[start:end])
            position = end
        found = pattern.search(raw, end)
    pieces.append(to_utf8(raw[position:], codec))
    return b"".join(pieces)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Transcoder:
    """Splits rows of text in one encoding, a codec of Python other than UTF-8."""

    codec: str

    def split(
        self, data: bytes, place: Place, layout: Layout, *, final: bool, cut_text: CutText = split_rows
    ) -> RowBlock:
        """As `cut_text` of the same text in UTF-8, for `data` in the encoding."""
        ends = self._line_ends(data, final=final)
        if place.skipping:
            return self._skip(data, place, layout, ends, final=final)
        cut = len(data) if final else int(ends[-1]) if len(ends) else 0
        if cut == 0:
            return self._without_line_end(data, place, layout)
        text = _mixed_to_utf8(data[:cut], self.codec)
        view = np.frombuffer(text, np.uint8)
        # Positions after each line end, there and here. Both have equally many, whatever was decoded in between.
        there = np.concatenate(([0], find_line_ends(view, text, final=True) + 1, [len(text)]))
        here = np.concatenate(([0], ends, [cut]))
        block = cut_text(text, Place(0, place.line), layout, final=final)

        def origin(positions: NDArray[np.int64]) -> NDArray[np.int64]:
            return place.offset + here[np.searchsorted(there, positions)]

        consumed = int(here[np.searchsorted(there, block.consumed)])
        faults = [replace(fault, offset=int(origin(np.array([fault.start]))[0])) for fault in block.faults]
        return replace(
            block,
            offsets=origin(block.starts),
            faults=faults,
            consumed=consumed,
            next=Place(place.offset + consumed, block.next.line),
        )

    def _line_ends(self, data: bytes, *, final: bool) -> NDArray[np.int64]:
        """Positions after each line end."""
        wide = _WIDE.get(self.codec)
        if wide is None:
            return find_line_ends(np.frombuffer(data, np.uint8), data, final=final) + 1
        units = np.frombuffer(data, wide, len(data) // 2)
        # As the eight bits that line ends have; no other unit becomes one.
        narrow = np.where(units < 0x80, units, 0x80).astype(np.uint8)
        return (find_line_ends(narrow, narrow.tobytes(), final=final) + 1) * 2

    def _skip(self, data: bytes, place: Place, layout: Layout, ends: NDArray[np.int64], *, final: bool) -> RowBlock:
        if len(ends):
            consumed, following = int(ends[0]), Place(place.offset + int(ends[0]), place.line + 1)
        else:
            # A unit, or a CR before its LF, may be divided at the end.
            consumed = len(data) if final else max(0, len(data) - 4) // 2 * 2
            following = Place(place.offset + consumed, place.line, skipping=not final)
        return no_rows(b"", layout.column_count, consumed, following)

    def _without_line_end(self, data: bytes, place: Place, layout: Layout) -> RowBlock:
        if len(data) <= 2 * layout.max_row_bytes + 4:
            return no_rows(b"", layout.column_count, 0, place)
        consumed = (len(data) - 4) // 2 * 2
        text = to_utf8(data[:100_000], self.codec)
        block = no_rows(text, layout.column_count, consumed, Place(place.offset + consumed, place.line, skipping=True))
        fault = RowFault(0, len(text), place.offset, place.line, RejectReason.ROW_TOO_LONG)
        return replace(block, faults=[fault])
