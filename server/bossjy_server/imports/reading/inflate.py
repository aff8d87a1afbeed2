"""Decompression in bounded pieces: gzip of one or more members, Zstandard of one or more frames, Arrow."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Protocol

import zstandard

from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.imports.reading.arrow_text import ArrowText, looks_like_arrow
from bossjy_server.imports.records import Compression, FileFormat, SourceFormat

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# Compressed bytes for one call of a decoder without a limit on its output. Zstandard's blocks decompress to at most
# 128 KiB each from four bytes at least, so the output of a piece is at most 8 MiB.
_ZSTD_PIECE = 256


def find_compression(head: bytes, asked: Compression) -> Compression:
    """The requested compression, or the one that the first bytes show."""
    if asked is not Compression.FOUND_OUT:
        return asked
    if head.startswith(_GZIP):
        return Compression.GZIP
    return Compression.ZSTD if head.startswith(_ZSTD) else Compression.NONE


class Inflater(Protocol):
    """Takes compressed bytes, returns plain ones."""

    def feed(self, data: bytes, limit: int) -> tuple[bytes, int]:
        """Plain bytes, about `limit` at most, and the number of used bytes of `data`. Raises InvalidArgument."""

    @property
    def whole(self) -> bool:
        """True if the input so far ends with a member or frame."""

    @property
    def pending(self) -> bool:
        """True if more output is available without more input."""


@dataclass(frozen=True, slots=True)
class Plain:
    """The first bytes of a file as text, true if the text is complete, and the original compression and form."""

    text: bytes
    complete: bool
    compression: Compression
    is_arrow: bool


def read_plain(head: bytes, source: SourceFormat, limit: int, *, complete: bool) -> Plain:
    """The text of a file's first bytes, about `limit` bytes at most. Raises InvalidArgument if it is damaged."""
    compression = find_compression(head, source.compression)
    plain = _read(head, make_inflater(compression), limit, complete=complete)
    asked = source.format
    if asked is FileFormat.ARROW or (asked is FileFormat.FOUND_OUT and looks_like_arrow(plain[0])):
        text, complete = _read(head, make_inflater(compression, FileFormat.ARROW), limit, complete=complete)
        return Plain(text, complete, compression, is_arrow=True)
    return Plain(*plain, compression, is_arrow=False)


def _read(head: bytes, inflater: Inflater | None, limit: int, *, complete: bool) -> tuple[bytes, bool]:
    if inflater is None:
        return head, complete
    plain, used = inflater.feed(head, limit)
    complete = complete and used == len(head) and not inflater.pending
    if complete and not inflater.whole:
        raise damaged()
    return plain, complete


def make_inflater(compression: Compression, form: FileFormat = FileFormat.FOUND_OUT) -> Inflater | None:
    """A decoder to text from the first byte on; None if the bytes are text already."""
    inflater: Inflater | None = None
    match compression:
        case Compression.GZIP:
            inflater = _Gzip()
        case Compression.ZSTD:
            inflater = _Zstd()
        case _:
            pass
    if form is not FileFormat.ARROW:
        return inflater
    return _Chained(inflater, ArrowText()) if inflater else ArrowText()


class _Chained:
    """A decoder that passes its output to another one."""

    def __init__(self, first: Inflater, second: Inflater) -> None:
        self._first, self._second = first, second
        self._between = b""

    @property
    def whole(self) -> bool:
        return self._first.whole and self._second.whole

    @property
    def pending(self) -> bool:
        return self._second.pending or bool(self._between)

    def feed(self, data: bytes, limit: int) -> tuple[bytes, int]:
        used, text = 0, bytearray()
        while len(text) < limit:
            if not self.pending:
                self._between, more = self._first.feed(data[used:], limit)
                used += more
                if not self._between and used == len(data):
                    break
            plain, taken = self._second.feed(self._between, limit - len(text))
            self._between = self._between[taken:]
            text += plain
        return bytes(text), used


class _Gzip:
    pending = False

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)
        self._begun = False

    @property
    def whole(self) -> bool:
        return not self._begun

    def feed(self, data: bytes, limit: int) -> tuple[bytes, int]:
        plain, used = bytearray(), 0
        while used < len(data) and len(plain) < limit:
            if not self._begun and data[used] == 0:
                used += 1  # members may be padded with zeros
                continue
            self._begun = True
            try:
                plain += self._member.decompress(data[used:], limit - len(plain))
            except zlib.error as error:
                raise damaged() from error
            if self._member.eof:
                used = len(data) - len(self._member.unused_data)
                self._member, self._begun = zlib.decompressobj(wbits=31), False
            else:
                used = len(data) - len(self._member.unconsumed_tail)
        return bytes(plain), used


class _Zstd:
    pending = False

    def __init__(self) -> None:
        self._frame = self._new()
        self._begun = False

    @staticmethod
    def _new() -> zstandard.ZstdDecompressionObj:
        # A window beyond 128 MiB would let a client exhaust the server's memory.
        return zstandard.ZstdDecompressor(max_window_size=1 << 27).decompressobj()

    @property
    def whole(self) -> bool:
        return not self._begun

    def feed(self, data: bytes, limit: int) -> tuple[bytes, int]:
        plain, used = bytearray(), 0
        while used < len(data) and len(plain) < limit:
            piece = data[used : used + _ZSTD_PIECE]
            self._begun = True
            try:
                plain += self._frame.decompress(piece)
            except zstandard.ZstdError as error:
                raise damaged() from error
            used += len(piece)
            if self._frame.eof:
                used -= len(self._frame.unused_data)
                self._frame, self._begun = self._new(), False
        return bytes(plain), used


def damaged() -> InvalidArgument:
    """The error for bytes that cannot be read to their end."""
    return InvalidArgument(
        Reason.FORMAT_UNSUPPORTED, "the bytes are damaged or end too early: write or compress the file again"
    )
