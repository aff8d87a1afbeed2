"""Rejected rows: line, offset, column, reason, the original value, and a correction if one is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering import Plan
from bossjy_server.imports.cleaning.number_cells import CheckedNumbers, judged
from bossjy_server.imports.reading.arrow import TextColumn
from bossjy_server.imports.reading.layout import RejectReason, RowBlock
from bossjy_server.imports.records import ColumnMapping, RejectedRow

# Kept length of a rejected row in characters, as the contract says.
_KEPT_ORIGINAL = 1_000
KEPT_ROW = 8_000
# The column of a reject whose whole row is at fault.
NO_COLUMN = -1
_NOT_OF_THE_NUMBER = frozenset(
    {RejectReason.VALUE_TOO_LONG, RejectReason.TOO_MANY_ATTRIBUTES, RejectReason.COUNTRY_UNKNOWN}
)


@dataclass(frozen=True, slots=True)
class Refusals:
    """For each row of a block the reason to reject it, or 0, and the column at fault. Shapes (n,)."""

    reason: NDArray[np.uint8]
    column: NDArray[np.int16]

    def refuse(self, rows: NDArray[np.bool_], reason: RejectReason, column: int) -> None:
        """Reject the flagged rows that are not rejected yet."""
        new = rows & (self.reason == 0)
        self.reason[new] = reason
        self.column[new] = column

    def replace(self, rows: NDArray[np.bool_], reason: RejectReason, column: int) -> None:
        """Reject the flagged rows for this reason, unless they have no number at all."""
        changed = rows & (self.reason != RejectReason.PHONE_EMPTY)
        self.reason[changed] = reason
        self.column[changed] = column


def rejected_rows(  # noqa: PLR0913 - the contents of a rejected row
    block: RowBlock,
    refusals: Refusals,
    cells: Sequence[TextColumn],
    mapping: Sequence[ColumnMapping],
    *,
    part: int,
    plan: Plan,
    regions: str | Sequence[str | None] | None,
    numbers: CheckedNumbers,
    limit: int,
) -> list[RejectedRow]:
    """The first `limit` rejected rows of a block in the order of the file. `numbers`: those of its rows."""
    found = [
        RejectedRow(part, fault.line, fault.offset, "", fault.reason, "", "", _shown(block, fault.start, fault.end))
        for fault in block.faults[:limit]
    ]
    for index in np.flatnonzero(refusals.reason)[:limit]:
        row, at_fault = int(index), int(refusals.column[index])
        reason = int(refusals.reason[row])
        original = "" if at_fault == NO_COLUMN else str(cells[at_fault][row])
        region = regions if regions is None or isinstance(regions, str) else regions[row]
        start = int(block.starts[row])
        suggestion = ""
        if reason not in _NOT_OF_THE_NUMBER:
            reason, suggestion = judged(original, reason, plan, region)
        elif numbers.reason[row] == 0 and reason != RejectReason.COUNTRY_UNKNOWN:
            suggestion = str(numbers.e164[row])
        found.append(
            RejectedRow(
                part=part,
                line=int(block.lines[row]),
                byte_offset=int(block.offsets[row]),
                column="" if at_fault == NO_COLUMN else mapping[at_fault].column,
                reason=reason,
                original=original[:_KEPT_ORIGINAL],
                suggestion=suggestion,
                row_text=_shown(block, start, int(block.ends[row])),
            )
        )
    found.sort(key=lambda row: row.byte_offset)
    return found[:limit]


def unkept_reasons(block: RowBlock, refusals: Refusals, kept: int) -> list[int]:
    """The reasons of the rejected rows after the first `kept` in the order of the file."""
    rows = np.flatnonzero(refusals.reason)
    found = [(fault.offset, int(fault.reason)) for fault in block.faults]
    if len(found) + len(rows) <= kept:
        return []
    found += zip(block.offsets[rows].tolist(), refusals.reason[rows].tolist(), strict=True)
    return [reason for _, reason in sorted(found)[kept:]]


def _shown(block: RowBlock, start: int, end: int) -> str:
    return shown(block.data, start, end)


def shown(data: bytes, start: int, end: int) -> str:
    """Text of a row that may not be text. PostgreSQL cannot store NUL, so it is shown as U+2400."""
    raw = data[start : min(end, start + 4 * KEPT_ROW)]
    return raw.decode("utf-8", "replace").replace("\0", "\u2400")[:KEPT_ROW]
