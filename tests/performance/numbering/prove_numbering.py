"""Proves that the tables answer as `phonenumbers` does: `python -m tests.performance.numbering.prove_numbering`.

Each text is answered by `phonenumbers`, by `Plan.number` and, among thousands of others, by `Plan.column`; a
comparison is one complete answer of ours against its answer: error, calling code, national number, leading zeros,
extension, E.164, region, type, valid, possible and its reason. For every eighth number the four formats are compared
as well. Then every state is checked against the patterns (`states.py`). Ends with status 1 if anything differs.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from dataclasses import dataclass, field
from functools import cache

import phonenumbers

from bossjy_numbering import Format, Plan, load_plan, oracle
from tests.figures import write_figures
from tests.performance.numbering.states import StateCheck
from tests.performance.numbering.texts import Texts

# Texts of one task: two comparisons each.
TASK = 10_000
SHOWN = 20


@dataclass(slots=True)
class Proof:
    """What was compared, and what differed."""

    comparisons: int = 0
    formats: int = 0
    texts: int = 0
    slow: int = 0
    differences: list[str] = field(default_factory=list)

    def add(self, other: Proof) -> None:
        """Adds what another task found."""
        self.comparisons += other.comparisons
        self.formats += other.formats
        self.texts += other.texts
        self.slow += other.slow
        self.differences += other.differences


@cache
def plan() -> Plan:
    """The plan, once for each process."""
    return load_plan()


def prove(seed: int) -> Proof:
    """One task: TASK texts drawn from a seed."""
    source = Texts(plan().tables, seed)
    drawn = [source.draw() for _ in range(TASK)]
    column = plan().column([text for text, _ in drawn], [region for _, region in drawn])
    proof = Proof(texts=TASK, slow=column.slow_count)
    values, zeros = column.national_number, column.leading_zeros
    for row, (text, region) in enumerate(drawn):
        # An empty region in a column means none, and so it does here.
        expected = oracle.answer(text, region or None)
        single, of_column = plan().number(text, region), column.number(row)
        for name, answer in (("number", single), ("column", of_column)):
            proof.comparisons += 1
            if answer != expected:
                proof.differences.append(f"{name} {text!r} {region}: {answer}, by phonenumbers {expected}")
        if (values[row], zeros[row]) != (expected.national_number, expected.number_of_leading_zeros):
            proof.differences.append(f"national number of {text!r} {region}: {values[row]}, {zeros[row]} zeros")
        if row % 8 == 0 and not expected.error:
            _compare_formats(text, region, proof)
    return proof


def _compare_formats(text: str, region: str | None, proof: Proof) -> None:
    number, parsed = plan().number(text, region), phonenumbers.parse(text, region or None)
    for form in Format:
        proof.formats += 1
        ours, theirs = plan().format(number, form), phonenumbers.format_number(parsed, int(form))
        if ours != theirs:
            proof.differences.append(f"{form.name} of {text!r} {region}: {ours!r}, by phonenumbers {theirs!r}")


def prove_many(comparisons: int, seed: int, processes: int) -> Proof:
    """At least so many comparisons, over several processes. The same seed draws the same texts."""
    tasks = -(-comparisons // (2 * TASK))
    seeds = range(seed * 1_000_000, seed * 1_000_000 + tasks)
    total, begun = Proof(), time.monotonic()
    if processes <= 1:
        for one in map(prove, seeds):
            total.add(one)
        return total
    plan()  # built once, before the others look for it
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for done, one in enumerate(pool.imap_unordered(prove, seeds), 1):
            total.add(one)
            if done % 20 == 0:
                spent = time.monotonic() - begun
                print(
                    f"{total.comparisons:,} comparisons in {spent:.0f} s, {len(total.differences)} differ", flush=True
                )
    return total


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--comparisons", type=int, default=20_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    chosen = parser.parse_args()
    proof = prove_many(chosen.comparisons, chosen.seed, chosen.processes)
    check = StateCheck(plan().tables)
    check.run()
    differences = proof.differences + check.differences
    write_figures(
        "prove_numbering",
        {
            "comparisons": proof.comparisons,
            "format_comparisons": proof.formats,
            "differences": len(differences),
            "states": plan().tables.state_count,
            "states_checked": len(check.seen),
            "state_words": check.words,
            "slow_path_percent": 100 * proof.slow / max(proof.texts, 1),
        },
    )
    for difference in differences[:SHOWN]:
        print(difference)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
