"""Benchmark of logins and GetMe at steady rates, of other calls during a flood of logins, and of the cost of checks.

    python -m tests.performance.auth.bench_auth [--short]

One server with its own PostgreSQL and Redis; every client is an open loop in its own process: the time of a call counts
from its scheduled moment. Servers and clients share the machine's cores. Every login has the right password, of eight
tenants in turn, so that throttling by account has no effect; hashes are the service's default ones. `verify_us_…` and
`hash_ms` are CPU of a thread that does nothing else.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc.aio

from bossjy.auth.v1 import auth_service_pb2 as pb
from bossjy.auth.v1 import auth_service_pb2_grpc
from bossjy_server.auth.credentials.tokens import AccessTokens
from bossjy_server.auth.login.authenticator import Authenticator
from bossjy_server.auth.login.revocations import Revocations
from bossjy_server.auth.options import AuthOptions
from bossjy_server.auth.password.passwords import Hasher
from bossjy_server.auth.service import load_keys
from bossjy_server.context import Caller
from tests.e2e.conftest import EMAIL, PASSWORD
from tests.measurements import FOLDER, write_figures
from tests.performance.faults.parts import Stage, stage
from tests.performance.open_loop import Job, Outcome, start

LOGIN, ME = "/bossjy.auth.v1.AuthService/Login", "/bossjy.auth.v1.AuthService/GetMe"
HEALTH = "/grpc.health.v1.Health/Check"
TENANTS, CHECKS = 8, 2000
SHED = "RESOURCE_EXHAUSTED"


async def jobs_of(address: str) -> dict[str, Job]:
    """Tenants and their calls; the caller sets rates and times."""
    logins = []
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = auth_service_pb2_grpc.AuthServiceStub(channel)
        # The callers of GetMe do not log in: as many logins of one user would end the oldest of its sessions.
        request = pb.RegisterRequest(tenant_display_name="Bench", email=EMAIL, password=PASSWORD)
        token = (await stub.Register(request)).tokens.access_token
        for _ in range(TENANTS):
            owner = await stub.Register(request)
            logins.append(pb.LoginRequest(tenant_id=owner.tenant.tenant_id, email=EMAIL, password=PASSWORD))
    metadata = (("authorization", f"Bearer {token}"),)
    return {
        "login": Job(address, LOGIN, [one.SerializeToString().hex() for one in logins]),
        "me": Job(address, ME, [""], metadata),
        "health": Job(address, HEALTH, [""]),
    }


async def together(jobs: dict[str, Job], rates: dict[str, float], seconds: float) -> dict[str, Outcome]:
    """Run some of the jobs at once, each at its rate in its own process."""
    tasks = {
        name: await start(Job(**{**vars(jobs[name]), "per_s": rate, "seconds": seconds}))
        for name, rate in rates.items()
    }
    return {name: await task for name, task in tasks.items()}


async def rates(held: Stage, seconds: float) -> dict[str, float]:
    """The figures of calls."""
    server = held.server(BOSSJY_LOG_CONSOLE="off")
    jobs = await jobs_of(server.target)
    figures: dict[str, float] = {}
    steady = await together(jobs, {"login": 40, "me": 500}, seconds)
    figures["login_p95_ms_at_40"] = steady["login"].percentile(95, "OK")
    figures["login_ok_share_at_40"] = share(steady["login"], "OK")
    figures["me_p95_ms_at_500"] = steady["me"].percentile(95, "OK")
    flood = await together(jobs, {"login": 300, "me": 100, "health": 20}, seconds)
    figures["me_p95_ms_under_flood"] = flood["me"].percentile(95, "OK")
    figures["health_p95_ms_under_flood"] = flood["health"].percentile(95, "OK")
    figures["flood_refused_share"] = share(flood["login"], SHED)
    if SHED in flood["login"].times:
        figures["flood_refusal_p95_ms"] = flood["login"].percentile(95, SHED)
    for name, outcome in (*steady.items(), *flood.items()):
        print(name, {code: len(times) for code, times in outcome.times.items()}, flush=True)
    server.end()
    return figures


def share(outcome: Outcome, code: str) -> float:
    """The share of calls that ended with a code."""
    return round(len(outcome.times.get(code, ())) / outcome.sent, 4)


async def check_costs() -> dict[str, float]:
    """The cost of one check of a token, with and without the map of verified tokens."""
    options = AuthOptions()
    with tempfile.TemporaryDirectory(prefix="bossjy-bench-") as folder:
        tokens = AccessTokens(load_keys(Path(folder), options), options)
        caller = Caller("tenant-1", "user-1", frozenset({"phone.read"}), "member", "session-1", "", time.time() + 900)
        authorization = "Bearer " + tokens.issue(caller).token
        api_keys: Any = None  # no key is among the credentials
        authenticator = Authenticator(tokens, api_keys, Revocations(None, options), options)

        async def cached() -> None:
            await authenticator.authenticate(authorization)

        async def uncached() -> None:
            tokens.verify(authorization[7:])

        return {"verify_us_cached": await cpu_us(cached), "verify_us_uncached": await cpu_us(uncached)}


async def cpu_us(work: Callable[[], Awaitable[None]]) -> float:
    """CPU of this thread for one run of some work, in microseconds: the median of five times CHECKS."""
    found = []
    for _ in range(5):
        began = time.thread_time()
        for _ in range(CHECKS):
            await work()
        found.append((time.thread_time() - began) / CHECKS * 1e6)
    return statistics.median(found)


def hash_ms(options: AuthOptions) -> float:
    """CPU of one argon2id hash with the service's settings, in milliseconds: the median of 50."""
    hasher = Hasher(options.argon2_memory_kib, options.argon2_time_cost)
    found = []
    for _ in range(50):
        began = time.thread_time()
        hasher.hash(PASSWORD)
        found.append((time.thread_time() - began) * 1e3)
    return statistics.median(found)


def earlier() -> dict[str, float]:
    """The values of other runs in the same file, to be kept: the number of fulfilled statements about auth."""
    path = FOLDER / "auth.json"
    held = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {name: held[name] for name in ("statements_passed",) if name in held}


def main() -> int:
    """Measure and write build/figures/auth.json."""
    seconds = 8.0 if "--short" in sys.argv[1:] else 30.0
    figures = {**asyncio.run(check_costs()), "hash_ms": hash_ms(AuthOptions())}
    with stage() as held:
        figures |= asyncio.run(rates(held, seconds))
    write_figures("auth", {**earlier(), **{name: round(value, 4) for name, value in figures.items()}})
    return 0


if __name__ == "__main__":
    sys.exit(main())
