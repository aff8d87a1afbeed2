"""ValidateNumber at a steady rate until its input ends, from a separate process; prints the p95 in milliseconds.

    python -m tests.performance.imports.steady_calls TARGET TOKEN RATE

Calls begin by the clock, even if earlier ones were not answered. The program ends with its standard input.
"""

from __future__ import annotations

import asyncio
import sys
import time

import grpc.aio

from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy.phone.v1 import phone_service_pb2_grpc

_WARM_UP = 20


async def call_steadily(target: str, token: str, rate: float) -> list[float]:
    """Milliseconds of each call."""
    times: list[float] = []
    metadata = (("authorization", f"Bearer {token}"),)
    stopped = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
    async with grpc.aio.insecure_channel(target) as channel:
        stub = phone_service_pb2_grpc.PhoneServiceStub(channel)

        async def call(number: int) -> None:
            began = time.perf_counter()
            request = pb.ValidateNumberRequest(phone_number=f"138{number % 10**8:08d}", default_region="CN")
            await stub.ValidateNumber(request, metadata=metadata, timeout=30)
            times.append((time.perf_counter() - began) * 1000)

        began, count = time.perf_counter(), 0
        async with asyncio.TaskGroup() as calls:
            while not stopped.done():
                calls.create_task(call(count))
                count += 1
                await asyncio.sleep(max(0.0, began + count / rate - time.perf_counter()))
    return times[_WARM_UP:]


if __name__ == "__main__":
    found = sorted(asyncio.run(call_steadily(sys.argv[1], sys.argv[2], float(sys.argv[3]))))
    print(found[int(len(found) * 0.95)], len(found))
