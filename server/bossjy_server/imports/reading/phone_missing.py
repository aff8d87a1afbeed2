"""Details of PHONE_COLUMN_MISSING: the columns, the first rows with masked numbers, and the option to fix it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from itertools import pairwise

import orjson

from bossjy_server.errors import FailedPrecondition, Reason
from bossjy_server.imports.reading.mapping import likely_phone_column

_SHOWN_ROWS = 4
_SHOWN_CELLS = 8
_SHOWN_CHARACTERS = 24
# Bytes of the details; a whole status must fit into 8 KiB.
_MOST_BYTES = 1000
_LONGEST_LIST = 220
_DIGIT = re.compile(r"\d")
# A cell with so many digits may be a number; so many of its digits are shown.
_PHONE_DIGITS, _SHOWN_DIGITS = 5, 2
_FEWEST_SHARE = 0.5


def masked(cell: str) -> str:
    """A cell that is safe in a log: only the last two digits of a possible phone number are shown."""
    count = len(_DIGIT.findall(cell))
    if count < _PHONE_DIGITS:
        return cell
    hidden = count - _SHOWN_DIGITS
    return _DIGIT.sub("#", cell, count=hidden)


def likely_column(names: Sequence[str], cells: Sequence[Sequence[str]]) -> tuple[str, int, int]:
    """The column whose cells mostly look like numbers, their count, and the count of filled cells; '' if none does."""
    best, best_share = ("", 0, 0), 0.0
    for name, column in zip(names, cells, strict=False):
        filled = [cell for cell in column if cell.strip()]
        count = sum(likely_phone_column([cell]) == 0 for cell in filled)
        share = count / len(filled) if filled else 0.0
        if share >= _FEWEST_SHARE and share > best_share:
            best, best_share = (name, count, len(filled)), share
    return best


def phone_missing(
    names: Sequence[str], header_row: int, rows: Sequence[tuple[int, list[str]]], cells: Sequence[Sequence[str]]
) -> FailedPrecondition:
    """The error.

    rows: line and cells of the first rows, including the header. cells[i]: some cells of column i below the header.
    """
    shown = [(line, _shown_cells(texts)) for line, texts in rows[:_SHOWN_ROWS]]
    column, count, filled = likely_column(names, cells)
    line, named = (0, "") if column else _below_titles(rows)
    words = ["--header-row", str(line)] if line else []
    words += ["--map", f"phone={column or named}"]
    option = shlex.join(words) if column or named else "--map phone=COLUMN"
    why = f" ({count} of {filled} of its first cells look like numbers)" if column else ""
    where = f"columns, from line {header_row}" if header_row else "columns"
    listed = "; ".join(f"{line}: {' | '.join(texts)}" for line, texts in shown)
    first = f". First lines: {_cut(listed)}" if listed else ""
    return FailedPrecondition(
        Reason.PHONE_COLUMN_MISSING,
        f"no column is recognised as the phone number. The {where}: {_cut(', '.join(map(masked, names)))}{first}. "
        f"Give {option}{why}, or --header-row N if line N names the columns (in a specification: `mapping`, "
        "`source.header_row`)",
        metadata={
            "columns": ", ".join(map(masked, names)),
            "header_row": str(header_row),
            "rows": _json(shown),
            "phone_column": column or named,
            "option": option if column or named else f"{option} or --header-row N",
        },
    )


def _below_titles(rows: Sequence[tuple[int, list[str]]]) -> tuple[int, str]:
    """Line and cell that seem to name the numbers below them in a file without a known header; (0, '') if none do."""
    for (line, above), (_, cells) in pairwise(rows):
        index = likely_phone_column(cells)
        if index >= 0:
            name = above[index].strip() if index < len(above) else ""
            return (line, name) if name and not _DIGIT.search(name) else (0, "")
    return 0, ""


def _shown_cells(texts: Sequence[str]) -> list[str]:
    cells = [masked(" ".join(cell.split()))[:_SHOWN_CHARACTERS] for cell in texts[:_SHOWN_CELLS]]
    return [*cells, "…"] if len(texts) > _SHOWN_CELLS else cells


def _json(shown: Sequence[tuple[int, list[str]]]) -> str:
    """A JSON array of as many rows as fit."""
    for count in range(len(shown), -1, -1):
        text = orjson.dumps([{"line": line, "cells": cells} for line, cells in shown[:count]]).decode()
        if len(text.encode()) <= _MOST_BYTES:
            return text
    return "[]"


def _cut(text: str) -> str:
    """The text, truncated so that the whole message is kept."""
    raw = text.encode()
    return text if len(raw) <= _LONGEST_LIST else raw[:_LONGEST_LIST].decode("utf-8", "ignore") + "…"
