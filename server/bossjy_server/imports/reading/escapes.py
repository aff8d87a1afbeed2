r"""Escapes that do not change where cells and rows end (`\N`, `\t`): undone in columns, after the fast path."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.compute as pc

from bossjy_server.imports.reading import arrow
from bossjy_server.imports.reading.arrow import TextColumn
from bossjy_server.imports.reading.layout import CR, LF, Layout

_SPACE, _TAB, _ZERO = 32, 9, 0x30
_BACKSLASH = b"\\"
_CONTROLS = {"\\b": "\b", "\\n": "\n", "\\r": "\r", "\\t": "\t", "\\Z": "\x1a"}


def are_inert(data: bytes, layout: Layout) -> bool:
    r"""True if no escape of the block is before a byte that ends cells, quotes or rows, or before another escape.

    A quoted `\N` is not an inert escape either: without its quotes it would stay as it is.
    """
    if layout.quote and layout.quote + layout.escape + b"N" + layout.quote in data:
        return False
    view = np.frombuffer(data, np.uint8)
    positions = np.flatnonzero(view == layout.escape[0])
    if positions[-1] == len(data) - 1:
        return False
    active = {CR, LF, _SPACE, _TAB, _ZERO, *layout.escape, *layout.quote, *layout.delimiter}
    return not np.isin(view[positions + 1], np.array(sorted(active), np.uint8)).any()


def without_escapes(cells: TextColumn, layout: Layout) -> TextColumn:
    r"""The texts of cells whose escapes are inert; a cell `\N` stays."""
    if layout.escape[0] not in arrow.bytes_of(cells):
        return cells
    escape = layout.escape.decode("ascii")
    compute: Any = pc
    text = cells
    if layout.escape == _BACKSLASH:
        for written, control in _CONTROLS.items():
            text = compute.replace_substring(text, written, control)
    pattern = f"(?s)[{escape if escape.isalnum() else chr(92) + escape}](.)"
    text = compute.replace_substring_regex(text, pattern, r"\1")
    unescaped: TextColumn = compute.if_else(compute.equal(cells, f"{escape}N"), cells, text)
    return unescaped
