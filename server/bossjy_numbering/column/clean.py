"""Fast path for rows that are E.164 already: a `+`, 8 to 15 digits, nothing to strip.

In most columns most rows are of this form, so the layout serves only them: one read of each row, one table step for
four digits and then one for every two, and one look-up of the result. No row is moved. Doubtful rows take the slow path
(`dial.py`).

A row's sixteen bytes are two words: `+` and seven digits, and up to eight more. A word has its first byte lowest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column import packed_digits
from bossjy_numbering.column.nodes import FURTHER, LEAST, Nodes
from bossjy_numbering.column.packed_digits import ROOM, Flags, Ints, Words

# Bytes of a row: `+` and the digits.
_SHORTEST = LEAST + 1
_LONGEST = ROOM
_AS_READ = np.frombuffer(b"+0000000" + b"0" * 8, np.uint64)
# Added to values, these set the high bit of each byte that is more than 0 (where the `+` was) or 9.
_OVER = np.frombuffer(bytes([0x7F] + [0x80 - 10] * 7 + [0x80 - 10] * 8), np.uint64)
_HIGH_BITS = np.uint64(0x8080808080808080)
# By length, 0 to 16: the bytes of the second word that are digits.
_KEEP = np.array([(1 << 8 * max(length - 8, 0)) - 1 for length in range(_LONGEST + 1)], np.uint64)
# A word times this has in every second byte ten times a byte plus the next one: it joins neighbours. Then two pairs.
_TO_PAIRS, _TO_FOURS = np.uint64(10 << 8 | 1), np.uint64(100 << 16 | 1)
_EVEN_BYTES = np.uint64(0x00FF00FF00FF00FF)
_LOW_BYTE, _LOW_TWO = np.uint64(0xFF), np.uint64(0xFFFF)
_EIGHT, _THIRTY_TWO, _FORTY_EIGHT, _FIFTY_SIX = (np.uint64(bits) for bits in (8, 32, 48, 56))
_TEN = np.uint64(10)
# Rows of the sample that decides if a chunk is worth this path.
_PROBE = 64


class CleanReader:
    """Reads rows of E.164. Immutable: threads may share it."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    @property
    def nbytes(self) -> int:
        """Bytes of the tables."""
        return self._nodes.nbytes

    def is_worth_it(self, buffer: NDArray[np.uint8], offsets: Ints) -> bool:
        """True if most rows of a sample are clean. Otherwise the few clean rows take the slow path with the others."""
        step = max((len(offsets) - 1) // _PROBE, 1)
        starts = offsets[:-1:step]
        lengths = offsets[1::step][: len(starts)] - starts
        _, _, clean = _read_words(buffer, starts, lengths)
        return 2 * int(np.count_nonzero(clean)) > len(starts)

    def read(self, buffer: NDArray[np.uint8], starts: Ints, lengths: Ints) -> tuple[Flags, Words]:
        """Reads rows of text in a buffer that has sixteen bytes from each start. `lengths` is overwritten.

        Returns, all (n,): true for clean rows, and the packed results of the nodes.
        """
        nodes = self._nodes
        head, tail, clean = _read_words(buffer, starts, lengths)
        # A buffer for intermediate results: a new array for each step costs more than the step.
        room = np.empty_like(head)
        place = room.view(np.int64)
        pairs = np.left_shift(head, _EIGHT)
        pairs *= _TO_PAIRS
        pairs >>= _EIGHT
        pairs &= _EVEN_BYTES
        np.multiply(pairs, _TO_FOURS, out=room)
        np.right_shift(room, _THIRTY_TWO, out=room)
        np.bitwise_and(room, _LOW_TWO, out=room)
        node = nodes.four.take(place, mode="clip")
        np.multiply(node, 100, out=place, dtype=np.int64)
        pairs >>= _FORTY_EIGHT
        room += pairs
        nodes.six.take(place, mode="clip", out=node)
        np.multiply(node, 100, out=place, dtype=np.int64)
        head >>= _FIFTY_SIX
        head *= _TEN
        room += head
        np.bitwise_and(tail, _LOW_BYTE, out=head)
        room += head
        nodes.eight.take(place, mode="clip", out=node)
        np.multiply(node, FURTHER + 1, out=place, dtype=np.int64)
        lengths -= _SHORTEST
        place += lengths
        said: Words = nodes.said.take(place, mode="clip", out=head)
        rows = np.flatnonzero(node >= nodes.first_open)
        if len(rows):
            said[rows] = self._open(node[rows], tail[rows], lengths[rows])
        clean &= said != 0
        return clean, said

    def _open(self, node: NDArray[np.uint16], tail: Words, further: Ints) -> Words:
        """The results of the few numbers that ten digits decide and eight do not. 0 for shorter ones."""
        nodes = self._nodes
        place = (node.astype(np.int64) - nodes.first_open) * 100
        for digit, factor in ((1, 10), (2, 1)):
            place += (tail >> np.uint64(8 * digit) & _LOW_BYTE).view(np.int64) * factor
        ended = nodes.ten.take(place, mode="clip") * np.int64(FURTHER - 1)
        ended += (further - 2).clip(min=0)
        said: Words = nodes.said_of_ten.take(ended, mode="clip")
        said[further < 2] = 0
        return said


def _read_words(buffer: NDArray[np.uint8], starts: Ints, lengths: Ints) -> tuple[Words, Words, Flags]:
    """The values of each row's two words, and true for rows of a `+` and 8 to 15 digits. All (n,)."""
    raw = packed_digits.gather(buffer, starts)
    head = raw[:, 0] ^ _AS_READ[0]
    tail = raw[:, 1] ^ _AS_READ[1]
    tail &= _KEEP.take(lengths, mode="clip")
    probe = head + _OVER[0]
    probe |= head
    probe |= tail
    probe |= tail + _OVER[1]
    probe &= _HIGH_BITS
    clean: Flags = probe == 0
    clean &= (lengths >= _SHORTEST) & (lengths <= _LONGEST)
    return head, tail, clean
