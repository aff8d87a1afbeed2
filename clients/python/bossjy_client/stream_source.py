"""Upload sources for streams that cannot seek: standard input, pipes, sockets, generators with `read`.

One thread reads the stream during the whole life of the source, across all connections that carry its bytes: two
readers would share the bytes between them, and some would be lost. The thread reads only on demand and returns the
available bytes, so that a slow producer is uploaded as it produces.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import threading
from collections import deque
from queue import SimpleQueue
from typing import IO, Protocol

from bossjy_client.config import ClientConfig
from bossjy_client.errors import SourceError

_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")  # gzip, Zstandard


class Readable(Protocol):
    """A binary stream. If it has `read1`, which returns the available bytes, that is preferred."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; empty at the end."""
        ...


class StreamSource:
    """A stream that cannot seek. Keeps in memory only the bytes that are not acknowledged yet.

    A compressed stream is kept on disk as a whole, up to `spool_bytes`: after a broken connection its upload restarts
    at the first byte. A stream that restarts at its first byte (the same command piped anew) resumes as well: bytes
    that are already committed are read and dropped.
    """

    def __init__(self, stream: Readable, name: str = "", *, spool_bytes: int = ClientConfig().spool_bytes) -> None:
        self.name = name
        self.size: int | None = None
        self._stream = stream
        self._spool_bytes = spool_bytes
        self._spool: IO[bytes] | None = None
        self._kept: deque[tuple[int, bytes]] = deque()  # (offset, bytes), without gaps
        self._begin = 0  # offset of the first byte that is kept
        self._end = 0  # offset after the last byte that was read
        self._dropped_spool = False
        self._digest = hashlib.sha256()
        self._failure: SourceError | None = None
        self._demands: SimpleQueue[int] | None = None
        self._reading: asyncio.Future[None] | None = None

    @property
    def sha256(self) -> bytes | None:
        """SHA-256 of the whole stream; None before its end."""
        return None if self.size is None else self._digest.digest()

    async def read(self, offset: int, size: int) -> bytes:
        """See Source. Waits until the stream has a byte at `offset`, for as long as the producer takes."""
        if offset < self._begin:
            raise SourceError(self._gone())
        while offset >= self._end and self.size is None:
            if offset > self._end:
                self.release(self._end)
            await self._read_on(size)
        if self._spool is not None:
            return os.pread(self._spool.fileno(), max(0, min(size, self._end - offset)), offset)
        for start, data in self._kept:
            if start <= offset < start + len(data):
                return data[offset - start : offset - start + size]
        return b""

    def _gone(self) -> str:
        if self._dropped_spool:
            return (
                f"the compressed stream has more than {self._spool_bytes} bytes, and its upload begins again at the "
                "first byte: save it to a file and import that"
            )
        return "the stream cannot go back to bytes that were acknowledged; start the upload again"

    async def _read_on(self, size: int) -> None:
        """Wait for the next bytes. A running read outlives the task that waits for it."""
        if self._failure is not None:
            raise self._failure
        if self._reading is None:
            self._reading = asyncio.get_running_loop().create_future()
            if self._demands is None:
                self._demands = SimpleQueue()
                # A daemon: a program that ends must not wait for a silent producer.
                threading.Thread(
                    target=_read_on_demand,
                    args=(self._stream, self._demands, asyncio.get_running_loop(), self._take),
                    name="bossjy-source",
                    daemon=True,
                ).start()
            self._demands.put(size)
        await asyncio.wait({self._reading})
        if self._failure is not None:
            raise self._failure

    def _take(self, data: bytes | Exception) -> None:
        """Keep bytes that were read. Runs in the event loop."""
        reading, self._reading = self._reading, None
        if reading is not None and not reading.done():
            reading.set_result(None)
        if isinstance(data, Exception):
            known = data if isinstance(data, SourceError) else None
            self._failure = known or SourceError(f"{self.name or 'the stream'}: {data}")
            return
        if not data:
            self.size = self._end
            return
        self._digest.update(data)
        if self._end == 0 and data.startswith(_COMPRESSED):
            self._spool = tempfile.TemporaryFile(prefix="bossjy-")  # noqa: SIM115 - closed by `close`
        if self._spool is not None and self._end + len(data) > self._spool_bytes:
            self._spool.close()
            self._spool, self._dropped_spool, self._begin = None, True, self._end
        if self._spool is not None:
            self._spool.write(data)
            self._spool.flush()
        else:
            self._kept.append((self._end, data))
        self._end += len(data)

    def release(self, offset: int) -> None:
        """Delete acknowledged bytes, unless the stream is kept as a whole."""
        while self._kept and self._kept[0][0] + len(self._kept[0][1]) <= offset:
            start, data = self._kept.popleft()
            self._begin = start + len(data)

    def close(self) -> None:
        """Stop reading. The stream itself belongs to the caller."""
        self._kept.clear()
        if self._demands is not None:
            self._demands.put(0)
        if self._spool is not None:
            self._spool.close()
            self._spool = None


def _read_on_demand(stream: Readable, demands: SimpleQueue[int], loop: asyncio.AbstractEventLoop, take: _Take) -> None:
    """The reader's thread: one read for each demand, until a demand of 0, the end of the stream or an error."""
    read = getattr(stream, "read1", stream.read)
    while size := demands.get():
        data: bytes | Exception
        try:
            data = read(size)
            if not isinstance(data, bytes | bytearray | memoryview):
                data = TypeError(f"read gave {type(data).__name__}: open the stream in binary mode")
        except Exception as error:  # noqa: BLE001 - any error of the caller's stream is raised to the caller
            data = error
        try:
            loop.call_soon_threadsafe(take, data if isinstance(data, Exception) else bytes(data))
        except RuntimeError:  # the loop is closed: nobody waits any more
            return
        if not data or isinstance(data, Exception):
            return


class _Take(Protocol):
    def __call__(self, data: bytes | Exception, /) -> None: ...
