"""Doubts about valid answers: of single texts, and of columns by passes over their bytes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bossjy_numbering import Doubt, Plan, column_doubts, finish, load_plan

ASSUMED, CUT = Doubt.REGION_ASSUMED, Doubt.EXTENSION_CUT
TEXTS = [
    ("+86 138 0000 0000", "", Doubt.NONE),
    ("+8613800000000", "CN", Doubt.NONE),
    ("13800000000", "CN", ASSUMED),
    ("(+44) 20 7946-0958", "", Doubt.NONE),
    ("020 7946/0958", "GB", ASSUMED),
    ("１３８００００００００", "CN", ASSUMED),
    ("+86\u00a0138\u00a00000\u00a00000", "", Doubt.NONE),
    ("202.456.1110", "US", ASSUMED),
    ("030987654.0", "DE", ASSUMED | Doubt.DECIMAL_POINT),
    ("3.0987654E7", "DE", ASSUMED | Doubt.EXPONENT),
    ("1-800-FLOWERS", "US", ASSUMED | Doubt.KEYPAD_LETTERS),
    ("+1800FLOWERS", "", Doubt.KEYPAD_LETTERS),
    ("030 987654 (Axel)", "DE", ASSUMED | Doubt.KEYPAD_LETTERS),
    ("132OOOO5678", "CN", ASSUMED | Doubt.KEYPAD_LETTERS | Doubt.LETTERS_FOR_DIGITS),
    ("Tel: +44 20 7946 0958", "", Doubt.TEXT_DROPPED),
    ("tel:+44-20-7946-0958", "", Doubt.NONE),
    ("tel:+44-20-7946-0958;ext=12", "", CUT),
    ("tel:2024561111;phone-context=+1", "", Doubt.NONE),
    ("+1 202 456 1111 ext. 12", "", CUT),
    ("(202) 456-1111 x12", "US", ASSUMED | CUT),
    ("(202) 456-1111 доб. 12", "US", ASSUMED | CUT),
    ("(530) 583-6985 x302/x2303", "US", ASSUMED | CUT | Doubt.TEXT_DROPPED),
    ("Mail: +1 202 456 1111 ext. 12", "", CUT | Doubt.TEXT_DROPPED),
    ("+442079460958;13312345678", "", CUT | Doubt.SECOND_NUMBER),
    ("+442079460958,,123", "", CUT),
    ("invalid", "CN", Doubt.NONE),
    ("138001", "CN", Doubt.NONE),
    ("", "CN", Doubt.NONE),
]
ANY = st.text("+0123456789 ().-/,;x#eEOl\u00a0\uff0b\uff11aт*[]'", max_size=24)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return load_plan(tmp_path_factory.getbasetemp() / "plan")


def of_column(plan: Plan, texts: list[str], regions: list[str]) -> list[int]:
    doubts: list[int] = finish(column_doubts(texts, plan.column(texts, regions))).tolist()
    return doubts


@pytest.mark.parametrize(("text", "region", "doubts"), TEXTS)
def test_doubts_about_one_text(plan: Plan, text: str, region: str, doubts: Doubt) -> None:
    number = plan.number(text, region or None)
    assert number.valid or not doubts
    assert plan.doubts(text, number) == doubts


@pytest.mark.parametrize("times", [1, 900])
def test_doubts_about_a_column_are_those_of_its_texts(plan: Plan, times: int) -> None:
    texts, regions, doubts = (list(one) * times for one in zip(*TEXTS, strict=True))
    assert of_column(plan, texts, regions) == doubts


def test_a_column_of_e164_and_one_that_only_looks_alike(plan: Plan) -> None:
    clean = ["+8613800000000", "+442079460958"] * 20_000
    assert not any(of_column(plan, clean, [""] * len(clean)))
    alike = ["+8613800000000", "+1800FLOWERS"]
    assert [len(text) for text in alike] == [len(text) for text in plan.column(alike).e164]
    assert of_column(plan, alike, ["", ""]) == [0, Doubt.KEYPAD_LETTERS]


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["+", "＋", "", "\u202a+", "（+", "\u2066"]),
            st.text(
                "0123456789０１２３４５６７８９ \u3000()（）-/.\u200b\u202a\u202c\u2069\u00a0\u2013x,．*",
                min_size=8,
                max_size=18,
            ),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_other_forms_of_digits_and_marks_have_the_doubts_of_their_texts(
    plan: Plan, parts: list[tuple[str, str]]
) -> None:
    texts = [sign + rest for sign, tail in parts for rest in (tail, "86138" + tail, "13800138" + tail[-3:], tail + "0")]
    expected = [int(plan.doubts(text, plan.number(text, "CN"))) for text in texts]
    assert of_column(plan, texts, ["CN"] * len(texts)) == expected


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from([text for text, _, _ in TEXTS]), ANY, ANY), max_size=6))
def test_any_column_has_the_doubts_of_its_texts(plan: Plan, parts: list[tuple[str, str, str]]) -> None:
    texts = [new for text, before, after in parts for new in (before + text, text + after, before, "")]
    doubts = [int(plan.doubts(text, plan.number(text, "US"))) for text in texts]
    assert of_column(plan, texts, ["US"] * len(texts)) == doubts
