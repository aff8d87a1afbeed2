"""Cell forms: tests for columns that look like numbers, addresses, countries or calling codes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from bossjy_server.imports.reading.countries import HINTS

_NUMBER = re.compile(
    r"[\s'=\"+(（]*\d[\d\s()（）.+\-–—/\"'*;,:、|#]*(?:[a-z]{1,4}\.?\s*\d{1,6})?[\s\")）]*", re.IGNORECASE
)
_DATE = re.compile(r"\d{4}([-/.])\d{1,2}\1\d{1,2}.*|\d{1,2}([-/.])\d{1,2}\2\d{4}.*")
# Postal codes of Brazil, CEP. The same word means `mobile` in Turkish.
_POSTAL = re.compile(r"\d{5}-\d{3}")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# Signs and digits that mark a code as a calling code, and the codes of most lists that name area codes alike.
_SIGNED = re.compile(r"['(\s]*(?:\+|00)\s*\(?\d.*")
# Characters. A longer cell has none of these forms, and patterns would search it for a long time.
_LONGEST_CELL = 400
_KNOWN_CODES = frozenset({"86", "852", "853", "886"})


def are_numbers(cells: Sequence[str]) -> bool:
    """True if at least half of the cells are written like phone numbers."""
    return _share(cells, lambda cell: _is_number(cell, 5)) >= 0.5


def are_long_numbers(cells: Sequence[str]) -> bool:
    """The same, with at least seven digits each."""
    return _share(cells, lambda cell: _is_number(cell, 7)) >= 0.5


def are_addresses(cells: Sequence[str]) -> bool:
    """True if at least half of the cells are written like mail addresses."""
    return _share(cells, lambda cell: _ADDRESS.fullmatch(cell) is not None) >= 0.5


def are_countries(cells: Sequence[str]) -> bool:
    """True if most cells name countries."""
    return _share(cells, lambda cell: HINTS.region(cell) is not None) >= 0.8


def are_calling_codes(cells: Sequence[str], *, sure: bool) -> bool:
    """True if all cells are calling codes or countries. If not `sure`, they must not be area codes either."""
    if not cells or any(len(cell) > _LONGEST_CELL for cell in cells):
        return False
    if not all(HINTS.is_calling_code(cell) or HINTS.region(cell) for cell in cells):
        return False
    return sure or any(
        _SIGNED.fullmatch(cell) or cell in _KNOWN_CODES or not any(map(str.isdigit, cell)) for cell in cells
    )


def _is_number(cell: str, fewest: int) -> bool:
    digits = sum(character.isdigit() for character in cell)
    other = _DATE.fullmatch(cell) or _POSTAL.fullmatch(cell)
    return fewest <= digits and other is None and _NUMBER.fullmatch(cell) is not None


def _share(cells: Sequence[str], fits: Callable[[str], bool]) -> float:
    return sum(len(cell) <= _LONGEST_CELL and fits(cell) for cell in cells) / len(cells) if cells else 0.0
