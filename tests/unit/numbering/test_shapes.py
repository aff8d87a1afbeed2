"""Rows with more than digits and punctuation: the column answers like single calls, by the shapes of the texts."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from bossjy_numbering import Plan, oracle
from bossjy_numbering.column import shapes
from tests.performance.numbering import texts as drawn_texts
from tests.performance.numbering.bench_forms import FORMS, all_in_form
from tests.performance.numbering.texts import Texts
from tests.unit.numbering.test_column import same


@pytest.mark.parametrize("form", FORMS)
def test_usual_forms(plan: Plan, form: str) -> None:
    texts, regions = all_in_form(plan, FORMS[form], 5000, seed=20)
    column = plan.column(texts, regions)
    same(plan, column, texts, list(regions))
    step = 50
    expected = [oracle.answer(text, region) for text, region in zip(texts[::step], regions[::step], strict=True)]
    assert [column.number(row) for row in range(0, len(texts), step)] == expected
    # The others have too many digits, or a prefix rule that rewrites them.
    assert column.slow_count < 600


@pytest.mark.parametrize("kept", [4096, 3])
def test_forms_of_every_kind(plan: Plan, monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    monkeypatch.setattr(shapes, "_KEPT", kept)
    monkeypatch.setattr(drawn_texts, "FORMS_SHARE", 1.0)
    source = Texts(plan.tables, seed=21)
    drawn = [source.draw() for _ in range(10_000)]
    texts, regions = [text for text, _ in drawn], [region for _, region in drawn]
    same(plan, plan.column(texts, regions), texts, list(regions))


def test_rows_of_one_shape_have_their_own_digits(plan: Plan) -> None:
    texts = [f"+1 202 456 {number:04d} ext. {number * 7 % 10_000:04d}" for number in range(2000)]
    column = plan.column(texts)
    assert column.e164 == [f"+1202456{number:04d}" for number in range(2000)]
    assert column.extensions == {number: f"{number * 7 % 10_000:04d}" for number in range(2000)}
    assert bool(column.slow.all())
    assert column.slow_count == 0


@pytest.mark.parametrize(
    "text",
    [
        # A run of digits before the first odd character, and a `#` right after them.
        "202 456-1234 - 12#",
        "202 456 1234#",
        "202 456 1234##",
        "202 456 1234 #",
        "202 456 1234#/x5",
        "202 456 1\U0001d7d3#",
        "202 456 1234 x1\U0001d7d3#",
        # Wide digits and letters before the number.
        "\uff12\uff10\uff12 456 1234 x5",
        "Tel: \uff12\uff10\uff12 456 1234 x\uff15",
        "Tel: 1-800-FLOWERS",
        "\u7535\u8bdd 1-800-FLOWERS",
        "1-800\uff0dFLOWERS",
        "1-8\uff10\uff10-FLOWERS",
        "\uff11-800-FLOWERS",
        "\U0001d7d0\U0001d7ce\U0001d7d0 456 1234",
        "202 456 1234 x\U0001d7d3",
        # Rule 3 and rule 6.
        "12 x5",
        "12",
        "\u0661\u0662",
        "\u0661\u0662\u0663 abc",
        "+\u0661\u0662\u0663 abc",
        # More digits than a walk covers.
        "202 456 1234 extension 1234567890123456",
        "202 456 1234 5678 9012 3456 7890 x5",
        # E.164 except for its letters, which are as many as digits.
        "+1800FLOWERS",
        # Two plus signs, and one after digits.
        "++1 202 456 1234 x5",
        "+1 202 456 1234 x5 +1",
    ],
)
def test_beside_the_usual_forms(plan: Plan, text: str) -> None:
    for around in ([text], ["+12024561234"] * 9 + [text, "202 456 1234 x7", text]):
        column = plan.column(around, "US")
        assert [column.number(row) for row in range(len(around))] == [oracle.answer(one, "US") for one in around]


def test_bytes_that_are_no_text_behind_a_number(plan: Plan) -> None:
    rows = [b"202 456 1234 x\xff5", b"202 456 1234 x5\xe0\x99", b"202\xe0\x99\xa0 456 1234", b"2\xc0\xb2 456 1234 x5"]
    column = plan.column((np.cumsum([0, *map(len, rows)]), b"".join(rows)), "US")
    same(plan, column, [row.decode(errors="replace") for row in rows], ["US"] * len(rows))


def new_shapes(count: int) -> list[str]:
    choice = random.Random(22)
    return [f"202 456 12 {''.join(choice.choices('abcdefghijklm', k=12))}" for _ in range(count)]


@pytest.mark.parametrize(
    ("texts", "steps"),
    [
        (lambda: new_shapes(1000), 1000),
        (lambda: ["202 456 1234 x5"] * 20_000, 20_000 // shapes._ROWS),
        (lambda: ["tel:456-1234;phone-context=+1202"] * 300, 300),
    ],
    ids=["new shapes", "one shape", "one by one"],
)
def test_rows_come_in_steps(plan: Plan, texts: Callable[[], list[str]], steps: int) -> None:
    assert sum(1 for _ in plan.column_steps(texts(), "US")) >= steps


def test_the_shapes_that_a_call_keeps_have_limits() -> None:
    known: dict[bytes, bytes] = {}
    texts = [text.encode() for text in new_shapes(3 * shapes._KEPT)] + [b"1" * 200, b"202 456 1234 x5"]
    ends = np.cumsum(list(map(len, texts)))
    sizes = [len(known) for _ in shapes._look_up(known, b"", b"".join(texts), ends - list(map(len, texts)), ends)]
    assert max(sizes) == shapes._KEPT
    assert max(map(len, known)) <= shapes._LONGEST_KEPT
