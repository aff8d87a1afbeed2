"""Benchmark of StreamValidateNumbers on loopback, compared with the same stream with no work per item.

    python -m tests.performance.phone.bench_phone

One server process, one client process (this one), one stream with eight messages in flight; both share the machine's
cores. The rate counts numbers whose response has arrived. All columns except carrier and place are requested. The
client makes its messages before and does not read the responses: reading them is the caller's work, in its own
language.
Clean: valid E.164 of all regions and types. Dirty: numbers as people write them, each with its default region, 3 % bad
ones. Medians of five rounds, the contestants in turn; `server_us` is the CPU time of the whole server process per
number.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import psutil

from bossjy_numbering import load_plan
from bossjy_server.embedded.system import free_port
from tests.e2e.conftest import ServerProcess
from tests.measurements import write_figures
from tests.performance.numbering.bench_texts import clean_numbers, dirty_texts
from tests.performance.phone.messages import arrow_messages, column_messages
from tests.performance.validate import token_of

METHOD = "/bossjy.phone.v1.PhoneService/StreamValidateNumbers"
# As many rows per message as the contract admits in columns; in Arrow as many as fit into a client's default 4 MiB.
COLUMN_ROWS, ARROW_ROWS, NUMBERS, IN_FLIGHT, ROUNDS = 10_000, 50_000, 1_000_000, 8, 5
Metadata = tuple[tuple[str, str], ...]


async def stream_seconds(channel: Any, messages: list[bytes], metadata: Metadata) -> float:
    """Seconds from the first message to the last response."""
    window = asyncio.Semaphore(IN_FLIGHT)

    async def send() -> AsyncIterator[bytes]:
        for message in messages:
            await window.acquire()
            yield message

    began = time.perf_counter()
    answers = 0
    async for _ in channel.stream_stream(METHOD)(send(), metadata=metadata):
        window.release()
        answers += 1
    if answers != len(messages):
        raise RuntimeError(f"{answers} answers to {len(messages)} messages")
    return time.perf_counter() - began


def contestants() -> dict[str, list[bytes]]:
    """The messages of each kind and mix."""
    plan = load_plan()
    mixes: dict[str, tuple[list[str], list[str]]] = {
        "": (clean_numbers(plan, NUMBERS, seed=1), []),
        "_dirty": dirty_texts(plan, NUMBERS, seed=1),
    }
    kinds = (("columns", column_messages, COLUMN_ROWS), ("arrow", arrow_messages, ARROW_ROWS))
    return {
        f"stream_{kind}{mix}": make(texts, regions, rows)
        for mix, (texts, regions) in mixes.items()
        for kind, make, rows in kinds
    }


async def measure(service: str, echo: str, server: psutil.Process) -> dict[str, float]:
    """Numbers per second and CPU time per number of each contestant: the medians of ROUNDS."""
    messages = contestants()
    metadata = (("authorization", f"Bearer {await token_of(service)}"),)
    large = [("grpc.max_receive_message_length", 8 * 2**20), ("grpc.max_send_message_length", 8 * 2**20)]
    rates: dict[str, list[float]] = {}
    async with (
        grpc.aio.insecure_channel(service, options=large) as served,
        grpc.aio.insecure_channel(echo, options=large) as echoed,
    ):
        for turn in range(ROUNDS + 1):
            for name, held in messages.items():
                began = cpu_seconds(server)
                seconds = await stream_seconds(served, held, metadata)
                spent = cpu_seconds(server) - began
                if turn:  # the first round warms up
                    rates.setdefault(f"{name}_per_s", []).append(NUMBERS / seconds)
                    rates.setdefault(f"{name}_server_us", []).append(spent / NUMBERS * 1e6)
                if not name.endswith("_dirty"):
                    seconds = await stream_seconds(echoed, held, metadata)
                    rates.setdefault(f"{name}_no_work_per_s", []).append(NUMBERS / seconds)
    return {name: round(statistics.median(found), 3 if name.endswith("us") else None) for name, found in rates.items()}


def cpu_seconds(process: psutil.Process) -> float:
    """The CPU time of a process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def main() -> int:
    """Run both servers, measure, write build/figures/phone.json."""
    with tempfile.TemporaryDirectory(prefix="bossjy-bench-") as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BOSSJY_")}
        environment |= {
            "BOSSJY_DATA_DIR": f"{folder}/data",
            "BOSSJY_PORT": str(free_port()),
            "BOSSJY_METRICS_PORT": "0",
            "BOSSJY_REGISTRATION": "open",
            "BOSSJY_CALLS_PER_MINUTE_PER_TENANT": "0",
        }
        server = ServerProcess(environment, Path(folder) / "server.log")
        echo_address = f"127.0.0.1:{free_port()}"
        echo = subprocess.Popen([sys.executable, "-m", "tests.performance.phone.echo_server", echo_address])
        try:
            server.start()
            if server.process is None:
                raise RuntimeError("the server was not launched")
            figures = asyncio.run(measure(server.target, echo_address, psutil.Process(server.process.pid)))
        finally:
            echo.terminate()
            echo.wait()
            server.end()
    write_figures("phone", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
