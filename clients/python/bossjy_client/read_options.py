"""Options and limits of readers: the content to read of a file, and its largest size."""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """The limits of a file that the client converts. A file beyond a limit is a SourceError that names it."""

    unpacked_bytes: int = 16 * 1024 * _MIB
    """Bytes of an archive or a compressed file after decompression."""

    archives: int = 4
    """Nested archives and compressions around a file."""

    zip_members: int = 10_000
    """Files in a ZIP archive or a workbook."""

    sheet_bytes: int = 2 * 1024 * _MIB
    """Bytes of a workbook after decompression: its sheets are read in memory."""

    sheet_cells: int = 50_000_000
    """Rows times columns of a sheet, up to its last row and column that have a value."""

    sheets: int = 1000
    """Sheets of a workbook, tables of a page."""

    columns: int = 16_384
    """Columns of a table. The service accepts fewer: BOSSJY_IMPORT_MAX_COLUMNS."""

    cell_characters: int = 1_000_000
    """Characters of a cell."""

    record_characters: int = 16 * _MIB
    """Characters of a JSON record or a vCard."""

    nesting: int = 64
    """Nested objects and lists around a JSON record."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """The content to read of a file that the client converts."""

    sheet: str = ""
    """Sheet of a workbook, or table of a page. If empty, the first with a usable phone column."""

    records: str = ""
    """Dotted path of the array of records in a JSON document. If empty, the only array of objects."""

    skip_hidden_rows: bool = False
    """Skip the rows of a sheet that are hidden or filtered away."""

    encoding: str = ""
    """Encoding of JSON, vCard and HTML. If empty, it is detected."""

    columns: tuple[str, ...] = ()
    """Mapped columns: a sheet that has all of them is preferred."""
