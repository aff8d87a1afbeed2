"""Core of PhoneService between request and response: one plan, long work in steps, pages of regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa

from bossjy_numbering import (
    Doubt,
    Explanation,
    Format,
    Found,
    Leniency,
    MatchType,
    Number,
    NumberType,
    ParseError,
    Partial,
    Plan,
    RegionInfo,
    ShortInfo,
    Steps,
)
from bossjy_server.errors import InvalidArgument, NotFound, Reason, Violation
from bossjy_server.phone.arrow_answers import Chunk
from bossjy_server.phone.shared_texts import (
    Answered,
    answer_chunk,
    answer_texts,
    join_answers,
    regions_of_rows,
)
from bossjy_server.phone.terms import Terms

_REGION_UNKNOWN = int(Doubt.REGION_UNKNOWN)
# A column of texts: str, or an Arrow array of them.
Texts: TypeAlias = "Sequence[str] | pa.Array[Any]"


@dataclass(frozen=True, slots=True)
class RowRegions:
    """The default region of each row, and their path in the request."""

    values: Texts
    field: str


def row_regions(old: Texts, new: Texts, old_field: str, new_field: str) -> RowRegions | None:
    """The default regions of rows, by either name of their field; None without any. Raises InvalidArgument."""
    if len(old) and len(new):
        raise InvalidArgument(
            Reason.INVALID_FIELD,
            f"{new_field} and {old_field} are two names of one field: send {new_field} only",
            violations=[Violation(old_field, f"empty beside {new_field}")],
        )
    if len(new):
        return RowRegions(new, new_field)
    return RowRegions(old, old_field) if len(old) else None


class Numbers:
    """Answers about numbers. Has no state except the plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.version = plan.version
        self.terms = Terms(plan)

    def validate(self, text: str, default_region: str) -> Number:
        """The answer for one text."""
        return self._plan.number(text, default_region or None)

    def doubts(self, text: str, number: Number) -> int:
        """The doubts about the answer for one text, as bits of Doubt: making a flag costs more."""
        return int(self._plan.doubts(text, number))

    def unknown_region(self, default_region: str) -> int:
        """REGION_UNKNOWN for a default region that is no region of the plan, else 0."""
        return _REGION_UNKNOWN if default_region and default_region not in self.terms.known else 0

    def column(
        self, texts: Texts, default_region: str, regions: RowRegions | None = None, *, doubts: bool = True
    ) -> Steps[Answered]:
        """The answers of a column. Empty and null entries of `regions` mean `default_region`.

        Takes some 0.2 to 2 us a row, 4 us for a row with letters, and 100 us for a row with a phone context (RFC 3966).
        Raises InvalidArgument(COLUMNS_UNEQUAL), and INVALID_FIELD for unknown regions.
        """
        if regions is None:
            return (yield from answer_texts(self._plan, texts, default_region or None, doubts=doubts))
        if len(regions.values) != len(texts):
            name = regions.field.rpartition(".")[2]
            raise InvalidArgument(
                Reason.COLUMNS_UNEQUAL,
                f"{len(texts)} phone_numbers with {len(regions.values)} {name}: send as many, or none",
                violations=[Violation(regions.field, f"{len(texts)} entries, or none")],
            )
        given: Any = regions.values
        by_row = regions_of_rows(
            given if isinstance(given, pa.Array) else pa.array(list(given), pa.string()), default_region
        )
        self.terms.check_rows(by_row.names, by_row.codes, regions.field)
        return (yield from answer_texts(self._plan, texts, by_row.array(), doubts=doubts))

    def chunks(self, chunks: Sequence[Chunk], default_region: str, *, doubts: bool = True) -> Steps[Answered]:
        """The answers for the texts of an Arrow stream. Raises InvalidArgument(INVALID_FIELD) for unknown regions."""
        parts: list[Answered] = []
        for texts, regions in chunks:
            yield
            by_row = None if regions is None else regions_of_rows(regions, default_region)
            if by_row is not None:
                self.terms.check_rows(by_row.names, by_row.codes, "arrow_ipc.default_region")
            parts.append((yield from answer_chunk(self._plan, texts, by_row, default_region, doubts=doubts)))
        if not parts:
            return (yield from answer_texts(self._plan, [], None, doubts=doubts))
        return join_answers(parts)

    def formats(self, text: str, default_region: str, calling_from: str) -> tuple[str, str, str, str, str]:
        """E.164, international, national, RFC 3966, and the form for a call from a region (empty: not requested)."""
        number = self._plan.number(text, default_region or None)
        if number.error is not ParseError.NONE:
            raise InvalidArgument(
                Reason.NUMBER_NOT_PARSED,
                f"this text is not a number ({number.error.name}): ask ExplainNumber why",
                metadata={"error": number.error.name},
            )
        dialled = self._plan.format_dialled_from(number, calling_from) if calling_from else ""
        international, national, rfc3966 = (
            self._plan.format(number, form) for form in (Format.INTERNATIONAL, Format.NATIONAL, Format.RFC3966)
        )
        return number.e164, international, national, rfc3966, dialled

    def format_all(self, number: Number, forms: Sequence[Format]) -> list[str]:
        """A number in some formats."""
        return [self._plan.format(number, form) for form in forms]

    def partial(self, text: str, region: str, cursor: int | None) -> Steps[Partial]:
        """The beginning of a number, formatted as it is typed."""
        return self._plan.format_partial_steps(text, region or None, cursor)

    def short_number(self, text: str, region: str) -> ShortInfo:
        """The findings about a text as a short number of a region of the plan."""
        return self._plan.short_number(text, region)

    def match(self, first: str, second: str, first_region: str, second_region: str) -> MatchType:
        """The match between two texts as numbers."""
        return self._plan.match(first, second, first_region or None, second_region or None)

    def find(self, text: str, default_region: str, leniency: Leniency, limit: int) -> Steps[list[Found]]:
        """The first `limit` numbers in a running text."""
        return self._plan.find_steps(text, default_region or None, leniency, limit)

    def explain(self, text: str, default_region: str, language: str) -> Steps[Explanation]:
        """The reasons why a text is valid or not. Fixes are tried one by one."""
        return self._plan.explain_steps(text, default_region or None, language)

    def region(self, region_code: str) -> RegionInfo:
        """One region; for `001` the first non-geographic calling code."""
        for region in self._plan.regions():
            if region.code == region_code:
                return region
        raise NotFound("region", message="the plan has no such region: ListRegions names them, in capitals")

    def examples(self, region: RegionInfo) -> tuple[tuple[NumberType, Number], ...]:
        """A valid number for each type of a region that has one in the plan."""
        return self._plan.examples(region)

    def regions(self, calling_code: int) -> list[RegionInfo]:
        """The regions (of one calling code, if not 0) by region code, then calling code."""
        return [one for one in self._plan.regions() if calling_code in (0, one.calling_code)]

    def readings(self, text: str) -> Steps[list[tuple[RegionInfo, Number]]]:
        """The regions in which a text is a valid number, and the number there."""
        return self._plan.readings_steps(text)
