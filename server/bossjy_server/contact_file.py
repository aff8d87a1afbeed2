"""Columns of exported contact files, and escaping of cells for spreadsheets. Imports read both back."""

from __future__ import annotations

import re

# Columns of every export, in order. Columns for attributes follow, then `ATTRIBUTES`.
COLUMNS = (
    "phone_number",
    "region",
    "type",
    "name",
    "email",
    "other_numbers",
    "carrier",
    "place",
    "created_import",
    "create_time",
    "update_time",
    "extension",
)
# The attributes that have no column of their own, as a JSON object.
ATTRIBUTES = "attributes"

# Cells that a spreadsheet would run as a formula, and texts that an import would read as escaped ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
# Numbers in E.164 with their extensions, one or several: text for every spreadsheet reader, and the key of a contact.
_NUMBER = r"\+[0-9]{4,15}(;ext=[0-9]{1,20})?"
_NUMBERS = re.compile(f"{_NUMBER}(;{_NUMBER})*")
_MOST_NAME = 200


def guarded(cell: str) -> str:
    """The cell, with an apostrophe before it if a spreadsheet would run it. An import removes the apostrophe."""
    return f"'{cell}" if cell.startswith(_FORMULA) and _NUMBERS.fullmatch(cell) is None else cell


def escaped(text: str, *, plain: bool = False) -> str:
    """A cell that an import reads back as exactly this text; safe in a spreadsheet unless it is `plain`."""
    if _GUARDED.match(text) is not None:
        return f"'{text}"
    return text if plain else guarded(text)


def names_a_column(key: str) -> bool:
    """True if a header with this attribute's name is read back as the same name."""
    return (
        0 < len(key) <= _MOST_NAME
        and key == key.strip()
        and not key.startswith("'")
        and key not in COLUMNS
        and key != ATTRIBUTES
    )
