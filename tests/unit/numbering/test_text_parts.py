"""The parts of a text, against the steps of `phonenumberutil.parse` that find them."""

from __future__ import annotations

import itertools
import random
import sys

import pytest
from hypothesis import given
from phonenumbers import NumberParseException
from phonenumbers import phonenumberutil as judge

from bossjy_numbering import Number, Plan, oracle, scalar_text
from bossjy_numbering.scalar_text import PLUS_SIGNS, digits_of, parts_of
from tests.performance.numbering.texts import Texts
from tests.unit.numbering.test_number import TEXTS

# Number, true if a plus precedes it, and extension; None for a text that is not viable.
Said = tuple[str, bool, str] | None
ALPHABET = " -.,;:#~xXet/*1+_\uff58\u00a0\t"
HEADS = ("123", "12", "+1 23 ", "2125551234", "x1-2/3", "\u0663\u0663\u0663")
TAILS = ("", "5", "12#", "1234567", "1234567890123456", "12#;isub=1", "12#/x3")


def by_phonenumbers(text: str) -> Said:
    try:
        number = judge._build_national_number_for_parsing(text)
    except NumberParseException:
        return None
    if not judge._is_viable_phone_number(number):
        return None
    extension, number = judge._maybe_strip_extension(number)
    return judge._normalize(number), number[:1] in PLUS_SIGNS, extension


def by_parts(text: str) -> Said:
    parts = parts_of(text)
    assert parts is not None
    if parts.begin == parts.end:
        return None
    extension = text[parts.extension_begin : parts.extension_end]
    return digits_of(text, parts), text[parts.begin] in PLUS_SIGNS, extension


def test_every_short_gap_between_number_and_extension() -> None:
    gaps = ["".join(gap) for size in (0, 1, 2) for gap in itertools.product(ALPHABET, repeat=size)]
    choice = random.Random(20)
    gaps += ["".join(choice.choices(ALPHABET, k=choice.randrange(3, 9))) for _ in range(600)]
    for head, gap, tail in itertools.product(HEADS, gaps, TAILS):
        text = head + gap + tail
        assert by_parts(text) == by_phonenumbers(text), text


@pytest.mark.parametrize("label", ["ext", "x", ";", ",,", ",", ";ext=", "", "\u0434\u043e\u0431"])
@pytest.mark.parametrize("suffix", ["", "#", "##"])
def test_extensions_of_every_length(label: str, suffix: str) -> None:
    for length in range(1, 30):
        for digit in "1\uff11\u0661":
            text = f"212 555 1234 {label} {digit * length}{suffix}"
            assert by_parts(text) == by_phonenumbers(text), text


def test_every_character_in_every_place() -> None:
    characters = [chr(point) for point in range(0x2100)] + [chr(point) for point in range(0xFF00, 0x10000)]
    characters += [chr(point) for point in range(sys.maxunicode) if chr(point).isdecimal()]
    for character in characters:
        for text in (f"{character}12345", f"123{character}45", f"12345{character}", f"12{character}ABC{character}1"):
            assert by_parts(text) == by_phonenumbers(text), text


@given(text=TEXTS)
def test_any_text(text: str) -> None:
    parts = parts_of(text)
    assert parts is None or by_parts(text) == by_phonenumbers(text)


def test_a_phone_context_is_left_to_phonenumbers() -> None:
    assert parts_of("tel:7946-0018;phone-context=+44-20") is None


def test_the_cache_of_gaps_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scalar_text, "_GAPS_MAX", 4)
    scalar_text._gaps.clear()
    for label, length in itertools.product((" x", " ext ", "#", " ", ",", ";" * 40), range(1, 12)):
        text = f"212 555 1234{label}{'5' * length}"
        assert by_parts(text) == by_phonenumbers(text), text
        assert len(scalar_text._gaps) <= 4


@pytest.mark.parametrize(
    ("text", "e164", "extension"),
    [
        ("+1 212-555-1234 ext. 56", "+12125551234", "56"),
        ("(212) 555-1234 x302/x2303", "+12125551234", "302"),
        ("tel:+1-212-555-1234;ext=7", "+12125551234", "7"),
        ("212-555-1234,,5#", "+12125551234", "5"),
        ("212 555-1234 - 503#", "+12125551234", "503"),
        ("\uff12\uff11\uff12 555 1234 \uff58\uff15", "+12125551234", "\uff15"),
        ("1-800-FLOWERS", "+18003569377", None),
        ("1-800-FLOWERS x5", "+18003569377", "5"),
        ("Tel: 1-800-flowers", "+18003569377", None),
        ("+999 011 44 20 7946 0018", "", None),
        ("+011 44 20 7946 0018 ext 5", "+442079460018", "5"),
        ("212-555-1234;isub=12", "+12125551234", None),
    ],
)
def test_extensions_and_letters_are_answered_without_phonenumbers(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, text: str, e164: str, extension: str | None
) -> None:
    expected = oracle.answer(text, "US")
    monkeypatch.setattr(plan._scalar, "_slow", None)
    number = plan.number(text, "US")
    assert number == expected
    assert (number.e164, number.extension) == (e164, extension)


def test_few_texts_are_answered_by_phonenumbers(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    source = Texts(plan.tables, seed=20)
    asked: list[str] = []

    def slow(text: str, region: str | None) -> Number:
        asked.append(text)
        return oracle.answer(text, region)

    monkeypatch.setattr(plan._scalar, "_slow", slow)
    drawn = [source.draw() for _ in range(5000)]
    for text, region in drawn:
        plan.number(text, region)
    others = [text for text in asked if ";phone-context=" not in text]
    assert len(others) < 25
