"""Document for a reader: a file, an archive member or a spooled stream, with its first bytes."""

from __future__ import annotations

import codecs
import io
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import IO, Protocol

from bossjy_client.errors import SourceError
from bossjy_client.read_options import ReaderLimits

HEAD_BYTES = 64 * 1024
_PIECE = 1024 * 1024
_FEWEST = 8
# Byte order marks. Longer ones first: that of UTF-32 begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# Errors of decoders; Arrow's errors are among them.
_DAMAGED = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


class Stream(Protocol):
    """A binary stream with the methods that are used."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; empty at the end."""
        ...


class Document:
    """The bytes of one file. `open` returns them from the start; a stream that was not spooled returns them once."""

    def __init__(
        self,
        name: str,
        open_stream: Callable[[], IO[bytes]],
        *,
        limits: ReaderLimits,
        spool_bytes: int,
        path: Path | None = None,
        head: bytes | None = None,
        depth: int = 0,
    ) -> None:
        self.name = name
        self.limits = limits
        self.spool_bytes = spool_bytes
        self.depth = depth
        self._open = open_stream
        self._path = path
        self._head = head
        self._temporary: IO[bytes] | None = None

    @property
    def label(self) -> str:
        """The name of the document in messages."""
        return str(self._path or self.name or "the stream") if self._temporary is None else self.name or "the stream"

    def open(self) -> IO[bytes]:
        """The bytes from the start. Raises SourceError."""
        try:
            return self._open() if self._temporary is None else Path(self._temporary.name).open("rb")
        except OSError as error:
            raise SourceError(f"{self.label}: {error.strerror}") from error

    @cached_property
    def head(self) -> bytes:
        """The first bytes, at most HEAD_BYTES. Raises SourceError."""
        return self.first(HEAD_BYTES) if self._head is None else self._head

    def first(self, size: int) -> bytes:
        """The first `size` bytes. Raises SourceError."""
        with self.open() as stream, reading(self.label):
            data = b""
            while len(data) < size and (piece := stream.read(size - len(data))):
                data += piece
            return data

    @cached_property
    def wide_encoding(self) -> str:
        """The encoding by a byte order mark or by the zero bytes of the head; empty if there are none."""
        for mark, codec in MARKS:
            if self.head.startswith(mark):
                return codec
        head = self.head[:4096]
        zeros = [head[place::4].count(0) * 4 > len(head) * 0.6 for place in range(4)]
        patterns = {
            (False, True, True, True): "utf-32-le",
            (True, True, True, False): "utf-32-be",
            (False, True, False, True): "utf-16-le",
            (True, False, True, False): "utf-16-be",
        }
        codec = patterns.get((zeros[0], zeros[1], zeros[2], zeros[3]), "")
        # Binary formats have many zeros too.
        return codec if codec and len(head) >= _FEWEST and _is_text(head[: len(head) // 4 * 4], codec) else ""

    @cached_property
    def start(self) -> str:
        """The head as text, for ASCII signs of a format."""
        return self.head.decode(self.wide_encoding or "utf-8", "replace").removeprefix("\ufeff")

    def file(self) -> Path:
        """The document as a file on disk, spooled if necessary. Raises SourceError."""
        if self._path is not None:
            return self._path
        if self._temporary is None:
            with self.open() as stream:
                self._temporary = spooled(stream, self.spool_bytes, self.label)
        return Path(self._temporary.name)

    def close(self) -> None:
        """Remove the spooled file."""
        if self._temporary is not None:
            self._temporary.close()


def _is_text(data: bytes, codec: str) -> bool:
    text = data.decode(codec, "replace")
    return all(sign.isprintable() or sign in "\r\n\t" for sign in text[:1000])


class reading:  # noqa: N801 - a context manager, used as a function
    """Errors of reading as SourceError with the name of the document."""

    def __init__(self, label: str) -> None:
        self._label = label

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise SourceError for errors of decoders and files."""
        if isinstance(error, UnicodeDecodeError):
            raise SourceError(
                f"{self._label}: it has bytes that are not {error.encoding}: name the encoding with --encoding"
            ) from error
        if isinstance(error, _DAMAGED):
            raise SourceError(f"{self._label}: it is damaged or cannot be read: {error}") from error


def spooled(stream: Stream, limit: int, label: str) -> IO[bytes]:
    """A temporary file with the bytes of a stream. Raises SourceError for more than `limit` bytes."""
    file = tempfile.NamedTemporaryFile(prefix="bossjy-")  # noqa: SIM115 - the caller closes it
    size = 0
    try:
        with reading(label):
            while data := stream.read(_PIECE):
                size += len(data)
                if size > limit:
                    break
                file.write(data)
            file.flush()
    except BaseException:
        file.close()
        raise
    if size > limit:
        file.close()
        raise SourceError(f"{label}: it has more than {limit:,} bytes (spool_bytes): save it to a file and import that")
    return file


class Bounded(io.RawIOBase):
    """Decompressed bytes, at most `limit` of them. Raises SourceError beyond that, and if they are damaged."""

    def __init__(self, stream: IO[bytes], raw: IO[bytes], limit: int, label: str) -> None:
        super().__init__()
        self._stream, self._raw, self._limit, self._label = stream, raw, limit, label
        self._size = 0

    def readable(self) -> bool:
        """Always readable."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed asks for any buffer
        """Fill the buffer with the available bytes."""
        with reading(self._label):
            data = self._stream.read(len(buffer))
        self._size += len(data)
        if self._size > self._limit:
            raise SourceError(f"{self._label}: it unpacks to more than {self._limit:,} bytes (unpacked_bytes)")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the underlying streams."""
        self._stream.close()
        self._raw.close()
        super().close()
