"""Exact difference of two plans: numbers that became valid, invalid, or changed their type, by region and type.

It is no sample. Both automata of a calling code are walked in parallel. The numbers that lead to each pair of states
are counted length by length, so each pair is visited once however many numbers pass through it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bossjy_numbering.dfa import LONGEST_NATIONAL_NUMBER
from bossjy_numbering.tables import NO_REGION, Tables
from bossjy_numbering.types import NumberType

# Ranges shown for each difference.
MOST_RANGES = 10


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Numbers with common leading digits: `+861400`, `digits` long in all (calling code included), and one of them."""

    prefix: str
    digits: int
    example: str


@dataclass(slots=True)
class Difference:
    """The changes of one region and one type. Numbers of an unknown region count as region None."""

    region: str | None
    calling_code: int
    # The type after the change; for newly invalid numbers the one before.
    type: NumberType
    newly_valid: int = 0
    newly_invalid: int = 0
    # Valid before and after, with another type or in another region.
    retyped: int = 0
    ranges: list[NumberRange] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PlanDiff:
    """All differences, by calling code, region and type."""

    from_version: str
    to_version: str
    differences: tuple[Difference, ...]

    @property
    def newly_valid(self) -> int:
        """Sum over all differences."""
        return sum(one.newly_valid for one in self.differences)

    @property
    def newly_invalid(self) -> int:
        """Sum over all differences."""
        return sum(one.newly_invalid for one in self.differences)

    @property
    def retyped(self) -> int:
        """Sum over all differences."""
        return sum(one.retyped for one in self.differences)


def diff_plans(before: Tables, after: Tables) -> PlanDiff:
    """The differences of `after` from `before`."""
    old, new = _View(before), _View(after)
    differences: dict[tuple[int, str, int], Difference] = {}
    for code in sorted(old.starts.keys() | new.starts.keys()):
        for difference in _CodeDiff(code, old, new).run():
            differences[code, difference.region or "", difference.type] = difference
    return PlanDiff(before.version, after.version, tuple(differences[key] for key in sorted(differences)))


class _View:
    """A plan's tables as Python lists, which are faster to walk state by state."""

    def __init__(self, tables: Tables) -> None:
        self.step = tables.step.tolist()
        self._outcome = tables.outcome.tolist()
        self._type = tables.outcome_type.tolist()
        self._ordinal = tables.outcome_region.tolist()
        codes = tables.calling_codes.tolist()
        self.starts = dict(zip(codes, tables.calling_code_state.tolist(), strict=True))
        self._regions = {
            code: [region.code for region in tables.regions if region.calling_code == code] for code in codes
        }

    def said(self, code: int, state: int) -> tuple[str | None, int]:
        """Region and type of the numbers that end in a state. -1 is the state of a missing calling code."""
        if state < 0:
            return None, int(NumberType.UNKNOWN)
        outcome = self._outcome[state]
        ordinal = self._ordinal[outcome]
        return None if ordinal == NO_REGION else self._regions[code][ordinal], self._type[outcome]

    def after(self, state: int, digit: int) -> int:
        """The state after a digit."""
        return -1 if state < 0 else int(self.step[state][digit])


class _CodeDiff:
    """One calling code, both plans in parallel."""

    def __init__(self, code: int, old: _View, new: _View) -> None:
        self._code = code
        self._old, self._new = old, new
        self._found: dict[tuple[str | None, int], Difference] = {}

    def run(self) -> list[Difference]:
        start = self._old.starts.get(self._code, -1), self._new.starts.get(self._code, -1)
        # By pair of states: the number of numbers that lead there, and the first of them.
        level: dict[tuple[int, int], tuple[int, str]] = {start: (1, "")}
        for length in range(1, LONGEST_NATIONAL_NUMBER + 1):
            following: dict[tuple[int, int], tuple[int, str]] = {}
            for (old, new), (count, word) in level.items():
                for digit in range(10):
                    pair = self._old.after(old, digit), self._new.after(new, digit)
                    held = following.get(pair)
                    following[pair] = (count, f"{word}{digit}") if held is None else (held[0] + count, held[1])
            level = {pair: held for pair, held in following.items() if not self._dead(pair)}
            for pair, (count, word) in level.items():
                self._count(pair, count, word, length)
        return list(self._found.values())

    def _dead(self, pair: tuple[int, int]) -> bool:
        """True if neither plan has a number that begins like this, so that there can be no more differences."""
        return all(
            state < 0 or (view.step[state][0] == state and view.said(self._code, state)[1] == NumberType.UNKNOWN)
            for view, state in zip((self._old, self._new), pair, strict=True)
        )

    def _count(self, pair: tuple[int, int], count: int, word: str, length: int) -> None:
        old_region, old_type = self._old.said(self._code, pair[0])
        new_region, new_type = self._new.said(self._code, pair[1])
        if old_type == new_type and (old_region == new_region or new_type == NumberType.UNKNOWN):
            return
        gone = new_type == NumberType.UNKNOWN
        region, kind = (old_region, old_type) if gone else (new_region, new_type)
        held = self._found.get((region, kind))
        if held is None:
            held = self._found[region, kind] = Difference(region, self._code, NumberType(kind))
        if gone:
            held.newly_invalid += count
        elif old_type == NumberType.UNKNOWN:
            held.newly_valid += count
        else:
            held.retyped += count
        if len(held.ranges) < MOST_RANGES:
            held.ranges.append(self._range(word, length))

    def _range(self, word: str, length: int) -> NumberRange:
        """The range of a word: its longest final run of digits that can be any digits without changing the result."""
        states = [(self._old.starts.get(self._code, -1), self._new.starts.get(self._code, -1))]
        for digit in word:
            old, new = states[-1]
            states.append((self._old.after(old, int(digit)), self._new.after(new, int(digit))))
        fixed = length
        while fixed > 1 and self._all_lead(states[fixed - 1], states[fixed]):
            fixed -= 1
        e164 = f"+{self._code}{word}"
        return NumberRange(f"+{self._code}{word[:fixed]}", len(e164) - 1, e164)

    def _all_lead(self, before: tuple[int, int], after: tuple[int, int]) -> bool:
        return all(
            (self._old.after(before[0], digit), self._new.after(before[1], digit)) == after for digit in range(10)
        )
