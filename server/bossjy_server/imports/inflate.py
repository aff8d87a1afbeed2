"""Compressed bytes to plain ones, in bounded pieces: gzip of one or more members, Zstandard of one or more frames."""

from __future__ import annotations

import zlib
from typing import Protocol

import zstandard

from bossjy_server.errors import InvalidArgument, Reason
from bossjy_server.imports.records import Compression

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# Compressed bytes that are given to a decoder that cannot bound what it gives back; Zstandard's blocks hold at most
# 128 KiB, so what comes of them is bounded by the number of blocks that fit.
_ZSTD_PIECE = 1024


def find_compression(head: bytes, asked: Compression) -> Compression:
    """The compression that was asked for, or the one that the first bytes show."""
    if asked is not Compression.FOUND_OUT:
        return asked
    if head.startswith(_GZIP):
        return Compression.GZIP
    return Compression.ZSTD if head.startswith(_ZSTD) else Compression.NONE


class Inflater(Protocol):
    """Takes compressed bytes, gives plain ones."""

    def feed(self, data: bytes, limit: int) -> tuple[bytes, int]:
        """Plain bytes, about `limit` at most, and how many bytes of `data` are used up. Raises InvalidArgument."""

    @property
    def whole(self) -> bool:
        """Whether what came so far ends with a member or frame."""


def make_inflater(compression: Compression) -> Inflater | None:
    """A decoder from the first byte on; None where nothing is compressed."""
    match compression:
        case Compression.GZIP:
            return _Gzip()
        case Compression.ZSTD:
            return _Zstd()
        case _:
            return None


class _Gzip:
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
    def __init__(self) -> None:
        self._frame = self._new()
        self._begun = False

    @staticmethod
    def _new() -> zstandard.ZstdDecompressionObj:
        # A window beyond 128 MiB would be a way to take the server's memory.
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
    """The compressed bytes cannot be read to their end."""
    return InvalidArgument(
        Reason.FORMAT_UNSUPPORTED, "the compressed bytes are damaged or end too early: compress the file again"
    )
