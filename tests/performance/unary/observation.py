"""CPU of logs, metrics and traces for each call, without a network: python -m tests.performance.unary.observation

Each round measures a call that does nothing, with the real interceptors and without them. All threads of the
process count, so the writing of the log file and the export of spans are included, as is the receiver of the spans. The
least of the rounds is the figure: other work on the machine can only add to it.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from prometheus_client import CollectorRegistry

from bossjy.phone.v1 import phone_service_pb2
from bossjy_server.context import CallContext, Caller, enter_call
from bossjy_server.rpc.call import Call, Concern, Proceed, compose
from bossjy_server.rpc.log import logging_concern
from bossjy_server.rpc.method import methods_of
from bossjy_server.rpc.metrics import CallMetrics
from bossjy_server.rpc.tracing import tracing_concern
from bossjy_server.telemetry.logging import Log
from bossjy_server.telemetry.tracing import Tracing
from tests.measurements import write_figures
from tests.performance.unary.bench_unary import trace_receiver

CALLS, ROUNDS = 20_000, 15
SERVICE = phone_service_pb2.DESCRIPTOR.services_by_name["PhoneService"]
METHOD = next(one for one in methods_of(SERVICE) if one.name == "ValidateNumber")
CALLER = Caller("acme-2k", "u_12", frozenset(), "member", "s_12")


async def _send(_: bytes) -> None:
    """Send nothing."""


async def _cost_us(proceed: Proceed) -> float:
    began = time.process_time()
    for number in range(CALLS):
        context = CallContext(f"ab12-{number}", METHOD.path, "10.1.2.3", caller=CALLER, network="10.1.2.3")
        call = Call(METHOD, context, {}, frozenset(), b"", None, _send, time.monotonic(), peer="ipv4:10.1.2.3:5000")
        enter_call(context)
        await proceed(call)
    await asyncio.sleep(0.2)  # the log's thread writes the rest
    return (time.process_time() - began) / CALLS * 1e6


async def _measure(folder: Path, traces: str) -> dict[str, float]:
    log, tracing = Log(file=folder / "log", queue_lines=1_000_000), Tracing(traces)

    async def nothing(_: Call) -> None:
        """Answer nothing."""

    concerns: dict[str, list[Concern]] = {
        "traces": [tracing_concern(tracing.tracer, 0.01, "127.0.0.1:18001")],
        "metrics": [CallMetrics(CollectorRegistry()).concern],
        "logs": [logging_concern(log)],
    }
    chains = {name: compose(METHOD, kept, nothing) for name, kept in concerns.items()}
    chains["observation"] = compose(METHOD, [one for kept in concerns.values() for one in kept], nothing)
    chains["bare"] = nothing
    least = dict.fromkeys(chains, float("inf"))
    for _ in range(ROUNDS):
        for name, proceed in chains.items():
            least[name] = min(least[name], await _cost_us(proceed))
    log.close()
    tracing.close()
    bare = least.pop("bare")
    return {f"{name}_us": round(cost - bare, 2) for name, cost in least.items()}


def main() -> int:
    """Measure and write build/figures/observation.json."""
    with tempfile.TemporaryDirectory() as folder, trace_receiver() as traces:
        figures = asyncio.run(_measure(Path(folder), traces))
    write_figures("observation", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
