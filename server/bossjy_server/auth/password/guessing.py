"""Estimate of the strength of a password that is made of common parts.

An attacker who guesses long passwords joins common words, phrases, names, dates and keyboard rows. The estimate finds
the cheapest way to build a password from such parts, and returns the bits of that way: ten for each word of the list,
five for a small one, some for the remaining characters. A repeated part costs two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

_REPEATED_BITS = 2.0
_NAME_BITS = 4.0
_YEAR_BITS = 7.0
_DATE_BITS = 15.0
_RUN_BITS = 8.0
_RUN_MIN_CHARS = 4
_EXPLAINS_MIN_CHARS = 3  # shorter words occur in every text
_DIGIT_BITS, _LETTER_BITS, _OTHER_BITS = 3.3, 4.7, 10.0
_TEXT_MAX_CHARS = 64  # a longer text of different parts is never cheap
_YEAR = re.compile(r"(?:19[4-9]|20[0-3])\d")
_DATE = re.compile(
    r"(?:19[4-9]|20[0-3])\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19[4-9]|20[0-3])\d"
)
_ROWS = (
    "`1234567890-=",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "azertyuiop",
    "qsdfghjklm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "zaqxswcdevfrbgtnhymjukilop",
    "!@#$%^&*()_+",
    "147258369",
)
_TO_THE_RIGHT = frozenset(first + second for row in _ROWS for first, second in pairwise(row))


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bits of the cheapest way, and the share of the characters that known parts explain."""

    bits: float
    explained: float


def near(first: str, second: str) -> bool:
    """True if a character equals the one before, follows it, or is its neighbour on the keyboard."""
    return bool(_directions(first, second))


def estimate(text: str, units: Mapping[str, float], longest: int, names: frozenset[str] = frozenset()) -> Estimate:
    """The estimate of letters and digits, case-folded, at least one. `units`: common parts and their bits."""
    text = _once(text)[:_TEXT_MAX_CHARS]
    size = len(text)
    longest = max([longest, *map(len, names)])
    runs = _runs(text)
    # The cheapest way to the position before each character: bits, the last part, and if that part is known.
    best: list[tuple[float, str, bool]] = [(0.0, "", True)]
    for end in range(1, size + 1):
        last = text[end - 1]
        found = (best[end - 1][0] + _unknown(last), last, False)
        for start in range(max(0, end - longest), end):
            part = text[start:end]
            bits = _known(part, units, names, runs[end - 1])
            if bits is not None and best[start][0] + bits < found[0]:
                found = (best[start][0] + bits, part, True)
        best.append(found)
    return _sum(best)


def _known(part: str, units: Mapping[str, float], names: frozenset[str], run: int) -> float | None:
    """The bits of a part that an attacker would try; `run`: the length of the sequence that ends with the part."""
    if part in names:
        return _NAME_BITS
    if part.isdigit() and _YEAR.fullmatch(part):
        return _YEAR_BITS
    if (bits := units.get(part)) is not None:
        return bits
    if _RUN_MIN_CHARS <= len(part) <= run:
        return _RUN_BITS
    return _DATE_BITS if part.isdigit() and _DATE.fullmatch(part) else None


def _sum(best: list[tuple[float, str, bool]]) -> Estimate:
    bits, explained, end = 0.0, 0, len(best) - 1
    seen: set[str] = set()
    size = end
    while end:
        total, part, known = best[end]
        own = total - best[end - len(part)][0]
        bits += min(own, _REPEATED_BITS) if known and part in seen else own
        explained += len(part) if known and len(part) >= _EXPLAINS_MIN_CHARS else 0
        seen.add(part)
        end -= len(part)
    return Estimate(bits, explained / size)


def _runs(text: str) -> list[int]:
    """For each character the length of the sequence in one direction up to it: `x1234` gives 1, 1, 2, 3, 4."""
    lengths, before = [1], frozenset[str]()
    for first, second in pairwise(text):
        now = _directions(first, second)
        going = now & before
        lengths.append(lengths[-1] + 1 if going else 1 + bool(now))
        before = going or now
    return lengths


def _directions(first: str, second: str) -> frozenset[str]:
    """The direction of a step: to the same character, up or down the alphabet, right or left on the keyboard."""
    found = set()
    if (step := ord(second) - ord(first)) in (-1, 0, 1):
        found.add("<=>"[step + 1])
    if first + second in _TO_THE_RIGHT:
        found.add("right")
    if second + first in _TO_THE_RIGHT:
        found.add("left")
    return frozenset(found)


def _once(text: str) -> str:
    """The repeated piece of a text, the last repetition possibly truncated; else the text."""
    size = next((n for n in range(1, len(text) // 2 + 1) if text[n:] == text[:-n]), len(text))
    return text[:size]


def _unknown(char: str) -> float:
    if char.isascii():
        return _DIGIT_BITS if char.isdigit() else _LETTER_BITS
    return _OTHER_BITS
