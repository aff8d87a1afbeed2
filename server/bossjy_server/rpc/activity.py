"""Activity of callers: calls by tenant, active users and sessions, API keys that expire soon. Read on a scrape.

The number of tenants with counts of their own is bounded; all later ones share the name `other`. Users, sessions and
keys are counted per process, so a user of two processes counts twice in their sum.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bossjy_server.context import Caller
from bossjy_server.rpc.log import shown_tenant

# A caller is active for one to two windows after a call; a key is in use for one to two of its own.
_WINDOW_S, _KEY_WINDOW_S = 300.0, 43_200.0
_MOST = 100_000
_SOON_S = 14 * 86_400.0
_FAULTS = frozenset({"INTERNAL", "UNKNOWN", "DATA_LOSS", "UNAVAILABLE"})
_OTHER = "other"


class _TenantCounts:
    """The counts of one tenant."""

    __slots__ = ("faults", "ok", "refused", "seconds")

    def __init__(self) -> None:
        self.ok, self.refused, self.faults, self.seconds = 0, 0, 0, 0.0


class _Recent:
    """The entries of the running window and of the one before it, at most `_MOST` each."""

    __slots__ = ("_before", "_clock", "_ends", "_now", "_window_s")

    def __init__(self, window_s: float, clock: Callable[[], float]) -> None:
        self._window_s, self._clock = window_s, clock
        self._ends = clock() + window_s
        self._now: dict[str, float] = {}
        self._before: dict[str, float] = {}

    def add(self, name: str, value: float = 0.0) -> None:
        if self._clock() >= self._ends:
            self._turn()
        if len(self._now) < _MOST:
            self._now[name] = value

    def all(self) -> dict[str, float]:
        """The entries of both windows. Called from another thread."""
        if self._clock() >= self._ends + self._window_s:
            return {}  # no call since
        if self._clock() >= self._ends:
            return dict(self._now)
        return self._before | self._now

    def _turn(self) -> None:
        now = self._clock()
        self._before = self._now if now < self._ends + self._window_s else {}
        self._now, self._ends = {}, now + self._window_s


class Activity(Collector):
    """The counts, in `registry`. If `tenants_most` is 0, no tenant is named."""

    def __init__(
        self, registry: CollectorRegistry, tenants_most: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = tenants_most
        self._tenants: dict[str, _TenantCounts] = {}
        self._users, self._sessions = _Recent(_WINDOW_S, clock), _Recent(_WINDOW_S, clock)
        self._keys = _Recent(_KEY_WINDOW_S, clock)
        registry.register(self)

    def count(self, caller: Caller, code: str, seconds: float) -> None:
        """Count an ended call."""
        if self._most:
            counts = self._tenants.get(caller.tenant_id)
            if counts is None:
                name = caller.tenant_id if len(self._tenants) < self._most else _OTHER
                counts = self._tenants.setdefault(name, _TenantCounts())
            counts.seconds += seconds
            if code == "OK":
                counts.ok += 1
            elif code in _FAULTS:
                counts.faults += 1
            else:
                counts.refused += 1
        self._users.add(caller.user_id)
        if caller.api_key_id:
            self._keys.add(caller.api_key_id, caller.expire_time_s)
        else:
            self._sessions.add(caller.session_id)

    def collect(self) -> Iterator[Metric]:
        """The current counts."""
        calls = CounterMetricFamily(
            "bossjy_tenant_calls", "Calls of callers by tenant: ok, refused, fault.", labels=["tenant_id", "outcome"]
        )
        seconds = CounterMetricFamily(
            "bossjy_tenant_call_seconds", "Time of unary calls by tenant.", labels=["tenant_id"]
        )
        for name, counts in list(self._tenants.items()):
            shown = shown_tenant(name)
            for outcome, number in (("ok", counts.ok), ("refused", counts.refused), ("fault", counts.faults)):
                calls.add_metric([shown, outcome], number)
            seconds.add_metric([shown], counts.seconds)
        yield from (calls, seconds)
        yield GaugeMetricFamily(
            "bossjy_active_users", "Users with a call in the last five minutes.", value=len(self._users.all())
        )
        yield GaugeMetricFamily(
            "bossjy_active_sessions", "Sessions with a call in the last five minutes.", value=len(self._sessions.all())
        )
        soon = time.time() + _SOON_S
        yield GaugeMetricFamily(
            "bossjy_api_keys_expiring",
            "API keys and bound certificates in use that expire within 14 days.",
            value=sum(expires < soon for expires in self._keys.all().values()),
        )
