"""Encodings of a file's first bytes: the right text, or an error that names the likely ones. Never another text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.reading.detect import Found, find_encoding, find_later_encoding
from bossjy_server.imports.reading.resolve import resolve
from bossjy_server.imports.reading.transcode import CODECS, IANA, codec_of
from bossjy_server.imports.records import Spec

PEOPLE = {
    "german": ["Jörg Müller", "Käthe Strauß"],
    "french": ["François Lefèvre", "Zoë Brûlé", "Jérôme"],
    "spanish": ["José García", "Íñigo Muñoz"],
    "portuguese": ["João Conceição", "Antônio"],
    "danish": ["Søren Kjær", "Åse"],
    "polish": ["Łukasz Wiśniewski", "Małgorzata Dąbrowska", "Zażółć Gęślą"],
    "czech": ["Jiří Dvořák", "Šárka Žižková", "Tomáš"],
    "hungarian": ["Kovács Győző", "Szűcs Ödön"],
    "turkish": ["Ayşe Yılmaz", "Çağrı Öztürk", "İbrahim Şahin"],
    "russian": ["Иван Петров", "Анна Смирнова", "Сергей"],
    "ukrainian": ["Олександр Шевченко", "Їжак Ґалаґан"],
    "greek": ["Γιώργος Παπαδόπουλος", "Μαρία"],
    "korean": ["김철수", "이영희"],
    "japanese": ["田中さくら", "スズキ"],
    "chinese": ["张伟", "李娜"],
    "hebrew": ["שלום כהן", "דוד לוי"],
    "arabic": ["محمد علي", "فاطمة"],
    "thai": ["สมชาย ใจดี"],
}
LEGACY = sorted({codec for codec in CODECS.values() if not codec.startswith("utf")})


def file_of(people: list[str]) -> str:
    return "Name;Phone\r\n" + "".join(f"Person {n};0151 2345670{n}\r\n{name};1\r\n" for n, name in enumerate(people))


def found_in(data: bytes) -> Found | None:
    """The encoding; None if it must be given."""
    raised: InvalidArgument | None = None
    found = None
    try:
        found = find_encoding(data, "", final=True)
    except InvalidArgument as error:
        raised = error
    if raised is not None:
        assert raised.reason is Reason.ENCODING_UNSUPPORTED
        assert "--encoding" in str(raised)
    else:
        assert found is not None
    return found


def written_in() -> list[tuple[str, str]]:
    found = []
    for language, people in PEOPLE.items():
        for codec in LEGACY:
            try:
                file_of(people).encode(codec)
            except UnicodeEncodeError:
                continue
            found.append((language, codec))
    return found


@pytest.mark.parametrize(("language", "codec"), written_in())
def test_the_text_is_right_or_the_encoding_is_asked_for(language: str, codec: str) -> None:
    text = file_of(PEOPLE[language])
    found = found_in(text.encode(codec))
    assert found is None or text.encode(codec).decode(found.value) == text


@pytest.mark.parametrize(
    ("language", "codec"),
    [
        *[(language, "cp1252") for language in ("german", "french", "spanish", "portuguese", "danish")],
        *[(language, codec) for language in ("polish", "czech", "hungarian") for codec in ("cp1250", "iso8859-2")],
        *[("turkish", "cp1254"), ("greek", "cp1253"), ("spanish", "mac-roman"), ("french", "mac-roman")],
        *[(language, codec) for language in ("russian", "ukrainian") for codec in ("cp1251",)],
        *[
            ("russian", "koi8-r"),
            ("russian", "cp866"),
            ("korean", "cp949"),
            ("japanese", "cp932"),
            ("chinese", "gb18030"),
        ],
    ],
)
def test_usual_files_are_certain(language: str, codec: str) -> None:
    text = file_of(PEOPLE[language])
    found = find_encoding(text.encode(codec), "", final=True)
    assert found is not None
    assert text.encode(codec).decode(found.value) == text


@pytest.mark.parametrize("name", [*CODECS, "Windows-1250", "ISO8859-2", "ISO_8859-2", "KOI8_R", "Mac Roman", "UTF8"])
def test_a_named_encoding_is_read(name: str) -> None:
    found = find_encoding(b"a", name, final=True)
    assert found is not None
    assert CODECS[IANA[found.value]] == found.value
    "a\r\n".encode(found.value)


def test_a_name_that_is_not_read_names_those_that_are() -> None:
    assert codec_of("ebcdic") is None
    with pytest.raises(InvalidArgument, match="windows-1250"):
        find_encoding(b"a", "ebcdic", final=True)


@given(st.binary(max_size=200))
def test_any_bytes_have_an_encoding_or_an_error(data: bytes) -> None:
    found = found_in(data)
    assert found is None or found.value in IANA


def test_bytes_after_ascii_tell_the_encoding() -> None:
    ascii_rows = b"Person,13800138000\n" * 5000
    chinese = "张伟,13800138001\n李娜,13800138002\n"
    assert find_later_encoding(ascii_rows) is None
    assert find_later_encoding(ascii_rows + chinese.encode("gb18030")) == "gb18030"
    assert find_later_encoding(ascii_rows + chinese.encode()) == "utf-8"
    assert find_later_encoding(ascii_rows + b"\xff\xfe\n") is None


@pytest.mark.parametrize("size", [100, 5000])
def test_only_a_long_beginning_of_ascii_leaves_the_encoding_open(size: int) -> None:
    data = b"phone,name\n" + b"13800138000,Person\n" * size
    found = resolve(data, Spec(), ImportOptions(), final=True)
    assert found is not None
    assert found.spec.source.encoding == ("utf-8" if size == 100 else "us-ascii")
