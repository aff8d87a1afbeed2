"""Arrow IPC stream as equivalent CSV, message by message: the rest of an import reads only text.

The first line names the columns. Numbers, dates and truth values are written as they are; a whole floating-point number
as its digits, up to 2 ** 53, where they are exact. Lists and maps are JSON. Nulls are empty cells. An Arrow file is its
stream after a magic string.
"""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.ipc
from numpy.typing import NDArray

from bossjy_server.arrow_stream import DICTIONARY, END, PREFIX, ROWS, SCHEMA, SIGN, Description, Oversize
from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.imports.reading.arrow_nested import is_nested, nested_bytes, nested_texts

_FILE, _FILE_SIGN_BYTES = b"ARROW1", 8
# Bytes of a message, and of all dictionaries in total. Writers have a setting for the size of messages.
_MOST_BYTES, _MOST_METADATA = 64 * 1024 * 1024, 4 * 1024 * 1024
# Longest row as text; a row of an import is shorter, whatever the setting says.
_MOST_ROW = 16 * 1024 * 1024
# Bytes of a number, a date or a truth value as text.
_SHORT_CELL = 32
# Rows of a record batch, and one more for each four bytes: columns of nulls have rows without bytes.
_FREE_ROWS = 1024 * 1024
_EXACT = 2.0**53
_WRITING = pyarrow.csv.WriteOptions(include_header=False)
_BROKEN = (pa.ArrowException, ValueError, OSError, EOFError, struct.error, OverflowError)
_compute: Any = pc


def looks_like_arrow(plain: bytes) -> bool:
    """True if the first bytes are those of an Arrow stream or file."""
    return plain.startswith((_FILE, SIGN))


class ArrowText:
    """Converts the bytes of a stream to CSV in UTF-8. Their division does not change the result. An `Inflater`."""

    def __init__(self) -> None:
        self._message = bytearray()
        self._skip = 0
        self._begun = self._ended = False
        self._schema = b""
        self._dictionaries = b""
        self._batch: Any = None
        # Bytes of the batch's rows as text, up to the end of each.
        self._ends = np.zeros(0, np.int64)
        self._row = 0

    @property
    def pending(self) -> bool:
        """True if rows of the last message are still to be returned."""
        return self._batch is not None

    @property
    def whole(self) -> bool:
        """True if the stream has ended, and all of it was returned."""
        return self._ended and not self.pending

    def feed(self, data: bytes, limit: int) -> tuple[bytes, int]:
        """Text, about `limit` bytes at most, and the number of used bytes of `data`. Raises InvalidArgument."""
        text, used = bytearray(), 0
        try:
            while len(text) < limit:
                if self.pending:
                    text += self._next_rows(limit - len(text))
                elif self._ended:
                    return bytes(text), len(data)  # a file has its table of contents after its stream
                elif missing := self._missing():
                    if used == len(data):
                        break
                    taken = data[used : used + missing]
                    self._message += taken
                    used += len(taken)
                else:
                    text += self._take(bytes(self._message))
                    self._message.clear()
        except Oversize as error:
            raise _invalid(str(error)) from None
        except _BROKEN as error:
            raise _invalid("these bytes are not a readable Arrow IPC stream") from error
        return bytes(text), used

    def _missing(self) -> int:
        """The number of bytes that the next message lacks, as far as it is known; 0 when it is complete."""
        message = self._message
        if not self._begun:
            if len(message) < _FILE_SIGN_BYTES:
                return _FILE_SIGN_BYTES - len(message)
            self._begun = True
            if message.startswith(_FILE):
                message.clear()
        if len(message) < PREFIX.size:
            return PREFIX.size - len(message)
        sign, size = PREFIX.unpack_from(message)
        if sign != SIGN or not 0 <= size <= _MOST_METADATA:
            raise ValueError("no message begins here")
        if len(message) < PREFIX.size + size:
            return int(PREFIX.size + size - len(message))
        body = Description(bytes(message[PREFIX.size : PREFIX.size + size])).body_bytes if size else 0
        if not 0 <= body <= _MOST_BYTES:
            raise _invalid(f"a record batch has more than {_MOST_BYTES} bytes: write smaller ones")
        return int(PREFIX.size + size + body - len(message))

    def _take(self, message: bytes) -> bytes:
        if message == END:
            self._ended = True
            return b""
        described = Description(message[PREFIX.size :])
        if described.compressed:
            raise _invalid(
                "the record batches are compressed: write them plain, and compress the whole with gzip or zstd"
            )
        if described.kind == SCHEMA and not self._schema:
            self._schema = message
            return _header(pa.ipc.read_schema(pa.py_buffer(message)))
        if described.kind == DICTIONARY and self._schema:
            self._dictionaries += message
            if len(self._dictionaries) > _MOST_BYTES:
                raise _invalid(f"the dictionaries have more than {_MOST_BYTES} bytes in total")
        elif described.kind == ROWS and self._schema:
            if described.rows > _FREE_ROWS + described.body_bytes // 4:
                raise _invalid(f"a record batch has {described.rows} rows: write smaller ones")
            with pa.ipc.open_stream(pa.py_buffer(self._schema + self._dictionaries + message + END)) as stream:
                batch = stream.read_next_batch()
            batch.validate(full=True)
            self._batch, self._row = (batch, 0) if batch.num_rows else (None, 0)
            sizes = np.zeros(batch.num_rows, np.int64)
            for column in batch.columns:
                sizes += _row_bytes(column, batch.num_rows) + 1
            if batch.num_rows and int(np.max(sizes)) > _MOST_ROW:
                raise _invalid(f"a row has more than {_MOST_ROW} bytes: write shorter ones")
            self._ends = np.cumsum(sizes)
        else:
            raise ValueError("a message that a stream cannot have here")
        return b""

    def _next_rows(self, limit: int) -> bytes:
        batch = self._batch
        before = int(self._ends[self._row - 1]) if self._row else 0
        rows = max(1, int(np.searchsorted(self._ends, before + limit, "right")) - self._row)
        part = batch.slice(self._row, rows)
        self._row += part.num_rows
        if self._row >= batch.num_rows:
            self._batch = None
        table = pa.table([_texts(column) for column in part.columns], names=[str(i) for i in range(part.num_columns)])
        out = io.BytesIO()
        pyarrow.csv.write_csv(table, out, _WRITING)
        return out.getvalue()


def _row_bytes(column: Any, rows: int) -> NDArray[np.int64]:
    """The approximate bytes of each cell as text: every row of a dictionary or view may point to one long text."""
    if pa.types.is_dictionary(column.type):
        values = _row_bytes(column.dictionary, len(column.dictionary))
        indices = column.indices.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        return values[indices] if len(values) else np.zeros(rows, np.int64)
    if pa.types.is_string_view(column.type):
        views = np.frombuffer(column.buffers()[1], "<i4")[4 * column.offset :]
        return views[: 4 * rows : 4].astype(np.int64)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        lengths: NDArray[np.int64] = (
            _compute.binary_length(column).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        )
        return lengths
    return nested_bytes(column) if is_nested(column.type) else np.full(rows, _SHORT_CELL)


def _header(schema: Any) -> bytes:
    """The names of the columns, as a line. Raises InvalidArgument for columns that cannot become text."""
    for field in schema:
        if not _is_plain(field.type) and not is_nested(field.type):
            kind = str(field.type)[:100]
            raise _invalid(f"column `{field.name[:100]}` is {kind}: send text, numbers, dates, or lists and maps")
    if not len(schema):
        raise _invalid("the Arrow stream has no columns")
    return (",".join('"' + name.replace('"', '""') + '"' for name in schema.names) + "\n").encode()


def _is_plain(kind: Any) -> bool:
    types = pa.types
    if types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    return bool(
        types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind) or types.is_null(kind)
        or types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
        or types.is_date(kind) or types.is_time(kind) or types.is_timestamp(kind)
    )  # fmt: skip


def _texts(column: Any) -> Any:
    """A column of text without nulls."""
    if is_nested(column.type):
        return nested_texts(column)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        return pa.repeat(pa.scalar("", pa.large_string()), len(column))
    if pa.types.is_floating(column.type):
        column = _numbers(column.cast(pa.float64()))
    return column.cast(pa.large_string()).fill_null("")


def _numbers(column: Any) -> Any:
    """Floating-point numbers as text: whole ones as their digits, NaN and infinity as nothing."""
    values = column.to_numpy(zero_copy_only=False)
    whole = np.isfinite(values) & (np.abs(values) < _EXACT) & (np.floor(values) == values)
    digits = pa.array(np.where(whole, values, 0).astype(np.int64)).cast(pa.large_string())
    text = _compute.if_else(pa.array(whole), digits, column.cast(pa.large_string()))
    return _compute.if_else(pa.array(np.isnan(values)), pa.scalar("", pa.large_string()), text)


def _invalid(message: str) -> InvalidArgument:
    return InvalidArgument(Reason.ARROW_INVALID, message)
