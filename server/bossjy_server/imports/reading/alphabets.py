"""Detection of single-byte encodings by the alphabets of languages: the plausible readings of some bytes.

Every byte above ASCII is a letter in most of these encodings, so valid bytes prove nothing. A reading is plausible if
its words have letters of one script in regular case, and if one language has all of its letters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

# Python's codecs, the likelier ones first, and the alphabets written in them.
_WESTERN = (
    "äöüß",
    "äöüßéè",
    "àâæçéèêëîïôœùûüÿ",
    "áéíñóúüªº",
    "áâãàçéêíóôõúü",
    "àèéìíòóùú",
    "æøåéöäü",
    "åäöéü",
    "áðéíóúýþæö",
)
_CENTRAL = (
    "ąćęłńóśźż",
    "áčďéěíňóřšťúůýžöü",
    "áäčďéíĺľňóôŕšťúýž",
    "áéíóöőúüű",
    "ăâîşţ",
    "čćđšž",
)
_TURKISH = ("çğıöşüâîû",)
_CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґў"
_GREEK = "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ"
_HEBREW = "אבגדהוזחטיךכלםמןנסעףפץצקרשת"
_VOWELS = {_CYRILLIC: "аеёиоуыэюяіїє", _GREEK: "αεηιουωάέήίόύώϊϋ", _HEBREW: ""}
_READINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cp1252", _WESTERN),
    ("cp1250", _CENTRAL),
    ("iso8859-2", _CENTRAL),
    ("cp1254", _TURKISH),
    ("mac-roman", _WESTERN),
    ("cp850", _WESTERN),
    ("cp1251", (_CYRILLIC,)),
    ("koi8-r", (_CYRILLIC,)),
    ("iso8859-5", (_CYRILLIC,)),
    ("cp866", (_CYRILLIC,)),
    ("cp1253", (_GREEK,)),
    ("cp1255", (_HEBREW,)),
)
_ALPHABETS = dict(_READINGS)
SINGLE_BYTE = tuple(_ALPHABETS)
_WORD = re.compile(r"[^\s,;|\"'()/.:&+0-9\-]+", re.ASCII)
# Characters of other scripts as GB18030 writes them, read in another encoding.
_DIGIT_BETWEEN = re.compile(r"[^\x00-\x7f][0-9][^\x00-\x7f]")
# Signs beside words in lists: quotes, dashes, the euro, the numero.
_SIGNS = frozenset("«»“”„‘’‚–—…€№°•·\xa0§®™©")
# Fewer letters do not distinguish one script from another.
_FEW_LETTERS, _LEAST_VOWELS = 6, 0.25
_MOST_WORDS = 2000


@dataclass(frozen=True, slots=True)
class Reading:
    """A codec, the text above ASCII that it gives, and the letters by which its language was recognised."""

    codec: str
    words: tuple[str, ...]
    letters: str


def plausible_readings(sample: bytes) -> list[Reading]:
    """The readings that are text of one language, the likelier codec first. Equal texts occur once.

    If there are none: the readings with letters of neighbouring languages, for lists of several countries.
    """
    regular: list[Reading] = []
    for codec, _ in _READINGS:
        words = _words(sample, codec)
        if words and all(map(_is_regular, words)) and not any(words == other.words for other in regular):
            regular.append(Reading(codec, words, _letters(words)))
    regular = [one for one in regular if one.letters]
    strict = [one for one in regular if _is_of_one(one, _ALPHABETS[one.codec])]
    return strict or [one for one in regular if _is_of_one(one, ("".join(_ALPHABETS[one.codec]),))]


def _letters(words: tuple[str, ...]) -> str:
    lower = {sign.lower()[0] for word in words for sign in word}
    return "".join(sorted({sign for sign in lower if sign > "\x7f"} - _SIGNS))


def _words(sample: bytes, codec: str) -> tuple[str, ...]:
    try:
        text = sample.decode(codec)
    except UnicodeDecodeError:
        return ()
    if _DIGIT_BETWEEN.search(text) is not None:
        return ()
    return tuple(dict.fromkeys(word for word in _WORD.findall(text) if not word.isascii()))[:_MOST_WORDS]


def _is_regular(word: str) -> bool:
    """True if a word has only letters, in the case that words have: lower, Upper, UPPER, or McUpper in ASCII."""
    core = word.strip("".join(_SIGNS) + "!?<>@#*_[]{}=")
    if any(sign > "\x7f" and not sign.isalpha() and sign not in _SIGNS for sign in core):
        return False
    return not any(
        before.islower() and sign.isupper() and (sign > "\x7f" or before > "\x7f") for before, sign in pairwise(core)
    ) and not (len(core) > 2 and core[0].islower() and core[0] > "\x7f" and core[1:].isupper())


def _is_of_one(reading: Reading, alphabets: tuple[str, ...]) -> bool:
    letters = set(reading.letters)
    if alphabets[0] not in _VOWELS:
        return any(letters <= set(alphabet) for alphabet in alphabets)
    alphabet, words = alphabets[0], reading.words
    signs = [sign for word in words for sign in word.lower() if sign > "\x7f"]
    mixed = sum(any("a" <= sign <= "z" for sign in word.lower()) for word in words)
    vowels = sum(sign in _VOWELS[alphabet] for sign in signs)
    enough = not _VOWELS[alphabet] or vowels >= _LEAST_VOWELS * len(signs)
    return letters <= set(alphabet) and len(signs) >= _FEW_LETTERS and mixed * 5 <= len(words) and enough
