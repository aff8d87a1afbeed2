"""Numbering tables: arrays of states, outcomes, calling codes and regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Region ordinal of an outcome that names no region.
NO_REGION = 255
# No national number is longer, and no walk goes beyond; a row of lengths has an entry for each of them.
LENGTHS = 32


@dataclass(frozen=True, slots=True)
class RegionTable:
    """One region, or one non-geographic calling code, by its position in `Tables.regions`."""

    code: str
    calling_code: int
    # Position of its calling code in `Tables.calling_codes`.
    calling_code_index: int
    # Its bit in an outcome's `general`: its position among the regions of its calling code.
    ordinal: int
    # State in which its national prefix begins, and its international prefix; -1 for none.
    national_prefix_state: int
    international_prefix_state: int
    # For the rare prefixes that rewrite a number.
    national_prefix_pattern: str | None
    national_prefix_rewriting: str | None


@dataclass(frozen=True, slots=True)
class Tables:
    """All tables of one plan. s states, o outcomes, c calling codes, r regions. Nothing may be changed."""

    version: str
    # (s, 10) uint16: the state after each digit.
    step: NDArray[np.uint16]
    # (s,) uint16: a number state's outcome; a prefix state's length (prefix.py).
    outcome: NDArray[np.uint16]
    # For states below this number only the count of the digits that follow matters.
    plain_states: int
    # (o,) uint8: position among the regions of the calling code, or NO_REGION.
    outcome_region: NDArray[np.uint8]
    # (o,) uint8: NumberType.
    outcome_type: NDArray[np.uint8]
    # (o,) uint32: bit i is set if the general pattern of the calling code's region i matches.
    outcome_general: NDArray[np.uint32]
    # (c,) uint16: calling codes, and the states in which their national numbers begin.
    calling_codes: NDArray[np.uint16]
    calling_code_state: NDArray[np.uint16]
    # (c,) int16: position of the main region in `regions`, where the other regions of the calling code follow it.
    main_region: NDArray[np.int16]
    # (r, LENGTHS) uint8: PossibleReason of a national number by its length.
    possible_reason: NDArray[np.uint8]
    regions: tuple[RegionTable, ...]

    @property
    def state_count(self) -> int:
        """Number of states over all calling codes."""
        return len(self.outcome)

    @property
    def nbytes(self) -> int:
        """Bytes of the tables as stored in the cache file, without the regions' few strings."""
        return sum(getattr(self, name).nbytes for name in ARRAYS)

    def to_content(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Header and arrays for a cache file."""
        header = {
            "version": self.version,
            "plain_states": self.plain_states,
            "regions": [asdict(region) for region in self.regions],
        }
        return header, {name: getattr(self, name) for name in ARRAYS}


def tables_of(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Tables:
    """The tables from the results of `to_content`."""
    return Tables(
        version=header["version"],
        plain_states=header["plain_states"],
        regions=tuple(RegionTable(**region) for region in header["regions"]),
        **{name: arrays[name] for name in ARRAYS},
    )


ARRAYS = (
    "step",
    "outcome",
    "outcome_region",
    "outcome_type",
    "outcome_general",
    "calling_codes",
    "calling_code_state",
    "main_region",
    "possible_reason",
)
