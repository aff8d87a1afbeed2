"""Descriptions of regions for people: names of number parts, lengths, kinds of number, one example."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import phonenumbers
from phonenumbers import PhoneMetadata

from bossjy_numbering import oracle
from bossjy_numbering.types import Number, NumberType, RegionInfo

NON_GEOGRAPHIC = "001"


def region_codes() -> tuple[str, ...]:
    """All region codes in order, "001" first: the targets of a column's region index."""
    return (NON_GEOGRAPHIC, *sorted(phonenumbers.SUPPORTED_REGIONS))


def describe_regions() -> tuple[RegionInfo, ...]:
    """All regions, by region code and then calling code; the non-geographic calling codes come first."""
    return tuple(
        _describe(region, code)
        for region, code in sorted(
            (region, code) for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items() for region in regions
        )
    )


def regions_of(described: Iterable[Mapping[str, Any]]) -> tuple[RegionInfo, ...]:
    """The regions from their fields, as a file of tables has them."""
    return tuple(
        RegionInfo(
            **{
                **fields,
                "possible_lengths": tuple(fields["possible_lengths"]),
                "types": tuple(map(NumberType, fields["types"])),
            }
        )
        for fields in described
    )


def example_numbers(region: RegionInfo) -> tuple[tuple[NumberType, Number], ...]:
    """A valid number for each type of a region, if the plan has one."""
    found = []
    for kind in region.types:
        if region.code == NON_GEOGRAPHIC:
            example = phonenumbers.example_number_for_non_geo_entity(region.calling_code)
        else:
            example = phonenumbers.example_number_for_type(region.code, int(kind))
        if example is not None:
            found.append((kind, oracle.describe(example)))
    return tuple(found)


def is_valid_in(number: Number, region: RegionInfo) -> bool:
    """True if a number is valid in a region. A number can be valid in several regions that share a calling code."""
    if region.calling_code != number.calling_code:
        return False
    return bool(phonenumbers.is_valid_number_for_region(oracle.as_phone_number(number), region.code))


def _describe(region: str, calling_code: int) -> RegionInfo:
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(calling_code, region)
    if metadata is None or metadata.general_desc is None:
        raise LookupError(f"phonenumbers has no metadata for {region} +{calling_code}")
    geographic = region != NON_GEOGRAPHIC
    if geographic:
        types = phonenumbers.supported_types_for_region(region)
        example = phonenumbers.example_number(region)
    else:
        types = phonenumbers.supported_types_for_non_geo_entity(calling_code)
        example = phonenumbers.example_number_for_non_geo_entity(calling_code)
    return RegionInfo(
        code=region,
        calling_code=calling_code,
        main_region=phonenumbers.region_code_for_country_code(calling_code) if geographic else None,
        national_prefix=metadata.national_prefix,
        international_prefix=metadata.international_prefix,
        possible_lengths=tuple(sorted(metadata.general_desc.possible_length)),
        types=tuple(sorted(NumberType(kind) for kind in types)),
        example=None if example is None else oracle.describe(example).e164,
    )
