"""Sources of an upload: bytes that can be read again from an offset, because an upload may have to go back."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Protocol

from bossjy_client.errors import SourceError


class Source(Protocol):
    """Bytes with offsets."""

    name: str
    """File name without folders, for people; empty if there is none."""
    size: int | None
    """Number of bytes; None if not known before the end."""

    @property
    def sha256(self) -> bytes | None:
        """SHA-256 of all bytes, if the source has read each of them; else None."""
        ...

    async def read(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`; empty at the end. Raises SourceError."""
        ...

    def release(self, offset: int) -> None:
        """Bytes before `offset` are not needed again."""
        ...

    def close(self) -> None:
        """Release all resources."""
        ...


class FileSource:
    """A file on disk, or a range of its bytes. Costs no memory. Reading fails if the file changes."""

    def __init__(self, path: Path, *, start: int = 0, end: int | None = None) -> None:
        self.name = path.name
        self._path = path
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise SourceError(f"{path}: {error.strerror}") from error
        if not os.path.isfile(path):  # noqa: PTH113 (follows links like open)
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

    @property
    def sha256(self) -> bytes | None:
        """None: a file is read only during its upload."""
        return None

    def release(self, offset: int) -> None:
        """Nothing to release."""

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
