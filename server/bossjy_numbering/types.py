"""Answers for a phone number: plain values that any caller can keep, compare and pickle.

Names and numeric values are libphonenumber's own (through the package `phonenumbers`) unless a line says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple


class NumberType(IntEnum):
    """The kind of line. Values of `phonenumbers.PhoneNumberType`."""

    FIXED_LINE = 0
    MOBILE = 1
    FIXED_LINE_OR_MOBILE = 2
    TOLL_FREE = 3
    PREMIUM_RATE = 4
    SHARED_COST = 5
    VOIP = 6
    PERSONAL_NUMBER = 7
    PAGER = 8
    UAN = 9
    VOICEMAIL = 10
    UNKNOWN = 99


class PossibleReason(IntEnum):
    """The result for the length. Values of `phonenumbers.ValidationResult`; NOT_PARSED for a text without a number."""

    IS_POSSIBLE = 0
    INVALID_COUNTRY_CODE = 1
    TOO_SHORT = 2
    TOO_LONG = 3
    IS_POSSIBLE_LOCAL_ONLY = 4
    INVALID_LENGTH = 5
    NOT_PARSED = 255


class ParseError(IntEnum):
    """The reason why a text is not a number. Values of `phonenumbers.NumberParseException` plus one; 0 means none."""

    NONE = 0
    INVALID_COUNTRY_CODE = 1
    NOT_A_NUMBER = 2
    TOO_SHORT_AFTER_IDD = 3
    TOO_SHORT_NSN = 4
    TOO_LONG = 5


class InvalidReason(IntEnum):
    """The first problem of a text that is not a valid number. Values of the contract's `InvalidReason`."""

    NONE = 0
    NOT_A_NUMBER = 1
    INVALID_COUNTRY_CODE = 2
    TOO_SHORT_AFTER_IDD = 3
    TOO_SHORT_NSN = 4
    TOO_SHORT = 5
    TOO_LONG = 6
    INVALID_LENGTH = 7
    LOCAL_ONLY = 8
    NOT_IN_PLAN = 9


class Format(IntEnum):
    """The format of a written number. Values of `phonenumbers.PhoneNumberFormat`."""

    E164 = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    RFC3966 = 3


class MatchType(IntEnum):
    """The certainty that two numbers are the same. Values of `phonenumbers.MatchType`."""

    NOT_A_NUMBER = 0
    NO_MATCH = 1
    SHORT_NSN_MATCH = 2
    NSN_MATCH = 3
    EXACT_MATCH = 4


class Leniency(IntEnum):
    """The strictness of `Plan.find`. Values of `phonenumbers.Leniency`."""

    POSSIBLE = 0
    VALID = 1
    STRICT_GROUPING = 2
    EXACT_GROUPING = 3


# By ParseError, then by PossibleReason: the reason that a caller gets.
_REASON_OF_ERROR = {
    ParseError.INVALID_COUNTRY_CODE: InvalidReason.INVALID_COUNTRY_CODE,
    ParseError.NOT_A_NUMBER: InvalidReason.NOT_A_NUMBER,
    ParseError.TOO_SHORT_AFTER_IDD: InvalidReason.TOO_SHORT_AFTER_IDD,
    ParseError.TOO_SHORT_NSN: InvalidReason.TOO_SHORT_NSN,
    ParseError.TOO_LONG: InvalidReason.TOO_LONG,
}
_REASON_OF_LENGTH = {
    PossibleReason.IS_POSSIBLE: InvalidReason.NOT_IN_PLAN,
    PossibleReason.INVALID_COUNTRY_CODE: InvalidReason.INVALID_COUNTRY_CODE,
    PossibleReason.TOO_SHORT: InvalidReason.TOO_SHORT,
    PossibleReason.TOO_LONG: InvalidReason.TOO_LONG,
    PossibleReason.IS_POSSIBLE_LOCAL_ONLY: InvalidReason.LOCAL_ONLY,
    PossibleReason.INVALID_LENGTH: InvalidReason.INVALID_LENGTH,
}


def invalid_reason(*, valid: bool, error: ParseError, possible_reason: PossibleReason) -> InvalidReason:
    """The first problem of a number, or NONE for a valid one."""
    if valid:
        return InvalidReason.NONE
    if error != ParseError.NONE:
        return _REASON_OF_ERROR[error]
    return _REASON_OF_LENGTH[possible_reason]


class Number(NamedTuple):
    """The answer for a text. If `error` is not NONE, the other fields are meaningless.

    The text itself is not stored: it may contain more than the number. A named tuple, because one is made for each
    call and a frozen dataclass costs four times as much.
    """

    # 0 if the text is not a number.
    calling_code: int
    # The value of the digits after the calling code, without leading zeros.
    national_number: int
    # Zeros before that value, and their count. libphonenumber's «Italian» zeros; every region may have them.
    italian_leading_zero: bool
    number_of_leading_zeros: int
    # The digits of the extension, or None.
    extension: str | None
    # `+8613800000000`; empty if the text is not a number. Numbers that are not valid have one too.
    e164: str
    # `phonenumbers.region_code_for_number`: "001" for non-geographic calling codes. If a calling code has only one
    # region, it is that region even if the number is not valid.
    region: str | None
    type: NumberType
    valid: bool
    # `phonenumbers.is_possible_number`: IS_POSSIBLE or IS_POSSIBLE_LOCAL_ONLY.
    possible: bool
    possible_reason: PossibleReason
    error: ParseError

    @property
    def national_digits(self) -> str:
        """The digits after the calling code, leading zeros included; empty if the text is not a number."""
        if self.error != ParseError.NONE:
            return ""
        return "0" * self.number_of_leading_zeros + str(self.national_number)

    @property
    def reason(self) -> InvalidReason:
        """The first problem of the number; NONE for a valid number."""
        return invalid_reason(valid=self.valid, error=self.error, possible_reason=self.possible_reason)


def not_a_number(error: ParseError) -> Number:
    """The answer for a text that is not a number."""
    return _REFUSED[error]


_REFUSED: dict[ParseError, Number] = {
    error: Number(0, 0, False, 0, None, "", None, NumberType.UNKNOWN, False, False, PossibleReason.NOT_PARSED, error)
    for error in ParseError
    if error != ParseError.NONE
}


@dataclass(frozen=True, slots=True)
class Found:
    """A number in a running text: characters `start` to `end` (exclusive) are `raw`."""

    start: int
    end: int
    raw: str
    number: Number


@dataclass(frozen=True, slots=True)
class RegionInfo:
    """The plan of one region, or of one non-geographic calling code (`code` is "001" then)."""

    code: str
    calling_code: int
    # The main region of the calling code; None for "001".
    main_region: str | None
    national_prefix: str | None
    # A regular expression; None if there is none.
    international_prefix: str | None
    possible_lengths: tuple[int, ...]
    types: tuple[NumberType, ...]
    # A valid number in E.164, or None if the plan has none.
    example: str | None
