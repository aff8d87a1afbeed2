"""Rules for new passwords: long enough, and not easy to guess (NIST 800-63B-4).

There are no rules of composition. A password is refused if it is in the list of common ones, joins a few common words,
phrases, names and dates (guessing.py), runs along the keyboard or the alphabet, repeats a short piece, or contains
little but the user's or the tenant's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.password.guessing import estimate, near
from bossjy_server.auth.password.password_list import password_list, squashed
from bossjy_server.auth.password.passwords import normal
from bossjy_server.errors import InvalidArgument, Reason, Violation

# The usual replacements of letters by digits and signs; 1 means i or l.
_LEET_I = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
_LEET_L = _LEET_I | {ord("1"): "l", ord("!"): "l"}
_LETTERS = re.compile(r"[^\W\d_]+")
_CONTEXT_MIN_CHARS = 3  # a shorter name is no evidence about a password
_CONTEXT_REST = 6  # letters and digits that must remain without the names
_REPEATED_PIECE_MAX = 8
_WORD_MIN_CHARS = 4  # a shorter one occurs in many random texts
_RUN_SHARE = 0.75  # of the steps from one character to the next
# A password with this share of common parts is refused below this number of bits: three words of the list and two
# digits fail, four words pass.
_EXPLAINED, _BITS_MIN = 0.7, 38.0
_SIGN = re.compile(r"([^\w\s.,-])\1*")
_SIGNS_FREE, _SIGN_BITS = 3, 3.0  # signs that everybody uses, and the bits of each additional one
_JOINED_MIN_CHARS = 10  # letters and digits; with fewer, signs are the greater part


class PasswordRules:
    """The rules."""

    def __init__(self, options: AuthOptions) -> None:
        self._min = options.password_min_chars
        self._max = options.password_max_chars
        self._list = password_list()

    def check(self, password: str, names: Iterable[str] = (), *, field: str = "password") -> None:
        """Raise InvalidArgument(PASSWORD_REFUSED) with a violation of `field` that states the reason.

        `names`: mail address, and the user's and tenant's names, which must not make up nearly all of the password.
        """
        text = normal(password)
        names = [normal(name) for name in names]
        why = self._length(text) or self._guessable(text) or _says_only(text, names) or self._joined(text, names)
        if why:
            raise InvalidArgument(
                Reason.PASSWORD_REFUSED,
                f"the password is refused: {why}; a sentence of several words is good",
                violations=[Violation(field, why)],
            )

    def _length(self, text: str) -> str:
        if len(text) < self._min:
            return f"it has fewer than {self._min} characters"
        return f"it has more than {self._max} characters" if len(text) > self._max else ""

    def _guessable(self, text: str) -> str:
        folded = text.casefold()
        if squashed(text) in self._list.whole or self._one_word(folded):
            return "it is among the most common passwords"
        if _repeats(folded):
            return "it repeats a few characters"
        if _runs(folded):
            return "it runs along the keyboard or the alphabet"
        return ""

    def _one_word(self, folded: str) -> bool:
        """True if it is one common word, possibly repeated, with only digits and signs besides."""
        for text in (
            folded,
            folded.translate(_LEET_I),
            folded.rstrip("0123456789!.?*#$@_-+ ").translate(_LEET_I),
        ):
            pieces = _LETTERS.findall(text)
            if pieces and len(set(pieces)) == 1 and self._word(pieces[0]):
                return True
        return False

    def _word(self, letters: str) -> bool:
        """True if the letters are a common word, once or several times."""
        size = len(letters)
        pieces = [letters[:length] for length in range(_WORD_MIN_CHARS, size + 1) if size % length == 0]
        return any(piece in self._list.words and piece * (size // len(piece)) == letters for piece in pieces)

    def _joined(self, text: str, names: Iterable[str]) -> str:
        """A reason if a few common parts make up nearly all of it, as typed or with letters for digits and signs."""
        folded = text.casefold()
        parts = _parts_of(names)
        end = len(folded.rstrip("0123456789!.?*#$@_-+ "))  # digits at the end are a year or a count, not letters
        for form in {
            folded,
            folded[:end].translate(_LEET_I) + folded[end:],
            folded[:end].translate(_LEET_L) + folded[end:],
        }:
            plain = "".join(char for char in form if char.isalnum())
            if len(plain) < _JOINED_MIN_CHARS:
                continue
            signs = _SIGN_BITS * max(0, len(_SIGN.findall(form)) - _SIGNS_FREE)
            made = estimate(plain, self._list.units, self._list.longest, parts)
            if made.explained >= _EXPLAINED and made.bits + signs < _BITS_MIN:
                return "it is joined from a few common words, names or rows of keys"
        return ""


def _repeats(text: str) -> bool:
    """True if it is a repeated short piece, the last one possibly truncated, or has hardly any distinct characters."""
    if len(set(text)) <= 3:
        return True
    longest = min(_REPEATED_PIECE_MAX, (len(text) + 1) // 2)
    return any(text[length:] == text[:-length] for length in range(1, longest + 1))


def _runs(text: str) -> bool:
    """True if most steps go to the same, the next or the neighbouring character."""
    steps = list(pairwise(text))
    return sum(1 for first, second in steps if near(first, second)) >= _RUN_SHARE * len(steps)


def _says_only(text: str, names: Iterable[str]) -> str:
    """A reason if hardly anything remains without the names."""
    folded = text.casefold()
    pieces = {piece for name in names for piece in re.split(r"[^\w]+", name.casefold())}
    pieces |= {name.casefold() for name in names} | {"bossjy"}
    for piece in sorted(pieces, key=len, reverse=True):
        if len(piece) >= _CONTEXT_MIN_CHARS:
            folded = folded.replace(piece, " ")
    rest = re.sub(r"[\W\d_]+", "", folded)
    named = folded != text.casefold()
    return "it contains little but your name, address or company" if named and len(rest) < _CONTEXT_REST else ""


def _parts_of(names: Iterable[str]) -> frozenset[str]:
    """Names as people join them to other words: whole, and word by word."""
    texts = [text for name in names for text in (name, *re.split(r"[\W_]+", name))]
    return frozenset(part for text in texts if len(part := squashed(text)) >= _CONTEXT_MIN_CHARS)
