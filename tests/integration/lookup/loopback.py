"""A provider of live look-ups on loopback: HTTP/1.1 with configurable faults."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

NUMBER = "+8613800000000"


def reply(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    """One whole response; `retry_after` is the header Retry-After."""
    lines = [f"HTTP/1.1 {status} Reason", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join((*lines, "", "")).encode() + body


def told(**fields: Any) -> bytes:
    """A good answer."""
    return reply(body=json.dumps(fields).encode())


@dataclass
class Loopback:
    """Its requests, and its answers: each of `first` once, then `then`. None: close the connection."""

    port: int = 0
    scheme: str = "http"
    first: list[bytes | None] = field(default_factory=list)
    then: bytes | None = field(default_factory=lambda: told(carrier="Moon Mobile", line_status="active", ported=True))
    delay_s: float = 0.0
    drip: bool = False  # byte by byte
    heads: list[str] = field(default_factory=list)
    running: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/v1/numbers/{{e164}}?kind=line"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self.running.add(task)
        task.add_done_callback(self.running.discard)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            answer = self.first.pop(0) if self.first else self.then
            await asyncio.sleep(self.delay_s)
            for piece in [] if answer is None else _pieces(answer) if self.drip else [answer]:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.02 if self.drip else 0)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def _pieces(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


@asynccontextmanager
async def loopback(tls: ssl.SSLContext | None = None) -> AsyncIterator[Loopback]:
    """A provider that listens while the block runs, with TLS if a context is given."""
    provider = Loopback(scheme="https" if tls else "http")
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0, ssl=tls)
    provider.port = server.sockets[0].getsockname()[1]
    try:
        yield provider
    finally:
        server.close()
        for task in list(provider.running):
            task.cancel()
        while provider.running:
            await asyncio.sleep(0.01)
