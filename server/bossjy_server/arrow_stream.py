"""Descriptions of messages in an Arrow IPC stream, checked before Arrow reads them.

A description is a flatbuffer: offsets in it may point to one table again and again, so a few kilobytes can mean
gigabytes of fields or metadata once Arrow has read them. This module counts the objects that Arrow would make. Format:
https://arrow.apache.org/docs/format/Columnar.html (Message.fbs, Schema.fbs).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

SIGN = b"\xff\xff\xff\xff"
END = SIGN + bytes(4)
PREFIX = struct.Struct("<4si")  # a marker, and the size of the description
SCHEMA, DICTIONARY, ROWS = 1, 2, 3
# Fields including nested ones, and entries of metadata; and bytes of their names and texts.
_MOST_TABLES, _MOST_TEXT = 2000, 1024 * 1024
# Types of the union Type in Schema.fbs that have a list or a text as their second field.
_TIMESTAMP, _UNION = 10, 14


class Oversize(ValueError):
    """The description has more content than its readers accept. The message says which."""


@dataclass(slots=True)
class _Budget:
    tables: int = _MOST_TABLES
    text: int = _MOST_TEXT

    def spend(self, tables: int, text: int) -> None:
        self.tables -= tables
        self.text -= text
        if self.tables < 0:
            raise Oversize(f"the schema has more than {_MOST_TABLES} fields and entries of metadata: drop some")
        if self.text < 0:
            raise Oversize(f"names and metadata of the schema have more than {_MOST_TEXT} bytes: drop some")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a schema, and the id of its dictionary (None if it has none)."""

    name: str
    dictionary: int | None


class Description:
    """Description of a message. Raises struct.error or ValueError if it is damaged, Oversize.

    `kind`: SCHEMA, DICTIONARY, ROWS, or one that a stream must not have. `rows`: of a ROWS message. `delta`: true if a
    dictionary adds to an earlier one. `columns`: of a SCHEMA message.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        table = self._at("<I", 0)
        self.kind = self._at("<B", place) if (place := self._field(table, 1)) else 0
        self.body_bytes = self._at("<q", place) if (place := self._field(table, 3)) else 0
        budget = _Budget()
        self._spend_metadata(table, 4, budget)
        content = self._inner(table, 2)
        self.columns: tuple[Column, ...] = ()
        self.delta = self.compressed = False
        self.rows = 0
        if self.kind == SCHEMA:
            self._spend_metadata(content, 2, budget)
            self.columns = tuple(self._column(one, budget) for one in self._tables(content, 1, budget))
        elif self.kind == DICTIONARY:
            self.delta = bool(self._at("<B", place)) if (place := self._field(content, 2)) else False
            content = self._inner(content, 1)
        if self.kind in (DICTIONARY, ROWS):
            self.compressed = bool(self._field(content, 3))
            self.rows = self._at("<q", place) if (place := self._field(content, 0)) else 0
            if self.rows < 0:
                raise ValueError("fewer than no rows")

    def _column(self, table: int, budget: _Budget) -> Column:
        name = self._text(table, 0)
        budget.spend(0, len(name))
        self._spend_metadata(table, 6, budget)
        kind = self._at("<B", place) if (place := self._field(table, 2)) else 0
        if kind in (_TIMESTAMP, _UNION) and (held := self._field(self._inner(table, 3), 1)):
            budget.spend(0, 4 * self._at("<I", held + self._at("<I", held)))
        for child in self._tables(table, 5, budget):
            self._column(child, budget)
        dictionary = None
        if self._field(table, 4):
            encoding = self._inner(table, 4)
            dictionary = self._at("<q", place) if (place := self._field(encoding, 0)) else 0
        return Column(name.decode("utf-8"), dictionary)

    def _spend_metadata(self, table: int, number: int, budget: _Budget) -> None:
        for entry in self._tables(table, number, budget):
            budget.spend(0, len(self._text(entry, 0)) + len(self._text(entry, 1)))

    def _tables(self, table: int, number: int, budget: _Budget) -> Iterator[int]:
        """The tables of a list."""
        place = self._field(table, number)
        if not place:
            return
        begin = place + self._at("<I", place)
        count = self._at("<I", begin)
        budget.spend(count, 0)
        for position in range(begin + 4, begin + 4 + 4 * count, 4):
            yield position + self._at("<I", position)

    def _text(self, table: int, number: int) -> bytes:
        place = self._field(table, number)
        if not place:
            return b""
        begin = place + self._at("<I", place)
        return self._data[begin + 4 : begin + 4 + self._at("<I", begin)]

    def _at(self, form: str, place: int) -> int:
        if place < 0:
            raise ValueError("a position before the beginning")
        value: int = struct.unpack_from(form, self._data, place)[0]
        return value

    def _field(self, table: int, number: int) -> int:
        """The position of a field of a table; 0 if the table lacks it."""
        fields = table - self._at("<i", table)
        place = 4 + 2 * number
        behind = self._at("<H", fields + place) if place < self._at("<H", fields) else 0
        return table + behind if behind else 0

    def _inner(self, table: int, number: int) -> int:
        """The table that a field points to."""
        place = self._field(table, number)
        if not place:
            raise ValueError("a message without content")
        return place + self._at("<I", place)


@dataclass(frozen=True, slots=True)
class Stream:
    """A whole stream: its columns and the descriptions of the messages after its schema."""

    columns: tuple[Column, ...]
    messages: list[Description]


def describe_stream(data: bytes, most_messages: int, most_description: int) -> Stream:
    """The messages of a whole stream. Raises ValueError or struct.error and Oversize.

    A stream may lack its end marker. Bytes after the end marker are not part of a stream.
    """
    columns: tuple[Column, ...] | None = None
    messages: list[Description] = []
    place = 0
    for message, behind in _messages(data, most_description):
        if columns is None and message.kind == SCHEMA:
            columns = message.columns
        elif columns is not None and message.kind in (DICTIONARY, ROWS):
            messages.append(message)
        else:
            raise ValueError("a message that a stream must not have, or not here")
        if len(messages) > most_messages:
            raise Oversize(f"the stream has more than {most_messages} record batches and dictionaries: join some")
        place = behind
    if data[place:] not in (b"", END):
        raise Oversize("bytes follow the end of the stream: send one stream per message")
    if columns is None:
        raise ValueError("no schema")
    return Stream(columns, messages)


def _messages(data: bytes, most_description: int) -> Iterator[tuple[Description, int]]:
    """Each message and the position after it, up to the end marker."""
    place = 0
    while place < len(data):
        sign, size = PREFIX.unpack_from(data, place)
        if sign != SIGN or size < 0:
            raise ValueError("no message begins here")
        if size == 0:
            return
        if size > most_description:
            raise Oversize(f"the description of a message has more than {most_description} bytes: drop schema metadata")
        begin = place + PREFIX.size
        message = Description(data[begin : begin + size])
        place = begin + size + message.body_bytes
        if message.body_bytes < 0 or place > len(data):
            raise ValueError("a message continues past the end")
        yield message, place
