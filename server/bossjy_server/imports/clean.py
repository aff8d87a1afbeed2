"""Rows in columns to contacts in columns: what is merged, and what is refused and why. Pure; runs in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bossjy_numbering import Plan
from bossjy_server.imports.attributes import json_objects
from bossjy_server.imports.countries import region_of
from bossjy_server.imports.layout import RejectReason, RowBlock
from bossjy_server.imports.numbers import CheckedNumbers, check_numbers, suggest
from bossjy_server.imports.records import ColumnMapping, ContactField, RejectedRow

# What a contact can hold, in characters.
MAX_NAME = 500
MAX_EMAIL = 320
MAX_ATTRIBUTE = 10_000
# What is kept of a refused row, as the contract says.
_KEPT_ORIGINAL = 1_000
_KEPT_ROW = 8_000
_EMAIL = r"^[^@\s,;]+@[^@\s,;]+\.[^@\s.,;]+$"

Regions: TypeAlias = str | list[str | None] | None


@dataclass(frozen=True, slots=True)
class CleanRows:
    """Contacts of a block, shapes (n,), in the order of the file. `offset` is the row's first byte in its part."""

    e164: pa.StringArray
    region: pa.StringArray
    number_type: NDArray[np.int16]
    name: pa.StringArray
    email: pa.StringArray
    other_numbers: pa.StringArray  # as PostgreSQL writes an array: `{+86…,+44…}`
    attributes: pa.StringArray  # JSON objects
    offset: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offset)


class Cleaner:
    """Cleans the blocks of one import."""

    def __init__(self, plan: Plan, mapping: Sequence[ColumnMapping], default_region: str, part: int = 0) -> None:
        self._plan = plan
        self._mapping = tuple(mapping)
        self._default_region = default_region
        self._part = part
        self._regions = frozenset(info.code for info in plan.regions())

    def clean(self, block: RowBlock, *, keep_rejects: int) -> tuple[CleanRows, list[RejectedRow]]:
        """The contacts of a block and, in the order of the file, its first `keep_rejects` refused rows."""
        cells = [pc.utf8_trim_whitespace(column) for column in block.columns]
        regions = self._regions_of(cells)
        phone = self._index(ContactField.PHONE_NUMBER)
        numbers = check_numbers(cells[phone], self._plan, regions)
        reason = numbers.reason.copy()
        column_at_fault = np.full(len(reason), phone, np.int16)
        self._check_lengths(cells, reason, column_at_fault)
        rejects = self._rejects(block, reason, column_at_fault, cells, regions, keep_rejects)
        return self._accepted(block, cells, numbers, regions, reason == 0), rejects

    def _index(self, field: ContactField) -> int:
        return next((index for index, one in enumerate(self._mapping) if one.field is field), -1)

    def _regions_of(self, cells: Sequence[pa.StringArray]) -> Regions:
        """The default region of each row, or one for all."""
        country = self._index(ContactField.COUNTRY)
        if country < 0:
            return self._default_region or None
        encoded = cells[country].dictionary_encode()
        by_word = [
            region_of(word, self._regions) or self._default_region or None for word in encoded.dictionary.to_pylist()
        ]
        return [by_word[index] for index in encoded.indices.to_numpy()]

    def _check_lengths(
        self, cells: Sequence[pa.StringArray], reason: NDArray[np.uint8], column_at_fault: NDArray[np.int16]
    ) -> None:
        limits = {ContactField.NAME: MAX_NAME, ContactField.EMAIL: MAX_EMAIL}
        for index, one in enumerate(self._mapping):
            if one.field is ContactField.IGNORE:
                continue
            limit = limits.get(one.field, MAX_ATTRIBUTE)
            # A text has at most as many characters as bytes, which are counted for nothing.
            if (pc.max(pc.binary_length(cells[index])).as_py() or 0) <= limit:
                continue
            long = (pc.utf8_length(cells[index]).to_numpy() > limit) & (reason == 0)
            reason[long] = RejectReason.VALUE_TOO_LONG
            column_at_fault[long] = index

    def _accepted(
        self,
        block: RowBlock,
        cells: list[pa.StringArray],
        numbers: CheckedNumbers,
        regions: Regions,
        good: NDArray[np.bool_],
    ) -> CleanRows:
        keep = pa.array(good)
        if not good.all():
            cells = [column.filter(keep) for column in cells]
            if isinstance(regions, list):
                regions = [regions[row] for row in np.flatnonzero(good)]
        count = int(good.sum())
        e164 = numbers.e164.filter(keep)
        kept: list[tuple[str, pa.StringArray]] = []
        pieces: list[pa.StringArray] = []
        name = email = pa.array([""] * count, pa.string())
        for index, one in enumerate(self._mapping):
            if one.field is ContactField.NAME:
                name = cells[index]
            elif one.field is ContactField.EMAIL:
                email, odd = _email(cells[index])
                kept.append((one.column, odd))
            elif one.field is ContactField.OTHER_NUMBER:
                numbers_of_column, odd = self._other_numbers(cells[index], regions, e164)
                pieces.append(numbers_of_column)
                kept.append((one.column, odd))
            elif one.field is ContactField.ATTRIBUTE:
                kept.append((one.attribute, cells[index]))
        return CleanRows(
            e164=e164,
            region=numbers.region.filter(keep),
            number_type=numbers.type[good],
            name=name,
            email=email,
            other_numbers=_array_text(pieces, count),
            attributes=json_objects([key for key, _ in kept], [column for _, column in kept], count),
            offset=block.base + block.starts[good],
        )

    def _other_numbers(
        self, cells: pa.StringArray, regions: Regions, e164: pa.StringArray
    ) -> tuple[pa.StringArray, pa.StringArray]:
        """Valid numbers in E.164, and apart the cells that are none: those are kept as an attribute."""
        if (pc.max(pc.binary_length(cells)).as_py() or 0) == 0:
            return cells, cells
        numbers = check_numbers(cells, self._plan, regions)
        valid = pa.array(numbers.reason == 0)
        further = pc.and_(valid, pc.not_equal(numbers.e164, e164))
        return pc.if_else(further, numbers.e164, ""), pc.if_else(valid, "", cells)

    def _rejects(
        self,
        block: RowBlock,
        reason: NDArray[np.uint8],
        column_at_fault: NDArray[np.int16],
        cells: Sequence[pa.StringArray],
        regions: Regions,
        keep: int,
    ) -> list[RejectedRow]:
        found: list[tuple[int, RejectedRow]] = []
        for fault in block.faults[:keep]:
            row_text = _shown(block.data[fault.start : fault.end], _KEPT_ROW)
            found.append(
                (fault.start, self._reject(block, fault.start, fault.line, int(fault.reason), "", "", "", row_text))
            )
        for row in np.flatnonzero(reason)[:keep]:
            start, end = int(block.starts[row]), int(block.ends[row])
            original = cells[column_at_fault[row]][int(row)].as_py()
            region = regions[row] if isinstance(regions, list) else regions
            why = int(reason[row])
            hint = "" if why == RejectReason.VALUE_TOO_LONG else suggest(original, why, self._plan, region)
            row_text = _shown(block.data[start:end], _KEPT_ROW)
            column = self._mapping[column_at_fault[row]].column
            found.append(
                (start, self._reject(block, start, int(block.lines[row]), why, column, original, hint, row_text))
            )
        found.sort(key=lambda pair: pair[0])
        return [row for _, row in found[:keep]]

    def _reject(
        self, block: RowBlock, start: int, line: int, reason: int, column: str, original: str, hint: str, row_text: str
    ) -> RejectedRow:
        return RejectedRow(
            part=self._part,
            line=line,
            byte_offset=block.base + start,
            column=column,
            reason=reason,
            original=original[:_KEPT_ORIGINAL],
            suggestion=hint,
            row_text=row_text,
        )


def _email(cells: pa.StringArray) -> tuple[pa.StringArray, pa.StringArray]:
    """Cells that have the shape of an address, and apart those that do not: those are kept as an attribute."""
    shaped = pc.match_substring_regex(cells, _EMAIL)
    return pc.if_else(shaped, cells, ""), pc.if_else(shaped, "", cells)


def _array_text(pieces: Sequence[pa.StringArray], rows: int) -> pa.StringArray:
    """The numbers of each row as PostgreSQL writes an array. Shapes: pieces (m, n), result (n,)."""
    if not pieces:
        return pa.array(["{}"] * rows, pa.string())
    joined = (
        pc.binary_join_element_wise(*[_with_comma(piece) for piece in pieces], "")
        if len(pieces) > 1
        else _with_comma(pieces[0])
    )
    without_comma = pc.utf8_slice_codeunits(joined, 1)
    return pc.binary_join_element_wise("{", without_comma, "}", "")


def _with_comma(piece: pa.StringArray) -> pa.StringArray:
    return pc.if_else(pc.equal(pc.binary_length(piece), 0), "", pc.binary_join_element_wise(",", piece, ""))


def _shown(raw: bytes, limit: int) -> str:
    """Text of a row that may not be text. PostgreSQL holds no NUL, so it is shown as U+2400."""
    return raw[: 4 * limit].decode("utf-8", "replace").replace("\0", "\u2400")[:limit]
