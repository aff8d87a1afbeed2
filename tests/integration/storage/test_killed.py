"""Owners, watchdogs and embedded servers killed at bad moments: no committed data is lost, no process is left."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
import sys
from pathlib import Path

import asyncpg
import psutil
import pytest

from bossjy_server.embedded.servers import EmbeddedParts, start_embedded
from bossjy_server.storage.redis import open_redis, ping
from tests.integration.storage.owners import eventually, gone, owner, start_owner


async def _kept(parts: EmbeddedParts) -> int:
    connection = await asyncpg.connect(parts.database_url)
    value: int = await connection.fetchval("SELECT value FROM kept")
    await connection.close()
    redis = open_redis(parts.redis_url)
    assert await ping(redis)
    await redis.aclose()
    return value


async def test_parts_end_with_a_killed_owner_and_all_is_free_again(data_folder: Path) -> None:
    async with owner(data_folder) as owned:
        await owned.kill()
        await eventually(owned.all_gone)
    for part in ("postgres", "redis"):
        with socket.create_server(("127.0.0.1", int((data_folder / f"{part}.port").read_text()))):
            pass
    with (data_folder / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


async def test_a_start_right_after_a_kill_waits_and_finds_committed_data(data_folder: Path) -> None:
    async with owner(data_folder) as owned:
        await owned.kill()
        async with start_embedded(data_folder, postgres=True, redis=True) as parts:
            assert await _kept(parts) == 42
            assert owned.all_gone()


async def test_a_killed_guard_leaves_orphans_that_the_next_start_ends(data_folder: Path) -> None:
    async with owner(data_folder) as owned:
        os.kill(owned.watchdog, signal.SIGKILL)
        await owned.kill()
        await eventually(lambda: gone(owned.watchdog))
        assert not gone(owned.database)
        assert not gone(owned.redis)
        async with start_embedded(data_folder, postgres=True, redis=True) as parts:
            assert await _kept(parts) == 42
            assert owned.all_gone()


async def test_an_owner_ends_the_parts_itself_where_its_guard_was_killed(data_folder: Path) -> None:
    async with start_embedded(data_folder, postgres=True, redis=True) as parts:
        os.kill(parts.watchdog_pid, signal.SIGKILL)
    assert gone(parts.database_pid)
    assert gone(parts.redis_pid)


async def test_ctrl_c_reaches_only_the_owner(data_folder: Path) -> None:
    """The embedded servers run until the owner has drained."""
    async with owner(data_folder) as owned:
        os.killpg(owned.process.pid, signal.SIGINT)
        assert await owned.line() == "42"
        assert await owned.process.wait() == 0
        assert owned.all_gone()


async def test_a_forked_child_that_outlives_the_owner_does_not_keep_the_parts(tmp_path: Path) -> None:
    program = """
import asyncio, os, sys, time
from pathlib import Path
from bossjy_server.embedded.servers import start_embedded
async def own():
    async with start_embedded(Path(sys.argv[1]), postgres=False, redis=True) as parts:
        child = os.fork()  # has a copy of the watchdog's pipe
        if child == 0:
            time.sleep(50)
            os._exit(0)
        print(parts.watchdog_pid, parts.redis_pid, child, flush=True)
        await asyncio.sleep(50)
asyncio.run(own())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "ignore", "-c", program, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    watchdog, redis, child = map(int, (await process.stdout.readline()).split())
    process.kill()
    try:
        await eventually(lambda: gone(watchdog) and gone(redis))
        assert not gone(child)
    finally:
        os.kill(child, signal.SIGKILL)
        await process.communicate()


@pytest.mark.parametrize("with_guard", [False, True])
async def test_a_start_that_is_killed_while_the_database_is_made(tmp_path: Path, *, with_guard: bool) -> None:
    server = await start_owner(tmp_path)
    await eventually(lambda: _half_made(tmp_path))
    [watchdog] = psutil.Process(server.pid).children()
    server.kill()
    if with_guard:
        watchdog.kill()
    await server.communicate()
    await eventually(lambda: gone(watchdog.pid))
    # A watchdog ends what it began. Without one, half a folder is left, and a running initdb.
    assert (tmp_path / "postgres").exists() is not with_guard
    async with start_embedded(tmp_path, postgres=True, redis=False) as parts:
        connection = await asyncpg.connect(parts.database_url)
        assert await connection.fetchval("SELECT current_database()") == "bossjy"
        await connection.close()
    assert not _half_made(tmp_path)


def _half_made(folder: Path) -> bool:
    return any(folder.glob("postgres.new-*/base"))


async def test_a_killed_database_starts_again_also_while_a_statement_runs_on(data_folder: Path) -> None:
    """Its children outlive it while their statement runs; none may keep the next one from starting."""
    async with start_embedded(data_folder, postgres=True, redis=False) as parts:
        busy = await asyncpg.connect(parts.database_url)
        running = asyncio.create_task(busy.fetch("SELECT count(*) FROM generate_series(1, 1000000000)"))
        await asyncio.sleep(0.2)
        os.kill(parts.database_pid, signal.SIGKILL)
        connection = await _connected(parts.database_url)
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
        await asyncio.gather(running, return_exceptions=True)
        busy.terminate()


async def _connected(url: str) -> asyncpg.Connection[asyncpg.Record]:
    async with asyncio.timeout(60):
        while True:
            try:
                return await asyncpg.connect(url)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.1)


@pytest.mark.timeout(600)
async def test_a_server_that_dies_repeatedly_is_given_up(tmp_path: Path) -> None:
    async with start_embedded(tmp_path, postgres=False, redis=True) as parts:
        pid_file = tmp_path / "redis" / "redis.pid"
        killed: set[int] = set()
        async with asyncio.timeout(120):
            while not gone(parts.watchdog_pid):
                try:
                    pid = int(pid_file.read_text())
                except (OSError, ValueError):
                    pid = 0
                if pid and pid not in killed and not gone(pid):
                    killed.add(pid)
                    os.kill(pid, signal.SIGKILL)
                await asyncio.sleep(0.02)
        assert 2 <= len(killed) <= 7
    assert "died too often" in (tmp_path / "watchdog.log").read_text()
