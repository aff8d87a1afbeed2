"""Forms in which people write more than digits and punctuation: extensions, letters, other digits, text around numbers.

Each is drawn in the ways that `phonenumbers` reads and in similar ways that it does not, and at its limits of length.
"""

from __future__ import annotations

import random
import sys

LABELS = (
    *("ext.", "ext", "EXT", "Ext:", "extn", "xt", "xtn", "extension", "extensi\xf3n", "extensio\u0301n"),
    *("EXTENSION", "\uff45\uff58\uff54", "\uff58\uff54\uff4e", "\uff25\uff38\uff34", "\u0434\u043e\u0431"),
    *("\u0414\u041e\u0411.", "anexo", "Anexo", "x", "X", "\uff58", "\uff38", "#", "\uff03", "~", "\uff5e", "int"),
    *("Int.", "\uff49\uff4e\uff54", ";ext=", ";EXT=", ",", ",,", ",,,", ";", ";;", "\uff1b", "-", " - ", "--", ":"),
    *("=", "*", "p", "w", "/", "_", "\u5206\u673a", "\u8f6c", "ramal", "Durchwahl", "e.xt", "ex", "exten\u017fion"),
    *("\u0130nt", "\u0131nt", "xxx", "/x", "/ x", "\\x", "\\  X", "//x", "/\uff58", "x#", "#x", "ext ext", "\n"),
    *("\u2028", "\xb2", "\xbd"),
)
BEFORE_LABEL = ("", "", " ", " ", "  ", "\t", ",", ", ", "\xa0", " - ", "-", ".", "\u3000", "\u200b", " (")
AFTER_LABEL = ("", "", " ", ".", ":", ". ", ": ", "\uff0e", "-", " - ", ", ", "\t", "\xa0", "=", "\uff1a", "..", "(")
# Lengths of extensions: the usual ones, and both sides of each limit.
LENGTHS = (1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 10, 15, 16, 20, 21, 25)
AFTER_EXTENSION = (
    "",
    "",
    "",
    "",
    "#",
    "##",
    " #",
    ".",
    ")",
    " ",
    "\n",
    "_",
    "*",
    "\u0301",
    " office",
    "\u5f20",
    "!",
    "\xb2",
)
WORDS = (
    *("FLOWERS", "flowers", "Taxi", "CALL", "a", "ab", "abc", "x", "xx", "X-X", "E+", "e", "O", "l", "I"),
    *("\u0130\u0131", "\u017f\u212a", "na\xefve", "Home", "\u4e2d", "\xe9", "\xdf", "\ufb01", "\u0149"),
    *("tel", "aBcDe"),
)
TEXT_BEFORE = (
    *("Tel: ", "T\xe9l\xe9phone : ", "Mr. Smith ", "\u7535\u8bdd\uff1a", "x", "/x ", "#", "*", "ext. ", "+", "+ "),
    *("\u260e ", "tel:", "TEL:", "(", "No.", "\U0001f4de", "\xb2", "\n", ";ext=", "~", ",,", "\uff0b", "+\uff0b"),
)
TEXT_BEHIND = (
    *(" home", " (office)", " Smith", " \u5f20\u4e09", "\xb2", " \xbd", "_", "_1", "#", "\uff03", " #", "\n"),
    *("\n1", "/x5", "/ x", "\\x", " / 5551234", ";isub=12", ";isub=", " or 12", "*", "~", "\U0001f4de", "+"),
    *("+1", "%"),
)
PARAMETERS = (
    *(";ext=5", ";ext=12345678901234567890", ";ext=", ";isub=1", ";isub=x", ";a=b", ";phone-context=+86"),
    *(";phone-context=example.com", ";phone-context=+1-212", ";phone-context=", ";phone-context=a b"),
    *(";PHONE-CONTEXT=+1", ";phone-context=+\u0661", ";phone-context=+"),
    *(";phone-context=1.2", ";phone-context=+44;ext=7"),
)
PADDING = (" ", "-", ".", "0", "x", "a", ",", "#", "\u3000", "(", "\uff11", " ,", "/", ";", "\t")
NOISE = "0123456789" * 4 + "+\uff0b-. ()/\\*~xXeEtTaAnNoOiIsS#,;:=\t\n_\u00a0\u3000\uff0e\uff58\uff03\uff5e"
NOISE += "\u0434\u043e\u0431\u0661\uff15\u0665\u0966\u00b2\u0130\u0131\u017f\u212a\u0301\U0001d7ce"
ZEROS = tuple(point for point in range(0x80, sys.maxunicode) if chr(point).isdecimal() and int(chr(point)) == 0)


class Forms:
    """Writes texts in such forms. Draws from a generator that is given."""

    def __init__(self, choice: random.Random) -> None:
        self._choice = choice

    def write(self, text: str) -> str:
        """A text in one or several forms."""
        choice = self._choice
        if choice.random() < 0.04:
            return "".join(choice.choice(NOISE) for _ in range(choice.randrange(1, 40)))
        forms = (self._extended, self._lettered, self._in_other_digits, self._surrounded, self._with_parameters)
        weights = (5, 2, 2, 2, 1)
        for _ in range(choice.choice((1, 1, 1, 2, 3))):
            text = choice.choices(forms, weights)[0](text)
        return self._padded(text) if choice.random() < 0.02 else text

    def _extended(self, text: str) -> str:
        choice = self._choice
        size = choice.choice(LENGTHS)
        digits = str(choice.randrange(10**size)).zfill(size)
        if choice.random() < 0.1:
            digits = self._in_other_digits(digits)
        label = choice.choice(BEFORE_LABEL) + choice.choice(LABELS) + choice.choice(AFTER_LABEL)
        return text + label + digits + choice.choice(AFTER_EXTENSION)

    def _lettered(self, text: str) -> str:
        choice, draw = self._choice, self._choice.random()
        if draw < 0.3 and len(text) > 7:
            keys = "".join(choice.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") for _ in range(7))
            return text[: -choice.randrange(1, 8)] + keys[: choice.randrange(1, 8)]
        place = choice.randrange(len(text) + 1)
        return text[:place] + choice.choice(WORDS) + text[place:]

    def _in_other_digits(self, text: str) -> str:
        choice = self._choice
        zero, share = choice.choice(ZEROS), choice.choice((1.0, 1.0, 0.3))
        if choice.random() < 0.4:
            zero = choice.choice((0xFF10, 0x0660, 0x06F0, 0x0966))
        return "".join(
            chr(zero + int(one)) if "0" <= one <= "9" and choice.random() < share else one for one in text
        ).replace("+", choice.choice(("+", "\uff0b")))

    def _surrounded(self, text: str) -> str:
        choice, draw = self._choice, self._choice.random()
        if draw < 0.6:
            text = choice.choice(TEXT_BEFORE) + text
        return text + choice.choice(TEXT_BEHIND) if draw > 0.4 else text

    def _with_parameters(self, text: str) -> str:
        choice = self._choice
        parameters = choice.sample(PARAMETERS, choice.choice((1, 1, 2)))
        return choice.choice(("tel:", "", "TEL:", "x tel:")) + text + "".join(parameters)

    def _padded(self, text: str) -> str:
        """As long as a text may be, or one or two characters more or less."""
        choice = self._choice
        count = choice.randrange(248, 253) - len(text)
        padding = (choice.choice(PADDING) * max(count, 0))[: max(count, 0)]
        place = choice.choice((0, len(text), choice.randrange(len(text) + 1)))
        return text[:place] + padding + text[place:]
