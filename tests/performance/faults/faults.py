"""The faults: each function causes one and returns when it is over."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable

import asyncpg
import psutil

from tests import metrics
from tests.e2e.conftest import ServerProcess
from tests.performance.faults.abuse import ping_flood
from tests.performance.faults.calls import Caller
from tests.performance.faults.load import Load
from tests.performance.faults.parts import Part

FAULT_S = 4.0


def gone_for(down: Callable[[], None], up: Callable[[], None], seconds: float) -> Callable[[], Awaitable[None]]:
    """A fault that makes a dependency unavailable for a time."""

    async def fault() -> None:
        await asyncio.to_thread(down)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(up)

    return fault


def refusing(postgres: Part) -> Callable[[], Awaitable[None]]:
    """PostgreSQL runs and refuses connections."""

    async def fault() -> None:
        admin = await asyncpg.connect(postgres.url.replace("/bossjy?", "/postgres?"))
        await admin.execute("ALTER DATABASE bossjy ALLOW_CONNECTIONS false")
        await admin.fetch("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'bossjy'")
        await asyncio.sleep(FAULT_S)
        await admin.execute("ALTER DATABASE bossjy ALLOW_CONNECTIONS true")
        await admin.close()

    return fault


def flooding(target: str) -> Callable[[], Awaitable[None]]:
    """Twenty connections that send only pings; each must be ended with ENHANCE_YOUR_CALM."""

    async def fault() -> None:
        calmed = await asyncio.gather(*(ping_flood(target) for _ in range(20)))
        if not all(calmed):
            raise AssertionError(f"{calmed.count(False)} of 20 floods of pings were not ended by the server")

    return fault


def cancelling(target: str, owner: Caller, metrics_port: int) -> Callable[[], Awaitable[None]]:
    """10,000 streams opened and cancelled; the server must have no task of them afterwards."""

    def tasks() -> float:
        return metrics.value(metrics_port, "bossjy_tasks")

    async def fault() -> None:
        before = await asyncio.to_thread(tasks)
        # In another process, so that it does not slow down the one that counts.
        program = [sys.executable, "-m", "tests.performance.faults.abuse", target, "10000"]
        abuser = await asyncio.create_subprocess_exec(*program, stdin=asyncio.subprocess.PIPE)
        await abuser.communicate(owner.token.encode())
        if abuser.returncode:
            raise AssertionError(f"the cancelled streams ended with {abuser.returncode}")
        ends = time.monotonic() + 20
        while (after := await asyncio.to_thread(tasks)) > before + 30:
            if time.monotonic() > ends:
                raise AssertionError(f"{after:.0f} tasks, {before:.0f} before the cancelled streams")
            await asyncio.sleep(0.5)

    return fault


def overload(caller: Caller) -> Callable[[], Awaitable[None]]:
    """Five times as many logins per second as the server can serve, by an earlier count."""

    async def fault() -> None:
        began, done = time.monotonic(), 0

        async def one_after_another() -> None:
            nonlocal done
            while time.monotonic() < began + 3:
                outcome = await caller.call("login")
                done += outcome.ok

        await asyncio.gather(*(one_after_another() for _ in range(8)))
        rate = 5 * done / (time.monotonic() - began)
        print(f"    overload: {rate:.0f} logins a second, five times what was managed", flush=True)
        async with Load(caller, {"login": 1}, rate):
            await asyncio.sleep(FAULT_S)

    return fault


def killing(server: ServerProcess, metrics_port: int) -> Callable[[], Awaitable[None]]:
    """SIGKILL to one of two. The fault is over at once: the other serves."""

    async def fault() -> None:
        assert server.process is not None
        psutil.Process(server.process.pid).children()[0].kill()
        await until(metrics_port, "bossjy_workers_died_total", 1)

    return fault


def renewing(server: ServerProcess, metrics_port: int) -> Callable[[], Awaitable[None]]:
    """SIGHUP, until both are new."""

    async def fault() -> None:
        await until(metrics_port, "bossjy_workers", 2)
        server.send(signal.SIGHUP)
        await until(metrics_port, "bossjy_workers_renewed_total", 2)

    return fault


async def until(metrics_port: int, name: str, wanted_value: float) -> None:
    ends = time.monotonic() + 120
    while await asyncio.to_thread(metrics.value, metrics_port, name) < wanted_value:
        if time.monotonic() > ends:
            raise AssertionError(f"{name} did not reach {wanted_value}")
        await asyncio.sleep(0.1)
