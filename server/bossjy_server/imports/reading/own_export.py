"""Import of exported contact files: the fields of their columns, lists of numbers, and JSON objects of attributes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import orjson
from numpy.typing import NDArray

from bossjy_server.contact_file import ATTRIBUTES, COLUMNS
from bossjy_server.imports.reading import arrow
from bossjy_server.imports.reading.arrow import TextColumn
from bossjy_server.imports.reading.jsonl import object_of
from bossjy_server.imports.reading.layout import ExtraCells
from bossjy_server.imports.records import ColumnMapping, ContactField

_FIELDS = {
    "phone_number": ContactField.PHONE_NUMBER,
    "name": ContactField.NAME,
    "email": ContactField.EMAIL,
    "other_numbers": ContactField.OTHER_NUMBER,
    "extension": ContactField.EXTENSION,
    ATTRIBUTES: ContactField.ATTRIBUTES,
}
# Between numbers. `;ext=5` belongs to the number before it.
_BETWEEN = re.compile(r";(?!\s*ext\s*=)", re.IGNORECASE)
# A set of columns that no list from elsewhere has.
_SIGNATURE = frozenset({"phone_number", "other_numbers", "created_import"})


def is_own_export(columns: Sequence[str]) -> bool:
    """True if these are the columns of an exported contact file."""
    return frozenset(columns) >= _SIGNATURE


def own_mapping(columns: Sequence[str], asked: Sequence[ColumnMapping]) -> tuple[ColumnMapping, ...]:
    """The requested mapping, and the fields of an export's columns. Any other column is an attribute.

    So an attribute with the name of a field, such as `phone2`, stays an attribute.
    """
    named = {one.column for one in asked}
    taken = {one.field for one in asked}
    found = list(asked)
    for column in columns:
        if column in named:
            continue
        field = _FIELDS.get(column, ContactField.IGNORE if column in COLUMNS else ContactField.ATTRIBUTE)
        if field in taken and field is not ContactField.ATTRIBUTE:
            field = ContactField.IGNORE
        found.append(ColumnMapping(column, field))
    return tuple(found)


def with_objects(extra: ExtraCells | None, cells: TextColumn, column: str) -> ExtraCells | None:
    """The extra cells, and the members of each row's JSON object. A cell that is no object has its column's name."""
    if arrow.longest_bytes(cells) == 0:
        return extra
    keys: list[str] = []
    values: list[str] = []
    bounds = np.zeros(len(cells) + 1, np.int32)
    for row, cell in enumerate(cells.to_pylist()):
        if extra is not None:
            before = slice(int(extra.bounds[row]), int(extra.bounds[row + 1]))
            keys += extra.keys[before]
            values += [text or "" for text in extra.values[before].to_pylist()]
        for key, value in _members(cell or "", column).items():
            keys.append(key)
            values.append(value)
        bounds[row + 1] = len(keys)
    return ExtraCells(bounds, keys, arrow.text_column(values))


def _members(cell: str, column: str) -> dict[str, str]:
    if not cell:
        return {}
    found = object_of(cell.encode())
    if found is None or any("\0" in key or "\0" in value for key, value in found.items()):
        return {column: cell}
    return found


def listed(cells: TextColumn) -> tuple[TextColumn, NDArray[np.int32]] | None:
    """The single numbers of cells such as `a;b` or `["a","b"]`, and the row of each. None: no cell is a list."""
    if not arrow.matches(cells, r";|^\[").any():
        return None
    items: list[str] = []
    rows: list[int] = []
    for row, cell in enumerate(cells.to_pylist()):
        for item in _items(cell or ""):
            items.append(item)
            rows.append(row)
    return arrow.text_column(items), np.array(rows, np.int32)


def _items(cell: str) -> list[str]:
    if cell.startswith("["):
        try:
            found = orjson.loads(cell)
        except orjson.JSONDecodeError:
            return [cell]
        if isinstance(found, list) and all(isinstance(item, str) for item in found):
            return [item.strip() for item in found if item.strip()]
        return [cell]
    return [item.strip() for item in _BETWEEN.split(cell) if item.strip()]
