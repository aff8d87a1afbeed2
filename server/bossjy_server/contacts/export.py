"""Contact export as CSV, JSON lines or Arrow. One writer for each form; memory is one piece."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Protocol

import orjson
import pyarrow as pa

from bossjy_server.contact_file import ATTRIBUTES, COLUMNS, escaped, names_a_column
from bossjy_server.contacts.filters import NUMBER_TYPES
from bossjy_server.contacts.records import Contact

TYPE_NAMES = {value: name for name, value in NUMBER_TYPES.items()}


class Writer(Protocol):
    """Writes contacts in one form."""

    def start(self) -> bytes:
        """The bytes before the first contact."""

    def write(self, contacts: Sequence[Contact]) -> bytes:
        """Some contacts."""

    def end(self) -> bytes:
        """The bytes after the last contact."""


class CsvWriter:
    """UTF-8 with a byte order mark, CRLF. Attributes named in `keys` have columns, others are JSON in the last."""

    def __init__(self, keys: Sequence[str], *, plain: bool = False) -> None:
        """`plain`: cells that a spreadsheet would run as formulas are not guarded."""
        self._keys = tuple(key for key in keys if names_a_column(key))
        self._plain = plain

    def start(self) -> bytes:
        """The header."""
        return b"\xef\xbb\xbf" + self._rows([[*COLUMNS, *self._keys, ATTRIBUTES]])

    def write(self, contacts: Sequence[Contact]) -> bytes:
        """A row each."""
        return self._rows([self._row(contact) for contact in contacts])

    def end(self) -> bytes:
        """Nothing."""
        return b""

    def _row(self, contact: Contact) -> list[str]:
        others = {key: value for key, value in contact.attributes.items() if key not in self._keys}
        return [
            *_cells(contact),
            *(contact.attributes.get(key, "") for key in self._keys),
            orjson.dumps(others).decode() if others else "",
        ]

    def _rows(self, rows: Sequence[Sequence[str]]) -> bytes:
        text = io.StringIO()
        csv.writer(text).writerows([[escaped(cell, plain=self._plain) for cell in row] for row in rows])
        return text.getvalue().encode()


class PlainCsvWriter(CsvWriter):
    """The same for programs: no cell is guarded against spreadsheets."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(keys, plain=True)


class JsonlWriter:
    """One JSON object a line."""

    def start(self) -> bytes:
        """Nothing."""
        return b""

    def write(self, contacts: Sequence[Contact]) -> bytes:
        """A line each."""
        return b"".join(
            orjson.dumps(
                {
                    **dict(zip(COLUMNS, _cells(contact), strict=True)),
                    "other_numbers": contact.other_numbers,
                    ATTRIBUTES: contact.attributes,
                },
                option=orjson.OPT_APPEND_NEWLINE,
            )
            for contact in contacts
        )

    def end(self) -> bytes:
        """Nothing."""
        return b""


class ArrowWriter:
    """An Arrow IPC stream; attributes as a map."""

    SCHEMA = pa.schema(
        [
            *(pa.field(name, pa.string()) for name in COLUMNS[:5]),
            pa.field("other_numbers", pa.list_(pa.string())),
            *(pa.field(name, pa.string()) for name in COLUMNS[6:9]),
            pa.field("create_time", pa.timestamp("us", "UTC")),
            pa.field("update_time", pa.timestamp("us", "UTC")),
            pa.field("extension", pa.string()),
            pa.field(ATTRIBUTES, pa.map_(pa.string(), pa.string())),
        ]
    )

    def __init__(self) -> None:
        self._sink = io.BytesIO()
        self._stream = pa.ipc.new_stream(self._sink, self.SCHEMA)

    def start(self) -> bytes:
        """The schema."""
        return self._taken()

    def write(self, contacts: Sequence[Contact]) -> bytes:
        """A record batch."""
        if contacts:
            columns = [*zip(*map(_values, contacts), strict=True)]
            arrays = [pa.array(column, field.type) for column, field in zip(columns, self.SCHEMA, strict=True)]
            self._stream.write_batch(pa.record_batch(arrays, schema=self.SCHEMA))
        return self._taken()

    def end(self) -> bytes:
        """The end of the stream."""
        self._stream.close()
        return self._taken()

    def _taken(self) -> bytes:
        data = self._sink.getvalue()
        self._sink.seek(0)
        self._sink.truncate()
        return data


def _cells(contact: Contact) -> list[str]:
    return [
        contact.e164,
        contact.region,
        TYPE_NAMES.get(contact.number_type, "UNKNOWN"),
        contact.name,
        contact.email,
        ";".join(contact.other_numbers),
        contact.carrier,
        contact.place,
        contact.created_import_id,
        contact.create_time.isoformat(),
        contact.update_time.isoformat(),
        contact.extension,
    ]


def _values(contact: Contact) -> list[object]:
    cells: list[object] = [*_cells(contact)]
    cells[5] = list(contact.other_numbers)
    cells[9], cells[10] = contact.create_time, contact.update_time
    return [*cells, list(contact.attributes.items())]
