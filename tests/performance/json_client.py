"""JSON client of the measurements: HTTP/1.1 over kept connections, as little work as possible for each call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Self

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Refused(Exception):
    """An answer that is not 200."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self._status = status

    def code(self) -> Any:
        """As an error of gRPC has it."""
        return self

    @property
    def name(self) -> str:
        """The HTTP status."""
        return self._status


class JsonChannel:
    """Connections to one server, with as much of grpc's channel as the measurements use."""

    def __init__(self, address: str) -> None:
        self._host, _, port = address.rpartition(":")
        self._port = int(port)
        self._free: list[_Connection] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        for _, unused in self._free:
            unused.close()

    async def channel_ready(self) -> None:
        """Connections are opened as they are needed."""

    def unary_unary(self, path: str) -> Any:
        """The function that calls a method: bytes of JSON in, bytes of JSON out."""

        async def call(request: bytes, metadata: Sequence[tuple[str, str]], timeout: float) -> bytes:  # noqa: ASYNC109 - as grpc's
            async with asyncio.timeout(timeout):
                reader, writer = self._free.pop() if self._free else await self._opened()
                lines = "".join(f"{key}: {value}\r\n" for key, value in metadata)
                head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{lines}"
                writer.write(f"{head}content-length: {len(request)}\r\n\r\n".encode() + request)
                answered = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                size = int(answered.partition("content-length: ")[2].partition("\r\n")[0])
                body = await reader.readexactly(size)
            self._free.append((reader, writer))
            status = answered.split(" ", 2)[1]
            if status != "200":
                raise Refused(status)
            return body

        return call

    async def _opened(self) -> _Connection:
        return await asyncio.open_connection(self._host, self._port)
