"""Benchmark of one ValidateNumber on both front ends compared with bare echoes, and its latency at steady rates.

    python -m tests.performance.unary.bench_unary [--short] [--cost]

It measures the whole service: authenticated calls, one log line each, metrics, 1 % of the calls traced to a receiver.
`observation_us` is the cost of logs, metrics and traces: the difference to a server that has none of them, of the
least of short rounds in turn, as other work on the machine can only add to a round. `observation_alone_us` is the same
cost of the interceptors alone, in a process without a network (`observation.py`), and `load_average` during the run.
CPU is that of the server process by the kernel's count, divided by its calls: 16 calls in flight from a client process,
the contestants in turn, medians of the rounds. `stack_us` is the median of the differences within a round. The echo
gets the same request and metadata, and runs on asyncio's own loop; `echo_uvloop_us` is its cost on the server's loop.
`native_us` is the same service on the native front end, `json_us` its JSON, `echo_native_us` a bare echo by h2corn;
`native_vs_aio` is the median of the quotients within a round, the figure to read on a busy machine.
Times at a rate are those of an open-loop client in its own process, counted from the scheduled moment of a call.
Servers and clients share the machine's cores, so `rps_…` are lower bounds.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from bossjy_server.embedded.system import free_port
from tests.e2e.conftest import ServerProcess
from tests.measurements import write_figures
from tests.performance.faults.parts import Stage, stage
from tests.performance.open_loop import Job, Outcome, run, start
from tests.performance.unary.observation import observation_alone
from tests.performance.unary.receiver import trace_receiver
from tests.performance.validate import METHOD, json_requests, requests, token_of

RATES = (500, 1000, 2000)
OBSERVED_ROUNDS, OBSERVED_CALLS = 16, 1600


def cpu_seconds(process: psutil.Process) -> float:
    """CPU time of a process and its children, by the scheduler: ticks of 10 ms would be microseconds for each call."""
    family = [process, *process.children(recursive=True)]
    threads = [thread for one in family for thread in Path(f"/proc/{one.pid}/task").glob("*/schedstat")]
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def process_of(server: ServerProcess) -> psutil.Process:
    """The process of a running server."""
    if server.process is None:
        raise RuntimeError("the server was not launched")
    return psutil.Process(server.process.pid)


async def cost_us(job: Job, process: psutil.Process) -> float:
    """CPU of the server for each call of a closed loop, in microseconds."""
    began = cpu_seconds(process)
    outcome = await run(job)
    if set(outcome.times) != {"OK"}:
        raise RuntimeError(f"calls failed: { ({code: len(times) for code, times in outcome.times.items()}) }")
    return (cpu_seconds(process) - began) / (outcome.sent + 20) * 1e6


async def costs(jobs: dict[str, tuple[Job, psutil.Process]], rounds: int) -> dict[str, float]:
    """CPU per call of each contestant, and of the stack."""
    found: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, (job, process) in jobs.items():
            found[name].append(await cost_us(job, process))
    print("rounds, us:", {name: [round(one) for one in costs] for name, costs in found.items()}, flush=True)
    quotients = [one / other for one, other in zip(found["native"], found["validate"], strict=True)]
    medians = {f"{name}_us": statistics.median(costs) for name, costs in found.items()}
    return {
        **medians,
        "stack_us": _median_difference(found["validate"], found["echo"]),
        "stack_over_uvloop_us": _median_difference(found["validate"], found["echo_uvloop"]),
        "native_over_echo_us": _median_difference(found["native"], found["echo_native"]),
        "native_vs_aio": statistics.median(quotients),
    }


async def observation_us(jobs: dict[str, tuple[Job, psutil.Process]]) -> dict[str, float]:
    """The cost of logs, metrics and traces for each call."""
    least = {"validate": float("inf"), "unobserved": float("inf")}
    for number in range(OBSERVED_ROUNDS):
        for name in sorted(least, reverse=bool(number % 2)):
            job, process = jobs[name]
            least[name] = min(least[name], await cost_us(Job(**{**vars(job), "calls": OBSERVED_CALLS}), process))
    print("least of rounds, us:", {name: round(cost, 1) for name, cost in least.items()}, flush=True)
    return {"observation_us": least["validate"] - least["unobserved"]}


def _median_difference(mine: list[float], bare: list[float]) -> float:
    return statistics.median(one - other for one, other in zip(mine, bare, strict=True))


async def times(job: Job, seconds: float) -> dict[str, float]:
    """Percentiles at the steady rates."""
    figures = {}
    for rate in RATES:
        outcome = await run(Job(**{**vars(job), "per_s": rate, "seconds": seconds}))
        refused = outcome.sent - len(outcome.times.get("OK", ()))
        if refused:
            print(f"at {rate}:", {code: len(held) for code, held in outcome.times.items()}, flush=True)
        for percent in (50, 95, 99):
            figures[f"p{percent}_ms_at_{rate}"] = outcome.percentile(percent, "OK")
        figures[f"not_ok_at_{rate}"] = refused
    return figures


async def most_per_s(job: Job, calls: int) -> float:
    """Calls per second of four busy clients; with fewer, the kernel may give one worker all connections."""
    tasks = [await start(Job(**{**vars(job), "in_flight": 16, "calls": calls})) for _ in range(4)]
    outcomes: list[Outcome] = list(await asyncio.gather(*tasks))
    return round(sum(len(one.times["OK"]) / one.seconds for one in outcomes))


async def measure(held: Stage, traces: str, *, short: bool, cost: bool = False) -> dict[str, float]:
    """All figures. `traces`: the address of the trace receiver; `cost`: only the CPU per call."""
    calls, rounds, seconds = (2000, 3, 3.0) if short else (6000, 7, 10.0)
    server = held.server(BOSSJY_OTLP_ENDPOINT=traces, BOSSJY_TRACE_RATIO="0.01", BOSSJY_LOG_CONSOLE="off")
    unobserved = held.make_server("serve", **server.environment | {"BOSSJY_PORT": str(free_port())})
    unobserved.environment["BOSSJY_OTLP_ENDPOINT"] = ""
    unobserved.module = "tests.performance.unary.unobserved_server"
    unobserved.start()
    metadata = (("authorization", f"Bearer {await token_of(server.target)}"),)
    validate = Job(server.target, METHOD, requests(), metadata)
    plain = Job(unobserved.target, METHOD, requests(), metadata)
    busy: dict[str, Any] = {"in_flight": 16, "calls": calls}
    native = held.server(
        BOSSJY_FRONT="native", BOSSJY_OTLP_ENDPOINT=traces, BOSSJY_TRACE_RATIO="0.01", BOSSJY_LOG_CONSOLE="off"
    )
    own = (("authorization", f"Bearer {await token_of(native.target, 'native@example.com')}"),)
    by_json = Job(native.target, METHOD, json_requests(), own, json=True)
    with (
        echo_server() as (address, process),
        echo_server("uvloop") as (address_uvloop, process_uvloop),
        echo_server(module="echo_native") as (address_native, process_native),
    ):
        jobs = {
            "echo": (Job(address, METHOD, requests(), metadata, **busy), process),
            "echo_uvloop": (Job(address_uvloop, METHOD, requests(), metadata, **busy), process_uvloop),
            "unobserved": (Job(**{**vars(plain), **busy}), process_of(unobserved)),
            "validate": (Job(**{**vars(validate), **busy}), process_of(server)),
            "echo_native": (Job(address_native, METHOD, requests(), metadata, **busy), process_native),
            "native": (Job(native.target, METHOD, requests(), own, **busy), process_of(native)),
            "json": (Job(**{**vars(by_json), **busy}), process_of(native)),
        }
        figures = await costs(jobs, rounds)
        figures |= await observation_us(jobs)
    unobserved.end()
    if cost:
        native.end()
        return figures
    figures["json_per_s"] = await most_per_s(by_json, calls)
    figures["rps_native"] = await most_per_s(Job(native.target, METHOD, requests(), own), calls)
    native.end()
    figures |= await times(validate, seconds)
    figures["rps_one_worker"] = await most_per_s(validate, calls)
    server.end()
    both = held.server(BOSSJY_LOG_CONSOLE="off", BOSSJY_WORKERS="2")
    metadata = (("authorization", f"Bearer {await token_of(both.target)}"),)
    validate = Job(both.target, METHOD, requests(), metadata)
    figures |= {f"two_workers_{name}": value for name, value in (await times(validate, seconds)).items()}
    figures["rps_two_workers"] = await most_per_s(validate, calls)
    both.end()
    return figures


@contextmanager
def echo_server(*options: str, module: str = "echo_server") -> Iterator[tuple[str, psutil.Process]]:
    """The bare echo while the block runs: its address and its process."""
    address = f"127.0.0.1:{free_port()}"
    echo = subprocess.Popen([sys.executable, "-m", f"tests.performance.unary.{module}", address, *options])
    try:
        yield address, psutil.Process(echo.pid)
    finally:
        echo.terminate()
        echo.wait(10)


def main() -> int:
    """Measure and write build/figures/unary.json."""
    with stage() as held, trace_receiver() as traces:
        figures = asyncio.run(measure(held, traces, short="--short" in sys.argv[1:], cost="--cost" in sys.argv[1:]))
        figures["observation_alone_us"] = observation_alone(traces)["observation_us"]
        figures["load_average"] = os.getloadavg()[0]
    write_figures("unary", {name: round(value, 2) for name, value in figures.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
