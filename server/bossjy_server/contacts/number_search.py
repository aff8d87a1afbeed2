"""Search for numbers in people's notation, by their digits, in texts that could not be read as a row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Signs between the digits of a number, including the dashes, brackets and spaces of other scripts, after NFKC.
_BETWEEN = dict.fromkeys(map(ord, "-+./() \u2010\u2011\u2012\u2013\u2014\u2015\u2212"))
_LEAST_DIGITS = 7
_RUN = re.compile(r"[0-9]{7,}")


class WrittenNumbers:
    """Finds numbers in texts. Made from their national digits, at least seven each."""

    def __init__(self, digits: Iterable[str]) -> None:
        self._digits = frozenset(digits)
        self._sizes = sorted({len(one) for one in self._digits})

    def stand_in(self, text: str) -> bool:
        """True if the text contains one of them, with any text before and after it."""
        if len(text) < _LEAST_DIGITS:
            return False
        if not text.isascii():
            text = "".join(map(_plain, unicodedata.normalize("NFKC", text)))
        return any(
            run[start : start + size] in self._digits
            for run in _RUN.findall(text.translate(_BETWEEN))
            for size in self._sizes
            for start in range(len(run) - size + 1)
        )


def _plain(character: str) -> str:
    """A digit of any script as ASCII."""
    return str(unicodedata.decimal(character)) if character.isdecimal() else character
