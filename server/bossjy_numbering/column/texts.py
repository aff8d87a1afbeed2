"""Text buffers of a column: offsets and UTF-8 bytes, from any form that a caller passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

Texts: TypeAlias = (
    "Sequence[str | None] | pa.Array[Any] | pa.ChunkedArray[Any] | tuple[NDArray[Any], bytes | NDArray[np.uint8]]"
)


@dataclass(frozen=True, slots=True)
class TextBuffers:
    """Row i is `data[offsets[i]:offsets[i + 1]]`, UTF-8. Shapes: offsets (n + 1,) int64, data (bytes,) uint8."""

    offsets: NDArray[np.int64]
    data: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def readable(self, begin: int, end: int, padding: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Bytes that contain rows `begin` to `end` and `padding` arbitrary bytes, and their offsets in these."""
        if self.offsets[end] + padding <= len(self.data):
            return self.data, self.offsets[begin : end + 1]
        return self.padded(begin, end, padding)

    def padded(self, begin: int, end: int, padding: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The bytes of rows `begin` to `end` followed by zeros, and their offsets from 0."""
        offsets = self.offsets[begin : end + 1]
        first, size = int(offsets[0]), int(offsets[-1] - offsets[0])
        buffer = np.empty(size + padding, np.uint8)
        buffer[:size] = self.data[first : first + size]
        buffer[size:] = 0
        return buffer, offsets - first

    def some(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """The bytes of some rows (in ascending order, at least one) in sequence, and their offsets from 0."""
        if int(rows[-1]) - int(rows[0]) == len(rows) - 1:
            offsets = self.offsets[rows[0] : rows[-1] + 2]
            return self.data[offsets[0] : offsets[-1]], offsets - offsets[0]
        starts = self.offsets[rows]
        bounds = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(self.offsets[rows + 1] - starts, out=bounds[1:])
        place = np.repeat(starts - bounds[:-1], np.diff(bounds))
        place += np.arange(len(place))
        return self.data.take(place), bounds

    def text(self, row: int) -> str:
        """The text of one row; bytes that are not UTF-8 become U+FFFD, which no number contains."""
        raw = self.data[self.offsets[row] : self.offsets[row + 1]].tobytes()
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode("utf-8", "surrogatepass" if _only_surrogates(raw) else "replace")


def _only_surrogates(raw: bytes) -> bool:
    try:
        raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def text_buffers(values: Texts) -> TextBuffers:
    """Offsets and bytes of a column. A null is an empty text. ValueError if offsets do not describe the bytes."""
    if isinstance(values, tuple) and len(values) == 2 and isinstance(values[0], np.ndarray):
        return _checked(values[0], values[1])
    if hasattr(values, "null_count"):
        return _from_arrow(values)
    return _from_strings(values)


def _checked(offsets: NDArray[np.integer], data: object) -> TextBuffers:
    flat = np.frombuffer(data, np.uint8)
    wide = offsets.astype(np.int64, copy=False)
    if wide.ndim != 1 or len(wide) == 0:
        raise ValueError("offsets must be one-dimensional and have one entry more than there are rows")
    if wide[0] < 0 or wide[-1] > len(flat) or (len(wide) > 1 and bool((wide[1:] < wide[:-1]).any())):
        raise ValueError("offsets must rise from 0 and end within the bytes")
    return TextBuffers(wide, flat)


def _from_strings(values: Sequence[str | None]) -> TextBuffers:
    joined = "".join([value or "" for value in values])
    if joined.isascii():
        # The common case: a length in characters is a length in bytes.
        lengths = np.fromiter((len(value) if value else 0 for value in values), np.int64, len(values))
        data = joined.encode("ascii")
    else:
        encoded = [value.encode("utf-8", "surrogatepass") if value else b"" for value in values]
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        data = b"".join(encoded)
    offsets = np.zeros(len(values) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return TextBuffers(offsets, np.frombuffer(data, np.uint8))


def _from_arrow(values: object) -> TextBuffers:
    import pyarrow as pa  # noqa: PLC0415  # only callers with Arrow need it

    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], pa.large_string())
    if not isinstance(array, pa.Array):
        raise TypeError("a column is a sequence of str, a pyarrow string array, or (offsets, bytes)")
    if pa.types.is_dictionary(array.type) or pa.types.is_string_view(array.type) or pa.types.is_null(array.type):
        array = array.cast(pa.large_string())
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        raise TypeError(f"a column of texts is needed, not one of {array.type}")
    if array.null_count:
        array = array.fill_null("")
    width = np.dtype(np.int64 if pa.types.is_large_string(array.type) else np.int32)
    _, offset_buffer, data_buffer = array.buffers()
    if offset_buffer is None or len(array) == 0:
        return TextBuffers(np.zeros(1, np.int64), np.zeros(0, np.uint8))
    offsets = np.frombuffer(offset_buffer, width, len(array) + 1, array.offset * width.itemsize)
    data = np.zeros(0, np.uint8) if data_buffer is None else np.frombuffer(data_buffer, np.uint8)
    return TextBuffers(offsets.astype(np.int64, copy=False), data)
