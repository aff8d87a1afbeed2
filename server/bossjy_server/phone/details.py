"""The full view of numbers: formats, carrier, place, time zones. Tables are loaded when first asked for."""

from __future__ import annotations

import asyncio
import threading
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
        self._loading = threading.Lock()
        self._enrichment: Enrichment | None = None

    def _tables(self) -> Enrichment:
        """The tables. Takes long the first time, longer the first time for a metadata version: call it in a thread."""
        with self._loading:
            if self._enrichment is None:
                self._enrichment = load_enrichment(self._cache_dir)
            return self._enrichment

    async def of(self, number: Number, language: str) -> Details | None:
        """The details of one number; None for a text that is not a number."""
        if number.error is not ParseError.NONE:
            return None
        tables = self._enrichment
        if tables is None:
            tables = await asyncio.to_thread(self._tables)
        return self._details(tables, number, language or _DEFAULT_LANGUAGE)

    def of_column(self, column: NumberColumn, language: str) -> list[Details | None]:
        """The details of each number of a column. To be called in a thread, as the other two."""
        tables, numbers = self._tables(), (column.number(row) for row in range(len(column)))
        chosen = language or _DEFAULT_LANGUAGE
        return [None if number.error else self._details(tables, number, chosen) for number in numbers]

    def carriers(self, column: NumberColumn, language: str) -> Labels[str]:
        """The carrier of each number of a column."""
        return self._tables().carrier_column(column, language or _DEFAULT_LANGUAGE)

    def places(self, column: NumberColumn, language: str) -> Labels[str]:
        """The place of each number of a column."""
        return self._tables().place_column(column, language or _DEFAULT_LANGUAGE)

    def _details(self, tables: Enrichment, number: Number, language: str) -> Details:
        return Details(
            international_format=self._plan.format(number, Format.INTERNATIONAL),
            national_format=self._plan.format(number, Format.NATIONAL),
            rfc3966_format=self._plan.format(number, Format.RFC3966),
            carrier=tables.carrier(number, language),
            place=tables.place(number, language),
            time_zones=tables.time_zones(number),
        )
