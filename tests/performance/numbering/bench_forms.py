"""Rows with more than digits and punctuation, as people write them: extensions, letters, digits of other scripts."""

from __future__ import annotations

import random
from collections.abc import Callable

from bossjy_numbering import Plan
from tests.performance.numbering.bench_texts import FULL_WIDTH, dirty_texts, valid_pool, variants

_LABELS = (
    *(" ext. ", " ext ", " x", "x", " #", ", ext. ", " Ext: ", ";ext=", " extension ", " \u0434\u043e\u0431. ", ",,"),
    *("\uff58", " anexo ", " int. ", " x.", "~", " EXT"),
)
_WORDS = ("FLOWERS", "TAXI", "HOTEL", "CALL", "BANK", "DOCTOR", "PIZZA", "LAWYER", "HOME", "AUTO")
_LABELS_BEHIND = (" home", " (office)", " mobile", " work", " fax", " Mr. Smith", " \u5f20\u4e09", " reception")
_ZEROS = (0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50, 0x1040)
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_KEYS = "22233344455566677778889999"
Form = Callable[[str, random.Random], str]


def with_extension(text: str, choice: random.Random) -> str:
    """An extension of one to five digits behind the number."""
    return f"{text}{choice.choice(_LABELS)}{choice.randrange(10 ** choice.randrange(1, 6))}"


def with_letters(text: str, choice: random.Random) -> str:
    """A word in place of the last digits, random letters in their place, or text behind the number."""
    draw = choice.random()
    if draw < 0.3:
        word = choice.choice(_WORDS)
        return f"{text[: -len(word)]}{word}"
    if draw < 0.6:
        size = choice.randrange(3, 8)
        letters = (_letter_of(one, choice) for one in text[-size:])
        return f"{text[:-size]}{''.join(letters)}"
    return f"{text}{choice.choice(_LABELS_BEHIND)}"


def _letter_of(digit: str, choice: random.Random) -> str:
    letters = [letter for letter, key in zip(_CAPITALS, _KEYS, strict=True) if key == digit]
    return choice.choice(letters) if letters else digit


def in_full_width(text: str, _choice: random.Random) -> str:
    """Full-width digits."""
    return text.translate(FULL_WIDTH)


def in_other_digits(text: str, choice: random.Random) -> str:
    """Digits of another script."""
    zero = choice.choice(_ZEROS)
    return text.translate({ord("0") + digit: chr(zero + digit) for digit in range(10)})


FORMS: dict[str, Form] = {
    "extension": with_extension,
    "letters": with_letters,
    "full_width": in_full_width,
    "other_digits": in_other_digits,
}


def all_in_form(plan: Plan, form: Form, count: int, seed: int) -> tuple[list[str], list[str]]:
    """Numbers as people write them, every one of them in a form, with their default regions."""
    choice = random.Random(seed)
    pool = [number for number in valid_pool(plan, choice) if number.region != "001"]
    written = [(number.region or "", variants(plan, number)[:-1]) for number in choice.sample(pool, 20_000)]
    drawn = [choice.choice(written) for _ in range(count)]
    return [form(choice.choice(ways), choice) for _, ways in drawn], [region for region, _ in drawn]


def dirty_with_forms(plan: Plan, count: int, seed: int, share: float) -> tuple[list[str], list[str]]:
    """The dirty texts of `bench_texts.py`, a share of them in one of the forms."""
    choice = random.Random(seed)
    texts, regions = dirty_texts(plan, count, seed)
    forms = list(FORMS.values())
    return [choice.choice(forms)(text, choice) if choice.random() < share else text for text in texts], regions
