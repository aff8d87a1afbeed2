"""Answers of `bossjy_numbering` to messages of the contract."""

from __future__ import annotations

from bossjy.phone.v1 import number_pb2, phone_service_pb2, region_pb2
from bossjy_numbering import MatchType, Number, NumberType, ParseError, PossibleReason, RegionInfo

_UNKNOWN_TYPE = number_pb2.NUMBER_TYPE_UNKNOWN
_NOT_PARSED = number_pb2.POSSIBILITY_UNSPECIFIED


def type_of(number_type: NumberType) -> number_pb2.NumberType.ValueType:
    """The contract's type: libphonenumber's value plus one, so that zero can mean «not said»."""
    if number_type is NumberType.UNKNOWN:
        return _UNKNOWN_TYPE
    return number_pb2.NumberType.ValueType(number_type + 1)


def possibility_of(reason: PossibleReason) -> number_pb2.Possibility.ValueType:
    """The contract's possibility: libphonenumber's value plus one."""
    if reason is PossibleReason.NOT_PARSED:
        return _NOT_PARSED
    return number_pb2.Possibility.ValueType(reason + 1)


def match_of(match: MatchType) -> number_pb2.MatchType.ValueType:
    """The contract's match: libphonenumber's value plus one."""
    return number_pb2.MatchType.ValueType(match + 1)


def response_of(number: Number) -> phone_service_pb2.ValidateNumberResponse:
    """The basic view of one number, without the metadata version."""
    reason = number_pb2.InvalidReason.ValueType(number.reason)
    if number.error is not ParseError.NONE:
        return phone_service_pb2.ValidateNumberResponse(reason=reason)
    return phone_service_pb2.ValidateNumberResponse(
        valid=number.valid,
        possible=number.possible,
        reason=reason,
        possibility=possibility_of(number.possible_reason),
        e164=number.e164,
        calling_code=number.calling_code,
        national_number=number.national_digits,
        region_code=(number.region or "") if number.valid else "",
        type=type_of(number.type),
        extension=number.extension or "",
    )


def region_of(region: RegionInfo, display_name: str) -> region_pb2.Region:
    """One region of the plan."""
    return region_pb2.Region(
        region_code=region.code,
        calling_code=region.calling_code,
        display_name=display_name,
        main_region_code=region.main_region or "",
        national_prefix=region.national_prefix or "",
        international_prefix=region.international_prefix or "",
        possible_lengths=region.possible_lengths,
        types=[type_of(kind) for kind in region.types],
        example_number=region.example or "",
    )
