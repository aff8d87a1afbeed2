"""Streams that are read once, with a look at their first bytes: standard input, pipes, text streams."""

from __future__ import annotations

import io
import select
import time
from typing import Any

from bossjy_client.errors import SourceError
from bossjy_client.read_options import ReaderLimits
from bossjy_client.readers.document import HEAD_BYTES, Document

_FEWEST = 8
# Longest wait for more bytes of a stream in the check before it is sent.
_GRACE_S = 0.2
# Formats whose first bytes are not enough: markup, cards, archives. The reader waits for more of them.
_UNCERTAIN = (
    b"<",
    b"[",
    b"{",
    b"BEGIN:",
    b"begin:",
    b"PK",
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"ARROW1",
    b"\xff\xff\xff\xff",
)
_ENOUGH = 4096
_SPACE = b" \t\r\n\xef\xbb\xbf\xff\xfe\0"


class PeekedStream:
    """A binary or text stream whose first bytes can be read twice. Text becomes UTF-8.

    Like the stream itself it returns the available bytes, so that a slow producer is uploaded as it produces.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._read = getattr(stream, "read1", None) or stream.read
        self._head = b""
        self._ended = False
        self.is_text = False

    def peek(self, size: int = 0) -> bytes:
        """The first bytes, enough to detect a file's format, at least `size` of them. Raises SourceError."""
        while not self._ended and len(self._head) < max(size, _FEWEST):
            self._more()
        while not self._ended and _is_uncertain(self._head):
            self._more()
        return self._head

    def sample(self, size: int) -> tuple[bytes, bool]:
        """The available bytes, at most `size`, and True if they are all. `read` returns them again.

        It waits only for the first bytes; it reads more while the producer has them ready.
        """
        self.peek()
        deadline = time.monotonic() + _GRACE_S
        while not self._ended and len(self._head) < size and self._is_ready(deadline - time.monotonic()):
            self._more()
        return self._head[:size], self._ended and len(self._head) <= size

    def _is_ready(self, wait_s: float) -> bool:
        try:
            return bool(select.select([self._stream], [], [], max(0.0, wait_s))[0])
        except (OSError, TypeError, ValueError):
            return False  # not a file, or a pipe of a system without this check

    def read(self, size: int, /) -> bytes:
        """Return the available bytes; empty at the end."""
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
            return data
        return b"" if self._ended else self._next(size)

    def _more(self) -> None:
        try:
            data = self._next(HEAD_BYTES)
        except OSError as error:
            raise SourceError(f"the stream cannot be read: {error}") from error
        self._head += data
        self._ended = not data

    def _next(self, size: int) -> bytes:
        data = self._read(size)
        if isinstance(data, str):
            self.is_text = True
            return data.encode("utf-8", "replace")
        if isinstance(data, bytes | bytearray | memoryview):
            return bytes(data)
        raise SourceError(
            f"the stream's read gave {type(data).__name__}, neither bytes nor text: open a file or a pipe"
        )


class LiveDocument(Document):
    """A stream as a document. It is read once, unless it is spooled by `file`."""

    def __init__(self, name: str, stream: PeekedStream, *, limits: ReaderLimits, spool_bytes: int) -> None:
        super().__init__(
            name, lambda: io.BufferedReader(_Raw(stream)), limits=limits, spool_bytes=spool_bytes, head=stream.peek()
        )
        self._stream = stream

    def first(self, size: int) -> bytes:
        """The first `size` bytes, which `open` reads again."""
        return self._stream.peek(size)[:size] if self._temporary is None else super().first(size)


class _Raw(io.RawIOBase):
    def __init__(self, stream: PeekedStream) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed asks for any buffer
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _is_uncertain(head: bytes) -> bool:
    text = head.lstrip(_SPACE)
    if not text:
        return len(head) < HEAD_BYTES
    if text.startswith(b"{"):
        # One line decides if it is JSON lines.
        return b"\n" not in text and len(head) < HEAD_BYTES
    if text.startswith(b"["):
        return not text[1:].strip(_SPACE) and len(head) < HEAD_BYTES
    return text.startswith(_UNCERTAIN) and len(head) < _ENOUGH
