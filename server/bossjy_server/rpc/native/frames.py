"""gRPC frames: the messages in a request body, of bounded size, also if they are compressed."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator

from bossjy_server.errors import BossjyError, InvalidArgument, Reason, ResourceExhausted
from bossjy_server.rpc.native.asgi import DISCONNECT, Event, Receive

_HEAD = 5  # a flag, and the size in four bytes
# zlib's window bits; 32 more recognise gzip and zlib by their header.
_WINDOW = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
ENCODINGS = frozenset({"", "identity", *_WINDOW})


def framed(raw: bytes) -> bytes:
    """One message as a frame."""
    return b"\0" + len(raw).to_bytes(4, "big") + raw


class Messages:
    """Reads the messages of one request. The body is read as it is needed, so the transport's window bounds memory."""

    __slots__ = ("_body", "_encoding", "_ended", "_most", "_receive")

    def __init__(self, receive: Receive, most: int, encoding: str = "") -> None:
        """`most`: bytes of one message, before and after decompression. `encoding`: one of ENCODINGS."""
        self._receive, self._most, self._encoding = receive, most, encoding
        self._body, self._ended = bytearray(), False

    async def only(self) -> bytes:
        """The message of a unary request. Raises InvalidArgument if there is none or a second one."""
        event = await self._receive()
        body: bytes = event.get("body", b"")
        # Almost always the first event has the whole message.
        if len(body) >= _HEAD and body[0] == 0 and len(body) - _HEAD == int.from_bytes(body[1:_HEAD], "big"):
            if len(body) - _HEAD > self._most:
                raise _too_large(len(body) - _HEAD, self._most)
            if not event.get("more_body", False):
                return body[_HEAD:]
        self._take(event)
        message = await self.read()
        if message is None or await self.read() is not None:
            raise _malformed("a unary request must have exactly one message")
        return message

    async def all(self) -> AsyncIterator[bytes]:
        """The messages of a stream."""
        while (message := await self.read()) is not None:
            yield message

    async def read(self) -> bytes | None:
        """The next message, or None after the last. Raises CancelledError if the client has left."""
        if not await self._fill(_HEAD):
            if self._body:
                raise _malformed("the request ends within a message")
            return None
        size = int.from_bytes(self._body[1:_HEAD], "big")
        if size > self._most:
            raise _too_large(size, self._most)
        if not await self._fill(_HEAD + size):
            raise _malformed("the request ends within a message")
        compressed = self._body[0]
        message = bytes(memoryview(self._body)[_HEAD : _HEAD + size])
        del self._body[: _HEAD + size]
        if not compressed:
            return message
        return self._inflated(message)

    async def _fill(self, size: int) -> bool:
        """Read until the buffer has `size` bytes. False if the request ends before."""
        while len(self._body) < size:
            if self._ended:
                return False
            self._take(await self._receive())
        return True

    def _take(self, event: Event) -> None:
        if event["type"] == DISCONNECT:
            raise asyncio.CancelledError
        body = event.get("body", b"")
        self._body += body if isinstance(body, bytes) else b""
        self._ended = not event.get("more_body", False)

    def _inflated(self, message: bytes) -> bytes:
        window = _WINDOW.get(self._encoding)
        if window is None:
            raise _malformed("a message is marked as compressed, but the metadata entry grpc-encoding names no method")
        unpacking = zlib.decompressobj(window)
        try:
            plain = unpacking.decompress(message, self._most + 1)
        except zlib.error:
            raise _malformed(f"a message is not {self._encoding}, although grpc-encoding says so") from None
        if len(plain) > self._most:
            raise _too_large(len(plain), self._most)
        if not unpacking.eof:
            raise _malformed(f"a message in {self._encoding} is truncated")
        return plain


def _malformed(why: str) -> BossjyError:
    return InvalidArgument(Reason.MALFORMED_REQUEST, f"{why}: use a gRPC library to make the call")


def _too_large(size: int, most: int) -> BossjyError:
    return ResourceExhausted(
        Reason.MESSAGE_TOO_LARGE,
        f"the message has {size} bytes or more, {most} are accepted: send less in one message",
        metadata={"limit_bytes": str(most), "size_bytes": str(size)},
    )
