"""Metrics of the program and its log: versions, and lines that the full queue dropped. Read on a scrape."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bossjy_server.telemetry.logging import Log


class ProgramCollector(Collector):
    """Versions of the service and of the numbering plan, and dropped log lines, in `registry`."""

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
        return [build, dropped]
