"""Column mapping: the meaning of a file's columns by the request, or else by their names."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import replace

from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.imports.reading.headers import (
    FAMILY_BESIDE_GIVEN,
    GIVEN_BESIDE_FAMILY,
    NOT_OF_THE_CONTACT,
    Meaning,
    folded,
    meaning_of,
)
from bossjy_server.imports.records import ColumnMapping, ContactField

_PHONE_TEXT = re.compile(r"['=\"+(（]*\d[\d\s()（）.\-/\"]{5,}")
# One column each; additional phone columns become other numbers.
_SINGLE = (
    ContactField.PHONE_NUMBER,
    ContactField.NAME,
    ContactField.EMAIL,
    ContactField.COUNTRY,
    ContactField.GIVEN_NAME,
    ContactField.FAMILY_NAME,
    ContactField.ATTRIBUTES,
    ContactField.EXTENSION,
)
# Their cells that do not match the field are kept under the name of the column.
_KEPT_ASIDE = (
    ContactField.PHONE_NUMBER,
    ContactField.OTHER_NUMBER,
    ContactField.EMAIL,
    ContactField.GIVEN_NAME,
    ContactField.FAMILY_NAME,
    ContactField.EXTENSION,
)
_SHOWN_NAMES = 1000
_LONGEST_LIST = 300
# As the contract says of Contact.attributes.
MAX_ATTRIBUTES = 100


def field_of_name(column: str, cells: Sequence[str] = ()) -> ContactField | None:
    """The meaning of a column with this name and these cells; None if the name is not known."""
    meaning = meaning_of(column, cells)
    return meaning.field if meaning is not None else None


def looks_like_header(cells: Sequence[str], rows: Sequence[Sequence[str]] = ()) -> bool:
    """True if a row names columns: one of its cells is a known name, and none is mostly digits.

    A name that the next `rows` repeat in their column is a value.
    """
    known = False
    for index, cell in enumerate(cells):
        below = [row[index].strip() for row in rows if index < len(row)]
        named = field_of_name(cell) is not None or field_of_name(cell, below) is not None
        if not named and sum(character.isdigit() for character in cell) >= 5:
            return False
        known |= named and cell.strip() not in below
    return known


def likely_phone_column(cells: Sequence[str]) -> int:
    """The index of the first cell that looks like a number; -1 for none. For files without a header."""
    for index, cell in enumerate(cells):
        text = cell.strip()
        if sum(c.isdigit() for c in text) >= 7 and _PHONE_TEXT.fullmatch(text):
            return index
    return -1


# A file of rejects writes it before text that a spreadsheet would take for a formula.
_GUARD = re.compile(r"^'(?='*[=+\-@\t\r])")


def column_names(cells: Sequence[str]) -> tuple[str, ...]:
    """Names for the cells of a header: trimmed, `column_N` if empty, `_2` after a name that occurred before.

    The apostrophe that guards a formula is removed, as in cells: so a name survives the way through a file of rejects.
    """
    names: list[str] = []
    taken: set[str] = set()
    for index, cell in enumerate(cells):
        name = _GUARD.sub("", cell.strip())[:1000] or f"column_{index + 1}"
        unique, copy = name, 2
        while unique in taken:
            unique, copy = f"{name}_{copy}", copy + 1
        taken.add(unique)
        names.append(unique)
    return tuple(names)


def find_column(columns: Sequence[str], asked: str, *, by_number: bool = True) -> str:
    """The column that a caller names: by its name, also in other case, width or form, or as `column_N`; '' for none."""
    if asked in columns:
        return asked
    wanted = _plain(asked)
    same = [column for column in columns if _plain(column) == wanted]
    if len(same) == 1:
        return same[0]
    number = _NUMBERED.fullmatch(asked) if by_number else None
    return columns[int(number[1]) - 1] if number and 0 < int(number[1]) <= len(columns) else ""


_NUMBERED = re.compile(r"column_([0-9]{1,5})")


def _plain(name: str) -> str:
    return " ".join(_GUARD.sub("", unicodedata.normalize("NFKC", name).strip()).casefold().split())


def resolve_mapping(
    columns: Sequence[str],
    asked: Sequence[ColumnMapping],
    *,
    drop_unknown: bool,
    cells: Sequence[Sequence[str]] = (),
) -> tuple[ColumnMapping, ...]:
    """The meaning of each column, in the order of the file. `cells[i]` are some cells of column i, if they are known.

    The result may have no phone column. Raises InvalidArgument(MAPPING_INVALID) if `asked` does not fit the columns.
    """
    wanted = _asked_by_column(columns, asked)
    used = {one.field for one in wanted.values()}
    found = _recognised(columns, cells, wanted, used)
    resolved: list[ColumnMapping] = []
    for index, column in enumerate(columns):
        mapping = wanted.get(column)
        if mapping is None:
            field = found.get(index, ContactField.ATTRIBUTE)
            if field is ContactField.ATTRIBUTE and drop_unknown:
                field = ContactField.IGNORE
            mapping = ColumnMapping(column, field, column if field is ContactField.ATTRIBUTE else "")
        resolved.append(mapping)
    _check_attributes(resolved)
    return tuple(resolved)


def _recognised(
    columns: Sequence[str],
    cells: Sequence[Sequence[str]],
    wanted: Collection[str],
    used: Collection[ContactField],
) -> dict[int, ContactField]:
    """The meaning of the columns without a requested one. Of several for a field, the lowest rank gets it."""
    meanings: dict[int, Meaning] = {}
    for index, column in enumerate(columns):
        if column not in wanted:
            meaning = meaning_of(column, cells[index] if index < len(cells) else ())
            if meaning is not None:
                meanings[index] = meaning
    _split_names(columns, meanings)
    fields = {index: one.field for index, one in meanings.items() if one.field not in _SINGLE}
    for field in _SINGLE:
        candidates = sorted((one.rank, index) for index, one in meanings.items() if one.field is field)
        if candidates and field not in used:
            fields[candidates.pop(0)[1]] = field
        if field is ContactField.PHONE_NUMBER:
            others = [index for rank, index in candidates if rank < NOT_OF_THE_CONTACT]
            fields |= dict.fromkeys(others, ContactField.OTHER_NUMBER)
    return fields


def _split_names(columns: Sequence[str], meanings: dict[int, Meaning]) -> None:
    """Read a name beside a family name as the given name (`Nombre, Apellidos`), and the reverse (`Name, Vorname`)."""
    by_field: dict[ContactField, list[int]] = {}
    for index, one in meanings.items():
        by_field.setdefault(one.field, []).append(index)
    names = by_field.get(ContactField.NAME, [])
    given, family = by_field.get(ContactField.GIVEN_NAME, []), by_field.get(ContactField.FAMILY_NAME, [])
    if len(names) != 1 or bool(given) == bool(family):
        return
    name = folded(columns[names[0]])
    if family and name in GIVEN_BESIDE_FAMILY:
        meanings[names[0]] = Meaning(ContactField.GIVEN_NAME)
    elif given and FAMILY_BESIDE_GIVEN.get(name) == folded(columns[given[0]]):
        meanings[names[0]] = Meaning(ContactField.FAMILY_NAME)


def _asked_by_column(columns: Sequence[str], asked: Sequence[ColumnMapping]) -> dict[str, ColumnMapping]:
    wanted: dict[str, ColumnMapping] = {}
    fields: set[ContactField] = set()
    attributes: set[str] = set()
    for asked_one in asked:
        column = find_column(columns, asked_one.column)
        if not column:
            raise _unknown(columns, asked_one.column)
        one = replace(asked_one, column=column)
        name = one.attribute or one.column
        if one.column in wanted:
            raise _invalid(one.column, "it is mapped twice")
        if one.field in _SINGLE and one.field in fields:
            raise _invalid(one.column, "another column has this field already")
        if one.field is ContactField.ATTRIBUTE and name in attributes:
            raise _invalid(one.column, "another column has this attribute already")
        fields.add(one.field)
        if one.field is ContactField.ATTRIBUTE:
            attributes.add(name)
        wanted[one.column] = ColumnMapping(one.column, one.field, name if one.field is ContactField.ATTRIBUTE else "")
    return wanted


def _check_attributes(mapping: Sequence[ColumnMapping]) -> None:
    names = [one.attribute for one in mapping if one.field is ContactField.ATTRIBUTE]
    if len(names) > MAX_ATTRIBUTES:
        raise InvalidArgument(
            Reason.TOO_MANY_COLUMNS,
            f"{len(names)} columns would be kept as attributes, a contact can have {MAX_ATTRIBUTES}: map the ones that "
            "matter (`--map`), and leave out the others (`--drop-unknown`, `drop_unknown_columns`)",
            metadata={"limit": str(MAX_ATTRIBUTES), "option": "--drop-unknown"},
        )
    names += [one.column for one in mapping if one.field in _KEPT_ASIDE]
    for name in names:
        if names.count(name) > 1:
            raise _invalid(name, "an attribute has the name of another column")


def _unknown(columns: Sequence[str], asked: str) -> InvalidArgument:
    """The file lacks a column; the message names the columns that it has, the similar ones first."""
    similar = difflib.get_close_matches(asked, columns, 3)
    listed = ", ".join([*similar, *(column for column in columns if column not in similar)])
    shown = listed if len(listed) <= _LONGEST_LIST else f"{listed[:_LONGEST_LIST]}…"
    return InvalidArgument(
        Reason.MAPPING_INVALID,
        f"the file has no column `{asked[:100]}`. It has: {shown}. Map one of them, or say which line names the "
        "columns (`--header-row N`, `source.header_row`)",
        metadata={"column": asked[:_SHOWN_NAMES], "columns": ", ".join(columns)},
    )


def _invalid(column: str, why: str) -> InvalidArgument:
    return InvalidArgument(
        Reason.MAPPING_INVALID,
        f"the mapping is not valid: {why}; PreviewImport shows the columns",
        metadata={"column": column[:_SHOWN_NAMES]},
    )
