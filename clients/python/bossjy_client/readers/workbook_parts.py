"""Parts of a workbook as an archive: limits before it is read, formulas without a value, hidden rows.

The library for workbooks does not report these, or reports them too late: a stray cell in the last row and column makes
a sheet of billions of cells.
"""

from __future__ import annotations

import html
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bossjy_client.errors import SourceError
from bossjy_client.readers import binary_sheets
from bossjy_client.readers.document import Document, reading
from bossjy_client.readers.ods_parts import CONTENT, ROW, hidden_rows, repeated_cells

_PIECE = 1024 * 1024
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
# Prefixes of names are rare: the element is `row`, or `x:row`.
_FORMULA = re.compile(
    rb"<(?:\w+:)?c\b[^>]*>\s*<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)
_FORMULA_MARKS = (b"<f>", b"<f ", b"<f/", b":f>", b":f ", b":f/")
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_ROW_NUMBER = re.compile(rb"\br=\"(\d+)\"")
_ROW_HIDDEN = re.compile(rb"\bhidden=\"(?:1|true)\"")
_FAR_COLUMN = re.compile(rb" r=\"([A-Z]{2,3})\d")
_SHEET = re.compile(rb"<(?:\w+:)?sheet\b([^>]*)>")
_ATTRIBUTE = re.compile(r"([\w:.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\b([^>]*)>")


@dataclass(frozen=True, slots=True)
class Scan:
    """The contents of a sheet's part."""

    rows: int = 0
    columns: int = 0
    formulas_without_value: int = 0


def kind_of(document: Document) -> str:
    """`xlsx`, `xlsb` or `ods` for an archive that is a workbook; empty for another one. Raises SourceError."""
    try:
        with zipfile.ZipFile(document.file()) as archive:
            names = set(archive.namelist())
            if "xl/workbook.bin" in names:
                return "xlsb"
            if "mimetype" in names and archive.read("mimetype")[:100].startswith(_ODS):
                return "ods"
    except zipfile.BadZipFile as error:
        raise SourceError(
            f"{document.label}: it begins like a workbook or a ZIP archive and cannot be read as one; "
            f"it is truncated or damaged: {error}"
        ) from error
    except (OSError, NotImplementedError, RuntimeError) as error:
        raise SourceError(f"{document.label}: it cannot be read: {error}") from error
    return "xlsx" if any(name.startswith("xl/") for name in names) else ""


class WorkbookParts:
    """The parts of one workbook. Old workbooks (XLS) have none, and their format limits them."""

    def __init__(self, document: Document, path: Path) -> None:
        self._label, self._limits, self._path = document.label, document.limits, path
        self._kind = kind_of(document) if zipfile.is_zipfile(path) else "xls"
        self._scans: dict[str, Scan] = {}

    def check(self) -> None:
        """Raises SourceError for a workbook beyond the limits."""
        if self._kind == "xls":
            return
        with zipfile.ZipFile(self._path) as archive:
            members = archive.infolist()
            if len(members) > self._limits.zip_members:
                raise SourceError(f"{self._label}: it has more than {self._limits.zip_members:,} parts (zip_members)")
            if sum(member.file_size for member in members) > self._limits.sheet_bytes:
                raise SourceError(self._too_large())
        if self._kind == "ods":
            self._scan_ods()
        if self._kind == "xlsb":
            self._scan_binary_parts()
        # Reading to the end checks the sizes in the archive, which the library does not.
        for name in self._shared_parts():
            for _ in self._pieces(name):
                pass

    def scan(self, sheet: str) -> Scan:
        """The contents of the part of a sheet. Raises SourceError for a sheet beyond the limits."""
        part = self._sheet_parts.get(sheet)
        if part is None:
            return self._scans.get("", Scan())
        if sheet not in self._scans:
            self._scans[sheet] = self._scan_binary(part) if self._kind == "xlsb" else self._scan_xml(part)
        return self._scans[sheet]

    def hidden_rows(self, sheet: str) -> frozenset[int]:
        """The hidden rows, from 0. Raises SourceError if the format does not contain them."""
        if self._kind == "ods":
            return frozenset(hidden_rows(self._rows(CONTENT, ROW), sheet))
        part = self._sheet_parts.get(sheet)
        if part is None:
            raise SourceError(
                f"{self._label}: hidden rows are known in XLSX, XLSB and ODS only: save the workbook as XLSX, or "
                "import it without --skip-hidden-rows"
            )
        if self._kind == "xlsb":
            try:
                return frozenset(binary_sheets.hidden_rows(self._pieces(part)))
            except ValueError as error:
                raise SourceError(f"{self._label}: its part {part} is damaged: {error}") from error
        hidden, number = set(), 0
        for piece in self._rows(part, b"<row", b":row"):
            for row in _ROW.finditer(piece):
                stated = _ROW_NUMBER.search(row[1])
                number = int(stated[1]) if stated else number + 1
                if _ROW_HIDDEN.search(row[1]):
                    hidden.add(number - 1)
        return frozenset(hidden)

    @cached_property
    def _sheet_parts(self) -> dict[str, str]:
        """The part of each sheet by its name, for XLSX and XLSB."""
        if self._kind not in {"xlsx", "xlsb"}:
            return {}
        ending = "xml" if self._kind == "xlsx" else "bin"
        with reading(self._label), zipfile.ZipFile(self._path) as archive:
            names = archive.namelist()
            workbook = next((name for name in names if name.lower() == f"xl/workbook.{ending}"), "")
            relations = f"xl/_rels/{posixpath.basename(workbook)}.rels"
            if not workbook or relations not in names:
                return {}
            targets = {}
            for found in _RELATION.finditer(self._whole(archive, relations)):
                attributes = _attributes(found[1])
                target = attributes.get("Target", "")
                targets[attributes.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            parts = {}
            for identity, name in self._sheets(self._whole(archive, workbook)):
                part = posixpath.normpath(targets.get(identity, ""))
                if part in names:
                    parts[name] = part
            return parts

    def _sheets(self, workbook: bytes) -> Iterator[tuple[str, str]]:
        """Relation and name of each sheet in the part `workbook`."""
        if self._kind == "xlsb":
            yield from binary_sheets.sheet_relations([workbook])
            return
        for found in _SHEET.finditer(workbook):
            attributes = _attributes(found[1])
            yield (
                next((value for key, value in attributes.items() if key.endswith(":id")), ""),
                attributes.get("name", ""),
            )

    def _scan_binary_parts(self) -> None:
        """All sheets of XLSB: each is checked before any is read, also one that the workbook does not list."""
        with zipfile.ZipFile(self._path) as archive:
            parts = [name for name in archive.namelist() if re.fullmatch(r"xl/worksheets/[^/]+\.bin", name)]
        for part in parts:
            self._scan_binary(part)

    def _whole(self, archive: zipfile.ZipFile, name: str) -> bytes:
        return archive.read(name)

    def _shared_parts(self) -> list[str]:
        with zipfile.ZipFile(self._path) as archive:
            return [
                name
                for name in archive.namelist()
                if re.fullmatch(r"(?i)xl/(sharedStrings|styles|workbook)\.(xml|bin)", name)
            ]

    def _pieces(self, part: str) -> Iterator[bytes]:
        try:
            with zipfile.ZipFile(self._path) as archive, archive.open(part) as stream:
                while data := stream.read(_PIECE):
                    yield data
        except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            raise SourceError(f"{self._label}: its part {part} is damaged: {error}") from error

    def _rows(self, part: str, *begins: bytes) -> Iterator[bytes]:
        """The bytes of a part in pieces that end before a row."""
        rest = b""
        for piece in self._pieces(part):
            rest += piece
            cut = _last(rest, *begins)
            if cut > 0:
                yield rest[:cut]
                rest = rest[cut:]
            elif len(rest) > self._limits.record_characters:
                raise SourceError(f"{self._label}: a row of {part} is too long (record_characters)")
        yield rest

    def _scan_xml(self, part: str) -> Scan:
        rows = columns = formulas = 0
        for piece in self._rows(part, b"<row", b":row"):
            last = _ROW.match(piece, max(0, _last(piece, b"<row", b":row")))
            stated = _ROW_NUMBER.search(last[1]) if last else None
            rows = int(stated[1]) if stated else rows
            for name in set(_FAR_COLUMN.findall(piece)):
                columns = max(columns, _column_number(name))
            if any(mark in piece for mark in _FORMULA_MARKS):
                formulas += sum(1 for _ in _FORMULA.finditer(piece))
        self._check_cells(rows, columns)
        return Scan(rows, columns, formulas)

    def _scan_binary(self, part: str) -> Scan:
        """The extent in an XLSB sheet: record 148, the first and last row and column."""
        head = next(self._pieces(part), b"")
        position = 0
        while position + 2 < len(head):
            kind, position = binary_sheets.variable(head, position, 2)
            size, position = binary_sheets.variable(head, position, 4)
            if kind == 148 and size >= 16:
                last_row = int.from_bytes(head[position + 4 : position + 8], "little")
                last_column = int.from_bytes(head[position + 12 : position + 16], "little")
                self._check_cells(last_row + 1, last_column + 1)
                return Scan(last_row + 1, last_column + 1)
            position += size
        return Scan()

    def _scan_ods(self) -> None:
        cells, formulas = repeated_cells(self._rows(CONTENT, ROW))
        self._check_cells(cells, 1)
        self._scans[""] = Scan(formulas_without_value=formulas)

    def _check_cells(self, rows: int, columns: int) -> None:
        if rows * max(columns, 1) > self._limits.sheet_cells:
            raise SourceError(
                f"{self._label}: its sheet goes to row {rows:,} and column {columns:,}, more than "
                f"{self._limits.sheet_cells:,} cells (sheet_cells): delete the cells far outside the table, or save "
                "the sheet as CSV"
            )

    def _too_large(self) -> str:
        return (
            f"{self._label}: it unpacks to more than {self._limits.sheet_bytes:,} bytes (sheet_bytes): save the sheet "
            "as CSV"
        )


def _last(data: bytes, *begins: bytes) -> int:
    """The start of the last element of these names, with or without a prefix; -1 if there is none."""
    found = max(data.rfind(begin) for begin in begins)
    return data.rfind(b"<", 0, found + 1) if found >= 0 else -1


def _attributes(text: bytes) -> dict[str, str]:
    found = _ATTRIBUTE.finditer(text.decode("utf-8", "replace"))
    return {one[1]: html.unescape(one[2] if one[2] is not None else one[3]) for one in found}


def _column_number(name: bytes) -> int:
    number = 0
    for sign in name:
        number = number * 26 + sign - 64
    return number
