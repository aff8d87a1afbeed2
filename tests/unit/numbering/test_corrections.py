from __future__ import annotations

import pytest

from bossjy_numbering import Doubt, FixKind, Plan, ShortNumber
from tests.performance.numbering.prove_corrections import (
    PROMISES,
    chinese_mobiles,
    damaged_numbers,
    held,
    import_suggestions,
    number_cells,
    region_hints,
    without_region,
)

MOBILE = "+8613212345678"


def test_first_corrections_keep_their_promises(plan: Plan) -> None:
    damaged, chinese, unknown = damaged_numbers(plan, 2_000), chinese_mobiles(plan, 300), without_region(plan, 300)
    other, _, stored = number_cells(plan, 300)
    figures = {
        "first_right_share": damaged.share(damaged.right),
        "first_wrong_share": damaged.share(damaged.wrong),
        "chinese_right_share": chinese.share(chinese.right),
        "no_region_wrong_share": unknown.share(unknown.wrong),
        "invalid_corrections": damaged.invalid + chinese.invalid + unknown.invalid,
        "silently_other": other,
        "import_differs": import_suggestions(plan, 200),
        "hints_read_share": region_hints(plan, 300),
    }
    assert set(figures) == set(PROMISES)
    missed = {name: value for name, value in figures.items() if not held(name, value)}
    assert not missed, (missed, damaged.shown, chinese.shown, stored)


@pytest.mark.parametrize(
    ("text", "kind", "extension"),
    [
        ("132 1234 5678 赵六", FixKind.REMOVE_CHARACTERS, None),
        ("132·1234·5678", FixKind.REMOVE_CHARACTERS, None),
        ("132\t12345678", FixKind.REMOVE_CHARACTERS, None),
        ("132_1234_5678", FixKind.REMOVE_CHARACTERS, None),
        ("132\u200e12345678", FixKind.REMOVE_CHARACTERS, None),
        ("13212345678 home", FixKind.REMOVE_CHARACTERS, None),
        ("13212345678-9010", FixKind.SEPARATE_EXTENSION, "9010"),
        ("13212345678转8002", FixKind.SEPARATE_EXTENSION, "8002"),
        ("13212345678 分机9010", FixKind.SEPARATE_EXTENSION, "9010"),
        ("13212345678/13312345678", FixKind.SEPARATE_NUMBERS, None),
        ("13212345678、13312345678", FixKind.SEPARATE_NUMBERS, None),
        ("13212345678 13312345678", FixKind.SEPARATE_NUMBERS, None),
        ("13212345678;13312345678", FixKind.SEPARATE_NUMBERS, None),
        ("l32l2345678", FixKind.REPLACE_LETTERS, None),
        ("1.3212345678E10", FixKind.WRITE_OUT, None),
    ],
)
def test_a_damaged_chinese_mobile_is_read_first(plan: Plan, text: str, kind: FixKind, extension: str | None) -> None:
    first = plan.diagnose(text, "CN").fixes[0]
    assert (first.number.e164, first.kind, first.number.extension) == (MOBILE, kind, extension)


@pytest.mark.parametrize(
    ("text", "region", "meant", "doubt"),
    [
        ("6.649876543E9", "AT", "+436649876543", Doubt.EXPONENT),
        ("030987654.0", "DE", "+4930987654", Doubt.DECIMAL_POINT),
        ("030 987654 (Axel)", "DE", "+4930987654", Doubt.KEYPAD_LETTERS),
        ("132OOOO5678", "CN", "+8613200005678", Doubt.LETTERS_FOR_DIGITS),
    ],
)
def test_a_doubtful_answer_stays_and_is_corrected(plan: Plan, text: str, region: str, meant: str, doubt: Doubt) -> None:
    said = plan.explain(text, region)
    assert said.number == plan.number(text, region)
    assert said.number.valid
    assert said.number.e164 != meant
    assert doubt in said.doubts
    assert said.fixes[0].number.e164 == meant
    assert said.text != plan.explain("+442079460000").text


def test_letters_that_belong_to_a_number_are_no_damage(plan: Plan) -> None:
    said = plan.explain("1-800-FLOWERS", "US")
    assert said.number.valid
    assert said.doubts == Doubt.KEYPAD_LETTERS | Doubt.REGION_ASSUMED
    assert said.fixes == ()


@pytest.mark.parametrize(
    ("text", "region"), [("08 4915504957", "CL"), ("04 9168769325", "CN"), ("03 3621823019", "IT")]
)
def test_a_text_that_begins_with_zero_gets_no_other_country(plan: Plan, text: str, region: str) -> None:
    own = plan.number("+" + str(next(one.calling_code for one in plan.regions() if one.code == region)) + "00")
    assert {fix.number.calling_code for fix in plan.diagnose(text, region).fixes} <= {own.calling_code}


@pytest.mark.parametrize("text", ["044 55 1234 9876", "01 55 1234 9876", "045 55 1234 9876", "+52 1 55 1234 9876"])
def test_prefixes_that_mexico_has_dropped_are_removed(plan: Plan, text: str) -> None:
    assert plan.diagnose(text, "MX").fixes[0].number.e164 == "+525512349876"


@pytest.mark.parametrize(
    ("text", "region", "meant"),
    [
        ("0162 345 6789", "VN", "+84323456789"),
        ("07 12 34 56", "CI", "+2250707123456"),
        ("90 01 12 34", "BJ", "+2290190011234"),
    ],
)
def test_a_renumbered_number_becomes_the_new_one(plan: Plan, text: str, region: str, meant: str) -> None:
    first = plan.diagnose(text, region).fixes[0]
    assert (first.kind, first.number.e164) == (FixKind.RENUMBER, meant)


@pytest.mark.parametrize("text", ["13212345678", "13212345678.0"])
def test_several_likely_countries_are_candidates_and_no_correction(plan: Plan, text: str) -> None:
    said = plan.explain(text)
    assert said.fixes == ()
    assert {"+8613212345678", "+13212345678"} <= {one.e164 for one in said.candidates}


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("95588", ShortNumber.SHORT),
        ("12306", ShortNumber.SHORT),
        ("110", ShortNumber.EMERGENCY),
        ("5", ShortNumber.NONE),
    ],
)
def test_short_numbers_are_named(plan: Plan, text: str, short: ShortNumber) -> None:
    said = plan.explain(text, "CN")
    assert said.short is short
    assert ("number of CN" in said.text) == bool(short)


@pytest.mark.parametrize(
    ("text", "region", "part"),
    [
        ("13212345678", "cn", "CN was read"),
        ("020 7946 0061", "UK", "GB was read"),
        ("13212345678", "Mordor", "not a region"),
        ("+999345678901", "CN", "no calling code 999"),
        ("13212345678 13312345678", "CN", "2 numbers"),
        ("4" * 251, "CN", "longer than 250"),
        ("4155552", "FR", "7 digits"),
    ],
)
def test_an_explanation_is_true(plan: Plan, text: str, region: str, part: str) -> None:
    assert part in plan.explain(text, region).text
