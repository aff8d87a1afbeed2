"""Summary of an import for people and programs."""

from __future__ import annotations

from typing import Any

from bossjy.imports.v1 import import_pb2
from bossjy_client.cli.messages import tr
from bossjy_client.cli.output import Output, as_dict, enum_word


def state_word(job: import_pb2.Import) -> str:
    """The state in a word: `succeeded`, `open` …."""
    return enum_word(import_pb2.ImportState.Name(job.state), "IMPORT_STATE_").lower()


def identity_holds(counts: import_pb2.ImportCounts) -> bool:
    """True if the counts include every row of the file."""
    outcomes = (counts.inserted, counts.updated, counts.unchanged, counts.duplicate, counts.rejected)
    return counts.rows_in == sum(outcomes)


def show_import(output: Output, job: import_pb2.Import) -> None:
    """Print an import."""
    if output.as_json:
        output.json(_with_hints(as_dict(job)))
        return
    counts = job.counts
    output.pairs(
        (
            ("import", job.import_id),
            ("file", job.spec.file_name),
            ("state", state_word(job) + (tr(" (dry run: nothing was kept)") if job.validate_only else "")),
            ("failure", job.failure),
            ("rows", counts.rows_in),
            ("  new contacts", counts.inserted),
            ("  changed", counts.updated),
            ("  unchanged", counts.unchanged),
            ("  duplicates in the file", counts.duplicate),
            ("  rejected", counts.rejected),
            ("counts", tr("complete") if identity_holds(counts) else tr("DO NOT ADD UP")),
            ("plan", job.metadata_version),
        )
    )
    if job.reject_counts:
        rows = ((_reason(one.reason), one.row_count, _hint(one)) for one in job.reject_counts)
        output.table(("reject reason", "rows#", "to do"), rows)


_HINT = "correct the rows"
_HINTS = {
    "PHONE_EMPTY": "fill in the number, or check the phone column (--map phone=COLUMN)",
    "NOT_A_NUMBER": "correct the cells, or check the phone column (--map phone=COLUMN)",
    "INVALID_COUNTRY_CODE": "give the region of the numbers (--region)",
    "NOT_IN_PLAN": "correct the cells, or check the region (--region)",
    "TOO_SHORT": "correct the cells, or check the region (--region)",
    "TOO_LONG": "correct the cells, or check the region (--region)",
    "INVALID_LENGTH": "correct the cells, or check the region (--region)",
    "SEVERAL_NUMBERS": "put the other numbers into a column of their own (--map other=COLUMN)",
    "LOCAL_ONLY": "add the area code",
    "PRECISION_LOST": "format the column as text in the spreadsheet, and export it again",
    "WRONG_CELL_COUNT": "check the delimiter and the quotes (--delimiter, --quote)",
    "BAD_QUOTE": "check the quotes (--quote none, --escape)",
    "BAD_TEXT": "check the encoding (--encoding)",
    "VALUE_TOO_LONG": "shorten the value, or leave out the column (--map ignore=COLUMN)",
    "TOO_MANY_ATTRIBUTES": "leave out columns (--drop-unknown)",
    "COUNTRY_UNKNOWN": "correct the country, or leave out its column (--map ignore=COLUMN)",
}


def all_hints() -> set[str]:
    """The repairs for all reasons."""
    return {_HINT, *_HINTS.values()}


def _reason(reason: import_pb2.RejectReason.ValueType) -> str:
    return enum_word(import_pb2.RejectReason.Name(reason), "REJECT_REASON_")


def _hint(count: import_pb2.RejectCount) -> str:
    """The repair for most rows that were rejected for this reason."""
    hint = tr(_HINTS.get(_reason(count.reason), _HINT))
    if not count.suggestion_count:
        return hint
    return tr("{hint}; suggestions: {count:,}", hint=hint, count=count.suggestion_count)


def _with_hints(job: dict[str, Any]) -> dict[str, Any]:
    for one in job.get("reject_counts", ()):
        one["hint"] = _HINTS.get(enum_word(one["reason"], "REJECT_REASON_"), _HINT)
    return job


def show_rejects(output: Output, rows: list[import_pb2.RejectedRow]) -> None:
    """Print rejected rows."""
    if output.as_json:
        for row in rows:
            output.message(row)
        return
    cells = (
        (
            row.line,
            row.column,
            enum_word(import_pb2.RejectReason.Name(row.reason), "REJECT_REASON_"),
            row.original,
            row.suggestion,
        )
        for row in rows
    )
    output.table(("line#", "column", "reason", "original", "suggestion"), cells)


def show_duplicates(output: Output, rows: list[import_pb2.DuplicateRow]) -> None:
    """Print duplicate rows."""
    if output.as_json:
        for row in rows:
            output.message(row)
        return
    parts = any(row.part or row.winner_part for row in rows)
    cells = (
        (
            _place(row.part, row.line, parts=parts),
            str(row.byte_offset),
            row.phone_number,
            _place(row.winner_part, row.winner_line, parts=parts),
            str(row.winner_byte_offset) if row.winner_byte_offset >= 0 else "",
            "; ".join(
                tr(
                    "{field}: {value} (contact: {former})",
                    field=one.field,
                    value=one.value,
                    former=one.contact_value or "-",
                )
                for one in row.differences
            ),
        )
        for row in rows
    )
    output.table(("line#", "offset#", "number", "won: line#", "offset#", "values not in the contact"), cells)


def show_changes(output: Output, contacts: list[import_pb2.ChangedContact]) -> None:
    """Print changed contacts, a line for each field."""
    if output.as_json:
        for contact in contacts:
            output.message(contact)
        return
    cells = (
        (contact.phone_number, _place(contact.part, contact.line), one.field, one.former_value, one.new_value)
        for contact in contacts
        for one in contact.changes
    )
    output.table(("number", "line#", "field", "before", "after"), cells)


def _place(part: int, line: int, *, parts: bool = False) -> str:
    """A line, with its part if there are several; empty if it is not known."""
    if not line:
        return ""
    return f"{part}:{line}" if parts or part else str(line)
