from __future__ import annotations

import quopri
from pathlib import Path
from typing import Any

import pytest

from bossjy_client import ReaderLimits, SourceError
from tests.unit.client.readers.reading import data_of, rows_of, table_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "contacts.vcf"


def people(path: Path, **options: Any) -> list[dict[str, str]]:
    header, *rows = rows_of(path, **options)
    return [{name: cell for name, cell in zip(header, row, strict=True) if cell} for row in rows]


V21 = """BEGIN:VCARD\r
VERSION:2.1\r
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E5=BC=A0;=E4=BC=9F;;;\r
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=E5=BC=A0=E4=BC=9F=20=D0=9A=D0=\r
=BE=D0=BC\r
TEL;HOME;VOICE:010 5555 0100\r
TEL;CELL;PREF:138 0013 8000\r
TEL;WORK;FAX:010 5555 0199\r
EMAIL;INTERNET:zhang@example.com\r
ADR;WORK;PREF;ENCODING=QUOTED-PRINTABLE:;;1 Long Road=0D=0A=\r
Box 2;Beijing;;100000;China\r
PHOTO;ENCODING=BASE64;JPEG:\r
 /9j/4AAQSkZJRgABAQEAYABgAAD\r
 TEL:99999999999999\r
\r
END:VCARD\r
"""
V30 = r"""BEGIN:VCARD
VERSION:3.0
N:Lee;Ann;M.;Dr.;
FN:Dr. Ann M. Lee
ORG:Example\; Sons;Sales
item1.TEL;type=CELL;type=VOICE;type=pref:+1 202 555 0123
item1.X-ABLabel:private
TEL;TYPE=WORK,VOICE:+1 202 555 0124
TEL;TYPE="home":+1 202 555 0123
EMAIL;TYPE=INTERNET:ann@example.com
EMAIL;TYPE=INTERNET,PREF:lee@example.com
NOTE:first line\nsecond\, and a very long one that is fo
 lded in the middle
CATEGORIES:a,b
END:VCARD
"""
V40 = """BEGIN:VCARD
VERSION:4.0
FN:Bob Ray
TEL;VALUE=uri;PREF=1;TYPE="voice,cell":tel:+49-151-2345-6789
TEL;VALUE=uri;TYPE=work:tel:+49-30-123456;ext=12
EMAIL;PREF=1:mailto:bob@example.com
ADR;GEO="geo:12.3457,78.910";LABEL="Mr. Ray: home":;;5 Street;Berlin;;10115;Germany
END:VCARD
"""


def test_cards_of_all_versions(path: Path) -> None:
    path.write_text(V21 + V30 + V40, "utf-8", newline="")
    table = table_of(path)
    assert (table.row_count, table.has_header) == (3, True)
    assert people(path) == [
        {
            "name": "张伟 Ком",
            "given name": "伟",
            "family name": "张",
            "phone": "138 0013 8000",
            "phone 2": "010 5555 0100",
            "fax": "010 5555 0199",
            "email": "zhang@example.com",
            "street": "1 Long Road Box 2",
            "city": "Beijing",
            "postal code": "100000",
            "country": "China",
        },
        {
            "name": "Dr. Ann M. Lee",
            "given name": "Ann M.",
            "family name": "Lee",
            "phone": "+1 202 555 0123",
            "phone 2": "+1 202 555 0124",
            "email": "lee@example.com",
            "email 2": "ann@example.com",
            "company": "Example; Sons",
            "department": "Sales",
            "note": "first line second, and a very long one that is folded in the middle",
            "categories": "a,b",
        },
        {
            "name": "Bob Ray",
            "phone": "+49-151-2345-6789",
            "phone 2": "+49-30-123456 ext. 12",
            "email": "bob@example.com",
            "street": "5 Street",
            "city": "Berlin",
            "postal code": "10115",
            "country": "Germany",
        },
    ]
    assert data_of(table_of(path)) == data_of(table_of(path))


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_encodings(path: Path, codec: str) -> None:
    path.write_text("BEGIN:VCARD\nVERSION:3.0\nFN:张三\nTEL:13800138000\nEND:VCARD\n", codec)
    assert people(path) == [{"name": "张三", "phone": "13800138000"}]


@pytest.mark.parametrize("printable", [False, True])
def test_a_character_set_of_a_property(path: Path, *, printable: bool) -> None:
    raw = "Łukasz Wiśniewski".encode("iso-8859-2")
    raw = b"ENCODING=QUOTED-PRINTABLE:" + quopri.encodestring(raw) if printable else b"X=1:" + raw
    path.write_bytes(b"BEGIN:VCARD\r\nVERSION:2.1\r\nFN;CHARSET=ISO-8859-2;" + raw + b"\r\nTEL:1\r\nEND:VCARD\r\n")
    assert people(path)[0]["name"] == "Łukasz Wiśniewski"


def test_an_encoding_that_is_not_certain_is_asked_for(path: Path) -> None:
    path.write_bytes("BEGIN:VCARD\nVERSION:2.1\nFN:José Núñez\nTEL:1\nEND:VCARD\n".encode("latin-1"))
    with pytest.raises(SourceError, match="--encoding"):
        table_of(path)
    assert people(path, encoding="windows-1252")[0]["name"] == "José Núñez"


def test_a_fold_inside_a_character(path: Path) -> None:
    text = "FN:张三".encode()
    path.write_bytes(b"BEGIN:VCARD\nVERSION:3.0\n" + text[:5] + b"\n " + text[5:] + b"\nTEL:1\nEND:VCARD\n")
    assert people(path)[0]["name"] == "张三"


def test_cards_that_are_unusual(path: Path) -> None:
    path.write_text(
        "begin:vcard\nversion:3.0\norg:Acme\ntel:1\nend:vcard\n"
        "BEGIN:VCARD\nFN:no end\nTEL:2\n"
        "BEGIN:VCARD\nFN:boss\nAGENT:\nBEGIN:VCARD\nFN:agent\nTEL:3\nEND:VCARD\nTEL:4\nEND:VCARD\n"
        "BEGIN:VCARD\nFN:no number\nno colon\nTEL;TYPE=CELL\n\nEND:VCARD\n"
        "BEGIN:VCARD\nFN:many\n" + "".join(f"TEL:10{number}\n" for number in range(10)) + "END:VCARD"
    )
    found = people(path)
    assert [(one.get("name"), one.get("phone", "")) for one in found] == [
        ("Acme", "1"),
        ("no end", "2"),
        ("agent", "3"),
        ("boss", "4"),
        ("no number", ""),
        ("many", "100"),
    ]
    assert found[-1]["phone 8"] == "107;108;109"


def test_limits(path: Path) -> None:
    path.write_text("BEGIN:VCARD\nFN:x\nNOTE:" + "y" * 2000 + "\n" + " z\n" * 2000 + "TEL:1\nEND:VCARD\n")
    with pytest.raises(SourceError, match="record_characters"):
        table_of(path, ReaderLimits(record_characters=1000))
    with pytest.raises(SourceError, match="record_characters"):
        table_of(path, ReaderLimits(record_characters=3000))
    with pytest.raises(SourceError, match="cell_characters"):
        data_of(table_of(path, ReaderLimits(cell_characters=1000)))
