"""Answers for Arrow columns whose rows share texts: dictionaries and views. A shared text is never copied for each row.

Each different text is answered once for each default region, some thousand at a time, and rows take the answers by
index. A text of more than 250 characters always gives TOO_LONG, so only enough of a longer text is kept to show its
excess.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bossjy_numbering import NumberColumn, Plan, Steps, column_doubts
from bossjy_numbering.column.texts import text_buffers

# 250 characters of four bytes each, and one more.
_TEXT_BYTES = 251 * 4
# A longer one is no region's code: 16 characters of four bytes each, and one more.
_REGION_BYTES = 17 * 4
# Texts that are copied at once.
_AT_ONCE = 4096
_VIEW = np.dtype([("length", "<i4"), ("rest", "V12")])
_compute: Any = pc


@dataclass(frozen=True, slots=True)
class Regions:
    """Default regions of rows: `names[codes[i]]`, (n,)."""

    codes: NDArray[np.int64]
    names: Sequence[str | None]

    def array(self) -> Any:
        """The same as a column that `Plan.column` takes."""
        return _array(self.codes, self.names)


@dataclass(frozen=True, slots=True)
class Answered:
    """The answers for n texts, and the doubts about each, (n,); none if they were not requested."""

    column: NumberColumn
    doubts: NDArray[np.uint16] | None = None


def regions_of_rows(regions: Any, default_region: str) -> Regions:
    """The regions of an Arrow column of text; `default_region` (empty: none) if a row has none."""
    codes, values = _coded(_plain_or_same(regions, _REGION_BYTES))
    occur, place = np.unique(codes, return_inverse=True)
    shown = _cut(values, occur, _REGION_BYTES).cast(pa.large_binary()).to_pylist()
    return Regions(place, [_text(raw) or default_region or None for raw in shown])


def answer_texts(plan: Plan, texts: Any, regions: Any, *, doubts: bool) -> Steps[Answered]:
    """The answers for a column of texts; `regions` as for `Plan.column`."""
    held = text_buffers(texts)
    values: Any = held.offsets, held.data
    column = yield from plan.column_steps(values, regions)
    return Answered(column, (yield from column_doubts(values, column)) if doubts else None)


def answer_chunk(
    plan: Plan, texts: Any, by_row: Regions | None, default_region: str, *, doubts: bool
) -> Steps[Answered]:
    """The answers for the rows of a chunk: see `arrow.read_chunks`. `by_row`: the regions of its rows, if any."""
    if pa.types.is_string(texts.type) or pa.types.is_large_string(texts.type):
        wanted = default_region or None if by_row is None else by_row.array()
        return (yield from answer_texts(plan, texts, wanted, doubts=doubts))
    codes, values = _coded(texts)
    many = 1 if by_row is None else len(by_row.names)
    asked, place = np.unique((codes + 1) * many + (0 if by_row is None else by_row.codes), return_inverse=True)
    parts: list[Answered] = []
    for begin in range(0, max(len(asked), 1), _AT_ONCE):
        yield
        some = asked[begin : begin + _AT_ONCE]
        wanted = default_region or None if by_row is None else _array(some % many, by_row.names)
        cut = _cut(values, some // many - 1, _TEXT_BYTES)
        parts.append((yield from answer_texts(plan, cut, wanted, doubts=doubts)))
    joined = join_answers(parts)
    return Answered(take_rows(joined.column, place), None if joined.doubts is None else joined.doubts[place])


def join_answers(parts: Sequence[Answered]) -> Answered:
    """The concatenated rows of several answers of one plan; at least one."""
    doubts = [part.doubts for part in parts if part.doubts is not None]
    return Answered(join_columns([part.column for part in parts]), np.concatenate(doubts) if doubts else None)


def _array(codes: NDArray[np.int64], names: Sequence[str | None]) -> Any:
    """The regions of rows in the form of `Plan.column`: only names that occur, if there are many."""
    occur, place = np.unique(codes, return_inverse=True)
    indices: Any = pa.array(place.astype(np.int32))
    return pa.DictionaryArray.from_arrays(indices, pa.array([names[code] for code in occur.tolist()], pa.string()))


def _plain_or_same(array: Any, most: int) -> Any:
    """Texts of a column that is neither a dictionary nor one of views as a dictionary."""
    if pa.types.is_dictionary(array.type) or pa.types.is_string_view(array.type):
        return array
    return _sliced(array, most).dictionary_encode()


def _coded(array: Any) -> tuple[NDArray[np.int64], Any]:
    """For each row the index of its text, below 0 for a null; and the texts."""
    if not pa.types.is_dictionary(array.type):
        return np.arange(len(array), dtype=np.int64), array
    indices = array.indices
    codes = indices.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    if indices.null_count:
        codes[indices.is_null().to_numpy(zero_copy_only=False)] = -1
    return codes, array.dictionary


def _cut(values: Any, chosen: NDArray[np.int64], most: int) -> Any:
    """Some texts as a separate column, each truncated to `most` bytes; a null for an index below 0."""
    if not pa.types.is_string_view(values.type):
        once = len(np.unique(chosen)) == len(chosen)  # then the result has no more bytes than the input
        indices: Any = pa.array(chosen, mask=chosen < 0)
        return _sliced(values.take(indices), most) if once else _sliced(values, most).take(indices)
    validity, views, *data = values.buffers()
    of_values = np.frombuffer(views, _VIEW, len(values), values.offset * _VIEW.itemsize) if len(values) else None
    held = np.zeros(len(chosen), _VIEW)
    if of_values is not None:
        held[chosen >= 0] = of_values[chosen[chosen >= 0]]
        if validity is not None:
            missing = values.is_null().to_numpy(zero_copy_only=False)
            held[(chosen >= 0) & missing[chosen]] = np.zeros(1, _VIEW)[0]
    np.minimum(held["length"], most, out=held["length"])
    return pa.Array.from_buffers(pa.string_view(), len(held), [None, pa.py_buffer(held), *data]).cast(pa.large_string())


def _sliced(array: Any, most: int) -> Any:
    """Each text truncated to `most` bytes."""
    plain = pa.binary() if pa.types.is_string(array.type) else pa.large_binary()
    return _compute.binary_slice(array.view(plain), 0, most).view(array.type)


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "replace")


def join_columns(parts: Sequence[NumberColumn]) -> NumberColumn:
    """The concatenated rows of several columns of one plan; at least one."""
    if len(parts) == 1:
        return parts[0]
    ends = np.cumsum([0, *(len(part.e164_data) for part in parts)])
    rows = np.cumsum([0, *(len(part) for part in parts)])
    offsets = [part.e164_offsets[:-1] + end for part, end in zip(parts, ends[:-1].tolist(), strict=True)]
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in (*_BY_ROW, "e164_data")
    }
    return replace(
        parts[0],
        **joined,
        e164_offsets=np.concatenate([*offsets, ends[-1:]]).astype(np.int32),
        extensions={
            int(begin) + row: text
            for part, begin in zip(parts, rows[:-1].tolist(), strict=True)
            for row, text in part.extensions.items()
        },
    )


_BY_ROW = ("error", "calling_code", "region", "type", "valid", "possible_reason", "has_extension", "slow", "single")


def take_rows(column: NumberColumn, places: NDArray[np.int64]) -> NumberColumn:
    """A column of the rows at these positions."""
    kind = pa.string() if column.e164_offsets.dtype == np.int32 else pa.large_string()
    buffers = [None, pa.py_buffer(column.e164_offsets), pa.py_buffer(column.e164_data)]
    indices: Any = pa.array(places)
    _, offsets, data = pa.Array.from_buffers(kind, len(column), buffers).take(indices).buffers()
    ends: Any = np.zeros(1, column.e164_offsets.dtype)
    if len(places):
        ends = np.frombuffer(offsets, column.e164_offsets.dtype, len(places) + 1)
    taken: dict[str, Any] = {name: getattr(column, name)[places] for name in _BY_ROW}
    rows = np.flatnonzero(taken["has_extension"])
    return replace(
        column,
        **taken,
        e164_offsets=ends,
        e164_data=np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8),
        extensions={
            row: column.extensions[place] for row, place in zip(rows.tolist(), places[rows].tolist(), strict=True)
        },
    )
