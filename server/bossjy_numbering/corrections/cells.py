"""Number cells: phone numbers that a spreadsheet or a program wrote as a number, in exponent or decimal form.

Excel shows at most five decimals unless asked for more, pandas six, and both write a sign: `1.38E+10`, `1.380014e+10`.
Java, and programs that write the shortest text that gives the same number, lose nothing: `1.3800138E10`.
"""

from __future__ import annotations

import re

_EXPONENT = re.compile(r"[+-]?(\d+)(?:[.,](\d+))?[eE][+]?(\d{1,3})")
# As Java and others write the shortest text of the same number: a point, a capital E, no sign.
_EXACT = re.compile(r"[+-]?\d\.\d+E\d+")
_DECIMAL = re.compile(r"(\+?\d[\d ]{2,}\d)[.,](0+)")
# Thousands apart: `13,800,138,000.00`, `13.800.138.000,00`. Without decimals, points may be those of a phone number.
_GROUPED = re.compile(r"\+?\d{1,3}(?:(?:,\d{3}){2,}(?:\.0+)?|(?:\.\d{3}){2,},0+)")
# A text with more decimals than a display shows is the exact number.
_SHOWN_DECIMALS_MAX = 6
# No phone number has more digits; a larger exponent is no phone number.
_DIGITS_MAX = 20


def written_out(text: str) -> str | None:
    """The digits of a cell in exponent form; '' if rounding lost digits, None if the text has no such form."""
    match = _EXPONENT.fullmatch(text.strip())
    if match is None:
        return None
    whole, decimals, exponent = match[1], match[2] or "", int(match[3])
    if len(whole) + exponent > _DIGITS_MAX:
        return ""
    missing = exponent - len(decimals)
    if missing < 0:
        return whole + decimals[:exponent] if not decimals[exponent:].strip("0") else ""
    if missing and len(decimals) <= _SHOWN_DECIMALS_MAX and _EXACT.fullmatch(text.strip()) is None:
        return ""
    return whole + decimals + "0" * missing


def is_rounded(text: str) -> bool:
    """True if the text is a number cell that lost its last digits by rounding: `1.38E+10`."""
    return written_out(text) == ""


def without_decimals(text: str) -> str | None:
    """The digits of a number cell before a trailing `.0` and without marks of thousands; None for another text."""
    text = text.strip()
    if _GROUPED.fullmatch(text):
        mark = "," if text.find(",") < text.find(".") or "." not in text else "."
        whole = text.partition("." if mark == "," else ",")[0]
        return whole.replace(mark, "")
    match = _DECIMAL.fullmatch(text)
    return match[1] if match else None
