"""Workbooks (XLSX, XLSB, XLS, ODS): a sheet as CSV. The sheet is in memory: it has a million rows at most.

A line of the CSV is a row of the sheet, from its first. A cell that is merged with those below it counts for each of
them, as displayed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from bossjy_client.errors import SourceError
from bossjy_client.read_options import ReadOptions
from bossjy_client.readers import workbook_parts
from bossjy_client.readers.compound import check_compound
from bossjy_client.readers.document import Document
from bossjy_client.readers.sheets import SAMPLE_ROWS, Sheet, choose_sheet
from bossjy_client.tables import TableRows, cell_text, csv_pieces

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def is_workbook(document: Document) -> bool:
    """True if the document is a workbook. Raises SourceError for a damaged one."""
    if document.head.startswith(_OLE):
        return True
    return document.head.startswith(b"PK") and workbook_parts.kind_of(document) != ""


def sheet_names(document: Document) -> list[str]:
    """The sheets of a workbook, in its order. Raises SourceError."""
    return [sheet.name for sheet in _opened(document.label, document.file()).sheets_metadata if _has_cells(sheet)]


def read_workbook(document: Document, options: ReadOptions) -> TableRows:
    """The cells of a sheet as text. Raises SourceError."""
    book = _Book(document)
    name, note = options.sheet, ""
    if name and name not in book.names:
        raise SourceError(
            f"{document.label}: it has no sheet `{name}`: choose one of {', '.join(book.names)} by --sheet"
        )
    if not name:
        sheets = [Sheet(one, partial(book.sample, one), one in book.hidden_sheets) for one in book.names]
        name, note = choose_sheet(document.label, sheets, options)
    sheet = book.sheet(name)
    empty_formulas = book.parts.scan(name).formulas_without_value
    if empty_formulas:
        hint = (
            f"sheet `{name}` has {empty_formulas:,} formulas without a value, which count as empty cells: open the "
            "workbook in a spreadsheet program, save it, and import it again"
        )
        note = f"{note}; {hint}" if note else hint
    hidden = book.parts.hidden_rows(name) if options.skip_hidden_rows else frozenset[int]()
    rows = sheet.end[0] + 1 if sheet.end else 0
    pieces = csv_pieces(_rows(sheet, hidden), document.label, document.limits)
    return TableRows(document.name, rows, None, pieces, note=note, release=document.close)


class _Book:
    """A workbook, with the last requested sheet in memory."""

    def __init__(self, document: Document) -> None:
        path = document.file()
        self.parts = workbook_parts.WorkbookParts(document, path)
        self.parts.check()
        if document.head.startswith(_OLE):
            check_compound(path, document.label)
        self._label = document.label
        self._book = _opened(document.label, path)
        sheets = [sheet for sheet in self._book.sheets_metadata if _has_cells(sheet)]
        self.names = [sheet.name for sheet in sheets]
        self.hidden_sheets = {sheet.name for sheet in sheets if _is_hidden(sheet)}
        self._last: tuple[str, Any] = ("", None)

    def sheet(self, name: str) -> Any:
        """The sheet. Raises SourceError for one beyond the limits, or damaged."""
        if self._last[0] != name or self._last[1] is None:
            self._last = ("", None)
            self.parts.scan(name)
            with _calling(f"{self._label}: its sheet `{name}` cannot be read"):
                self._last = (name, self._book.get_sheet_by_name(name))
        return self._last[1]

    def sample(self, name: str) -> Sequence[Sequence[str]]:
        """The first rows of a sheet as text."""
        return [[cell_text(cell) for cell in row] for row in islice(self.sheet(name).iter_rows(), SAMPLE_ROWS)]


def _has_cells(sheet: Any) -> bool:
    from python_calamine import SheetTypeEnum  # noqa: PLC0415 - most runs read no workbook

    return sheet.typ in (SheetTypeEnum.WorkSheet, SheetTypeEnum.MacroSheet)


def _is_hidden(sheet: Any) -> bool:
    from python_calamine import SheetVisibleEnum  # noqa: PLC0415 - as above

    return bool(sheet.visible != SheetVisibleEnum.Visible)


def _rows(sheet: Any, hidden: frozenset[int]) -> Iterator[list[str]]:
    """The rows as text. A hidden row is an empty line, so that lines stay rows."""
    # Rows begin at the first column that has a value.
    left = sheet.start[1] if sheet.start else 0
    merged = {(top, column - left): bottom for (top, column), (bottom, _) in _merged(sheet) if bottom > top}
    filled: dict[int, tuple[int, str]] = {}
    for number, row in enumerate(sheet.iter_rows()):
        cells = [cell_text(cell) for cell in row]
        if merged:
            filled = {column: one for column, one in filled.items() if one[0] >= number}
            for column, (_, text) in filled.items():
                cells[column] = cells[column] or text
            for column, text in enumerate(cells):
                if text and (number, column) in merged:
                    filled[column] = (merged[number, column], text)
        yield [] if number in hidden else cells


def _merged(sheet: Any) -> Sequence[tuple[tuple[int, int], tuple[int, int]]]:
    """Ranges of merged cells, (row, column) of their first and last; none if the format does not contain them."""
    return sheet.merged_cell_ranges or ()


def _opened(label: str, path: Path) -> Any:
    from python_calamine import CalamineWorkbook, PasswordError  # noqa: PLC0415 - as above

    with _calling(f"{label}: it cannot be read as a workbook; if a spreadsheet program opens it, save it as XLSX"):
        try:
            return CalamineWorkbook.from_path(path)
        except PasswordError as error:
            raise SourceError(f"{label}: it is locked by a password: save it without one") from error


@contextmanager
def _calling(message: str) -> Iterator[None]:
    """Errors of the library as SourceError, also panics, which are no Exception."""
    from python_calamine import CalamineError  # noqa: PLC0415 - as above

    try:
        yield
    except (CalamineError, OSError, ValueError) as error:
        raise SourceError(f"{message}: {error}") from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise SourceError(f"{message}: {error}") from error
        raise
