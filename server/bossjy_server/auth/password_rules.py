"""Which passwords are taken: long enough, and not one that is guessed first (NIST 800-63B-4).

There are no rules of composition. Refused are passwords that are in the list of common ones, that are built
from one common word (repeated, counted on, written with 0 for o), that run along the keyboard or the
alphabet, that repeat a short piece, or that say nothing but the user's or the tenant's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import resources
from itertools import pairwise

from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.passwords import normal
from bossjy_server.errors import InvalidArgument, Reason, Violation

_LIST = "common_passwords.txt"
_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
_LETTERS = re.compile(r"[^\W\d_]+")
_CONTEXT_MIN_CHARS = 3  # a shorter name says nothing about a password
_CONTEXT_REST = 6  # letters and digits that must be left when the names are taken out
_REPEATED_PIECE_MAX = 8
_RUN_SHARE = 0.75  # of the steps from one character to the next
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
_NEIGHBOURS = frozenset(
    pair for row in _ROWS for first, second in pairwise(row) for pair in (first + second, second + first)
)


class PasswordRules:
    """The rules with the list loaded once: some ten thousand characters."""

    def __init__(self, options: AuthOptions) -> None:
        self._min = options.password_min_chars
        self._max = options.password_max_chars
        lines = resources.files(__package__).joinpath(_LIST).read_text("utf-8").splitlines()
        entries = {line.strip() for line in lines if line.strip() and not line.startswith("#")}
        # A line without a space of at most 14 characters is a word to build from; all of them are refused
        # whole.
        self._whole = frozenset(_squashed(entry) for entry in entries)
        self._words = frozenset(entry.casefold() for entry in entries if len(entry) < 15)

    def check(self, password: str, names: Iterable[str] = (), *, field: str = "password") -> None:
        """Raise InvalidArgument(PASSWORD_REFUSED) with a violation of `field` that says why.

        `names`: mail address, user's and tenant's name, which must not be all that the password says.
        """
        text = normal(password)
        why = self._length(text) or self._guessable(text) or _says_only(text, names)
        if why:
            raise InvalidArgument(
                Reason.PASSWORD_REFUSED,
                f"the password is not taken: {why}; a sentence of several words is good",
                violations=[Violation(field, why)],
            )

    def _length(self, text: str) -> str:
        if len(text) < self._min:
            return f"it has fewer than {self._min} characters"
        return f"it has more than {self._max} characters" if len(text) > self._max else ""

    def _guessable(self, text: str) -> str:
        folded = text.casefold()
        if _squashed(text) in self._whole or self._one_word(folded):
            return "it is among those that are tried first"
        if _repeats(folded):
            return "it repeats a few characters"
        if _runs(folded):
            return "it runs along the keyboard or the alphabet"
        return ""

    def _one_word(self, folded: str) -> bool:
        """Whether it is one common word, maybe several times, and beside it digits and signs alone."""
        for text in (
            folded,
            folded.translate(_LEET),
            folded.rstrip("0123456789!.?*#$@_-+ ").translate(_LEET),
        ):
            pieces = _LETTERS.findall(text)
            if pieces and len(set(pieces)) == 1 and self._word(pieces[0]):
                return True
        return False

    def _word(self, letters: str) -> bool:
        """Whether the letters are a common word, once or several times."""
        size = len(letters)
        lengths = [length for length in range(3, size + 1) if size % length == 0]
        return any(
            letters[:length] in self._words and letters[:length] * (size // length) == letters for length in lengths
        )


def _squashed(text: str) -> str:
    """What is compared with the list: letter case, spaces and signs between words do not make it new."""
    folded = normal(text).casefold()
    return "".join(char for char in folded if char.isalnum()) or folded


def _repeats(text: str) -> bool:
    """Whether it is a short piece over and over, the last one maybe cut, or hardly has any characters."""
    if len(set(text)) <= 3:
        return True
    return any(text[length:] == text[:-length] for length in range(1, _REPEATED_PIECE_MAX + 1))


def _runs(text: str) -> bool:
    """Whether most steps go to the same, the next or the neighbouring character."""
    steps = list(pairwise(text))
    near = sum(1 for first, second in steps if abs(ord(first) - ord(second)) <= 1 or first + second in _NEIGHBOURS)
    return near >= _RUN_SHARE * len(steps)


def _says_only(text: str, names: Iterable[str]) -> str:
    """Whether hardly anything is left when the names are taken out."""
    folded = text.casefold()
    pieces = {piece for name in names for piece in re.split(r"[^\w]+", name.casefold())}
    pieces |= {name.casefold() for name in names} | {"bossjy"}
    for piece in sorted(pieces, key=len, reverse=True):
        if len(piece) >= _CONTEXT_MIN_CHARS:
            folded = folded.replace(piece, " ")
    rest = re.sub(r"[\W\d_]+", "", folded)
    named = folded != text.casefold()
    return "it says little but your name, address or company" if named and len(rest) < _CONTEXT_REST else ""
