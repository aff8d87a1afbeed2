"""All tables of one metadata version, and what one language reads in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from phonenumbers.phonenumberutil import is_number_type_geographical

from bossjy_numbering.cache import Arrays
from bossjy_numbering.enrich.build import arrays_of
from bossjy_numbering.enrich.countries import CALLING_CODES, Countries, unpack_countries
from bossjy_numbering.enrich.languages import names_in_order, parse_language
from bossjy_numbering.enrich.names import PrefixNames, unpack_names
from bossjy_numbering.enrich.tokens import MobileToken, mobile_tokens
from bossjy_numbering.enrich.zones import TimeZones, unpack_zones
from bossjy_numbering.types import NumberType

# Kinds of number that have a carrier: `phonenumbers.carrier._is_mobile`.
CARRIED = (NumberType.MOBILE, NumberType.FIXED_LINE_OR_MOBILE, NumberType.PAGER)
# More languages than this at once are laid out anew in turn; one takes 200 kB.
_LANGUAGES = 64
# Any text may be asked for as a language; most of them read the same.
_TAGS = 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """Numbers of texts that a language takes: by set of names, and by region's number with a 0 behind them."""

    places: NDArray[np.int32]
    carriers: NDArray[np.int32]
    countries: NDArray[np.int32]
    # The first two again: plain ints out of a memory view cost a third of NumPy's scalars.
    place_view: memoryview
    carrier_view: memoryview


class EnrichTables:
    """The tables as they are kept in the cache file, and what is made of them. Nothing may be changed."""

    def __init__(self, header: Mapping[str, Any], arrays: Arrays) -> None:
        self.version: str = header["version"]
        self.texts: list[str] = arrays["texts"].tobytes().decode().split("\n")
        self.places: PrefixNames = unpack_names(header["place"], arrays_of("place", arrays))
        self.carriers: PrefixNames = unpack_names(header["carrier"], arrays_of("carrier", arrays))
        self.countries: Countries = unpack_countries(header["country"], arrays_of("country", arrays))
        self.zones: TimeZones = unpack_zones(header["zone"], arrays_of("zone", arrays))
        self.portable = frozenset(header["portable"])
        self.tokens: dict[int, MobileToken] = mobile_tokens()
        self.nbytes = sum(array.nbytes for array in arrays.values())
        # (CALLING_CODES, 256): whether numbers of a calling code and NumberType lie somewhere; and the true ones.
        self.geographic = _geographic()
        self.geographic_kinds = frozenset(zip(*map(np.ndarray.tolist, np.nonzero(self.geographic)), strict=True))
        self.carried = np.isin(np.arange(256), CARRIED)
        self._by_tag: dict[tuple[str, str | None], Reading] = {}
        self._readings: dict[tuple[object, ...], Reading] = {}

    def reading(self, tag: str, region: str | None = None) -> Reading:
        """What a language reads. `region` is the reader's, where the tag names none."""
        reading = self._by_tag.get((tag, region))
        if reading is None:
            reading = self._reading(tag, region)
            if len(self._by_tag) >= _TAGS:
                self._by_tag.clear()
            self._by_tag[tag, region] = reading
        return reading

    def _reading(self, tag: str, region: str | None) -> Reading:
        language, script, own_region = parse_language(tag)
        keys = names_in_order(language, script, own_region or region)
        places, carriers = self.places.known(keys), self.carriers.known(keys)
        reads = (places, carriers, language if language in self.countries.languages else None)
        reading = self._readings.get(reads)
        if reading is None:
            of_places, of_carriers = self.places.serving(places), self.carriers.serving(carriers)
            reading = Reading(
                of_places,
                of_carriers,
                self.countries.names_in(language),
                memoryview(of_places),
                memoryview(of_carriers),
            )
            if len(self._readings) >= _LANGUAGES:
                self._readings.clear()
            self._readings[reads] = reading
        return reading


def _geographic() -> NDArray[np.bool_]:
    table = np.zeros((CALLING_CODES, 256), np.bool_)
    for code in range(CALLING_CODES):
        for kind in NumberType:
            table[code, kind] = is_number_type_geographical(kind, code)
    return table
