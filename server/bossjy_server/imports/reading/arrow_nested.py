"""Arrow lists and maps as JSON text, one cell each: `["a","b"]` and `{"k":"v"}`."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# A number or truth value, and the signs around a value.
_SHORT_VALUE, _SIGNS = 32, 6
_compute: Any = pc


def is_nested(kind: Any) -> bool:
    """True if a column of this type is a list or map of plain values that become JSON."""
    types = pa.types
    if types.is_map(kind):
        return _is_text(kind.key_type) and _is_value(kind.item_type)
    return bool((types.is_list(kind) or types.is_large_list(kind)) and _is_value(kind.value_type))


def nested_bytes(column: Any) -> NDArray[np.int64]:
    """The approximate number of bytes of each cell as text."""
    sizes = _sizes(column.keys) + _sizes(column.items) if pa.types.is_map(column.type) else _sizes(column.values)
    sums = np.concatenate(([0], np.cumsum(sizes + _SIGNS)))
    bounds = column.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    result: NDArray[np.int64] = np.diff(sums[bounds])
    return result


def nested_texts(column: Any) -> Any:
    """A column of JSON text; a null or an empty list or map is an empty text."""
    write = _object if pa.types.is_map(column.type) else _list
    return pa.array([write(value) if value else "" for value in column.to_pylist()], pa.large_string())


def _object(pairs: list[tuple[str, object]]) -> str:
    return orjson.dumps({key: value for key, value in pairs if value is not None}).decode()


def _list(values: list[object]) -> str:
    return orjson.dumps([value for value in values if value is not None]).decode()


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_value(kind: Any) -> bool:
    types = pa.types
    return bool(_is_text(kind) or types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind))


def _sizes(values: Any) -> NDArray[np.int64]:
    if not _is_text(values.type):
        return np.full(len(values), _SHORT_VALUE, np.int64)
    lengths: NDArray[np.int64] = (
        _compute.binary_length(values).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    )
    return lengths
