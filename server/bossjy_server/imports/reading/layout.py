"""Layout of delimited text, and the rows that come from a block."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from bossjy_server.imports.reading.arrow import TextColumn
from bossjy_server.imports.records import Quoting, SourceFormat

LF, CR = 10, 13


class RejectReason(IntEnum):
    """Reason for a row's rejection. Values of the contract's `RejectReason`."""

    PHONE_EMPTY = 1
    NOT_A_NUMBER = 2
    INVALID_COUNTRY_CODE = 3
    TOO_SHORT = 4
    TOO_LONG = 5
    INVALID_LENGTH = 6
    LOCAL_ONLY = 7
    NOT_IN_PLAN = 8
    PRECISION_LOST = 9
    WRONG_CELL_COUNT = 10
    BAD_QUOTE = 11
    BAD_TEXT = 12
    ROW_TOO_LONG = 13
    BAD_JSON = 14
    VALUE_TOO_LONG = 15
    TOO_MANY_ATTRIBUTES = 16
    SEVERAL_NUMBERS = 17
    DOUBTFUL_NUMBER = 18
    SHORT_NUMBER = 19
    COUNTRY_UNKNOWN = 20


@dataclass(frozen=True, slots=True)
class Layout:
    """Delimited text: `delimiter` and `quote` are one byte each; an empty `quote` means that there are no quotes.

    `escape` is the byte that escapes the next one; empty if there is none.
    """

    delimiter: bytes
    quote: bytes
    column_count: int
    max_row_bytes: int
    escape: bytes = b""


def layout_of(source: SourceFormat, column_count: int, max_row_bytes: int) -> Layout:
    """The layout of a resolved form."""
    quote = b"" if source.quoting is Quoting.NONE else source.quote.encode()
    return Layout(source.delimiter.encode(), quote, column_count, max_row_bytes, source.escape.encode())


@dataclass(frozen=True, slots=True)
class Place:
    """The position of a decoder in its part: the next byte, its line from 1, and true while it skips a row's rest."""

    offset: int = 0
    line: int = 1
    skipping: bool = False


@dataclass(frozen=True, slots=True)
class RowFault:
    """An invalid row: its bytes are `data[start:end]` of its block, `offset` in the part."""

    start: int
    end: int
    offset: int
    line: int
    reason: RejectReason


@dataclass(frozen=True, slots=True)
class ExtraCells:
    """Cells without a column. Those of row i are `bounds[i]` to `bounds[i + 1]` of keys and values.

    A column for each key would cost rows times keys, and each object may have its own keys.
    """

    bounds: NDArray[np.int32]
    keys: list[str]
    values: TextColumn


@dataclass(frozen=True, slots=True)
class RowTexts:
    """Rows in their original form: row i is `data[starts[i]:ends[i]]`."""

    data: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RowBlock:
    """The complete rows at the front of `data`.

    Good rows in columns, shapes (n,): `columns[j][i]` is cell j of row i as text, `starts[i]:ends[i]` are its bytes in
    `data` without line end, `offsets[i]` is its start in the part, `lines[i]` its line.
    """

    data: bytes
    columns: list[TextColumn]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    offsets: NDArray[np.int64]
    lines: NDArray[np.int64]
    faults: list[RowFault] = field(default_factory=list)
    # Cells of JSON objects whose keys the first objects did not have. None: there are none.
    extra: ExtraCells | None = None
    # Number of used bytes of `data`, and the position of the decoder after them.
    consumed: int = 0
    next: Place = Place()

    @property
    def row_count(self) -> int:
        """Rows read, good and bad."""
        return len(self.starts) + len(self.faults)
