"""Phone numbers of many countries, each once, and the notations that people use."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

# Full-width signs, as on Chinese keyboards; # is any digit.
FULL_WIDTH_HOLE = "＃"
FULL_WIDTH = str.maketrans("0123456789+-() #", "０１２３４５６７８９＋－（）　" + FULL_WIDTH_HOLE)
# A number pasted from a phone's address book: digits between invisible direction marks.
PASTED = "\u202d{}\u202c"

# Writes the digits after the calling code in a notation.
Way = Callable[[str], str]


class Plan:
    """Numbers of one kind, each once until all are used, in an order that looks random."""

    def __init__(self, pools: dict[str, Any], start: float) -> None:
        self.calling_code: str = pools["calling_code"]
        self.trunk: str = pools.get("trunk", "")
        self.home: bool = pools.get("home", False)
        self.names: str = pools["names"]
        self.cities: list[str] = pools["cities"]
        sizes = pools["groups"]
        self._cuts = [slice(sum(sizes[:index]), sum(sizes[: index + 1])) for index in range(len(sizes))]
        self.length = sum(sizes)
        # The digits after the calling code of the next number.
        self.next_digits = self._all_digits(pools["blocks"], start).__next__
        self.ways = home_ways(self) if self.home else foreign_ways(self)

    def groups(self, digits: str, sign: str = " ") -> str:
        """The digits with a sign between their usual groups."""
        return sign.join([digits[cut] for cut in self._cuts])

    @staticmethod
    def _all_digits(blocks: list[dict[str, Any]], start: float) -> Iterator[str]:
        while True:
            for block in blocks:
                prefixes, free = block["prefixes"], block["free"]
                each, rest = 10**free, f"%0{free}d"
                total = len(prefixes) * each
                # A step without a common divisor visits each number once; the golden section scatters them.
                step = int(total * 0.618034) | 1
                while math.gcd(step, total) > 1:
                    step += 2
                at = int(start * total)
                for _ in range(total):
                    yield prefixes[at // each] + rest % (at % each)
                    at = (at + step) % total


def home_ways(plan: Plan) -> list[Way]:
    """The notations in the list's own country; the commonest notation occurs several times."""
    code, trunk, groups = plan.calling_code, plan.trunk, plan.groups
    area = len(groups("0" * 20).split()[0])
    ways: list[Way] = [lambda d: d] * 16
    if trunk:
        ways = [lambda d: f"{trunk}{d[:area]}-{d[area:]}"] * 12
        ways += [lambda d: d] * 5  # a spreadsheet removed the leading zero
        ways += [
            lambda d: f"({trunk}{d[:area]}) {d[area:]}",
            lambda d: f"({trunk}{d[:area]})".translate(FULL_WIDTH) + d[area:],
            lambda d: f"{trunk}{d[:area]}-{d[area:]} ext. 801",
        ]
    return [
        *ways,
        lambda d: f"{trunk}{groups(d)}",
        lambda d: f"{trunk}{groups(d, '-')}",
        lambda d: f"{trunk}{groups(d, '.')}",
        lambda d: f"'{trunk}{d}",
        lambda d: f"+{code}{d}",
        lambda d: f"+{code} {groups(d)}",
        lambda d: f"+{code}-{groups(d, '-')}",
        lambda d: f"(+{code}){d}",
        lambda d: f"(+{code}) {groups(d)}".translate(FULL_WIDTH),
        lambda d: f"00{code}{d}",
        lambda d: f"00{code}-{groups(d, '-')}",
        lambda d: f"{code}{d}",
        lambda d: f"{code} {groups(d)}",
        lambda d: f"{trunk}{d}".translate(FULL_WIDTH),
        lambda d: PASTED.format(trunk + d),
        lambda d: f" {trunk}{d} ",
    ]


def foreign_ways(plan: Plan) -> list[Way]:
    """The notations of foreign numbers in that list: with their calling code."""
    code, groups = plan.calling_code, plan.groups
    trunk = f"({plan.trunk})" if plan.trunk else ""
    return [
        *[lambda d: f"+{code}{d}"] * 2,
        *[lambda d: f"+{code} {groups(d)}"] * 3,
        lambda d: f"+{code}-{groups(d, '-')}",
        lambda d: f"+{code} {groups(d, '.')}",
        lambda d: f"00{code}{d}",
        lambda d: f"00{code} {groups(d)}",
        lambda d: f"(+{code}) {groups(d)}",
        lambda d: f"+{code} {trunk}{groups(d)}",
        lambda d: f"'+{code}{d}",
        lambda d: f"+{code}{d}".translate(FULL_WIDTH),
        lambda d: PASTED.format(f"+{code} {groups(d)}"),
    ]
