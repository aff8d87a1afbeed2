"""Proof that first corrections are right: `python -m tests.performance.numbering.prove_corrections`.

100,000 numbers of all regions, each damaged in one way (`damage.py`, `habits.py`) and diagnosed with its region;
Chinese mobile numbers with text around them; numbers in their national format without a region; number cells of every
region. Figures: `first_right_share` and `first_wrong_share` of the first correction (or of the answer, where it is
valid), `chinese_right_share`, `no_region_wrong_share`, `invalid_corrections`, and `silently_other`: number cells that
an import would store as another number. `joined_extensions`: right numbers with another extension.
`missed_numbers_share`: texts with two numbers of which the diagnosis does not name both. `hints_read_share`: regions
that are read from a code or a calling code. `import_differs`: cells for which an import suggests another number than
the first correction. Ends with status 1 if a promise is missed.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from dataclasses import dataclass, field

import phonenumbers

from bossjy_numbering import Diagnosis, Format, Number, NumberType, Plan, RegionHints, load_plan
from bossjy_server.imports.cleaning.number_cells import check_numbers, judged
from bossjy_server.imports.reading import arrow
from bossjy_server.imports.reading.layout import RejectReason
from tests.measurements import write_figures
from tests.performance.numbering.damage import Damage, Damaged

SEED = 20_261_127
SHOWN = 20
# Kinds of damage that only add text or marks.
AROUND = ("text_after", "text_before", "marks", "label_before", "label_after", "quoted", "invisible")
PROMISES = {
    "first_right_share": (">=", 0.99),
    "first_wrong_share": ("<=", 0.002),
    "chinese_right_share": (">=", 0.999),
    "no_region_wrong_share": ("<=", 0.05),
    "invalid_corrections": ("<=", 0),
    "silently_other": ("<=", 0),
    "import_differs": ("<=", 0),
    "hints_read_share": (">=", 0.99),
}


@dataclass(slots=True)
class Tally:
    """Counts of right and wrong first answers, by kind of damage, and some that were not right."""

    total: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    invalid: int = 0
    extensions: int = 0
    missed: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, plan: Plan, one: Damaged, said: Diagnosis) -> None:
        """Count one diagnosis."""
        found = found_first(said)
        first = found.e164 if found else ""
        joined = found is not None and one.extension is not None and (found.extension or "") != one.extension
        self.extensions += joined and first == one.number.e164
        self.missed += one.numbers > 1 and len(said.numbers) != one.numbers
        self.total[one.kind] += 1
        self.right[one.kind] += first == one.number.e164 and not joined
        self.wrong[one.kind] += first not in ("", one.number.e164)
        self.invalid += sum(not plan.number(fix.number.e164).valid for fix in said.fixes)
        if first != one.number.e164 and len(self.shown) < SHOWN:
            self.shown.append(f"{one.kind}: {one.text!r} {one.region} is {one.number.e164}, came {first or 'nothing'}")

    def share(self, counted: Counter[str]) -> float:
        """The share of all diagnoses."""
        return counted.total() / max(1, self.total.total())


def found_first(said: Diagnosis) -> Number | None:
    """The number that a reader of the diagnosis uses: the first correction, else a valid answer."""
    if said.fixes:
        return said.fixes[0].number
    return said.number if said.number.valid else None


def damaged_numbers(plan: Plan, count: int) -> Tally:
    """All regions and kinds of damage."""
    tally = Tally()
    for one in Damage(plan, SEED).all(count):
        tally.add(plan, one, plan.diagnose(one.text, one.region))
    return tally


def chinese_mobiles(plan: Plan, count: int) -> Tally:
    """Chinese mobile numbers with text around them."""
    tally, source = Tally(), Damage(plan, SEED + 1)
    while tally.total.total() < count:
        one = source.draw("CN", random.Random(tally.total.total()).choice(AROUND))
        if one.number.type == NumberType.MOBILE:
            tally.add(plan, one, plan.diagnose(one.text, "CN"))
    return tally


def without_region(plan: Plan, count: int) -> Tally:
    """Numbers of all regions in national format, no region given."""
    tally, source, choice = Tally(), Damage(plan, SEED + 2), random.Random(SEED)
    regions = sorted(region.code for region in plan.regions() if region.main_region)
    while tally.total.total() < count:
        region = choice.choice(regions)
        number = source.number(region)
        if number is None:
            continue
        text = plan.format(number, Format.NATIONAL)
        if choice.random() < 0.5:
            text = "".join(filter(str.isdigit, text))
        tally.add(plan, Damaged(text, region, number, "no_region"), plan.diagnose(text, None))
    return tally


def number_cells(plan: Plan, count: int) -> tuple[int, int, list[str]]:
    """Exponent and decimal cells of every region through the import's check: the wrongly stored, and all."""
    source, other, checked, shown = Damage(plan, SEED + 3), 0, 0, list[str]()
    by_region: dict[str, list[Damaged]] = {}
    for index in range(count):
        one = source.draw(kind=("exponent", "decimal", "cell")[index % 3])
        by_region.setdefault(one.region, []).append(one)
        rounded = f"{int(one.number.e164[1:]):.2E}"  # as a spreadsheet shows it
        by_region[one.region].append(Damaged(rounded, one.region, one.number, "rounded"))
    for region, cells in by_region.items():
        answers = check_numbers(arrow.text_column(one.text for one in cells), plan, region)
        for row, one in enumerate(cells):
            checked += 1
            stored = str(answers.e164[row]) if answers.reason[row] == 0 else ""
            if stored not in ("", one.number.e164):
                other += 1
                shown.append(f"{one.kind}: {one.text!r} {region} is {one.number.e164}, stored {stored}")
    return other, checked, shown[:SHOWN]


def import_suggestions(plan: Plan, count: int) -> int:
    """Cells for which an import suggests another number than the first correction of ExplainNumber."""
    differs = 0
    for one in Damage(plan, SEED + 4).all(count):
        said = plan.explain(one.text, one.region)
        if not said.number.valid:
            first = said.fixes[0].number.e164 if said.fixes else ""
            differs += judged(one.text, RejectReason.NOT_A_NUMBER, plan, one.region)[1] != first
    return differs


def region_hints(plan: Plan, count: int) -> float:
    """The share of numbers in national format whose region is given by another name, and that come first."""
    source, choice, read, asked = Damage(plan, SEED + 5), random.Random(SEED), 0, 0
    alpha3 = {alpha2: code for code, alpha2 in RegionHints().alpha3().items()}
    for region in (choice.choice(sorted(alpha3)) for _ in range(count)):
        number = source.number(region)
        if number is None:
            continue
        main = phonenumbers.region_code_for_country_code(number.calling_code) == region
        codes = [f"+{number.calling_code}", f"00{number.calling_code}"] if main else []
        hint = choice.choice([region.lower(), alpha3[region], alpha3[region].lower(), f" {region} ", *codes])
        said = plan.explain(plan.format(number, Format.NATIONAL), hint)
        first = said.fixes[0].number.e164 if said.fixes else said.number.e164
        asked += 1
        read += first == number.e164
    return read / max(1, asked)


def held(figure: str, value: float) -> bool:
    """True if a figure keeps its promise."""
    sign, bound = PROMISES[figure]
    return value >= bound if sign == ">=" else value <= bound


def main() -> int:
    """Run the proof. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000, help="damaged numbers; other parts are a tenth of it")
    count: int = parser.parse_args().count
    plan = load_plan()
    tally, part = damaged_numbers(plan, count), count // 10
    chinese, unknown = chinese_mobiles(plan, part), without_region(plan, part)
    other, cells, stored = number_cells(plan, part)
    figures: dict[str, float] = {
        "damaged_numbers": tally.total.total(),
        "first_right_share": round(tally.share(tally.right), 5),
        "first_wrong_share": round(tally.share(tally.wrong), 5),
        "chinese_right_share": round(chinese.share(chinese.right), 5),
        "no_region_right_share": round(unknown.share(unknown.right), 5),
        "no_region_wrong_share": round(unknown.share(unknown.wrong), 5),
        "invalid_corrections": tally.invalid + chinese.invalid + unknown.invalid,
        "joined_extensions": tally.extensions,
        "missed_numbers_share": round(tally.missed / max(1, tally.total.total()), 5),
        "number_cells": cells,
        "silently_other": other,
        "import_differs": import_suggestions(plan, part),
        "hints_read_share": round(region_hints(plan, part), 5),
    }
    for kind, total in sorted(tally.total.items()):
        figures[f"right_{kind}_share"] = round(tally.right[kind] / total, 5)
    write_figures("prove_corrections", figures)
    missed = [name for name in PROMISES if not held(name, figures[name])]
    for line in (*tally.shown, *chinese.shown, *stored):
        print(f"  {line}")
    print(f"missed: {', '.join(missed)}" if missed else "every promise is kept")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
