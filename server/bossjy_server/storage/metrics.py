"""Metrics of dependencies: breakers, retries, pools. Read on a scrape, so uses cost nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bossjy_server.bounded import LookUps
from bossjy_server.storage.audit import losses
from bossjy_server.storage.breaker import Breaker
from bossjy_server.storage.cache import Cache
from bossjy_server.storage.postgres import Database


class PartsCollector(Collector):
    """Metrics of breakers and of the pool, in `registry`."""

    def __init__(self, registry: CollectorRegistry, database: Database, breakers: Sequence[Breaker]) -> None:
        self._database, self._breakers = database, breakers
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """The current values."""
        state = GaugeMetricFamily(
            "bossjy_breaker_state", "0: closed, uses go through; 1: half open, a trial runs; 2: open.", labels=["part"]
        )
        opened = CounterMetricFamily("bossjy_breaker_opened", "Times that a breaker opened.", labels=["part"])
        refused = CounterMetricFamily("bossjy_breaker_refused", "Uses that an open breaker refused.", labels=["part"])
        for breaker in self._breakers:
            state.add_metric([breaker.part], breaker.state)
            opened.add_metric([breaker.part], breaker.opened)
            refused.add_metric([breaker.part], breaker.refused)
        retried = CounterMetricFamily("bossjy_retries", "Uses that were retried.", labels=["part"])
        retried.add_metric(["postgresql"], self._database.retries.retried)
        connections = GaugeMetricFamily(
            "bossjy_database_connections", "Connections to PostgreSQL in the pool.", labels=["state"]
        )
        size, idle = self._database.size
        connections.add_metric(["busy"], size - idle)
        connections.add_metric(["idle"], idle)
        most = GaugeMetricFamily(
            "bossjy_database_connections_max", "Limit of the pool's connections.", value=self._database.size_max
        )
        waiting = GaugeMetricFamily(
            "bossjy_database_waiting",
            "Transactions that wait for a connection.",
            value=self._database.shares.queued + self._database.long_shares.queued,
        )
        waits = CounterMetricFamily(
            "bossjy_database_waits", "Transactions that waited for a connection.", value=self._database.waits
        )
        waited = CounterMetricFamily(
            "bossjy_database_wait_seconds", "Time of waits for a connection.", value=self._database.wait_s
        )
        lost = CounterMetricFamily(
            "bossjy_audit_failures", "Events that could not be added to the audit log.", value=losses.count
        )
        return [state, opened, refused, retried, connections, most, waiting, waits, waited, lost]


class CachesCollector(Collector):
    """Metrics of caches, in `registry`. Hit rate: hits by hits and misses. Redis reports its total size itself."""

    def __init__(self, registry: CollectorRegistry, caches: Sequence[Cache], own: Sequence[LookUps] = ()) -> None:
        """`own`: caches of this process, which are not in Redis."""
        self._caches, self._own = caches, own
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """The current values."""
        asked = CounterMetricFamily("bossjy_cache_requests", "Look-ups, by their result.", labels=["cache", "result"])
        stored = CounterMetricFamily("bossjy_cache_stored_bytes", "Bytes of entries stored.", labels=["cache"])
        for cache in self._caches:
            counts = cache.counts
            asked.add_metric([cache.name, "hit"], counts.hits)
            asked.add_metric([cache.name, "miss"], counts.misses)
            asked.add_metric([cache.name, "bypassed"], counts.bypassed)
            asked.add_metric([cache.name, "joined"], cache.joined)
            stored.add_metric([cache.name], counts.stored_bytes)
        for one in self._own:
            asked.add_metric([one.name, "hit"], one.hits)
            asked.add_metric([one.name, "miss"], one.misses)
        return [asked, stored]
