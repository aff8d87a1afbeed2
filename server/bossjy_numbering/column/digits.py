"""From texts as people write them to digits: punctuation taken out, full-width characters read as plain ones.

What may be more than a plain number (letters behind the start, extensions) is not decided here: such rows are marked,
and read by their shapes (`shapes.py`).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column.words import PADDING, ROOM, Flags, Ints
from bossjy_numbering.scalar import PUNCTUATION
from bossjy_numbering.scalar_text import LONGEST_TEXT

Bytes = NDArray[np.uint8]
# An international prefix, a calling code and a national number seldom have more digits.
MOST_DIGITS = ROOM + 8

# Classes of bytes. IGNORED may stand anywhere; OUTSIDE before and behind the number; LETTER before it only.
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
    # A comma inside a number begins an extension; behind it, it is nothing. OUTSIDE says just that.
    return bytes(classes)


_CLASS_OF = _classes()
_ONE = np.uint64(1)
NOT_DIGITS = bytes(byte for byte in range(256) if _CLASS_OF[byte] != _DIGIT)


def _wide_characters() -> Bytes:
    """By code point: the ASCII character that a wide one reads as, 0 for those that are none of ours."""
    reads = np.zeros(2**16, np.uint8)
    for character in PUNCTUATION:
        if not character.isascii():
            reads[ord(character)] = ord(" ")
    # Digits of all scripts, the full-width ones among them: ten in a row from each zero.
    for point in range(0x80, len(reads)):
        if chr(point).isdecimal():
            reads[point] = ord("0") + unicodedata.digit(chr(point))
    reads[0xFF0B] = ord("+")
    # Full-width colon and comma, ideographic comma and full stop: nothing outside of a number, never inside.
    reads[[0xFF1A, 0xFF0C, 0x3001, 0x3002]] = ord(":")
    # Chinese letters: text before a number is dropped. There are no digits among them.
    reads[0x4000:0xA000] = ord("a")
    return reads


_WIDE = _wide_characters()
# Lead bytes of characters of two and of three bytes; one from 0xF0 on begins four.
_LEADS_OF_TWO, _LEADS_OF_THREE = 0xC2, 0xE0


@dataclass(frozen=True, slots=True)
class Heads:
    """Unclear rows that begin as a number among punctuation, of three digits or more. All (n,)."""

    rows: Ints
    # The digits of the head, and the byte at which the last one ends.
    digits: Ints
    ends: Ints

    def only(self, chosen: Flags) -> Heads:
        """Some of them."""
        return Heads(self.rows[chosen], self.digits[chosen], self.ends[chosen])


@dataclass(frozen=True, slots=True)
class Digits:
    """The digits of each row, one row behind the other, in `buffer` (with PADDING behind the last). All (n,)."""

    buffer: Bytes
    starts: Ints
    lengths: Ints
    # Whether a `+` goes before them.
    plus: Flags
    # Rows with too few digits to be a number, and nothing unclear.
    nothing: Flags
    # Rows of which this does not decide. Of them, only `plus` says something, and only for heads.
    unclear: Flags
    heads: Heads


class Before:
    """How many of some flags are set before a place: counted by words of 64 flags, and within the word."""

    def __init__(self, flags: Flags) -> None:
        packed = np.packbits(flags, bitorder="little")
        self._words = np.zeros(len(flags) // 64 + 1, np.uint64)
        self._words.view(np.uint8)[: len(packed)] = packed
        self._counts = np.zeros(len(self._words) + 1, np.int64)
        np.cumsum(np.bitwise_count(self._words), out=self._counts[1:])

    def __call__(self, places: Ints) -> Ints:
        """(n,) -> (n,). Places from 0 to the number of flags."""
        word = places >> 6
        below = (_ONE << (places & 63).view(np.uint64)) - _ONE
        below &= self._words.take(word)
        counts: Ints = self._counts.take(word) + np.bitwise_count(below)
        return counts


def read_digits(data: Bytes, offsets: Ints) -> Digits:
    """The digits of texts. Shapes: data (bytes,), offsets (n + 1,), rising from 0 to the number of bytes."""
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
    # Rule 3: fewer than three digits are a number only if they are two without a plus, side by side.
    few = lengths < 3
    unclear |= (lengths == 2) & (plus_count == 0)
    # What is neither digit nor plus may stand before the number, which begins with its plus if it has one, and some of
    # it behind; anywhere in a row that has no number.
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
    """The heads of the rows with odd characters, but of those that are unclear for another reason.

    Of each odd character: its row, the digits of the row before it, its place. All (n,).
    """
    firsts = np.flatnonzero(np.diff(rows, prepend=-1))
    firsts = firsts[(digits_before[firsts] >= 3) & ~unclear[rows[firsts]]]
    return Heads(rows[firsts], digits_before[firsts], next_digits(is_digit, places[firsts] - 1, -1) + 1)


def next_digits(is_digit: Flags, places: Ints, step: int) -> Ints:
    """The next digit from each place on, in steps of 1 or -1. There must be one. (n,) -> (n,)."""
    found = places.copy()
    going = np.flatnonzero(~is_digit.take(found))
    while len(going):
        found[going] += step
        going = going[~is_digit.take(found[going])]
    return found


def _rows_are_whole(data: Bytes, offsets: Ints) -> bool:
    """Whether no row begins, and the last does not end, inside a character. So it is for all UTF-8."""
    firsts = data.take(offsets[:-1], mode="clip")
    cut_end = (data[-2:] >= 0xC0).any()
    return not cut_end and not ((firsts >= 0x80) & (firsts < 0xC0)).any()


def _inside_rows(places: Ints, size: int, offsets: Ints) -> Ints:
    """The characters of `size` bytes that their row does not cut off: one that is cut off is no character."""
    ends = offsets[np.searchsorted(offsets, places, side="right")]
    return places[places + size <= ends]


def plain(data: Bytes, offsets: Ints) -> Bytes:
    """The bytes with wide characters replaced: the last byte by what it reads as, those before it by spaces."""
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
        # A lead byte beyond 0xEF begins four bytes, and a code point that is none of ours. UTF-8 does not allow three
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
