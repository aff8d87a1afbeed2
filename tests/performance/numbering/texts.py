"""Test texts for numbers: valid, nearly valid, truncated, extended, prefixed, decorated, and plain noise.

National numbers are drawn from the automaton itself, so that every calling code, region, type and length is met, and
not only those near the example numbers.
"""

from __future__ import annotations

import random

import numpy as np
import phonenumbers

from bossjy_numbering.tables import Tables
from bossjy_numbering.types import NumberType
from tests.performance.numbering.forms import Forms

FULL_WIDTH = {ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)} | {ord("+"): "\uff0b"}
ARABIC = {ord(str(digit)): chr(0x0660 + digit) for digit in range(10)}
TRUNKS = ("0", "1", "8", "06", "80", "9", "15", "090", "0 15 ", "01", "044", "1001", "180020", "10001", "15001")
IDDS = ("00", "011", "0011", "810", "009", "119", "001", "010", "000", "00 ", "8~10", "14110011", "0031", "0019")
BEFORE = ("Tel: ", "  ", "\u7535\u8bdd\uff1a", "'", '"', "tel:", "call +", " \ufeff", "x", "(", "\t", "+ ", "No. ", "=")
AFTER = (
    " ",
    ".",
    ".0",
    "x12",
    " ext. 5",
    "#",
    "\n",
    "\uff0c",
    " home",
    ";ext=4",
    "-",
    ")",
    "*",
    "~2",
    ",,5",
    "\u060c\u0663",
    ";isub=12",
    " extension 7",
    "/x5",
    "_",
    "E+10",
    "\u30fc",
    " #12",
    " 12#",
)
CONTEXTS = (
    ";phone-context=+86",
    ";phone-context=example.com",
    ";phone-context=+1-212",
    ";phone-context=",
    ";phone-context=a b",
)
SEPARATORS = (
    " ",
    "-",
    ".",
    "/",
    "(",
    ")",
    "[",
    "\u3000",
    "\u2010",
    "\u00a0",
    "\uff0d",
    "\u2212",
    "*",
    "~",
    ",",
    "_",
    "\u200b",
)

# The share of texts that are written with more than digits and punctuation.
FORMS_SHARE = 0.4


class Texts:
    """An endless, repeatable source of (text, default region)."""

    def __init__(self, tables: Tables, seed: int) -> None:
        self._random = random.Random(seed)
        self._forms = Forms(self._random)
        self._regions = sorted(phonenumbers.SUPPORTED_REGIONS)
        self._step = tables.step.tolist()
        self._codes = tables.calling_codes.tolist()
        self._starts = tables.calling_code_state.tolist()
        self._regions_of = {code: phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code] for code in self._codes}
        # reaches[n][state]: true if n more digits can make a valid number. Prefix states have no such meaning, and
        # are never walked from a calling code.
        kinds = tables.outcome_type[np.minimum(tables.outcome, len(tables.outcome_type) - 1)]
        reaches = [kinds != NumberType.UNKNOWN]
        for _ in range(17):
            reaches.append(reaches[-1][tables.step].any(axis=1))
        self._reaches = [one.tolist() for one in reaches]

    def draw(self) -> tuple[str, str | None]:
        """One text and one default region."""
        choice = self._random
        position = choice.randrange(len(self._codes))
        code, own = self._codes[position], choice.choice(self._regions_of[self._codes[position]])
        digits = self._national(self._starts[position])
        if choice.random() < 0.5:
            digits = self._damaged(digits)
        text = self._dressed(self._prefixed(code, digits))
        if choice.random() < FORMS_SHARE:
            text = self._forms.write(text)
        draw = choice.random()
        if draw < 0.65:
            return text, own
        if draw < 0.9:
            return text, choice.choice(self._regions)
        return text, choice.choice((None, "", "ZZ", own.lower(), "001", "XX"))

    def _national(self, state: int) -> str:
        lengths = [length for length in range(1, 18) if self._reaches[length][state]]
        if not lengths:
            return str(self._random.randrange(10**8))
        left = self._random.choice(lengths)
        digits = []
        while left:
            left -= 1
            row = self._step[state]
            digit = self._random.choice([d for d in range(10) if self._reaches[left][row[d]]])
            digits.append(str(digit))
            state = row[digit]
        return "".join(digits)

    def _damaged(self, digits: str) -> str:
        choice, kind = self._random, self._random.randrange(5)
        if kind == 0:
            place = choice.randrange(len(digits))
            return digits[:place] + choice.choice("0123456789") + digits[place + 1 :]
        if kind == 1:
            return digits[: choice.randrange(len(digits) + 1)]
        if kind == 2:
            return digits + str(choice.randrange(10 ** choice.randrange(1, 9)))
        if kind == 3:
            return "0" * choice.randrange(1, 4) + digits
        return "".join(choice.choice("0123456789") for _ in range(choice.randrange(20)))

    def _prefixed(self, code: int, digits: str) -> str:
        choice, draw = self._random, self._random.random()
        trunk = choice.choice(TRUNKS) if choice.random() < 0.3 else ""
        if draw < 0.35:
            return f"+{code}{trunk if choice.random() < 0.2 else ''}{digits}"
        if draw < 0.7:
            return trunk + digits
        if draw < 0.8:
            return f"{code}{trunk}{digits}"
        if draw < 0.95:
            return f"{choice.choice(IDDS)}{code}{digits}"
        return choice.choice(
            (f"+{code} (0) {digits}", f"++{code}{digits}", f"+{digits}", f"+{code}+{digits}", digits[::-1])
        )

    def _dressed(self, text: str) -> str:
        choice = self._random
        if choice.random() < 0.4:
            places = [place for place in range(1, len(text)) if choice.random() < 0.25]
            for place in reversed(places):
                separator = choice.choice(SEPARATORS) if choice.random() < 0.3 else choice.choice(" -")
                text = text[:place] + separator + text[place:]
        draw = choice.random()
        if draw < 0.06:
            text = text.translate(FULL_WIDTH)
        elif draw < 0.07:
            text = text.translate(ARABIC)
        elif draw < 0.08 and text:
            place = choice.randrange(len(text))
            text = text[:place] + choice.choice(("FLOWERS", "a", "xx", "abc", "E+")) + text[place:]
        elif draw < 0.09:
            text = choice.choice(("tel:", "")) + text + choice.choice(CONTEXTS)
        if choice.random() < 0.06:
            text = choice.choice(BEFORE) + text
        if choice.random() < 0.06:
            text += choice.choice(AFTER)
        return text
