"""Habits of people and programs that write phone numbers: labels, extensions, lists, cells, prefixes, other fields.

Each habit keeps the number: a person who sees the text would read the same one. `damage.py` mixes them with the kinds
of damage of single characters.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

import phonenumbers

from bossjy_numbering import Format, Number, Plan
from tests.performance.numbering.habit_words import (
    CELLS,
    EXTENSIONS,
    INVISIBLE,
    LABELS_AFTER,
    LABELS_BEFORE,
    LOOKALIKES,
    OTHER_FIELDS,
    QUOTES,
    SEPARATORS,
    URIS,
    digits_of_scripts,
)

_SPACES = "\u00a0\u202f\u2009\u2007\u3000\t"
_PLUS = ("+ ", "++", "＋", "﹢", "(+) ", "+(", "( +", "'+", "=+")


class Written(NamedTuple):
    """A text, the extension in it, and the number of phone numbers in it."""

    text: str
    extension: str = ""
    numbers: int = 1


class Habits:
    """Writes numbers by one habit. `written` gives a form that the plan reads; `number` draws one of a region."""

    def __init__(
        self,
        plan: Plan,
        source: random.Random,
        written: Callable[[Number, str], str],
        number: Callable[[str], Number | None],
    ) -> None:
        self._plan, self._random = plan, source
        self._written, self._number = written, number
        self.kinds: dict[str, Callable[[Number, str], Written | None]] = {
            "label_before": self._label_before,
            "label_after": self._label_after,
            "any_extension": self._any_extension,
            "any_separator": self._any_separator,
            "labelled_list": self._labelled_list,
            "lookalikes": self._lookalikes,
            "scripts": self._scripts,
            "cell": self._cell,
            "quoted": self._quoted,
            "invisible": self._invisible,
            "spaces": self._spaces,
            "calling_code": self._calling_code,
            "trunk_and_code": self._trunk_and_code,
            "idd": self._idd,
            "plus": self._plus,
            "other_field": self._other_field,
            "uri": self._uri,
        }

    def _one(self, values: tuple[str, ...]) -> str:
        return self._random.choice(values)

    def _label_before(self, number: Number, region: str) -> Written:
        return Written(self._one(LABELS_BEFORE) + self._written(number, region))

    def _label_after(self, number: Number, region: str) -> Written:
        return Written(self._written(number, region) + self._one(LABELS_AFTER))

    def _any_extension(self, number: Number, region: str) -> Written:
        extension = str(self._random.randrange(10, 10 ** self._random.randrange(2, 6)))
        return Written(self._written(number, region) + self._one(EXTENSIONS).format(extension), extension)

    def _any_separator(self, number: Number, region: str) -> Written | None:
        other = self._number(region)
        if other is None or other.e164 == number.e164:
            return None
        text = self._written(number, region) + self._one(SEPARATORS) + self._written(other, region)
        return Written(text, numbers=2)

    def _labelled_list(self, number: Number, region: str) -> Written | None:
        other = self._number(region)
        if other is None or other.e164 == number.e164:
            return None
        form = self._one(
            (
                "tel: {}, fax: {}",
                "M: {} / H: {}",
                "1) {} 2) {}",
                "1. {}\n2. {}",
                "{} (home), {} (work)",
                "['{}', '{}']",
                '["{}","{}"]',
                "{{{},{}}}",
                "手机{}，座机{}",
                "Mobil {} Büro {}",
                "{} Ann {} Bob",
            )
        )
        return Written(form.format(self._written(number, region), self._written(other, region)), numbers=2)

    def _lookalikes(self, number: Number, region: str) -> Written | None:
        text = self._written(number, region)
        places = [place for place, character in enumerate(text) if character in LOOKALIKES]
        if not places:
            return None
        chosen = set(self._random.sample(places, self._random.randrange(1, min(3, len(places)) + 1)))
        return Written("".join(self._one(LOOKALIKES[c]) if p in chosen else c for p, c in enumerate(text)))

    def _scripts(self, number: Number, region: str) -> Written:
        return Written(self._written(number, region).translate(self._random.choice(digits_of_scripts())))

    def _cell(self, number: Number, region: str) -> Written | None:
        digits = number.e164[1:] if self._random.random() < 0.5 else number.national_digits
        read = self._plan.number(digits, region)
        if digits.startswith("0") or len(digits) < 8 or (read.valid and read.e164 != number.e164):
            return None
        return Written(self._random.choice(CELLS)(digits))

    def _quoted(self, number: Number, region: str) -> Written:
        return Written(self._one(QUOTES).format(self._written(number, region)))

    def _invisible(self, number: Number, region: str) -> Written:
        text = self._written(number, region)
        for _ in range(self._random.randrange(1, 4)):
            place = self._random.randrange(len(text) + 1)
            text = text[:place] + self._one(INVISIBLE) + text[place:]
        return Written(text)

    def _spaces(self, number: Number, region: str) -> Written | None:
        text = self._written(number, region)
        if " " not in text:
            return None
        return Written(text.replace(" ", self._random.choice(_SPACES)) + self._one(("", "\r\n", " ", "\t", "\u3000")))

    def _national(self, number: Number) -> str:
        return self._plan.format(number, Format.INTERNATIONAL).removeprefix(f"+{number.calling_code}").strip(" -")

    def _kept(self, text: str, number: Number, region: str, extension: str = "") -> Written | None:
        """The text, unless the plan reads it as another number: then the intended number cannot be known."""
        read = self._plan.number(text, region)
        return None if read.valid and read.e164 != number.e164 else Written(text, extension)

    def _calling_code(self, number: Number, region: str) -> Written | None:
        """The calling code without plus, in brackets, or twice."""
        forms = (
            "{c} {n}", "{c}-{n}", "({c}) {n}", "({c}){n}", "(+{c}){n}", "+({c}) {n}", "+{c}{c}{n}", "+{c} +{c} {n}",
            "+{c} 00{c} {n}", "+00{c} {n}", "(00{c}){n}", "00{c}-{n}", "{c}+{n}", "[+{c}] {n}", "+{c}.{n}", "+{c}/{n}",
            "{c} / {n}",
        )  # fmt: skip
        return self._kept(self._one(forms).format(c=number.calling_code, n=self._national(number)), number, region)

    def _trunk_and_code(self, number: Number, region: str) -> Written | None:
        """The national prefix after the calling code, once or twice."""
        trunk = phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True)
        if not trunk:
            return None
        forms = (
            "+{c} ({t}){n}", "+{c}({t}) {n}", "+{c}-{t}-{n}", "00{c}-{t} {n}", "00{c} ({t}) {n}", "{c} ({t}) {n}",
            "{c}-{t}{n}", "+{c} {t}{t}{n}", "+{c} ({t}) {t}{n}", "({c}) {t}{n}", "(+{c}) {t}{n}",
            "({t}) {n}", "{t}/{n}", "({t}){n}", "+{c} [{t}] {n}",
        )  # fmt: skip
        text = self._one(forms).format(c=number.calling_code, t=trunk, n=self._national(number))
        return self._kept(text, number, region)

    def _idd(self, number: Number, region: str) -> Written | None:
        prefix = self._one(("00", "011", "+00", "+011", "0011", "001", "(00)", "00-", "011-", "00 ", "810"))
        own = self._plan_idd(region)
        if prefix.strip("+()- ") not in ("00", "011", own):
            prefix = own or "00"
        return self._kept(f"{prefix}{number.calling_code} {self._national(number)}", number, region)

    @staticmethod
    def _plan_idd(region: str) -> str:
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
        prefix = "" if metadata is None else metadata.international_prefix or ""
        return prefix if prefix.isdigit() else ""

    def _plus(self, number: Number, region: str) -> Written | None:
        plus = self._one(_PLUS)
        text = self._plan.format(number, Format.INTERNATIONAL)[1:]
        return self._kept(plus + text + (")" if plus.count("(") > plus.count(")") else ""), number, region)

    def _other_field(self, number: Number, region: str) -> Written | None:
        return self._unless_whole(self._one(OTHER_FIELDS).format(self._written(number, region)), number, region)

    def _unless_whole(self, text: str, number: Number, region: str) -> Written | None:
        """The text, unless all its digits are another number: then a person may read that one."""
        digits = "".join(filter(str.isdigit, text))
        return self._kept("+" + digits if "+" in text else digits, number, region) and Written(text)

    def _uri(self, number: Number, region: str) -> Written | None:
        form = self._one(URIS)
        international = self._plan.format(number, Format.INTERNATIONAL)
        return self._kept(
            form.format(e=number.e164, d=number.e164[1:], h=international.replace(" ", "-"), i=international),
            number,
            region,
            "12" if ";ext" in form else "",
        )
