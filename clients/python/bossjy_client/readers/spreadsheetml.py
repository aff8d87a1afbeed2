"""SpreadsheetML 2003: workbooks as one XML file, which programs write as `.xls` or `.xml`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO
from xml.parsers import expat

from bossjy_client.errors import SourceError
from bossjy_client.read_options import ReadOptions
from bossjy_client.readers.document import Document, reading
from bossjy_client.readers.markup import Rows, Spans, read_tables
from bossjy_client.tables import EXACT_BELOW, TableRows

_PIECE = 64 * 1024
_NAMESPACE = "urn:schemas-microsoft-com:office:spreadsheet"
_MIDNIGHT = re.compile(r"T00:00:00(?:\.0+)?$")
# Numbers are a double in text. Times without a date are days from 1899.
_NO_DAY = "1899-12-31T"


def is_spreadsheetml(document: Document) -> bool:
    """True if the document is SpreadsheetML."""
    start = document.start[:8192]
    return start.lstrip().startswith("<") and _NAMESPACE in start and "Workbook" in start


def read_spreadsheetml(document: Document, options: ReadOptions) -> TableRows:
    """The rows of a sheet. Raises SourceError."""
    names: list[str] = []

    def rows() -> Rows:
        names.clear()
        with reading(document.label), document.open() as stream:
            yield from _Sheets(document, names, skip_hidden_rows=options.skip_hidden_rows).rows(stream)

    return read_tables(document, options, rows, lambda place: names[place])


class _Sheets:
    """The rows of all sheets, in the order of the parser."""

    def __init__(self, document: Document, names: list[str], *, skip_hidden_rows: bool) -> None:
        self._label, self._limits, self._names = document.label, document.limits, names
        self._skip_hidden_rows = skip_hidden_rows
        self._taken: list[tuple[int, list[str]]] = []
        self._spans = Spans(document.label, document.limits.columns)
        self._row = 0
        self._hidden = False
        self._kind = ""
        self._across = self._down = 1
        self._text: list[str] | None = None
        self._length = 0
        self._cell = ""

    def rows(self, stream: IO[bytes]) -> Iterator[tuple[int, list[str]]]:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.EntityDeclHandler = self._entity
        try:
            while data := stream.read(_PIECE):
                parser.Parse(data, False)
                yield from self._taken
                self._taken.clear()
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise SourceError(f"{self._label}: the XML is damaged: {error}") from error
        yield from self._taken

    def _entity(self, *_: object) -> None:
        raise SourceError(f"{self._label}: the XML declares entities, which are not read: save it as XLSX")

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        stated = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        if name == "Worksheet":
            self._names.append(stated.get("Name", f"sheet {len(self._names) + 1}"))
            self._row = 0
            self._spans = Spans(self._label, self._limits.columns)
        elif name == "Row" and self._names:
            self._begin_row(stated)
        elif name == "Cell":
            self._across, self._down = _count(stated, "MergeAcross") + 1, _count(stated, "MergeDown") + 1
            self._cell, self._kind = "", ""
            if place := _count(stated, "Index"):
                self._spans.at(place - 1)
        elif name == "Data":
            self._text, self._kind, self._length = [], stated.get("Type", ""), 0

    def _begin_row(self, stated: dict[str, str]) -> None:
        place = _count(stated, "Index")
        if place > self._row + 1:
            if place > 1_048_576:
                raise SourceError(f"{self._label}: row {place:,} is beyond the last row of a sheet")
            # Empty rows have no cells: a line stays a row.
            self._taken += [(len(self._names) - 1, list[str]())] * (place - self._row - 1)
            self._row = place - 1
        self._row += 1
        self._hidden = self._skip_hidden_rows and stated.get("Hidden") == "1"
        self._spans.begin()

    def _end(self, tag: str) -> None:
        name = tag.rpartition(" ")[2]
        if name == "Data" and self._text is not None:
            self._cell, self._text = _cell("".join(self._text), self._kind), None
        elif name == "Cell":
            self._spans.add(self._cell, self._across, self._down)
        elif name == "Row" and self._names:
            cells = self._spans.end()
            self._taken.append((len(self._names) - 1, [] if self._hidden else cells))

    def _data(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)
            self._length += len(text)
            if self._length > self._limits.cell_characters:
                raise SourceError(
                    f"{self._label}: a cell has more than {self._limits.cell_characters:,} characters (cell_characters)"
                )


def _count(stated: dict[str, str], name: str) -> int:
    text = stated.get(name, "")
    return min(int(text), 1 << 24) if text.isdecimal() else 0


def _cell(text: str, kind: str) -> str:
    """The text that a person sees."""
    if kind == "DateTime":
        text = _MIDNIGHT.sub("", text).removeprefix(_NO_DAY).replace("T", " ").removesuffix(".000")
    elif kind == "Boolean":
        text = {"1": "TRUE", "0": "FALSE"}.get(text.strip(), text)
    elif kind == "Number":
        try:
            value = float(text)
        except ValueError:
            return text
        if value.is_integer() and abs(value) < EXACT_BELOW:
            text = str(int(value))
    return text
