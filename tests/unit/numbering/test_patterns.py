from __future__ import annotations

import itertools
import re

import pytest

from bossjy_numbering.dfa import StateTable
from bossjy_numbering.nfa import PositionAutomaton
from bossjy_numbering.patterns import Digit, PatternError, parse
from bossjy_numbering.prefix import NO_PREFIX, REWRITES, add_prefix

WORDS = ["".join(word) for length in range(7) for word in itertools.product("0159", repeat=length)]


@pytest.mark.parametrize("pattern", [r"(?=1)2", r"\d+", r"1*", r"(?i:1)", r"[^1]", r"1\b", r"\d{2,100}", "(1)\\1", "."])
def test_what_the_plan_does_not_use_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        parse(pattern)


def test_a_character_that_is_no_digit_matches_none() -> None:
    assert parse("~") == Digit(0)


@pytest.mark.parametrize(
    "pattern", [r"1\d{2}|5[0-5]", r"(?:0|1(?:5?9)){1,2}", r"5{0,3}9", r"(?:1|5)?(?:0|9)?", r"\d{0,2}0", "05|0"]
)
def test_an_automaton_matches_what_the_pattern_matches(pattern: str) -> None:
    automaton = PositionAutomaton()
    automaton.add(parse(pattern))
    for word in WORDS:
        state, reachable = 0, automaton.first
        for digit in word:
            state = automaton.step(reachable)[int(digit)]
            reachable = automaton.follow(state)
        matched = automaton.matched(state) if word else automaton.matched_at_start()
        assert bool(matched) == (re.fullmatch(pattern, word) is not None), word


@pytest.mark.parametrize(
    ("pattern", "group"),
    [
        ("0|01", 0),
        ("01|0", 0),
        ("(5\\d{2})$|1", 1),
        ("(?:0|90)(?:(1[59])(\\d{2,3}))?", 2),
        ("0?(?:(1|55?)15)?", 1),
        ("[01]{1,3}", 0),
        ("(9)?0", 1),
        ("(0$|1)5", 1),
        ("0{0,2}(1)?", 1),
        ("(?:(1)|15)9", 1),
    ],
)
def test_a_prefix_is_as_long_as_re_finds_it(pattern: str, group: int) -> None:
    table = StateTable()
    start = add_prefix(parse(pattern), group, table)
    for word in WORDS:
        state = start
        for digit in word:
            state = table.followers[state][int(digit)]
        match = re.match(pattern, word)
        length = NO_PREFIX if match is None else match.end()
        rewrites = match is not None and group > 0 and match[group] is not None
        assert table.outcomes[state] == (REWRITES if rewrites else length), word
