"""Embedded PostgreSQL and Redis: real servers in a folder, the default for local use.

They are children of a watchdog (`watchdog.py`), a separate process with a pipe to this one. When this process ends, for
any reason, the pipe closes and the watchdog stops them.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bossjy_server.blocking import in_thread
from bossjy_server.embedded.postgres_server import EmbeddedPostgres
from bossjy_server.embedded.redis_server import EmbeddedRedis
from bossjy_server.embedded.system import private_file
from bossjy_server.errors import StartError

_ANSWER_S = 2.0


@dataclass(frozen=True, slots=True)
class EmbeddedParts:
    """Addresses of the embedded servers. An unrequested server has an empty URL. The URLs contain passwords.

    The URLs name Unix sockets. PostgreSQL listens at the same port on 127.0.0.1 too. The ports are stored in the data
    folder (`postgres.port`, `redis.port`) with the passwords.
    """

    database_url: str = field(default="", repr=False)  # of the superuser, for init.sql and the operator's commands
    service_url: str = field(default="", repr=False)  # of the service's login
    redis_url: str = field(default="", repr=False)
    database_pid: int = 0
    redis_pid: int = 0
    watchdog_pid: int = 0


@asynccontextmanager
async def start_embedded(
    data_dir: Path,
    *,
    postgres: bool,
    redis: bool,
    start_timeout_s: float = 90.0,
    stop_timeout_s: float = 45.0,
) -> AsyncIterator[EmbeddedParts]:
    """Run the requested servers until the block ends. Raises StartError with one line of advice.

    The folder is created with mode 0700 and stays. A folder that another server uses is refused. A folder whose server
    was killed is taken over, after `stop_timeout_s` at most.
    """
    if not postgres and not redis:
        yield EmbeddedParts()
        return
    watchdog = await _start_watchdog(data_dir, postgres=postgres, redis=redis, wait_s=stop_timeout_s)
    try:
        yield await _ready(watchdog, data_dir, start_timeout_s)
    finally:
        await _end(watchdog, data_dir, stop_timeout_s)


async def running_database(data_dir: Path) -> EmbeddedParts | None:
    """The embedded PostgreSQL that a server runs in this folder, for an operator's command; None if none answers."""
    folder = data_dir.resolve()
    try:
        told = EmbeddedPostgres.addresses(folder)
        _, writer = await asyncio.wait_for(asyncio.open_unix_connection(told.socket), _ANSWER_S)
    except (OSError, ValueError):
        return None
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return EmbeddedParts(told.database_url, told.service_url)


async def _start_watchdog(data_dir: Path, *, postgres: bool, redis: bool, wait_s: float) -> asyncio.subprocess.Process:
    wanted = [name for name, asked in (("--postgres", postgres), ("--redis", redis)) if asked]
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = private_file(data_dir / "watchdog.log")
    except OSError as error:
        raise StartError(
            f"the data folder {data_dir} cannot be used ({error.strerror}): set BOSSJY_DATA_DIR to another folder"
        ) from error
    with log:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bossjy_server.embedded.watchdog",
            str(data_dir.resolve()),
            *wanted,
            f"--wait-s={wait_s}",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            # A Ctrl-C in the terminal must reach only this process: it needs the embedded servers until it has drained.
            start_new_session=True,
        )


async def _ready(watchdog: asyncio.subprocess.Process, data_dir: Path, timeout_s: float) -> EmbeddedParts:
    """Wait for the watchdog's single line: the addresses of the servers, or an error."""
    if watchdog.stdout is None:
        raise StartError("the watchdog of the embedded servers has no output")
    try:
        line = await asyncio.wait_for(watchdog.stdout.readline(), timeout_s)
    except TimeoutError as error:
        raise StartError(
            f"the embedded servers did not start in {timeout_s:g} s: see {data_dir}/watchdog.log"
        ) from error
    if not line:
        raise StartError(f"the watchdog of the embedded servers ended immediately: see {data_dir}/watchdog.log")
    told = json.loads(line)
    if "error" in told:
        raise StartError(told["error"])
    return EmbeddedParts(watchdog_pid=watchdog.pid, **told)


async def _end(watchdog: asyncio.subprocess.Process, data_dir: Path, timeout_s: float) -> None:
    """Close the pipe, wait until the watchdog has stopped the servers; stop them from here if it was killed."""
    if watchdog.stdin is not None:
        watchdog.stdin.close()  # early releases of Python 3.11 leave it open in communicate()
    try:
        await asyncio.wait_for(watchdog.communicate(), timeout_s)
    except TimeoutError:
        watchdog.kill()
        await watchdog.communicate()
    if watchdog.returncode is not None and watchdog.returncode < 0:
        folder = data_dir.resolve()
        await in_thread(EmbeddedRedis.end_orphan, folder)
        await in_thread(EmbeddedPostgres.end_orphan, folder)
