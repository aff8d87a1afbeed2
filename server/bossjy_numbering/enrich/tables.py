"""Tables of one metadata version, and their content for one language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import phonenumbers
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
# A caller may ask for any text as a language. Most of them read the same: the differences take 4 MB for all languages.
_TAGS = 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """Numbers of a language's texts: by set of names, and by region's number with a final 0 for NONE."""

    places: NDArray[np.int32]
    carriers: NDArray[np.int32]
    countries: NDArray[np.int32]
    # The first two again: plain ints out of a memory view cost a third of NumPy's scalars.
    place_view: memoryview
    carrier_view: memoryview


class EnrichTables:
    """The tables of the cache file, and structures derived from them. Nothing may be changed."""

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
        # (CALLING_CODES, 256): true if numbers of a calling code and NumberType have a place; and the true ones.
        self.geographic = _geographic()
        self.geographic_kinds = frozenset(zip(*map(np.ndarray.tolist, np.nonzero(self.geographic)), strict=True))
        self.carried = np.isin(np.arange(256), CARRIED)
        self._readings: dict[tuple[str, str | None], Reading] = {}
        self._serving: dict[tuple[str, ...], NDArray[np.int32]] = {}

    def reading(self, tag: str, region: str | None = None) -> Reading:
        """The content for a language. `region` is the reader's, if the tag names none."""
        reading = self._readings.get((tag, region))
        if reading is None:
            reading = self._reading(tag, region)
            if len(self._readings) >= _TAGS:
                self._readings.clear()
            self._readings[tag, region] = reading
        return reading

    def _reading(self, tag: str, region: str | None) -> Reading:
        language, script, own_region = parse_language(tag)
        keys = names_in_order(language, script, own_region or region)
        places = self._names_serving("place", self.places, keys)
        carriers = self._names_serving("carrier", self.carriers, keys)
        countries = self.countries.names_in(language)
        return Reading(places, carriers, countries, memoryview(places), memoryview(carriers))

    def _names_serving(self, part: str, names: PrefixNames, keys: Sequence[str]) -> NDArray[np.int32]:
        known = names.known(keys)
        serving = self._serving.get((part, *known))
        if serving is None:
            serving = self._serving[part, *known] = names.serving(known)
        return serving


def _geographic() -> NDArray[np.bool_]:
    table = np.zeros((CALLING_CODES, 256), np.bool_)
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        for kind in NumberType:
            table[code, kind] = is_number_type_geographical(kind, code)
    return table
