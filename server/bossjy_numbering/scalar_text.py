"""The parts of a text: number and extension, as `phonenumberutil.parse` finds them before it looks at a region.

Rules 1 to 6 of RULES.md. The parts depend on which characters are digits, not on their values. Each step gives the same
result as `phonenumbers`:

- The number starts at the first plus or digit. Characters at the end that are neither alphanumeric nor `#` are removed,
  then everything from `/x` on, then everything from `;isub=` on.
- Every extension pattern ends in a run of digits and at most one `#`, at the end of the text. It requires other
  characters right before the run, and no digit before those. So the run is the last one of the text, and the match
  starts in the gap between this run and the digit before it. The pattern of `phonenumbers` is applied to the gap.
- A text is viable if it has the form of a number, or if the part before an extension has it. If the part before a later
  start of the extension has this form, the part before the first start has it too. So only the first start is tried.
- Of a text with an extension, two digits before it are enough, if the whole text has the form of a number.

A phone context is not decided here.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

from phonenumbers.phonenumberutil import (
    _ALPHA_PHONE_MAPPINGS,
    _EXTN_PATTERN,
    _PLUS_CHARS,
    _RFC3966_ISDN_SUBADDRESS,
    _RFC3966_PHONE_CONTEXT,
    _SECOND_NUMBER_START_PATTERN,
    _VALID_PUNCTUATION,
)

# libphonenumber rejects longer texts before it reads them.
LONGEST_TEXT: Final = 250
PLUS_SIGNS: Final = _PLUS_CHARS
_START = re.compile(rf"[{_PLUS_CHARS}\d]")
# `_VALID_PHONE_NUMBER` without its second form, two digits. It requires three digits or more (`{3,}`). The characters
# after the third may be digits too, so `{3}` accepts the same texts, and rejects others in linear time.
_NUMBER = re.compile(
    rf"[{_PLUS_CHARS}]*(?:[{_VALID_PUNCTUATION}*]*\d){{3}}[{_VALID_PUNCTUATION}*A-Za-z\d]*", re.IGNORECASE
)
_TAIL = re.compile(r".*\d(\D+)(\d+)#?", re.DOTALL)
_THREE_LETTERS = re.compile(r"(?:[^A-Za-z]*[A-Za-z]){3}")
_NO_DIGITS = bytes(set(range(128)) - set(b"0123456789"))
# Rule 6, for ASCII: the bytes to remove, and the digits of the others.
NO_KEYS = bytes(byte for byte in range(256) if byte >= 128 or chr(byte).upper() not in _ALPHA_PHONE_MAPPINGS)
DIGIT_OF_KEY = bytes(ord(_ALPHA_PHONE_MAPPINGS.get(chr(byte).upper(), " ")) for byte in range(128)) + bytes(128)

# Limits of the cache of gaps. It is emptied when it is full.
_GAPS_MAX: Final = 4096
_LONGEST_GAP: Final = 24
_LONGEST_RUN: Final = 24
_gaps: dict[tuple[str, int, bool], int] = {}


class Parts(NamedTuple):
    """Positions of number and extension in a text, in characters."""

    # `begin` equals `end` if the text is not a number.
    begin: int
    end: int
    # The digits of the extension. Both are 0 if there is none.
    extension_begin: int = 0
    extension_end: int = 0
    # Rule 6: the number has three letters or more, which are read as the digits of their keys.
    keypad: bool = False


_NO_NUMBER: Final = Parts(0, 0)


def parts_of(text: str) -> Parts | None:
    """The parts of a text of at most LONGEST_TEXT characters; None if it has a phone context."""
    if ";" in text and _RFC3966_PHONE_CONTEXT in text:
        return None
    found = _START.search(text)
    if found is None:
        return _NO_NUMBER
    begin = found.start()
    end = _end_of(text, begin)
    is_number = _NUMBER.fullmatch(text, begin, end) is not None
    last = text[end - 1 : end]
    tail = _TAIL.fullmatch(text, begin, end) if last.isdecimal() or last == "#" else None
    if tail is not None and (start := _extension_start(tail[1], len(tail[2]), last == "#")) >= 0:
        cut = tail.start(1) + start
        if _NUMBER.fullmatch(text, begin, cut) is not None:
            return Parts(begin, cut, *tail.span(2), _has_letters(text, begin, cut))
        if is_number and _is_two_digits(text, begin, cut):
            return Parts(begin, cut, *tail.span(2))
    if is_number:
        return Parts(begin, end, 0, 0, _has_letters(text, begin, end))
    return Parts(begin, end) if _is_two_digits(text, begin, end) else _NO_NUMBER


def _is_two_digits(text: str, begin: int, end: int) -> bool:
    """Rule 3: two adjacent digits are a number too, except in a text with an extension."""
    return end - begin == 2 and text[begin:end].isdecimal()


def _has_letters(text: str, begin: int, end: int) -> bool:
    return _THREE_LETTERS.match(text, begin, end) is not None


def _end_of(text: str, begin: int) -> int:
    """The end of the number with its extension."""
    end = len(text)
    while end > begin and not (text[end - 1].isalnum() or text[end - 1] == "#"):
        end -= 1
    if "x" in text and (second := _SECOND_NUMBER_START_PATTERN.search(text, begin, end)):
        end = second.start()
    if ";" in text:
        subaddress = text.find(_RFC3966_ISDN_SUBADDRESS, begin + 1, end)
        end = end if subaddress < 0 else subaddress
    return end


def _extension_start(gap: str, digits: int, with_hash: bool) -> int:  # noqa: FBT001 - all three are the key
    """The position in a gap at which an extension of so many digits starts; -1 for none."""
    key = (gap, digits, with_hash)
    start = _gaps.get(key)
    if start is None:
        match = _EXTN_PATTERN.search(f"0{gap}{'0' * digits}{'#' if with_hash else ''}")
        start = -1 if match is None else match.start() - 1
        if len(gap) <= _LONGEST_GAP and digits <= _LONGEST_RUN:
            if len(_gaps) >= _GAPS_MAX:
                _gaps.clear()
            _gaps[key] = start
    return start


def digits_of(text: str, parts: Parts) -> str:
    """The digits of the number, by rule 6."""
    number = text[parts.begin : parts.end]
    if number.isascii():
        held = number.encode()
        return (held.translate(DIGIT_OF_KEY, NO_KEYS) if parts.keypad else held.translate(None, _NO_DIGITS)).decode()
    if parts.keypad:
        return "".join(_ALPHA_PHONE_MAPPINGS.get(character.upper(), "") for character in number)
    return "".join(str(unicodedata.digit(character)) for character in number if character.isdecimal())
