"""Carrier, place and time zone of one number, and the object for callers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.cache import compiled_or_built, default_cache_dir
from bossjy_numbering.column.result import NumberColumn
from bossjy_numbering.enrich import columns
from bossjy_numbering.enrich.build import build_aside, tables_name
from bossjy_numbering.enrich.labels import Labels
from bossjy_numbering.enrich.tables import CARRIED, EnrichTables, Reading
from bossjy_numbering.enrich.zones import UNKNOWN
from bossjy_numbering.types import Number, NumberType


class Enrichment:
    """The tables of one metadata version. Immutable: threads may share it. Pickles as its cache folder.

    A language is a BCP 47 tag: `en`, `zh`, `zh-Hant`. `phonenumbers` takes its parts one by one; here `zh-Hant` is
    language zh with script Hant. A language without names of its own falls back as in libphonenumber. No method raises
    for an invalid number or a text that is not a number: it has no carrier, place or time zone.
    """

    def __init__(self, tables: EnrichTables, cache_dir: Path) -> None:
        self.tables = tables
        self._cache_dir = cache_dir

    def __reduce__(self) -> tuple[Callable[[Path | None], Enrichment], tuple[Path | None]]:
        return load_enrichment, (self._cache_dir,)

    @property
    def version(self) -> str:
        """Version of libphonenumber's metadata: `9.0.43`."""
        return self.tables.version

    def place(self, number: Number, language: str = "en", user_region: str | None = None) -> str:
        """The place of a number: `phonenumbers.geocoder.description_for_number`. Empty if unknown.

        With a `user_region`, numbers of other regions get the name of their region instead of the place.
        """
        if number.type == NumberType.UNKNOWN:
            return ""
        if (number.calling_code, number.type) not in self.tables.geographic_kinds:
            return self._country(number, self.tables.reading(language))
        return self.place_of_valid(number, language, user_region)

    def place_of_valid(self, number: Number, language: str = "en", user_region: str | None = None) -> str:
        """The same without a check of the type: `phonenumbers.geocoder.description_for_valid_number`."""
        if number.error:
            return ""
        tables = self.tables
        if user_region is not None and user_region != number.region:
            region = tables.countries.regions.get(number.region or "", -1)
            return tables.texts[int(tables.reading(language).countries[region])]
        digits = number.e164[1:]
        reading = tables.reading(language, user_region)
        token = tables.tokens.get(number.calling_code)
        if token is not None and number.national_digits.startswith(token.token):
            reading = tables.reading(language, token.region)
            digits = token.digits(digits)
        found = reading.place_view[tables.places.intervals.value(digits)]
        return tables.texts[found] or self._country(number, reading)

    def carrier(self, number: Number, language: str = "en") -> str:
        """The original carrier of a mobile number: `phonenumbers.carrier.name_for_number`. Empty if unknown."""
        return self.carrier_of_valid(number, language) if number.type in CARRIED else ""

    def carrier_of_valid(self, number: Number, language: str = "en") -> str:
        """The same without a check of the type: `phonenumbers.carrier.name_for_valid_number`."""
        if number.error:
            return ""
        carriers = self.tables.carriers.intervals
        return self.tables.texts[self.tables.reading(language).carrier_view[carriers.value(number.e164[1:])]]

    def safe_carrier(self, number: Number, language: str = "en") -> str:
        """The carrier where numbers cannot be ported: `phonenumbers.carrier.safe_display_name`."""
        return "" if number.region in self.tables.portable else self.carrier(number, language)

    def is_carrier_reliable(self, number: Number) -> bool:
        """True if a carrier is known, and the region does not let customers move numbers to another carrier."""
        return bool(self.safe_carrier(number))

    def time_zones(self, number: Number) -> tuple[str, ...]:
        """Names of time zones: `phonenumbers.timezone.time_zones_for_number`. `("Etc/Unknown",)` if unknown."""
        if number.type == NumberType.UNKNOWN:
            return UNKNOWN
        if (number.calling_code, number.type) not in self.tables.geographic_kinds:
            return self.tables.zones.lists[int(self.tables.zones.code_list[number.calling_code])]
        return self.time_zones_of_geographic(number)

    def time_zones_of_geographic(self, number: Number) -> tuple[str, ...]:
        """The same without a check of the type: `phonenumbers.timezone.time_zones_for_geographical_number`."""
        if number.error:
            return UNKNOWN
        return self.tables.zones.lists[self.tables.zones.intervals.value(number.e164[1:])]

    def place_column(self, column: NumberColumn, language: str = "en", user_region: str | None = None) -> Labels[str]:
        """`place` of each number of a column."""
        return columns.places(self.tables, column, language, user_region)

    def carrier_column(self, column: NumberColumn, language: str = "en") -> Labels[str]:
        """`carrier` of each number of a column."""
        return columns.carriers(self.tables, column, language)

    def carrier_reliable_column(self, column: NumberColumn) -> NDArray[np.bool_]:
        """`is_carrier_reliable` of each number of a column."""
        portable = np.array([*(region in self.tables.portable for region in column.regions), False])
        known = columns.carriers(self.tables, column, "en").indices > 0
        reliable: NDArray[np.bool_] = known & ~portable[column.region]
        return reliable

    def time_zone_column(self, column: NumberColumn) -> Labels[tuple[str, ...]]:
        """`time_zones` of each number of a column."""
        return columns.time_zones(self.tables, column)

    def _country(self, number: Number, reading: Reading) -> str:
        country = self.tables.countries.country(number.calling_code, number.national_digits)
        return self.tables.texts[int(reading.countries[country])]


def load_enrichment(cache_dir: Path | None = None) -> Enrichment:
    """The tables of the installed `phonenumbers`, read from a file in `cache_dir` (default: the user's cache folder).

    The wheel has them. A checkout has none: the first time for a version, a separate process builds them. RuntimeError
    if that fails.
    """
    return _kept(cache_dir or default_cache_dir())


@cache
def _kept(cache_dir: Path) -> Enrichment:
    return enrichment_from(cache_dir)


def enrichment_from(cache_dir: Path) -> Enrichment:
    """The same, read again."""
    return Enrichment(EnrichTables(*compiled_or_built(tables_name(), cache_dir, build_aside)), cache_dir)
