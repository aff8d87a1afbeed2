"""A mixed load for minutes or hours, and the growth of memory, files, connections and tasks of the server.

    python -m tests.performance.faults.soak --minutes 5

Every ten seconds the server's resident memory, open files, sockets and tasks are read. After a warm-up (a fifth of the
time, two to ten minutes, at most half) a line is fitted through these values: its slope per hour, with the standard
error of the slope. A slope that is smaller than twice its error counts as zero.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bossjy_server.embedded.system import free_port
from tests import metrics
from tests.e2e.conftest import ServerProcess, made_server
from tests.measurements import FOLDER, print_table, write_figures
from tests.performance.faults.calls import Caller
from tests.performance.faults.load import Load, Tally

MIX = {"validate": 12, "me": 3, "contacts": 3, "login": 2, "stats": 1, "stream": 2, "import": 1}
PER_SECOND = 40.0
EVERY_S = 10.0


@dataclass(frozen=True)
class Sample:
    """The server at one moment."""

    at: float
    rss_mib: float
    files: float
    connections: float
    tasks: float


def sample(server: ServerProcess, metrics_port: int) -> Sample:
    """Read the server. Blocks."""
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    return Sample(
        at=time.monotonic(),
        rss_mib=process.memory_info().rss / 2**20,
        files=process.num_fds(),
        connections=len(process.net_connections("all")),
        tasks=metrics.value(metrics_port, "bossjy_tasks"),
    )


def slope_an_hour(times: list[float], values: list[float]) -> tuple[float, float]:
    """The slope of the line of least squares per hour, and its standard error. Times in seconds."""
    if len(times) < 3:
        raise ValueError("three samples at least make a slope")
    fit = statistics.linear_regression(times, values)
    residuals = [value - fit.slope * at - fit.intercept for at, value in zip(times, values, strict=True)]
    mean = statistics.fmean(times)
    spread = sum((at - mean) ** 2 for at in times)
    error = (sum(one * one for one in residuals) / (len(times) - 2) / spread) ** 0.5
    return fit.slope * 3600, error * 3600


async def soak(minutes: float) -> dict[str, float]:
    """Run the load; the figures."""
    metrics_port = free_port()
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory(prefix="bossjy-soak-") as folder:
        server = made_server(
            Path(folder),
            BOSSJY_METRICS_PORT=str(metrics_port),
            BOSSJY_REGISTRATION="open",
            BOSSJY_CALLS_PER_MINUTE_PER_TENANT="0",
            BOSSJY_LOG_CONSOLE="warning",
        )
        await asyncio.to_thread(server.start)
        try:
            async with Caller(server.target, connections=4, timeout_s=20) as caller:
                await caller.register()
                tally = await _load(caller, server, metrics_port, minutes, samples)
        finally:
            await asyncio.to_thread(server.end)
    warm = samples[0].at + min(60 * minutes / 2, max(120.0, min(600.0, 60 * minutes / 5)))
    kept = [one for one in samples if one.at >= warm]
    figures = {"soak_minutes": minutes, "soak_sent": tally.sent, "soak_ok": tally.ok}
    figures["soak_refused"] = sum(tally.refused.values())
    figures["soak_failed"] = sum(tally.failed.values())
    rows: list[tuple[object, ...]] = [("an hour", "slope", "± error", "first", "last")]
    for name in ("rss_mib", "files", "connections", "tasks"):
        values = [getattr(one, name) for one in kept]
        slope, error = slope_an_hour([one.at for one in kept], values)
        figures |= {f"soak_{name}_slope": slope, f"soak_{name}_slope_error": error, f"soak_{name}_last": values[-1]}
        rows.append((name, slope, error, values[0], values[-1]))
    print_table(rows, title=f"after {warm - samples[0].at:.0f} s of warm-up, {len(kept)} samples")
    for text, count in [*tally.refused.items(), *tally.failed.items()]:
        print(f"{count} × {text}")
    return figures


async def _load(
    caller: Caller, server: ServerProcess, metrics_port: int, minutes: float, samples: list[Sample]
) -> Tally:
    ends = time.monotonic() + 60 * minutes
    tally = Tally(0, 0, {}, {})
    async with Load(caller, MIX, PER_SECOND) as load:
        while time.monotonic() < ends:
            samples.append(await asyncio.to_thread(sample, server, metrics_port))
            one = samples[-1]
            print(
                f"{one.at - samples[0].at:6.0f} s  rss {one.rss_mib:7.1f} MiB  files {one.files:4.0f}  "
                f"connections {one.connections:4.0f}  tasks {one.tasks:4.0f}  sent {len(caller.outcomes)}",
                flush=True,
            )
            await asyncio.sleep(max(0.0, min(EVERY_S, ends - time.monotonic())))
    tally = Tally.of(load.outcomes)
    print(f"{load.not_sent} calls were not sent: too many ran" if load.not_sent else "every call was sent in its time")
    return tally


def main() -> int:
    """Returns 1 if a call failed for no documented reason."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=5.0)
    figures = asyncio.run(soak(parser.parse_args().minutes))
    write_figures("soak", figures)
    # The figures of the faults contain those of the soak as well.
    path = FOLDER / "prove_faults.json"
    if path.exists():
        kept = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps({**kept, **figures}, indent=2) + "\n", "utf-8")
    return 1 if figures["soak_failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
