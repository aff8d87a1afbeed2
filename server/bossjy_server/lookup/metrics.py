"""Metrics of look-ups, in addition to those of their cache and breaker."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from bossjy_server.lookup.lookup import Lookup

_ENDS = ("found", "unknown", "busy", "failed")


class LookupCollector(Collector):
    """Metrics of look-ups, in `registry`. If None, look-ups are off and have no metrics."""

    def __init__(self, registry: CollectorRegistry, lookup: Lookup | None) -> None:
        self._lookup = lookup
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """The current values."""
        if self._lookup is None:
            return []
        asked = CounterMetricFamily(
            "bossjy_lookup_questions", "Queries to the provider of live look-ups, by their result.", labels=["result"]
        )
        for end in _ENDS:
            asked.add_metric([end], self._lookup.ends[end])
        return [asked]
