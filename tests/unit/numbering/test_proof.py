from __future__ import annotations

import pytest

from bossjy_numbering import Plan, oracle
from tests.performance.numbering import prove_numbering
from tests.performance.numbering.prove_numbering import prove_all, tasks_of
from tests.performance.numbering.states import StateCheck


@pytest.mark.timeout(300)
def test_100_000_answers_are_those_of_phonenumbers() -> None:
    # Names have their own test: test_enrich_proof.py.
    proof = prove_all([task for task in tasks_of(100_000, seed=2, every=97, named=0) if task[0] == "answers"], 1)
    assert proof.counts["answers"] >= 100_000
    assert proof.counts["formats"] >= 10_000
    assert proof.differences == []


@pytest.mark.timeout(300)
def test_the_tasks_of_names_compare_names() -> None:
    tasks = tasks_of(0, seed=2, every=4999, named=1)
    assert [kind for kind, _ in tasks] == ["names", "prefixes"]
    proof = prove_all(tasks, 1)
    assert proof.counts["names"] > 20_000
    assert proof.differences == []


def test_the_proof_sees_an_answer_that_is_wrong(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove_numbering, "TASK", 50)
    wrong = plan.number("not a number")
    monkeypatch.setattr(oracle, "answer", lambda _text, _region: wrong)
    proof = prove_numbering.prove(("answers", 1))
    assert len(proof.differences) > 50


@pytest.mark.timeout(300)
def test_every_state_says_what_its_patterns_say(plan: Plan) -> None:
    check = StateCheck(plan.tables)
    check.run()
    assert check.differences == []
    assert len(check.seen) == plan.tables.state_count


def test_the_tables_are_small(plan: Plan) -> None:
    assert plan.table_bytes < 5 * 2**20
