"""Part decoder: any division and any resumption of a part give the same rows, lines and offsets."""

from __future__ import annotations

import gzip
import random
from dataclasses import replace
from itertools import pairwise

import pytest

from bossjy_server.errors import FailedPrecondition, InvalidArgument, Reason
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.reading.decode import Piece, Reader, missing_header, resume_offset
from bossjy_server.imports.records import Compression, Counts, FileFormat, Header, Part, SourceFormat, Spec

OPTIONS = replace(ImportOptions(), block_bytes=256, max_row_bytes=256)
PLAIN = SourceFormat(
    format=FileFormat.CSV,
    compression=Compression.NONE,
    encoding="utf-8",
    delimiter=",",
    quote='"',
    header=Header.ABSENT,
    columns=("name", "phone"),
)
LINES = [f'n{n},"{n},{n}"' if n % 3 else f'"two\nlines {n}",{n}' for n in range(60)]
TEXT = "\n".join(LINES).encode()


def begin() -> Part:
    return Part(0, 0, 1, Counts())


def rows_of(piece: Piece) -> list[tuple[int, str, str]]:
    names, phones = ([str(cell) for cell in column.to_pylist()] for column in piece.rows.columns)
    return list(zip(piece.rows.lines.tolist(), names, phones, strict=True))


def read_all(
    source: SourceFormat,
    data: bytes,
    *,
    part: Part | None = None,
    pieces: int = 1,
    seed: int = 0,
    stop: int | None = None,
) -> tuple[list[tuple[int, str, str]], Part]:
    """The rows, and the part after them. `stop`: end after so many pieces, as a broken stream does."""
    part = part or begin()
    reader = Reader(Spec(source=source), part, OPTIONS)
    start = resume_offset(part)
    chance = random.Random(seed)
    cuts = sorted({start, len(data), *(chance.randrange(start, len(data) + 1) for _ in range(pieces - 1))})
    rows: list[tuple[int, str, str]] = []
    buffer = b""
    for number, (a, b) in enumerate(pairwise(cuts)):
        if number == stop:
            break
        buffer += data[a:b]
        more = True
        while more:
            piece = reader.read(buffer, final=b == len(data))
            rows += rows_of(piece)
            buffer, more = buffer[piece.used :], piece.more
    return rows, replace(
        part, committed_offset=reader.committed_offset, next_line=reader.next_line, decoder=reader.state
    )


EXPECTED = read_all(PLAIN, TEXT)[0]
FILES = {
    "plain": (PLAIN, TEXT),
    "gzip": (replace(PLAIN, compression=Compression.GZIP), gzip.compress(TEXT)),
    "gzip members": (replace(PLAIN, compression=Compression.GZIP), gzip.compress(TEXT[:99]) + gzip.compress(TEXT[99:])),
    "utf-16": (replace(PLAIN, encoding="utf-16le"), TEXT.decode().encode("utf-16-le")),
    "crlf": (PLAIN, "\r\n".join(LINES).encode()),
    "dos end": (PLAIN, TEXT + b"\n\x1a"),
}


def test_rows_have_the_lines_of_the_file() -> None:
    line, expected = 1, []
    for n, text in enumerate(LINES):
        expected.append((line, f"n{n}" if n % 3 else f"two\nlines {n}", f"{n},{n}" if n % 3 else f"{n}"))
        line += 1 + text.count("\n")
    assert expected == EXPECTED


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("seed", range(4))
def test_any_division_gives_the_same_rows(name: str, seed: int) -> None:
    source, data = FILES[name]
    rows, part = read_all(source, data, pieces=25, seed=seed)
    assert rows == EXPECTED
    assert part.committed_offset == len(data)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("stop", [1, 4, 9, 15])
def test_a_broken_stream_continues_after_its_last_row(name: str, stop: int) -> None:
    source, data = FILES[name]
    first, part = read_all(source, data, pieces=20, seed=stop, stop=stop)
    rest, part = read_all(source, data, part=part, pieces=7, seed=stop + 1)
    assert first + rest == EXPECTED
    assert part.committed_offset == len(data)


def test_an_encoding_after_a_start_in_ascii_is_kept_with_the_part() -> None:
    source = replace(PLAIN, encoding="us-ascii")
    ascii_rows = "".join(f"n{n},{n}\n" for n in range(40))
    data = (ascii_rows + "张伟,1\n李娜,2\n").encode("gb18030")
    rows, part = read_all(source, data[:-8], pieces=9)
    rest, _ = read_all(source, data, part=replace(part, finished=False))
    assert [name for _, name, _ in rows + rest][-2:] == ["张伟", "李娜"]
    assert "gb18030" in part.decoder


def test_compressed_bytes_start_again_and_plain_ones_do_not() -> None:
    _, part = read_all(*FILES["gzip"])
    assert resume_offset(part) == 0
    assert resume_offset(replace(part, finished=True)) == part.committed_offset
    _, part = read_all(PLAIN, TEXT)
    assert resume_offset(part) == len(TEXT)


def test_a_truncated_compressed_part_is_an_error() -> None:
    source, data = FILES["gzip"]
    with pytest.raises(InvalidArgument) as caught:
        read_all(source, data[:-9])
    assert caught.value.reason is Reason.FORMAT_UNSUPPORTED


def test_a_later_part_needs_the_header() -> None:
    error = missing_header()
    assert isinstance(error, FailedPrecondition)
    assert error.reason is Reason.UPLOAD_OUT_OF_ORDER
