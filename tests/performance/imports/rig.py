"""Rig of the trials: its own PostgreSQL and Redis, one server process, a proxy before it; each can be killed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import asyncpg
import psutil

from bossjy_server.embedded.servers import EmbeddedParts, start_embedded
from tests.e2e.conftest import ServerProcess, made_server, on_parts
from tests.parts import set_up
from tests.performance.imports.proxy import Proxy
from tests.performance.imports.table import Connection

# The guard gives PostgreSQL up after five restarts in a minute; beyond these a backend is killed, and PostgreSQL starts
# itself again.
_POSTMASTER_KILLS_A_MINUTE = 4
_UP_S = 60.0
# Clients of the trials open an upload again after this silence of the server: a longer pause of a server or a pipe has
# the effect that one of minutes has with the default of a minute.
STALL_TIMEOUT_S = 1.0
LONGEST_PAUSE_S = 2.5


class Fault(StrEnum):
    """A fault of an upload."""

    SERVER = "server"
    CLIENT = "client"
    POSTGRES = "postgres"
    CONNECTION = "connection"
    STALL = "stall"
    PIPE = "pipe"


@dataclass
class Rig:
    """All programs, running."""

    folder: Path
    parts: EmbeddedParts
    server: ServerProcess
    proxy: Proxy
    done: dict[str, int] = field(default_factory=dict)
    _postmaster_kills: list[float] = field(default_factory=list)

    async def connect(self) -> Connection:
        """A connection of the owner of the tables, once PostgreSQL answers."""
        deadline = time.monotonic() + _UP_S
        while True:
            try:
                return await asyncpg.connect(self.parts.database_url, timeout=5)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)

    async def strike(self, fault: Fault, rng: random.Random) -> None:
        """Cause the fault, and wait until all is up again. The trial itself kills the client and pauses the pipe."""
        if fault is Fault.SERVER:
            self.server.kill()
            self._count("server_kills")
            await asyncio.sleep(rng.uniform(0, 0.3))
            await asyncio.to_thread(self.server.start)
        elif fault is Fault.POSTGRES:
            self._kill_postgres(rng)
            await (await self.connect()).close()
        elif fault is Fault.CONNECTION:
            self.proxy.cut()
            self._count("connections_cut")
        elif fault is Fault.STALL:
            self.server.send(signal.SIGSTOP)
            try:
                await asyncio.sleep(rng.uniform(STALL_TIMEOUT_S, LONGEST_PAUSE_S))
            finally:
                self.server.send(signal.SIGCONT)
            self._count("server_stalls")

    def count_client(self) -> None:
        """Count a killed client."""
        self._count("client_kills")

    def count_pauses(self, pauses: int) -> None:
        """Count an uploaded pipe with its pauses."""
        self.done["pipe_pauses"] = self.done.get("pipe_pauses", 0) + pauses

    def _kill_postgres(self, rng: random.Random) -> None:
        postmaster = int((self.folder / "data" / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        now = time.monotonic()
        self._postmaster_kills = [at for at in self._postmaster_kills if now - at < 60]
        if len(self._postmaster_kills) < _POSTMASTER_KILLS_A_MINUTE:
            self._postmaster_kills.append(now)
            os.kill(postmaster, signal.SIGKILL)
            self._count("postgres_kills")
            return
        # Backends of the service: "postgres: bossjy bossjy [local] …".
        backends = [one for one in psutil.Process(postmaster).children() if "[local]" in " ".join(one.cmdline())]
        if backends:
            rng.choice(backends).kill()
            self._count("backend_kills")

    def _count(self, what: str) -> None:
        self.done[what] = self.done.get(what, 0) + 1


@asynccontextmanager
async def running_rig(folder: Path) -> AsyncIterator[Rig]:
    """Start everything in a folder; it ends with the block."""
    data = folder / "data"
    async with start_embedded(data, postgres=True, redis=True) as parts:
        (folder / "server").mkdir()
        await set_up(parts.database_url)
        server = made_server(
            folder / "server", **on_parts(parts.database_url, parts.redis_url), BOSSJY_LOG_CONSOLE="off"
        )
        try:
            await asyncio.to_thread(server.start)
            async with Proxy(int(server.environment["BOSSJY_PORT"])) as proxy:
                yield Rig(folder, parts, server, proxy)
        finally:
            await asyncio.to_thread(server.end)
