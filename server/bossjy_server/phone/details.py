"""Full view of numbers: formats, carrier, place, time zones. Tables are loaded at the first request."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bossjy_numbering import Format, Number, ParseError, Plan
from bossjy_numbering.enrich import Enrichment, load_enrichment
from bossjy_server.blocking import in_thread


@dataclass(frozen=True, slots=True)
class Details:
    """The additional fields of the full view of a number."""

    international_format: str
    national_format: str
    rfc3966_format: str
    carrier: str
    carrier_reliable: bool
    place: str
    time_zones: Sequence[str]


class DetailTables:
    """Answers from the plan's formats and from the tables of carriers, places and time zones in `cache_dir`."""

    def __init__(self, plan: Plan, cache_dir: Path) -> None:
        self._plan, self._cache_dir = plan, cache_dir
        self._loading = asyncio.Lock()
        self._enrichment: Enrichment | None = None

    async def load(self) -> Enrichment:
        """The tables. Takes seconds the first time, longer the first time for a metadata version."""
        if self._enrichment is None:
            async with self._loading:
                if self._enrichment is None:
                    self._enrichment = await in_thread(load_enrichment, self._cache_dir)
        return self._enrichment

    def of(self, tables: Enrichment, number: Number, language: str) -> Details | None:
        """The details of one number; None for a text that is not a number."""
        if number.error is not ParseError.NONE:
            return None
        return Details(
            international_format=self._plan.format(number, Format.INTERNATIONAL),
            national_format=self._plan.format(number, Format.NATIONAL),
            rfc3966_format=self._plan.format(number, Format.RFC3966),
            carrier=tables.carrier(number, language),
            carrier_reliable=tables.is_carrier_reliable(number),
            place=tables.place(number, language),
            time_zones=tables.time_zones(number),
        )
