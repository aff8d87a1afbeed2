"""How many numbers a second StreamValidateNumbers answers on loopback, beside the same stream with no work per item.

    python -m tests.performance.phone.bench_phone

One server process, one client process (this one), one stream with eight messages in flight. Counted are numbers whose
response has arrived; the client's messages are made before and its responses are not read, so the server is measured.
Medians of five rounds, the four contestants in turn.
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
import pyarrow as pa

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_numbering import load_plan
from bossjy_server.storage.process import free_port
from tests.e2e.conftest import EMAIL, PASSWORD, ServerProcess
from tests.figures import write_figures
from tests.performance.numbering.bench_texts import clean_numbers

METHOD = "/bossjy.phone.v1.PhoneService/StreamValidateNumbers"
COLUMN_ROWS, ARROW_ROWS, NUMBERS, IN_FLIGHT, ROUNDS = 5_000, 20_000, 1_000_000, 8, 5
Metadata = tuple[tuple[str, str], ...]


def column_messages(texts: list[str]) -> list[bytes]:
    """Requests of COLUMN_ROWS texts each, serialised."""
    cuts = range(0, len(texts), COLUMN_ROWS)
    return [
        pb.StreamValidateNumbersRequest(
            texts=pb.NumberTexts(phone_numbers=texts[cut : cut + COLUMN_ROWS])
        ).SerializeToString()
        for cut in cuts
    ]


def arrow_messages(texts: list[str]) -> list[bytes]:
    """Requests of ARROW_ROWS texts each as Arrow IPC, serialised."""
    messages = []
    for cut in range(0, len(texts), ARROW_ROWS):
        batch = pa.record_batch({"phone_number": texts[cut : cut + ARROW_ROWS]})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        messages.append(pb.StreamValidateNumbersRequest(arrow_ipc=sink.getvalue().to_pybytes()).SerializeToString())
    return messages


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


async def token_of(address: str) -> str:
    """An access token of a new tenant."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub = auth_service_pb2_grpc.AuthServiceStub(channel)
        request = auth_service_pb2.RegisterRequest(tenant_display_name="Bench", email=EMAIL, password=PASSWORD)
        token: str = (await stub.Register(request)).tokens.access_token
        return token


async def measure(service: str, echo: str) -> dict[str, float]:
    """Numbers a second of each contestant: the median of ROUNDS."""
    texts = clean_numbers(load_plan(), NUMBERS, seed=1)
    columns, arrow = column_messages(texts), arrow_messages(texts)
    metadata = (("authorization", f"Bearer {await token_of(service)}"),)
    large = [("grpc.max_receive_message_length", 8 * 2**20), ("grpc.max_send_message_length", 8 * 2**20)]
    rates: dict[str, list[float]] = {}
    async with (
        grpc.aio.insecure_channel(service, options=large) as served,
        grpc.aio.insecure_channel(echo, options=large) as echoed,
    ):
        contestants = (
            ("stream_columns_per_s", served, columns),
            ("stream_arrow_per_s", served, arrow),
            ("echo_columns_per_s", echoed, columns),
            ("echo_arrow_per_s", echoed, arrow),
        )
        for turn in range(ROUNDS + 1):
            for name, channel, messages in contestants:
                seconds = await stream_seconds(channel, messages, metadata)
                if turn:  # the first round warms up
                    rates.setdefault(name, []).append(NUMBERS / seconds)
    return {name: round(statistics.median(found)) for name, found in rates.items()}


def main() -> int:
    """Run both servers, measure, write build/figures/phone.json."""
    with tempfile.TemporaryDirectory(prefix="bossjy-bench-") as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BOSSJY_")}
        environment |= {
            "BOSSJY_DATA_DIR": f"{folder}/data",
            "BOSSJY_PORT": str(free_port()),
            "BOSSJY_METRICS_PORT": "0",
            "BOSSJY_REGISTRATION": "open",
        }
        server = ServerProcess(environment, Path(folder) / "server.log")
        echo_address = f"127.0.0.1:{free_port()}"
        echo = subprocess.Popen([sys.executable, "-m", "tests.performance.phone.echo_server", echo_address])
        try:
            server.start()
            figures = asyncio.run(measure(server.target, echo_address))
        finally:
            echo.terminate()
            echo.wait()
            server.end()
    for kind in ("columns", "arrow"):
        figures[f"stream_{kind}_vs_echo"] = round(figures[f"stream_{kind}_per_s"] / figures[f"echo_{kind}_per_s"], 3)
    write_figures("phone", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
