"""Time zones by prefix: lists of zones, and the list for given digits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.cache import Arrays
from bossjy_numbering.enrich.countries import CALLING_CODES
from bossjy_numbering.enrich.intervals import Intervals, flatten, smallest

# The answer for a number without a location, as in `phonenumbers.timezone`; number 0 of the lists.
UNKNOWN: tuple[str, ...] = ("Etc/Unknown",)


def pack_zones(prefixes: Mapping[str, tuple[str, ...]]) -> tuple[dict[str, Any], Arrays]:
    """Header and arrays of a `TimeZones`."""
    lists = {UNKNOWN: 0}
    values = {prefix: lists.setdefault(tuple(zones), len(lists)) for prefix, zones in prefixes.items()}
    width = max(map(len, prefixes))
    # A list of its own number 0 would be read as no entry, which is the same answer.
    starts, held = flatten(values.items(), width, lambda _, own: own)
    code_list = [_of_calling_code(str(code), values, width) for code in range(CALLING_CODES)]
    return {"width": width, "lists": [list(zones) for zones in lists]}, {
        "starts": starts,
        "values": held,
        "code_list": smallest(np.array(code_list, np.int64)),
    }


def _of_calling_code(code: str, values: Mapping[str, int], width: int) -> int:
    """Like `_country_level_time_zones_for_number`: it never tries only the first digit of a longer calling code."""
    return next((values[code[: 1 + size]] for size in range(width, 0, -1) if code[: 1 + size] in values), 0)


@dataclass(frozen=True, slots=True)
class TimeZones:
    """Time zones of numbers; lists by number, 0 is UNKNOWN."""

    intervals: Intervals
    lists: list[tuple[str, ...]]
    # (CALLING_CODES,): the list of a calling code as a whole.
    code_list: NDArray[np.unsignedinteger]


def unpack_zones(header: Mapping[str, Any], arrays: Arrays) -> TimeZones:
    """Inverse of `pack_zones`."""
    return TimeZones(
        Intervals(arrays["starts"], arrays["values"], header["width"]),
        [tuple(zones) for zones in header["lists"]],
        arrays["code_list"],
    )
