"""Search for numbers in a running text: the matcher of `phonenumbers`, in small steps.

The results are those of `phonenumbers.PhoneNumberMatcher`. Its methods `_find` and `_extract_inner_match` are rewritten
here as generators. Two of its regular expressions keep the interpreter busy for too long in a hostile text, so that no
other thread runs. The search for a candidate needs 0.2 s for 100,000 brackets: here it goes through the text in
windows. The removal of the characters after a number needs minutes for 100,000 spaces, because its time grows with the
square of their count: here it is one scan from the end.
"""

from __future__ import annotations

import re
from typing import Any

import phonenumbers
from phonenumbers.phonenumbermatcher import (
    _INNER_MATCHES,
    _PATTERN,
    _SLASH_SEPARATED_DATES,
    _TIME_STAMPS,
    _TIME_STAMPS_SUFFIX,
)
from phonenumbers.phonenumberutil import _SECOND_NUMBER_START_PATTERN

from bossjy_numbering.oracle import describe
from bossjy_numbering.steps import Steps
from bossjy_numbering.types import Found, Leniency

# Characters that one search for a candidate reads.
WINDOW = 4096
# A candidate begins with at most two brackets or plus signs, each followed by at most four signs, and a digit. If fewer
# characters than this are left of a window, a candidate that begins there could need the next one.
_BEGINNING = 16
# `_UNWANTED_END_CHARS` of phonenumbers is `(?:_|[^#\w])+$`: the text after the last of these is removed.
_WANTED_END = re.compile(r"#|[^\W_]")

_Match = Any  # phonenumbers.PhoneNumberMatch


def find_steps(text: str, default_region: str | None, leniency: Leniency, limit: int) -> Steps[list[Found]]:
    """The first `limit` numbers in a running text, in its order."""
    found: list[Found] = []
    matcher, index = _Matcher(text, default_region, int(leniency)), 0
    while len(found) < limit:
        match = yield from matcher.find_from(index)
        if match is None:
            break
        found.append(Found(match.start, match.end, match.raw_string, describe(match.number)))
        index = match.end
    return found


class _Matcher(phonenumbers.PhoneNumberMatcher):
    """Finds one match after another. `_max_tries` is its own limit of failed tries, for the whole text."""

    def find_from(self, index: int) -> Steps[_Match | None]:
        """The first match at or after `index`: `_find`."""
        candidate_at = yield from self._search(index)
        while self._max_tries > 0 and candidate_at is not None:
            start = candidate_at.start()
            candidate = self._trim_after_first_match(
                _SECOND_NUMBER_START_PATTERN, self.text[start : candidate_at.end()]
            )
            match = yield from self._extract(candidate, start)
            if match is not None:
                return match
            self._max_tries -= 1
            candidate_at = yield from self._search(start + len(candidate))
        return None

    def _search(self, index: int) -> Steps[re.Match[str] | None]:
        """`_PATTERN.search(text, index)`. Every text that begins like the pattern matches it, whatever its end."""
        pattern: re.Pattern[str] = _PATTERN
        while True:
            yield
            end = index + WINDOW
            begins = pattern.search(self.text, index, end)
            if end >= len(self.text):
                return begins
            if begins is not None and begins.start() < end - _BEGINNING:
                return pattern.match(self.text, begins.start())
            index = end - _BEGINNING

    def _extract(self, candidate: str, offset: int) -> Steps[_Match | None]:
        """`_extract_match`, with a step between the two ways to read a candidate."""
        if _SLASH_SEPARATED_DATES.search(candidate):
            return None
        if _TIME_STAMPS.search(candidate) and _TIME_STAMPS_SUFFIX.match(self.text, offset + len(candidate)):
            return None
        match = self._parse_and_verify(candidate, offset)
        if match is not None:
            return match
        return (yield from self._extract_inner(candidate, offset))

    def _extract_inner(self, candidate: str, offset: int) -> Steps[_Match | None]:
        """`_extract_inner_match`."""
        for pattern in _INNER_MATCHES:
            group, first = pattern.search(candidate), True
            while group and self._max_tries > 0:
                if first:
                    first = False
                    match = self._parse_and_verify(_without_end(candidate[: group.start()]), offset)
                    if match is not None:
                        return match
                    self._max_tries -= 1
                yield
                match = self._parse_and_verify(_without_end(group.group(1)), offset + group.start(1))
                if match is not None:
                    return match
                self._max_tries -= 1
                group = pattern.search(candidate, group.start() + 1)
        return None


def _without_end(text: str) -> str:
    """`_trim_after_first_match(_UNWANTED_END_CHAR_PATTERN, text)`."""
    end = len(text)
    while end and not _WANTED_END.match(text, end - 1):
        end -= 1
    return text[:end]
