"""A stream that stays open, by grpc's synchronous client: it always reports how the server ended the stream.

The asyncio client can report INTERNAL instead of a status that crossed a write (grpc/grpc issue 36066).
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any, Self

import grpc
from google.rpc import error_details_pb2, status_pb2

# The window of a stream keeps its initial size (64 KiB), so a larger message waits until it is read.
_OPTIONS = [
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.max_receive_message_length", -1),
]
Metadata = tuple[tuple[str, str], ...]


class OpenStream:
    """One stream on a separate connection. Messages are bytes. Use as a context manager."""

    def __init__(self, target: str, path: str, metadata: Metadata, *, reading: bool = True) -> None:
        """`reading` False: answers stay in the transport until `ended` is called."""
        self._target, self._path, self._metadata = target, path, metadata
        self._requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.answers: list[bytes] = []
        self.opened = time.monotonic()
        self.took_s = 0.0  # from the opening to the end
        self.code, self.reason, self.retry = "", "", False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reads = reading

    def __enter__(self) -> Self:
        self._channel = grpc.insecure_channel(self._target, options=_OPTIONS)
        opened: Any = self._channel.stream_stream(self._path)  # bytes in, bytes out: the stubs know only messages
        self._call = opened(self._sent(), metadata=self._metadata)
        if self._reads:
            self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._call.cancel()
        self._requests.put(None)
        self._channel.close()

    def send(self, message: bytes) -> None:
        self._requests.put(message)

    def finish(self) -> None:
        """Send no more."""
        self._requests.put(None)

    async def answered(self, count: int, within_s: float = 30.0) -> None:
        """Wait for this number of answers."""
        deadline = time.monotonic() + within_s
        while len(self.answers) < count and self._reader.is_alive() and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        assert len(self.answers) >= count, f"{len(self.answers)} answers, then {self.code} {self.reason}"

    async def ended(self, within_s: float = 30.0) -> str:
        """The reason with which the server ended the stream; 'OK' if it ended well; '' if it is open after the time."""
        if not self._reads:
            self._reads = True
            self._reader.start()
        await asyncio.to_thread(self._reader.join, within_s)
        return "" if self._reader.is_alive() else self.reason or self.code

    def _sent(self) -> Iterator[bytes]:
        while (message := self._requests.get()) is not None:
            yield message

    def _read(self) -> None:
        try:
            for answer in self._call:
                self.answers.append(answer)
            self.code = "OK"
        except grpc.RpcError:
            self.code = self._call.code().name
            for key, value in self._call.trailing_metadata() or ():
                if key == "grpc-status-details-bin":
                    self._keep(status_pb2.Status.FromString(value))
        self.took_s = time.monotonic() - self.opened

    def _keep(self, status: status_pb2.Status) -> None:
        for detail in status.details:
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info):
                self.reason = str(info.reason)
            self.retry = self.retry or detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR)
