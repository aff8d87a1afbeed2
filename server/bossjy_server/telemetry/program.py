"""Metrics of the program, its plan and its log: versions, age of the plan, lines lost. Read on a scrape."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from importlib.metadata import version

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bossjy_server.telemetry.logging import Log

_DAY_S = 86_400.0


class ProgramCollector(Collector):
    """Versions of the service and of the numbering plan, and lost log lines, in `registry`."""

    def __init__(self, registry: CollectorRegistry, log: Log) -> None:
        self._log = log
        self._versions = [version("bossjy-server"), version("phonenumbers")]
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """The current values."""
        build = GaugeMetricFamily(
            "bossjy_build_info", "Versions of the service and of its numbering plan.", labels=["version", "plan"]
        )
        build.add_metric(self._versions, 1)
        dropped = CounterMetricFamily(
            "bossjy_log_lines_dropped", "Log lines that a full queue dropped.", value=self._log.lines_dropped
        )
        failed = CounterMetricFamily(
            "bossjy_log_write_failures", "Writes that the log file did not take.", value=self._log.write_failures
        )
        shipping = self._log.shipping
        sent = CounterMetricFamily(
            "bossjy_log_lines_sent", "Log lines that an OTLP receiver accepted.", value=shipping.sent if shipping else 0
        )
        unsent = CounterMetricFamily(
            "bossjy_log_lines_unsent",
            "Log lines dropped because the OTLP receiver is slow, away or refuses them.",
            value=shipping.dropped if shipping else 0,
        )
        return [build, dropped, failed, sent, unsent]


class AgeCollector(Collector):
    """Ages and ends of what an operator must renew, in `registry`: the plan, signing keys, certificates.

    `plan_time` and `key_time` are Unix times; `certificates` returns the end of each file, by its name.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        plan_time: float,
        key_time: Callable[[], float],
        certificates: Callable[[], dict[str, float]],
    ) -> None:
        self._plan_time, self._key_time, self._certificates = plan_time, key_time, certificates
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """The current values."""
        now = time.time()
        plan = GaugeMetricFamily(
            "bossjy_plan_age_days",
            "Days since the release of the numbering plan.",
            value=(now - self._plan_time) / _DAY_S,
        )
        key = GaugeMetricFamily(
            "bossjy_signing_key_age_days",
            "Days since the signing key of access tokens was made.",
            value=(now - self._key_time()) / _DAY_S,
        )
        ends = GaugeMetricFamily(
            "bossjy_certificate_expiry_timestamp_seconds",
            "Unix time at which the first certificate of a file expires.",
            labels=["file"],
        )
        for name, end in self._certificates().items():
            ends.add_metric([name], end)
        return [plan, key, ends]
