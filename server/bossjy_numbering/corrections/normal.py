"""Text around phone numbers: normalisation, groups of digits, and the kinds of gaps between them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum

import phonenumbers

from bossjy_numbering.corrections.extension_words import EXTENSION_MARK

_CHARACTERS_MAX = 20_000
# Groups beyond these are ignored: no cell of phone numbers has so many.
GROUPS_MAX = 16

_AS_TEXT = re.compile(
    r"=?\s*([\"'`\u2018\u2019\u201c\u201d\u00b4]+)(.*?)[\"'`\u2018\u2019\u201c\u201d\u00b4]*", re.DOTALL
)
_PLUS_BEFORE = re.compile(r"\+[\s(\[]*$")
# A plus between two numbers: `62493 + 70335`.
_PLUS_BETWEEN = re.compile(r"\s+\+\s+")
# A plus after the calling code: `86+138…`.
_PLUS_LATE = re.compile(r"([^\w+]*)(\d{1,3})\+(?=\d)")
_WEAK = " -.()[]{}\u00b7\u2022\u2027\u30fb*_'\"\t\u00a0<>"
# Around the mark of an extension.
_AROUND_MARK = " -,;:()[]{}\u00b7\"'\t\u00a0"
# Separators of numbers, with the words for «or» and «and».
_STRONG = re.compile(r"[,;|&~\n\r:\u3001\u060c]|\b(?:or|and|und|oder|ou|et|o|e|y|u|и|или)\b|或|和|及|与", re.IGNORECASE)
# Letters that look like 0 and 1: Latin, Cyrillic and Greek, and the Chinese zero.
_LIKE_ZERO, _LIKE_ONE = "OoОоΟο〇", "lIiІ\u0131"
_LOOKS = str.maketrans(dict.fromkeys(_LIKE_ZERO, "0") | dict.fromkeys(_LIKE_ONE, "1"))
_LIKE_DIGIT = f"0-9{_LIKE_ZERO}{_LIKE_ONE}"
# Digits with letters that look like digits among them; no other letter may touch them.
_LOOKALIKE = re.compile(rf"(?<![^\W\d_])[{_LIKE_DIGIT}]+(?:[ .\-()/+]{{1,3}}[{_LIKE_DIGIT}]+)*(?![^\W\d_])")
_ANY_LIKE = re.compile(f"[{_LIKE_ZERO}{_LIKE_ONE}]")
# Between spaces these are words: «or» and «and».
_WORD_OR_AND = re.compile(r"(?<= )[oоοi](?= )")
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\u30fc\u2500\uff70\u00ad"), "-")


class _Normal(dict[int, str]):
    """Characters by code point, each made once. Bounded: a text of any script needs few."""

    def __missing__(self, code: int) -> str:
        made = _normal(chr(code)).translate(_DASHES)
        if len(self) < _CHARACTERS_MAX:
            self[code] = made
        return made


class Gap(IntEnum):
    """The kind of text between two groups of digits."""

    JOINED = 0  # spaces, brackets, dots: marks that numbers are written with
    DASH = 1  # the same with a dash
    SLASH = 2
    STRONG = 3  # a separator of numbers
    EXTENSION = 4
    TEXT = 5


@dataclass(frozen=True, slots=True)
class Group:
    """A run of digits, and True if a plus precedes it."""

    digits: str
    plus: bool


@dataclass(frozen=True, slots=True)
class Parsed:
    """The groups of a text, and the gaps between them: one fewer than groups."""

    groups: tuple[Group, ...]
    gaps: tuple[Gap, ...]


def normalised(text: str) -> str:
    """The text with ASCII digits, letters, marks and spaces in place of others, without invisible characters."""
    plain = text if text.isascii() else text.translate(_NORMAL)
    plain = plain.strip(" \t\r\n\f\v")
    if plain[:1] in "='\"`\u2018\u2019\u201c\u201d\u00b4" and (match := _AS_TEXT.fullmatch(plain)):
        plain = match[2].strip()
    return plain


def _normal(character: str) -> str:
    if character.isascii():
        return character
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    category = unicodedata.category(character)
    if category == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return "-" if character == "\u00ad" else ""
    if category in ("Zs", "Zl", "Zp", "No"):  # `①` is a number of a list
        return "\n" if category in ("Zl", "Zp") else " "
    if category == "Pd":
        return "-"
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 else character


_NORMAL = _Normal()


def with_digits_for_letters(plain: str) -> str:
    """The normalised text with 0 for O and o, 1 for l and I if they are among digits."""
    if _ANY_LIKE.search(plain) is None:
        return plain
    return _LOOKALIKE.sub(_replaced, plain)


def _replaced(match: re.Match[str]) -> str:
    token = match[0]
    if sum(character.isdigit() for character in token) < 3:
        return token
    parts = _WORD_OR_AND.split(token)
    words = _WORD_OR_AND.findall(token)
    return "".join(part.translate(_LOOKS) + word for part, word in zip(parts, [*words, ""], strict=True))


def parsed(plain: str) -> Parsed:
    """The groups of digits of a normalised text, at most `GROUPS_MAX`, and the gaps between them."""
    groups: list[Group] = []
    gaps: list[Gap] = []
    if late := _PLUS_LATE.match(plain):
        plain = _plus_first(late) + plain[late.end() :]
    end = 0
    for match in re.finditer(r"\d+", plain):
        between = plain[end : match.start()]
        plus = between.endswith("+") or _PLUS_BEFORE.search(between) is not None
        if groups:
            apart = _PLUS_BETWEEN.fullmatch(between) is not None
            plus = plus and not apart
            gaps.append(Gap.STRONG if apart else gap_of(between, plus=plus))
        groups.append(Group(match[0], plus))
        end = match.end()
        if len(groups) == GROUPS_MAX:
            break
    return Parsed(tuple(groups), tuple(gaps))


def _plus_first(match: re.Match[str]) -> str:
    known = match[2][0] != "0" and int(match[2]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    return f"{match[1]}+{match[2]} " if known else match[0]


def gap_of(between: str, *, plus: bool) -> Gap:
    """The kind of a text between two groups of digits; `plus` if the second begins with a plus."""
    core = between.strip(_WEAK)
    if plus or (not core and any(mark in between for mark in "\n\r")):
        return Gap.STRONG
    if not core:
        return Gap.DASH if "-" in between else Gap.JOINED
    if core == "/":
        return Gap.SLASH
    if EXTENSION_MARK.fullmatch(between.strip(_AROUND_MARK)):
        return Gap.EXTENSION
    if _STRONG.search(core):
        return Gap.STRONG
    return Gap.TEXT if any(character.isalnum() for character in core) else Gap.JOINED
