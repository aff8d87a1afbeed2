"""Tenants that use up shared resources: unread exports, silent streams, thousands of health watches.

Each attack measures GetMe and Login of another tenant before it and during it; the figures go with those of the faults.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bossjy.contacts.v1 import contact_service_pb2
from bossjy.imports.v1 import import_pb2, import_service_pb2, import_service_pb2_grpc
from bossjy.phone.v1 import phone_service_pb2_grpc
from tests.performance.faults.calls import Caller

EXPORTS, TENANTS, STREAMS, WATCHES = 20, 4, 50, 2000
ROUNDS = 12
SETTLE_S = 5.0
# Bound of the median of GetMe and Login: twice that without a load, plus the effect of the load on a busy machine.
MOST, SLACK_S = 2.0, 0.05
EXPORT = "/bossjy.contacts.v1.ContactService/ExportContacts"
# A window that stays small, on a separate connection.
UNREAD: list[tuple[str, int]] = [("grpc.use_local_subchannel_pool", 1), ("grpc.http2.bdp_probe", 0)]
ROWS = b"phone,name,note\n" + b"".join(b"+4420794%05d,person %d,%s\n" % (n, n, b"n" * 220) for n in range(20_000))

Attack = Callable[[Caller], Any]  # gives an asynchronous context manager
latencies: dict[str, float] = {}  # figures of all attacks that ran


def attacks(target: str) -> dict[str, Callable[[], Awaitable[None]]]:
    """The attacks on a server, by name."""
    made: dict[str, Attack] = {
        "unread_exports": unread_exports,
        "silent_streams": silent_streams,
        "many_watches": many_watches,
    }
    return {name: _measured(name, target, attack) for name, attack in made.items()}


def _measured(name: str, target: str, attack: Attack) -> Callable[[], Awaitable[None]]:
    async def fault() -> None:
        async with Caller(target, connections=1) as victim:
            await victim.register()
            quiet = await _latency_s(victim)
            async with attack(victim):
                attacked = await _latency_s(victim)
        latencies[f"{name}_quiet_ms"] = round(quiet * 1000, 1)
        latencies[f"{name}_attacked_ms"] = round(attacked * 1000, 1)
        print(f"    GetMe and Login: {quiet * 1000:.1f} ms before, {attacked * 1000:.1f} ms during {name}", flush=True)
        if attacked > MOST * quiet + SLACK_S:
            raise AssertionError(f"{name}: another tenant's calls take {attacked / quiet:.1f} times as long")

    return fault


async def _latency_s(victim: Caller) -> float:
    """The median of GetMe and Login, one after the other."""
    taken = []
    for _ in range(ROUNDS):
        began = time.monotonic()
        outcomes = [await victim.call("me"), await victim.call("login")]
        if not all(one.ok for one in outcomes):
            raise AssertionError(f"another tenant was refused: {[one.reason or one.code for one in outcomes]}")
        taken.append(time.monotonic() - began)
    return statistics.median(taken)


@asynccontextmanager
async def unread_exports(victim: Caller) -> AsyncIterator[None]:
    """Twenty exports of one tenant that nobody reads."""
    async with Caller(victim.target, connections=1) as noisy:
        await noisy.register()
        await _import_rows(noisy)
        channels = [grpc.aio.insecure_channel(victim.target, options=UNREAD) for _ in range(EXPORTS)]
        request = contact_service_pb2.ExportContactsRequest().SerializeToString()
        held: list[Any] = []
        for channel in channels:
            export: Any = channel.unary_stream(EXPORT)  # bytes in, bytes out
            held.append(export(request, metadata=noisy.metadata))
        await asyncio.sleep(SETTLE_S)  # the first pages of all are read by then
        yield
        for one, channel in zip(held, channels, strict=True):
            one.cancel()
            await channel.close()


@asynccontextmanager
async def silent_streams(victim: Caller) -> AsyncIterator[None]:
    """Four tenants with fifty silent streams each; the victim's import must be admitted."""
    callers = [Caller(victim.target, connections=1) for _ in range(TENANTS)]
    held: list[Any] = []
    for caller in callers:
        await caller.__aenter__()
        await caller.register()
        stub = phone_service_pb2_grpc.PhoneServiceStub(caller.channel())
        held += [stub.StreamValidateNumbers(metadata=caller.metadata) for _ in range(STREAMS)]
    await asyncio.sleep(SETTLE_S)  # the calls over its share have waited and been refused
    for _ in range(5):
        outcome = await victim.call("import")
        if not outcome.ok:
            raise AssertionError(f"an import during silent streams was refused: {outcome.reason or outcome.code}")
    yield
    for one in held:
        one.cancel()
    for caller in callers:
        await caller.__aexit__()


@asynccontextmanager
async def many_watches(victim: Caller) -> AsyncIterator[None]:
    """Thousands of health watches without credentials; most must be refused, checks must not."""
    channels = [grpc.aio.insecure_channel(victim.target, options=UNREAD) for _ in range(10)]
    stubs: list[Any] = [health_pb2_grpc.HealthStub(channel) for channel in channels]
    request = health_pb2.HealthCheckRequest()
    watches = [stubs[number % len(stubs)].Watch(request) for number in range(WATCHES)]
    codes = await asyncio.gather(*(_first_code(watch) for watch in watches))
    refused = codes.count("RESOURCE_EXHAUSTED")
    latencies["many_watches_refused"] = refused
    if refused < WATCHES / 2:
        raise AssertionError(f"only {refused} of {WATCHES} health watches were refused")
    await stubs[0].Check(request, timeout=5)
    yield
    for watch in watches:
        watch.cancel()
    for channel in channels:
        await channel.close()


async def _first_code(watch: Any) -> str:
    try:
        async with asyncio.timeout(30):
            await watch.read()
    except grpc.aio.AioRpcError as error:
        return error.code().name
    except TimeoutError:
        return "TIMEOUT"
    return "OK"


async def _import_rows(caller: Caller) -> None:
    pb = import_service_pb2
    stub = import_service_pb2_grpc.ImportServiceStub(caller.channel())
    request = pb.CreateImportRequest(spec=import_pb2.ImportSpec(default_region="GB"))
    made = await stub.CreateImport(request, metadata=caller.metadata, timeout=30)
    messages = [pb.UploadRequest(open=pb.UploadOpen(import_id=made.import_job.import_id))]
    for start in range(0, len(ROWS), 1_000_000):
        messages.append(pb.UploadRequest(chunk=pb.UploadChunk(offset=start, data=ROWS[start : start + 1_000_000])))
    messages.append(pb.UploadRequest(finish=pb.UploadFinish(size_bytes=len(ROWS))))
    async for _ in stub.Upload(iter(messages), metadata=caller.metadata, timeout=60):
        pass
