from __future__ import annotations

import pytest

from bossjy_numbering import Plan
from tests.performance.numbering.prove_numbering import prove_many
from tests.performance.numbering.states import StateCheck


@pytest.mark.timeout(300)
def test_200_000_answers_are_those_of_phonenumbers() -> None:
    proof = prove_many(200_000, seed=2, processes=1)
    assert proof.comparisons >= 200_000
    assert proof.differences == []


@pytest.mark.timeout(300)
def test_every_state_says_what_its_patterns_say(plan: Plan) -> None:
    check = StateCheck(plan.tables)
    check.run()
    assert check.differences == []
    assert len(check.seen) == plan.tables.state_count


def test_the_tables_are_small(plan: Plan) -> None:
    assert plan.table_bytes < 5 * 2**20
