"""Header recognition: the meaning of a column by the words of its name, with its cells as additional evidence.

The words are in header_names.txt. A name is split into known words: at spaces, signs and changes of case, and within
compounds (`Kundentelefon`, `联系人电话`). The meaning is certain only if the name has no unknown word. Otherwise, and
for names with several meanings, the cells decide.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files

from bossjy_server.imports.reading import cell_forms
from bossjy_server.imports.records import ContactField


class Kind(StrEnum):
    """The meaning of a word in a header: the sections of header_names.txt."""

    PHONE = "phone"
    MAYBE_PHONE = "maybe phone"
    NAME = "name"
    GIVEN_NAME = "given name"
    FAMILY_NAME = "family name"
    EMAIL = "email"
    COUNTRY = "country"
    CALLING_CODE = "calling code"
    MAYBE_CALLING_CODE = "maybe calling code"
    COMPANY = "company"
    OTHER = "other"
    SOMEBODY_ELSE = "somebody else"
    PERSON = "person"
    BESIDE = "beside"
    NUMBER = "number"
    NONE = "none of these"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of a column. Of several columns with one field, the one with the lowest `rank` has priority."""

    field: ContactField
    rank: int = 0


FIRST_OF_ALL, FIRST, ADDITIONAL, NOT_OF_THE_CONTACT = -1, 0, 1, 2
_FIELDS = {
    Kind.PHONE: ContactField.PHONE_NUMBER,
    Kind.NAME: ContactField.NAME,
    Kind.GIVEN_NAME: ContactField.GIVEN_NAME,
    Kind.FAMILY_NAME: ContactField.FAMILY_NAME,
    Kind.EMAIL: ContactField.EMAIL,
    Kind.COUNTRY: ContactField.COUNTRY,
    Kind.CALLING_CODE: ContactField.COUNTRY,
    Kind.MAYBE_CALLING_CODE: ContactField.COUNTRY,
    Kind.COMPANY: ContactField.ATTRIBUTE,
    Kind.IGNORE: ContactField.IGNORE,
}
# Folded names that mean a given name beside a family name, and a family name beside a given name.
GIVEN_BESIDE_FAMILY = frozenset({"nombre", "nome", "имя", "ad", "adi", "isim", "ten", "name", "nom"})
GIVEN_BESIDE_FAMILY |= {"이름", "الاسم", "اسم", "名前", "名字"}
FAMILY_BESIDE_GIVEN = {"name": "vorname", "nom": "prenom"}
_STRONG = frozenset(_FIELDS) - {Kind.COMPANY}
# A word that is also one of these means its field only if no other word does; a person (`contact`) comes last.
_SOFT = frozenset({Kind.PERSON, Kind.BESIDE, Kind.OTHER, Kind.SOMEBODY_ELSE, Kind.MAYBE_PHONE})
_NUMERAL = frozenset({Kind.BESIDE})
_UNKNOWN: frozenset[Kind] = frozenset()
_LONGEST_NAME = 100
_MOST_TOKENS = 24
_MOST_JOINED = 7
# Within a compound, shorter names of fields count as a part of another word (`Island`).
_SHORTEST_INNER, _SHORT_INNER = 5, frozenset({"tel", "mail", "name", "cell", "nom", "mob"})
_INNER_ENDS = frozenset({"no", "nr", "id"})
_CJK = r"\u3040-\u30fa\u30fc-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(rf"[{_CJK}]+|\d+|[^\W\d_{_CJK}]+")
_CASE = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])|(?<=[A-Z])(?=[A-Z][a-z])")
_IN_BRACKETS = re.compile(r"[(（\[【<《{].*?[)）\]】>》}]")
_POSSESSIVE = re.compile(r"['’]s\b")


def meaning_of(name: str, cells: Sequence[str] = ()) -> Meaning | None:
    """The meaning of a column with this name. `cells` are some of its cells; without them the name must be enough."""
    if len(name) > _LONGEST_NAME:
        return None
    filled = tuple(cell for cell in map(str.strip, cells) if cell)
    whole = _read(name)
    found = _decided(whole, filled)
    if found is not None or whole.refused:
        return found
    without = _IN_BRACKETS.sub(" ", name)
    return _decided(_read(without), filled) if without.strip() and without != name else None


@dataclass(frozen=True, slots=True)
class _Reading:
    """The meaning of the words of a header."""

    kinds: tuple[Kind, ...] = ()  # of the fields that it names
    maybe_phone: bool = False
    rank: int = FIRST
    unknown: int = 0
    refused: bool = False


def _decided(reading: _Reading, cells: tuple[str, ...]) -> Meaning | None:
    kinds = reading.kinds
    if reading.refused:
        return None
    if reading.maybe_phone and (cell_forms.are_long_numbers(cells) if cells else not kinds):
        return Meaning(ContactField.PHONE_NUMBER, max(reading.rank, ADDITIONAL))
    if len(kinds) != 1:
        return _by_cells(reading, cells)
    kind = kinds[0]
    rank = reading.rank
    if kind is Kind.CALLING_CODE or kind is Kind.MAYBE_CALLING_CODE:
        fits = cell_forms.are_calling_codes(cells, sure=kind is Kind.CALLING_CODE)
        rank = FIRST_OF_ALL
    elif not reading.unknown:
        fits = True
    elif kind is Kind.PHONE:
        fits = cell_forms.are_numbers(cells) if cells else reading.unknown == 1
        rank = max(rank, ADDITIONAL)
    elif kind is Kind.EMAIL:
        fits = cell_forms.are_addresses(cells)
    else:
        fits = kind is Kind.COUNTRY and cell_forms.are_countries(cells)
    return Meaning(_FIELDS[kind], rank) if fits else None


def _by_cells(reading: _Reading, cells: tuple[str, ...]) -> Meaning | None:
    """The meaning, by the cells, of a header that names several fields: `Phone or email`, `Phones / calling code`."""
    if {Kind.CALLING_CODE, Kind.COUNTRY} & {*reading.kinds} and cell_forms.are_calling_codes(cells, sure=True):
        return Meaning(ContactField.COUNTRY, FIRST_OF_ALL)
    if Kind.PHONE in reading.kinds and cell_forms.are_numbers(cells):
        return Meaning(ContactField.PHONE_NUMBER, max(reading.rank, ADDITIONAL))
    if Kind.EMAIL in reading.kinds and cell_forms.are_addresses(cells):
        return Meaning(ContactField.EMAIL, ADDITIONAL)
    return None


@lru_cache(4_096)
def _read(name: str) -> _Reading:
    """The meaning of the words of a header."""
    pieces = _pieces(_tokens(name))
    if any(Kind.NONE in kinds and not kinds & _STRONG for kinds in pieces):
        return _Reading(refused=True)
    hard = [kinds & _STRONG for kinds in pieces if kinds & _STRONG and not kinds & _SOFT]
    soft = [kinds & _STRONG for kinds in pieces if kinds & _STRONG and Kind.PERSON not in kinds]
    persons = [kinds & _STRONG for kinds in pieces if kinds & _STRONG]
    companies = [kinds & {Kind.COMPANY} for kinds in pieces if Kind.COMPANY in kinds]
    named = hard or soft or companies or persons
    if not (hard or soft) and any(Kind.NUMBER in kinds for kinds in pieces) and _names_person(pieces):
        return _Reading(refused=True)
    # Words for one field in several languages, such as `mail` and `nom`, stay one field.
    common = frozenset.intersection(*named) if named else _UNKNOWN
    kinds = sorted(common or {kind for one in named for kind in one}, key=list(Kind).index)
    if common and len(kinds) > 1:
        kinds = kinds[:1]
    says = [kinds for kinds in pieces if not kinds & _STRONG or kinds & _SOFT]
    rank = FIRST
    if len(pieces) > 1 and any(Kind.OTHER in one for one in says):
        rank = ADDITIONAL
    if any(Kind.SOMEBODY_ELSE in one for one in says):
        rank = NOT_OF_THE_CONTACT
    return _Reading(
        tuple(kinds),
        not hard and any(Kind.MAYBE_PHONE in one for one in pieces),
        rank,
        sum(not one for one in pieces),
    )


def _names_person(pieces: list[frozenset[Kind]]) -> bool:
    return any(Kind.PERSON in kinds and Kind.BESIDE not in kinds for kinds in pieces)


def _folded(text: str) -> str:
    """A text without case, width and accents."""
    text = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
    bare = "".join(character for character in text if unicodedata.category(character) != "Mn")
    return unicodedata.normalize("NFC", bare)


_LETTERS = str.maketrans({"đ": "d", "ı": "i", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "ـ": "", "ى": "ي"})


def folded(name: str) -> str:
    """The compared form of a header: its words, folded and without spaces."""
    return "".join(_tokens(name))


def _tokens(name: str) -> list[str]:
    cased = _CASE.sub(" ", _POSSESSIVE.sub("", unicodedata.normalize("NFKC", name)))
    return _TOKEN.findall(_folded(cased))[:_MOST_TOKENS]


@cache
def _words() -> dict[str, frozenset[Kind]]:
    """Each name of header_names.txt, folded and without spaces, with its kinds."""
    words: dict[str, set[Kind]] = {}
    kind = Kind.NONE
    for line in files("bossjy_server").joinpath("imports/reading/header_names.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            kind = Kind(line.strip("[]"))
        elif line and not line.startswith("#"):
            for name in line.partition(":")[2].split(";"):
                words.setdefault(folded(name), set()).add(kind)
    words.pop("", None)
    return {word: frozenset(kinds) for word, kinds in words.items()}


def _pieces(tokens: list[str]) -> list[frozenset[Kind]]:
    """The kinds of the known words in the tokens, as few words as possible; an empty set for each unknown token."""
    words = _words()
    best: list[tuple[int, int, list[frozenset[Kind]]]] = [(0, 0, [])]
    for end in range(1, len(tokens) + 1):
        token = tokens[end - 1]
        inner = [words[token]] if token in words else _inner(token)
        unknown, count, before = best[end - 1]
        ways = [(unknown + sum(not kinds for kinds in inner), count + len(inner), [*before, *inner])]
        for start in range(max(0, end - _MOST_JOINED), end - 1):
            joined = "".join(tokens[start:end])
            if joined in words:
                unknown, count, before = best[start]
                ways.append((unknown, count + 1, [*before, words[joined]]))
        best.append(min(ways, key=lambda way: way[:2]))
    return best[-1][2]


def _inner(token: str) -> list[frozenset[Kind]]:
    """The known words of one token."""
    if token.isdigit():
        return [_NUMERAL]
    cjk = re.match(rf"[{_CJK}]", token) is not None
    words = _words()
    best: list[tuple[int, int, list[frozenset[Kind]]] | None] = [(0, 0, [])]
    for end in range(1, len(token) + 1):
        ways = []
        for start in range(max(0, end - 20), end):
            before, part = best[start], token[start:end]
            if before is None:
                continue
            kinds = words.get(part)
            if kinds is not None and _may_be_inner(part, kinds, cjk=cjk):
                ways.append((before[0], before[1] + 1, [*before[2], kinds - _STRONG if len(part) == 1 else kinds]))
            elif cjk and end == start + 1:
                # Adjacent unknown characters are one unknown word.
                more = not before[2] or bool(before[2][-1])
                ways.append((before[0] + 1, before[1] + more, [*before[2], _UNKNOWN] if more else before[2]))
        best.append(min(ways, key=lambda way: way[:2]) if ways else None)
    return best[-1][2] if best[-1] is not None else [_UNKNOWN]


def _may_be_inner(part: str, kinds: frozenset[Kind], *, cjk: bool) -> bool:
    if cjk:
        return True
    if kinds & (_STRONG | {Kind.COMPANY, Kind.MAYBE_PHONE}) and not kinds & _SOFT:
        return len(part) >= _SHORTEST_INNER or part in _SHORT_INNER
    return len(part) >= 3 or part in _INNER_ENDS
