"""Options of log, metrics endpoint, traces and sent log lines."""

from __future__ import annotations

from dataclasses import dataclass

from bossjy_server import setting_texts as read
from bossjy_server.setting_texts import setting

_RATIO = 0.01
# The receiver that OpenTelemetry names for gRPC if no setting does.
_STANDARD_RECEIVER = "http://localhost:4317"


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Options of the log on file and console."""

    level: str = setting(
        "BOSSJY_LOG_LEVEL", "info", read.choice("debug", "info", "warning", "error"), "Lowest level that is logged."
    )
    console: str = setting(
        "BOSSJY_LOG_CONSOLE",
        "info",
        read.choice("debug", "info", "warning", "error", "off"),
        "Lowest level that is also shown on the console.",
    )
    form: str = setting(
        "BOSSJY_LOG_FORMAT",
        "auto",
        read.choice("auto", "json", "human"),
        "Form of the console's lines; `auto`: human on a terminal, else JSON. The file has JSON.",
    )
    no_color: str = setting("NO_COLOR", "", str, "If set, lines on a terminal have no colours.")
    file_bytes: int = setting(
        "BOSSJY_LOG_FILE_BYTES", 10_000_000, read.whole(10_000, 10**10), "Size in bytes at which a log file rotates."
    )
    files: int = setting("BOSSJY_LOG_FILES", 30, read.whole(1, 1000), "Number of log files to keep.")
    refusals_per_minute: int = setting(
        "BOSSJY_LOG_REFUSALS_PER_MINUTE",
        60,
        read.whole(0, 10**6),
        "Lines per minute about refused calls of one network; the others are summarised. 0: no limit.",
    )
    exporter: str = setting(
        "OTEL_LOGS_EXPORTER",
        "",
        read.choice("otlp", "none"),
        "`otlp`: lines are also sent to an OTLP gRPC receiver. If empty: only if the next setting names one.",
    )
    otlp_endpoint: str = setting(
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        "",
        read.url("http", "https"),
        "OTLP gRPC receiver of log lines. If empty, that of traces.",
    )
    otlp_queue: int = setting(
        "OTEL_BLRP_MAX_QUEUE_SIZE",
        8192,
        read.whole(1, 1_000_000),
        "Lines that may wait to be sent to the receiver; more are dropped and counted.",
    )


@dataclass(frozen=True, slots=True)
class MetricsOptions:
    """Endpoint of the metrics."""

    host: str = setting(
        "BOSSJY_METRICS_HOST",
        "127.0.0.1",
        read.host,
        "Address of the metrics, which have neither TLS nor credentials.",
    )
    port: int = setting("BOSSJY_METRICS_PORT", 18002, read.whole(0, 65535), "Port of the metrics; 0: none.")
    tenants: int = setting(
        "BOSSJY_METRICS_TENANTS",
        200,
        read.whole(0, 10_000),
        "Number of tenants with metrics of their own in a process; the others share one. 0: none.",
    )


@dataclass(frozen=True, slots=True)
class TraceOptions:
    """Export of traces."""

    endpoint: str = setting(
        "BOSSJY_OTLP_ENDPOINT", "", read.url("http", "https"), "OTLP gRPC receiver of traces. If empty, no traces."
    )
    ratio: float = setting("BOSSJY_TRACE_RATIO", _RATIO, read.decimal(0, 1), "Share of calls that are traced.")
    otel_traces_endpoint: str = setting(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "",
        read.url("http", "https"),
        "OpenTelemetry's own name of the receiver; BOSSJY_OTLP_ENDPOINT overrides it.",
    )
    otel_endpoint: str = setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "",
        read.url("http", "https"),
        "OpenTelemetry's own name of the receiver of all signals; the two above override it.",
    )
    otel_ratio: float = setting(
        "OTEL_TRACES_SAMPLER_ARG",
        _RATIO,
        read.decimal(0, 1),
        "OpenTelemetry's own name of the share of traced calls; BOSSJY_TRACE_RATIO overrides it.",
    )
    service: str = setting("OTEL_SERVICE_NAME", "bossjy", str, "Name of the service in traces and sent log lines.")
    disabled: bool = setting(
        "OTEL_SDK_DISABLED", False, read.switch, "No traces and no sent log lines, whatever the other settings say."
    )

    @property
    def receiver(self) -> str:
        """The receiver of traces; empty for none."""
        return "" if self.disabled else self.endpoint or self.otel_traces_endpoint or self.otel_endpoint

    @property
    def share(self) -> float:
        """The share of calls that are traced when their caller did not decide."""
        return self.ratio if self.ratio != _RATIO else self.otel_ratio


def log_receiver(log: LogOptions, traces: TraceOptions) -> str:
    """The receiver of log lines; empty for none."""
    if traces.disabled or log.exporter == "none" or not (log.exporter or log.otlp_endpoint):
        return ""
    return log.otlp_endpoint or traces.otel_endpoint or traces.endpoint or _STANDARD_RECEIVER
