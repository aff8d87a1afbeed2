"""Generator of realistic contact lists: numbers in many notations, duplicates, bad numbers, spreadsheet damage.

    python deploy/demo/make_contacts.py                                      the demonstration file in this folder
    python deploy/demo/make_contacts.py --rows 1000000 --seed 7 --output -   any other list, streamed

The same rows and seed give the same bytes, on any machine and Python. No real person is meant: names come from short
lists, mail goes to example.com, and numbers that a country reserves for films and books are used first. The lists are
in pools.toml.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tomllib
from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from number_plans import FULL_WIDTH, FULL_WIDTH_HOLE, Plan, Way

HERE = Path(__file__).resolve().parent
DEMONSTRATION = HERE / "contacts.csv"
ROWS, SEED = 10_000, 20_240_229
ROWS_AT_ONCE = 2048
# A duplicate repeats one of this many earlier rows.
REMEMBERED = 2048
PATTERNS = 8192


class Kind(StrEnum):
    """The kind of a row, chosen before the row is made."""

    GOOD = "good"
    # Its number is in an earlier row: the whole row again, or the number in another notation.
    DOUBLE = "double"
    # A spreadsheet added `.0` to the number: the number is rejected, but can be restored.
    REPAIRABLE = "repairable"
    # A spreadsheet wrote 1.38E+10: the number is lost.
    LOST = "lost"
    BAD = "bad"


# A contact: its kind; the E.164 that it means, empty for LOST and BAD; its line of CSV with line end. A plain tuple,
# because named fields would cost a sixth of the total time.
Row = tuple[Kind, str, str]


def quoted(cell: str) -> str:
    """A cell in the notation of the file."""
    if any(sign in cell for sign in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


class Pattern(NamedTuple):
    """A row with placeholders. `phone` takes the digits one by one, `tail` the row's number."""

    plan: Plan
    name: str
    phone: str
    full_width: bool
    tail: str


class Past(NamedTuple):
    """A row that may be repeated: its number, its line, and the line's parts around the number."""

    plan: Plan
    digits: str
    name: str
    tail: str
    line: str


class Maker:
    """Makes rows one by one. Uses only `random.random`, whose results Python promises to keep."""

    def __init__(self, seed: int) -> None:
        pools = tomllib.loads((HERE / "pools.toml").read_text(encoding="utf-8"))
        self._draw = random.Random(seed).random  # noqa: S311 - it must be reproducible
        plans = [Plan(one, self._draw()) for one in pools["plans"]]
        self._mobiles = plans[0]
        # +1 without its plus looks like a Chinese mobile number.
        self._abroad = [plan for plan in plans if not plan.home and plan.calling_code != "1"]
        self._texts = pools["texts"]
        self._patterns = self._all_patterns(plans, pools)
        self._home_patterns = [pattern for pattern in self._patterns if pattern.plan is self._mobiles]
        self._past: list[Past] = []
        self._count = 0
        # Rows of each kind per mille; the other rows are good.
        shares: list[tuple[int, Callable[[], Row]]] = [
            (30, self._again),
            (30, self._in_another_way),
            (10, self._with_point_zero),
            (5, self._with_exponent),
            (30, self._bad),
        ]
        self._kinds = [make for share, make in shares for _ in range(share)]
        self._kinds += [self._good] * (1000 - len(self._kinds))
        common, rare = (self._cut, self._prolonged, self._filled), (self._masked, self._mistyped, self._without_plus)
        self._faults: list[Way] = [*common * 5, *rare, self._two]

    def rows(self) -> Iterator[Row]:
        """An endless sequence of rows."""
        draw, kinds = self._draw, self._kinds
        while True:
            self._count += 1
            yield kinds[int(draw() * 1000)]()

    def _one_of(self, pool: Any) -> Any:
        return pool[int(self._draw() * len(pool))]

    def _all_patterns(self, plans: list[Plan], pools: dict[str, Any]) -> list[Pattern]:
        """Prepared patterns: they reduce the cost of a row to a third."""
        names, notes = pools["names"], [quoted(note) for note in pools["notes"]]
        notes += [""] * len(notes)
        shares = [plan for plan, one in zip(plans, pools["plans"], strict=True) for _ in range(one["share"])]
        patterns = []
        for _ in range(PATTERNS):
            plan = self._one_of(shares)
            if plan.names == "chinese":
                name = self._one_of(names["surnames"]) + self._one_of(names["given"])
                name += self._one_of(names["given"]) if self._draw() < 0.7 else ""
            else:
                name = f"{self._one_of(names['latin_first'])} {self._one_of(names['latin_last'])}"
            # A mail address with the row's number, or none: then the format consumes the number and shows nothing.
            mail = f"c%s@{self._one_of(pools['email_domains'])}" if self._draw() < 0.8 else "%.0s"
            phone = self._one_of(plan.ways)("#" * plan.length)
            tail = f",{mail},{quoted(self._one_of(plan.cities))},{self._one_of(notes)}\r\n"
            full_width = FULL_WIDTH_HOLE in phone
            phone = phone.replace(FULL_WIDTH_HOLE, "%s").replace("#", "%s")
            patterns.append(Pattern(plan, name, phone, full_width, tail))
        return patterns

    def _good(self) -> Row:
        plan, name, phone, full_width, tail = self._patterns[int(self._draw() * PATTERNS)]
        digits = plan.next_digits()
        phone %= (*(digits.translate(FULL_WIDTH) if full_width else digits),)
        tail %= self._count
        line = f"{name},{phone}{tail}"
        if self._count % 8 == 0:
            self._remember(Past(plan, digits, name, tail, line))
        return Kind.GOOD, f"+{plan.calling_code}{digits}", line

    def _remember(self, past: Past) -> None:
        if len(self._past) < REMEMBERED:
            self._past.append(past)
        else:
            self._past[int(self._draw() * REMEMBERED)] = past

    def _again(self) -> Row:
        if not self._past:
            return self._good()
        past = self._one_of(self._past)
        return Kind.DOUBLE, f"+{past.plan.calling_code}{past.digits}", past.line

    def _in_another_way(self) -> Row:
        if not self._past:
            return self._good()
        plan, digits, name, tail, _ = self._one_of(self._past)
        line = f"{name},{self._one_of(plan.ways)(digits)}{tail}"
        return Kind.DOUBLE, f"+{plan.calling_code}{digits}", line

    def _damaged(self, kind: Kind, number: str, phone: str) -> Row:
        pattern = self._one_of(self._home_patterns)
        return kind, number, f"{pattern.name},{quoted(phone)}{pattern.tail % self._count}"

    def _with_point_zero(self) -> Row:
        digits = self._mobiles.next_digits()
        return self._damaged(Kind.REPAIRABLE, f"+{self._mobiles.calling_code}{digits}", f"{digits}.0")

    def _with_exponent(self) -> Row:
        digits = self._mobiles.next_digits()
        shown = digits[1 : 3 + int(self._draw() * 4)]
        return self._damaged(Kind.LOST, "", f"{digits[0]}.{shown}E+10")

    def _bad(self) -> Row:
        return self._damaged(Kind.BAD, "", self._one_of(self._faults)(self._mobiles.next_digits()))

    def _cut(self, digits: str) -> str:
        return digits[: 7 + int(self._draw() * 4)]

    def _prolonged(self, digits: str) -> str:
        return digits + str(10 + int(self._draw() * 9990))

    def _filled(self, _: str) -> str:
        return str(self._one_of(self._texts)) if self._draw() < 0.5 else ""

    def _masked(self, digits: str) -> str:
        return f"{digits[:3]}****{digits[-4:]}"

    def _mistyped(self, digits: str) -> str:
        return f"{digits[:5]}{self._one_of('OlI')}{digits[6:]}"

    def _without_plus(self, _: str) -> str:
        plan = self._one_of(self._abroad)
        return f"{plan.calling_code}{plan.next_digits()}"

    def _two(self, digits: str) -> str:
        return f"{digits}{self._one_of(['/', '、', ' ', ', '])}{self._mobiles.next_digits()}"


def contact_rows(count: int, seed: int) -> Iterator[Row]:
    """`count` rows, without the header."""
    return islice(Maker(seed).rows(), count)


def header() -> str:
    """The first line: the column names."""
    pools = tomllib.loads((HERE / "pools.toml").read_text(encoding="utf-8"))
    return ",".join(pools["header"]) + "\r\n"


def write_contacts(output: BinaryIO, count: int, seed: int) -> None:
    """Write header and rows as UTF-8 CSV, some thousand rows at a time."""
    output.write(header().encode())
    rows = contact_rows(count, seed)
    while lines := [line for _, _, line in islice(rows, ROWS_AT_ONCE)]:
        output.write("".join(lines).encode())
    output.flush()


def main() -> int:
    """Write one list. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Make a realistic list of contacts as CSV.")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"rows after the header (default {ROWS})")
    parser.add_argument("--seed", type=int, default=SEED, help="another seed, another list")
    parser.add_argument("--output", default=str(DEMONSTRATION), help="a file, or - for standard output")
    options = parser.parse_args()
    if options.rows < 0:
        parser.error("--rows must not be negative")
    if options.output != "-":
        with Path(options.output).open("wb") as output:
            write_contacts(output, options.rows, options.seed)
        return 0
    try:
        write_contacts(sys.stdout.buffer, options.rows, options.seed)
    except BrokenPipeError:  # the reader stopped, like `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
