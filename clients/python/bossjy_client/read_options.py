"""Options and limits of readers: what is read of a file, and how much at most."""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """The most that a file converted by the client may be. A file beyond a limit is a SourceError that names it."""

    unpacked_bytes: int = 16 * 1024 * _MIB
    """Bytes of an archive or a compressed file after decompression."""

    archives: int = 4
    """Archives and compressions around a file, one inside the other."""

    zip_members: int = 10_000
    """Files in a ZIP archive or a workbook."""

    sheet_bytes: int = 2 * 1024 * _MIB
    """Bytes of a workbook after decompression: its sheets are read in memory."""

    sheet_cells: int = 50_000_000
    """Rows times columns of a sheet, up to its last row and column that have a value."""

    sheets: int = 1000
    """Sheets of a workbook, tables of a page."""

    columns: int = 16_384
    """Columns of a table. The service takes fewer: BOSSJY_IMPORT_MAX_COLUMNS."""

    cell_characters: int = 1_000_000
    """Characters of a cell."""

    record_characters: int = 16 * _MIB
    """Characters of a JSON record or a vCard."""

    nesting: int = 64
    """Objects and lists around a JSON record, one inside the other."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What is read of a file that the client converts."""

    sheet: str = ""
    """Sheet of a workbook, or table of a page. Empty: the first with a usable phone column."""

    records: str = ""
    """Dotted path of the array of records in a JSON document. Empty: the only array of objects."""

    skip_hidden_rows: bool = False
    """Leave out the rows of a sheet that are hidden or filtered away."""

    encoding: str = ""
    """Encoding of JSON, vCard and HTML. Empty: found out."""

    columns: tuple[str, ...] = ()
    """Columns that are mapped: a sheet that has all of them is preferred."""
