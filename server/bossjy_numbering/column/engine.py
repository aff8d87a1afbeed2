"""Column engine: answers a column of texts from the tables.

Each row takes the first path that covers it: clean E.164 (`clean.py`), digits among punctuation (`digits.py`), digits
of a text by its shape (`shapes.py`), one by one (`scalar.py` and `phonenumbers`). Digits become E.164 by their leading
digits (`rewrite.py`) or are parsed (`dial.py`). Rows of the last two paths are marked in `NumberColumn.slow`. All work
runs in chunks whose intermediate results fit in a core's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import TypeAlias

import numpy as np

from bossjy_numbering.column.clean import CleanReader
from bossjy_numbering.column.columns import Columns
from bossjy_numbering.column.dial import Dialler
from bossjy_numbering.column.digits import read_digits
from bossjy_numbering.column.emit import Batch, Writer
from bossjy_numbering.column.nodes import build_nodes
from bossjy_numbering.column.packed_digits import PADDING, ROOM, Ints, Walker
from bossjy_numbering.column.result import NumberColumn
from bossjy_numbering.column.rewrite import Rewriter
from bossjy_numbering.column.shapes import NO_EXTENSIONS, Shapes
from bossjy_numbering.column.texts import TextBuffers
from bossjy_numbering.steps import Steps
from bossjy_numbering.tables import Tables
from bossjy_numbering.types import Number, ParseError

# Rows of a chunk of clean rows: 128 KiB for each column of 64-bit numbers. Other rows take ten times as many steps, the
# last of them with few rows of each chunk, so the fixed cost of a step counts there.
CHUNK, _REST_CHUNK = 16_384, 32_768
# Answers that exist as objects before they are put into columns: 400 bytes each.
_SLOW_CHUNK = 512
Answer: TypeAlias = Callable[[str, "str | None"], Number]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The arguments of a call, and the destination of the answers."""

    texts: TextBuffers
    # One for each row, or one for all.
    region_texts: Sequence[str | None]
    columns: Columns
    shapes: Shapes

    def region(self, row: int) -> str | None:
        """The default region of a row, as given."""
        return self.region_texts[row if len(self.region_texts) > 1 else 0]


class ColumnEngine:
    """Answers columns. Immutable: threads may share it."""

    def __init__(self, tables: Tables, answer: Answer) -> None:
        self._tables = tables
        self._answer = answer
        self._walker = walker = Walker(tables)
        self._dialler = Dialler(tables, walker)
        self._columns_of = layout = Columns.layout(tables)
        self._rewriter = Rewriter(tables, layout)
        self._clean = CleanReader(build_nodes(tables, layout.say))
        self.region_position = {
            region.code: position for position, region in enumerate(tables.regions) if region.code != "001"
        }

    @property
    def nbytes(self) -> int:
        """Bytes of the tables for columns."""
        return self._walker.nbytes + self._clean.nbytes

    def column_steps(
        self, texts: TextBuffers, regions: Ints, region_texts: Sequence[str | None]
    ) -> Steps[NumberColumn]:
        """Answers texts. Default regions: (n,), or (1,) for one region for all rows.

        A step is a pass over a chunk, or one row that is answered one by one.
        `regions`: positions in `Tables.regions`, -1 for none. `region_texts`: the same regions as given.
        """
        columns = Columns(len(texts), self._columns_of)
        writer = Writer(texts, self._tables.calling_codes.astype(np.int64))
        asked = _Asked(texts, region_texts, columns, Shapes())
        rest = yield from self._read_clean(texts, columns)
        for begin in range(0, len(rest), _REST_CHUNK):
            rows = rest[begin : begin + _REST_CHUNK]
            own = regions[rows] if len(regions) > 1 else np.full(len(rows), regions[0])
            yield from self._read_rest(asked, rows, own, writer.batch(rows))
        return columns.done(*writer.done(CHUNK))

    def _read_clean(self, texts: TextBuffers, columns: Columns) -> Steps[Ints]:
        """Reads the rows that are clean E.164, and returns the others."""
        rest = []
        for begin in range(0, len(texts), CHUNK):
            yield
            end = min(begin + CHUNK, len(texts))
            buffer, offsets = texts.readable(begin, end, PADDING)
            if not self._clean.is_worth_it(buffer, offsets):
                rest.append(np.arange(begin, end))
                continue
            clean, said = self._clean.read(buffer, offsets[:-1], np.diff(offsets))
            columns.put_said(slice(begin, end), said)
            if not clean.all():
                rest.append(np.flatnonzero(~clean) + begin)
        return np.concatenate(rest) if rest else np.zeros(0, np.int64)

    def _read_rest(self, asked: _Asked, rows: Ints, region: Ints, batch: Batch) -> Steps[None]:
        """Reads rows by their digits, or one by one."""
        columns = asked.columns
        data, offsets = asked.texts.some(rows)
        read = read_digits(data, offsets)
        extensions, by_shape = NO_EXTENSIONS, read.unclear
        if by_shape.any():
            columns.mark_slow(rows[by_shape])
            read, extensions = yield from asked.shapes.read(data, offsets, read)
        # All rows are read like most rows; the others are overwritten.
        new = self._rewriter.rewrite(read.buffer, read.starts, read.lengths, read.plus, region)
        clean, said = self._clean.read(new.buffer, new.starts, new.sizes.copy())
        columns.put_said(_slice_of(rows), said)
        batch.write_all(new.slots, new.sizes)
        clean &= new.fits(said)
        unclear = read.unclear.copy()
        use = np.flatnonzero(~(clean | unclear | read.nothing))
        dialled = self._dialler.dial(read.buffer, read.starts[use], read.lengths[use], read.plus[use], region[use])
        columns.put(rows[use], dialled.code, dialled.outcome, dialled.lengths)
        batch.write(use, dialled.code, read.buffer, dialled.starts, dialled.lengths)
        failed = np.flatnonzero((dialled.error != 0) | dialled.unclear)
        unclear[use[failed[dialled.unclear[failed]]]] = True
        columns.refuse(rows[use[failed]], dialled.error[failed])
        batch.clear(use[failed])
        nothing = np.flatnonzero(read.nothing)
        columns.refuse(rows[nothing], np.full(len(nothing), ParseError.NOT_A_NUMBER, np.uint8))
        batch.clear(nothing)
        kept = batch.lengths[extensions.rows] > 0
        columns.put_extensions(rows[extensions.rows[kept]], compress(extensions.texts, kept.tolist()))
        slow = np.flatnonzero(unclear)
        yield from self._read_slow(asked, rows, slow, batch)
        if int(rows[-1]) - int(rows[0]) >= len(rows):
            # Among clean rows it is better to keep a row that is its own E.164: its chunk may then be copied whole.
            sizes = np.diff(offsets)
            own = read.plus & (sizes == read.lengths + 1) & (sizes == batch.lengths) & (read.lengths <= ROOM)
            # A number in keypad letters can have as many letters as digits.
            own &= ~by_shape
            batch.keep(np.flatnonzero(own))

    def _read_slow(self, asked: _Asked, rows: Ints, slow: Ints, batch: Batch) -> Steps[None]:
        """Reads the rows at some places one by one, with a few hundred answers in memory at a time."""
        for begin in range(0, len(slow), _SLOW_CHUNK):
            places = slow[begin : begin + _SLOW_CHUNK]
            answers: list[Number] = []
            for row in rows[places].tolist():
                yield
                answers.append(self._answer(asked.texts.text(row), asked.region(row)))
            asked.columns.put_answers(rows[places], answers)
            batch.write_texts(places, [number.e164 for number in answers])


def _slice_of(rows: Ints) -> Ints | slice:
    """Consecutive rows as a slice, which is written faster."""
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first < len(rows) else rows
