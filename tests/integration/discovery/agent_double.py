"""A Consul agent on loopback: the calls of its HTTP API that the server and the clients use, with faults."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class AgentDouble:
    """Entries by id, and each request as `METHOD path`. `status`: the answer to every request, instead of its own."""

    port: int = 0
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    status: int = 0
    silent: bool = False
    index: int = 1
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def instances(self, *places: tuple[str, int]) -> None:
        """Let these be the healthy instances of `bossjy`. Queries that wait are answered."""
        self.entries = {
            f"{address}-{port}": {"Name": "bossjy", "Address": address, "Port": port} for address, port in places
        }
        self.index += 1
        self.changed.set()
        self.changed = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError
        with suppress(*ends), closing(writer):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                first, *lines = head.split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                method, path, _ = first.split(" ")
                self.requests.append(f"{method} {path}")
                self.tokens.append(headers.get("x-consul-token", ""))
                if self.silent:
                    await asyncio.Event().wait()
                if path.startswith("/v1/health/service/"):
                    answer = await self._healthy(path)
                    status = self.status or 200
                else:
                    status, answer = self.status or self._done(method, path, body), "{}"
                fields = f"x-consul-index: {self.index}\r\ncontent-length: {len(answer)}\r\n\r\n"
                writer.write(f"HTTP/1.1 {status} Reason\r\n{fields}{answer}".encode())
                await writer.drain()

    async def _healthy(self, path: str) -> str:
        """The instances, after a change if the query names the present index."""
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        if query.get("index") == [str(self.index)]:
            with suppress(TimeoutError):
                async with asyncio.timeout(float(query["wait"][0].rstrip("s"))):
                    await self.changed.wait()
        name = unquote(parts.path.rpartition("/")[2])
        found = [entry for entry in self.entries.values() if entry["Name"] == name]
        return json.dumps([{"Service": entry, "Node": {"Address": "127.0.0.1"}} for entry in found])

    def _done(self, method: str, path: str, body: bytes) -> int:
        path = path.partition("?")[0]
        if (method, path) == ("PUT", "/v1/agent/service/register"):
            entry = json.loads(body)
            self.entries[entry["ID"]] = entry
            return 200
        entry_id = unquote(path.rpartition("/")[2])
        if method == "PUT" and path.startswith("/v1/agent/service/deregister/"):
            return 200 if self.entries.pop(entry_id, None) else 404
        return 200 if entry_id in self.entries else 404


@asynccontextmanager
async def agent_double(port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[AgentDouble]:
    """A running double."""
    double = AgentDouble()
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        await double.serve(reader, writer)
        serving.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=tls)
    double.port = server.sockets[0].getsockname()[1]
    try:
        yield double
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
