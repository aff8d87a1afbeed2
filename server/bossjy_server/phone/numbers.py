"""What PhoneService does between request and response: one plan, long work in steps, pages of regions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import pyarrow as pa

from bossjy_numbering import (
    Explanation,
    Format,
    Found,
    Leniency,
    MatchType,
    Number,
    NumberColumn,
    ParseError,
    Plan,
    RegionInfo,
    Steps,
)
from bossjy_server.errors import InvalidArgument, NotFound, Reason, Violation
from bossjy_server.phone.arrow import Chunk
from bossjy_server.phone.shared_texts import answer_chunk, join_columns, region_column

# A column of texts: str, or an Arrow array of them.
Texts: TypeAlias = "Sequence[str] | pa.Array[Any]"


class Numbers:
    """Answers about numbers. Holds no state but the plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.version = plan.version
        self._region_codes = frozenset(region.code for region in plan.regions()) - {"001"}

    def validate(self, text: str, default_region: str) -> Number:
        """What one text says."""
        return self._plan.number(text, default_region or None)

    def column(self, texts: Texts, default_region: str, default_regions: Texts, *, field: str) -> Steps[NumberColumn]:
        """What each text says. Empty and null entries of `default_regions` mean `default_region`.

        `field`: path of `default_regions` in the request.
        Takes some 0.2 to 2 us a row, 4 us for a row with letters, and 100 us for a row with a phone context (RFC 3966).
        Raises InvalidArgument(COLUMNS_UNEQUAL).
        """
        if not len(default_regions):
            return (yield from self._plan.column_steps(texts, default_region or None))
        if len(default_regions) != len(texts):
            raise InvalidArgument(
                Reason.COLUMNS_UNEQUAL,
                f"{len(texts)} phone_numbers with {len(default_regions)} default_regions: send as many, or none",
                violations=[Violation(field, f"{len(texts)} entries, or none")],
            )
        given: Any = default_regions
        regions = given if isinstance(given, pa.Array) else pa.array(list(given), pa.string())
        return (yield from self._plan.column_steps(texts, region_column(regions, default_region)))

    def chunks(self, chunks: Sequence[Chunk], default_region: str) -> Steps[NumberColumn]:
        """What each text of an Arrow stream says."""
        parts: list[NumberColumn] = []
        for texts, regions in chunks:
            yield
            parts.append((yield from answer_chunk(self._plan, texts, regions, default_region)))
        if not parts:
            return (yield from self._plan.column_steps([], None))
        return join_columns(parts)

    def formats(self, text: str, default_region: str, calling_from: str) -> tuple[str, str, str, str, str]:
        """E.164, international, national, RFC 3966, and how it is dialled from a region (empty: not asked)."""
        number = self._plan.number(text, default_region or None)
        if number.error is not ParseError.NONE:
            raise InvalidArgument(
                Reason.NUMBER_NOT_PARSED,
                f"this text is not a number ({number.error.name}): ask ExplainNumber why",
                metadata={"error": number.error.name},
            )
        if calling_from and calling_from not in self._region_codes:
            raise InvalidArgument(
                Reason.INVALID_FIELD,
                "calling_from_region is no region of the plan: ListRegions names them, in capitals",
                violations=[Violation("calling_from_region", "a region of the plan, in capitals")],
            )
        dialled = self._plan.format_dialled_from(number, calling_from) if calling_from else ""
        international, national, rfc3966 = (
            self._plan.format(number, form) for form in (Format.INTERNATIONAL, Format.NATIONAL, Format.RFC3966)
        )
        return number.e164, international, national, rfc3966, dialled

    def match(self, first: str, second: str) -> MatchType:
        """Whether two texts are the same number."""
        return self._plan.match(first, second)

    def find(self, text: str, default_region: str, leniency: Leniency, limit: int) -> Steps[list[Found]]:
        """The first `limit` numbers in a running text."""
        return self._plan.find_steps(text, default_region or None, leniency, limit)

    def explain(self, text: str, default_region: str, language: str) -> Steps[Explanation]:
        """Why a text is valid or not. Fixes are tried one by one."""
        return self._plan.explain_steps(text, default_region or None, language)

    def region(self, region_code: str) -> RegionInfo:
        """One region; for `001` the first non-geographic calling code."""
        for region in self._plan.regions():
            if region.code == region_code:
                return region
        raise NotFound("region", message="the plan has no such region: ListRegions names them, in capitals")

    def regions(self, calling_code: int) -> list[RegionInfo]:
        """The regions (of one calling code, if not 0) by region code, then calling code."""
        return [one for one in self._plan.regions() if calling_code in (0, one.calling_code)]
