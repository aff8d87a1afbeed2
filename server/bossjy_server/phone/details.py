"""The full view of numbers: formats, carrier, place, time zones. Tables are loaded when first asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bossjy_numbering import Format, Number, NumberColumn, ParseError, Plan
from bossjy_numbering.enrich import Enrichment, Labels, load_enrichment

_DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Details:
    """What the full view adds to a number."""

    international_format: str
    national_format: str
    rfc3966_format: str
    carrier: str
    place: str
    time_zones: Sequence[str]


class DetailTables:
    """Answers from the plan's formats and from the tables of carriers, places and time zones in `cache_dir`."""

    def __init__(self, plan: Plan, cache_dir: Path) -> None:
        self._plan, self._cache_dir = plan, cache_dir
        self._loading = asyncio.Lock()
        self._enrichment: Enrichment | None = None

    async def _tables(self) -> Enrichment:
        if self._enrichment is None:
            async with self._loading:  # by a thread: the first time for a metadata version they are built
                if self._enrichment is None:
                    self._enrichment = await asyncio.to_thread(load_enrichment, self._cache_dir)
        return self._enrichment

    async def of(self, number: Number, language: str) -> Details | None:
        """The details of one number; None for a text that is not a number."""
        if number.error is not ParseError.NONE:
            return None
        return self._details(await self._tables(), number, language or _DEFAULT_LANGUAGE)

    async def of_column(self, column: NumberColumn, language: str) -> list[Details | None]:
        """The details of each number of a column, by a thread."""
        tables = await self._tables()
        return await asyncio.to_thread(self._all_details, tables, column, language or _DEFAULT_LANGUAGE)

    async def carriers(self, column: NumberColumn, language: str) -> Labels[str]:
        """The carrier of each number of a column."""
        tables = await self._tables()
        return await asyncio.to_thread(tables.carrier_column, column, language or _DEFAULT_LANGUAGE)

    async def places(self, column: NumberColumn, language: str) -> Labels[str]:
        """The place of each number of a column."""
        tables = await self._tables()
        return await asyncio.to_thread(tables.place_column, column, language or _DEFAULT_LANGUAGE)

    def _all_details(self, tables: Enrichment, column: NumberColumn, language: str) -> list[Details | None]:
        numbers = (column.number(row) for row in range(len(column)))
        return [None if number.error else self._details(tables, number, language) for number in numbers]

    def _details(self, tables: Enrichment, number: Number, language: str) -> Details:
        return Details(
            international_format=self._plan.format(number, Format.INTERNATIONAL),
            national_format=self._plan.format(number, Format.NATIONAL),
            rfc3966_format=self._plan.format(number, Format.RFC3966),
            carrier=tables.carrier(number, language),
            place=tables.place(number, language),
            time_zones=tables.time_zones(number),
        )
