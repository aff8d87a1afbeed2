"""Text around phone numbers: normalisation, groups of digits, and the kinds of gaps between them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum

# Groups beyond these are ignored: no cell of phone numbers has so many.
GROUPS_MAX = 16

_AS_TEXT = re.compile(
    r"=?\s*([\"'`\u2018\u2019\u201c\u201d\u00b4]+)(.*?)[\"'`\u2018\u2019\u201c\u201d\u00b4]*", re.DOTALL
)
_PLUS_BEFORE = re.compile(r"\+[\s(\[]*$")
# A number of a list before the phone number: `1) 138…`.
_INDEX = re.compile(r"[^\d(\[]{0,3}\d{1,3}[)\]]\s")
_WEAK = " -.()[]{}\u00b7\u2022\u2027\u30fb*_~'\"\t\u00a0<>"
# Separators of numbers, with the words for «or» and «and».
_STRONG = re.compile(r"[,;|&\n\r:\u3001\u060c]|\b(?:or|and|und|oder|ou|et|o|e|y|u|и|или)\b|或|和|及|与", re.IGNORECASE)
_EXTENSION = re.compile(
    r"(?:ext(?:n|ension|\.)?|e\.?xt|x|#|tel\.?\s*ext|int(?:erno|erne|\.)?|anexo|ramal|r\.|poste|durchwahl|dw|nst|dahili|"
    r"wewn|linia|доб(?:авочный)?|вн(?:утр)?|转接|转|轉接|轉|分机号?|分機號?|内线|內線|内線|직통|내선|máy lẻ|"
    r"تحويلة|داخلي)"
    r"[\s.:\u00ba\u00b0#-]*",
    re.IGNORECASE,
)
_LOOKS = str.maketrans("OolI", "0011")
# Digits with letters that look like digits among them; no other letter may touch them.
_LOOKALIKE = re.compile(r"(?<![^\W\d_])[0-9OolI]+(?:[ .\-()/+]{1,3}[0-9OolI]+)*(?![^\W\d_])")
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\u30fc\u2500\uff70\u00ad"), "-")


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
    plain = text if text.isascii() else "".join(map(_normal, text)).translate(_DASHES)
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
    if category in ("Zs", "Zl", "Zp"):
        return " " if category == "Zs" else "\n"
    if category == "Pd":
        return "-"
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 else character


def with_digits_for_letters(plain: str) -> str:
    """The normalised text with 0 for O and o, 1 for l and I if they are among digits."""
    return _LOOKALIKE.sub(_replaced, plain)


def _replaced(match: re.Match[str]) -> str:
    token = match[0]
    digits = sum(character.isdigit() for character in token)
    letters = sum(character in "OolI" for character in token)
    return token.translate(_LOOKS) if digits >= 3 and letters else token


def parsed(plain: str) -> Parsed:
    """The groups of digits of a normalised text, at most `GROUPS_MAX`, and the gaps between them."""
    groups: list[Group] = []
    gaps: list[Gap] = []
    end = 0
    for match in re.finditer(r"\d+", plain):
        between = plain[end : match.start()]
        plus = between.endswith("+") or _PLUS_BEFORE.search(between) is not None
        if groups:
            index = len(groups) == 1 and _INDEX.match(plain) is not None
            gaps.append(Gap.TEXT if index and not plus else gap_of(between, plus=plus))
        groups.append(Group(match[0], plus))
        end = match.end()
        if len(groups) == GROUPS_MAX:
            break
    return Parsed(tuple(groups), tuple(gaps))


def gap_of(between: str, *, plus: bool) -> Gap:
    """The kind of a text between two groups of digits; `plus` if the second begins with a plus."""
    core = between.strip(_WEAK)
    if plus or (not core and any(mark in between for mark in "\n\r")):
        return Gap.STRONG
    if not core:
        return Gap.DASH if "-" in between else Gap.JOINED
    if core == "/":
        return Gap.SLASH
    if _EXTENSION.fullmatch(core.lstrip(",;: ")):
        return Gap.EXTENSION
    if _STRONG.search(core):
        return Gap.STRONG
    return Gap.TEXT if any(character.isalnum() for character in core) else Gap.JOINED
