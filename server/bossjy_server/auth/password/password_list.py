"""List of common passwords shipped with the service, as sets and as the units of long passwords."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources

_FILE = "common_passwords.txt"
WORD_MAX_CHARS = 14  # a longer line is not a word to build from

# Bits that a unit adds to a guess: the logarithm of the number of units of its kind.
_WORD_BITS = 10.0
_BACKWARDS_BITS = 11.0
_BACKWARDS_MIN_CHARS = 5
_LINE_BITS = 12.0
_PIECE_BITS = 13.0  # of a phrase
_SMALL_WORD_BITS = 5.0
_SMALL_WORDS = re.findall(
    r"\w+",
    """a i an am are as at all and any be but by can do for from get go got had has have he her him his how if in into
    is it its me my no not now of off on one or our out over she so that the their them then there they this to too up
    us was we were what when where which who why will with you your
    ai bu da de di ge gu hao hen ni la le ma mei men ren shi ta wo xi yi zai zi""",
)
_PIECE_MIN_CHARS = 6


@dataclass(frozen=True, slots=True)
class PasswordList:
    """The list: normalized lines, words to build from, and units with their bits."""

    whole: frozenset[str]
    words: frozenset[str]
    units: dict[str, float]
    longest: int  # characters of the longest unit


@cache
def password_list() -> PasswordList:
    """The shipped list, read once per process."""
    lines = resources.files(__package__).joinpath(_FILE).read_text("utf-8").splitlines()
    entries = {line.strip() for line in lines if line.strip() and not line.startswith("# ")}
    words = frozenset(entry.casefold() for entry in entries if len(entry) <= WORD_MAX_CHARS and " " not in entry)
    units: dict[str, float] = {}
    for entry in entries:
        if entry.casefold() not in words:
            _add_line(units, entry)
    for word in words:
        _add(units, squashed(word), _WORD_BITS)
        if len(word) >= _BACKWARDS_MIN_CHARS:
            _add(units, squashed(word)[::-1], _BACKWARDS_BITS)
    for word in _SMALL_WORDS:
        _add(units, word, _SMALL_WORD_BITS)
    return PasswordList(frozenset(map(squashed, entries)), words, units, max(map(len, units)))


def squashed(text: str) -> str:
    """The normalized form for the list: letter case, spaces and signs between words are ignored."""
    folded = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    if folded.isalnum():
        return folded
    return "".join(char for char in folded if char.isalnum()) or folded


def _add_line(units: dict[str, float], line: str) -> None:
    """A long line, its letters without digits at the ends, and for a phrase its words and pieces."""
    whole = squashed(line)
    _add(units, whole, _LINE_BITS)
    _add(units, whole.strip("0123456789"), _LINE_BITS)
    words = [squashed(word) for word in line.split()]
    for start in range(len(words)):
        if words[start].isalpha():
            _add(units, words[start], _WORD_BITS)
        for end in range(start + 2, len(words) + 1):
            piece = "".join(words[start:end])
            if len(piece) >= _PIECE_MIN_CHARS:
                _add(units, piece, _PIECE_BITS)


def _add(units: dict[str, float], unit: str, bits: float) -> None:
    if len(unit) >= 3 or bits == _SMALL_WORD_BITS:
        units[unit] = min(bits, units.get(unit, bits))
