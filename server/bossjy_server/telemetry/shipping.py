"""Export of log lines by OTLP: an option beside the file. A thread sends them in batches from a bounded queue.

A line waits in the queue, is sent, or is dropped and counted; nothing waits for the receiver. The lines have no secret
and no phone number; the address of a client, which the file has, is left out.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

import orjson
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk._logs.export import LogRecordExportResult
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from bossjy_server.telemetry.sink import Line

_SEVERITIES = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}
_SCOPE = InstrumentationScope("bossjy")
# Fields with personal data of a caller, and those that a record has in a place of its own.
_NOT_SENT = frozenset({"address", "trace_id"})
_BATCH, _DELAY_S, _EXPORT_S, _CLOSE_S = 512, 1.0, 5.0, 5.0


class Shipping:
    """Sends lines to the receiver at `endpoint`. The SDK reads OTEL_EXPORTER_OTLP_HEADERS and the like itself."""

    def __init__(self, endpoint: str, resource: Resource, queue_lines: int, *, export_s: float = _EXPORT_S) -> None:
        self.sent = self.dropped = 0  # since the start
        self._resource, self._limit = resource, queue_lines
        self._exporter = OTLPLogExporter(
            endpoint=endpoint, insecure=not endpoint.startswith("https://"), timeout=export_s
        )
        self._queue: deque[Line] = deque()
        self._wake = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="bossjy-log-otlp", daemon=True)
        self._thread.start()

    def add(self, line: Line) -> None:
        """Queue a line of the log: time, level, event, fields. Never waits."""
        # The exporter reports its own failures in the log; sent, each would cause another.
        if str(line[3].get("logger", "")).startswith("opentelemetry."):
            return
        if len(self._queue) >= self._limit:
            self.dropped += 1
            return
        self._queue.append(line)
        if len(self._queue) >= _BATCH:
            self._wake.set()

    def close(self) -> None:
        """Send the queue for at most some seconds, and end. Lines that are left over count as dropped."""
        self._ended = True
        self._wake.set()
        self._thread.join(_CLOSE_S)
        self._exporter.shutdown()
        self._thread.join(1)
        self.dropped += len(self._queue)
        self._queue.clear()

    def _run(self) -> None:
        while not self._ended:
            self._wake.wait(_DELAY_S)
            self._wake.clear()
            self._send_all()
        self._send_all()

    def _send_all(self) -> None:
        """Send what is queued. After a failure the rest waits: the receiver is likely to refuse it as well."""
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(_BATCH, len(self._queue)))]
            taken = False
            with suppress(Exception):  # of a library: whatever it is, the lines are lost
                records = [self._record(*line) for line in batch]
                taken = self._exporter.export(records) is LogRecordExportResult.SUCCESS
            if not taken:
                self.dropped += len(batch)
                return
            self.sent += len(batch)

    def _record(self, at: float, level: int, event: str, fields: Mapping[str, object]) -> ReadableLogRecord:
        nanos, trace_id = int(at * 1e9), int(str(fields.get("trace_id") or "0"), 16)
        record = LogRecord(
            timestamp=nanos,
            observed_timestamp=nanos,
            context=_context_of(trace_id),
            severity_number=_SEVERITIES.get(level, SeverityNumber.INFO),
            severity_text=logging.getLevelName(level),
            body=event,
            attributes={name: _value(value) for name, value in fields.items() if name not in _NOT_SENT},
        )
        return ReadableLogRecord(record, self._resource, _SCOPE)


def _context_of(trace_id: int) -> Context:
    """The context of a line of a sampled call; an empty one if the call is not sampled."""
    if not trace_id:
        return Context()
    sampled = SpanContext(trace_id, 0, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(sampled), Context())


def _value(value: object) -> str | int | float | bool:
    if isinstance(value, str | int | float | bool):
        return value
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
