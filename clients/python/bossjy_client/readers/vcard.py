"""vCards as CSV: one row a card, with a column for each number, the preferred and mobile ones first.

No library is suitable: vobject does not read version 4.0, and fails on quoted-printable text of telephones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bossjy_client.errors import SourceError
from bossjy_client.read_options import ReadOptions
from bossjy_client.readers.document import Document
from bossjy_client.readers.vcard_lines import Property, properties
from bossjy_client.tables import TableRows, csv_pieces

# Numbers beyond these share the last column.
_PHONE_COLUMNS = 8
_NO_VOICE = frozenset({"fax", "pager", "modem", "isdn", "x-fax"})
_ADDRESS = ("", "", "street", "city", "state", "postal code", "country")
_TEXTS = {
    "TITLE": "title",
    "ROLE": "role",
    "NICKNAME": "nickname",
    "BDAY": "birthday",
    "URL": "website",
    "NOTE": "note",
    "CATEGORIES": "categories",
}
_CONTROL = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(slots=True)
class _Card:
    cells: dict[str, str] = field(default_factory=dict)
    phones: list[tuple[float, str]] = field(default_factory=list)
    emails: list[tuple[bool, str]] = field(default_factory=list)


def is_vcard(document: Document) -> bool:
    """True if the document begins with a card."""
    return document.start.lstrip()[:11].upper() == "BEGIN:VCARD"


def read_vcard(document: Document, options: ReadOptions) -> TableRows:
    """The cards as rows. The columns are those that at least one card needs. Raises SourceError."""
    columns: dict[str, None] = dict.fromkeys(("name", "phone"))
    count = 0
    for row in _rows(document, options):
        count += 1
        columns |= dict.fromkeys(row)
    if not count:
        raise SourceError(f"{document.label}: it has no card")
    names = sorted(columns, key=_place)
    return TableRows(document.name, count, True, _pieces(document, options, names), release=document.close)


def _pieces(document: Document, options: ReadOptions, names: list[str]) -> Iterator[bytes]:
    def table() -> Iterator[list[str]]:
        yield names
        for row in _rows(document, options):
            yield [row.get(name, "") for name in names]

    return csv_pieces(table(), document.label, document.limits)


def _place(name: str) -> tuple[int, str]:
    """Name and numbers first, then the rest by name."""
    order = ("name", "given name", "family name", "phone", "email", "company")
    first = next((place for place, one in enumerate(order) if name == one or name.startswith(f"{one} ")), len(order))
    return first, name


def _rows(document: Document, options: ReadOptions) -> Iterator[dict[str, str]]:
    card: _Card | None = None
    outer: list[_Card] = []
    agent = False
    for one in properties(document, options):
        if one.name == "BEGIN" and one.value.strip().upper() == "VCARD":
            if card is not None and agent:
                outer.append(card)  # the nested card is its agent, a separate contact
            elif card is not None:
                yield _row(card)  # its end is missing
            card, agent = _Card(), False
        elif one.name == "END" and card is not None:
            yield _row(card)
            card = outer.pop() if outer else None
        elif card is not None:
            agent = one.name == "AGENT"
            _take(card, one)
    if card is not None:
        yield _row(card)


def _take(card: _Card, one: Property) -> None:
    cells = card.cells
    match one.name:
        case "TEL":
            _take_phone(card, one)
        case "EMAIL":
            address = re.sub(r"(?i)^mailto:", "", one.text)
            card.emails += [("pref" not in one.types, address)] if address else []
        case "FN":
            cells.setdefault("name", one.text)
        case "N":
            family, given, middle = [*one.parts(), "", "", ""][:3]
            cells.setdefault("family name", family)
            cells.setdefault("given name", " ".join(filter(None, (given, middle))))
        case "ORG":
            company, department = [*one.parts(), "", ""][:2]
            cells.setdefault("company", company)
            cells.setdefault("department", department)
        case "ADR":
            found = {column: text for column, text in zip(_ADDRESS, one.parts(), strict=False) if column and text}
            card.cells = found | cells
        case _ if one.name in _TEXTS:
            cells.setdefault(_TEXTS[one.name], one.text)
        case _:
            pass


def _take_phone(card: _Card, one: Property) -> None:
    number = one.text
    if number[:4].lower() == "tel:":
        number, *parameters = number[4:].split(";")
        extension = next((text[4:] for text in parameters if text.lower().startswith("ext=")), "")
        number += f" ext. {extension}" if extension else ""
    if not number or any(number == known for _, known in card.phones):
        return
    if one.types & _NO_VOICE and not one.types & {"voice", "cell", "pref"}:
        column = "pager" if "pager" in one.types else "fax"
        card.cells.setdefault(column, number)
        return
    ranks = (("pref",), ("cell", "mobile", "iphone"), ("home", "work"))
    rank = next((place for place, kinds in enumerate(ranks) if one.types.intersection(kinds)), 1.5)
    card.phones.append((rank, number))


def _row(card: _Card) -> dict[str, str]:
    cells = {name: text for name, text in card.cells.items() if text}
    if "name" not in cells and not (cells.keys() & {"given name", "family name"}) and "company" in cells:
        cells["name"] = cells["company"]
    phones = [number for _, number in sorted(card.phones, key=lambda one: one[0])]
    if len(phones) > _PHONE_COLUMNS:
        phones[_PHONE_COLUMNS - 1 :] = [";".join(phones[_PHONE_COLUMNS - 1 :])]
    emails = [address for _, address in sorted(card.emails, key=lambda one: one[0])][:_PHONE_COLUMNS]
    cells |= {f"phone {place}" if place > 1 else "phone": number for place, number in enumerate(phones, 1)}
    cells |= {f"email {place}" if place > 1 else "email": address for place, address in enumerate(emails, 1)}
    return {name: _CONTROL.sub("", text) for name, text in cells.items()}
