"""Corrections of texts as people and programs write them: extensions, other fields, prefixes, cells, old plans."""

from __future__ import annotations

import pytest

from bossjy_numbering import Doubt, FixKind, Plan
from bossjy_numbering.corrections import QUESTIONABLE
from bossjy_numbering.corrections.cells import without_decimals

FIXED = "+861065529988"


@pytest.mark.parametrize(
    "mark",
    ["转", "分机", "轉", "內線 ", " R. ", " w. ", " App. ", " Nebenstelle ", " toestel ", " ankn. ", " klapka ",
     " kl. ", " mellék ", " ต่อ ", " εσωτ. ", " שלוחה ", " د ", " máy lẻ ", " қос. ", " (доб. ", ", ext ", " - ext. "],
)  # fmt: skip
def test_an_extension_is_apart_from_its_number(plan: Plan, mark: str) -> None:
    said = plan.diagnose(f"010 6552 9988{mark}802", "CN")
    found = said.fixes[0].number if said.fixes else said.number
    assert (found.e164, found.extension) == (FIXED, "802")


@pytest.mark.parametrize(
    "text",
    [
        "1. {}",
        "(1) {}",
        "{} (2 rings)",
        "2 × {}",
        "Telefon 1 {}",
        "no.1 {}",
        "A-12 {}",
        "ann77@example.com {}",
        "2024-01-05 {}",
        "{} 05/01/2024",
        "{} (9-17h)",
        "{} 09:00-18:00",
        "{} 24/7",
        "¥100 {}",
        "{} 50%",
        "① {}",
        "{} 3楼",
        "Zimmer 214 {}",
        "phone2={}",
    ],
)
def test_other_fields_are_no_part_of_a_number(plan: Plan, text: str) -> None:
    for number, region, meant in (
        ("010 6552 9988", "CN", FIXED),
        ("020 7946 0061", "GB", "+442079460061"),
        ("+33 6 12 34 56 78", "FR", "+33612345678"),
    ):
        said = plan.diagnose(text.format(number), region)
        assert (said.fixes[0].number if said.fixes else said.number).e164 == meant


def test_an_area_code_is_no_index(plan: Plan) -> None:
    said = plan.diagnose("(06 1) 233 3996<br>+36 20 197 6532", "HU")
    assert [one.e164 for one in said.numbers] == ["+3612333996", "+36201976532"]


def test_the_numbers_of_a_numbered_list(plan: Plan) -> None:
    for text in ("1) 138 0013 8000 2) 139 0013 9000", "1. 138 0013 8000\n2. 139 0013 9000"):
        assert [one.e164 for one in plan.diagnose(text, "CN").numbers] == ["+8613800138000", "+8613900139000"]


@pytest.mark.parametrize(
    ("text", "region", "meant"),
    [
        ("86+13800138000", "CN", "+8613800138000"),
        ("+86 0086 138 0013 8000", "CN", "+8613800138000"),
        ("+01144 20 7946 0061", "CN", "+442079460061"),
        ("021 234 56 98\n+41781269175", "CH", "+41212345698"),
        ("62493 + 70335", "AC", "+24762493"),
        ("02660544321 o +582121230248", "VE", "+582660544321"),
        ("13,800,138,000.00", "CN", "+8613800138000"),
        ("3,569,532,729", "TR", "+903569532729"),
        ("17.842.661.747,00", "VC", "+17842661747"),
        ("138ОО138ΟΟ〇", "CN", "+8613800138000"),
        ("ı38 0013 8000", "CN", "+8613800138000"),
        ("012 345 6789", "EG", "+201223456789"),
        ("+966 1 234 5678", "SA", "+966112345678"),
        ("8 (095) 123-45-67", "RU", "+74951234567"),
        ("+57 1 2345678", "CO", "+576012345678"),
        ("061 23 45 67", "MA", "+212661234567"),
        ("022 23 45 67", "MA", "+212522234567"),
        ("77 12 34 56", "CM", "+237677123456"),
        ("883 1234", "CR", "+50688831234"),
        ("441 2345", "QA", "+97444412345"),
        ("712 3456", "MU", "+23057123456"),
        ("09 912 3456", "EC", "+593999123456"),
    ],
)
def test_the_first_correction(plan: Plan, text: str, region: str, meant: str) -> None:
    fixes = plan.diagnose(text, region).fixes
    assert (fixes[0].number.e164 if fixes else "") == meant


def test_letters_between_digits_raise_a_doubt(plan: Plan) -> None:
    number = plan.number("08433 6215903 DW-5448", "DE")
    assert number.valid
    assert Doubt.LETTERS_BETWEEN_DIGITS in plan.doubts("08433 6215903 DW-5448", number)
    fix = plan.diagnose("08433 6215903 DW-5448", "DE").fixes[0]
    assert (fix.kind, fix.number.e164, fix.number.extension) == (
        FixKind.SEPARATE_EXTENSION,
        "+4984336215903",
        "5448",
    )
    for text in ("Tel +49 8433 6215903", "Li, +49 8433 6215903", "+49 8433 6215903 ext. 12"):
        assert not plan.doubts(text, plan.number(text)) & QUESTIONABLE


def test_an_extension_as_long_as_its_number_may_be_a_second_number(plan: Plan) -> None:
    for text, doubted in (("62493;70335", True), ("62493 ext. 12", False)):
        number = plan.number(text, "AC")
        assert bool(plan.doubts(text, number) & Doubt.SECOND_NUMBER) == doubted


def test_dashes_of_north_america_are_evidence(plan: Plan) -> None:
    assert plan.diagnose("202-456-1111", None).fixes[0].number.e164 == "+12024561111"
    said = plan.diagnose("613-995-0253", None)
    assert not said.fixes
    assert said.candidates[0].e164 == "+16139950253"


@pytest.mark.parametrize("text", ["912.345.678", "138,00", "1,2,3", "+34.912.345.678", ""])
def test_points_of_a_phone_number_are_no_decimals(text: str) -> None:
    assert without_decimals(text) in (None, "138")
