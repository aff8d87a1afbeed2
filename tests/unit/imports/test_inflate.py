"""Decompression: any division of the bytes gives the same text, output is bounded, damage is reported."""

from __future__ import annotations

import gzip
import random
from itertools import pairwise

import pytest
import zstandard

from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.imports.reading.inflate import find_compression, make_inflater, read_plain
from bossjy_server.imports.records import Compression, SourceFormat

TEXT = b"".join(b"name %d,+86138001380%02d\n" % (n, n % 100) for n in range(3_000))
CUT = len(TEXT) // 3


def zstd(text: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(text)


FILES = {
    "gzip": (Compression.GZIP, gzip.compress(TEXT)),
    "gzip members": (Compression.GZIP, gzip.compress(TEXT[:CUT]) + gzip.compress(TEXT[CUT:])),
    "gzip padded": (Compression.GZIP, gzip.compress(TEXT[:CUT]) + b"\0" * 9 + gzip.compress(TEXT[CUT:]) + b"\0" * 512),
    "zstd": (Compression.ZSTD, zstd(TEXT)),
    "zstd frames": (Compression.ZSTD, zstd(TEXT[:CUT]) + zstd(TEXT[CUT:])),
}


def inflated(compression: Compression, pieces: list[bytes], limit: int) -> tuple[bytes, bool, int]:
    """The text, true if the last member ended, and the longest output of one call."""
    inflater = make_inflater(compression)
    assert inflater is not None
    text, longest = bytearray(), 0
    for piece in pieces:
        left = piece
        while left:
            plain, used = inflater.feed(left, limit)
            assert plain or used, "no progress"
            text += plain
            longest = max(longest, len(plain))
            left = left[used:]
    return bytes(text), inflater.whole, longest


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("seed", range(4))
def test_any_division_gives_the_same_text(name: str, seed: int) -> None:
    compression, data = FILES[name]
    chance = random.Random(seed)
    cuts = sorted({0, len(data), *(chance.randrange(len(data)) for _ in range(chance.choice((1, 7, 300))))})
    pieces = [data[a:b] for a, b in pairwise(cuts)]
    assert inflated(compression, pieces, 4096)[:2] == (TEXT, True)


@pytest.mark.parametrize("name", FILES)
def test_the_first_bytes_show_the_compression(name: str) -> None:
    compression, data = FILES[name]
    assert find_compression(data, Compression.FOUND_OUT) is compression
    assert find_compression(TEXT, Compression.FOUND_OUT) is Compression.NONE
    assert find_compression(data, Compression.NONE) is Compression.NONE


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_not_whole(name: str) -> None:
    compression, data = FILES[name]
    stripped = data.rstrip(b"\0")
    text, whole, _ = inflated(compression, [stripped[:-3]], 4096)
    assert TEXT.startswith(text)
    assert not whole
    with pytest.raises(InvalidArgument) as caught:
        read_plain(stripped[:-3], SourceFormat(), 10**6, complete=True)
    assert caught.value.reason is Reason.FORMAT_UNSUPPORTED


@pytest.mark.parametrize("name", FILES)
def test_damaged_bytes_are_reported(name: str) -> None:
    compression, data = FILES[name]
    broken = data[:40] + bytes(byte ^ 0xFF for byte in data[40:60]) + data[60:]
    with pytest.raises(InvalidArgument) as caught:
        # A damage that leaves the stream readable is found by the checksum at its end.
        assert inflated(compression, [broken], 4096)[1], "the damage went unnoticed"
        read_plain(broken, SourceFormat(), 10**6, complete=True)
    assert caught.value.reason is Reason.FORMAT_UNSUPPORTED


@pytest.mark.parametrize(("compression", "most"), [(Compression.GZIP, 64 * 1024), (Compression.ZSTD, 9 * 2**20)])
def test_the_output_of_one_call_is_bounded(compression: Compression, most: int) -> None:
    bomb = b"0" * (64 * 1024 * 1024)
    data = gzip.compress(bomb, 9) if compression is Compression.GZIP else zstd(bomb)
    inflater = make_inflater(compression)
    assert inflater is not None
    plain, used = inflater.feed(data, 64 * 1024)
    assert 0 < len(plain) <= most
    assert used < len(data)


def test_a_huge_window_is_refused() -> None:
    # A stream does not know its size, which would reduce the window.
    parameters = zstandard.ZstdCompressionParameters(window_log=28)
    writer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = writer.compress(TEXT) + writer.flush()
    with pytest.raises(InvalidArgument) as caught:
        inflated(Compression.ZSTD, [data], 4096)
    assert caught.value.reason is Reason.FORMAT_UNSUPPORTED


def test_the_head_of_a_file_is_read_within_the_limit() -> None:
    plain = read_plain(gzip.compress(TEXT), SourceFormat(), 1_000, complete=True)
    assert TEXT.startswith(plain.text)
    assert len(plain.text) <= 1_000
    assert not plain.complete
    assert plain.compression is Compression.GZIP
    assert not plain.is_arrow
