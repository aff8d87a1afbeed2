"""Compiler of the metadata's rules to tables.

For each calling code one automaton reads the national number. Its outcome says the region, the type, and for each
region if its general pattern matches. For each region two small automata read the national and the international
prefix.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.dfa import LONGEST_NATIONAL_NUMBER, StateTable, determinise
from bossjy_numbering.metadata import TYPE_ORDER, NumberClass, PlanRules, RegionRules
from bossjy_numbering.nfa import PositionAutomaton
from bossjy_numbering.patterns import parse, prefix_of
from bossjy_numbering.prefix import add_prefix
from bossjy_numbering.tables import LENGTHS, NO_REGION, RegionTable, Tables
from bossjy_numbering.types import NumberType, PossibleReason

# Increase it whenever these tables, or their meaning, change: it is part of the cache file's name.
COMPILER_VERSION = 2


class _OutcomeTable:
    """Outcomes by number, each kept once: (region ordinal, type, bits of matching general patterns)."""

    def __init__(self) -> None:
        self.held: list[tuple[int, int, int]] = []
        self._numbers: dict[tuple[int, int, int], int] = {}

    def number(self, outcome: tuple[int, int, int]) -> int:
        number = self._numbers.get(outcome)
        if number is None:
            number = self._numbers[outcome] = len(self.held)
            self.held.append(outcome)
        return number


class _CallingCode:
    """The regions of one calling code, with their patterns in one automaton."""

    def __init__(self, regions: list[RegionRules], table: _OutcomeTable) -> None:
        self.automaton = PositionAutomaton()
        self._regions = regions
        self._table = table
        self._numbers: dict[str, int] = {}
        self._known: dict[tuple[int, int], int] = {}
        for region in regions:
            for number_class in (region.general, *region.classes.values()):
                self._pattern(number_class.pattern)
            if region.leading_digits is not None:
                self._leading(region.leading_digits)

    def of(self, matched: int, length: int) -> int:
        known = self._known.get((matched, length))
        if known is None:
            known = self._known[matched, length] = self._table.number(self._outcome(matched, length))
        return known

    def _pattern(self, pattern: str) -> int:
        """The pattern's number. Regions and types share equal patterns."""
        if pattern not in self._numbers:
            self._numbers[pattern] = self.automaton.add(parse(pattern))
        return self._numbers[pattern]

    def _leading(self, pattern: str) -> int:
        key = pattern + " and more"
        if key not in self._numbers:
            self._numbers[key] = self.automaton.add(prefix_of(parse(pattern), LONGEST_NATIONAL_NUMBER))
        return self._numbers[key]

    def _matches(self, number_class: NumberClass | None, matched: int, length: int) -> bool:
        """Rule 19: one of the class's lengths, then the whole pattern."""
        if number_class is None or (number_class.lengths and length not in number_class.lengths):
            return False
        return bool(matched >> self._pattern(number_class.pattern) & 1)

    def _type(self, region: RegionRules, matched: int, length: int) -> NumberType:
        """Rules 18 to 21: general first, then the types in their order."""
        if not self._matches(region.general, matched, length):
            return NumberType.UNKNOWN
        for kind, _ in TYPE_ORDER:
            if not self._matches(region.classes.get(kind), matched, length):
                continue
            if kind == NumberType.FIXED_LINE and (
                region.mobile_like_fixed or self._matches(region.classes.get(NumberType.MOBILE), matched, length)
            ):
                return NumberType.FIXED_LINE_OR_MOBILE
            if kind == NumberType.MOBILE and region.mobile_like_fixed:
                continue
            return kind
        return NumberType.UNKNOWN

    def _outcome(self, matched: int, length: int) -> tuple[int, int, int]:
        """Rule 17: leading digits before validation, in the order of the regions."""
        general = 0
        for ordinal, region in enumerate(self._regions):
            general |= (matched >> self._pattern(region.general.pattern) & 1) << ordinal
        if len(self._regions) == 1:
            return 0, self._type(self._regions[0], matched, length), general
        for ordinal, region in enumerate(self._regions):
            kind = self._type(region, matched, length)
            if region.leading_digits is not None:
                if matched >> self._leading(region.leading_digits) & 1:
                    return ordinal, kind, general
            elif kind != NumberType.UNKNOWN:
                return ordinal, kind, general
        return NO_REGION, NumberType.UNKNOWN, general


@dataclass(slots=True)
class _Built:
    """The tables while they grow, calling code by calling code."""

    states: StateTable = field(default_factory=StateTable)
    outcomes: _OutcomeTable = field(default_factory=_OutcomeTable)
    codes: list[int] = field(default_factory=list)
    code_states: list[int] = field(default_factory=list)
    main_regions: list[int] = field(default_factory=list)
    regions: list[RegionTable] = field(default_factory=list)
    reasons: list[list[int]] = field(default_factory=list)


def compile_plan(rules: PlanRules) -> Tables:
    """The tables of a plan. PatternError if they cannot express the metadata."""
    built = _Built()
    for calling_code, members in rules.by_calling_code().items():
        code = _CallingCode(members, built.outcomes)
        built.main_regions.append(len(built.regions))
        built.code_states.append(determinise(code.automaton, code, built.states))
        for ordinal, region in enumerate(members):
            built.regions.append(_region_table(region, len(built.codes), ordinal, built.states))
            built.reasons.append([_possible_reason(region, length) for length in range(LENGTHS)])
        built.codes.append(calling_code)
    return _tables(rules.version, built)


def _region_table(region: RegionRules, code_index: int, ordinal: int, states: StateTable) -> RegionTable:
    national = international = -1
    if region.national_prefix_for_parsing is not None:
        pattern = region.national_prefix_for_parsing
        group = re.compile(pattern).groups if region.national_prefix_rewriting is not None else 0
        if region.national_prefix_rewriting is not None and not group:
            raise ValueError(f"{region.region}: a rewriting rule without a group")
        national = add_prefix(parse(pattern), group, states)
    if region.international_prefix is not None:
        international = add_prefix(parse(region.international_prefix), 0, states)
    return RegionTable(
        code=region.region,
        calling_code=region.calling_code,
        calling_code_index=code_index,
        ordinal=ordinal,
        national_prefix_state=national,
        international_prefix_state=international,
        national_prefix_pattern=region.national_prefix_for_parsing,
        national_prefix_rewriting=region.national_prefix_rewriting,
    )


def _possible_reason(region: RegionRules, length: int) -> PossibleReason:
    """Rule 22: local lengths first, then the shortest, the longest, and the gaps between."""
    lengths = region.general.lengths
    if length in region.local_lengths:
        return PossibleReason.IS_POSSIBLE_LOCAL_ONLY
    if length in lengths:
        return PossibleReason.IS_POSSIBLE
    if length < lengths[0]:
        return PossibleReason.TOO_SHORT
    return PossibleReason.TOO_LONG if length > lengths[-1] else PossibleReason.INVALID_LENGTH


def _tables(version: str, built: _Built) -> Tables:
    """The finished arrays, with the plain states first."""
    step = np.array(built.states.followers, np.int64)
    plain = _plain(step)
    order = np.argsort(~plain, kind="stable")
    renumbered = np.empty(len(order), np.int64)
    renumbered[order] = np.arange(len(order))
    if len(order) >= 2**16:
        raise ValueError(f"{len(order)} states are more than the tables have room for")
    moved = [_moved(region, renumbered.tolist()) for region in built.regions]
    held = np.array(built.outcomes.held, np.int64)
    return Tables(
        version=version,
        step=renumbered[step[order]].astype(np.uint16),
        outcome=np.array(built.states.outcomes, np.int64)[order].astype(np.uint16),
        plain_states=int(plain.sum()),
        outcome_region=held[:, 0].astype(np.uint8),
        outcome_type=held[:, 1].astype(np.uint8),
        outcome_general=held[:, 2].astype(np.uint32),
        calling_codes=np.array(built.codes, np.uint16),
        calling_code_state=renumbered[built.code_states].astype(np.uint16),
        main_region=np.array(built.main_regions, np.int16),
        possible_reason=np.array(built.reasons, np.uint8),
        regions=tuple(moved),
    )


def _moved(region: RegionTable, renumbered: list[int]) -> RegionTable:
    national, international = region.national_prefix_state, region.international_prefix_state
    return replace(
        region,
        national_prefix_state=-1 if national < 0 else renumbered[national],
        international_prefix_state=-1 if international < 0 else renumbered[international],
    )


def _plain(step: NDArray[np.int64]) -> NDArray[np.bool_]:
    """True for states in which every digit leads to the same state, and so on to the end."""
    same = (step == step[:, :1]).all(axis=1)
    plain: NDArray[np.bool_] = same.copy()
    for _ in range(LENGTHS):
        plain &= plain[step[:, 0]]
    return plain
