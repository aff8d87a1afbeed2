"""Several processes on one port: one dies, all are renewed, the parent dies. Callers notice as little as possible."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx
import psutil
import pytest

from bossjy_server.embedded.system import free_port
from tests import metrics
from tests.e2e.conftest import ServerProcess
from tests.performance.faults.calls import Caller
from tests.performance.faults.load import Load, Tally
from tests.performance.faults.parts import Stage

pytestmark = pytest.mark.timeout(600)
MIX = {"validate": 10, "me": 1}


@dataclass
class Pair:
    """A server with two workers and a caller of it."""

    server: ServerProcess
    caller: Caller
    metrics_port: int

    def metric(self, name: str) -> float:
        return metrics.value(self.metrics_port, name)

    async def until(self, name: str, wanted: float, wait_s: float = 90.0) -> None:
        """Wait until a metric reaches a value."""
        ends = time.monotonic() + wait_s
        while (value := await asyncio.to_thread(self.metric, name)) < wanted:
            assert time.monotonic() < ends, f"{name} is {value}\n{self.server.text()[-2000:]}"
            await asyncio.sleep(0.2)

    def workers(self) -> list[psutil.Process]:
        assert self.server.process is not None
        return psutil.Process(self.server.process.pid).children()


@pytest.fixture(scope="module")
def two_workers(parts_to_break: Stage) -> Iterator[tuple[ServerProcess, int]]:
    """One server for all tests: a start takes seconds. The last test ends it."""
    port = free_port()
    server = parts_to_break.server("serve", "--workers", "2", BOSSJY_METRICS_PORT=str(port))
    yield server, port
    server.end()


@pytest.fixture
async def pair(two_workers: tuple[ServerProcess, int]) -> AsyncIterator[Pair]:
    server, port = two_workers
    async with Caller(server.target, connections=6, retrying=True) as caller:
        await caller.register()
        made = Pair(server, caller, port)
        await made.until("bossjy_workers", 2)
        yield made


async def test_the_pages_of_the_operations_port_come_from_a_worker(pair: Pair) -> None:
    pages = [
        await asyncio.to_thread(httpx.get, f"http://127.0.0.1:{pair.metrics_port}{path}", timeout=30)
        for path in ("/livez", "/readyz", "/jwks.json", "/nothing")
    ]
    assert [page.status_code for page in pages] == [200, 200, 200, 404]
    assert [page.text for page in pages[:2]] == ["alive\n", "ready\n"]
    assert {key["alg"] for key in pages[2].json()["keys"]} == {"ES256"}


async def test_a_rolling_restart_costs_no_call(pair: Pair) -> None:
    before = {worker.pid for worker in pair.workers()}
    async with Load(pair.caller, MIX, 100) as load:
        pair.server.send(signal.SIGHUP)
        await pair.until("bossjy_workers_renewed_total", 2)
        await asyncio.sleep(1)
    tally = Tally.of(load.outcomes)
    assert tally.sent > 100
    assert tally.ok == tally.sent, tally
    assert await asyncio.to_thread(pair.metric, "bossjy_workers") == 2
    assert not before & {worker.pid for worker in pair.workers() if worker.is_running()}


async def test_a_hangup_of_a_worker_reloads_and_ends_nothing(pair: Pair) -> None:
    workers = pair.workers()
    for worker in workers:
        worker.send_signal(signal.SIGHUP)
    logs = pair.server.data_dir / "logs"
    ends = time.monotonic() + 60
    while sum("signing keys were read again" in path.read_text() for path in logs.glob("bossjy-*.log")) < 2:
        assert time.monotonic() < ends
        await asyncio.sleep(0.1)
    assert all(worker.is_running() for worker in workers)
    assert (await pair.caller.call("validate")).ok


async def test_a_dead_worker_loses_only_its_own_calls_and_is_replaced(pair: Pair) -> None:
    # The kernel distributes connections: with six, both workers nearly always have some.
    async with Load(pair.caller, MIX, 50) as load:
        await asyncio.sleep(0.5)
        pair.workers()[0].kill()
        await pair.until("bossjy_workers_died_total", 1)
        await pair.until("bossjy_workers", 2)
    tally = Tally.of(load.outcomes)
    # Its calls were repeated on connections to the other; those whose answers had begun could not be.
    assert not tally.refused, tally
    assert sum(tally.failed.values()) <= 5, tally
    later = [await pair.caller.call("validate") for _ in range(20)]
    assert all(one.ok for one in later)


async def test_one_endpoint_tells_of_all_workers(pair: Pair) -> None:
    for _ in range(30):
        assert (await pair.caller.call("validate")).ok
    handled = await asyncio.to_thread(pair.metric, "grpc_server_handled_total")
    assert handled >= 30


async def test_workers_end_with_their_parent_however_it_ends(pair: Pair) -> None:
    workers = pair.workers()
    await asyncio.to_thread(pair.server.kill)
    gone, alive = await asyncio.to_thread(psutil.wait_procs, workers, 15)
    assert len(gone) == 2
    assert not alive
