"""Extraction of digits from texts: removes punctuation, reads full-width characters as plain ones.

A row that may be more than a plain number (letters after the start, extensions) is only marked here. `shapes.py` reads
it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column.packed_digits import PADDING, ROOM, Flags, Ints
from bossjy_numbering.scalar import PUNCTUATION
from bossjy_numbering.scalar_text import LONGEST_TEXT

Bytes = NDArray[np.uint8]
# An international prefix, a calling code and a national number rarely have more digits.
MOST_DIGITS = ROOM + 8

# Classes of bytes. IGNORED may occur anywhere; OUTSIDE before and after the number; LETTER before it only.
_IGNORED, _DIGIT, _PLUS, _OUTSIDE, _LETTER, _UNCLEAR = range(6)


def _classes() -> bytes:
    classes = bytearray([_OUTSIDE]) * 128 + bytearray([_UNCLEAR]) * 128
    for character in PUNCTUATION:
        if character.isascii():
            classes[ord(character)] = _IGNORED
    for byte in range(128):
        if chr(byte).isalpha():
            classes[byte] = _LETTER
    classes[ord("0") : ord("9") + 1] = bytes([_DIGIT]) * 10
    classes[ord("+")] = _PLUS
    for byte in b"#*~;":
        # Parts of extensions, of phone contexts, or punctuation that only some rules accept.
        classes[byte] = _UNCLEAR
    # A comma inside a number begins an extension; after the number it means nothing. OUTSIDE says the same.
    return bytes(classes)


_CLASS_OF = _classes()
_ONE = np.uint64(1)
NOT_DIGITS = bytes(byte for byte in range(256) if _CLASS_OF[byte] != _DIGIT)


def _wide_characters() -> Bytes:
    """By code point: the ASCII character that a wide one reads as; 0 for characters that are never read."""
    reads = np.zeros(2**16, np.uint8)
    for character in PUNCTUATION:
        if not character.isascii():
            reads[ord(character)] = ord(" ")
    # Digits of all scripts, full-width digits included: ten in a row from each zero.
    for character in filter(str.isdecimal, map(chr, range(0x80, len(reads)))):
        reads[ord(character)] = ord("0") + unicodedata.digit(character)
    reads[0xFF0B] = ord("+")
    # Full-width colon and comma, ideographic comma and full stop: ignored outside of a number, never part of one.
    reads[[0xFF1A, 0xFF0C, 0x3001, 0x3002]] = ord(":")
    # Chinese letters: text before a number is dropped. There are no digits among them.
    reads[0x4000:0xA000] = ord("a")
    return reads


_WIDE = _wide_characters()
# Lead bytes of characters of two and of three bytes; one from 0xF0 on begins four.
_LEADS_OF_TWO, _LEADS_OF_THREE = 0xC2, 0xE0


@dataclass(frozen=True, slots=True)
class Heads:
    """Unclear rows that begin with a number among punctuation, of three digits or more. All (n,)."""

    rows: Ints
    # The digits of the head, and the byte at which the last one ends.
    digits: Ints
    ends: Ints

    def only(self, chosen: Flags) -> Heads:
        """The chosen rows of these."""
        return Heads(self.rows[chosen], self.digits[chosen], self.ends[chosen])


@dataclass(frozen=True, slots=True)
class Digits:
    """The digits of all rows, in sequence, in `buffer` (with PADDING after the last). All (n,)."""

    buffer: Bytes
    starts: Ints
    lengths: Ints
    # True if a `+` precedes them.
    plus: Flags
    # Rows with too few digits to be a number, and nothing unclear.
    nothing: Flags
    # Rows that this module does not decide. Their only valid field is `plus`, and only for heads.
    unclear: Flags
    heads: Heads


class Before:
    """Counter of the flags that are set before a position: by words of 64 flags, then within the word."""

    def __init__(self, flags: Flags) -> None:
        packed = np.packbits(flags, bitorder="little")
        self._words = np.zeros(len(flags) // 64 + 1, np.uint64)
        self._words.view(np.uint8)[: len(packed)] = packed
        self._counts = np.zeros(len(self._words) + 1, np.int64)
        np.cumsum(np.bitwise_count(self._words), out=self._counts[1:])

    def __call__(self, places: Ints) -> Ints:
        """(n,) -> (n,). Positions from 0 to the number of flags."""
        word = places >> 6
        below = (_ONE << (places & 63).view(np.uint64)) - _ONE
        below &= self._words.take(word)
        counts: Ints = self._counts.take(word) + np.bitwise_count(below)
        return counts


def read_digits(data: Bytes, offsets: Ints) -> Digits:
    """The digits of texts. Shapes: data (bytes,), offsets (n + 1,), which rise from 0 to the number of bytes."""
    count = len(offsets) - 1
    text = plain(data, offsets).tobytes()
    buffer = np.frombuffer(text.translate(None, NOT_DIGITS) + bytes(PADDING), np.uint8)
    classes = np.frombuffer(text.translate(_CLASS_OF), np.uint8)
    is_digit = classes == _DIGIT
    before = Before(is_digit)
    bounds = before(offsets)
    starts, lengths = bounds[:-1], np.diff(bounds)

    others = np.flatnonzero(classes >= _PLUS)
    rows = np.searchsorted(offsets, others, side="right") - 1
    digits_before = before(others) - starts.take(rows)
    kinds = classes.take(others)
    is_plus = kinds == _PLUS
    plus_rows, plus_places = rows[is_plus], others[is_plus]
    plus_count = np.bincount(plus_rows, minlength=count)
    unclear = (plus_count > 1) | (lengths > MOST_DIGITS)
    unclear |= np.diff(offsets) > LONGEST_TEXT
    unclear[plus_rows[digits_before[is_plus] > 0]] = True
    # Rule 3: fewer than three digits are a number only if they are two adjacent digits without a plus.
    few = lengths < 3
    unclear |= (lengths == 2) & (plus_count == 0)
    # Characters other than digits and plus may occur before the number, which begins with its plus if it has one. Some
    # of them may occur after the number, and all of them in a row without a number.
    begins = np.full(count, len(data))
    begins[plus_rows] = plus_places
    rest = np.flatnonzero(~is_plus)
    rows, kinds, digits_before, others = rows[rest], kinds[rest], digits_before[rest], others[rest]
    digits = lengths.take(rows)
    ends_before = (digits_before == 0) & (others < begins.take(rows))
    fine = ends_before & (kinds != _UNCLEAR)
    fine |= (kinds == _OUTSIDE) & (digits_before == digits)
    fine |= (digits == 0) & (kinds != _UNCLEAR)
    odd = np.flatnonzero(~fine)
    heads = _heads(is_digit, unclear, rows[odd], digits_before[odd], others[odd])
    unclear[rows[odd]] = True
    return Digits(buffer, starts, lengths, plus_count == 1, few & ~unclear, unclear, heads)


def _heads(is_digit: Flags, unclear: Flags, rows: Ints, digits_before: Ints, places: Ints) -> Heads:
    """The heads of the rows with odd characters, except rows that are unclear for another reason.

    Arguments for each odd character: its row, the digits of the row before it, its position. All (n,).
    """
    firsts = np.flatnonzero(np.diff(rows, prepend=-1))
    firsts = firsts[(digits_before[firsts] >= 3) & ~unclear[rows[firsts]]]
    return Heads(rows[firsts], digits_before[firsts], next_digits(is_digit, places[firsts] - 1, -1) + 1)


def next_digits(is_digit: Flags, places: Ints, step: int) -> Ints:
    """The next digit from each position, in steps of 1 or -1. There must be one. (n,) -> (n,)."""
    found = places.copy()
    going = np.flatnonzero(~is_digit.take(found))
    while len(going):
        found[going] += step
        going = going[~is_digit.take(found[going])]
    return found


def _rows_are_whole(data: Bytes, offsets: Ints) -> bool:
    """True if no row begins, and the last does not end, inside a character. This is so for all UTF-8."""
    firsts = data.take(offsets[:-1], mode="clip")
    cut_end = (data[-2:] >= 0xC0).any()
    return not cut_end and not ((firsts >= 0x80) & (firsts < 0xC0)).any()


def _inside_rows(places: Ints, size: int, offsets: Ints) -> Ints:
    """The characters of `size` bytes that end within their row. A truncated one is no character."""
    ends = offsets[np.searchsorted(offsets, places, side="right")]
    return places[places + size <= ends]


def plain(data: Bytes, offsets: Ints) -> Bytes:
    """The bytes without wide characters: the last byte becomes the plain character, those before it become spaces."""
    places = np.flatnonzero(data >= _LEADS_OF_TWO)
    if not len(places):
        return data
    text = data.copy()
    whole = _rows_are_whole(data, offsets)
    leads = data.take(places)
    three = leads >= _LEADS_OF_THREE
    for size, some in ((2, places[~three]), (3, places[three])):
        inside = some if whole else _inside_rows(some, size, offsets)
        inside = inside[inside + size <= len(data)]
        points = data.take(inside).astype(np.int64) & (0x1F if size == 2 else 0x0F)
        continued = np.ones(len(inside), np.bool_)
        for byte in range(1, size):
            value = data.take(inside + byte)
            continued &= (value & 0xC0) == 0x80
            points = points << 6 | value & 0x3F
        # A lead byte beyond 0xEF begins four bytes, and those code points are never read. UTF-8 does not allow three
        # bytes for a code point that fits in two.
        continued &= data.take(inside) < 0xF0
        continued &= points >= (0x80 if size == 2 else 0x800)
        reads = _WIDE.take(points)
        found = np.flatnonzero(continued & (reads != 0))
        last, reads = inside.take(found), reads.take(found)
        for byte in range(size - 1):
            text[last + byte] = np.where(reads == ord("a"), reads, ord(" "))
        text[last + size - 1] = reads
    return text
