"""Other fields in a cell of phone numbers: dates, times, mail addresses, indices of lists, rooms, prices.

Their digits belong to no number. A certain field can be nothing else; an uncertain one may be a part of a number, so
it is removed only if the text has no cheap reading with it.
"""

from __future__ import annotations

import re

# The cost of a reading that removes uncertain fields.
FIELD_COST = 1.0
# In place of a field: a word, so that the digits before and after it are apart.
_WORD = " a "
_MONTH, _DAY, _YEAR = r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])", r"(?:19|20)\d\d"
_CERTAIN = re.compile(
    rf"""[\w.+-]+@[^\W\d_][\w-]*(?:\.[\w-]+)+                                  # a mail address
    | (?<![\d.+/-])(?:{_YEAR}([-./]){_MONTH}\1{_DAY}|{_DAY}([-./]){_MONTH}\2{_YEAR}|{_MONTH}/{_DAY}/{_YEAR})(?![\d/-])
    | (?<![\d.:+])\d{{1,2}}:\d\d\s*-\s*\d{{1,2}}:\d\d(?![\d:])               # opening hours
    | (?<![\d:+])\d{{1,2}}\s*(?:am|pm|h|uhr)?\s*-\s*\d{{1,2}}\s*(?:am|pm|h|uhr)\b
    | (?<![\d+])24/7(?!\d) | (?<![\d+.,])\d{{1,3}}\s?% | [$\u20ac\u00a3\u00a5]\s?\d{{1,6}}(?:[.,]\d\d)?(?![\d.,-])
    | (?:^|(?<=[\s,;]))(?<!\()\d{{1,2}}[)\]]\s*(?=[+(\d])                      # `1) 138…`
    | [^\W\d_]\w*?\d\s?[=:]\s?(?=[+(\d])                                       # `phone2=138…`
    | (?<![^\W_])(?:tel|telefon|phone|mobile?|handy|fax|cell|no|nr|nº|№)\.?\s?[1-9]\s?[:.)]?\s+(?=[+(\d])""",
    re.VERBOSE | re.IGNORECASE,
)
_UNCERTAIN = re.compile(
    r"""(?:^|(?<=[\s,;]))\d{1,2}(?:\.\s|:)\s*(?=[+(\d])                         # `1. 138…`
    | \A\W*[(\[]\d{1,2}[)\]]\s*(?=[+(\d])                                     # `(1) 138…`
    | (?:^|(?<=\s))\d\s?-\s(?=[+(\d])
    | (?<=\d)\s*[(\[]\#?\d{1,2}[)\]]\s*$                                       # `138… (2)`
    | [(\[]\s*\d{1,3}\s+[^\W\d_]{2,}[^)\]]*[)\]]                              # `138… (2 rings)`
    | (?:^|(?<=\s))\d{1,2}\s?[×x]\s                                       # `2 × 138…`
    | ^\d{1,2}\s+(?=[+0(])
    | (?:^|(?<=\s))\d{1,4}(?![OolI])[^\W\d_]+(?=\W|$)                          # `2nd`
    | (?<![^\W_])[^\W\d_]{1,3}-?\d{1,4}(?=\s)                                  # `A-12`
    | [^\W\d_]{2,}[.:]?\s*\d{1,4}\s*[^\W\d_]*[,:\s](?=\s*[+(\d])               # `Zimmer 214`, `no.1`""",
    re.VERBOSE | re.IGNORECASE,
)


def without_certain_fields(plain: str) -> str:
    """A normalised text without fields that are no phone number."""
    return _CERTAIN.sub(_field, plain)


def _field(match: re.Match[str]) -> str:
    # The end of an area code is no index of a list: `(06 1) 233 3996`.
    before = match.string[: match.start()]
    return match[0] if before.count("(") > before.count(")") and ")" in match[0] else _WORD


def without_fields(plain: str) -> str:
    """The same, also without fields that may be a part of a number."""
    return _UNCERTAIN.sub(_WORD, plain)
