"""Effects of each fault on callers, and the time of recovery: `make prove-faults`.

    python -m tests.performance.faults.prove_faults [FAULT …]

A steady load of short calls (30 per second, of all services) runs through each fault. The proof counts calls sent,
answered, refused with a documented reason, and failed otherwise. A call that failed otherwise makes the proof fail,
with two unavoidable exceptions: the calls on the connections of a killed worker end with it; and grpc's server answers
CANCELLED to a call that reaches it in the instant of its end. A client with gRPC's retries repeats both
(tests/fault/test_workers.py); this one does not. `recovery_s`: from the end of the fault to the begin of the last call
that was not answered.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bossjy_server.embedded.system import free_port
from tests.measurements import FOLDER, print_table, save_figures
from tests.performance.faults import streams_abuse
from tests.performance.faults.calls import Caller
from tests.performance.faults.faults import (
    FAULT_S,
    cancelling,
    flooding,
    gone_for,
    killing,
    overload,
    refusing,
    renewing,
    until,
)
from tests.performance.faults.load import Load, Tally, recovery_s
from tests.performance.faults.network import BadNetwork, postgres_over, postgres_socket, redis_over, redis_socket
from tests.performance.faults.parts import Stage, stage
from tests.performance.faults.phone_abuse import attacking, inflating

PHONE_ATTACKS = ("phone_streams", "phone_arrow", "phone_finds")
MIX = {"validate": 8, "me": 4, "contacts": 3, "stats": 1, "login": 2, "import": 1, "stream": 1}
PER_SECOND = 30.0
QUIET_S, AFTER_S = 1.0, 5.0
UNAVOIDABLE = {
    "worker_killed": ("Connection reset", "Stream removed", "Socket closed", "failed to connect"),
    "rolling_restart": ("CANCELLED  CANCELLED",),
}


@dataclass(frozen=True)
class Result:
    """The measurements of one fault."""

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
    """Run a fault during the load; `fault` returns when it is over."""
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
            **streams_abuse.attacks(server.target),
        }
        for name, fault in faults.items():
            if wanted(name):
                yield await under_load(name, caller, fault)
    await asyncio.to_thread(server.end)


async def bad_network(at: Stage) -> AsyncIterator[Result]:
    """Delay, loss and silence between the server and both dependencies."""
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
    """One worker is killed, then all are renewed."""
    port = free_port()
    server = await asyncio.to_thread(lambda: at.server("serve", "--workers", "2", BOSSJY_METRICS_PORT=str(port)))
    async with Caller(server.target, connections=6) as caller:
        await caller.register()
        await until(port, "bossjy_workers", 2)
        faults = {"worker_killed": killing(server, port), "rolling_restart": renewing(server, port)}
        for name, fault in faults.items():
            if wanted(name):
                yield await under_load(name, caller, fault)
    await asyncio.to_thread(server.end)


async def phone_abuse(at: Stage) -> AsyncIterator[Result]:
    """Attacks by phone work, which must hardly affect others."""
    server = await asyncio.to_thread(lambda: at.server(BOSSJY_METRICS_PORT="0"))
    async with Caller(server.target, connections=4) as caller:
        await caller.register()
        faults = {name: attacking(name, caller, server.target) for name in PHONE_ATTACKS}
        faults["phone_memory"] = inflating(server, caller)
        for name, fault in faults.items():
            if wanted(name):
                yield await under_load(name, caller, fault)
    await asyncio.to_thread(server.end)


def wanted(name: str) -> bool:
    """True if the command line names this fault, or none."""
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
    """All faults, one after the other. Results are kept at once: a later fault may end the run."""
    results = []
    async with _stage() as at:
        for group in (parts_gone, bad_network, phone_abuse, workers):
            async for result in group(at):
                results.append(result)
                keep(result)
    return results


def keep(result: Result) -> None:
    """Add the figures of a fault to the existing ones."""
    path = FOLDER / "prove_faults.json"
    there = json.loads(path.read_text("utf-8")) if path.exists() else {}
    figures = {name: value for name, value in there.items() if isinstance(value, int | float)}
    values = {
        "sent": result.tally.sent,
        "ok": result.tally.ok,
        "refused": sum(result.tally.refused.values()),
        "failed": result.failed,
        "unavoidable": result.unavoidable,
        "recovery_s": result.recovery_s,
    }
    figures |= streams_abuse.latencies
    save_figures("prove_faults", figures | {f"{result.name}_{name}": value for name, value in values.items()})


def main() -> int:
    """Returns 1 if a call failed that could have been answered."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that PostgreSQL and Redis are stopped then too
    results = asyncio.run(prove())
    rows: list[tuple[object, ...]] = [("fault", "sent", "ok", "refused", "failed", "unavoidable", "recovery s")]
    for one in results:
        refused = sum(one.tally.refused.values())
        rows.append((one.name, one.tally.sent, one.tally.ok, refused, one.failed, one.unavoidable, one.recovery_s))
    print_table(rows, title="faults")
    return 1 if any(one.failed for one in results) else 0


if __name__ == "__main__":
    sys.exit(main())
