"""Latency after a restart under load: p95 of the first ten seconds, compared with the steady one.

    python -m tests.performance.faults.prove_warm_up [--rounds 3]

An open loop of 100 calls per second from twenty tenants with an API key each: validations, reads of a contact and
counts of contacts. Times count from the scheduled moment of a call. While the server restarts, calls fail, as behind no
other replica; the ten seconds begin when it reports SERVING. The same restart without the warm-up shows its effect.
The steady p95 is the mean of ten seconds before and ten after. If these differ much, other work on the machine
disturbed the round, and it is repeated.
Goal: at most twice the steady p95. Exit status 1 if the median of the rounds is above it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import grpc.aio

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy.contacts.v1 import contact_service_pb2, contact_service_pb2_grpc
from bossjy.phone.v1 import phone_service_pb2, phone_service_pb2_grpc
from bossjy_client import AsyncClient
from tests.e2e.conftest import PASSWORD, ServerProcess
from tests.measurements import write_figures
from tests.performance.faults.parts import stage

TENANTS, CONTACTS, PER_S = 20, 500, 100
STEADY_S, FIRST_S, GOAL = 10.0, 10.0, 2.0
# A round counts if the steady p95 before and after the restart differ by less than this factor.
DISTURBED, ATTEMPTS = 1.8, 4


@dataclass
class Load:
    """The calls: when each was due, its time in milliseconds, its status."""

    target: str
    keys: list[str]
    calls: list[tuple[float, float, str]] = field(default_factory=list)

    async def run(self) -> None:
        """Send until cancelled."""
        options = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 100)]
        async with grpc.aio.insecure_channel(self.target, options) as channel:
            phone: Any = phone_service_pb2_grpc.PhoneServiceStub(channel)
            contacts: Any = contact_service_pb2_grpc.ContactServiceStub(channel)
            validate = phone_service_pb2.ValidateNumberRequest(phone_number="+8613800138000")
            read = contact_service_pb2.GetContactRequest(phone_number="+8613800000001")
            works = [(phone.ValidateNumber, validate), (contacts.GetContact, read)] * 2
            works.append((contacts.GetContactStats, contact_service_pb2.GetContactStatsRequest()))
            running, began, number = set(), time.monotonic(), 0
            try:
                while True:
                    due = began + number / PER_S
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                    method, request = works[number % len(works)]
                    metadata = (("authorization", f"Bearer {self.keys[number % len(self.keys)]}"),)
                    task = asyncio.create_task(self._call(method, request, metadata, due))
                    running.add(task)
                    task.add_done_callback(running.discard)
                    number += 1
            finally:
                if running:
                    await asyncio.wait(running, timeout=5)

    async def _call(self, method: Any, request: Any, metadata: Any, due: float) -> None:
        try:
            await method(request, metadata=metadata, timeout=10)
            code = "OK"
        except grpc.aio.AioRpcError as error:
            code = error.code().name
        self.calls.append((due, (time.monotonic() - due) * 1000, code))

    def p95(self, start: float, seconds: float) -> float:
        """Of the successful calls that were due within these seconds."""
        times = sorted(ms for due, ms, code in self.calls if start <= due < start + seconds and code == "OK")
        return times[int(len(times) * 0.95)]

    def failed(self, start: float, seconds: float) -> int:
        """Number of calls within these seconds that failed."""
        return sum(start <= due < start + seconds and code != "OK" for due, _, code in self.calls)


async def tenants(target: str) -> list[str]:
    """API keys of new tenants with contacts."""
    keys = []
    file = "name,phone\n" + "".join(f"n{number},+86138{number:08d}\n" for number in range(CONTACTS))
    async with grpc.aio.insecure_channel(target) as channel:
        stub: Any = auth_service_pb2_grpc.AuthServiceStub(channel)
        for number in range(TENANTS):
            registered = await stub.Register(
                auth_service_pb2.RegisterRequest(
                    tenant_display_name=f"Warm {number}", email=f"owner{number}@example.com", password=PASSWORD
                )
            )
            token = registered.tokens.access_token
            async with await AsyncClient.connect(target, token=token) as client:
                await client.imports.upload_file(file.encode(), region="CN")
            request = auth_service_pb2.CreateApiKeyRequest(display_name="load", scopes=["contacts.read", "phone.read"])
            made = await stub.CreateApiKey(request, metadata=(("authorization", f"Bearer {token}"),))
            keys.append(made.secret)
    return keys


async def one_round(server: ServerProcess, keys: list[str], warm_up_s: str) -> dict[str, float]:
    """The steady p95, that after a restart, and failures."""
    load = Load(server.target, keys)
    task = asyncio.create_task(load.run())
    await asyncio.sleep(2)
    steady_from = time.monotonic()
    await asyncio.sleep(STEADY_S)
    server.environment["BOSSJY_WARM_UP_S"] = warm_up_s
    await asyncio.to_thread(server.terminate)
    stopped = time.monotonic()
    await asyncio.to_thread(server.start)
    serving = time.monotonic()
    await asyncio.sleep(FIRST_S + STEADY_S + 1)
    task.cancel()
    await asyncio.wait({task})
    by_second = [round(load.p95(serving + second, 1.0), 1) for second in range(int(FIRST_S))]
    print(f"warm-up {warm_up_s} s: p95 of each second after the start, ms:", by_second, flush=True)
    first = load.p95(serving, FIRST_S)
    before, after = load.p95(steady_from, STEADY_S), load.p95(serving + FIRST_S, STEADY_S)
    steady = (before + after) / 2
    return {
        "disturbed": max(before, after) / min(before, after),
        "steady_p95_ms": steady,
        "first_p95_ms": first,
        "ratio": first / steady,
        "down_s": serving - stopped,
        "failed_after": load.failed(serving + 0.5, FIRST_S),
    }


async def measure(server: ServerProcess, rounds: int) -> dict[str, float]:
    """Medians of the rounds, with the warm-up and without it in turn."""
    keys = await tenants(server.target)
    found: dict[str, list[float]] = {}
    disturbed = 0
    for name, warm_up_s in (("", "3"), ("cold_", "0")) * rounds:
        for _ in range(ATTEMPTS):
            one = await one_round(server, keys, warm_up_s)
            if one.pop("disturbed") <= DISTURBED:
                break
            disturbed += 1
        else:
            raise RuntimeError(
                "other work on the machine changed the steady p95 in every round: repeat when it is idle"
            )
        for key, value in one.items():
            found.setdefault(f"{name}{key}", []).append(value)
    print("rounds:", {name: [round(one, 2) for one in values] for name, values in found.items()}, flush=True)
    return {name: round(statistics.median(values), 2) for name, values in found.items()} | {"disturbed": disturbed}


def main() -> int:
    """Measure and write build/figures/warm_up.json."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    rounds = options.parse_args().rounds
    with stage() as held:
        server = held.server(BOSSJY_WARM_UP_S="3", BOSSJY_CALLS_PER_MINUTE_PER_ADDRESS="0")
        load_before = os.getloadavg()[0]
        figures = asyncio.run(measure(server, rounds))
    figures |= {"load_before": round(load_before, 2), "load_after": round(os.getloadavg()[0], 2), "goal": GOAL}
    write_figures("warm_up", figures)
    return int(figures["ratio"] > GOAL)


if __name__ == "__main__":
    sys.exit(main())
