"""Atomic output files: a file appears under its name complete, or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from bossjy_client.errors import SourceError


async def write_file(pieces: AsyncIterator[bytes], name: str) -> int:
    """Write the pieces to the file `name` (`-`: standard output). Returns the number of bytes. Raises SourceError."""
    if name == "-":
        return await _copy(pieces, sys.stdout.buffer.fileno())
    path = Path(name)
    try:
        with _new_file(path) as descriptor:
            return await _copy(pieces, descriptor)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error


@contextmanager
def _new_file(path: Path) -> Iterator[int]:
    """A descriptor of a nameless file beside `path` that gets its name after success."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        try:
            yield descriptor
        finally:
            os.close(descriptor)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


async def _copy(pieces: AsyncIterator[bytes], descriptor: int) -> int:
    size = 0
    async for piece in pieces:
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        size += len(piece)
    return size
