"""Doubts about a valid answer: libphonenumber accepts the number, but by a questionable reading of the text."""

from __future__ import annotations

import re
from enum import IntFlag

from bossjy_numbering.corrections.cells import without_decimals, written_out
from bossjy_numbering.corrections.normal import normalised, with_digits_for_letters
from bossjy_numbering.types import Number

_LETTERS = re.compile(r"[A-Za-z]")
_ANY_LETTERS = re.compile(r"[^\W\d_]+")
_NO_DIGITS = re.compile(r"[^0-9]+")
_DECIMAL_END = re.compile(r"\.[0-9]*0 *\Z")
_EXTENSION_DIGITS_MAX = 7
# Digits, `+` and the marks that numbers are written with: only a decimal point can be read in two ways.
_CLEAN = re.compile(r"[0-9+ ()/.\-]*")
# The usual extension after a number: no other text, so the only doubt is the extension itself.
USUAL_EXTENSION = r"[0-9+ ()/.\-]+[,; ]*(?:ext(?:ension|n)?|x|#)[ .:=]*[0-9]{1,7}"
_EXTENDED = re.compile(USUAL_EXTENSION, re.IGNORECASE | re.ASCII)
# The label between a number and its extension.
_LABEL = re.compile(r"[^\d+]*\Z")
# Parts of RFC 3966 that are not text beside the number.
_URI = re.compile(r"\Atel:(?=\S)|;phone-context=[^;]*|;isub=[^;]*", re.IGNORECASE)


class Doubt(IntFlag):
    """Questionable readings. Values are bits of the contract's `NumberWarning`, 1 << (value - 1)."""

    NONE = 0
    KEYPAD_LETTERS = 1
    EXPONENT = 2
    DECIMAL_POINT = 4
    TEXT_DROPPED = 8
    SECOND_NUMBER = 16
    REGION_ASSUMED = 32
    LETTERS_FOR_DIGITS = 64
    EXTENSION_CUT = 128
    DIGITS_DROPPED = 256
    REGION_UNKNOWN = 512
    LETTERS_BETWEEN_DIGITS = 1024


# With one of these the text may mean another number.
QUESTIONABLE = (
    Doubt.KEYPAD_LETTERS
    | Doubt.EXPONENT
    | Doubt.DECIMAL_POINT
    | Doubt.SECOND_NUMBER
    | Doubt.DIGITS_DROPPED
    | Doubt.LETTERS_FOR_DIGITS
    | Doubt.LETTERS_BETWEEN_DIGITS
)
_KEYPAD_LETTERS, _EXPONENT, _DECIMAL_POINT, _TEXT_DROPPED, _SECOND_NUMBER, _ONLY_ASSUMED, _LETTERS_FOR_DIGITS = (
    1 << place for place in range(7)
)
_EXTENSION_CUT, _DIGITS_DROPPED, _LETTERS_BETWEEN = 128, 256, 1024
_ONLY_PLUS = 0
_NONE, _ASSUMED = Doubt.NONE, Doubt.REGION_ASSUMED
_CUT, _ASSUMED_AND_CUT = Doubt.EXTENSION_CUT, Doubt.REGION_ASSUMED | Doubt.EXTENSION_CUT


def text_doubts(text: str, number: Number) -> Doubt:
    """The doubts about the answer for a text. A text of digits, `+` and marks costs one scan of its characters."""
    if not number.valid:
        return _NONE
    if text[1:].isdigit() and text.isascii() and text[0] in "+0123456789":
        return _NONE if text[0] == "+" else _ASSUMED
    if _CLEAN.fullmatch(text) and not ("." in text and text[-1] in "0 "):
        # Without a plus, a number is valid only in a given region.
        return _NONE if "+" in text else _ASSUMED
    if number.extension is not None and _EXTENDED.fullmatch(text):
        return _CUT if "+" in text else _ASSUMED_AND_CUT
    return doubts_of(normalised(text), number)


def doubts_of(plain: str, number: Number) -> Doubt:
    """The doubts about a valid `number` that was read from a normalised text."""
    return Doubt(doubt_bits(plain, number.national_digits, number.calling_code, number.extension))


def is_clean(plain: str) -> bool:
    """True if a normalised text is digits, `+` and marks that can be read in one way only."""
    return _CLEAN.fullmatch(plain) is not None and _DECIMAL_END.search(plain) is None


def doubt_bits(plain: str, national: str, calling_code: int, extension: str | None) -> int:
    """The same as bits, from the parts of the number: making flags costs more than finding them."""
    found = _ONLY_PLUS if "+" in plain else _ONLY_ASSUMED
    if extension is not None:
        found |= _EXTENSION_CUT
        if len(extension) >= min(len(national), _EXTENSION_DIGITS_MAX + 1):
            found |= _SECOND_NUMBER
    if is_clean(plain):
        return found
    if written_out(plain) is not None:
        return found & (_ONLY_ASSUMED | _EXTENSION_CUT) | _EXPONENT
    if without_decimals(plain) is not None:
        return found & (_ONLY_ASSUMED | _EXTENSION_CUT) | _DECIMAL_POINT
    if with_digits_for_letters(plain) != plain:
        found |= _LETTERS_FOR_DIGITS
    pieces = _ANY_LETTERS.split(plain)
    digits = _NO_DIGITS.sub("", plain)
    if national not in digits and len(_LETTERS.findall(plain)) >= 3:
        found |= _KEYPAD_LETTERS
    elif len(pieces) > 1:
        found |= _dropped(plain, digits, national, calling_code, extension)
        if national in digits and not any(national in _NO_DIGITS.sub("", piece) for piece in pieces):
            found |= _LETTERS_BETWEEN
    return found


def _dropped(plain: str, digits: str, national: str, calling_code: int, extension: str | None) -> int:
    """The doubt about omitted text or digits beside a number and its extension."""
    found, text = 0, _URI.sub("", plain)
    if extension:
        head, _, tail = text.rpartition(extension)
        text = _LABEL.sub("", head) + tail
    if _ANY_LETTERS.search(text):
        found |= _TEXT_DROPPED
    used = len(national) + len(extension or "")
    # Labels before or after a number do no harm; omitted digits do.
    if len(digits) - len(str(calling_code)) - 3 > used and not plain.lower().startswith("tel:"):
        found |= _DIGITS_DROPPED | _TEXT_DROPPED
    return found
