"""Attribute columns: cells that are kept as they are, as the JSON objects of their rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson
from numpy.typing import NDArray

from bossjy_server.imports.reading import arrow
from bossjy_server.imports.reading.arrow import TextColumn
from bossjy_server.imports.reading.layout import ExtraCells

_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))


def json_objects(
    names: Sequence[str], columns: Sequence[TextColumn], rows: int, extra: TextColumn | None = None
) -> TextColumn:
    """For each row `{"name":"cell"}` of its cells that are not empty. Shapes: columns (m, n), result (n,).

    `extra`: the finished members of each row's object, see `json_members`.
    """
    pieces: list[TextColumn] = []
    for name, column in zip(names, columns, strict=True):
        empty = arrow.is_empty(column)
        if empty.all():
            continue
        key = orjson.dumps(name).decode()
        pieces.append(arrow.chosen(empty, "", arrow.joined(f',{key}:"', json_text(column), '"')))
    if extra is not None:
        pieces.append(extra)
    if not pieces:
        return arrow.repeated("{}", rows)
    return arrow.joined("{", arrow.without_first_character(arrow.joined(*pieces)), "}")


def json_members(extra: ExtraCells) -> tuple[TextColumn, NDArray[np.int32]]:
    """For each row `,"key":"cell"` of its cells that are not empty, and their number."""
    values = arrow.trimmed(extra.values)
    empty = arrow.is_empty(values)
    heads = arrow.text_column(f',{orjson.dumps(key).decode()}:"' for key in extra.keys)
    members = arrow.chosen(empty, "", arrow.joined(heads, json_text(values), '"'))
    filled = np.concatenate(([0], np.cumsum(~empty))).astype(np.int32)
    return arrow.joined_lists(members, extra.bounds), np.diff(filled[extra.bounds])


def json_text(column: TextColumn) -> TextColumn:
    """The cells in the form that they have between the quotes of a JSON text."""
    view = arrow.bytes_of(column)
    if not ((view < 0x20) | (view == 0x22) | (view == 0x5C)).any():
        return column
    for plain, escaped in _ESCAPES:
        column = arrow.replaced(column, plain, escaped)
    if not (arrow.bytes_of(column) < 0x20).any():
        return column
    # Rare control characters. All other escapes are written already; only these are missing.
    return arrow.text_column(_without_controls(str(cell)) for cell in column)


def _without_controls(text: str) -> str:
    return "".join(sign if sign >= " " else f"\\u{ord(sign):04x}" for sign in text)
