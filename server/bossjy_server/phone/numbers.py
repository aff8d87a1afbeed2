"""What PhoneService does between request and response: one plan, threads for what is long, pages of regions."""

from __future__ import annotations

import asyncio
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
)
from bossjy_server.errors import InvalidArgument, NotFound, Reason

# Texts longer than this are searched by a thread: on the event loop they would hold other calls up.
_INLINE_CHARACTERS = 500


# A column of texts: str, or an Arrow array of them.
Texts: TypeAlias = "Sequence[str] | pa.Array[Any]"


class Numbers:
    """Answers about numbers. Holds no state but the plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.version = plan.version

    def validate(self, text: str, default_region: str) -> Number:
        """What one text says."""
        return self._plan.number(text, default_region or None)

    def column(self, texts: Texts, default_region: str, default_regions: Texts) -> NumberColumn:
        """What each text says. Empty and null entries of `default_regions` mean `default_region`.

        Takes some 0.2 to 2 us a row: call it in a thread. Raises InvalidArgument(COLUMNS_UNEQUAL).
        """
        if not len(default_regions):
            return self._plan.column(texts, default_region or None)
        if len(default_regions) != len(texts):
            raise InvalidArgument(
                Reason.COLUMNS_UNEQUAL,
                f"{len(texts)} phone_numbers with {len(default_regions)} default_regions: send as many, or none",
            )
        return self._plan.column(texts, _filled(default_regions, default_region))

    def formats(self, text: str, default_region: str, calling_from: str) -> tuple[str, str, str, str, str]:
        """E.164, international, national, RFC 3966, and how it is dialled from a region (empty: not asked)."""
        number = self._plan.number(text, default_region or None)
        if number.error is not ParseError.NONE:
            raise InvalidArgument(
                Reason.NUMBER_NOT_PARSED,
                f"this text is not a number ({number.error.name}): ask ExplainNumber why",
            )
        dialled = self._plan.format_dialled_from(number, calling_from) if calling_from else ""
        international, national, rfc3966 = (
            self._plan.format(number, form) for form in (Format.INTERNATIONAL, Format.NATIONAL, Format.RFC3966)
        )
        return number.e164, international, national, rfc3966, dialled

    def match(self, first: str, second: str) -> MatchType:
        """Whether two texts are the same number."""
        return self._plan.match(first, second)

    async def find(self, text: str, default_region: str, leniency: Leniency, limit: int) -> list[Found]:
        """The first `limit` numbers in a running text."""
        region = default_region or None
        if len(text) <= _INLINE_CHARACTERS:
            return self._plan.find(text, region, leniency, limit)
        return await asyncio.to_thread(self._plan.find, text, region, leniency, limit)

    async def explain(self, text: str, default_region: str, language: str) -> Explanation:
        """Why a text is valid or not. By a thread: fixes are tried one by one."""
        return await asyncio.to_thread(self._plan.explain, text, default_region or None, language)

    def region(self, region_code: str) -> RegionInfo:
        """One region; for `001` the first non-geographic calling code."""
        for region in self._plan.regions():
            if region.code == region_code:
                return region
        raise NotFound("region", message="the plan has no such region: ListRegions names them, in capitals")

    def regions(self, calling_code: int) -> list[RegionInfo]:
        """The regions (of one calling code, if not 0) by region code, then calling code."""
        return [one for one in self._plan.regions() if calling_code in (0, one.calling_code)]


def _filled(regions: Texts, default_region: str) -> pa.Array[Any]:
    """The regions of rows as a dictionary array; `default_region` (empty: none) where a row has none."""
    column: Any = regions if isinstance(regions, pa.Array) else pa.array(list(regions), pa.string())
    named = column.dictionary_encode()
    names = [name or default_region or None for name in (*named.dictionary.to_pylist(), None)]
    return pa.DictionaryArray.from_arrays(named.indices.fill_null(len(names) - 1), pa.array(names, pa.string()))
