"""Search for numbers in a text: the same as `phonenumbers.PhoneNumberMatcher`, without its two slow expressions."""

from __future__ import annotations

import random
import time

import phonenumbers
import pytest
from phonenumbers.phonenumberutil import _UNWANTED_END_CHAR_PATTERN

from bossjy_numbering import Leniency, finish
from bossjy_numbering.find import WINDOW, _without_end, find_steps

PIECES = (
    "+1 202 456 1414", "(202) 456-1414", "020 7946 0958", "+44 20 7946 0958 ext. 12", "2012-01-02 08:00", "3/10/2011",
    "211-227 (2003)", "12(3): 211-227", "650-253-0000/650-253-0001", "(650) 253 0000 (650) 253 0002",
    "12345 - 650-253-0000",
    "650 253 0000x123", "650-253-0000 xx 12", "$", "%", "abc", "é", "和", "\n", " ", "  ", "/", ".", "-",
    "(", "[", "+", "＋", "（",
    "１２３", "1", "22", "333", "x", "#", "_", ";ext=", "3324451234 8002341234", "–", "1 x" + " " * 40 + "1",
)  # fmt: skip


def upstreams(text: str, region: str | None, leniency: Leniency, limit: int) -> list[tuple[int, int, str, str]]:
    found = []
    for match in phonenumbers.PhoneNumberMatcher(text, region, int(leniency)):
        found.append((match.start, match.end, match.raw_string, phonenumbers.format_number(match.number, 0)))
        if len(found) >= limit:
            break
    return found


def ours(text: str, region: str | None, leniency: Leniency, limit: int) -> list[tuple[int, int, str, str]]:
    found = finish(find_steps(text, region, leniency, limit))
    return [(one.start, one.end, one.raw, one.number.e164) for one in found]


@pytest.mark.parametrize("leniency", list(Leniency))
def test_the_results_are_those_of_phonenumbers(leniency: Leniency) -> None:
    chance = random.Random(int(leniency))
    found = 0
    for _ in range(400):
        text = "".join(chance.choices(PIECES, k=chance.randint(1, 30)))
        region = chance.choice(("US", "GB", "DE", None))
        expected = upstreams(text, region, leniency, 5)
        assert ours(text, region, leniency, 5) == expected, text
        found += len(expected)
    assert found > 100


def test_a_candidate_may_stand_across_the_end_of_a_window() -> None:
    for shift in range(-30, 5):
        text = "(" * (WINDOW + shift) + " +1 (202) 456-1414 and +44 20 7946 0958"
        assert ours(text, None, Leniency.VALID, 9) == upstreams(text, None, Leniency.VALID, 9) != []


def test_a_text_may_ask_for_none() -> None:
    assert ours("+1 202 456 1414", None, Leniency.VALID, 0) == []


def test_what_follows_a_number_is_cut_off_as_phonenumbers_does() -> None:
    chance = random.Random(7)
    for _ in range(2000):
        text = "".join(chance.choices("1a#_ -.\n)é和＃\t", k=chance.randint(0, 12)))
        end = _UNWANTED_END_CHAR_PATTERN.search(text)
        assert _without_end(text) == (text[: end.start()] if end else text), ascii(text)


def test_no_step_holds_the_interpreter_for_long() -> None:
    # phonenumbers needs 0.2 s for the first, and 6 s for the second, each in one call of `re`.
    for text in ("(" * 100_000, "1/1 x" + " " * 10_000 + "1"):
        steps, longest = find_steps(text, "US", Leniency.VALID, 10), 0.0
        for _ in range(1000):
            begun = time.thread_time()
            if next(steps, steps) is steps:
                break
            longest = max(longest, time.thread_time() - begun)
        assert longest < 0.1
