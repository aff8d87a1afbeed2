"""Carrier, place and time zone of a column of numbers, in pieces that stay in the processor's cache."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column.result import NumberColumn
from bossjy_numbering.enrich.countries import NONE
from bossjy_numbering.enrich.intervals import key_of, keys_of
from bossjy_numbering.enrich.labels import Labels, labels_of
from bossjy_numbering.enrich.tables import EnrichTables, Reading
from bossjy_numbering.enrich.tokens import MobileToken
from bossjy_numbering.types import NumberType

_ROWS_AT_ONCE = 1 << 15

Rows = NDArray[np.int64]


class _Piece:
    """Some rows of a column. Positions of digits are those in `data`."""

    def __init__(self, column: NumberColumn, begin: int, end: int) -> None:
        self.data = column.e164_data
        # After the plus.
        self.starts = column.e164_offsets[begin:end].astype(np.int64) + 1
        self.lengths = column.e164_offsets[begin + 1 : end + 1] - self.starts
        self.calling_code = column.calling_code[begin:end]
        self.type = column.type[begin:end]
        self.region = column.region[begin:end]
        self.numbers = np.zeros(end - begin, np.int32)

    def keys(self, rows: Rows, width: int) -> NDArray[np.uint64]:
        """Keys of the digits of E.164."""
        return keys_of(self.data, self.starts[rows], self.lengths[rows], width)

    def code_lengths(self, rows: Rows) -> NDArray[np.int64]:
        """The number of digits of the calling code."""
        code = self.calling_code[rows]
        return 1 + (code >= 10).astype(np.int64) + (code >= 100)

    def digits(self, row: int) -> str:
        """The digits of E.164 of one row."""
        start = int(self.starts[row])
        return self.data[start : start + int(self.lengths[row])].tobytes().decode("ascii")


def _in_pieces(column: NumberColumn, fill: Callable[[_Piece], None]) -> NDArray[np.int32]:
    numbers = np.zeros(len(column), np.int32)
    for begin in range(0, len(column), _ROWS_AT_ONCE):
        piece = _Piece(column, begin, min(begin + _ROWS_AT_ONCE, len(column)))
        fill(piece)
        numbers[begin : begin + _ROWS_AT_ONCE] = piece.numbers
    return numbers


def carriers(tables: EnrichTables, column: NumberColumn, language: str) -> Labels[str]:
    """`Enrichment.carrier` of each row."""
    reading, intervals = tables.reading(language), tables.carriers.intervals

    def fill(piece: _Piece) -> None:
        rows = np.flatnonzero(tables.carried[piece.type])
        piece.numbers[rows] = reading.carriers[intervals.values(piece.keys(rows, intervals.width))]

    return labels_of(_in_pieces(column, fill), tables.texts)


def time_zones(tables: EnrichTables, column: NumberColumn) -> Labels[tuple[str, ...]]:
    """`Enrichment.time_zones` of each row."""
    zones = tables.zones

    def fill(piece: _Piece) -> None:
        typed = piece.type != NumberType.UNKNOWN
        geographic = tables.geographic[piece.calling_code, piece.type]
        rows = np.flatnonzero(geographic)
        piece.numbers[rows] = zones.intervals.values(piece.keys(rows, zones.intervals.width))
        rows = np.flatnonzero(typed & ~geographic)
        piece.numbers[rows] = zones.code_list[piece.calling_code[rows]]

    return labels_of(_in_pieces(column, fill), zones.lists)


def places(tables: EnrichTables, column: NumberColumn, language: str, user_region: str | None) -> Labels[str]:
    """`Enrichment.place` of each row."""
    countries = tables.countries
    reading = tables.reading(language, user_region)
    # The column's region numbers to ours; its -1 finds the last.
    number_of = np.array([*(countries.regions.get(region, NONE) for region in column.regions), NONE], np.int64)
    is_users = np.array([*(region == user_region for region in column.regions), False])

    def fill(piece: _Piece) -> None:
        geographic = tables.geographic[piece.calling_code, piece.type]
        to_country = (piece.type != NumberType.UNKNOWN) & ~geographic
        if user_region is not None:
            elsewhere = np.flatnonzero(geographic & ~is_users[piece.region])
            piece.numbers[elsewhere] = reading.countries[number_of[piece.region[elsewhere]]]
            geographic[elsewhere] = False
        rows = np.flatnonzero(geographic)
        width = tables.places.intervals.width
        sets = tables.places.intervals.values(piece.keys(rows, width))
        piece.numbers[rows] = reading.places[sets]
        for token in tables.tokens.values():
            _fill_token_places(piece, tables, token, tables.reading(language, token.region), rows)
        to_country[rows] = piece.numbers[rows] == 0
        _fill_countries(piece, tables, reading, np.flatnonzero(to_country))

    return labels_of(_in_pieces(column, fill), tables.texts)


def _fill_token_places(piece: _Piece, tables: EnrichTables, token: MobileToken, reading: Reading, rows: Rows) -> None:
    """The places of those rows whose numbers have a mobile token, row by row only if `token` must parse."""
    rows = rows[piece.calling_code[rows] == token.calling_code]
    before = len(str(token.calling_code))
    head = piece.data[piece.starts[rows] + before] if len(rows) else np.empty(0, np.uint8)
    rows = rows[head == ord(token.token)]
    starts, lengths = piece.starts[rows] + before + 1, piece.lengths[rows] - before - 1
    plain = token.are_plain(piece.data, starts, lengths)
    intervals = tables.places.intervals
    keys = keys_of(piece.data, starts, lengths, intervals.width - before)
    keys += np.uint64(key_of(str(token.calling_code), intervals.width))
    for at in np.flatnonzero(~plain).tolist():
        keys[at] = key_of(token.digits(piece.digits(int(rows[at]))), intervals.width)
    piece.numbers[rows] = reading.places[intervals.values(keys)]


def _fill_countries(piece: _Piece, tables: EnrichTables, reading: Reading, rows: Rows) -> None:
    size = piece.code_lengths(rows)
    found = tables.countries.countries(
        piece.calling_code[rows], piece.data, piece.starts[rows] + size, piece.lengths[rows] - size
    )
    piece.numbers[rows] = reading.countries[found]
