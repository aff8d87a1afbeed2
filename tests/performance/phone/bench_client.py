"""Benchmark of `validate_column` beside the same work by `validate_stream` and by a loop over `phonenumbers`.

    python -m tests.performance.phone.bench_client

One server process and this client process, on loopback, share the machine's cores. Each contestant starts from the same
pandas column, of numbers as people write them, and ends with a column of E.164 texts and one of validity. Medians of
five rounds, the contestants in turn, so that they meet the same load of the machine.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import phonenumbers

from bossjy_client import Client
from bossjy_numbering import load_plan
from bossjy_server.embedded.system import free_port
from tests.e2e.conftest import ServerProcess
from tests.measurements import write_figures
from tests.performance.numbering.bench_texts import dirty_texts
from tests.performance.validate import token_of

pandas: Any = importlib.import_module("pandas")  # it has no types

NUMBERS, LOOPED, ROUNDS, REGION = 500_000, 20_000, 5, "CN"


async def one_line(client: Client, column: Any) -> tuple[list[str], list[bool]]:
    """The column in one line."""
    frame = await client.phone.validate_column(column, REGION, columns=["e164", "valid"])
    return frame["e164"], frame["valid"]


async def by_stream(client: Client, column: Any) -> tuple[list[str], list[bool]]:
    """The column by `validate_stream`, as a program without `validate_column` does it."""
    texts = column.fillna("").tolist()

    async def batches() -> AsyncIterator[Sequence[str]]:
        for start in range(0, len(texts), 5000):
            yield texts[start : start + 5000]

    e164: list[str] = []
    valid: list[bool] = []
    async for _, answer in client.phone.validate_stream(batches(), REGION, columns=["e164", "valid"]):
        e164 += answer.columns.e164
        valid += answer.columns.valid
    frame = pandas.DataFrame({"e164": e164, "valid": valid}, index=column.index)
    return frame["e164"], frame["valid"]


async def by_loop(_client: Client, column: Any) -> tuple[list[str], list[bool]]:
    """The column by a loop over `phonenumbers`."""
    e164: list[str] = []
    valid: list[bool] = []
    for text in column:
        try:
            number = phonenumbers.parse(text, REGION)
        except phonenumbers.NumberParseException:
            e164.append("")
            valid.append(False)
            continue
        valid.append(phonenumbers.is_valid_number(number))
        e164.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if valid[-1] else "")
    return e164, valid


CONTESTANTS: dict[str, tuple[int, Callable[[Client, Any], Awaitable[tuple[Any, Any]]]]] = {
    "validate_column": (NUMBERS, one_line),
    "validate_stream": (NUMBERS, by_stream),
    "phonenumbers": (LOOPED, by_loop),
}


async def measure(target: str) -> dict[str, float]:
    """Numbers per second of each contestant, and the ratios."""
    texts, _ = dirty_texts(load_plan(), NUMBERS, seed=1)
    column = pandas.Series(texts)
    rates: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    counts: dict[str, int] = {}
    async with await Client.connect(target, token=await token_of(target)) as client:
        for turn in range(ROUNDS + 1):
            for name, (rows, run) in CONTESTANTS.items():
                began = time.perf_counter()
                _, valid = await run(client, column[:rows])
                seconds = time.perf_counter() - began
                counts[name] = sum(valid[:LOOPED])
                if turn:  # the first round warms up
                    rates[name].append(rows / seconds)
    if len(set(counts.values())) != 1:
        raise RuntimeError(f"the contestants disagree about the valid numbers: {counts}")
    medians = {name: statistics.median(found) for name, found in rates.items()}
    by_round = zip(rates["validate_column"], rates["validate_stream"], strict=True)
    figures: dict[str, float] = {f"{name}_per_s": round(rate) for name, rate in medians.items()}
    figures["column_by_stream"] = round(statistics.median(ours / theirs for ours, theirs in by_round), 2)
    figures["column_by_phonenumbers"] = round(medians["validate_column"] / medians["phonenumbers"], 1)
    return figures


def main() -> int:
    """Run the server, measure, write build/figures/client.json."""
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
        try:
            server.start()
            figures = asyncio.run(measure(server.target))
        finally:
            server.end()
    write_figures("client", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
