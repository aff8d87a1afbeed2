"""E.164 text of a column, written as one block of bytes.

A row keeps its own text unless another text was written for it: a column of clean E.164 is copied whole. A kept text is
a plus and at most ROOM digits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column import packed_digits
from bossjy_numbering.column.packed_digits import PADDING, Ints, Words
from bossjy_numbering.column.result import LONGEST_E164
from bossjy_numbering.column.texts import TextBuffers

# A written row: three words, E.164 from the left and then zeros.
_WORDS = 3
_EIGHT = np.uint64(8)
_SIXTY_FOUR = np.uint64(64)
_PLUS = np.uint64(ord("+"))
_ONE = np.uint64(1)


class Batch:
    """Texts written for some rows; none at the start. Places are positions among the rows."""

    def __init__(self, rows: Ints, heads: Words, head_sizes: Words) -> None:
        self.rows = rows
        self.slots: Words = np.zeros((len(rows), _WORDS), np.uint64)
        self.lengths: Ints = np.zeros(len(rows), np.int64)
        self._heads = heads
        self._head_sizes = head_sizes

    def write(self, places: Ints, code: Ints, buffer: NDArray[np.uint8], starts: Ints, lengths: Ints) -> None:
        """Writes calling codes (by position) and national numbers out of a buffer. All (n,)."""
        sizes = self._head_sizes.take(code)
        self.slots[places] = slots_of(self._heads.take(code), sizes, buffer, starts, lengths)
        self.lengths[places] = lengths + sizes.view(np.int64)

    def write_all(self, slots: Words, lengths: Ints) -> None:
        """Writes E.164 for all rows, in the form of `slots_of`. Keeps the arrays. Shapes: (n, 3), (n,)."""
        self.slots, self.lengths = slots, lengths

    def clear(self, places: Ints) -> None:
        """Deletes the written texts."""
        self.slots[places] = 0
        self.lengths[places] = 0

    def write_texts(self, places: Ints, texts: Sequence[str]) -> None:
        """Writes the given E.164."""
        if len(places):
            padded = b"".join([text.encode("ascii").ljust(8 * _WORDS, b"\0") for text in texts])
            self.slots[places] = np.frombuffer(padded, np.uint64).reshape(-1, _WORDS)
            self.lengths[places] = [len(text) for text in texts]

    def keep(self, places: Ints) -> None:
        """Restores the rows' own text."""
        if len(places):
            self.rows, self.slots = np.delete(self.rows, places), np.delete(self.slots, places, axis=0)
            self.lengths = np.delete(self.lengths, places)


class Writer:
    """Collects the written rows, and joins them with the texts of the others."""

    def __init__(self, texts: TextBuffers, calling_codes: Ints) -> None:
        self._texts = texts
        heads = [f"+{code}".encode("ascii") for code in calling_codes.tolist()]
        self._heads = np.array([int.from_bytes(head, "little") for head in heads], np.uint64)
        self._head_sizes = np.array([len(head) for head in heads], np.uint64)
        self._batches: list[Batch] = []

    def batch(self, rows: Ints) -> Batch:
        """A batch of rows to write. Batches come in the order of their rows, and each row comes once."""
        batch = Batch(rows, self._heads, self._head_sizes)
        self._batches.append(batch)
        return batch

    def done(self, chunk: int) -> tuple[NDArray[np.int32] | NDArray[np.int64], NDArray[np.uint8]]:
        """Offsets and bytes of the whole column."""
        texts, count = self._texts, len(self._texts)
        bounds = texts.offsets - texts.offsets[0]
        if not self._batches:
            return _narrow(bounds, count), texts.data[texts.offsets[0] : texts.offsets[-1]]
        rows = np.concatenate([batch.rows for batch in self._batches])
        slots = np.concatenate([batch.slots for batch in self._batches])
        lengths = np.diff(bounds)
        lengths[rows] = np.concatenate([batch.lengths for batch in self._batches])
        np.cumsum(lengths, out=bounds[1:])
        parts = []
        for begin in range(0, count, chunk):
            end = min(begin + chunk, count)
            first, last = np.searchsorted(rows, (begin, end)).tolist()
            parts.append(self._part(begin, end, rows[first:last], slots[first:last]))
        return _narrow(bounds, count), np.frombuffer(b"".join(parts), np.uint8)

    def _part(self, begin: int, end: int, rows: Ints, written: Words) -> bytes:
        """The bytes of one chunk of rows; some of them were written."""
        texts = self._texts
        if not len(rows):
            return texts.data[texts.offsets[begin] : texts.offsets[end]].tobytes()
        if len(rows) < end - begin:
            kept = np.ones(end - begin, np.bool_)
            kept[rows - begin] = False
            buffer, offsets = texts.padded(begin, end, PADDING)
            starts, lengths = offsets[:-1][kept] + 1, np.diff(offsets)[kept] - 1
            count = len(starts)
            slots = np.empty((end - begin, _WORDS), np.uint64)
            slots[kept] = slots_of(np.full(count, _PLUS), np.full(count, _ONE), buffer, starts, lengths)
            slots[rows - begin] = written
            written = slots
        return written.tobytes().translate(None, b"\0")


def slots_of(heads: Words, sizes: Words, buffer: NDArray[np.uint8], starts: Ints, lengths: Ints) -> Words:
    """A head (its bytes in a word, and their number: 1 to 4), then digits of a buffer. All (n,) -> (n, 3)."""
    raw = packed_digits.gather(buffer, starts)
    np.bitwise_and(raw, packed_digits.keep_masks(lengths), out=raw)
    first, second = raw[:, 0], raw[:, 1]
    up = sizes * _EIGHT
    down = _SIXTY_FOUR - up
    slots = np.empty((len(starts), _WORDS), np.uint64)
    np.bitwise_or(heads, first << up, out=slots[:, 0])
    np.bitwise_or(first >> down, second << up, out=slots[:, 1])
    np.right_shift(second, down, out=slots[:, 2])
    return slots


def _narrow(bounds: Ints, count: int) -> NDArray[np.int32] | NDArray[np.int64]:
    """Offsets of 32 bits, as in an Arrow string array, unless the column is too long for them."""
    return bounds if count * LONGEST_E164 >= 2**31 else bounds.astype(np.int32)
