"""E.164 of each row, written as one run of bytes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column import words
from bossjy_numbering.column.words import Ints, Words

# Bytes of a row's slot: three words. E.164 has at most 21.
SLOT = 24
_EIGHT = np.uint64(8)
_SIXTY_FOUR = np.uint64(64)


class Slots:
    """A row of SLOT bytes for each text: E.164 from the left, zeros behind it, all zeros for none."""

    def __init__(self, count: int) -> None:
        self._words: Words = np.zeros((count, SLOT // 8), np.uint64)
        self._bytes: NDArray[np.uint8] = self._words.view(np.uint8)

    def write(
        self, rows: Ints | slice, heads: Words, sizes: Words, buffer: NDArray[np.uint8], starts: Ints, lengths: Ints
    ) -> None:
        """Writes a head (its bytes in a word, and how many: 1 to 4) and then digits of a buffer. All (n,)."""
        raw = words.gather(buffer, starts)
        np.bitwise_and(raw, words.keep_masks(lengths), out=raw)
        first, second = raw[:, 0], raw[:, 1]
        up = sizes * _EIGHT
        down = _SIXTY_FOUR - up
        target = self._words
        target[rows, 0] = heads | (first << up)
        target[rows, 1] = (first >> down) | (second << up)
        target[rows, 2] = second >> down

    def write_text(self, row: int, text: str) -> None:
        """Writes the E.164 of one row."""
        encoded = text.encode("ascii")
        self._bytes[row] = 0
        self._bytes[row, : len(encoded)] = np.frombuffer(encoded, np.uint8)

    def clear(self, rows: Ints) -> None:
        """Leaves rows without E.164."""
        self._words[rows] = 0

    def lengths(self) -> Ints:
        """How many bytes each row has."""
        counted: Ints = (self._bytes != 0).sum(axis=1, dtype=np.int64)
        return counted

    def run(self) -> bytes:
        """All rows, one behind the other."""
        return self._bytes.tobytes().translate(None, b"\0")


def heads_of(codes: Ints) -> tuple[Words, Words]:
    """`+` and a calling code, for each code: the bytes in a word, and how many."""
    texts = [f"+{code}".encode("ascii") for code in codes.tolist()]
    heads = np.array([int.from_bytes(text, "little") for text in texts], np.uint64)
    return heads, np.array([len(text) for text in texts], np.uint64)
