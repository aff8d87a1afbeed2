"""Arrow IPC bytes in and out, for callers with data frames."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
import pyarrow as pa

from bossjy_numbering import NumberColumn
from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.phone.columns import Named, possibilities_of, reasons_of, regions_of, types_of

_MAX_ROWS = 100_000
_TEXT, _REGION = "phone_number", "default_region"


def read_texts(data: bytes) -> tuple[pa.Array[Any], pa.Array[Any] | tuple[()]]:
    """The texts of an Arrow IPC stream, and the default region of each (empty: the stream has no such column).

    Raises InvalidArgument for bytes that are no such stream. No text is copied.
    """
    try:
        with pa.ipc.open_stream(data) as stream:
            table = stream.read_all()
        table.validate(full=True)
    except (pa.ArrowException, ValueError, OSError, EOFError) as error:
        raise InvalidArgument(
            Reason.ARROW_INVALID, "these bytes are not an Arrow IPC stream that can be read"
        ) from error
    if _TEXT not in table.column_names:
        raise InvalidArgument(Reason.ARROW_INVALID, f"the Arrow stream has no column `{_TEXT}`")
    if table.num_rows > _MAX_ROWS:
        raise InvalidArgument(
            Reason.ARROW_INVALID, f"the Arrow stream has {table.num_rows} rows: send at most {_MAX_ROWS} a message"
        )
    return _strings(table, _TEXT), _strings(table, _REGION) if _REGION in table.column_names else ()


def _strings(table: pa.Table, name: str) -> pa.Array[Any]:
    column = table.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise InvalidArgument(
            Reason.ARROW_INVALID, f"column `{name}` is {column.type}: send utf8, large_utf8, or a dictionary of them"
        )
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def write_columns(column: NumberColumn, wanted: AbstractSet[str], named: Named) -> bytes:
    """The columns that are wanted, as an Arrow IPC stream of one record batch."""
    makers: dict[str, Callable[[], Any]] = {
        "valid": lambda: pa.array(column.valid),
        "reason": lambda: pa.array(reasons_of(column)),
        "possibility": lambda: pa.array(possibilities_of(column)),
        "type": lambda: pa.array(types_of(column)),
        "e164": lambda: _e164(column),
        "calling_code": lambda: pa.array(column.calling_code),
        "national_number": lambda: pa.array(column.national_number),
        "leading_zeros": lambda: pa.array(column.leading_zeros),
        "region": lambda: _dictionary(regions_of(column), ["", *column.regions]),
        "extension": lambda: _extensions(column),
    }
    arrays = {name: make() for name, make in makers.items() if name in wanted}
    arrays |= {name: _dictionary(labels.indices, labels.values) for name, labels in named.items() if labels}
    batch = pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def _e164(column: NumberColumn) -> Any:
    """The column's own buffers as an Arrow array: nothing is copied."""
    text = pa.large_string() if column.e164_offsets.dtype == np.int64 else pa.string()
    buffers = [None, pa.py_buffer(column.e164_offsets), pa.py_buffer(column.e164_data)]
    return pa.Array.from_buffers(text, len(column), buffers)


def _extensions(column: NumberColumn) -> Any:
    """Mostly empty texts: made from the few rows that have one."""
    rows = sorted(column.extensions)
    texts = [column.extensions[row].encode() for row in rows]
    offsets = np.zeros(len(column) + 1, np.int32)
    offsets[np.array(rows, np.int64) + 1] = [len(text) for text in texts]
    np.cumsum(offsets, out=offsets)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(texts))]
    return pa.Array.from_buffers(pa.string(), len(column), buffers)


def _dictionary(indices: Any, values: list[str]) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(indices), pa.array(values))
