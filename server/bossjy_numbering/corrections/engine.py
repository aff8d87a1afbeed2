"""Diagnosis of a text: the exact answer of the plan, doubts about it, and the corrections, the likeliest first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from bossjy_numbering.corrections.cells import is_rounded, without_decimals, written_out
from bossjy_numbering.corrections.doubts import QUESTIONABLE, Doubt, doubts_of
from bossjy_numbering.corrections.fields import FIELD_COST, without_certain_fields, without_fields
from bossjy_numbering.corrections.guess import Guess, Guesser, leading
from bossjy_numbering.corrections.kinds import Ask, Fix, FixKind
from bossjy_numbering.corrections.normal import Parsed, normalised, parsed, with_digits_for_letters
from bossjy_numbering.corrections.readings import FOREIGN, SLIP, Reader, Reading
from bossjy_numbering.corrections.search import Findings, Piece, search
from bossjy_numbering.shorts import ShortNumber, short_number
from bossjy_numbering.steps import Steps, finish
from bossjy_numbering.tables import Tables
from bossjy_numbering.types import Number, NumberType

FIXES_MAX = 5
# Longer texts are documents, not numbers: `Plan.find` searches them.
TEXT_MAX = 250
# A first correction that costs more is wrong more often than the promise allows.
_COST_MAX = 6.0


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The answer for a text, and the numbers that it may have meant."""

    # The plan's answer, exactly libphonenumber's.
    number: Number
    doubts: Doubt = Doubt.NONE
    # Valid numbers that the text may have meant, the likeliest first; none is the answer itself.
    fixes: tuple[Fix, ...] = ()
    # All numbers of a text with several, in its order.
    numbers: tuple[Number, ...] = ()
    # Readings by region if no region was given and none of them leads.
    candidates: tuple[Number, ...] = ()
    # A number cell was rounded: its digits are lost.
    lost: bool = False
    # A short or emergency number of the region: no correction is offered.
    short: ShortNumber = ShortNumber.NONE


class Corrector:
    """Diagnoses texts by one plan. Threads may share it."""

    def __init__(self, tables: Tables, ask: Ask) -> None:
        self._tables = tables
        self._ask = ask
        self._reader = Reader(ask)
        self._codes = frozenset(region.code for region in tables.regions if region.code != "001")

    @cached_property
    def _guesser(self) -> Guesser:
        return Guesser(self._tables, self._ask)

    def diagnose(self, text: str, region: str | None) -> Diagnosis:
        """The diagnosis of one text. An unknown `region` counts as none."""
        return finish(self.diagnose_steps(text, region))

    def diagnose_steps(self, text: str, region: str | None) -> Steps[Diagnosis]:
        """The same as `diagnose`, in steps of a few milliseconds at most."""
        number = self._ask(text, region)
        if len(text) > TEXT_MAX:
            return Diagnosis(number)
        known = region if region in self._codes else None
        plain = normalised(text)
        doubts = doubts_of(plain, number) if number.valid else Doubt.NONE
        if number.valid and not doubts & QUESTIONABLE:
            return Diagnosis(number, doubts)
        if not number.valid and (short := short_number(plain, known)):
            return Diagnosis(number, short=short)
        if is_rounded(plain):
            return Diagnosis(number, doubts, lost=True)
        yield
        return (yield from self._corrected(plain, known, number, doubts))

    def _corrected(self, plain: str, region: str | None, number: Number, doubts: Doubt) -> Steps[Diagnosis]:
        digits = written_out(plain)
        if digits is not None:
            return (yield from self._searched(digits, FixKind.WRITE_OUT, region, number, doubts))
        kind: FixKind | None = None
        cut = without_decimals(plain)
        if cut is not None:
            plain, kind = cut, FixKind.REMOVE_DECIMAL
        lettered = with_digits_for_letters(plain)
        if lettered != plain:
            diagnosis = yield from self._searched(lettered, FixKind.REPLACE_LETTERS, region, number, doubts)
            if diagnosis.fixes:
                return diagnosis
        return (yield from self._searched(plain, kind, region, number, doubts))

    def _searched(
        self, plain: str, kind: FixKind | None, region: str | None, number: Number, doubts: Doubt
    ) -> Steps[Diagnosis]:
        text = parsed(plain)
        if not text.groups:
            return Diagnosis(number, doubts)
        if region is None and not any(group.plus for group in text.groups):
            return (yield from self._guessed(plain, text, kind, number, doubts))
        findings = self._found(plain, text, region)
        if findings is None or findings.cost > _COST_MAX:
            return Diagnosis(number, doubts)
        return _diagnosis(findings, kind, number, doubts)

    def _found(self, plain: str, text: Parsed, region: str | None) -> Findings | None:
        """The numbers of a text, without the digits of other fields."""
        best, certain = search(text, region, self._reader), without_certain_fields(plain)
        if certain != plain:
            found = search(parsed(certain), region, self._reader)
            if found is not None and (best is None or found.cost <= best.cost):
                best = found
        if best is not None and best.cost <= FIELD_COST:
            return best
        without = without_fields(certain)
        found = search(parsed(without), region, self._reader) if without != certain else None
        if found is None or (best is not None and best.cost <= found.cost + FIELD_COST):
            return best
        return replace(found, cost=found.cost + FIELD_COST)

    def _guessed(
        self, plain: str, text: Parsed, kind: FixKind | None, number: Number, doubts: Doubt
    ) -> Steps[Diagnosis]:
        """The reading of the leading region, or candidates, for a text without a region."""
        digits = "".join(group.digits for group in text.groups)
        guesses = yield from self._guesser.guess_steps(plain, digits)
        abroad = self._reader.readings(digits, None, plus=False)
        first, close = leading(_with_abroad(guesses, abroad))
        if first is None:
            return Diagnosis(number, doubts, candidates=tuple(one.number for one in close))
        fix = Fix(kind or (FixKind.ASSUME_REGION if first.region else FixKind.ADD_PLUS), first.number)
        others = tuple(one.number for one in close[1:])
        return Diagnosis(number, doubts, (fix,), candidates=others)


def _with_abroad(guesses: list[Guess], abroad: list[Reading]) -> list[Guess]:
    """The readings with a missing plus among the guesses."""
    return sorted(
        [*guesses, *(Guess(_abroad_score(one), "", one.number) for one in abroad)], key=lambda one: -one.score
    )


def _abroad_score(reading: Reading) -> float:
    """After an international prefix nothing else is likely; a long mobile number with its calling code is."""
    if reading.cost < SLIP:
        return 14.0
    long = len(reading.number.e164) > 12 and reading.number.type == NumberType.MOBILE
    return 13.0 if long else 10.5


def _diagnosis(findings: Findings, kind: FixKind | None, number: Number, doubts: Doubt) -> Diagnosis:
    first = findings.pieces[0]
    several = tuple(piece.number for piece in findings.pieces) if len(findings.pieces) > 1 else ()
    fixes: dict[tuple[str, str | None], Fix] = {}
    if (first.number.e164, first.number.extension) != (number.e164, number.extension):
        done = _kind(first, kind, several=bool(several))
        fixes[first.number.e164, first.number.extension] = Fix(done, first.number)
    for other in first.others:
        if other.cost < FOREIGN or first.cost >= FOREIGN:
            fixes.setdefault((other.number.e164, None), Fix(other.kind or FixKind.REMOVE_CHARACTERS, other.number))
    return Diagnosis(number, doubts, tuple(fixes.values())[:FIXES_MAX], several)


def _kind(piece: Piece, kind: FixKind | None, *, several: bool) -> FixKind:
    if several:
        return FixKind.SEPARATE_NUMBERS
    return piece.kind or kind or FixKind.REMOVE_CHARACTERS
