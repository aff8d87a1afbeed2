"""Rates shared by two processes through a real Redis: the error stated in `bossjy_server.rpc.rates`, and its end."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE

import pytest
from redis.asyncio import Redis

from bossjy_server.rpc.options import RateOptions
from bossjy_server.rpc.rates import Rates, Use, open_rates
from bossjy_server.storage.redis import open_redis
from bossjy_server.storage.shared_rates import SharedRates

PER_MINUTE, BURST_S, INTERVAL_S, SECONDS = 3000, 2.0, 0.5, 4.0
RATE = PER_MINUTE / 60
BURST = RATE * BURST_S

# A process that takes as fast as possible; prints the number of tokens that it got.
_TAKER = f"""
import asyncio, sys, time
from bossjy_server.rpc.options import RateOptions
from bossjy_server.rpc.rates import open_rates
from bossjy_server.storage.redis import open_redis
from bossjy_server.storage.shared_rates import SharedRates

async def main(url, seconds):
    redis = open_redis(url)
    shared = SharedRates(redis)
    options = RateOptions(interval_s={INTERVAL_S}, burst_s={BURST_S})
    async with open_rates(options, shared.exchange) as rates:
        await rates.exchange()
        book = rates.book("tenant", "phone")
        print("ready", flush=True)
        start = float(await asyncio.to_thread(sys.stdin.readline))
        await asyncio.sleep(start - time.time())
        got = 0
        while time.time() < start + seconds:
            got += not book.take("t", {PER_MINUTE})
            await asyncio.sleep(0.002)
    await shared.leave()
    await redis.aclose()
    print(got)

asyncio.run(main(sys.argv[1], float(sys.argv[2])))
"""


async def take_in_processes(url: str, number: int) -> list[int]:
    """The number of tokens that each of some processes got in SECONDS, all from the same moment on."""
    command = (sys.executable, "-c", _TAKER, url, str(SECONDS))
    processes = [await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE) for _ in range(number)]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    start = time.time() + 3 * INTERVAL_S  # by then each knows of the other
    outputs = [await process.communicate(f"{start}\n".encode()) for process in processes]
    return [json.loads(output) for output, _ in outputs]


async def test_two_processes_together_take_what_one_may(redis_url: str) -> None:
    got = await take_in_processes(redis_url, 2)
    granted = BURST + RATE * SECONDS
    error = BURST / 2 + 1 + RATE * INTERVAL_S / 2
    assert granted * 0.8 <= sum(got) <= granted + error, got


async def test_a_single_busy_process_gets_the_share_of_an_idle_one(redis_url: str) -> None:
    options = RateOptions(interval_s=INTERVAL_S, burst_s=BURST_S)
    idle = open_redis(redis_url)
    async with open_rates(options, SharedRates(idle).exchange):
        (got,) = await take_in_processes(redis_url, 1)
    await idle.aclose()
    granted = BURST + RATE * SECONDS
    assert granted * 0.8 <= got <= granted + BURST / 2 + 1 + RATE * INTERVAL_S / 2


async def test_surplus_is_owed_up_to_the_capacity_of_a_bucket(redis: Redis) -> None:
    shared = SharedRates(redis)
    assert await shared.exchange([]) == ([], 1)
    (left,), _ = await shared.exchange([Use("k", 3, 1.0, 10.0)])
    assert left == pytest.approx(7, abs=0.1)
    (left,), _ = await shared.exchange([Use("k", 1000, 1.0, 10.0)])
    assert left == pytest.approx(-10, abs=0.1)
    (other,), processes = await SharedRates(redis).exchange([Use("k", 0, 1.0, 10.0)])
    assert other == pytest.approx(-10, abs=0.5)
    assert processes == 2
    await shared.leave()
    assert (await SharedRates(redis).exchange([]))[1] == 2
    assert 0 < await redis.pttl("bossjy:rates:1:k") <= 20_000


async def test_redis_gone_leaves_each_process_its_share() -> None:
    lost = open_redis("redis://127.0.0.1:1", timeout_s=0.05)
    shared = SharedRates(lost)
    with pytest.raises(ConnectionError):
        await shared.exchange([])
    await shared.leave()
    rates = Rates(RateOptions(burst_s=1), shared.exchange)
    book = rates.book("tenant", "phone")
    assert [book.take("t", 180) for _ in range(3)] == [0, 0, 0]
    assert book.take("t", 180) > 0
    await rates.exchange()
    assert book.take("t", 180) > 0
    await lost.aclose()
