"""Sheet names of a workbook file, for programs that let people choose a sheet."""

from __future__ import annotations

from pathlib import Path

from bossjy_client.opening import path_document
from bossjy_client.readers.registry import sheet_names as sheet_names_of


def sheet_names(path: Path) -> list[str]:
    """The sheets of a workbook, in its order; none for another file. Raises SourceError."""
    return sheet_names_of(path_document(path))
