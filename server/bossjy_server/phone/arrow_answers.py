"""Arrow IPC input and output, for callers with data frames.

The memory for a message is in proportion to its bytes: nothing is decompressed, only two columns are read, and texts
that rows share stay shared (`shared_texts.py`).
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
import pyarrow as pa

from bossjy_numbering import NumberColumn
from bossjy_server.arrow_stream import DICTIONARY, ROWS, Oversize, Stream, describe_stream
from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.phone.columns import Extras, possibilities_of, reasons_of, regions_of, types_of

MOST_ROWS = 100_000
# Record batches and dictionaries of one message, and bytes of the description of each.
_MOST_MESSAGES, _MOST_DESCRIPTION = 1000, 256 * 1024
_TEXT, _REGION = "phone_number", "default_region"
_BROKEN = (pa.ArrowException, ValueError, OSError, EOFError, struct.error, OverflowError, KeyError, RecursionError)

# The texts of a record batch, and the default region of each (None: the stream has no such column).
Chunk = tuple[Any, Any]


def read_chunks(data: bytes) -> list[Chunk]:
    """The columns of an Arrow IPC stream, by record batch. Raises InvalidArgument(ARROW_INVALID). No text is copied."""
    try:
        stream = describe_stream(data, _MOST_MESSAGES, _MOST_DESCRIPTION)
        wanted = _check(stream)
        options = pa.ipc.IpcReadOptions(included_fields=sorted(wanted.values()), use_threads=False)
        with pa.ipc.open_stream(pa.py_buffer(data), options=options) as batches:
            return _joined([_chunk(batch, wanted) for batch in batches])
    except Oversize as error:
        raise _invalid(str(error)) from None
    except _BROKEN as error:
        raise _invalid("these bytes are not a readable Arrow IPC stream") from error


def _check(stream: Stream) -> dict[str, int]:
    """The positions of the used columns. Raises InvalidArgument for a stream that is not supported."""
    names = [column.name for column in stream.columns]
    times = Counter(names)
    if not times[_TEXT]:
        raise _invalid(f"the Arrow stream has no column `{_TEXT}`")
    for name in (_TEXT, _REGION):
        if times[name] > 1:
            raise _invalid(f"the Arrow stream has {times[name]} columns `{name}`: send one")
    if any(message.compressed for message in stream.messages):
        raise _invalid("the record batches are compressed: send them plain")
    if any(message.delta for message in stream.messages if message.kind == DICTIONARY):
        raise _invalid("a dictionary adds to an earlier one: write whole dictionaries")
    rows = sum(message.rows for message in stream.messages if message.kind == ROWS)
    if rows > MOST_ROWS:
        raise _invalid(f"the Arrow stream has {rows} rows: send at most {MOST_ROWS} a message")
    return {name: names.index(name) for name in (_TEXT, _REGION) if times[name]}


def _chunk(batch: Any, wanted: dict[str, int]) -> Chunk:
    batch.validate(full=True)
    texts, regions = batch.column(_TEXT), batch.column(_REGION) if _REGION in wanted else None
    for name, array in ((_TEXT, texts), (_REGION, regions)):
        if array is not None and not _is_text(array.type):
            raise _invalid(
                f"column `{name}` is {str(array.type)[:100]}: send utf8, large_utf8, utf8_view or a dictionary of one"
            )
    return texts, regions


def _joined(chunks: list[Chunk]) -> list[Chunk]:
    """One chunk of them all, if no texts are shared."""
    arrays = [array for chunk in chunks for array in chunk if array is not None]
    if len(chunks) < 2 or not all(pa.types.is_string(one.type) or pa.types.is_large_string(one.type) for one in arrays):
        return chunks
    texts, regions = zip(*chunks, strict=True)
    return [(pa.concat_arrays(texts), None if regions[0] is None else pa.concat_arrays(regions))]


def _is_text(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _invalid(message: str) -> InvalidArgument:
    return InvalidArgument(Reason.ARROW_INVALID, message)


def write_columns(column: NumberColumn, wanted: AbstractSet[str], extras: Extras) -> bytes:
    """The requested columns, as an Arrow IPC stream of one record batch."""
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
    arrays |= _extra_arrays(extras)
    batch = pa.RecordBatch.from_arrays(list(arrays.values()), names=list(arrays))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def _extra_arrays(extras: Extras) -> dict[str, Any]:
    arrays: dict[str, Any] = {name: _dictionary(labels.indices, labels.values) for name, labels in extras.named.items()}
    arrays |= {name: pa.array(values, pa.string()) for name, values in extras.formats.items()}
    if extras.time_zones is not None:
        # A number can have fifty of them: lists would repeat these in each row.
        zones = [",".join(one) for one in extras.time_zones.values]
        arrays["time_zones"] = _dictionary(extras.time_zones.indices, zones)
    if extras.carrier_reliable is not None:
        arrays["carrier_reliable"] = pa.array(extras.carrier_reliable)
    if extras.warnings is not None:
        arrays["warnings"] = pa.array(extras.warnings)
    return arrays


def _e164(column: NumberColumn) -> Any:
    """The column's own buffers as an Arrow array: nothing is copied."""
    text = pa.large_string() if column.e164_offsets.dtype == np.int64 else pa.string()
    buffers = [None, pa.py_buffer(column.e164_offsets), pa.py_buffer(column.e164_data)]
    return pa.Array.from_buffers(text, len(column), buffers)


def _extensions(column: NumberColumn) -> Any:
    """Mostly empty texts, made from the few rows that have one."""
    rows = sorted(column.extensions)
    texts = [column.extensions[row].encode() for row in rows]
    offsets = np.zeros(len(column) + 1, np.int32)
    offsets[np.array(rows, np.int64) + 1] = [len(text) for text in texts]
    np.cumsum(offsets, out=offsets)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(texts))]
    return pa.Array.from_buffers(pa.string(), len(column), buffers)


def _dictionary(indices: Any, values: list[str]) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(indices), pa.array(values))
