"""Tables of markup: rows of HTML pages and of SpreadsheetML 2003, both of which spreadsheets save as `.xls`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bossjy_client.errors import SourceError
from bossjy_client.read_options import ReadOptions
from bossjy_client.readers.document import Document
from bossjy_client.readers.sheets import SAMPLE_ROWS, Sheet, choose_sheet, listed
from bossjy_client.tables import TableRows, csv_pieces

# A row with the number of its table: tables follow one another.
Rows = Iterator[tuple[int, list[str]]]


@dataclass(slots=True)
class _Outline:
    names: list[str] = field(default_factory=list)
    samples: list[list[list[str]]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)


def read_tables(
    document: Document,
    options: ReadOptions,
    rows: Callable[[], Rows],
    name_of: Callable[[int], str],
) -> TableRows:
    """One table of a document as CSV; `rows` reads all of them from the start. Raises SourceError."""
    found = _Outline()
    for table, row in rows():
        while len(found.names) <= table:
            if len(found.names) >= document.limits.sheets:
                raise SourceError(f"{document.label}: it has more than {document.limits.sheets:,} tables (sheets)")
            found.names.append(name_of(len(found.names)))
            found.samples.append([])
            found.counts.append(0)
        found.counts[table] += 1
        if len(found.samples[table]) < SAMPLE_ROWS:
            found.samples[table].append(row)
    if not found.names:
        raise SourceError(f"{document.label}: it has no table")
    if options.sheet and options.sheet not in found.names:
        raise SourceError(
            f"{document.label}: it has no sheet `{options.sheet}`: choose one of {listed(found.names)} by --sheet"
        )
    name, note = options.sheet, ""
    if not name:
        sheets = [
            Sheet(one, lambda place=place: found.samples[place])  # type: ignore[misc]  # mypy knows no such default
            for place, one in enumerate(found.names)
        ]
        name, note = choose_sheet(document.label, sheets, options)
    chosen = found.names.index(name)
    pieces = csv_pieces((row for table, row in rows() if table == chosen), document.label, document.limits)
    return TableRows(document.name, found.counts[chosen], None, pieces, note=note, release=document.close)


class Spans:
    """The current row, and cells of earlier rows that span it."""

    def __init__(self, label: str, columns: int) -> None:
        self._label, self._most = label, columns
        # By column: the text, and the number of following rows that it spans.
        self._below: dict[int, tuple[int, str]] = {}
        self._begun: dict[int, tuple[int, str]] = {}
        self._cells: list[str] = []

    def begin(self) -> None:
        """Begin a row."""
        self._cells = []

    def at(self, column: int) -> None:
        """Continue at a column, from 0."""
        self._check(column)
        self._fill()
        while len(self._cells) < column:
            self._cells.append("")
            self._fill()

    def add(self, text: str, across: int, down: int) -> None:
        """Add a cell that spans `across` columns and `down` rows."""
        self._fill()
        column = len(self._cells)
        self._check(column + across)
        self._cells += [text, *[""] * (across - 1)]
        if down > 1:
            self._begun[column] = (down - 1, text)

    def end(self) -> list[str]:
        """The cells of the row, without empty ones at its end."""
        for column in sorted(self._below):
            if column >= len(self._cells):
                self.at(column)
                self._fill()
        left = {column: (rows - 1, text) for column, (rows, text) in self._below.items() if rows > 1}
        self._below, self._begun = left | self._begun, {}
        while self._cells and not self._cells[-1]:
            self._cells.pop()
        return self._cells

    def _fill(self) -> None:
        while (found := self._below.get(len(self._cells))) is not None:
            self._cells.append(found[1])

    def _check(self, column: int) -> None:
        if column > self._most:
            raise SourceError(f"{self._label}: a row has more than {self._most:,} cells (columns)")
