"""Short and emergency numbers of regions, by libphonenumber's ShortNumberInfo."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import phonenumbers
from phonenumbers.shortnumberinfo import is_carrier_specific_for_region

_DIGITS_MAX = 8
# The longest number that `phonenumbers` has.
SHORT_DIGITS_MAX = 15
_MARKS = str.maketrans("", "", " -.")


class ShortNumber(IntEnum):
    """The kind of a number that is dialled within its region only. Values of the contract's `ShortNumberKind`."""

    NONE = 0
    SHORT = 1
    EMERGENCY = 2


class ShortCost(IntEnum):
    """The cost of a call. Values of `phonenumbers.ShortNumberCost` plus one, so that zero means unspecified."""

    NOT_SAID = 0
    TOLL_FREE = 1
    STANDARD_RATE = 2
    PREMIUM_RATE = 3
    UNKNOWN = 4


class ShortInfo(NamedTuple):
    """The ShortNumberInfo of a text in a region."""

    possible: bool
    valid: bool
    emergency: bool
    connects_to_emergency: bool
    cost: ShortCost
    carrier_specific: bool
    sms_service: bool
    region: str


def short_number(text: str, region: str | None) -> ShortNumber:
    """The kind of short number that a text is in a region; NONE without a region."""
    digits = _digits(text)
    if region is None or digits is None or len(digits) > _DIGITS_MAX:
        return ShortNumber.NONE
    if phonenumbers.is_emergency_number(digits, region):
        return ShortNumber.EMERGENCY
    number = _as_phone_number(digits, region)
    return ShortNumber.SHORT if phonenumbers.is_valid_short_number_for_region(number, region) else ShortNumber.NONE


def short_info(text: str, region: str) -> ShortInfo:
    """A text read as a short number of a region."""
    digits = _digits(text)
    if digits is None or len(digits) > SHORT_DIGITS_MAX:
        return ShortInfo(False, False, False, False, ShortCost.NOT_SAID, False, False, region)
    number = _as_phone_number(digits, region)
    valid = bool(phonenumbers.is_valid_short_number_for_region(number, region))
    return ShortInfo(
        possible=bool(phonenumbers.is_possible_short_number_for_region(number, region)),
        valid=valid,
        emergency=bool(phonenumbers.is_emergency_number(digits, region)),
        connects_to_emergency=bool(phonenumbers.connects_to_emergency_number(digits, region)),
        cost=_cost(number, region) if valid else ShortCost.NOT_SAID,
        carrier_specific=valid and bool(is_carrier_specific_for_region(number, region)),
        sms_service=valid and bool(phonenumbers.is_sms_service_for_region(number, region)),
        region=region,
    )


def _digits(text: str) -> str | None:
    """The digits of a text with marks between them; None for other texts."""
    digits = text.translate(_MARKS)
    return digits if digits.isascii() and digits.isdigit() else None


def _as_phone_number(digits: str, region: str) -> phonenumbers.PhoneNumber:
    # The last zero of a text of zeros is its value.
    zeros = min(len(digits) - len(digits.lstrip("0")), len(digits) - 1)
    return phonenumbers.PhoneNumber(
        country_code=phonenumbers.country_code_for_region(region),
        national_number=int(digits),
        italian_leading_zero=True if zeros else None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )


def _cost(number: phonenumbers.PhoneNumber, region: str) -> ShortCost:
    return ShortCost(phonenumbers.expected_cost_for_region(number, region) + 1)
