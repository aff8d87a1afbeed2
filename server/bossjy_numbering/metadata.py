"""Metadata of the installed `phonenumbers` as plain values: the source of the tables.

A snapshot keeps these values, so that the plan of an earlier version can be built again and compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberDesc

from bossjy_numbering.types import NumberType

# The order in which libphonenumber tries the kinds of number; fixed line and mobile come last (rule 20).
TYPE_ORDER = (
    (NumberType.PREMIUM_RATE, "premium_rate"),
    (NumberType.TOLL_FREE, "toll_free"),
    (NumberType.SHARED_COST, "shared_cost"),
    (NumberType.VOIP, "voip"),
    (NumberType.PERSONAL_NUMBER, "personal_number"),
    (NumberType.PAGER, "pager"),
    (NumberType.UAN, "uan"),
    (NumberType.VOICEMAIL, "voicemail"),
    (NumberType.FIXED_LINE, "fixed_line"),
    (NumberType.MOBILE, "mobile"),
)


@dataclass(frozen=True, slots=True)
class NumberClass:
    """A pattern of national numbers, and the lengths it is valid for (empty: those of the pattern)."""

    pattern: str
    lengths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RegionRules:
    """The plan of one region, or of one non-geographic calling code ("001")."""

    region: str
    calling_code: int
    general: NumberClass
    local_lengths: tuple[int, ...]
    # By NumberType value; missing if the region has no such numbers.
    classes: Mapping[int, NumberClass]
    mobile_like_fixed: bool
    leading_digits: str | None
    international_prefix: str | None
    national_prefix: str | None
    national_prefix_for_parsing: str | None
    national_prefix_rewriting: str | None


@dataclass(frozen=True, slots=True)
class PlanRules:
    """The whole plan. Regions of a calling code are in the order that decides (rules 11 and 17)."""

    version: str
    regions: tuple[RegionRules, ...]

    def by_calling_code(self) -> dict[int, list[RegionRules]]:
        """The regions of each calling code, the main region first."""
        grouped: dict[int, list[RegionRules]] = {}
        for rules in self.regions:
            grouped.setdefault(rules.calling_code, []).append(rules)
        return grouped

    def to_json(self) -> dict[str, Any]:
        """Plain values for a snapshot."""
        return asdict(self)


def rules_from_json(values: Mapping[str, Any]) -> PlanRules:
    """The rules from the values of `to_json`. KeyError, TypeError or ValueError for other values."""

    def number_class(held: Mapping[str, Any]) -> NumberClass:
        return NumberClass(str(held["pattern"]), tuple(int(length) for length in held["lengths"]))

    regions = []
    for held in values["regions"]:
        fields = dict(held)
        fields["general"] = number_class(held["general"])
        fields["local_lengths"] = tuple(int(length) for length in held["local_lengths"])
        fields["classes"] = {int(kind): number_class(one) for kind, one in held["classes"].items()}
        regions.append(RegionRules(**fields))
    return PlanRules(str(values["version"]), tuple(regions))


def installed_rules() -> PlanRules:
    """The rules of the installed `phonenumbers`."""
    regions = []
    for calling_code, codes in sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()):
        for region in codes:
            metadata = PhoneMetadata.metadata_for_region_or_calling_code(calling_code, region)
            if metadata is not None:
                regions.append(_region_rules(region, calling_code, metadata))
    return PlanRules(phonenumbers.__version__, tuple(regions))


def _region_rules(region: str, calling_code: int, metadata: PhoneMetadata) -> RegionRules:
    general = metadata.general_desc
    classes = {}
    for kind, attribute in TYPE_ORDER:
        held = _number_class(getattr(metadata, attribute))
        if held is not None:
            classes[int(kind)] = held
    return RegionRules(
        region=region,
        calling_code=calling_code,
        general=_number_class(general) or NumberClass("", ()),
        local_lengths=tuple(general.possible_length_local_only) if general is not None else (),
        classes=classes,
        mobile_like_fixed=bool(metadata.same_mobile_and_fixed_line_pattern),
        leading_digits=metadata.leading_digits,
        international_prefix=metadata.international_prefix,
        national_prefix=metadata.national_prefix,
        national_prefix_for_parsing=metadata.national_prefix_for_parsing or None,
        national_prefix_rewriting=metadata.national_prefix_transform_rule or None,
    )


def _number_class(description: PhoneNumberDesc | None) -> NumberClass | None:
    if description is None or not description.national_number_pattern:
        return None
    return NumberClass(description.national_number_pattern, tuple(description.possible_length))
