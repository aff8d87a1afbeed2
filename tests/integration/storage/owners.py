"""Owners of embedded servers in separate processes, which a test may kill."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

# Starts the embedded servers, writes a row, reports it. When stopped, it queries the database once more before it ends.
_OWNER = """
import asyncio, signal, sys, asyncpg
from pathlib import Path
from bossjy_server.embedded.servers import start_embedded
async def own():
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, end.set)
    async with start_embedded(Path(sys.argv[1]), postgres=True, redis=True) as parts:
        connection = await asyncpg.connect(parts.database_url)
        await connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS value")
        print(parts.database_pid, parts.redis_pid, parts.watchdog_pid, flush=True)
        await end.wait()
        await asyncio.sleep(1)
        print(await connection.fetchval("SELECT value FROM kept"), flush=True)
        await connection.close()
asyncio.run(own())
"""


@dataclass(frozen=True)
class Owner:
    """A process that owns embedded servers; the process ids of these."""

    process: asyncio.subprocess.Process
    database: int
    redis: int
    watchdog: int

    def all_gone(self) -> bool:
        return all(gone(pid) for pid in (self.database, self.redis, self.watchdog))

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()

    async def line(self) -> str:
        if self.process.stdout is None:
            return ""
        return (await self.process.stdout.readline()).decode().strip()


@asynccontextmanager
async def owner(folder: Path) -> AsyncIterator[Owner]:
    """A running owner. Nothing of it is left after the block, whatever the test did."""
    process = await start_owner(folder)
    pids: list[int] = []
    try:
        if process.stdout is not None:
            pids = [int(part) for part in (await process.stdout.readline()).split()]
        yield Owner(process, *pids)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
        if len(pids) == 3 and gone(pids[2]):  # otherwise the watchdog stops them
            for pid in pids[:2]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)


async def start_owner(folder: Path) -> asyncio.subprocess.Process:
    """An owner that is starting, in its own process group."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", _OWNER, str(folder), stdout=asyncio.subprocess.PIPE, start_new_session=True
    )


def gone(pid: int) -> bool:
    """True if a process has ended, even if nobody has waited for it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def eventually(holds: Callable[[], bool], within_s: float = 60) -> None:
    """Wait until a condition is true; a TimeoutError otherwise."""
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.02)
