"""A column of texts through the tables.

Each row goes the first way that covers it: clean E.164 (`clean.py`), digits (`dial.py`), digits among punctuation
(`digits.py`, then `dial.py`), and at last one by one (`scalar.py` and `phonenumbers`); the last are counted in
`NumberColumn.slow`. All of it runs in chunks small enough for what is computed of them to stay in a core's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from bossjy_numbering.column.clean import CleanReader
from bossjy_numbering.column.columns import Columns
from bossjy_numbering.column.dial import Dialler
from bossjy_numbering.column.digits import read_digits
from bossjy_numbering.column.emit import Writer
from bossjy_numbering.column.result import NumberColumn
from bossjy_numbering.column.texts import TextBuffers
from bossjy_numbering.column.words import PADDING, ROOM, Flags, Ints, Walker
from bossjy_numbering.tables import Tables
from bossjy_numbering.types import Number, ParseError

# Rows of a chunk: 64 KiB for each column of 64-bit numbers.
CHUNK = 8192
Answer: TypeAlias = Callable[[str, "str | None"], Number]


class ColumnEngine:
    """Answers columns. Immutable: threads may share it."""

    def __init__(self, tables: Tables, answer: Answer) -> None:
        self._tables = tables
        self._answer = answer
        self._walker = walker = Walker(tables)
        self._dialler = Dialler(tables, walker)
        self._clean = CleanReader(tables, walker, self._dialler)
        self._columns_of = Columns.layout(tables)
        self.region_position = {
            region.code: position for position, region in enumerate(tables.regions) if region.code != "001"
        }

    @property
    def nbytes(self) -> int:
        """Bytes of what is laid out for columns."""
        return self._walker.nbytes + self._clean.nbytes

    def column(self, texts: TextBuffers, regions: Ints, region_texts: Sequence[str | None]) -> NumberColumn:
        """Answers texts. Default regions: (n,), or (1,) for all rows alike.

        `regions`: positions in `Tables.regions`, -1 for none. `region_texts`: the same as they were given.
        """
        columns = Columns(len(texts), self._columns_of)
        writer = Writer(texts, self._tables.calling_codes.astype(np.int64))
        rest = self._read_clean(texts, columns)
        for begin in range(0, len(rest), CHUNK):
            rows = rest[begin : begin + CHUNK]
            own = regions[rows] if len(regions) > 1 else np.full(len(rows), regions[0])
            slow = self._read_rest(texts, rows, own, columns, writer)
            answers = [
                self._answer(texts.text(row), region_texts[row if len(region_texts) > 1 else 0])
                for row in slow.tolist()
            ]
            columns.put_answers(slow, answers)
            writer.write_texts(slow, [number.e164 for number in answers])
        return columns.done(*writer.done(CHUNK))

    def _read_clean(self, texts: TextBuffers, columns: Columns) -> Ints:
        """Reads the rows that are clean E.164, and returns the others."""
        rest = []
        for begin in range(0, len(texts), CHUNK):
            end = min(begin + CHUNK, len(texts))
            buffer, offsets = texts.padded(begin, end, PADDING)
            done, code, outcome, lengths = self._clean.read(buffer, offsets[:-1], np.diff(offsets))
            columns.put(slice(begin, end), code, outcome, lengths)
            others = np.flatnonzero(~done)
            others += begin
            rest.append(others)
        return np.concatenate(rest) if rest else np.zeros(0, np.int64)

    def _read_rest(self, texts: TextBuffers, rows: Ints, region: Ints, columns: Columns, writer: Writer) -> Ints:
        """Reads rows by their digits. Returns those that must be answered one by one."""
        data, offsets = texts.some(rows)
        read = read_digits(data, offsets)
        nothing = rows[read.nothing]
        columns.refuse(nothing, np.full(len(nothing), ParseError.NOT_A_NUMBER, np.uint8))
        writer.write_nothing(nothing)
        unclear = read.unclear.copy()
        use = np.flatnonzero(~read.unclear & ~read.nothing)
        said = self._dialler.dial(read.buffer, read.starts[use], read.lengths[use], read.plus[use], region[use])
        unclear[use[said.unclear]] = True
        refused = (said.error != 0) & ~said.unclear
        columns.refuse(rows[use[refused]], said.error[refused])
        writer.write_nothing(rows[use[refused]])
        fine: Flags = (said.error == 0) & ~said.unclear
        if not bool(fine.all()):
            use = use[fine]
            said = said.only(np.flatnonzero(fine))
        columns.put(rows[use], said.code, said.outcome, said.lengths)
        # Plus and digits alone, of which nothing was stripped: the row's E.164 is its own text.
        digits = read.lengths[use]
        new = ~read.plus[use] | (np.diff(offsets)[use] != digits + 1) | (digits > ROOM)
        new |= said.lengths + self._dialler.code_length.take(said.code) != digits
        if not bool(new.all()):
            use, said = use[new], said.only(np.flatnonzero(new))
        writer.write(rows[use], said.code, read.buffer, said.starts, said.lengths)
        return rows[unclear]
