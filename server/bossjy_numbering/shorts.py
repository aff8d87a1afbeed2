"""Short and emergency numbers of regions, by libphonenumber's ShortNumberInfo."""

from __future__ import annotations

from enum import IntEnum

import phonenumbers

_DIGITS_MAX = 8


class ShortNumber(IntEnum):
    """Whether a text is a number that is dialled within its region only. Values of the contract's `ShortNumberKind`."""

    NONE = 0
    SHORT = 1
    EMERGENCY = 2


def short_number(text: str, region: str | None) -> ShortNumber:
    """The kind of short number that a text is in a region; NONE without a region."""
    digits = "".join(character for character in text if character not in " -.")
    if region is None or not digits.isascii() or not digits.isdigit() or len(digits) > _DIGITS_MAX:
        return ShortNumber.NONE
    if phonenumbers.is_emergency_number(digits, region):
        return ShortNumber.EMERGENCY
    code = phonenumbers.country_code_for_region(region)
    zeros = len(digits) - len(digits.lstrip("0"))
    number = phonenumbers.PhoneNumber(
        country_code=code,
        national_number=int(digits),
        italian_leading_zero=True if zeros else None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )
    return ShortNumber.SHORT if phonenumbers.is_valid_short_number_for_region(number, region) else ShortNumber.NONE
