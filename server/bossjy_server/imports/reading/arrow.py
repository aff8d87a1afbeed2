"""Arrow text columns: the few operations that imports need, with types. They release the GIL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# A string array without nulls.
TextColumn: TypeAlias = pa.StringArray
Flags: TypeAlias = NDArray[np.bool_]

# The stubs of pyarrow.compute know fewer combinations of arrays and scalars than it takes.
_compute: Any = pc


def text_column(values: Iterable[str]) -> TextColumn:
    """A column of these texts."""
    return pa.array(list(values), pa.string())


def repeated(text: str, rows: int) -> TextColumn:
    """A column of one text."""
    column: TextColumn = pa.repeat(pa.scalar(text, pa.string()), rows)
    return column


def trimmed(column: TextColumn) -> TextColumn:
    """Without surrounding white space."""
    result: TextColumn = _compute.utf8_trim_whitespace(column)
    return result


def joined(*parts: TextColumn | str) -> TextColumn:
    """The concatenated texts of each row. At least one part is a column."""
    result: TextColumn = _compute.binary_join_element_wise(*parts, "")
    return result


def spaced(*parts: TextColumn) -> TextColumn:
    """The texts of each row with a space between them."""
    result: TextColumn = _compute.binary_join_element_wise(*parts, " ")
    return result


def joined_lists(column: TextColumn, bounds: NDArray[np.int32]) -> TextColumn:
    """The concatenated texts from each bound to the next. Shapes: bounds (n + 1,), result (n,)."""
    offsets: Any = pa.array(bounds)
    result: TextColumn = _compute.binary_join(pa.ListArray.from_arrays(offsets, column), "")
    return result


def without_first_character(column: TextColumn) -> TextColumn:
    """Each text without its first character."""
    result: TextColumn = _compute.utf8_slice_codeunits(column, 1)
    return result


def chosen(where: Flags, those: TextColumn | str, others: TextColumn | str) -> TextColumn:
    """The first or the second text of each row."""
    result: TextColumn = _compute.if_else(pa.array(where), those, others)
    return result


def kept(column: TextColumn, where: Flags) -> TextColumn:
    """The flagged rows."""
    result: TextColumn = column.filter(pa.array(where))
    return result


def byte_lengths(column: TextColumn) -> NDArray[np.int32]:
    """Length of each text in bytes."""
    result: NDArray[np.int32] = _compute.binary_length(column).to_numpy(zero_copy_only=False)
    return result


def longest_bytes(column: TextColumn) -> int:
    """Length of the longest text in bytes; 0 for an empty column."""
    lengths = byte_lengths(column)
    return int(np.max(lengths)) if len(lengths) else 0


def character_lengths(column: TextColumn) -> NDArray[np.int32]:
    """Length of each text in characters."""
    result: NDArray[np.int32] = _compute.utf8_length(column).to_numpy(zero_copy_only=False)
    return result


def is_empty(column: TextColumn) -> Flags:
    """True for each empty text."""
    empty: Flags = byte_lengths(column) == 0
    return empty


def differs(one: TextColumn, other: TextColumn) -> Flags:
    """True for each row whose two texts differ."""
    return _flags(_compute.not_equal(one, other))


def starts_with(column: TextColumn, text: str) -> Flags:
    """True for each column text that starts with `text`."""
    return _flags(_compute.starts_with(column, text))


def ends_with(column: TextColumn, text: str) -> Flags:
    """True for each column text that ends with `text`."""
    return _flags(_compute.ends_with(column, text))


def is_in(column: TextColumn, words: TextColumn) -> Flags:
    """True for each text that is one of some words."""
    return _flags(_compute.is_in(column, value_set=words))


def matches(column: TextColumn, pattern: str) -> Flags:
    """True for each text that contains a match of an RE2 pattern."""
    return _flags(_compute.match_substring_regex(column, pattern))


def replaced(column: TextColumn, text: str, by: str) -> TextColumn:
    """Each occurrence of a text replaced."""
    result: TextColumn = _compute.replace_substring(column, text, by)
    return result


def replaced_where(column: TextColumn, where: Flags, pattern: str, by: str) -> TextColumn:
    """An RE2 pattern replaced, only in the flagged rows."""
    if not where.any():
        return column
    changed = _compute.replace_substring_regex(kept(column, where), pattern, by)
    result: TextColumn = _compute.replace_with_mask(column, pa.array(where), changed)
    return result


def distinct(column: TextColumn) -> tuple[list[str], NDArray[np.int32]]:
    """The different texts, and the index of each row's text."""
    encoded: Any = column.dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy()


def one_chunk(column: Any) -> TextColumn:
    """A column of a table as one array."""
    result: TextColumn = column.combine_chunks()
    return result


def from_buffers(offsets: NDArray[Any], data: NDArray[np.uint8]) -> TextColumn:
    """A column from the offsets of its rows and their bytes, UTF-8."""
    kind = pa.string() if offsets.dtype.itemsize == 4 else pa.large_string()
    column: Any = pa.Array.from_buffers(kind, len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    result: TextColumn = column.cast(pa.string())
    return result


def from_codes(codes: NDArray[Any], words: Sequence[str]) -> TextColumn:
    """The word of each code; "" for a code below 0."""
    table: Any = pa.array([*words, ""], pa.string())
    result: TextColumn = table.take(pa.array(np.where(codes < 0, len(words), codes)))
    return result


def bytes_of(column: TextColumn) -> NDArray[np.uint8]:
    """The bytes of all texts, and perhaps others: enough to prove that a byte is absent."""
    data = column.buffers()[2]
    return np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)


def _flags(array: Any) -> Flags:
    result: Flags = array.to_numpy(zero_copy_only=False)
    return result
