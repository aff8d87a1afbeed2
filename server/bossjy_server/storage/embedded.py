"""The local default: a real PostgreSQL and a real Redis in a folder, for who has neither.

They are children of a guard (`guard.py`), a process of its own that holds a pipe to this one. When this process ends,
in whatever way, the pipe closes and the guard stops them.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bossjy_server.blocking import in_thread
from bossjy_server.errors import StartError
from bossjy_server.storage.embedded_postgres import EmbeddedPostgres
from bossjy_server.storage.embedded_redis import EmbeddedRedis
from bossjy_server.storage.process import private_file


@dataclass(frozen=True, slots=True)
class EmbeddedParts:
    """Where the parts are. A URL is empty for a part that was not asked for; the URLs hold passwords.

    The URLs name Unix sockets. PostgreSQL listens at the same port on 127.0.0.1 too; the ports are kept in the data
    folder (`postgres.port`, `redis.port`) beside the passwords.
    """

    database_url: str = field(default="", repr=False)  # of the superuser, for init.sql and the operator's commands
    service_url: str = field(default="", repr=False)  # of the service's login
    redis_url: str = field(default="", repr=False)
    database_pid: int = 0
    redis_pid: int = 0
    guard_pid: int = 0


@asynccontextmanager
async def start_embedded(
    data_dir: Path,
    *,
    postgres: bool,
    redis: bool,
    start_timeout_s: float = 90.0,
    stop_timeout_s: float = 45.0,
) -> AsyncIterator[EmbeddedParts]:
    """Run the parts that are asked for, until the block ends. Raises StartError with one line that says what to do.

    The folder is made with mode 0700 and survives. A folder that another server uses is refused; one whose server was
    killed is taken over, after `stop_timeout_s` at most.
    """
    if not postgres and not redis:
        yield EmbeddedParts()
        return
    guard = await _start_guard(data_dir, postgres=postgres, redis=redis, wait_s=stop_timeout_s)
    try:
        yield await _ready(guard, data_dir, start_timeout_s)
    finally:
        await _end(guard, data_dir, stop_timeout_s)


async def _start_guard(data_dir: Path, *, postgres: bool, redis: bool, wait_s: float) -> asyncio.subprocess.Process:
    wanted = [name for name, asked in (("--postgres", postgres), ("--redis", redis)) if asked]
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        log = private_file(data_dir / "guard.log")
    except OSError as error:
        raise StartError(
            f"the data folder {data_dir} cannot be used ({error.strerror}): set BOSSJY_DATA_DIR to another folder"
        ) from error
    with log:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bossjy_server.storage.guard",
            str(data_dir.resolve()),
            *wanted,
            f"--wait-s={wait_s}",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            # A Ctrl-C in the terminal must reach this process alone: the parts are needed until it has drained.
            start_new_session=True,
        )


async def _ready(guard: asyncio.subprocess.Process, data_dir: Path, timeout_s: float) -> EmbeddedParts:
    """Wait for the guard's one line: where the parts are, or why they are not."""
    if guard.stdout is None:
        raise StartError("the guard of the embedded parts has no output")
    try:
        line = await asyncio.wait_for(guard.stdout.readline(), timeout_s)
    except TimeoutError as error:
        raise StartError(f"the embedded parts did not start in {timeout_s:g} s: see {data_dir}/guard.log") from error
    if not line:
        raise StartError(f"the guard of the embedded parts ended at once: see {data_dir}/guard.log")
    told = json.loads(line)
    if "error" in told:
        raise StartError(told["error"])
    return EmbeddedParts(guard_pid=guard.pid, **told)


async def _end(guard: asyncio.subprocess.Process, data_dir: Path, timeout_s: float) -> None:
    """Close the pipe, wait until the guard has stopped the parts; stop them from here where it was killed."""
    if guard.stdin is not None:
        guard.stdin.close()  # early releases of Python 3.11 leave it open in communicate()
    try:
        await asyncio.wait_for(guard.communicate(), timeout_s)
    except TimeoutError:
        guard.kill()
        await guard.communicate()
    if guard.returncode is not None and guard.returncode < 0:
        folder = data_dir.resolve()
        await in_thread(EmbeddedRedis.end_orphan, folder)
        await in_thread(EmbeddedPostgres.end_orphan, folder)
