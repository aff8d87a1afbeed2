"""Second destination of log lines beside console and file. It is loaded only if the settings name it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

from bossjy_server.telemetry.options import LogOptions, TraceOptions, log_receiver

# Time, level, event, fields.
Line: TypeAlias = tuple[float, int, str, Mapping[str, object]]


class Sink(Protocol):
    """Takes lines without waiting. `sent` and `dropped` count them since the start."""

    sent: int
    dropped: int

    def add(self, line: Line) -> None:
        """Take a line, or drop and count it."""

    def close(self) -> None:
        """Send what waits, for at most some seconds."""


def sink_for(log: LogOptions, traces: TraceOptions) -> Sink | None:
    """The receiver that the settings name; None for none."""
    receiver = log_receiver(log, traces)
    if not receiver:
        return None
    from bossjy_server.telemetry.shipping import Shipping  # noqa: PLC0415 - an option: its packages load slowly
    from bossjy_server.telemetry.tracing import resource_of  # noqa: PLC0415 - as above

    return Shipping(receiver, resource_of(traces.service), log.otlp_queue)
