from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import pytest

from bossjy_client import SourceError
from bossjy_client.parts import cut

MIB = 1024 * 1024
PLAIN = b"+8613800138000,wang,\xe5\x8c\x97\xe4\xba\xac\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.csv"


def test_cuts_follow_line_ends(path: Path) -> None:
    data = b"phone,name,city\n" + PLAIN * 200_000
    path.write_bytes(data)
    runs = cut(path, 4)
    assert len(runs) == 4
    assert b"".join(data[start:end] for start, end in runs) == data
    assert all(data[start - 1 : start] == b"\n" for start, _ in runs[1:])
    assert max(end - start for start, end in runs) < len(data) / 4 + 100
    assert len(cut(path, 1000)) == len(data) // MIB


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        (b'"wang ""x"", li",+8613800138000\n', 3),
        (b'+8613800138000,5" pipe,"a"\n', 3),
        (b'"wang\nli",+8613800138000\n', 1),
        (b'5" pipe,"goes\non",1\n', 1),
        (b'"closed"x,+8613800138000\n', 1),
        (b'1,"never closed\n', 1),
        (b'1;"a\nb"\n', 1),
        (b"no line ends, or those of old Macs\r", 1),
    ],
)
def test_a_file_is_split_if_each_line_is_a_row(path: Path, row: bytes, parts: int) -> None:
    path.write_bytes(PLAIN * 10 + row + PLAIN * 150_000)
    if b"\r" in row:
        path.write_bytes(row * 100_000)
    assert len(cut(path, 3)) == parts


@pytest.mark.parametrize("head", [b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xff\xfe", b"p\0h\0"])
def test_bytes_that_are_no_lines_are_one_part(path: Path, head: bytes) -> None:
    path.write_bytes(head + PLAIN * 100_000)
    assert len(cut(path, 3)) == 1


def test_small_and_missing_files(path: Path) -> None:
    path.write_bytes(PLAIN)
    assert cut(path, 8) == [(0, len(PLAIN))]
    path.write_bytes(b"")
    assert cut(path, 8) == [(0, 0)]
    with pytest.raises(SourceError, match="No such file"):
        cut(path.with_name("missing"), 2)


def test_rows_of_the_parts_are_the_rows_of_the_file(path: Path) -> None:
    rng = random.Random(3)
    alphabet = ['"', ",", "a", "王", " ", "'"]
    rows = [["".join(rng.choices(alphabet, k=rng.randrange(8))) for _ in range(3)] for _ in range(120_000)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    data = text.getvalue().encode()
    path.write_bytes(data)
    runs = cut(path, 2, delimiter=",")
    assert len(runs) == 2
    read = [row for start, end in runs for row in csv.reader(io.StringIO(data[start:end].decode()))]
    assert read == rows
