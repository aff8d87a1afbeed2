"""Explanations of phone numbers: the reason why a text is not valid, at which digit, and the likely corrections."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
import phonenumbers
from numpy.typing import NDArray

from bossjy_numbering import wording
from bossjy_numbering.corrections import Corrector, Diagnosis, Doubt, Fix, FixKind
from bossjy_numbering.corrections.engine import TEXT_MAX
from bossjy_numbering.corrections.kinds import Ask
from bossjy_numbering.corrections.normal import normalised
from bossjy_numbering.region_hints import RegionHints
from bossjy_numbering.shorts import ShortNumber
from bossjy_numbering.steps import Steps
from bossjy_numbering.tables import Tables
from bossjy_numbering.types import InvalidReason, Number, NumberType, ParseError

_LENGTH_REASONS = (InvalidReason.TOO_SHORT, InvalidReason.TOO_LONG, InvalidReason.INVALID_LENGTH)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a text is valid or not."""

    # The plan's answer for the given text and region.
    number: Number
    # First digit of the national number, from 0, after which no valid number is possible; -1 if there is none.
    failed_digit: int
    # A sentence in the requested language.
    text: str
    # Valid numbers, each with its change as a sentence; the likeliest first.
    fixes: tuple[Fix, ...]
    fix_texts: tuple[str, ...]
    # Digits were lost before the text was sent.
    unrecoverable: bool
    # Doubts about a valid answer.
    doubts: Doubt = Doubt.NONE
    # All numbers of a text with several, in its order.
    numbers: tuple[Number, ...] = ()
    # Readings by region if no region was given and none of them leads.
    candidates: tuple[Number, ...] = ()
    # The region that corrections assume: the given region, or the region that it was read as. None: none.
    region: str | None = None
    # A short or emergency number of the region.
    short: ShortNumber = ShortNumber.NONE


@dataclass(frozen=True, slots=True)
class Asked:
    """A text, its given region, and the region that this was read as."""

    text: str
    given: str | None
    region: str | None


class Explainer:
    """Explains answers of a plan. Threads may share it."""

    def __init__(self, tables: Tables, ask: Ask, corrector: Corrector) -> None:
        self._ask = ask
        self._corrector = corrector
        self._hints = RegionHints()
        self._tables = tables
        self._step = tables.step
        self._start = dict(zip(tables.calling_codes.tolist(), tables.calling_code_state.tolist(), strict=True))

    @cached_property
    def _live(self) -> NDArray[np.bool_]:
        """By state: true if a valid number can still follow. Prefix states are never looked up."""
        tables = self._tables
        outcomes = np.minimum(tables.outcome, len(tables.outcome_type) - 1)
        live = tables.outcome_type[outcomes] != NumberType.UNKNOWN
        while True:
            wider = live | live[tables.step].any(axis=1)
            if bool((wider == live).all()):
                return cast("NDArray[np.bool_]", live)
            live = wider

    def explain_steps(self, text: str, default_region: str | None, language: str) -> Steps[Explanation]:
        """Explains one text. `language`: `zh` and its variants; anything else means English."""
        words = wording.words_of(language)
        number = self._ask(text, default_region)
        region = self._hints.region(default_region) if default_region else None
        diagnosis = yield from self._corrector.diagnose_steps(text, region)
        failed = -1 if diagnosis.short else self._failed_digit(number)
        asked = Asked(text, default_region, region)
        if number.valid:
            said = _valid(words, diagnosis.doubts)
        else:
            said = _read_hint(words, asked) + self._problem(words, asked, diagnosis)
        if failed >= 0 and not diagnosis.lost and not diagnosis.numbers:
            said += words.failed.format(place=failed + 1, digit=number.national_digits[failed])
        fixes = _fixes(asked, number, diagnosis)
        done = tuple(words.done[fix.kind].format(region=fix.number.region) for fix in fixes)
        return Explanation(
            number=number,
            failed_digit=failed,
            text=said,
            fixes=fixes,
            fix_texts=done,
            unrecoverable=diagnosis.lost,
            doubts=diagnosis.doubts if number.valid else Doubt.NONE,
            numbers=diagnosis.numbers,
            candidates=diagnosis.candidates,
            region=region,
            short=diagnosis.short,
        )

    def _problem(self, words: wording.Words, asked: Asked, diagnosis: Diagnosis) -> str:
        """The first problem of a text that is not valid as given."""
        problems = (
            (asked.given and asked.region is None, words.unknown_region.format(region=(asked.given or "")[:16])),
            (len(asked.text) > TEXT_MAX, words.text_too_long.format(most=TEXT_MAX)),
            (diagnosis.lost, words.unrecoverable),
            (diagnosis.short, words.shorts.get(diagnosis.short, "").format(region=asked.region)),
            (len(diagnosis.numbers) > 1, words.several.format(count=len(diagnosis.numbers))),
        )
        said = next((text for applies, text in problems if applies), None)
        return self._reason(words, asked.text, asked.region, diagnosis.number) if said is None else said

    def _reason(self, words: wording.Words, text: str, region: str | None, number: Number) -> str:
        reason = number.reason
        if reason is InvalidReason.INVALID_COUNTRY_CODE:
            plain = normalised(text)
            if "+" in plain or region:
                said = words.no_such_code if region else words.no_such_code_nor_region
                return said.format(code=plain.partition("+")[2][:3].strip() or plain[:5])
            return words.reasons[reason]
        said = words.reasons[reason]
        if reason in _LENGTH_REASONS and number.error is ParseError.NONE:
            main = phonenumbers.region_code_for_country_code(number.calling_code)
            lengths = self._lengths(main, number.calling_code)
            if lengths:
                said += words.lengths.format(count=len(number.national_digits), lengths=lengths)
        return said

    def _lengths(self, region: str, calling_code: int) -> str:
        metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(calling_code, region)
        if metadata is None or metadata.general_desc is None:
            return ""
        return wording.ranges(metadata.general_desc.possible_length)

    def _failed_digit(self, number: Number) -> int:
        if number.error or number.valid:
            return -1
        state = self._start[number.calling_code]
        for place, digit in enumerate(number.national_digits):
            state = int(self._step[state, int(digit)])
            if not self._live[state]:
                return place
        return -1


def _valid(words: wording.Words, doubts: Doubt) -> str:
    said = [words.doubts[doubt] for doubt in Doubt if doubt in doubts and doubt in words.doubts]
    return words.reasons[InvalidReason.NONE] + "".join(said)


def _read_hint(words: wording.Words, asked: Asked) -> str:
    if asked.region is None or asked.region == asked.given:
        return ""
    return words.region_read.format(given=(asked.given or "")[:16], region=asked.region)


def _fixes(asked: Asked, number: Number, diagnosis: Diagnosis) -> tuple[Fix, ...]:
    """The corrections; first the text itself if it is a number of the meant region."""
    if asked.region != asked.given and diagnosis.number.valid and not number.valid:
        return (Fix(FixKind.ASSUME_REGION, diagnosis.number), *diagnosis.fixes)
    return diagnosis.fixes
