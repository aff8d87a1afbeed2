"""Choice of a sheet: the first one with a usable phone column, if several have rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bossjy_client.errors import SourceError
from bossjy_client.read_options import ReadOptions

SAMPLE_ROWS = 100
# These words and the cells choose a sheet; the service knows many more, and decides the meaning of a column.
_PHONE_WORD = re.compile(
    r"phone|mobil|\btel\b|tele[fp]|\bcell|whatsapp|handy|celular|m[oó]vil|portable|gsm|\bmsisdn\b|\bsms\b"
    r"|手机|手機|电话|電話|联系方式|聯絡方式|携帯|전화|휴대|핸드폰|телефон|моб|điện thoại|\bsđt\b|cep|هاتف|جوال|موبايل",
    re.IGNORECASE,
)
_NO_PHONE_WORD = re.compile(r"fax|传真|傳真|\bid\b|факс", re.IGNORECASE)
_NUMBER = re.compile(r"\+?[\d\s().\-/]{7,24}(?:(?:ext|x|#)\.?\s*\d{1,6})?", re.IGNORECASE)
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}")
_NAMED_SHEETS = 10


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet; `first_rows` reads its first rows as text on demand."""

    name: str
    first_rows: Callable[[], Sequence[Sequence[str]]]
    hidden: bool = False


def choose_sheet(label: str, sheets: Sequence[Sheet], options: ReadOptions) -> tuple[str, str]:
    """The name of the sheet to read, and a message for people about the choice. Raises SourceError.

    Of the visible sheets, the first with all mapped columns is chosen; else the first with a column that has the name
    of a phone column and numbers; else the first with a column of numbers; else the only sheet with rows.
    """
    if not sheets:
        raise SourceError(f"{label}: it has no sheet")
    if len(sheets) == 1:
        return sheets[0].name, ""
    best, found, filled = 0, "", list[str]()
    for sheet in sheets:
        rows = sheet.first_rows()
        if not any(any(row) for row in rows):
            continue
        filled.append(sheet.name)
        score = 0 if sheet.hidden else _score(rows, options.columns)
        if score > best:
            best, found = score, sheet.name
        if best == (3 if options.columns else 2):
            break
    if found:
        return found, f"sheet `{found}` is read; --sheet chooses another one"
    if len(filled) <= 1:
        return (filled[0] if filled else sheets[0].name), ""
    raise SourceError(
        f"{label}: no sheet has a column of phone numbers; choose one of {listed(filled)} with --sheet, and name its "
        "phone column with --map phone=COLUMN"
    )


def listed(names: Sequence[str]) -> str:
    """Names for a message, shortened if there are many."""
    return ", ".join(names[:_NAMED_SHEETS]) + (", …" if len(names) > _NAMED_SHEETS else "")


def names_phone(text: str) -> bool:
    """True if the name of a column has a usual word for phone numbers."""
    return bool(_PHONE_WORD.search(text)) and not _NO_PHONE_WORD.search(text)


def is_number(text: str) -> bool:
    """True if a cell has the form of a phone number."""
    plain = text.strip().lstrip("'")
    digits = sum(sign.isdigit() for sign in plain)
    return 7 <= digits <= 19 and bool(_NUMBER.fullmatch(plain)) and not _DATE.match(plain)


def _score(rows: Sequence[Sequence[str]], mapped: Sequence[str]) -> int:
    """3: all mapped columns; 2: a column with the name of a phone column and numbers; 1: with numbers; 0: none."""
    if mapped and any(set(mapped) <= {cell.strip() for cell in row} for row in rows):
        return 3
    best = 0
    for column in range(max(map(len, rows), default=0)):
        cells = [row[column].strip() for row in rows if column < len(row) and row[column].strip()]
        numbers = sum(map(is_number, cells))
        if not numbers:
            continue
        first = next(index for index, cell in enumerate(cells) if is_number(cell))
        if any(names_phone(cell) for cell in cells[:first]):
            return 2
        if 2 * numbers >= len(cells) - first:
            best = 1
    return best
