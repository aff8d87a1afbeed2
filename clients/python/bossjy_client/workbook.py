"""A sheet of a workbook (XLSX, XLSB, XLS, ODS) as CSV. The sheet is in memory: it has a million rows at most."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from bossjy_client.errors import SourceError
from bossjy_client.tables import TableRows, cell_text, csv_lines

_ROWS_AT_ONCE = 1000


def sheet_names(path: Path) -> list[str]:
    """The sheets of a workbook, in its order. Raises SourceError."""
    return list(_opened(path).sheet_names)


def read_sheet(path: Path, sheet: str = "") -> TableRows:
    """The cells of a sheet as text; without a name, of the first one. Raises SourceError.

    A line of the CSV is a row of the sheet, from its first.
    """
    from python_calamine import CalamineError, WorksheetNotFound  # noqa: PLC0415 - most runs read no workbook

    book = _opened(path)
    names = list(book.sheet_names)
    if not names:
        raise SourceError(f"{path}: it has no sheet")
    try:
        chosen = book.get_sheet_by_name(sheet or names[0])
    except WorksheetNotFound as error:
        raise SourceError(f"{path}: it has no sheet `{sheet}`: choose one of {', '.join(names)} by --sheet") from error
    except CalamineError as error:
        raise SourceError(f"{path}: its sheet cannot be read: {error}") from error
    rows = chosen.end[0] + 1 if chosen.end else 0
    return TableRows(path.name, rows, None, _pieces(chosen))


def _pieces(sheet: Any) -> Iterator[bytes]:
    rows = iter(sheet.iter_rows())
    while batch := list(islice(rows, _ROWS_AT_ONCE)):
        yield csv_lines([[cell_text(cell) for cell in row] for row in batch])


def _opened(path: Path) -> Any:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError  # noqa: PLC0415 - as above

    try:
        return CalamineWorkbook.from_path(path)
    except PasswordError as error:
        raise SourceError(f"{path}: it is locked by a password: save it without one") from error
    except (CalamineError, OSError) as error:
        raise SourceError(f"{path}: it cannot be read as a workbook: {error}") from error
