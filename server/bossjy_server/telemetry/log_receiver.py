"""Receiver of log lines that the settings name. Its packages are loaded only then."""

from __future__ import annotations

from bossjy_server.telemetry.options import LogOptions, TraceOptions, log_receiver
from bossjy_server.telemetry.sink import Sink


def sink_for(log: LogOptions, traces: TraceOptions) -> Sink | None:
    """The receiver that the settings name; None for none."""
    receiver = log_receiver(log, traces)
    if not receiver:
        return None
    from bossjy_server.telemetry.shipping import Shipping  # noqa: PLC0415 - an option: its packages load slowly
    from bossjy_server.telemetry.tracing import resource_of  # noqa: PLC0415 - as above

    return Shipping(receiver, resource_of(traces.service), log.otlp_queue)
