"""Conversion of answers of `bossjy_numbering` to messages of the contract."""

from __future__ import annotations

from collections.abc import Iterable

from bossjy.phone.v1 import number_pb2, phone_service_pb2, plan_pb2, region_pb2
from bossjy_numbering import (
    Difference,
    Doubt,
    Explanation,
    MatchType,
    Number,
    NumberType,
    ParseError,
    Plan,
    PlanDiff,
    PossibleReason,
    RegionInfo,
    ShortInfo,
)
from bossjy_server.lookup.provider import Answer
from bossjy_server.phone.details import Details

_UNKNOWN_TYPE = number_pb2.NUMBER_TYPE_UNKNOWN


def type_of(number_type: NumberType) -> number_pb2.NumberType.ValueType:
    """The contract's type: libphonenumber's value plus one, so that zero can mean «not said»."""
    if number_type is NumberType.UNKNOWN:
        return _UNKNOWN_TYPE
    return number_pb2.NumberType.ValueType(number_type + 1)


def possibility_of(reason: PossibleReason) -> number_pb2.Possibility.ValueType:
    """The contract's possibility of a text that was parsed: libphonenumber's value plus one."""
    return number_pb2.Possibility.ValueType(reason + 1)


def add_answer(response: phone_service_pb2.LookupNumberResponse, answer: Answer | None) -> None:
    """Add a provider's answer about a valid number."""
    if answer is None:
        response.outcome = number_pb2.LOOKUP_OUTCOME_UNKNOWN
        return
    response.outcome = number_pb2.LOOKUP_OUTCOME_FOUND
    response.carrier, response.line_status = answer.carrier, answer.line_status
    if answer.ported is not None:
        response.ported = answer.ported
    response.lookup_time.FromMilliseconds(int(answer.time_s * 1000))


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


def doubted_of(number: Number, doubts: int) -> phone_service_pb2.ValidateNumberResponse:
    """The same with its warnings, the bits of `doubts`."""
    response = response_of(number)
    if doubts:
        response.warnings.extend(warnings_of(Doubt(doubts)))
    return response


def add_details(response: phone_service_pb2.ValidateNumberResponse, details: Details | None) -> None:
    """Make a response the full view."""
    if details is not None:
        response.international_format = details.international_format
        response.national_format = details.national_format
        response.rfc3966_format = details.rfc3966_format
        response.carrier = details.carrier
        response.carrier_reliable = details.carrier_reliable
        response.place = details.place
        response.time_zones.extend(details.time_zones)


def short_of(info: ShortInfo) -> number_pb2.ShortNumber:
    """The findings about a short number."""
    return number_pb2.ShortNumber(
        possible=info.possible,
        valid=info.valid,
        emergency=info.emergency,
        connects_to_emergency=info.connects_to_emergency,
        expected_cost=number_pb2.ShortNumberCost.ValueType(info.cost),
        carrier_specific=info.carrier_specific,
        sms_service=info.sms_service,
        region_code=info.region,
    )


def region_of(
    region: RegionInfo, display_name: str, examples: Iterable[tuple[NumberType, Number]] = ()
) -> region_pb2.Region:
    """One region of the plan. `examples`: a number for each type."""
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
        example_numbers=[region_pb2.ExampleNumber(type=type_of(kind), e164=number.e164) for kind, number in examples],
    )


def explanation_of(explanation: Explanation) -> phone_service_pb2.ExplainNumberResponse:
    """The reasons why a text is valid or not, without the metadata version."""
    return phone_service_pb2.ExplainNumberResponse(
        number=response_of(explanation.number),
        failed_digit=explanation.failed_digit,
        explanation=explanation.text,
        fixes=[
            phone_service_pb2.NumberFix(
                kind=number_pb2.FixKind.ValueType(fix.kind),
                e164=fix.number.e164,
                region_code=fix.number.region or "",
                description=text,
                extension=fix.number.extension or "",
            )
            for fix, text in zip(explanation.fixes, explanation.fix_texts, strict=True)
        ],
        unrecoverable=explanation.unrecoverable,
        warnings=warnings_of(explanation.doubts),
        numbers=[reading_of(one, one.region or "") for one in explanation.numbers],
        candidates=[reading_of(one, one.region or "") for one in explanation.candidates],
        region_code=explanation.region or "",
        short_number_kind=number_pb2.ShortNumberKind.ValueType(explanation.short),
    )


def warnings_of(doubts: Doubt) -> list[number_pb2.NumberWarning.ValueType]:
    """The contract's warnings: the bits of `doubts`, counted from 1."""
    return [number_pb2.NumberWarning.ValueType(doubt.bit_length()) for doubt in Doubt if doubt and doubt in doubts]


def reading_of(number: Number, region_code: str) -> phone_service_pb2.NumberReading:
    """A valid number that a text can mean."""
    return phone_service_pb2.NumberReading(e164=number.e164, region_code=region_code, extension=number.extension or "")


def plan_of(plan: Plan, versions: list[str]) -> plan_pb2.NumberingPlan:
    """The plan of the answers."""
    regions = plan.regions()
    return plan_pb2.NumberingPlan(
        metadata_version=plan.version,
        region_count=sum(1 for region in regions if region.main_region),
        calling_code_count=len({region.calling_code for region in regions}),
        state_count=plan.tables.state_count,
        table_bytes=plan.tables.nbytes,
        comparable_versions=versions,
    )


def diff_of(diff: PlanDiff, region_code: str) -> phone_service_pb2.DiffNumberingPlansResponse:
    """The differences of one region, or of all if `region_code` is empty."""
    chosen = [one for one in diff.differences if region_code in ("", one.region or "")]
    return phone_service_pb2.DiffNumberingPlansResponse(
        differences=[_difference(one) for one in chosen],
        newly_valid_count=sum(one.newly_valid for one in chosen),
        newly_invalid_count=sum(one.newly_invalid for one in chosen),
        retyped_count=sum(one.retyped for one in chosen),
        from_version=diff.from_version,
        to_version=diff.to_version,
    )


def _difference(difference: Difference) -> plan_pb2.PlanDifference:
    return plan_pb2.PlanDifference(
        region_code=difference.region or "",
        calling_code=difference.calling_code,
        type=type_of(difference.type),
        newly_valid_count=difference.newly_valid,
        newly_invalid_count=difference.newly_invalid,
        retyped_count=difference.retyped,
        example_ranges=[
            plan_pb2.NumberRange(prefix=one.prefix, digits=one.digits, example_number=one.example)
            for one in difference.ranges[:10]
        ],
    )
