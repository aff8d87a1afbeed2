"""Guess of the region of a number without a calling code, by its writing and the size of each plan.

Evidence, strongest first: the text is written exactly as the region formats its numbers; its digits are those of the
national format, with or without the national prefix; the type of number; how many numbers of this length the region's
plan has. A guess is made only if one region leads clearly; otherwise the leading regions are candidates.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

from bossjy_numbering import oracle
from bossjy_numbering.corrections.kinds import Ask
from bossjy_numbering.dfa import LONGEST_NATIONAL_NUMBER
from bossjy_numbering.steps import Steps
from bossjy_numbering.tables import NO_REGION, Tables
from bossjy_numbering.types import Format, Number, NumberType

CANDIDATES_MAX = 5
_LEAD = 2.0
_SHOWN_WITHIN = 2.5
# The usual writing of calling code 1 beside libphonenumber's; few other countries write dashes at these places.
_NORTH_AMERICAN, _AMERICAN_DASHES = re.compile(r"[2-9]\d\d-\d{3}-\d{4}"), 5.0
_FORMATTED, _PREFIX_KEPT, _PREFIX_LOST = 3.0, 1.0, -1.0
# Plans are unlimited if their lengths are open; a larger plan is no stronger evidence.
_SIZE_MAX = 9.5
_USUAL = {NumberType.MOBILE: 1.0, NumberType.FIXED_LINE_OR_MOBILE: 1.0, NumberType.FIXED_LINE: 0.0}
_UNUSUAL = -1.5


@dataclass(frozen=True, slots=True)
class Guess:
    """A region's reading of a text, and the evidence for it."""

    score: float
    region: str
    number: Number


class Guesser:
    """Guesses regions by a plan. `tables` belong to the plan of `ask`."""

    def __init__(self, tables: Tables, ask: Ask) -> None:
        self._ask = ask
        self._sizes = plan_sizes(tables)

    def guess_steps(self, plain: str, digits: str) -> Steps[list[Guess]]:
        """The regions in which digits without a calling code are a number, the likeliest first; a step for each."""
        found = []
        for region, sizes in self._sizes.items():
            number = self._ask(digits, region)
            if number.valid and number.region == region:
                yield
                size = min(sizes.get(len(number.national_digits), 0.0), _SIZE_MAX)
                found.append(Guess(size + self._evidence(plain, digits, number), region, number))
        return sorted(found, key=lambda one: -one.score)

    @staticmethod
    def _evidence(plain: str, digits: str, number: Number) -> float:
        national = oracle.write(number, Format.NATIONAL)
        score = _USUAL.get(number.type, _UNUSUAL)
        if number.calling_code == 1 and _NORTH_AMERICAN.fullmatch(plain.strip()):
            return score + _AMERICAN_DASHES
        if plain != digits and _same_writing(plain, national):
            return score + _FORMATTED
        kept = "".join(filter(str.isdigit, national)) == digits
        return score + (_PREFIX_KEPT if kept else _PREFIX_LOST)


def leading(guesses: list[Guess]) -> tuple[Guess | None, tuple[Guess, ...]]:
    """The guess that leads clearly, or None; and the candidates that are close to the first."""
    if not guesses:
        return None, ()
    close = [one for one in guesses if one.score >= guesses[0].score - _SHOWN_WITHIN]
    alone = len(guesses) == 1 or guesses[1].score <= guesses[0].score - _LEAD
    return (guesses[0] if alone else None), tuple(close[:CANDIDATES_MAX])


def plan_sizes(tables: Tables) -> dict[str, dict[int, float]]:
    """By region and length, the decimal logarithm of the plan's count of mobile and fixed-line numbers."""
    sizes: dict[str, Counter[int]] = {region.code: Counter() for region in tables.regions if region.code != "001"}
    step, outcomes = tables.step.tolist(), tables.outcome.tolist()
    kinds, ordinals = tables.outcome_type.tolist(), tables.outcome_region.tolist()
    starts = zip(tables.calling_codes.tolist(), tables.calling_code_state.tolist(), strict=True)
    for code, start in starts:
        regions = [region.code for region in tables.regions if region.calling_code == code]
        if regions == ["001"]:
            continue
        level: dict[int, int] = {start: 1}
        for length in range(1, LONGEST_NATIONAL_NUMBER + 1):
            following: Counter[int] = Counter()
            for state, count in level.items():
                for after in step[state]:
                    if step[after][0] != after or kinds[outcomes[after]] != NumberType.UNKNOWN:
                        following[after] += count
            level = dict(following)
            for state, count in level.items():
                outcome = outcomes[state]
                if kinds[outcome] in _USUAL and ordinals[outcome] != NO_REGION:
                    sizes[regions[ordinals[outcome]]][length] += count
    return {
        region: {length: math.log10(count) for length, count in lengths.items()} for region, lengths in sizes.items()
    }


def _same_writing(plain: str, national: str) -> bool:
    """True if a text is written as a region formats the number; spaces and dashes count as the same mark."""

    def marks(text: str) -> str:
        return "".join("-" if mark in " -.\u00a0/" else mark for mark in text).replace(")-", ")").replace("--", "-")

    return marks(plain.strip()) == marks(national)
