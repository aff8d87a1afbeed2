from __future__ import annotations

import pytest
from hypothesis import given

from bossjy_numbering import FixKind, Plan
from tests.unit.numbering.test_number import REGIONS, TEXTS


@pytest.mark.parametrize(
    ("text", "region", "kind", "e164"),
    [
        ("8613800138000", None, FixKind.ADD_PLUS, "+8613800138000"),
        ("008613800138000", None, FixKind.ADD_PLUS, "+8613800138000"),
        ("+52 1 55 1234 5678", None, FixKind.REMOVE_DIGIT, "+525512345678"),
        ("+55 11 8765 4321", None, FixKind.ADD_DIGIT, "+5511987654321"),
        ("13800138000.0", "CN", FixKind.REMOVE_DECIMAL, "+8613800138000"),
        ("1.3800138000E+10", "CN", FixKind.WRITE_OUT, "+8613800138000"),
        ("612345678", "IT", FixKind.RESTORE_LEADING_ZERO, "+390612345678"),
        ("(202) 456-1112", None, FixKind.ASSUME_REGION, "+12024561112"),
        ("138@0013@8000", "CN", FixKind.REMOVE_CHARACTERS, "+8613800138000"),
        ("+49 0 0 30 123456", None, FixKind.REMOVE_TRUNK_PREFIX, "+4930123456"),
    ],
)
def test_a_known_mistake_is_mended(plan: Plan, text: str, region: str | None, kind: FixKind, e164: str) -> None:
    said = plan.explain(text, region)
    assert not said.number.valid
    assert (kind, e164) in [(fix.kind, fix.number.e164) for fix in said.fixes]
    assert not said.unrecoverable
    assert len(said.fix_texts) == len(said.fixes)


@given(text=TEXTS, region=REGIONS)
def test_every_fix_is_a_valid_number(plan: Plan, text: str, region: str | None) -> None:
    said = plan.explain(text, region, "zh")
    assert said.number == plan.number(text, region)
    assert said.text
    for fix in said.fixes:
        assert fix.number.valid
        assert plan.number(fix.number.e164) == fix.number._replace(extension=None)
        assert (fix.number.e164, fix.number.extension) != (said.number.e164, said.number.extension)


@pytest.mark.parametrize("text", ["1.38E+10", "8.6138E+12", "1,38e10"])
def test_rounded_digits_are_lost(plan: Plan, text: str) -> None:
    said = plan.explain(text, "CN")
    assert said.unrecoverable
    assert said.fixes == ()
    assert "spreadsheet" in said.text


def test_the_digit_at_which_the_plan_ends_is_named(plan: Plan) -> None:
    said = plan.explain("+8612000138000")
    assert said.failed_digit == 1
    assert "digit 2 (2)" in said.text
    assert "第 2 位是 2" in plan.explain("+8612000138000", None, "zh-Hant").text
    assert plan.explain("+86138001380").failed_digit == -1
    assert plan.explain("+8613800138000").failed_digit == -1
    assert plan.explain("none").failed_digit == -1
