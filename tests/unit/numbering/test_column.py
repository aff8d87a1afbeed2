from __future__ import annotations

from typing import Any

import numpy as np
import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from bossjy_numbering import NumberColumn, Plan, oracle
from tests.performance.numbering.texts import Texts
from tests.unit.numbering.test_number import EXAMPLES, REGIONS, TEXTS

CHINESE = [
    "+8613800138000",
    "138 0013 8000",
    "none",
    "",
    "(0755) 1234-5678",
    "\uff11\uff13\uff18\uff10\uff10\uff11\uff13\uff18\uff10\uff10\uff10",
]


def same(plan: Plan, column: NumberColumn, texts: list[str], regions: list[str | None]) -> None:
    expected = [plan.number(text, region) for text, region in zip(texts, regions, strict=True)]
    assert [column.number(row) for row in range(len(column))] == expected
    assert column.e164 == [number.e164 for number in expected]
    assert column.national_number.tolist() == [number.national_number for number in expected]
    assert column.leading_zeros.tolist() == [number.number_of_leading_zeros for number in expected]
    assert column.possible.tolist() == [number.possible for number in expected]
    assert column.has_extension.tolist() == [number.extension is not None for number in expected]


def test_a_column_says_what_phonenumbers_says(plan: Plan) -> None:
    texts, regions = [text for text, _ in EXAMPLES], [region for _, region in EXAMPLES]
    column = plan.column(texts, regions)
    assert [column.number(row) for row in range(len(texts))] == [oracle.answer(*one) for one in EXAMPLES]
    same(plan, column, texts, regions)


@given(rows=st.lists(st.tuples(TEXTS, REGIONS), max_size=30))
def test_any_column_says_what_single_calls_say(plan: Plan, rows: list[tuple[str, str | None]]) -> None:
    texts, regions = [text for text, _ in rows], [region for _, region in rows]
    same(plan, plan.column(texts, regions), texts, regions)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 1.0])
def test_chunks_of_clean_and_other_rows_are_joined(plan: Plan, share: float) -> None:
    source = Texts(plan.tables, seed=5)
    drawn = [source.draw() for _ in range(20_000)]
    clean = np.random.default_rng(5).random(len(drawn)) < share
    texts = ["+8613800138000" if kept else text for (text, _), kept in zip(drawn, clean, strict=True)]
    regions = [region for _, region in drawn]
    same(plan, plan.column(texts, regions), texts, regions)


def test_a_clean_column_is_its_own_e164(plan: Plan) -> None:
    texts = ["+8613800138000", "+442079460018", "+390612345678"] * 5000
    column = plan.column(texts)
    assert column.e164 == texts
    assert column.slow_count == 0
    assert bool(column.valid.all())


def test_every_beginning_is_read_as_single_calls_read_it(plan: Plan) -> None:
    """E.164 of 8 to 15 digits by leading digits: each four digits, and each way to continue them."""
    draw = np.random.default_rng(11)
    lengths = draw.integers(6, 17, 40_000)
    texts = [f"+{row // 4:04d}{draw.integers(10**12):012d}"[: 1 + lengths[row]] for row in range(len(lengths))]
    known = {str(code) for code in plan.tables.calling_codes.tolist()}
    some = [text for text in texts if known & {text[1:end] for end in (2, 3, 4)}]
    assert len(some) > 20_000
    same(plan, plan.column(some), some, [None] * len(some))


def test_short_numbers_are_read_as_single_calls_read_them(plan: Plan) -> None:
    """Numbers of eight and nine digits: also those with the leading digits of longer numbers, with every last digit."""
    kinds = PhoneNumberType.values()
    examples = [
        phonenumbers.example_number_for_type(region, kind)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in kinds
    ]
    written = {phonenumbers.format_number(one, phonenumbers.PhoneNumberFormat.E164) for one in examples if one}
    leading_digits = {"+44800111", "+44845464"} | {text[:size] for text in written for size in (8, 9)}
    texts = [f"{beginning}{digit}" for beginning in sorted(leading_digits) for digit in range(10)]
    assert len(texts) > 10_000
    same(plan, plan.column(texts), texts, [None] * len(texts))


@pytest.mark.parametrize(
    "form",
    [
        lambda texts: texts,
        tuple,
        lambda texts: pa.array(texts, pa.string()),
        lambda texts: pa.array(texts, pa.large_string()),
        lambda texts: pa.array(["+1", *texts, "+2"], pa.string()).slice(1, len(texts)),
        lambda texts: pa.chunked_array([texts[:2], texts[2:]]),
        lambda texts: pa.array(texts).dictionary_encode(),
        lambda texts: pa.array(texts, pa.string_view()),
        lambda texts: buffers(texts, np.int32),
        lambda texts: buffers(texts, np.int64),
    ],
    ids=["list", "tuple", "string", "large", "slice", "chunked", "dictionary", "view", "int32", "int64"],
)
def test_a_column_may_be_given_in_any_form(plan: Plan, form: Any) -> None:
    same(plan, plan.column(form(CHINESE), "CN"), CHINESE, ["CN"] * len(CHINESE))


def buffers(texts: list[str], width: type) -> tuple[np.ndarray[Any, Any], bytes]:
    encoded = [text.encode() for text in texts]
    return np.cumsum([0, *map(len, encoded)]).astype(width), b"".join(encoded)


@pytest.mark.parametrize(
    "regions",
    [["CN", None, "", "US"], pa.array(["CN", None, "", "US"]), pa.array(["CN", None, "", "US"]).dictionary_encode()],
    ids=["list", "array", "dictionary"],
)
def test_each_row_may_have_its_own_region(plan: Plan, regions: Any) -> None:
    texts = ["13800138000", "13800138000", "+8613800138000", "212-555-1234 x5"]
    same(plan, plan.column(texts, regions), texts, ["CN", None, None, "US"])


def test_nothing_is_read_of_nothing(plan: Plan) -> None:
    forms: list[Any] = [[], pa.array([], pa.string()), pa.chunked_array([], pa.string()), buffers([], np.int32)]
    for empty in forms:
        column = plan.column(empty)
        assert len(column) == 0
        assert column.e164 == []
        assert column.national_number.tolist() == []


def test_a_null_is_an_empty_text(plan: Plan) -> None:
    same(plan, plan.column(pa.array([None, "+8613800138000", None])), ["", "+8613800138000", ""], [None] * 3)
    same(plan, plan.column([None, "+8613800138000"]), ["", "+8613800138000"], [None] * 2)


def test_bytes_that_are_no_text_are_no_number(plan: Plan) -> None:
    rows = [
        b"\xff\xfe1\xef\xbc",
        b"\x91123",
        b"138 0013 8000\xe4",
        b"13800138000",
        b"138 0013 8000\xe3\x80",
        b"\xe4123",
    ]
    for texts in (rows, rows[2:], rows[2:4], rows[3:]):
        column = plan.column((np.cumsum([0, *map(len, texts)]), b"".join(texts)), "CN")
        same(plan, column, [text.decode(errors="replace") for text in texts], ["CN"] * len(texts))


@pytest.mark.parametrize("offsets", [[0, 3, 2], [0, 99], [-1, 2], []])
def test_offsets_that_do_not_fit_are_refused(plan: Plan, offsets: list[int]) -> None:
    with pytest.raises(ValueError, match="offsets"):
        plan.column((np.array(offsets, np.int64), b"12345"))


def test_columns_of_other_lengths_and_kinds_are_refused(plan: Plan) -> None:
    with pytest.raises(ValueError, match="2 texts with 3 default regions"):
        plan.column(["1", "2"], ["CN", "CN", "CN"])
    with pytest.raises(TypeError, match="int64"):
        plan.column(pa.array([1, 2]))


def test_slow_rows_are_counted(plan: Plan) -> None:
    texts = ["+8613800138000", "1-800-FLOWERS", "212-555-1234 x5", "tel:555-1234;phone-context=+1212"]
    column = plan.column(texts, "US")
    assert column.slow.tolist() == [False, True, True, True]
    assert column.single.tolist() == [False, False, False, True]
    assert column.slow_count == 1
    assert column.extensions == {2: "5"}
