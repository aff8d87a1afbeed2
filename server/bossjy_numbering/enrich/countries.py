"""Country of a number without a place: libphonenumber's `country_name_for_number`, as tables.

A calling code with one region belongs to that region. If several regions share a calling code, the number must be valid
in exactly one of them; an automaton over its national digits decides that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.cache import Arrays
from bossjy_numbering.dfa import LONGEST_NATIONAL_NUMBER, Outcomes, StateTable, determinise
from bossjy_numbering.enrich.intervals import smallest
from bossjy_numbering.enrich.names import Texts
from bossjy_numbering.metadata import NumberClass, PlanRules, RegionRules
from bossjy_numbering.nfa import PositionAutomaton
from bossjy_numbering.patterns import parse
from bossjy_numbering.types import NumberType

CALLING_CODES = 1000
# Replaces a region's number: no region, or several that share the calling code.
NONE, SHARED = -1, -2


class _ValidInOne(Outcomes):
    """Outcome of the digits: the number of the only region in which they are valid, plus one; else 0."""

    def __init__(self, members: Sequence[RegionRules], numbers: Mapping[str, int]) -> None:
        self.automaton = PositionAutomaton()
        self._members = members
        self._numbers = numbers
        self._patterns: dict[str, int] = {}
        for member in members:
            for number_class in (member.general, *member.classes.values()):
                if number_class.pattern not in self._patterns:
                    self._patterns[number_class.pattern] = self.automaton.add(parse(number_class.pattern))

    def of(self, matched: int, length: int) -> int:
        valid = [member.region for member in self._members if self._valid(member, matched, length)]
        return self._numbers[valid[0]] + 1 if len(valid) == 1 else 0

    def _valid(self, member: RegionRules, matched: int, length: int) -> bool:
        def holds(number_class: NumberClass) -> bool:
            fits = not number_class.lengths or length in number_class.lengths
            return fits and bool(matched >> self._patterns[number_class.pattern] & 1)

        kinds = [kind for kind in member.classes if not (member.mobile_like_fixed and kind == NumberType.MOBILE)]
        return holds(member.general) and any(holds(member.classes[kind]) for kind in kinds)


def pack_countries(
    rules: PlanRules, names: Mapping[str, Mapping[str, str]], texts: Texts
) -> tuple[dict[str, Any], Arrays]:
    """Header and arrays of a `Countries`."""
    regions = sorted({one.region for one in rules.regions})
    numbers = {region: number for number, region in enumerate(regions)}
    languages = sorted({language for of_region in names.values() for language in of_region})
    table = np.array(
        [[texts.number(_name(names.get(region, {}), language)) for region in regions] for language in languages],
        np.int64,
    )
    states = StateTable()
    code_region = np.full(CALLING_CODES, NONE, np.int16)
    code_state = np.zeros(CALLING_CODES, np.int64)
    for code, members in rules.by_calling_code().items():
        if len(members) == 1:
            code_region[code] = numbers[members[0].region]
        else:
            only = _ValidInOne(members, numbers)
            code_region[code] = SHARED
            code_state[code] = determinise(only.automaton, only, states)
    return {"regions": regions, "languages": languages}, {
        "names": smallest(table),
        "code_region": code_region,
        "code_state": smallest(code_state),
        "step": smallest(np.array(states.followers, np.int64)),
        "outcome": np.array(states.outcomes, np.int16),
    }


def _name(names: Mapping[str, str], language: str) -> str:
    """Like `_region_display_name`: one step to another language, whatever that contains."""
    name = names.get(language, "")
    return names.get(name[1:], "") if name.startswith("*") else name


@dataclass(frozen=True, slots=True)
class Countries:
    """Countries and their names. r regions, l languages, s states."""

    regions: Mapping[str, int]
    languages: Mapping[str, int]
    # (l, r): number of the name.
    names: NDArray[np.unsignedinteger]
    # (CALLING_CODES,): a region's number, NONE or SHARED; for SHARED the state in which national digits begin.
    code_region: NDArray[np.int16]
    code_state: NDArray[np.unsignedinteger]
    # (s, 10): the state after each digit; (s,): the region's number plus one, or 0.
    step: NDArray[np.unsignedinteger]
    outcome: NDArray[np.int16]
    # The rows of `step` one after another, and `outcome`, as plain ints.
    step_view: memoryview
    outcome_view: memoryview

    def names_in(self, language: str) -> NDArray[np.int32]:
        """Numbers of names by region's number, with a final 0 for NONE, (r + 1,)."""
        names = np.zeros(len(self.regions) + 1, np.int32)
        number = self.languages.get(language)
        if number is not None:
            names[:-1] = self.names[number]
        return names

    def country(self, calling_code: int, national_digits: str) -> int:
        """The number of the region of a number without a place, or NONE."""
        region = int(self.code_region[calling_code])
        if region != SHARED:
            return region
        state = int(self.code_state[calling_code])
        step = self.step_view
        for digit in national_digits[: LONGEST_NATIONAL_NUMBER + 1]:
            state = step[10 * state + int(digit)]
        return self.outcome_view[state] - 1

    def countries(
        self,
        calling_codes: NDArray[np.uint16],
        data: NDArray[np.uint8],
        starts: NDArray[np.int64],
        lengths: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """The same for n numbers with national digits `data[starts[i] : starts[i] + lengths[i]]`."""
        countries = self.code_region[calling_codes].astype(np.int64)
        rows = np.flatnonzero(countries == SHARED)
        state = self.code_state[calling_codes[rows]].astype(np.int64)
        starts, lengths = starts[rows], lengths[rows]
        for place in range(min(int(np.max(lengths, initial=0)), LONGEST_NATIONAL_NUMBER + 1)):
            more = np.flatnonzero(place < lengths)
            state[more] = self.step[state[more], data[starts[more] + place] - np.uint8(48)]
        countries[rows] = self.outcome[state].astype(np.int64) - 1
        return countries


def unpack_countries(header: Mapping[str, Any], arrays: Arrays) -> Countries:
    """Inverse of `pack_countries`."""
    return Countries(
        {region: number for number, region in enumerate(header["regions"])},
        {language: number for number, language in enumerate(header["languages"])},
        arrays["names"],
        arrays["code_region"],
        arrays["code_state"],
        arrays["step"],
        arrays["outcome"],
        memoryview(arrays["step"].reshape(-1)),
        memoryview(arrays["outcome"]),
    )
