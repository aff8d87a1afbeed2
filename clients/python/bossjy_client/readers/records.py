"""Rows of a program, dicts by column, as JSON lines."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from bossjy.imports.v1 import import_pb2
from bossjy_client.errors import SourceError
from bossjy_client.read_options import ReaderLimits
from bossjy_client.readers.flat import json_line
from bossjy_client.tables import TableRows

TAKEN = (
    "upload_file takes a path, bytes, a binary or text stream, rows as dicts, a data frame of pandas or polars, or an "
    "Arrow table"
)
_PIECE = 64 * 1024
# The finished rows of a slow generator are sent after this time.
_LONGEST_WAIT_S = 0.5


def record_table(source: Any, limits: ReaderLimits) -> TableRows:
    """The rows of an iterable of dicts. Raises SourceError for another object, and for one without rows."""
    label = f"the {type(source).__name__}"
    if isinstance(source, Mapping):
        raise SourceError(f"{label} is not a list of rows: give a list of dicts, one for each contact; {TAKEN}")
    if hasattr(source, "__aiter__"):
        raise SourceError(f"{label} is asynchronous: collect its rows into a list first; {TAKEN}")
    try:
        rows = iter(source)
        first = next(rows, None)
    except TypeError as error:
        raise SourceError(f"{label} cannot be uploaded; {TAKEN}") from error
    except Exception as error:
        raise SourceError(f"{label} failed at its first row: {error}") from error
    if first is None:
        raise SourceError(f"{label} has no rows")
    _mapping(first, label, 1)
    count = len(source) if hasattr(source, "__len__") else None
    pieces = _pieces(chain([first], rows), label, limits)
    return TableRows("", count, None, pieces, form=import_pb2.FILE_FORMAT_JSONL)


def _pieces(rows: Iterator[Any], label: str, limits: ReaderLimits) -> Iterator[bytes]:
    piece, since = bytearray(), time.monotonic()
    for number, row in enumerate(rows, 1):
        try:
            piece += json_line(_mapping(row, label, number), label, limits)
        except (TypeError, ValueError) as error:
            raise SourceError(f"{label}: row {number:,}: {error}") from error
        if len(piece) >= _PIECE or time.monotonic() - since > _LONGEST_WAIT_S:
            yield bytes(piece)
            piece.clear()
            since = time.monotonic()
    yield bytes(piece)


def _mapping(row: Any, label: str, number: int) -> Mapping[Any, Any]:
    if isinstance(row, Mapping):
        return row
    if hasattr(row, "_asdict"):
        named: Mapping[Any, Any] = row._asdict()  # a named tuple
        return named
    if hasattr(row, "keys"):
        return {key: row[key] for key in row.keys()}  # noqa: SIM118 - a row of sqlite3 iterates over its values
    raise SourceError(f"{label}: row {number:,} is {type(row).__name__}, no dict; {TAKEN}")
