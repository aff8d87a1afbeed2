from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from bossjy_client import SourceError
from tests.unit.client.readers.reading import data_of, is_sent_as_it_is, table_of


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf \r\n\x1a", "the file is empty"),
        (b"%PDF-1.4\n%", "it is a PDF document: export the list as CSV or XLSX"),
        (b"{\\rtf1\\ansi", "a text document"),
        (b"SQLite format 3\0" + bytes(80), "an SQLite database: export a table"),
        (b"Rar!\x1a\x07\x01\0", "a RAR archive: unpack it"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "a 7-Zip archive: unpack it"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"BEGIN:VCALENDAR\r\n", "a calendar: export the contacts"),
        (b"MIME-Version: 1.0\r\n", "save it as XLSX"),
    ],
)
def test_what_is_no_list_is_named(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=said):
        table_of(path)


def test_a_tar_archive(tmp_path: Path) -> None:
    path = tmp_path / "list.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("list.csv")
        member.size = 6
        archive.addfile(member, io.BytesIO(b"phone\n"))
    with pytest.raises(SourceError, match="a TAR archive: unpack it"):
        table_of(path)


@pytest.mark.parametrize("codec", ["utf-32", "utf-32-le", "utf-32-be"])
def test_utf_32_becomes_utf_8(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "list.csv"
    path.write_text("name,phone\n张三,13800138000\n", codec, newline="")
    table = table_of(path)
    assert (table.form, table.encoding) == (None, "utf-8")
    assert data_of(table).decode() == "name,phone\n张三,13800138000\n"


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030", "cp1252", "shift_jis"])
def test_text_goes_to_the_service_as_it_is(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "list.csv"
    for text in ("name,phone\nAnn,13800138000\n", "phone\n", "1", "<name>,<phone>\n", "name\tphone\n", "?xml,1\n"):
        path.write_text(text, codec, newline="")
        assert is_sent_as_it_is(path)
