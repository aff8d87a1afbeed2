"""Messages of an upload stream, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bossjy_server.imports.records import Counts, ImportJob


@dataclass(frozen=True, slots=True)
class Open:
    """Opens a part."""

    import_id: str
    part: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of the part; `crc32c` is None if it is not to be checked."""

    offset: int
    data: bytes
    crc32c: int | None


@dataclass(frozen=True, slots=True)
class Finish:
    """Ends the part; an empty `sha256` is not checked."""

    size_bytes: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Opened:
    """The part is open."""

    next_offset: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Ack:
    """Rows were committed."""

    committed_offset: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Flow:
    """The limit of bytes in flight."""

    window_bytes: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A chunk was committed before."""

    offset: int
    committed_offset: int


@dataclass(frozen=True, slots=True)
class ShuttingDown:
    """The server drains."""

    grace_ms: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The part is committed to its end."""

    job: ImportJob


Message: TypeAlias = Open | Chunk | Finish
Answer: TypeAlias = Opened | Ack | Flow | Skipped | ShuttingDown | Finished
