"""Regions and languages of requests, by either of their names: `default_region` or `region_code` (AIP-143), and so on.

An unknown region is rejected under either name. Only ExplainNumber reads other names of a region.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering import Plan, RegionHints
from bossjy_server.errors import InvalidArgument, Reason, Violation
from bossjy_server.phone.languages import DEFAULT_LANGUAGE, language_of

# libphonenumber's name of no region. A request names it so that the default region of its tenant does not apply.
NO_REGION = "ZZ"


class _InRegion(Protocol):
    default_region: str
    region_code: str


class _InLanguage(Protocol):
    language: str
    language_code: str


class Terms:
    """Reads regions of one plan."""

    def __init__(self, plan: Plan) -> None:
        # All but the non-geographic calling codes.
        self.regions = frozenset(region.code for region in plan.regions()) - {"001"}
        # Names that are no mistake.
        self.known = self.regions | {NO_REGION}
        self._hints = RegionHints()

    def region(self, request: _InRegion) -> str:
        """The region that a request names, NO_REGION included; empty: none. Raises InvalidArgument(INVALID_FIELD)."""
        if not request.region_code:
            return self.assumed(request.default_region, "default_region")
        refuse_two(request.default_region, request.region_code, "default_region", "region_code")
        return self.assumed(request.region_code, "region_code")

    def assumed(self, region: str, field: str) -> str:
        """A region that a text without a calling code has: as `checked`, or NO_REGION."""
        return region if region == NO_REGION else self.checked(region, field)

    def hint(self, request: _InRegion) -> str:
        """The same, but a region under its old name is not checked: it may be another name of a region."""
        return self.region(request) if request.region_code else request.default_region

    def checked(self, region: str, field: str) -> str:
        """A region of the plan, or empty. Raises InvalidArgument(INVALID_FIELD)."""
        if region and region not in self.regions:
            raise self._unknown(region, field, field)
        return region

    def check_rows(self, names: Sequence[str | None], codes: NDArray[np.int64], field: str) -> None:
        """Raise InvalidArgument(INVALID_FIELD) if a row's region `names[codes[row]]` is no region of the plan."""
        unknown = [place for place, name in enumerate(names) if name and name not in self.known]
        if unknown:
            row = int(np.flatnonzero(np.isin(codes, unknown))[0])
            raise self._unknown(names[codes[row]] or "", field, f"{field}, row {row} from 0,")

    def _unknown(self, region: str, field: str, place: str) -> InvalidArgument:
        # `86`, `CHN` and `China` name a region, and its code is what the caller needs.
        meant = self._hints.region(region)
        advice = f"use {meant}" if meant else "ListRegions names them, in capitals"
        return InvalidArgument(
            Reason.INVALID_FIELD,
            f"{place} is no region of the plan: {advice}",
            violations=[Violation(field, advice if meant else "a region of the plan, in capitals")],
            metadata={"region_code": meant} if meant else None,
        )


def asked_language(request: _InLanguage) -> str:
    """The language of a request, `en` by default. Raises InvalidArgument(LANGUAGE_UNKNOWN)."""
    if not request.language_code:
        return language_of(request.language) if request.language else DEFAULT_LANGUAGE
    refuse_two(request.language, request.language_code, "language", "language_code")
    return language_of(request.language_code, "language_code")


def refuse_two(old: object, new: object, old_name: str, new_name: str) -> None:
    """Raise InvalidArgument(INVALID_FIELD) if both names of a field are used, with different values."""
    if old and new and old != new:
        raise InvalidArgument(
            Reason.INVALID_FIELD,
            f"{new_name} and {old_name} are two names of one field, and differ: send {new_name} only",
            violations=[Violation(old_name, f"empty, or the same as {new_name}")],
        )
