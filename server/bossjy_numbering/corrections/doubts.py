"""Doubts about a valid answer: libphonenumber accepts the number, but by a questionable reading of the text."""

from __future__ import annotations

import re
from enum import IntFlag

from bossjy_numbering.corrections.cells import without_decimals, written_out
from bossjy_numbering.corrections.normal import normalised, with_digits_for_letters
from bossjy_numbering.types import Number

_LETTERS = re.compile(r"[A-Za-z]")
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
    found = _NONE if "+" in plain else _ASSUMED
    if number.extension is not None:
        found |= Doubt.EXTENSION_CUT
    if plain.isascii() and plain.isdigit():
        return found
    if written_out(plain) is not None:
        return found | Doubt.EXPONENT
    if without_decimals(plain) is not None:
        return found | Doubt.DECIMAL_POINT
    if with_digits_for_letters(plain) != plain:
        found |= Doubt.LETTERS_FOR_DIGITS
    digits = "".join(filter(str.isdigit, plain))
    letters = sum(1 for _ in _LETTERS.finditer(plain))
    if number.national_digits not in digits and letters >= 3:
        found |= Doubt.KEYPAD_LETTERS
    elif any(character.isalpha() for character in plain):
        found |= _dropped(plain, digits, number)
        if not _is_in_one_piece(plain, number.national_digits):
            found |= Doubt.LETTERS_BETWEEN_DIGITS
    if number.extension and len(number.extension) >= min(len(number.national_digits), _EXTENSION_DIGITS_MAX + 1):
        found |= Doubt.SECOND_NUMBER
    return found


def _is_in_one_piece(plain: str, national: str) -> bool:
    """True unless each occurrence of the national digits in a text has letters between them."""
    places = [place for place, character in enumerate(plain) if character.isdigit()]
    digits = "".join(plain[place] for place in places)
    start = digits.find(national)
    occurs = start >= 0
    while start >= 0:
        between = plain[places[start] : places[start + len(national) - 1]]
        if not any(character.isalpha() for character in between):
            return True
        start = digits.find(national, start + 1)
    return not occurs


def _dropped(plain: str, digits: str, number: Number) -> Doubt:
    """The doubt about omitted text or digits beside a number and its extension."""
    found, text = _NONE, _URI.sub("", plain)
    if number.extension:
        head, _, tail = text.rpartition(number.extension)
        text = _LABEL.sub("", head) + tail
    if any(character.isalpha() for character in text):
        found |= Doubt.TEXT_DROPPED
    used = len(number.national_digits) + len(number.extension or "")
    # Labels before or after a number do no harm; omitted digits do.
    if len(digits) - len(str(number.calling_code)) - 3 > used and not plain.lower().startswith("tel:"):
        found |= Doubt.DIGITS_DROPPED | Doubt.TEXT_DROPPED
    return found
