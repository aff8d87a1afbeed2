"""What is uploaded: bytes that can be read again from an offset, because an upload may have to go back."""

from __future__ import annotations

import asyncio
import io
import os
from collections import deque
from pathlib import Path
from typing import BinaryIO, Protocol

from bossjy_client.errors import SourceError


class Readable(Protocol):
    """A binary stream, as far as it is used."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; empty at the end."""
        ...


class Source(Protocol):
    """Bytes with offsets."""

    name: str
    """File name without folders, for people; empty if there is none."""
    size: int | None
    """Number of bytes; None if not known before the end."""

    async def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset` on; empty at the end. Raises SourceError."""
        ...

    def release(self, offset: int) -> None:
        """Bytes before `offset` are not asked for again."""
        ...

    def close(self) -> None:
        """Give back what is held."""
        ...


class FileSource:
    """A file on disk, or a run of its bytes. Costs no memory; refuses to go on when the file changes."""

    def __init__(self, path: Path, *, start: int = 0, end: int | None = None) -> None:
        self.name = path.name
        self._path = path
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise SourceError(f"{path}: {error.strerror}") from error
        if not os.path.isfile(path):  # noqa: PTH113 (follows what open followed)
            os.close(self._file)
            raise SourceError(f"{path}: not a file; a pipe is read with `-` from standard input")
        self._stamp = self._state()
        self._start = start
        self._length = (self._stamp[0] if end is None else end) - start
        self.size: int | None = self._length

    async def read(self, offset: int, size: int) -> bytes:
        """See Source."""
        wanted = max(0, min(size, self._length - offset))
        return await asyncio.to_thread(self._read, offset, wanted)

    def _read(self, offset: int, size: int) -> bytes:
        try:
            data = os.pread(self._file, size, self._start + offset)
        except OSError as error:
            raise SourceError(f"{self._path}: {error.strerror}") from error
        if len(data) < size or self._state() != self._stamp:
            raise SourceError(f"{self._path}: the file was changed while it was uploaded; import it again")
        return data

    def _state(self) -> tuple[int, int]:
        state = os.fstat(self._file)
        return state.st_size, state.st_mtime_ns

    def release(self, offset: int) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


class StreamSource:
    """A stream that cannot seek, such as standard input. Keeps what is not acknowledged yet, no more.

    A stream that begins again from its first byte (the same command piped anew) resumes: bytes that are
    committed already are read and dropped.
    """

    def __init__(self, stream: Readable, name: str = "") -> None:
        self.name = name
        self.size: int | None = None
        self._stream = stream
        self._kept: deque[tuple[int, bytes]] = deque()  # (offset, bytes), without gaps
        self._begin = 0  # offset of the first byte that is kept
        self._end = 0  # offset behind the last byte that was read

    async def read(self, offset: int, size: int) -> bytes:
        """See Source."""
        if offset < self._begin:
            raise SourceError("the stream cannot go back to bytes that were acknowledged; start the upload again")
        while offset >= self._end and self.size is None:
            if offset > self._end:
                self.release(self._end)
            await self._read_on(size)
        for start, data in self._kept:
            if start <= offset < start + len(data):
                return data[offset - start : offset - start + size]
        return b""

    async def _read_on(self, size: int) -> None:
        try:
            data = await asyncio.to_thread(self._stream.read, size)
        except (OSError, ValueError) as error:
            raise SourceError(f"{self.name or 'the stream'}: {error}") from error
        if not data:
            self.size = self._end
            return
        self._kept.append((self._end, data))
        self._end += len(data)

    def release(self, offset: int) -> None:
        """Forget what is acknowledged."""
        while self._kept and self._kept[0][0] + len(self._kept[0][1]) <= offset:
            start, data = self._kept.popleft()
            self._begin = start + len(data)

    def close(self) -> None:
        """The stream belongs to the caller."""
        self._kept.clear()


def open_source(
    source: str | os.PathLike[str] | BinaryIO | bytes | FileSource | StreamSource, name: str = ""
) -> Source:
    """A Source of a path, a binary stream, bytes, or one that is one already. Raises SourceError."""
    if isinstance(source, bytes):
        return StreamSource(io.BytesIO(source), name)
    if isinstance(source, str | os.PathLike):
        return FileSource(Path(source))
    if isinstance(source, FileSource | StreamSource):
        return source
    return StreamSource(source, name or Path(str(getattr(source, "name", ""))).name)
