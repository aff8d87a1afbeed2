"""What may have been meant by a text that is not a valid number. Each fix that is offered is a valid number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

import phonenumbers

from bossjy_numbering.steps import Steps
from bossjy_numbering.types import Number, NumberType

# More fixes than this are no help.
MOST_FIXES = 5
# If a text fits more regions than this, none of them is likely.
MOST_REGIONS = 3


class FixKind(IntEnum):
    """What was done to make a text a valid number. Values of the contract's `FixKind`."""

    ADD_PLUS = 1
    REMOVE_TRUNK_PREFIX = 2
    ADD_DIGIT = 3
    REMOVE_DIGIT = 4
    RESTORE_LEADING_ZERO = 5
    REMOVE_DECIMAL = 6
    ASSUME_REGION = 7
    REMOVE_CHARACTERS = 8


@dataclass(frozen=True, slots=True)
class Fix:
    """A likely fix: what was done, and the valid number that it gives."""

    kind: FixKind
    number: Number


Ask = Callable[[str, "str | None"], Number]
_Candidate = tuple[FixKind, str, "str | None"]

# A spreadsheet's way to write large numbers: 1.38E+10.
_SCIENTIFIC = re.compile(r"\s*(\d)(?:[.,](\d+))?[eE]\+?(\d{1,2})\s*")
_DECIMAL = re.compile(r"(.*\d)[.,]0+\s*")


def is_unrecoverable(text: str) -> bool:
    """Whether a spreadsheet rounded the number: digits are lost, and no fix can know them."""
    match = _SCIENTIFIC.fullmatch(text)
    return match is not None and len(match[2] or "") < int(match[3])


def fix_steps(
    text: str, default_region: str | None, number: Number, regions: tuple[str, ...], ask: Ask
) -> Steps[tuple[Fix, ...]]:
    """Fixes for a text whose answer is `number`, the likeliest first; none for a valid one.

    `regions`: those to assume where none was given. `ask`: what the plan says of a text.
    """
    if number.valid or is_unrecoverable(text):
        return ()
    fixes: dict[str, Fix] = {}
    for kind, candidate, region in _candidates(text, default_region, number):
        yield
        meant = ask(candidate, region)
        if meant.valid:
            fixes.setdefault(meant.e164, Fix(kind, meant))
    if not fixes and default_region is None and not text.lstrip().startswith(("+", "\uff0b")):
        fixes = yield from _assumed(text, regions, ask)
    return tuple(fixes.values())[:MOST_FIXES]


def _candidates(text: str, region: str | None, number: Number) -> Iterator[_Candidate]:
    match = _SCIENTIFIC.fullmatch(text)
    if match is not None:
        digits = match[1] + (match[2] or "")
        yield FixKind.REMOVE_CHARACTERS, digits[: int(match[3]) + 1], region
        yield FixKind.ADD_PLUS, "+" + digits[: int(match[3]) + 1], region
    match = _DECIMAL.fullmatch(text)
    if match is not None:
        yield FixKind.REMOVE_DECIMAL, match[1], region
        yield FixKind.REMOVE_DECIMAL, "+" + match[1], region
    digits = "".join(character for character in text if character.isdecimal())
    plus = text.lstrip().startswith(("+", "\uff0b"))
    if not number.error:
        yield from _by_calling_code(number)
    if not plus:
        yield FixKind.ADD_PLUS, "+" + digits, None
        if digits.startswith("00"):
            yield FixKind.ADD_PLUS, "+" + digits[2:], None
    if digits != text:
        yield FixKind.REMOVE_CHARACTERS, ("+" if plus else "") + digits, region
    if not plus:
        yield FixKind.RESTORE_LEADING_ZERO, "0" + digits, region


def _by_calling_code(number: Number) -> Iterator[_Candidate]:
    """What goes wrong behind a calling code."""
    code, digits = f"+{number.calling_code}", number.national_digits
    if number.calling_code == 52 and digits.startswith("1"):
        # Mexico wrote a 1 before mobile numbers until 2019.
        yield FixKind.REMOVE_DIGIT, code + digits[1:], None
    if number.calling_code == 55 and len(digits) == 10:
        # Brazil put a 9 before mobile numbers, behind the area code, from 2012 to 2016.
        yield FixKind.ADD_DIGIT, code + digits[:2] + "9" + digits[2:], None
    if number.calling_code == 54 and len(digits) == 10:
        # Argentina's mobile numbers have a 9 when called from abroad.
        yield FixKind.ADD_DIGIT, code + "9" + digits, None
    main = phonenumbers.region_code_for_country_code(number.calling_code)
    trunk = phonenumbers.ndd_prefix_for_region(main, strip_non_digits=True)
    if trunk and digits.startswith(trunk):
        yield FixKind.REMOVE_TRUNK_PREFIX, code + digits.removeprefix(trunk), None
    if digits.startswith("0"):
        yield FixKind.REMOVE_TRUNK_PREFIX, code + digits.lstrip("0"), None
    yield FixKind.RESTORE_LEADING_ZERO, code + "0" + digits, None


def _assumed(text: str, regions: tuple[str, ...], ask: Ask) -> Steps[dict[str, Fix]]:
    """The regions in which a text without a region is a mobile number, if they are few."""
    meant: dict[str, Fix] = {}
    for region in regions:
        yield
        number = ask(text, region)
        if number.valid and number.region == region and number.type == NumberType.MOBILE:
            meant.setdefault(number.e164, Fix(FixKind.ASSUME_REGION, number))
            if len(meant) > MOST_REGIONS:
                return {}
    return meant
