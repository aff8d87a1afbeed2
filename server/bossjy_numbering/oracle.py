"""Answers of the package `phonenumbers` itself, in our types: the reference for the tables, and the slow path.

Source: `phonenumbers.phonenumberutil`; numbers in a running text: `find.py`.
"""

from __future__ import annotations

import phonenumbers
from phonenumbers import PhoneNumber

from bossjy_numbering.types import (
    Format,
    MatchType,
    Number,
    NumberType,
    ParseError,
    PossibleReason,
    not_a_number,
)

# Its 2,000 patterns exceed `re`'s own cache of 512; without this, each answer compiles some of them anew.
phonenumbers.enable_pattern_cache()

VERSION: str = phonenumbers.__version__


def answer(text: str, default_region: str | None) -> Number:
    """The answer of `phonenumbers` for a text. Never raises for a str."""
    try:
        parsed = phonenumbers.parse(text, default_region)
    except phonenumbers.NumberParseException as refusal:
        return not_a_number(ParseError(refusal.error_type + 1))
    return describe(parsed)


def describe(parsed: PhoneNumber) -> Number:
    """The answer of `phonenumbers` for a number that it parsed."""
    region = phonenumbers.region_code_for_number(parsed)
    number_type = phonenumbers.number_type(parsed)
    reason = PossibleReason(phonenumbers.is_possible_number_with_reason(parsed))
    leading_zeros = 0
    if parsed.italian_leading_zero:
        leading_zeros = 1 if parsed.number_of_leading_zeros is None else parsed.number_of_leading_zeros
    return Number(
        calling_code=parsed.country_code or 0,
        national_number=parsed.national_number or 0,
        italian_leading_zero=bool(parsed.italian_leading_zero),
        number_of_leading_zeros=leading_zeros,
        extension=parsed.extension,
        e164=phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164),
        region=region,
        type=NumberType(number_type),
        # `is_valid_number` is this, for the region that is already known.
        valid=region is not None and phonenumbers.is_valid_number_for_region(parsed, region),
        possible=reason in (PossibleReason.IS_POSSIBLE, PossibleReason.IS_POSSIBLE_LOCAL_ONLY),
        possible_reason=reason,
        error=ParseError.NONE,
    )


def as_phone_number(number: Number) -> PhoneNumber:
    """The number as a `phonenumbers` object. The number must be one (`error` NONE)."""
    zeros = number.number_of_leading_zeros
    return PhoneNumber(
        country_code=number.calling_code,
        national_number=number.national_number,
        extension=number.extension,
        italian_leading_zero=number.italian_leading_zero or None,
        # `phonenumbers` omits a single zero; if it were set, equal numbers would compare unequal.
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )


def write(number: Number, form: Format) -> str:
    """The number in a format. The number must be one (`error` NONE)."""
    return phonenumbers.format_number(as_phone_number(number), int(form))


def write_dialled_from(number: Number, region: str) -> str:
    """The number as it is dialled from a region. The number must be one (`error` NONE)."""
    return phonenumbers.format_out_of_country_calling_number(as_phone_number(number), region)


def compare(first: str, second: str, first_region: str | None = None, second_region: str | None = None) -> MatchType:
    """The certainty that two texts are the same number; each is read with or without a region."""
    try:
        sides = [
            phonenumbers.parse(text, region) if region else text
            for text, region in ((first, first_region), (second, second_region))
        ]
    except phonenumbers.NumberParseException:
        return MatchType.NOT_A_NUMBER
    return MatchType(phonenumbers.is_number_match(*sides))
