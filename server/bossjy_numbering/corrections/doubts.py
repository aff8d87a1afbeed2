"""Doubts about a valid answer: libphonenumber's yes that depends on a questionable reading of the text."""

from __future__ import annotations

import re
from enum import IntFlag

from bossjy_numbering.corrections.cells import without_decimals, written_out
from bossjy_numbering.corrections.normal import with_digits_for_letters
from bossjy_numbering.types import Number

_LETTERS = re.compile(r"[A-Za-z]")
_EXTENSION_DIGITS_MAX = 7


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


# With one of these, the number can be another than the one that the text means.
QUESTIONABLE = (
    Doubt.KEYPAD_LETTERS
    | Doubt.EXPONENT
    | Doubt.DECIMAL_POINT
    | Doubt.SECOND_NUMBER
    | Doubt.TEXT_DROPPED
    | Doubt.LETTERS_FOR_DIGITS
)


def doubts_of(plain: str, number: Number, region: str | None) -> Doubt:
    """The doubts about a valid `number` that a normalised text was read as."""
    found = Doubt.NONE
    if region and "+" not in plain:
        found |= Doubt.REGION_ASSUMED
    if plain.isascii() and plain.isdigit():
        return found
    digits = "".join(filter(str.isdigit, plain))
    if written_out(plain) is not None:
        return found | Doubt.EXPONENT
    if without_decimals(plain) is not None:
        return found | Doubt.DECIMAL_POINT
    if with_digits_for_letters(plain) != plain:
        found |= Doubt.LETTERS_FOR_DIGITS
    letters = sum(1 for _ in _LETTERS.finditer(plain))
    if number.national_digits not in digits and letters >= 3:
        found |= Doubt.KEYPAD_LETTERS
    elif any(character.isalpha() for character in plain) and not plain.lower().startswith("tel:"):
        used = len(number.national_digits) + len(number.extension or "")
        # Labels before or after a number do no harm; digits that were left out do.
        if len(digits) - len(str(number.calling_code)) - 3 > used:
            found |= Doubt.TEXT_DROPPED
    if number.extension and len(number.extension) > _EXTENSION_DIGITS_MAX:
        found |= Doubt.SECOND_NUMBER
    return found
