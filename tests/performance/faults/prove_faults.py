"""What callers see of each fault, and how soon it is over: `make prove-faults`.

    python -m tests.performance.faults.prove_faults [FAULT …]

A steady load of short calls (30 a second, of all services) runs through each fault. Counted are calls sent, answered,
refused with a documented reason, and failed otherwise. A call that failed otherwise makes the proof fail, but for those
that a fault makes unavoidable: a killed worker takes the calls with it that were on its connections; and grpc's server
answers CANCELLED, unseen, to a call that reaches it in the instant of its end. A client with gRPC's retries repeats
both (tests/fault/test_workers.py); this one does not. `recovery_s`: from the end of the fault to the begin of the last
call that was not answered.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import psutil

from bossjy_server.storage.process import free_port
from tests.e2e.conftest import ServerProcess
from tests.figures import FOLDER, write_figures
from tests.performance.faults.abuse import ping_flood
from tests.performance.faults.calls import Caller
from tests.performance.faults.load import Load, Tally, recovery_s
from tests.performance.faults.network import BadNetwork, postgres_over, postgres_socket, redis_over, redis_socket
from tests.performance.faults.parts import Part, Stage, stage

MIX = {"validate": 8, "me": 4, "contacts": 3, "stats": 1, "login": 2, "import": 1, "stream": 1}
PER_SECOND = 30.0
QUIET_S, FAULT_S, AFTER_S = 1.0, 4.0, 5.0
UNAVOIDABLE = {
    "worker_killed": ("Connection reset", "Stream removed", "Socket closed", "failed to connect"),
    "rolling_restart": ("CANCELLED  CANCELLED",),
}


@dataclass(frozen=True)
class Result:
    """One fault's."""

    name: str
    tally: Tally
    unavoidable: int
    recovery_s: float

    @property
    def failed(self) -> int:
        return sum(self.tally.failed.values()) - self.unavoidable


async def under_load(
    name: str, caller: Caller, fault: Callable[[], Awaitable[None]], *, mix: dict[str, int] | None = None
) -> Result:
    """Run a fault in the midst of the load; `fault` returns when it is over."""
    async with Load(caller, mix or MIX, PER_SECOND) as load:
        await asyncio.sleep(QUIET_S)
        await fault()
        healed = time.monotonic()
        await asyncio.sleep(AFTER_S)
    tally = Tally.of(load.outcomes)
    marks = UNAVOIDABLE.get(name, ())
    unavoidable = sum(count for text, count in tally.failed.items() if any(mark in text for mark in marks))
    result = Result(name, tally, unavoidable, recovery_s(load.outcomes, healed))
    print(
        f"{name:20} sent {tally.sent:5}  ok {tally.ok:5}  refused {sum(tally.refused.values()):5}  "
        f"failed {result.failed:3}  unavoidable {unavoidable:3}  recovery {result.recovery_s:.2f} s",
        flush=True,
    )
    for text, count in [*tally.refused.items(), *tally.failed.items()]:
        print(f"    {count} × {text}", flush=True)
    return result


def gone_for(down: Callable[[], None], up: Callable[[], None], seconds: float) -> Callable[[], Awaitable[None]]:
    """A fault that takes a part away for a time."""

    async def fault() -> None:
        await asyncio.to_thread(down)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(up)

    return fault


def refusing(postgres: Part) -> Callable[[], Awaitable[None]]:
    """PostgreSQL runs and takes nobody in."""

    async def fault() -> None:
        admin = await asyncpg.connect(postgres.url.replace("/bossjy?", "/postgres?"))
        await admin.execute("ALTER DATABASE bossjy ALLOW_CONNECTIONS false")
        await admin.fetch("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = 'bossjy'")
        await asyncio.sleep(FAULT_S)
        await admin.execute("ALTER DATABASE bossjy ALLOW_CONNECTIONS true")
        await admin.close()

    return fault


async def parts_gone(at: Stage) -> AsyncIterator[Result]:
    """Faults of PostgreSQL and Redis, and abuse, on one server."""
    port = free_port()
    server = await asyncio.to_thread(lambda: at.server(BOSSJY_METRICS_PORT=str(port)))
    postgres, redis = at.postgres, at.redis
    async with Caller(server.target, connections=4) as caller:
        await caller.register()
        faults = {
            "redis_stopped": gone_for(redis.stop, redis.start, FAULT_S),
            "redis_paused": gone_for(redis.pause, redis.resume, FAULT_S),
            "redis_restarted": gone_for(redis.stop, redis.start, 0),
            "postgres_stopped": gone_for(postgres.stop, postgres.start, FAULT_S),
            "postgres_paused": gone_for(postgres.pause, postgres.resume, FAULT_S),
            "postgres_restarted": gone_for(postgres.stop, postgres.start, 0),
            "postgres_refusing": refusing(postgres),
            "ping_abuse": flooding(server.target),
            "cancelled_streams": cancelling(server.target, caller, port),
            "overload": overload(caller),
        }
        for name, fault in faults.items():
            if wanted(name):
                yield await under_load(name, caller, fault)
    await asyncio.to_thread(server.end)


def flooding(target: str) -> Callable[[], Awaitable[None]]:
    """Twenty connections that send nothing but pings; each must be told to calm down."""

    async def fault() -> None:
        calmed = await asyncio.gather(*(ping_flood(target) for _ in range(20)))
        if not all(calmed):
            raise AssertionError(f"{calmed.count(False)} of 20 floods of pings were not ended by the server")

    return fault


def cancelling(target: str, owner: Caller, metrics_port: int) -> Callable[[], Awaitable[None]]:
    """10,000 streams opened and cancelled; the server must hold no task of them afterwards."""

    def tasks() -> float:
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith("bossjy_tasks "))

    async def fault() -> None:
        before = await asyncio.to_thread(tasks)
        # By a process of its own, which must not slow down the one that counts.
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
    """Five times as many logins a second as the server manages, which were counted before."""

    async def fault() -> None:
        began, done = time.monotonic(), 0

        async def one_after_another() -> None:
            nonlocal done
            while time.monotonic() < began + 3:
                done += (await caller.call("login")).ok

        await asyncio.gather(*(one_after_another() for _ in range(8)))
        rate = 5 * done / (time.monotonic() - began)
        print(f"    overload: {rate:.0f} logins a second, five times what was managed", flush=True)
        async with Load(caller, {"login": 1}, rate):
            await asyncio.sleep(FAULT_S)

    return fault


async def bad_network(at: Stage) -> AsyncIterator[Result]:
    """Delay, loss and silence between the server and both parts."""
    async with (
        BadNetwork(postgres_socket(at.postgres.url)) as to_postgres,
        BadNetwork(redis_socket(at.redis.url)) as to_redis,
    ):
        server = await asyncio.to_thread(
            lambda: at.server(
                DATABASE_URL=postgres_over(at.postgres.url, to_postgres.port),
                REDIS_URL=redis_over(at.redis.url, to_redis.port),
            )
        )

        def network(**values: float) -> Callable[[], None]:
            def change() -> None:
                for one in (to_postgres, to_redis):
                    for name, value in values.items():
                        setattr(one, name, value)

            return change

        async with Caller(server.target, connections=4) as caller:
            await caller.register()
            faults = {
                "network_delay": (network(delay_s=0.01), network(delay_s=0.0)),
                "network_loss": (network(stall=0.02), network(stall=0.0)),
                "network_dead": (network(dead=True), network(dead=False)),
            }
            for name, (bad, good) in faults.items():
                if wanted(name):
                    yield await under_load(name, caller, gone_for(bad, good, FAULT_S))
        await asyncio.to_thread(server.end)


async def workers(at: Stage) -> AsyncIterator[Result]:
    """A worker killed, all renewed."""
    port = free_port()
    server = await asyncio.to_thread(lambda: at.server("serve", "--workers", "2", BOSSJY_METRICS_PORT=str(port)))
    async with Caller(server.target, connections=6) as caller:
        await caller.register()
        await _until(port, "bossjy_workers", 2)
        faults = {"worker_killed": killing(server, port), "rolling_restart": renewing(server, port)}
        for name, fault in faults.items():
            if wanted(name):
                yield await under_load(name, caller, fault)
    await asyncio.to_thread(server.end)


def killing(server: ServerProcess, metrics_port: int) -> Callable[[], Awaitable[None]]:
    """SIGKILL to one of two. Over at once: the other serves."""

    async def fault() -> None:
        assert server.process is not None
        psutil.Process(server.process.pid).children()[0].kill()
        await _until(metrics_port, "bossjy_workers_died_total", 1)

    return fault


def renewing(server: ServerProcess, metrics_port: int) -> Callable[[], Awaitable[None]]:
    """SIGHUP, until both are new."""

    async def fault() -> None:
        await _until(metrics_port, "bossjy_workers", 2)
        server.send(signal.SIGHUP)
        await _until(metrics_port, "bossjy_workers_renewed_total", 2)

    return fault


async def _until(metrics_port: int, name: str, wanted_value: float) -> None:
    def read() -> float:
        with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} "))

    ends = time.monotonic() + 120
    while await asyncio.to_thread(read) < wanted_value:
        if time.monotonic() > ends:
            raise AssertionError(f"{name} did not reach {wanted_value}")
        await asyncio.sleep(0.1)


def wanted(name: str) -> bool:
    """Whether the command line names this fault, or none."""
    return len(sys.argv) < 2 or name in sys.argv[1:]


@asynccontextmanager
async def _stage() -> AsyncIterator[Stage]:
    context = stage()
    at = await asyncio.to_thread(context.__enter__)
    try:
        yield at
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)


async def prove() -> list[Result]:
    """All faults, one after the other."""
    async with _stage() as at:
        return [result for group in (parts_gone, bad_network, workers) async for result in group(at)]


def main() -> int:
    """Returns 1 if a call failed that need not have."""
    results = asyncio.run(prove())
    path = FOLDER / "prove_faults.json"
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {}
    figures: dict[str, float] = {name: value for name, value in kept.items() if isinstance(value, int | float)}
    for one in results:
        figures |= {
            f"{one.name}_sent": one.tally.sent,
            f"{one.name}_ok": one.tally.ok,
            f"{one.name}_refused": sum(one.tally.refused.values()),
            f"{one.name}_failed": one.failed,
            f"{one.name}_unavoidable": one.unavoidable,
            f"{one.name}_recovery_s": one.recovery_s,
        }
    rows: list[tuple[object, ...]] = [("fault", "sent", "ok", "refused", "failed", "unavoidable", "recovery s")]
    rows += [
        (
            one.name,
            one.tally.sent,
            one.tally.ok,
            sum(one.tally.refused.values()),
            one.failed,
            one.unavoidable,
            one.recovery_s,
        )
        for one in results
    ]
    write_figures("prove_faults", figures, rows=rows)
    return 1 if any(one.failed for one in results) else 0


if __name__ == "__main__":
    sys.exit(main())
