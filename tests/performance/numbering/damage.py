"""Damaged phone numbers: valid numbers of every region, written as people and programs write and damage them.

Numbers are drawn from the automaton, so that every region and type is met, and written in one of the forms of lists.
Each kind of damage keeps the number: a person who sees the text would read the same one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import phonenumbers

from bossjy_numbering import Format, Number, NumberType, Plan
from tests.performance.numbering.habits import Habits
from tests.performance.numbering.texts import ARABIC, FULL_WIDTH

LABELS = ("Tel: ", "Tel.", "Mobile: ", "手机：", "电话:", "phone ", "M: ", "联系电话 ", "Тел. ", "携帯 ", "cell - ")
NAMES = ("Ann", "Li Wei", "张三", "李四", "Иван", "Mrs Lee", "José", "さくら", "home", "work", "老板", "家", "微信同号")
EXTENSIONS = (
    "-{}",
    " ext. {}",
    " x{}",
    "转{}",
    " 转 {}",
    " 分机{}",
    "轉{}",
    " 內線 {}",
    " доб. {}",
    " ramal {}",
    " Durchwahl {}",
    "#{}",
    " int. {}",
)
SEPARATORS = (" / ", "/", ",", ", ", "、", ";", "；", " | ", "&", "或", "\n", ":::", "，", " or ", " 和 ")
MARKS = ("·", "_", "\t", "\u200b", "\u200e", ".", "\u00a0", "\u202a")
_USUAL = (NumberType.MOBILE, NumberType.FIXED_LINE, NumberType.FIXED_LINE_OR_MOBILE)


@dataclass(frozen=True, slots=True)
class Damaged:
    """A text, its given region, the number that it means, and the kind of damage."""

    text: str
    region: str
    number: Number
    kind: str
    # The digits of the extension, and the count of numbers in the text.
    extension: str | None = None
    numbers: int = 1


class Damage:
    """An endless, repeatable source of damaged numbers."""

    def __init__(self, plan: Plan, seed: int) -> None:
        self._plan = plan
        self._random = random.Random(seed)
        self._regions = sorted(phonenumbers.SUPPORTED_REGIONS)
        tables = plan.tables
        self._step, self._outcome = tables.step.tolist(), tables.outcome.tolist()
        self._kinds = tables.outcome_type.tolist()
        self._starts = dict(zip(tables.calling_codes.tolist(), tables.calling_code_state.tolist(), strict=True))
        self._live = self._reaching()
        self.kinds: dict[str, Callable[[Number, str], str | None]] = {
            "text_after": self._text_after,
            "text_before": self._text_before,
            "marks": self._marks,
            "quotes": self._quotes,
            "decimal": self._decimal,
            "extension": self._extension,
            "several": self._several,
            "letters": self._letters,
            "other_digits": self._other_digits,
            "exponent": self._exponent,
            "no_plus": self._no_plus,
            "trunk": self._trunk,
            "lost_zero": self._lost_zero,
            "three": self._three,
            "label_and_extension": self._label_and_extension,
            "name_and_letters": self._name_and_letters,
            "list_index": self._list_index,
        }
        self.habits = Habits(plan, self._random, self.written, self.number).kinds

    def draw(self, region: str | None = None, kind: str | None = None) -> Damaged:
        """One damaged number, of the region and kind of damage if given."""
        while True:
            chosen = region or self._random.choice(self._regions)
            name = kind or self._random.choice((*self.kinds, *self.habits))
            number = self.number(chosen)
            if number is None:
                continue
            if name in self.habits:
                written = self.habits[name](number, chosen)
                if written is not None:
                    return Damaged(written.text, chosen, number, name, written.extension, written.numbers)
            elif (text := self.kinds[name](number, chosen)) is not None:
                return Damaged(text, chosen, number, name)

    def all(self, count: int) -> Iterator[Damaged]:
        """`count` damaged numbers of all regions and kinds."""
        for _ in range(count):
            yield self.draw()

    def number(self, region: str) -> Number | None:
        """A valid number of a region, mobile or fixed; None if a few draws found none."""
        code = phonenumbers.country_code_for_region(region)
        for _ in range(40):
            if self._random.random() < 0.5:
                example = phonenumbers.example_number_for_type(region, self._random.choice((0, 1)))
                if example is None:
                    continue
                digits = phonenumbers.national_significant_number(example)
                keep = self._random.randrange(2, max(3, len(digits) - 2))
                digits = digits[:keep] + "".join(self._random.choice("0123456789") for _ in digits[keep:])
            else:
                digits = self._walk(self._starts[code])
            number = self._plan.number(f"+{code}{digits}")
            if number.valid and number.region == region and number.type in _USUAL:
                return number
        return None

    def _walk(self, state: int) -> str:
        lengths = [length for length in range(5, 13) if self._live[length][state]]
        if not lengths:
            return "0"
        left, digits = self._random.choice(lengths), ""
        while left:
            left -= 1
            choices = [d for d in range(10) if self._live[left][self._step[state][d]]]
            digit = self._random.choice(choices)
            digits += str(digit)
            state = self._step[state][digit]
        return digits

    def _reaching(self) -> list[list[bool]]:
        usual = set(_USUAL)
        reaches = [[self._kinds[min(o, len(self._kinds) - 1)] in usual for o in self._outcome]]
        for _ in range(13):
            last = reaches[-1]
            reaches.append([any(last[after] for after in row) for row in self._step])
        return reaches

    # -- notation before the damage -----------------------------------------------------------------------------------

    def written(self, number: Number, region: str) -> str:
        """The number in one of the forms of lists that libphonenumber reads as this number."""
        while True:
            text = self._form(number)
            if self._plan.number(text, region).e164 == number.e164:
                return text

    def _form(self, number: Number) -> str:
        form = self._random.randrange(4)
        if form == 0:
            return number.e164
        if form == 1:
            return self._plan.format(number, Format.INTERNATIONAL)
        national = self._plan.format(number, Format.NATIONAL)
        return national if form == 2 else "".join(filter(str.isdigit, national))

    # -- damage -------------------------------------------------------------------------------------------------------

    def _text_after(self, number: Number, region: str) -> str:
        name = self._random.choice(NAMES)
        form = self._random.choice((" {}", "({})", "（{}）", " {}", "[{}]", " - {}", "/{}", ", {}"))
        return self.written(number, region) + form.format(name)

    def _text_before(self, number: Number, region: str) -> str:
        if self._random.random() < 0.5:
            return self._random.choice(LABELS) + self.written(number, region)
        mark = self._random.choice((" ", ": ", "：", "-", ", "))
        return self._random.choice(NAMES) + mark + self.written(number, region)

    def _marks(self, number: Number, region: str) -> str:
        text, mark = self.written(number, region), self._random.choice(MARKS)
        places = sorted(self._random.sample(range(2, len(text) - 1), min(2, len(text) - 3)), reverse=True)
        for place in places:
            text = text[:place] + mark + text[place:]
        return text

    def _quotes(self, number: Number, region: str) -> str:
        form = self._random.choice(("'{}", '="{}"', '"{}"', "'{}'", "’{}", "“{}”"))
        return form.format(self.written(number, region))

    def _decimal(self, number: Number, region: str) -> str | None:
        digits = self._digits(number, region)
        return None if digits.startswith("0") else digits + self._random.choice((".0", ".00", ".0"))

    def _extension(self, number: Number, region: str) -> str | None:
        extension = str(self._random.randrange(10, 10_000))
        form = self._random.choice(EXTENSIONS)
        text = self.written(number, region) + form.format(extension)
        if form == "-{}" and self._plan.number(self.written(number, region) + extension, region).valid:
            return None  # the dash may as well be one of a longer number
        return text

    def _several(self, number: Number, region: str) -> str | None:
        other = self.number(region)
        separator = self._random.choice(SEPARATORS)
        return None if other is None else self.written(number, region) + separator + self.written(other, region)

    def _three(self, number: Number, region: str) -> str | None:
        others = [self.number(region), self.number(region)]
        separator = self._random.choice(SEPARATORS)
        written = [self.written(one, region) for one in (number, *others) if one is not None]
        return separator.join(written) if len(written) == 3 else None

    def _label_and_extension(self, number: Number, region: str) -> str | None:
        text = self._extension(number, region)
        return None if text is None else self._random.choice(LABELS) + text

    def _name_and_letters(self, number: Number, region: str) -> str | None:
        text = self._letters(number, region)
        return None if text is None else f"{self._random.choice(NAMES)} {text}"

    def _list_index(self, number: Number, region: str) -> str:
        index = self._random.randrange(1, 100)
        form = self._random.choice(("{}) ", "{}: ", "No {}: ", "#{}: ", "{}、", "Zimmer {}, "))
        return form.format(index) + self.written(number, region)

    def _letters(self, number: Number, region: str) -> str | None:
        text = self.written(number, region)
        if "0" not in text and "1" not in text:
            return None
        places = [place for place, character in enumerate(text) if character in "01"]
        chosen = set(self._random.sample(places, self._random.randrange(1, min(4, len(places)) + 1)))
        looks = {"0": "O", "1": self._random.choice("lI")}
        return "".join(looks[c] if place in chosen else c for place, c in enumerate(text))

    def _other_digits(self, number: Number, region: str) -> str:
        return self.written(number, region).translate(self._random.choice((FULL_WIDTH, ARABIC)))

    def _exponent(self, number: Number, region: str) -> str | None:
        digits = self._digits(number, region)
        if digits.startswith("0") or len(digits) < 8:
            return None
        form = self._random.randrange(3)
        if form == 0:  # Java's Double.toString: the shortest text that gives the same number
            decimals = digits[1:].rstrip("0") or "0"
            return f"{digits[0]}.{decimals}E{len(digits) - 1}"
        if form == 1:
            return f"{digits[0]}.{digits[1:]}E+{len(digits) - 1}"
        return f"{digits[0]}.{digits[1:]}0000e+{len(digits) - 1:02d}"

    def _digits(self, number: Number, region: str) -> str:
        """The digits of a number cell: with the calling code, or national without prefix.

        Digits that are another number of the region are left out, because the intended number cannot be known.
        """
        digits = number.e164[1:] if self._random.random() < 0.5 else number.national_digits
        read = self._plan.number(digits, region)
        return "0" if read.valid and read.e164 != number.e164 else digits

    def _no_plus(self, number: Number, region: str) -> str | None:
        prefix = self._random.choice(("", "00", "00 "))
        text = prefix + self._random.choice((number.e164[1:], self._plan.format(number, Format.INTERNATIONAL)[1:]))
        return None if self._means_another(text, region, number) else text

    def _means_another(self, text: str, region: str, number: Number) -> bool:
        read = self._plan.number(text, region)
        return read.valid and read.e164 != number.e164

    def _trunk(self, number: Number, region: str) -> str | None:
        trunk = phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True)
        if not trunk:
            return None
        form = self._random.choice((" ({}) ", " {}", "{}"))
        return f"+{number.calling_code}{form.format(trunk)}{number.national_digits}"

    def _lost_zero(self, number: Number, region: str) -> str | None:
        national = "".join(filter(str.isdigit, self._plan.format(number, Format.NATIONAL)))
        if not national.startswith("0") or self._means_another(national[1:], region, number):
            return None
        return national[1:]
