"""The embedded parts: start, stop, killed owners, killed guards, two owners."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import psutil
import pytest

from bossjy_server.errors import StartError
from bossjy_server.storage.embedded import EmbeddedParts, start_embedded
from bossjy_server.storage.redis import open_redis, ping

# An owner in a process of its own: starts the parts, writes a row, says so, then sleeps until it is killed.
_OWNER = """
import asyncio, sys, asyncpg
from pathlib import Path
from bossjy_server.storage.embedded import start_embedded
async def own():
    async with start_embedded(Path(sys.argv[1]), postgres=True, redis=True) as parts:
        connection = await asyncpg.connect(parts.database_url)
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS value")
        print(parts.database_pid, parts.redis_pid, parts.guard_pid, flush=True)
        await asyncio.sleep(60)
asyncio.run(own())
"""


async def owner(folder: Path) -> tuple[asyncio.subprocess.Process, list[int]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _OWNER, str(folder), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    return process, [int(part) for part in line.split()]


async def eventually(holds: Callable[[], bool], within_s: float = 15) -> None:
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def kept(parts: EmbeddedParts) -> int:
    connection = await asyncpg.connect(parts.database_url)
    value: int = await connection.fetchval("SELECT value FROM kept")
    await connection.close()
    return value


async def test_data_survives_a_restart_and_secrets_are_the_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with start_embedded(folder, postgres=True, redis=True) as parts:
        connection = await asyncpg.connect(parts.database_url)
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS value")
        await connection.close()
        redis = open_redis(parts.redis_url)
        assert await ping(redis)
        await redis.set("kept", "42")
        await redis.aclose()
        assert "postgresql://" not in repr(parts)
        first = parts
    assert gone(first.database_pid)
    assert gone(first.redis_pid)
    async with start_embedded(folder, postgres=True, redis=True) as parts:
        assert await kept(parts) == 42
        redis = open_redis(parts.redis_url)
        assert await redis.get("kept") == b"42"
        await redis.aclose()
    assert folder.stat().st_mode & 0o777 == 0o700
    for name in ("postgres.password", "redis.password", "redis/redis.conf"):
        assert (folder / name).stat().st_mode & 0o077 == 0, name


async def test_parts_end_with_a_killed_owner_and_the_next_start_recovers(tmp_path: Path) -> None:
    process, pids = await owner(tmp_path)
    process.kill()
    await process.wait()
    async with start_embedded(tmp_path, postgres=True, redis=True) as parts:
        assert await kept(parts) == 42
        assert all(gone(pid) for pid in pids)


async def test_a_killed_guard_leaves_orphans_that_the_next_start_ends(tmp_path: Path) -> None:
    process, (database_pid, redis_pid, guard_pid) = await owner(tmp_path)
    os.kill(guard_pid, signal.SIGKILL)
    process.kill()
    await process.wait()
    await eventually(lambda: gone(guard_pid))
    assert not gone(database_pid)
    assert not gone(redis_pid)
    async with start_embedded(tmp_path, postgres=True, redis=True) as parts:
        assert await kept(parts) == 42
        await eventually(lambda: gone(database_pid) and gone(redis_pid))


async def test_a_second_owner_gets_one_line(tmp_path: Path) -> None:
    async with start_embedded(tmp_path, postgres=False, redis=True):
        with pytest.raises(StartError, match="another server uses the data folder"):
            async with start_embedded(tmp_path, postgres=False, redis=True):
                pass


async def test_a_folder_that_was_half_made_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "postgres.new").mkdir()
    (tmp_path / "postgres.new" / "PG_VERSION").write_text("18\n")
    async with start_embedded(tmp_path, postgres=True, redis=False) as parts:
        connection = await asyncpg.connect(parts.database_url)
        assert await connection.fetchval("SELECT current_database()") == "bossjy"
        await connection.close()


async def test_a_long_path_gets_its_sockets_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    for _ in range(2):
        async with start_embedded(folder, postgres=False, redis=True) as parts:
            redis = open_redis(parts.redis_url)
            assert await ping(redis)
            await redis.aclose()
    (folder / "run").resolve().rmdir()
