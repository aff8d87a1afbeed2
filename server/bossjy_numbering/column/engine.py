"""A column of texts through the tables, a chunk of rows at a time.

Chunks are small enough for what is computed of them to stay in a core's own cache. Each row goes the first way that
covers it: clean E.164 (`clean.py`), digits (`dial.py`), digits among punctuation (`digits.py`, then `dial.py`), and
at last one by one (`scalar.py` and `phonenumbers`); the last are counted in `NumberColumn.slow`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column.clean import CleanReader, CleanRows
from bossjy_numbering.column.dial import Dialler
from bossjy_numbering.column.digits import read_digits
from bossjy_numbering.column.emit import Slots, heads_of
from bossjy_numbering.column.result import LONGEST_E164, NumberColumn
from bossjy_numbering.column.texts import TextBuffers
from bossjy_numbering.column.words import PADDING, Flags, Ints, Walker
from bossjy_numbering.tables import LENGTHS, NO_REGION, Tables
from bossjy_numbering.types import Number, NumberType, ParseError, PossibleReason

# Rows of a chunk: 64 KiB for each column of 64-bit numbers.
CHUNK = 8192
Bytes = NDArray[np.uint8]
Answer = Callable[[str, "str | None"], Number]


@dataclass(slots=True)
class _Chunk:
    """What is known of a chunk's rows so far; all (n,)."""

    code: Bytes
    outcome: NDArray[np.uint16]
    national_length: Ints
    error: Bytes
    slow: Ints
    # None while every row's E.164 is its own text.
    slots: Slots | None = None
    answers: list[Number] = field(default_factory=list)


class ColumnEngine:
    """Answers columns. Immutable: threads may share it."""

    def __init__(self, tables: Tables, answer: Answer) -> None:
        self._answer = answer
        walker = Walker(tables)
        self._dialler = Dialler(tables, walker)
        self._clean = CleanReader(tables, walker, self._dialler)
        self._code_values = tables.calling_codes
        self._code_length = self._dialler.code_length
        self._heads, self._head_sizes = heads_of(tables.calling_codes.astype(np.int64))
        self.region_codes = tuple(sorted({region.code for region in tables.regions}))
        self.region_position = {
            region.code: position for position, region in enumerate(tables.regions) if region.code != "001"
        }
        self._reason = tables.possible_reason[tables.main_region].reshape(-1)
        self._type = tables.outcome_type
        self._outcomes = len(tables.outcome_type)
        self._region = self._regions_by_outcome(tables)

    def _regions_by_outcome(self, tables: Tables) -> NDArray[np.int16]:
        """(calling codes * outcomes,): index into `region_codes`, -1 for none or for what cannot be."""
        index = {code: position for position, code in enumerate(self.region_codes)}
        named = np.array([index[region.code] for region in tables.regions] + [-1], np.int16)
        position = tables.main_region.astype(np.int64)[:, None] + tables.outcome_region
        position[:, tables.outcome_region == NO_REGION] = len(tables.regions)
        return named[position.clip(max=len(tables.regions))].reshape(-1)

    def column(self, texts: TextBuffers, regions: Ints, region_texts: Sequence[str | None]) -> NumberColumn:
        """Answers texts. `regions`: positions in `Tables.regions` or -1; (n,), or (1,) for all rows alike."""
        count = len(texts)
        out = _Columns(count, self.region_codes)
        for begin in range(0, count, CHUNK):
            end = min(begin + CHUNK, count)
            self._chunk(texts, regions, region_texts, begin, end, out)
        return out.done()

    def _chunk(
        self,
        texts: TextBuffers,
        regions: Ints,
        region_texts: Sequence[str | None],
        begin: int,
        end: int,
        out: _Columns,
    ) -> None:
        offsets = texts.offsets[begin : end + 1]
        size = int(offsets[-1] - offsets[0])
        buffer = np.zeros(size + PADDING, np.uint8)
        buffer[:size] = texts.data[offsets[0] : offsets[-1]]
        offsets = offsets - offsets[0]
        starts, lengths = offsets[:-1], np.diff(offsets)
        clean = self._clean.read(buffer, starts, lengths)
        chunk = _Chunk(
            code=clean.code,
            outcome=clean.outcome,
            national_length=clean.lengths - self._code_length.take(clean.code, mode="clip"),
            error=np.zeros(end - begin, np.uint8),
            slow=np.zeros(0, np.int64),
        )
        rest = np.flatnonzero(~clean.done)
        if len(rest):
            own = regions[begin:end] if len(regions) > 1 or len(texts) == 1 else None
            self._long_way(buffer, offsets, clean, chunk, rest, own, regions)
            for row in chunk.slow.tolist():
                region = region_texts[begin + row] if len(region_texts) > 1 else region_texts[0]
                self._one(chunk, row, self._answer(texts.text(begin + row), region or None))
        self._put(chunk, begin, end, buffer[:size], offsets, out)

    def _long_way(
        self,
        buffer: Bytes,
        offsets: Ints,
        clean: CleanRows,
        chunk: _Chunk,
        rest: Ints,
        own: Ints | None,
        shared: Ints,
    ) -> None:
        chunk.slots = slots = Slots(len(clean.done))
        everything = np.flatnonzero(clean.done)
        plain_head = np.full(len(everything), ord("+"), np.uint64)
        slots.write(
            everything,
            plain_head,
            np.ones(len(everything), np.uint64),
            buffer,
            clean.starts[everything],
            clean.lengths[everything],
        )

        def region_of(rows: Ints) -> Ints:
            return np.full(len(rows), shared[0]) if own is None else own[rows]

        digits_only = clean.only_digits[rest] & (clean.lengths[rest] >= 3)
        rows = rest[digits_only]
        slow = []
        if len(rows):
            slow.append(
                self._dial(
                    buffer, clean.starts[rows], clean.lengths[rows], clean.plus[rows], region_of(rows), rows, chunk
                )
            )
        rows = rest[~digits_only]
        if len(rows):
            data, bounds = _extract(buffer, offsets, rows)
            read = read_digits(data, bounds)
            chunk.error[rows[read.nothing]] = ParseError.NOT_A_NUMBER
            slow.append(rows[read.unclear])
            use = np.flatnonzero(~read.unclear & ~read.nothing)
            slow.append(
                self._dial(
                    read.buffer,
                    read.starts[use],
                    read.lengths[use],
                    read.plus[use],
                    region_of(rows[use]),
                    rows[use],
                    chunk,
                )
            )
        chunk.slow = np.concatenate(slow)

    def _dial(
        self, buffer: Bytes, starts: Ints, lengths: Ints, plus: Flags, region: Ints, rows: Ints, chunk: _Chunk
    ) -> Ints:
        """Reads digits and writes what they say. Returns the rows that must be answered one by one."""
        said = self._dialler.dial(buffer, starts, lengths, plus, region)
        fine = np.flatnonzero((said.error == 0) & ~said.unclear)
        target, code = rows[fine], said.code[fine]
        chunk.code[target] = code
        chunk.outcome[target] = said.outcome[fine]
        chunk.national_length[target] = said.lengths[fine]
        chunk.error[rows] = said.error
        assert chunk.slots is not None
        chunk.slots.write(
            target, self._heads[code], self._head_sizes[code], buffer, said.starts[fine], said.lengths[fine]
        )
        return rows[said.unclear]

    def _one(self, chunk: _Chunk, row: int, number: Number) -> None:
        chunk.answers.append(number)
        chunk.error[row] = number.error
        assert chunk.slots is not None
        chunk.slots.write_text(row, number.e164)

    def _put(self, chunk: _Chunk, begin: int, end: int, text: Bytes, offsets: Ints, out: _Columns) -> None:
        """Reads the chunk's columns off its outcomes, and puts them in their place."""
        rows = slice(begin, end)
        np.take(self._code_values, chunk.code, out=out.calling_code[rows], mode="clip")
        place = np.multiply(chunk.code, self._outcomes, dtype=np.int64)
        place += chunk.outcome
        np.take(self._region, place, out=out.region[rows], mode="clip")
        np.take(self._type, chunk.outcome, out=out.type[rows], mode="clip")
        np.not_equal(out.type[rows], NumberType.UNKNOWN, out=out.valid[rows])
        np.multiply(chunk.code, LENGTHS, out=place, dtype=np.int64)
        place += chunk.national_length
        np.take(self._reason, place, out=out.possible_reason[rows], mode="clip")
        if chunk.slots is None:
            out.put_text(begin, offsets, text)
            return
        out.error[rows] = chunk.error
        out.refuse(begin + np.flatnonzero(chunk.error))
        for row, number in zip(chunk.slow.tolist(), chunk.answers, strict=True):
            out.put_number(begin + row, number)
        lengths = chunk.slots.lengths()
        bounds = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=bounds[1:])
        out.put_text(begin, bounds, np.frombuffer(chunk.slots.run(), np.uint8))


def _extract(buffer: Bytes, offsets: Ints, rows: Ints) -> tuple[Bytes, Ints]:
    """The texts of some rows, one behind the other, and their offsets."""
    if len(rows) == len(offsets) - 1:
        return buffer[: len(buffer) - PADDING], offsets
    starts = offsets[rows]
    bounds = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(offsets[rows + 1] - starts, out=bounds[1:])
    place = np.repeat(starts - bounds[:-1], np.diff(bounds))
    place += np.arange(len(place))
    return buffer.take(place), bounds


class _Columns:
    """The arrays of a NumberColumn while they are filled."""

    def __init__(self, count: int, regions: tuple[str, ...]) -> None:
        self._regions = regions
        self._region_index = {code: position for position, code in enumerate(regions)}
        self.error = np.zeros(count, np.uint8)
        self.calling_code = np.empty(count, np.uint16)
        self.region = np.empty(count, np.int16)
        self.type = np.empty(count, np.uint8)
        self.valid = np.empty(count, np.bool_)
        self.possible_reason = np.empty(count, np.uint8)
        self._has_extension = np.zeros(count, np.bool_)
        self._slow = np.zeros(count, np.bool_)
        self._extensions: dict[int, str] = {}
        width = np.int64 if count * LONGEST_E164 >= 2**31 else np.int32
        self._offsets = np.zeros(count + 1, width)
        self._size = 0
        self._data: list[Bytes] = []

    def put_text(self, begin: int, bounds: Ints, text: Bytes) -> None:
        """E.164 of a chunk: its offsets, which rise from 0, and its bytes."""
        np.add(bounds[1:], self._size, out=self._offsets[begin + 1 : begin + len(bounds)], casting="same_kind")
        self._size += len(text)
        self._data.append(text)

    def refuse(self, rows: Ints) -> None:
        """Rows that are not numbers."""
        self.calling_code[rows] = 0
        self.region[rows] = -1
        self.type[rows] = NumberType.UNKNOWN
        self.valid[rows] = False
        self.possible_reason[rows] = PossibleReason.NOT_PARSED

    def put_number(self, row: int, number: Number) -> None:
        """A row that was answered by itself."""
        self._slow[row] = True
        self.error[row] = number.error
        self.calling_code[row] = number.calling_code
        self.region[row] = self._region_index.get(number.region or "", -1)
        self.type[row] = number.type
        self.valid[row] = number.valid
        self.possible_reason[row] = number.possible_reason
        if number.extension is not None:
            self._has_extension[row] = True
            self._extensions[row] = number.extension

    def done(self) -> NumberColumn:
        """The column."""
        data = np.concatenate(self._data) if self._data else np.zeros(0, np.uint8)
        return NumberColumn(
            error=self.error,
            calling_code=self.calling_code,
            region=self.region,
            regions=self._regions,
            type=self.type,
            valid=self.valid,
            possible_reason=self.possible_reason,
            has_extension=self._has_extension,
            slow=self._slow,
            e164_offsets=self._offsets,
            e164_data=data,
            extensions=self._extensions,
        )
