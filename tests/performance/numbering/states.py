"""Comparison of every state of the plan's automata with the patterns it was made from.

For each calling code it uses a shortest word to each state, and from there each of the ten digits, present or missing.
It compares the answer of the tables for the word with that of `re` for the metadata's own patterns. It does the same
for the national and the international prefix of each region.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber

from bossjy_numbering.dfa import LONGEST_NATIONAL_NUMBER
from bossjy_numbering.prefix import NO_PREFIX, REWRITES
from bossjy_numbering.tables import NO_REGION, Tables


def shortest_words(step: list[list[int]], start: int) -> dict[int, str]:
    """A shortest word to each state that can be reached from a start."""
    words = {start: ""}
    level = [start]
    while level:
        following = []
        for state in level:
            for digit, follower in enumerate(step[state]):
                if follower not in words:
                    words[follower] = words[state] + str(digit)
                    following.append(follower)
        level = following
    return words


class StateCheck:
    """Counts the checks and keeps the differences."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._step = tables.step.tolist()
        self._outcome = tables.outcome.tolist()
        self.seen: set[int] = set()
        self.words = 0
        self.differences: list[str] = []

    def run(self) -> None:
        """Checks all calling codes and all prefixes."""
        for position in range(len(self._tables.calling_codes)):
            self._check_calling_code(position)
        for region in self._tables.regions:
            metadata = PhoneMetadata.metadata_for_region_or_calling_code(region.calling_code, region.code)
            assert metadata is not None
            if region.national_prefix_state >= 0:
                rewrites = bool(metadata.national_prefix_transform_rule)
                assert metadata.national_prefix_for_parsing is not None
                self._check_prefix(
                    region.national_prefix_state, metadata.national_prefix_for_parsing, rewrites=rewrites
                )
            if region.international_prefix_state >= 0:
                assert metadata.international_prefix is not None
                self._check_prefix(region.international_prefix_state, metadata.international_prefix, rewrites=False)

    def _edges(self, start: int) -> Iterator[tuple[str, int]]:
        """(word, state of the tables after it) for each state and each digit from it."""
        for state, word in shortest_words(self._step, start).items():
            self.seen.add(state)
            if word:
                yield word, state
            for digit in range(10):
                yield word + str(digit), self._step[state][digit]

    def _check_calling_code(self, position: int) -> None:
        tables = self._tables
        code = int(tables.calling_codes[position])
        for word, state in self._edges(int(tables.calling_code_state[position])):
            if len(word) > LONGEST_NATIONAL_NUMBER:
                continue
            self.words += 1
            outcome = self._outcome[state]
            ordinal = int(tables.outcome_region[outcome])
            region = None if ordinal == NO_REGION else tables.regions[int(tables.main_region[position]) + ordinal].code
            said = (region, int(tables.outcome_type[outcome]), int(tables.outcome_general[outcome]))
            if said != (measured := expected(code, word)):
                self.differences.append(f"+{code} {word}: {said}, by the patterns {measured}")

    def _check_prefix(self, start: int, pattern: str, *, rewrites: bool) -> None:
        compiled = re.compile(pattern)
        for word, state in self._edges(start):
            self.words += 1
            match = compiled.match(word)
            if match is None:
                length = NO_PREFIX
            elif rewrites and compiled.groups and match[compiled.groups] is not None:
                length = REWRITES
            else:
                length = match.end()
            if self._outcome[state] != length:
                self.differences.append(f"{pattern} on {word}: {self._outcome[state]}, by `re` {length}")


def expected(code: int, word: str) -> tuple[str | None, int, int]:
    """Region, type, and the regions whose general pattern matches (bits), by `phonenumbers` and `re`."""
    zeros = min(len(word) - len(word.lstrip("0")), len(word) - 1)
    number = PhoneNumber(
        country_code=code,
        national_number=int(word),
        italian_leading_zero=zeros > 0 or None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )
    general = 0
    for ordinal, region in enumerate(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]):
        metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
        assert metadata is not None
        assert metadata.general_desc is not None
        pattern = metadata.general_desc.national_number_pattern
        if pattern and re.fullmatch(pattern, word):
            general |= 1 << ordinal
    return phonenumbers.region_code_for_number(number), phonenumbers.number_type(number), general
