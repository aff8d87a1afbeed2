"""An open-loop client process, which keeps a rate whatever the server does, and prints the time of each call.

    python -m tests.performance.open_loop < JOB

JOB is JSON: `address`, `method`, `requests` (hexadecimal messages, sent in turn), `metadata` (pairs), `per_s`,
`seconds`. A call's time counts from its scheduled moment, so it includes delays of a late client and of a slow server.
With `in_flight` and `calls` instead of `per_s` and `seconds`, a fixed number of calls is kept running.
Prints JSON: `seconds`, and by status code the times in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice
from typing import Any

import grpc
import grpc.aio

from tests.performance.json_client import JsonChannel, Refused


@dataclass(frozen=True)
class Job:
    """The calls to send. Requests as hexadecimal; rates per second."""

    address: str
    method: str
    requests: Sequence[str]
    metadata: Sequence[tuple[str, str]] = ()
    per_s: float = 0.0
    seconds: float = 0.0
    in_flight: int = 0
    calls: int = 0
    json: bool = False  # the requests are JSON, sent by HTTP/1.1


@dataclass(frozen=True)
class Outcome:
    """The results: times in milliseconds by status code, and the total time."""

    seconds: float = 0.0
    times: dict[str, list[float]] = field(default_factory=dict)

    @property
    def sent(self) -> int:
        """All calls."""
        return sum(map(len, self.times.values()))

    def percentile(self, percent: float, *codes: str) -> float:
        """A percentile of the times of some codes (of all, if none are given), in milliseconds."""
        found = sorted(one for code, times in self.times.items() if not codes or code in codes for one in times)
        if not found:
            raise RuntimeError(f"no call ended with {codes or 'anything'}: {[*self.times]}")
        return round(found[min(len(found) - 1, int(len(found) * percent / 100))], 3)


async def start(job: Job) -> asyncio.Task[Outcome]:
    """Begin a job in its own process. The task ends with its outcome."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.performance.open_loop",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )

    async def finish() -> Outcome:
        output, _ = await process.communicate(json.dumps(asdict(job)).encode())
        return Outcome(**json.loads(output))

    return asyncio.create_task(finish())


async def run(job: Job) -> Outcome:
    """Do a job in its own process."""
    return await (await start(job))


async def _work(job: Job) -> Outcome:
    opened: Any = JsonChannel(job.address) if job.json else grpc.aio.insecure_channel(job.address)
    async with opened as channel:
        function: Any = channel.unary_unary(job.method)
        metadata = [(key, value) for key, value in job.metadata]
        times: dict[str, list[float]] = {}

        async def call(request: bytes, intended: float) -> None:
            try:
                await function(request, metadata=metadata, timeout=20)
                code = "OK"
            except (grpc.aio.AioRpcError, Refused) as error:
                code = error.code().name
            times.setdefault(code, []).append((time.perf_counter() - intended) * 1000)

        requests = cycle([bytes.fromhex(one) for one in job.requests])
        await channel.channel_ready()
        for request in islice(requests, 20):  # connections and code are warm
            await call(request, 0)
        times.clear()
        began = time.perf_counter()
        if job.calls:
            await asyncio.gather(
                *(_keep_busy(call, requests, job.calls // job.in_flight) for _ in range(job.in_flight))
            )
        else:
            await _keep_rate(call, requests, job.per_s, job.seconds)
        return Outcome(time.perf_counter() - began, times)


async def _keep_busy(call: Any, requests: Any, calls: int) -> None:
    for request in islice(requests, calls):
        await call(request, time.perf_counter())


async def _keep_rate(call: Any, requests: Any, per_s: float, seconds: float) -> None:
    tasks = set()
    began = time.perf_counter()
    for number, request in enumerate(islice(requests, int(per_s * seconds))):
        intended = began + number / per_s
        wait = intended - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(call(request, intended))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_work(Job(**json.load(sys.stdin)))))))
