"""Counts of rejected rows by reason: made for a block, kept with the import, and reported when it fails by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import orjson

from bossjy_server.imports.reading.layout import RejectReason
from bossjy_server.imports.records import ReasonCount, RejectedRow, RejectLimit

_SHOWN_REASONS = 5
# Suffix of the reason in the key of the rows with a suggestion.
_SUGGESTED = "+"
_REGION = "check the region (`--region`, `default_region`)"
_HINTS = {
    RejectReason.PHONE_EMPTY: "check which column is the phone number",
    RejectReason.INVALID_COUNTRY_CODE: "give the region of the numbers (`--region`, `default_region`)",
    RejectReason.NOT_IN_PLAN: _REGION,
    RejectReason.TOO_SHORT: _REGION,
    RejectReason.TOO_LONG: _REGION,
    RejectReason.INVALID_LENGTH: _REGION,
    RejectReason.LOCAL_ONLY: "add the area codes",
    RejectReason.WRONG_CELL_COUNT: "check the delimiter and the quotes",
    RejectReason.BAD_QUOTE: "check the quotes (`--quote none`, `--escape`)",
    RejectReason.BAD_TEXT: "check the encoding (`--encoding`)",
    RejectReason.COUNTRY_UNKNOWN: "check the country column",
}
_TODO = "correct the file or the options, and import it again"


def counted(rejects: Sequence[RejectedRow], unkept: Iterable[int]) -> str:
    """Kept rejected rows, and the reasons of those that are not kept, in the form that is added to the import."""
    counts = Counter(str(int(row.reason)) for row in rejects)
    counts.update(str(reason) for reason in unkept)
    counts.update(f"{int(row.reason)}{_SUGGESTED}" for row in rejects if row.suggestion)
    return orjson.dumps(counts).decode()


def reason_counts(text: str) -> tuple[ReasonCount, ...]:
    """The kept counts, the most frequent reason first."""
    counts: dict[str, int] = orjson.loads(text)
    found = [
        ReasonCount(int(key), rows, counts.get(f"{key}{_SUGGESTED}", 0))
        for key, rows in counts.items()
        if not key.endswith(_SUGGESTED)
    ]
    return tuple(sorted(found, key=lambda one: (-one.rows, one.reason)))


def all_rejected(rows: int, counts: Sequence[ReasonCount]) -> str:
    """The failure of an import that accepted no row."""
    which = f"all {rows} rows were rejected" if rows > 1 else "the only row was rejected"
    return f"{which}: {_reasons(counts)}; nothing was imported. {_todo(counts)}"


def limit_exceeded(limit: RejectLimit, rejected: int, rows: int, kept: int, counts: Sequence[ReasonCount]) -> str:
    """The failure of an import that was stopped; `kept`: rows that were committed before and are not rejected."""
    stays = f"the {kept} rows committed before stay until the import is reverted" if kept else "nothing was imported"
    return (
        f"{rejected} of the first {rows} rows were rejected, at most {limit} are allowed: {_reasons(counts)}; {stays}. "
        f"{_todo(counts)}"
    )


def _reasons(counts: Sequence[ReasonCount]) -> str:
    shown = ", ".join(f"{RejectReason(one.reason).name} {one.rows}" for one in counts[:_SHOWN_REASONS])
    return f"{shown}, …" if len(counts) > _SHOWN_REASONS else shown


def _todo(counts: Sequence[ReasonCount]) -> str:
    hint = _HINTS.get(RejectReason(counts[0].reason)) if counts else None
    text = f"{hint}; {_TODO}" if hint else _TODO
    return f"To do: {text}"
