"""Count of changes between two plans by trying every number: `python -m tests.performance.numbering.prove_diff`.

Every digit string of every length that either plan knows for a calling code is matched with `re` against the patterns
of both: no automaton. For the installed plan each number that is valid by its patterns is also checked with
`phonenumbers`. The counts must be those of `diff_plans`. It supports only calling codes of one region and short
numbers: ten million strings take a minute. Ends with status 1 if anything differs.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import phonenumbers

from bossjy_numbering import NumberType, compile_plan, diff_plans, read_snapshot
from bossjy_numbering.metadata import TYPE_ORDER, NumberClass, PlanRules, RegionRules, installed_rules
from tests.measurements import write_figures

SNAPSHOT = Path("server/bossjy_server/phone/snapshots/9.0.38.plan")
# Changed between 9.0.38 and 9.0.43, numbers of at most seven digits: Cape Verde, Suriname, Solomon Islands.
CODES = (238, 597, 677)
LONGEST = 7
# Every n-th of the installed plan's valid numbers is checked with `phonenumbers`.
ASKED = 50
Changes = tuple[int, int, int]


def kind_by_patterns(rules: RegionRules) -> Callable[[str], int]:
    """The type of a national number by the patterns; UNKNOWN if it is not valid."""

    def matches(held: NumberClass) -> Callable[[str], bool]:
        pattern = re.compile(held.pattern)
        return lambda digits: (not held.lengths or len(digits) in held.lengths) and bool(pattern.fullmatch(digits))

    general = matches(rules.general)
    known = {kind: matches(rules.classes[kind]) for kind, _ in TYPE_ORDER if kind in rules.classes}
    fixed = known.pop(NumberType.FIXED_LINE, None)
    mobile = known.pop(NumberType.MOBILE, None)

    def kind_of(digits: str) -> int:
        if not general(digits):
            return NumberType.UNKNOWN
        for kind, matching in known.items():
            if matching(digits):
                return kind
        is_fixed, is_mobile = bool(fixed and fixed(digits)), bool(mobile and mobile(digits))
        if is_fixed and (rules.mobile_like_fixed or is_mobile):
            return NumberType.FIXED_LINE_OR_MOBILE
        if is_fixed:
            return NumberType.FIXED_LINE
        return NumberType.MOBILE if is_mobile else NumberType.UNKNOWN

    return kind_of


def every_number(*rules: RegionRules) -> Iterator[str]:
    """All digit strings of the lengths that any of the rules knows."""
    lengths = sorted({length for one in rules for length in one.general.lengths})
    if not lengths or lengths[-1] > LONGEST:
        raise ValueError(f"numbers of {lengths} digits: too many to try each")
    for length in lengths:
        for digits in product("0123456789", repeat=length):
            yield "".join(digits)


def region_of(plan: PlanRules, code: int) -> RegionRules:
    """The rules of a calling code's only region."""
    (rules,) = plan.by_calling_code()[code]
    return rules


def by_trying(job: tuple[PlanRules, PlanRules, int]) -> tuple[int, int, Changes, list[str]]:
    """Calling code, strings tried, (newly valid, newly invalid, retyped), and the differences from `phonenumbers`."""
    before, after, code = job
    old, new = region_of(before, code), region_of(after, code)
    old_kind, new_kind = kind_by_patterns(old), kind_by_patterns(new)
    found, tried, valid, wrong = Counter[str](), 0, 0, []
    for digits in every_number(old, new):
        tried += 1
        was, is_now = old_kind(digits), new_kind(digits)
        if is_now != NumberType.UNKNOWN:
            valid += 1
            if valid % ASKED == 0 and (said := asked(code, digits)) != is_now:
                wrong.append(f"+{code}{digits}: {is_now}, by phonenumbers {said}")
        if was == is_now:
            continue
        if was == NumberType.UNKNOWN:
            found["newly valid"] += 1
        elif is_now == NumberType.UNKNOWN:
            found["newly invalid"] += 1
        else:
            found["retyped"] += 1
    return code, tried, (found["newly valid"], found["newly invalid"], found["retyped"]), wrong


def asked(code: int, digits: str) -> int:
    """The type of a national number by the installed `phonenumbers`."""
    zeros = min(len(digits) - len(digits.lstrip("0")), len(digits) - 1)
    number = phonenumbers.PhoneNumber(
        country_code=code,
        national_number=int(digits),
        italian_leading_zero=zeros > 0 or None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )
    return phonenumbers.number_type(number)


def by_automata(before: PlanRules, after: PlanRules) -> dict[int, Changes]:
    """The same counts by `diff_plans`, by calling code."""
    counts: dict[int, Changes] = {}
    for one in diff_plans(compile_plan(before), compile_plan(after)).differences:
        held = counts.get(one.calling_code, (0, 0, 0))
        counts[one.calling_code] = held[0] + one.newly_valid, held[1] + one.newly_invalid, held[2] + one.retyped
    return counts


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--snapshot", type=Path, default=SNAPSHOT, help="the older plan; the newer is the installed")
    parser.add_argument("--codes", type=int, nargs="+", default=CODES)
    chosen = parser.parse_args()
    before, after = read_snapshot(chosen.snapshot.read_bytes()), installed_rules()
    counted = by_automata(before, after)
    differences, tried = [], 0
    with multiprocessing.get_context("spawn").Pool() as pool:
        jobs = [(before, after, code) for code in chosen.codes]
        for code, numbers, changes, wrong in pool.imap_unordered(by_trying, jobs):
            tried += numbers
            differences += wrong
            print(f"+{code}: {numbers:,} tried, (newly valid, newly invalid, retyped) {changes}", flush=True)
            if changes != counted.get(code, (0, 0, 0)):
                differences.append(f"+{code}: {changes} by trying, {counted.get(code)} by the automata")
    figures = {"calling_codes": len(chosen.codes), "numbers_tried": tried, "differences": len(differences)}
    write_figures("prove_diff", figures)
    print("\n".join(differences))
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
