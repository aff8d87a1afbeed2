"""Readings of one run of digits: the valid numbers that it can mean, each with its cost and the change that gives it.

With a region, readings in its calling code come first. A reading in another country needs evidence in the digits: a
plus, an international prefix, or a calling code in front if the region has no reading.
"""

from __future__ import annotations

from dataclasses import dataclass

import phonenumbers

from bossjy_numbering.corrections.kinds import Ask, FixKind
from bossjy_numbering.corrections.renumbered import REWRITES
from bossjy_numbering.types import Number, NumberType

# No plan has numbers of fewer or more digits.
DIGITS_MIN, DIGITS_MAX = 4, 20
# Costs. A reading that costs FOREIGN or more is never the first choice among readings in the region.
AS_WRITTEN, SLIP, OLD, REPAIR, LOOSE, FOREIGN = 0.0, 1.0, 1.5, 2.0, 3.0, 5.0
_INTERNATIONAL_PREFIXES = ("00", "011")
# A number without plus needs at least this many digits to be read as international in spite of its region.
_FOREIGN_DIGITS_MIN = 11


@dataclass(frozen=True, slots=True)
class Reading:
    """A valid number, the change of the digits (None for none), and its cost."""

    cost: float
    kind: FixKind | None
    number: Number


class Reader:
    """Reads runs of digits by a plan. Has no state."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def readings(self, digits: str, region: str | None, *, plus: bool) -> list[Reading]:
        """The readings of digits, the cheapest first; one for each number. A `region` is one of the plan's."""
        if not DIGITS_MIN <= len(digits) <= DIGITS_MAX:
            return []
        found: dict[str, Reading] = {}
        for cost, kind, number in self._international(digits, region) if plus else self._national(digits, region):
            if number.valid and (number.e164 not in found or found[number.e164].cost > cost):
                found[number.e164] = Reading(cost, kind, number)
        return sorted(found.values(), key=lambda one: one.cost)

    def _international(self, digits: str, region: str | None) -> list[tuple[float, FixKind | None, Number]]:
        number = self._ask("+" + digits, None)
        if number.valid:
            return [(AS_WRITTEN, None, number)]
        read: list[tuple[float, FixKind | None, Number]] = []
        if not number.error:
            read += self._after_calling_code(number)
            code = str(number.calling_code)
            for prefix in (code, "00" + code, "011" + code):
                if digits.startswith(code + prefix):
                    rest = self._ask("+" + digits[len(code + prefix) - len(code) :], None)
                    read.append((SLIP, FixKind.REMOVE_CHARACTERS, rest))
        if digits.startswith("0"):
            bare = [digits.removeprefix("011")] if digits.startswith("011") else []
            for shorter in (*bare, digits.lstrip("0")):
                read.append((SLIP, FixKind.REMOVE_CHARACTERS, self._ask("+" + shorter, None)))
        if region and not any(one.valid for _, _, one in read):
            home = self._ask(digits, region)
            own = _code(region)
            prefixed = len(home.national_digits) < len(digits) and not digits.startswith(str(own))
            # A plus before a national number that is written with its national prefix.
            if home.calling_code == own and prefixed:
                read.append((LOOSE, FixKind.REMOVE_CHARACTERS, home))
        return read

    def _national(self, digits: str, region: str | None) -> list[tuple[float, FixKind | None, Number]]:
        if region is None:
            return self._bare(digits, SLIP)
        code = _code(region)
        number = self._ask(digits, region)
        if number.valid:
            return [(AS_WRITTEN if number.calling_code == code else SLIP, None, number)]
        read = [one for one in self._slips(digits, region, number) if one[2].calling_code == code]
        if not any(one.valid for _, _, one in read):
            abroad = self._bare(digits, FOREIGN)
            read += [one for one in abroad if not number.possible or one[2].type == NumberType.MOBILE]
        return read

    def _slips(self, digits: str, region: str, number: Number) -> list[tuple[float, FixKind | None, Number]]:
        """Usual slips within a region's calling code; `number` is the invalid answer for the original digits."""
        code = str(_code(region))
        read: list[tuple[float, FixKind | None, Number]] = []
        for prefix in ("", *_INTERNATIONAL_PREFIXES):
            if digits.startswith(prefix + code):
                read.append((SLIP, FixKind.ADD_PLUS, self._ask("+" + digits[len(prefix) :], None)))
                abroad = read[-1][2]
                if not abroad.valid and not abroad.error:
                    read += self._after_calling_code(abroad)
        read += self._rewritten(int(code), digits)
        if not number.error:
            read += self._after_calling_code(number)
        if digits.startswith("0"):
            read.append((REPAIR, FixKind.REMOVE_TRUNK_PREFIX, self._ask(digits.lstrip("0"), region)))
        else:
            restored = self._ask("0" + digits, region)
            if restored.national_digits.endswith(digits):  # else the zero made an international prefix
                read.append((REPAIR, FixKind.RESTORE_LEADING_ZERO, restored))
        return read

    def _bare(self, digits: str, cost: float) -> list[tuple[float, FixKind | None, Number]]:
        """International digits without a plus, perhaps after an international prefix."""
        read: list[tuple[float, FixKind | None, Number]] = []
        for prefix in _INTERNATIONAL_PREFIXES:
            if digits.startswith(prefix):
                half = cost / 2
                read.append((half, FixKind.ADD_PLUS, self._ask("+" + digits[len(prefix) :], None)))
        if len(digits) >= (_FOREIGN_DIGITS_MIN if cost == FOREIGN else 10) and not digits.startswith("0"):
            read.append((cost, FixKind.ADD_PLUS, self._ask("+" + digits, None)))
        return read

    def _after_calling_code(self, number: Number) -> list[tuple[float, FixKind | None, Number]]:
        """Slips after a calling code: a trunk prefix, a dropped or added digit, a lost zero."""
        code, digits = number.calling_code, number.national_digits
        read = self._rewritten(code, digits)
        main = phonenumbers.region_code_for_country_code(code)
        trunk = phonenumbers.ndd_prefix_for_region(main, strip_non_digits=True)
        for prefix in dict.fromkeys((trunk, "0")):
            if prefix and digits.startswith(prefix):
                rest = self._ask(f"+{code}{digits.removeprefix(prefix)}", None)
                read.append((SLIP, FixKind.REMOVE_TRUNK_PREFIX, rest))
        if digits.startswith("00"):
            read.append((REPAIR, FixKind.REMOVE_TRUNK_PREFIX, self._ask(f"+{code}{digits.lstrip('0')}", None)))
        if not digits.startswith("0"):
            read.append((REPAIR, FixKind.RESTORE_LEADING_ZERO, self._ask(f"+{code}0{digits}", None)))
        return read

    def _rewritten(self, code: int, digits: str) -> list[tuple[float, FixKind | None, Number]]:
        read: list[tuple[float, FixKind | None, Number]] = []
        for rewrite in REWRITES.get(code, ()):
            match = rewrite.pattern.fullmatch(digits)
            if match is not None:
                number = self._ask(f"+{code}{match.expand(rewrite.replacement)}", None)
                read.append((OLD, rewrite.kind, number))
                if number.valid:
                    break
        return read


def _code(region: str) -> int:
    return phonenumbers.country_code_for_region(region)
