"""Proof that the tables answer as `phonenumbers` does: `python -m tests.performance.numbering.prove_numbering`.

Answers: `phonenumbers`, `Plan.number` and, among thousands of others, `Plan.column` answer each text; a
comparison is one complete answer of ours against its answer: error, calling code, national number, leading zeros,
extension, E.164, region, type, valid, possible and its reason. Formats: for every eighth number the four of them.
Names: carrier, place and time zone at the borders of prefixes and for texts of all kinds (`enrich_proof.py`). States:
each state against the patterns (`states.py`). Shows progress, and ends with status 1 if anything differs.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import phonenumbers

from bossjy_numbering import Format, Plan, load_plan, oracle
from bossjy_numbering.enrich import load_enrichment
from bossjy_server.phone.shared_texts import take_rows
from tests.measurements import write_figures
from tests.performance.numbering.prove_names import names_at_prefixes, names_of_texts, prefix_tasks
from tests.performance.numbering.states import StateCheck
from tests.performance.numbering.texts import Texts

# Texts of one task: two comparisons of answers each.
TASK = 10_000
# Texts of one task of names: each has about a hundred comparisons.
NAMED = 1_000
CLEAN = ("+8613800138000", None)
SHOWN = 20
PROGRESS_S = 10.0
# A kind and its argument: ("answers", seed), ("names", seed) or ("prefixes", (begin, step)).
Task = tuple[str, object]


@dataclass(slots=True)
class Proof:
    """The comparisons by kind (answers, formats, names), and the differences."""

    counts: Counter[str] = field(default_factory=Counter)
    texts: int = 0
    slow: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def comparisons(self) -> int:
        """All of them."""
        return self.counts.total()

    def add(self, other: Proof) -> None:
        """Adds the results of another task."""
        self.counts += other.counts
        self.texts += other.texts
        self.slow += other.slow
        self.differences += other.differences

    def compare(self, kind: str, what: object, ours: object, theirs: object) -> None:
        """Counts one comparison."""
        self.counts[kind] += 1
        if ours != theirs:
            self.differences.append(f"{what}: {ours!r}, by phonenumbers {theirs!r}")


@cache
def plan() -> Plan:
    """The plan, once for each process."""
    return load_plan()


def prove(task: Task) -> Proof:
    """One task."""
    kind, argument = task
    if kind == "answers":
        assert isinstance(argument, int)
        return prove_answers(argument)
    compared, differences = names_at_prefixes(argument) if kind == "prefixes" else names_of_texts(argument, NAMED)
    return Proof(counts=Counter(names=compared), differences=differences)


def prove_answers(seed: int) -> Proof:
    """TASK texts drawn from a seed."""
    source = Texts(plan().tables, seed)
    drawn = [source.draw() for _ in range(TASK)]
    # Every other column is mostly clean E.164, which the column reads another way.
    rows = [one for text, region in drawn for one in ((text, region), *[CLEAN] * (3 * (seed % 2)))]
    column = plan().column([text for text, _ in rows], [region for _, region in rows])
    column = take_rows(column, np.arange(0, len(rows), len(rows) // TASK))
    proof = Proof(texts=TASK, slow=column.slow_count)
    values, zeros = column.national_number, column.leading_zeros
    for row, (text, region) in enumerate(drawn):
        # An empty region in a column means none, and so it does here.
        expected = oracle.answer(text, region or None)
        proof.compare("answers", ("number", text, region), plan().number(text, region), expected)
        proof.compare("answers", ("column", text, region), column.number(row), expected)
        if (values[row], zeros[row]) != (expected.national_number, expected.number_of_leading_zeros):
            proof.differences.append(f"national number of {text!r} {region}: {values[row]}, {zeros[row]} zeros")
        if row % 8 == 0 and not expected.error:
            _compare_formats(text, region, proof)
    return proof


def _compare_formats(text: str, region: str | None, proof: Proof) -> None:
    number, parsed = plan().number(text, region), phonenumbers.parse(text, region or None)
    for form in Format:
        theirs = phonenumbers.format_number(parsed, int(form))
        proof.compare("formats", (form.name, text, region), plan().format(number, form), theirs)
    # `oracle.answer` combines the calls of a user of `phonenumbers`.
    asked = phonenumbers.is_valid_number(parsed), phonenumbers.is_possible_number(parsed)
    proof.compare("answers", ("valid, possible", text, region), (number.valid, number.possible), asked)


def tasks_of(comparisons: int, seed: int, *, every: int, named: int) -> list[Task]:
    """Tasks with at least `comparisons` comparisons of answers, names at every n-th prefix and of `named` texts.

    The same seed draws the same texts.
    """
    first = seed * 1_000_000
    return [
        *(("names", first + one) for one in range(-(-named // NAMED))),
        *(("prefixes", part) for part in prefix_tasks(every)),
        *(("answers", first + one) for one in range(-(-comparisons // (2 * TASK)))),
    ]


def prove_all(tasks: Sequence[Task], processes: int) -> Proof:
    """All tasks, over several processes; in this one if `processes` is 1."""
    if processes <= 1:
        return _sum(map(prove, tasks), len(tasks))
    # Built once, before the other processes read them.
    plan()
    load_enrichment()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return _sum(pool.imap_unordered(prove, tasks), len(tasks))


def _sum(proofs: Iterable[Proof], tasks: int) -> Proof:
    total, begun, shown = Proof(), time.monotonic(), time.monotonic()
    for done, one in enumerate(proofs, 1):
        total.add(one)
        if time.monotonic() - shown > PROGRESS_S:
            shown = time.monotonic()
            print(
                f"{done} of {tasks} tasks, {total.comparisons:,} comparisons in {shown - begun:.0f} s, "
                f"{len(total.differences)} differ",
                flush=True,
            )
    return total


def main() -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--comparisons", type=int, default=20_000_000, help="of answers; the others come on top")
    parser.add_argument("--every", type=int, default=5, help="names are compared at every n-th prefix")
    parser.add_argument("--named", type=int, default=100_000, help="texts whose names are compared")
    parser.add_argument("--small", action="store_true", help="200,000 comparisons of answers, some of names")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    chosen = parser.parse_args()
    if chosen.small:
        chosen.comparisons, chosen.every, chosen.named = 200_000, 97, 2_000
    begun = time.monotonic()
    tasks = tasks_of(chosen.comparisons, chosen.seed, every=chosen.every, named=chosen.named)
    proof = prove_all(tasks, chosen.processes)
    check = StateCheck(plan().tables)
    check.run()
    differences = proof.differences + check.differences
    write_figures(
        "prove_numbering",
        {
            "comparisons": proof.comparisons,
            **{f"{kind}_compared": proof.counts[kind] for kind in ("answers", "formats", "names")},
            "differences": len(differences),
            "states": plan().tables.state_count,
            "states_checked": len(check.seen),
            "state_words": check.words,
            "texts": proof.texts,
            "slow_path_percent": 100 * proof.slow / max(proof.texts, 1),
            "seconds": round(time.monotonic() - begun, 1),
        },
    )
    for difference in differences[:SHOWN]:
        print(difference)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
