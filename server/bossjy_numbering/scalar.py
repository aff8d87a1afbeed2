"""Scalar engine: one text from the tables. `phonenumbers` itself answers texts that the tables do not cover.

The steps and their order are those of `phonenumberutil.parse`; the rule numbers in the comments are those of RULES.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bossjy_numbering.dfa import LONGEST_NATIONAL_NUMBER
from bossjy_numbering.prefix import REWRITES
from bossjy_numbering.scalar_rules import ZERO, Code, Region, read_rules
from bossjy_numbering.scalar_text import LONGEST_TEXT, PLUS_SIGNS, digits_of, parts_of
from bossjy_numbering.tables import NO_REGION, Tables
from bossjy_numbering.types import Number, NumberType, ParseError, PossibleReason, not_a_number

# Punctuation that may occur anywhere in a number and cannot begin an extension, and its full-width forms. Not here:
# `*`, `~`, `x`, `#`, `,`, `;`, letters and other digits. `scalar_text.py` reads texts that contain them.
PUNCTUATION = (
    " -.()[]/\u00a0\u00ad\u200b\u2010\u2011\u2012\u2013\u2014\u2015\u2060\u2212\u3000"
    "\uff08\uff09\uff0d\uff0e\uff0f\uff3b\uff3d"
)
_ASCII = {ord("\uff0b"): "+"} | {ord("\uff10") + digit: str(digit) for digit in range(10)}
_PLAIN: dict[int, str | None] = {**dict.fromkeys(map(ord, PUNCTUATION)), **_ASCII}
_KEEP_UNSTRIPPED = (
    PossibleReason.TOO_SHORT,
    PossibleReason.IS_POSSIBLE_LOCAL_ONLY,
    PossibleReason.INVALID_LENGTH,
)
_POSSIBLE = (PossibleReason.IS_POSSIBLE, PossibleReason.IS_POSSIBLE_LOCAL_ONLY)


class ScalarEngine:
    """Answers one text at a time. Threads may share it: its cached values are the same whoever writes them."""

    def __init__(self, tables: Tables, slow: Callable[[str, str | None], Number]) -> None:
        self._slow = slow
        self._step = (tables.step.astype("int64") * 10 - ZERO).ravel().tolist()
        self._outcome = tables.outcome.tolist()
        self._general = tables.outcome_general.tolist()
        self._outcome_region = tables.outcome_region.tolist()
        self._outcome_type = tables.outcome_type.tolist()
        self._codes, self._regions = read_rules(tables)

    def number(self, text: str, default_region: str | None) -> Number:
        """The answer for the text. Never raises for a str."""
        international = text[:1] == "+"
        digits = text[1:] if international else text
        if not (digits.isdigit() and digits.isascii()):
            plain = text.translate(_PLAIN)
            international = plain[:1] == "+"
            digits = plain[1:] if international else plain
        if not (digits.isdigit() and digits.isascii()):
            return self._by_parts(text, default_region)
        if len(text) > LONGEST_TEXT:
            return not_a_number(ParseError.TOO_LONG)
        # Rule 3: three digits are viable, or two adjacent ones without a plus.
        if len(digits) < 3 and (international or len(digits) < 2 or digits not in text.translate(_ASCII)):
            return not_a_number(ParseError.NOT_A_NUMBER)
        return self._of_digits(digits, default_region, international=international)

    def _by_parts(self, text: str, default_region: str | None) -> Number:
        """A text with more than digits and punctuation."""
        if len(text) > LONGEST_TEXT:
            return not_a_number(ParseError.TOO_LONG)
        parts = parts_of(text)
        if parts is None:
            return self._slow(text, default_region)
        if parts.begin == parts.end:
            return not_a_number(ParseError.NOT_A_NUMBER)
        digits = digits_of(text, parts)
        # The rules below need three digits. Letters as keys leave fewer if they are among digits of other scripts.
        if len(digits) < 3:
            return self._slow(text, default_region)
        number = self._of_digits(digits, default_region, international=text[parts.begin] in PLUS_SIGNS)
        if number.error or not parts.extension_end:
            return number
        return number._replace(extension=text[parts.extension_begin : parts.extension_end])

    def _of_digits(self, digits: str, default_region: str | None, *, international: bool) -> Number:
        if international:
            code = self._calling_code(digits)
            if code is not None:
                return self._settle(code.main, digits[len(code.text) :])
            # Rule 9: a second attempt without the plus. Rule 4 does not apply: `parse` reads the region in capitals.
            region = self._regions.get((default_region or "").upper())
            number = None if region is None else self._with_code(region, digits)
            return number or not_a_number(ParseError.INVALID_COUNTRY_CODE)
        region = self._regions.get(default_region or "")
        if region is None:
            return not_a_number(ParseError.INVALID_COUNTRY_CODE)
        return self._with_code(region, digits) or self._settle(region, digits)

    def _with_code(self, region: Region, digits: str) -> Number | None:
        """A number that begins with an international prefix or the region's calling code; None for others."""
        if digits[:2] in region.idd_leading_digits:
            length = self._prefix_length(region.idd_state, digits)
            # Rule 7: not if the next digit is a zero.
            if length and digits[length : length + 1] != "0":
                return self._behind_idd(digits[length:])
        code = region.code
        if digits.startswith(code.text):
            # Rule 10: the calling code without a plus.
            rest = self._without_prefix(region, digits[len(code.text) :])
            if region.reasons[min(len(digits), 31)] is PossibleReason.TOO_LONG or (
                not self._is_general(region, digits) and self._is_general(region, rest)
            ):
                return self._settle(code.main, rest)
        return None

    def _behind_idd(self, digits: str) -> Number:
        if len(digits) <= 2:
            return not_a_number(ParseError.TOO_SHORT_AFTER_IDD)
        code = self._calling_code(digits)
        if code is None:
            return not_a_number(ParseError.INVALID_COUNTRY_CODE)
        return self._settle(code.main, digits[len(code.text) :])

    def _calling_code(self, digits: str) -> Code | None:
        """Rule 8: the shortest known code."""
        codes = self._codes
        return codes.get(digits[:1]) or codes.get(digits[:2]) or codes.get(digits[:3])

    def _settle(self, region: Region, digits: str) -> Number:
        """Strips the national prefix by the region's rules, and classifies the rest."""
        if len(digits) < 2:
            return not_a_number(ParseError.TOO_SHORT_NSN)
        if digits[:2] in region.prefix_leading_digits:
            rest = self._without_prefix(region, digits)
            # Rule 15.
            if region.reasons[min(len(rest), 31)] not in _KEEP_UNSTRIPPED:
                digits = rest
                if len(digits) < 2:
                    return not_a_number(ParseError.TOO_SHORT_NSN)
        if len(digits) > LONGEST_NATIONAL_NUMBER:
            return not_a_number(ParseError.TOO_LONG)
        return self._classify(region.code, digits)

    def _classify(self, code: Code, digits: str) -> Number:
        step = self._step
        state = code.start
        for byte in digits.encode():
            state = step[state + byte]
        outcome = self._outcome[(state + ZERO) // 10]
        said = code.said.get(outcome)
        if said is None:
            said = self._say(code, outcome)
        reason = code.main.reasons[len(digits)]
        zeros = 0
        if digits[0] == "0":
            # Rule 16: the last zero of an all-zero number is its value.
            zeros = min(len(digits) - len(digits.lstrip("0")), len(digits) - 1)
        return Number(
            code.value,
            int(digits),
            zeros > 0,
            zeros,
            None,
            code.plus + digits,
            said[0],
            said[1],
            said[2],
            reason in _POSSIBLE,
            reason,
            ParseError.NONE,
        )

    def _say(self, code: Code, outcome: int) -> tuple[str | None, NumberType, bool]:
        ordinal = self._outcome_region[outcome]
        kind = NumberType(self._outcome_type[outcome])
        region = None if ordinal == NO_REGION else code.regions[ordinal]
        said = code.said[outcome] = (region, kind, kind is not NumberType.UNKNOWN)
        return said

    def _without_prefix(self, region: Region, digits: str) -> str:
        """Rules 12 to 14. The digits are unchanged if there is nothing to strip."""
        if not digits or region.pattern is None or digits[:2] not in region.prefix_leading_digits:
            return digits
        pattern = region.compiled
        if pattern is None:
            # Compiled at the first use: most processes see few regions.
            pattern = region.compiled = re.compile(region.pattern)
        match = pattern.match(digits)
        if match is None:
            return digits
        if region.rewriting is not None and pattern.groups and match[pattern.groups] is not None:
            rest = pattern.sub(region.rewriting, digits, count=1)
        else:
            rest = digits[match.end() :]
        if self._is_general(region, digits) and not self._is_general(region, rest):
            return digits
        return rest

    def _is_general(self, region: Region, digits: str) -> bool:
        """True if the region's general pattern matches, whatever the length."""
        if len(digits) > LONGEST_NATIONAL_NUMBER:
            return False
        step = self._step
        state = region.code.start
        for byte in digits.encode():
            state = step[state + byte]
        return bool(self._general[self._outcome[(state + ZERO) // 10]] & region.general_bit)

    def _prefix_length(self, state: int, digits: str) -> int:
        step = self._step
        state = 10 * state - ZERO
        for byte in digits.encode():
            state = step[state + byte]
        length = self._outcome[(state + ZERO) // 10]
        if length == REWRITES:
            raise AssertionError("an international prefix never rewrites")
        return int(length)
