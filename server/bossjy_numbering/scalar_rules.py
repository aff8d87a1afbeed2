"""Tables for reading one number, by region and by calling code."""

from __future__ import annotations

import re

from bossjy_numbering.prefix import NO_PREFIX
from bossjy_numbering.tables import RegionTable, Tables
from bossjy_numbering.types import NumberType, PossibleReason

# Digits are walked as bytes. A state is stored as `10 * state - ZERO`, so state plus byte is the next state's index.
ZERO = ord("0")


class Region:
    """Tables for reading a number by the rules of one region."""

    __slots__ = (
        "code",
        "compiled",
        "general_bit",
        "idd_leading_digits",
        "idd_state",
        "pattern",
        "prefix_leading_digits",
        "reasons",
        "rewriting",
    )

    def __init__(self, table: RegionTable, tables: Tables, index: int, code: Code) -> None:
        self.code = code
        self.general_bit = 1 << table.ordinal
        self.reasons = tuple(PossibleReason(value) for value in tables.possible_reason[index].tolist())
        self.idd_state = table.international_prefix_state
        self.idd_leading_digits = _leading_digits(tables, table.international_prefix_state)
        # The leading digits of the national prefix: all other numbers skip the pattern.
        self.prefix_leading_digits = _leading_digits(tables, table.national_prefix_state)
        self.pattern = table.national_prefix_pattern
        self.compiled: re.Pattern[str] | None = None
        self.rewriting = table.national_prefix_rewriting


class Code:
    """One calling code."""

    __slots__ = ("main", "plus", "regions", "said", "start", "text", "value")

    def __init__(self, value: int, start: int, regions: tuple[str, ...]) -> None:
        self.value = value
        self.text = str(value)
        self.plus = f"+{value}"
        self.start = 10 * start - ZERO
        self.regions = regions
        self.main: Region
        # By outcome: region, type, valid. Filled at first use; there are some two hundred.
        self.said: dict[int, tuple[str | None, NumberType, bool]] = {}


def _leading_digits(tables: Tables, state: int) -> frozenset[str]:
    """The first two digits (one, if there is only one) after which a prefix automaton may still find a prefix."""
    if state < 0:
        return frozenset()
    found = set()
    for first, behind_first in enumerate(tables.step[state].tolist()):
        if _may_have_prefix(tables, behind_first):
            found.add(str(first))
            followers = enumerate(tables.step[behind_first].tolist())
            found |= {f"{first}{second}" for second, behind in followers if _may_have_prefix(tables, behind)}
    return frozenset(found)


def _may_have_prefix(tables: Tables, state: int) -> bool:
    return int(tables.outcome[state]) != NO_PREFIX or int(tables.step[state, 0]) != state


def read_rules(tables: Tables) -> tuple[dict[str, Code], dict[str, Region]]:
    """Calling codes by their digits, and geographic regions by their code."""
    by_digits: dict[str, Code] = {}
    by_region: dict[str, Region] = {}
    mains = [*tables.main_region.tolist(), len(tables.regions)]
    starts = tables.calling_code_state.tolist()
    for index, value in enumerate(tables.calling_codes.tolist()):
        members = range(mains[index], mains[index + 1])
        code = by_digits[str(value)] = Code(value, starts[index], tuple(tables.regions[at].code for at in members))
        for at in members:
            table = tables.regions[at]
            region = Region(table, tables, at, code)
            if table.ordinal == 0:
                code.main = region
            if table.code != "001":
                by_region[table.code] = region
    return by_digits, by_region
