"""Columns that are kept as they are, as the JSON objects of their rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))


def json_objects(names: Sequence[str], columns: Sequence[pa.StringArray], rows: int) -> pa.StringArray:
    """For each row `{"name":"cell"}` of its cells that are not empty. Shapes: columns (m, n), result (n,)."""
    pieces = []
    for name, column in zip(names, columns, strict=True):
        key = orjson.dumps(name).decode()
        piece = pc.binary_join_element_wise(f',{key}:"', json_text(column), '"', "")
        pieces.append(pc.if_else(pc.equal(pc.binary_length(column), 0), "", piece))
    if not pieces:
        return pa.array(np.full(rows, "{}", object), pa.string())
    inner = pc.binary_join_element_wise(*pieces, "") if len(pieces) > 1 else pieces[0]
    without_comma = pc.utf8_slice_codeunits(inner, 1)
    return pc.binary_join_element_wise("{", without_comma, "}", "")


def json_text(column: pa.StringArray) -> pa.StringArray:
    """The cells as they stand between the quotes of a JSON text."""
    if not _holds(column, special=True):
        return column
    for plain, escaped in _ESCAPES:
        column = pc.replace_substring(column, plain, escaped)
    if not _holds(column, special=False):
        return column
    # Rare control characters. Every other escape stands already, so only these are left to write.
    return pa.array(
        ["".join(c if c >= " " else f"\\u{ord(c):04x}" for c in cell) for cell in column.to_pylist()], pa.string()
    )


def _holds(column: pa.StringArray, *, special: bool) -> bool:
    """Whether a byte of the column is a control character, or, with `special`, a quote or a backslash."""
    data = column.buffers()[2]
    if data is None:
        return False
    view = np.frombuffer(data, np.uint8)
    found = view < 0x20
    if special:
        found |= (view == 0x22) | (view == 0x5C)
    return bool(found.any())
