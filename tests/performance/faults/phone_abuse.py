"""Abusive phone work: its effect on other tenants, and its cost in memory.

    python -m tests.performance.faults.prove_faults phone_streams phone_arrow phone_finds phone_memory

Each attack comes from its own process. Meanwhile another tenant asks for batches of ten numbers, four per second.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc.aio
import pyarrow as pa

from bossjy.phone.v1 import number_pb2, phone_service_pb2_grpc
from bossjy.phone.v1 import phone_service_pb2 as pb
from tests.e2e.conftest import ServerProcess
from tests.hostile import ARROW, column, contexts, ipc
from tests.measurements import save_figures
from tests.performance.faults.calls import Caller

ATTACK_S, EACH_S = 12.0, 0.25
STREAMS, FINDS = 20, 10
MOST_MEDIAN_MS, MOST_P95_MS, MOST_MIB = 50.0, 150.0, 64
_MIB = 1024 * 1024


def attacking(kind: str, caller: Caller, target: str) -> Callable[[], Awaitable[None]]:
    """A fault: an attack from another process, and batches at the same time. Fails beyond the bounds."""

    async def fault() -> None:
        program = [sys.executable, "-m", "tests.performance.faults.phone_abuse", target, kind]
        abuser = await asyncio.create_subprocess_exec(*program, stdin=asyncio.subprocess.PIPE)
        assert abuser.stdin is not None
        abuser.stdin.write(caller.token.encode())
        abuser.stdin.close()
        try:
            await asyncio.sleep(3)
            took = await _batches(caller)
        finally:
            abuser.kill()
            await abuser.wait()
        median, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
        print(f"    {kind}: a batch of ten has a median of {median:.0f} ms, p95 {p95:.0f} ms", flush=True)
        save_figures(f"prove_{kind}", {"batch_median_ms": median, "batch_p95_ms": p95})
        if median > MOST_MEDIAN_MS or p95 > MOST_P95_MS:
            raise AssertionError(f"{kind}: a batch of ten waits for others")

    return fault


async def _batches(caller: Caller) -> list[float]:
    """Milliseconds of batches of ten."""
    stub = phone_service_pb2_grpc.PhoneServiceStub(caller.channel())
    request = pb.BatchValidateNumbersRequest(phone_numbers=["+442079460041"] * 10)
    took, ends = [], time.monotonic() + ATTACK_S
    while time.monotonic() < ends:
        begun = time.monotonic()
        await stub.BatchValidateNumbers(request, metadata=caller.metadata, timeout=60)
        took.append(1000 * (time.monotonic() - begun))
        await asyncio.sleep(EACH_S)
    return took


def inflating(server: ServerProcess, caller: Caller) -> Callable[[], Awaitable[None]]:
    """Messages that expand to more than their bytes, one after the other."""

    async def fault() -> None:
        worst = 0.0
        for name, (make, _) in ARROW.items():
            data = make()
            with _growth(server) as grown:
                await _ask(caller, data)
            worst = max(worst, grown[0] - len(data) / _MIB)
            print(f"    {grown[0]:4.0f} MiB for {len(data):8} bytes: {name}", flush=True)
        save_figures("prove_phone_memory", {"worst_mib_beyond_bytes": worst})
        if worst > MOST_MIB:
            raise AssertionError(f"a message takes {worst:.0f} MiB beyond its bytes")

    return fault


@contextmanager
def _growth(server: ServerProcess) -> Iterator[list[float]]:
    """Maximum growth of the server's memory while the block runs, in MiB."""
    assert server.process is not None
    folder = Path(f"/proc/{server.process.pid}")

    def kib(name: str) -> int:
        return next(int(line.split()[1]) for line in (folder / "status").read_text().splitlines() if name in line)

    (folder / "clear_refs").write_text("5")
    before, grown = kib("VmRSS"), [0.0]
    yield grown
    grown[0] = (kib("VmHWM") - before) / 1024


async def _ask(caller: Caller, data: bytes) -> None:
    async def one() -> AsyncIterator[pb.StreamValidateNumbersRequest]:
        yield pb.StreamValidateNumbersRequest(arrow_ipc=data)

    stub = phone_service_pb2_grpc.PhoneServiceStub(caller.channel())
    with suppress(grpc.aio.AioRpcError):  # refused, or an answer that a client must allow for
        async for _ in stub.StreamValidateNumbers(one(), metadata=caller.metadata, timeout=100):
            pass


async def _attack(target: str, kind: str, token: str) -> None:
    """Run until killed."""
    options = [("grpc.max_receive_message_length", -1)]
    metadata = (("authorization", f"Bearer {token}"),)
    async with grpc.aio.insecure_channel(target, options=options) as channel:
        stub = phone_service_pb2_grpc.PhoneServiceStub(channel)

        async def stream(message: pb.StreamValidateNumbersRequest) -> None:
            async def endless() -> AsyncIterator[pb.StreamValidateNumbersRequest]:
                while True:
                    yield message

            async for _ in stub.StreamValidateNumbers(endless(), metadata=metadata):
                pass

        async def find() -> None:
            request = pb.FindNumbersRequest(
                text="9/" * 50_000,
                default_region="US",
                leniency=number_pb2.FIND_LENIENCY_EXACT_GROUPING,
                max_results=1000,
            )
            while True:
                with suppress(grpc.aio.AioRpcError):
                    await stub.FindNumbers(request, metadata=metadata)

        if kind == "phone_finds":
            await asyncio.gather(*(find() for _ in range(FINDS)))
        elif kind == "phone_arrow":
            message = pb.StreamValidateNumbersRequest(arrow_ipc=ipc(column(pa.array(contexts(90_000)))))
            await asyncio.gather(*(stream(message) for _ in range(STREAMS)))
        else:
            texts = pb.NumberTexts(phone_numbers=contexts(5000))
            await asyncio.gather(*(stream(pb.StreamValidateNumbersRequest(texts=texts)) for _ in range(STREAMS)))


if __name__ == "__main__":
    asyncio.run(_attack(sys.argv[1], sys.argv[2], sys.stdin.read()))
