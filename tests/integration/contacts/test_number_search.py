from __future__ import annotations

import pytest

from bossjy_server.contacts.number_search import WrittenNumbers

NUMBERS = WrittenNumbers(["13800138000", "2079460958"])


@pytest.mark.parametrize(
    "text",
    [
        "13800138000",
        "a,+86 138-0013-8000,b",
        "008613800138000",
        "tel:(0)20 7946 0958",
        "138\u201300138000",
        "\uff11\uff13\uff18\uff10\uff10\uff11\uff13\uff18\uff10\uff10\uff10",
        "\u0661\u0663\u0668\u0660\u0660\u0661\u0663\u0668\u0660\u0660\u0660",
        "13900139000/13800138000",
        "13800138000.0",
    ],
)
def test_a_number_is_found_in_whatever_writing(text: str) -> None:
    assert NUMBERS.stand_in(text)


@pytest.mark.parametrize("text", ["", "13800138001", "1380013,8000", "1380013a8000", "name 2079460957 \u738b"])
def test_other_digits_are_others(text: str) -> None:
    assert not NUMBERS.stand_in(text)
