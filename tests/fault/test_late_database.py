"""A start before PostgreSQL answers: it waits, takes signals meanwhile, and serves as soon as it can."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from tests.e2e.conftest import ServerProcess
from tests.performance.faults.parts import Stage

pytestmark = pytest.mark.timeout(600)
TOLD = "the start waits for it"


def launched(stage: Stage, *words: str, **settings: str) -> ServerProcess:
    """A server that waits for PostgreSQL."""
    urls = {"DATABASE_URL": stage.postgres.url, "REDIS_URL": stage.redis.url}
    server = stage.make_server("serve", *words, **urls, **settings)
    server.launch()
    until(server, TOLD)
    return server


def until(server: ServerProcess, text: str) -> None:
    ends = time.monotonic() + 60
    while text not in server.text():
        assert not server.ended, server.text()
        assert time.monotonic() < ends, server.text()
        time.sleep(0.05)


async def test_the_start_waits_and_signals_work_meanwhile(parts_to_break: Stage) -> None:
    stage = parts_to_break
    await asyncio.to_thread(stage.postgres.stop)
    await asyncio.to_thread(stage.redis.stop)
    waiting: list[ServerProcess] = []
    try:
        for words in ((), ("--workers", "2")):
            ended = await asyncio.to_thread(launched, stage, *words)
            waiting.append(ended)
            assert await asyncio.to_thread(ended.terminate) == 0
            assert ended.text().count(TOLD) == 1
        server = await asyncio.to_thread(launched, stage, BOSSJY_DATABASE_START_WAIT_S="3000")
        waiting.append(server)
        server.send(signal.SIGHUP)
        assert not server.ended
        await asyncio.to_thread(stage.postgres.start)
        # Redis is still away: the server serves without it.
        await asyncio.to_thread(until, server, '"event":"serving"')
        await asyncio.to_thread(until, server, "signing keys were read again")
        assert '"part":"redis"' in server.text()
        await asyncio.to_thread(stage.redis.start)
        await asyncio.to_thread(until, server, '"event":"dependency answers","part":"redis"')
        assert "Traceback" not in server.text()
    finally:
        for one in waiting:
            await asyncio.to_thread(one.end)
        for part in (stage.postgres, stage.redis):
            await asyncio.to_thread(part.stop)
            await asyncio.to_thread(part.start)
