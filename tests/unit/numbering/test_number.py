from __future__ import annotations

import pickle
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bossjy_numbering import Format, InvalidReason, Leniency, MatchType, ParseError, Plan, load_plan, oracle

TEXTS = st.one_of(
    st.text(max_size=40), st.text("0123456789+-. ()/xX#*,;~\uff10\uff19\uff0b\u0663\u3000abctel:=", max_size=40)
)
REGIONS = st.sampled_from([None, "", "CN", "US", "GB", "AR", "BR", "IT", "BS", "ZZ", "cn", "001"])
EXAMPLES = [
    ("+86 138 0013 8000", None),
    ("0755-12345678", "CN"),
    ("\uff0b\uff18\uff16 13800138000", None),
    ("00 44 20 7946 0018", "CN"),
    ("8613800138000", "CN"),
    ("+39 06 1234567", None),
    ("+1 310 1234", None),
    ("011 15-2345-6789", "AR"),
    ("0 15 11 96123 4567", "BR"),
    ("2345678", "BS"),
    ("1-800-FLOWERS", "US"),
    ("tel:7946-0018;phone-context=+44-20", "GB"),
    ("+999 123456", "US"),
    ("+", "US"),
    ("12", "US"),
    ("1", "US"),
    ("(12)", "US"),
    ("00", "GB"),
    ("000000", "IT"),
    ("+86 12345678901234567890", None),
    ("x" * 260, "US"),
    ("1" * 251, "US"),
    ("Tel: 020 7946 0018 ext. 55", "GB"),
    ("13800138000", None),
    ("\u7535\u8bdd\uff1a13800138000\uff0c", "CN"),
]


@pytest.mark.parametrize(("text", "region"), EXAMPLES)
def test_one_number_is_answered_as_phonenumbers_answers_it(plan: Plan, text: str, region: str | None) -> None:
    assert plan.number(text, region) == oracle.answer(text, region)


@given(text=TEXTS, region=REGIONS)
def test_any_text_is_answered_as_phonenumbers_answers_it(plan: Plan, text: str, region: str | None) -> None:
    assert plan.number(text, region) == oracle.answer(text, region)


@pytest.mark.parametrize("form", Format)
def test_formats_are_those_of_phonenumbers(plan: Plan, form: Format) -> None:
    for text, region in EXAMPLES:
        number = plan.number(text, region)
        if number.error:
            with pytest.raises(ValueError, match="no format"):
                plan.format(number, form)
        else:
            assert plan.format(number, form) == phonenumbers.format_number(phonenumbers.parse(text, region), int(form))


@pytest.mark.parametrize(
    ("text", "region", "reason"),
    [
        ("+8613800138000", None, InvalidReason.NONE),
        ("abc", "CN", InvalidReason.NOT_A_NUMBER),
        ("13800138000", None, InvalidReason.INVALID_COUNTRY_CODE),
        ("00 1", "GB", InvalidReason.TOO_SHORT_AFTER_IDD),
        ("+49 1", None, InvalidReason.TOO_SHORT_NSN),
        ("+861234", None, InvalidReason.TOO_SHORT),
        ("+1 212 555 12345", None, InvalidReason.TOO_LONG),
        ("1" * 251, "CN", InvalidReason.TOO_LONG),
        ("+65 123456789", None, InvalidReason.INVALID_LENGTH),
        ("+1 253 0000", None, InvalidReason.LOCAL_ONLY),
        ("+8612000138000", None, InvalidReason.NOT_IN_PLAN),
    ],
)
def test_the_reason_is_the_first_thing_that_is_wrong(
    plan: Plan, text: str, region: str | None, reason: InvalidReason
) -> None:
    assert plan.number(text, region).reason == reason


def test_national_digits_keep_their_zeros(plan: Plan) -> None:
    assert plan.number("+39 06 1234567").national_digits == "061234567"
    assert plan.number("000000", "IT").national_digits == "000000"
    assert plan.number("").national_digits == ""


def test_numbers_are_matched_as_far_as_they_say(plan: Plan) -> None:
    assert plan.match("+86 138 0013 8000", "+8613800138000") == MatchType.EXACT_MATCH
    assert plan.match("+86 138 0013 8000", "138 0013 8000") == MatchType.NSN_MATCH
    assert plan.match("+86 138 0013 8000", "38 0013 8000") == MatchType.SHORT_NSN_MATCH
    assert plan.match("+86 138 0013 8000", "+86 138 0013 8001") == MatchType.NO_MATCH
    assert plan.match("+86 138 0013 8000", "none") == MatchType.NOT_A_NUMBER


def test_numbers_are_found_in_a_text(plan: Plan) -> None:
    text = "Call +44 20 7946 0018 or 138 0013 8000, order 12345."
    found = plan.find(text, "CN")
    assert [one.number.e164 for one in found] == ["+442079460018", "+8613800138000"]
    assert all(text[one.start : one.end] == one.raw for one in found)
    assert len(plan.find(text, "CN", limit=1)) == 1
    assert plan.find(text, "CN", limit=0) == []
    assert len(plan.find("0000000", "CN", Leniency.POSSIBLE)) >= len(plan.find("0000000", "CN"))


def test_regions_are_described(plan: Plan) -> None:
    regions = plan.regions()
    assert len(regions) == sum(len(codes) for codes in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.values())
    china = next(one for one in regions if one.code == "CN")
    assert (china.calling_code, china.main_region, china.national_prefix) == (86, "CN", "0")
    for region in regions:
        if region.example is not None:
            number = plan.number(region.example)
            assert (number.valid, number.calling_code) == (True, region.calling_code)


def test_a_plan_is_loaded_once_and_pickles_as_its_folder(plan: Plan, cache_dir: Path) -> None:
    assert load_plan(cache_dir) is plan
    assert pickle.loads(pickle.dumps(plan)) is plan  # noqa: S301  # our own bytes
    assert plan.version == phonenumbers.__version__


def test_errors_have_libphonenumbers_values(plan: Plan) -> None:
    assert plan.number("").error == ParseError.NOT_A_NUMBER
    assert ParseError.TOO_LONG == phonenumbers.NumberParseException.TOO_LONG + 1
