"""What the server admits: nothing while it drains, a bounded number of calls at once, a bounded rate by address.

Limits by tenant and user, shared by all replicas, stand in `auth`; these protect one process.
"""

from __future__ import annotations

import time
from collections import OrderedDict

from bossjy_server.errors import Reason, ResourceExhausted, Unavailable
from bossjy_server.rpc.call import Call, Proceed
from bossjy_server.rpc.method import Method

# Probes must be answered when everything else is refused.
_EXEMPT_SERVICES = frozenset({"grpc.health.v1.Health"})


class TokenBuckets:
    """One bucket a key, filled at `per_minute`, holding at most `burst`. Keeps the `max_keys` keys used last."""

    def __init__(self, per_minute: int, burst: int, max_keys: int = 10_000) -> None:
        self._rate, self._burst, self._max_keys = per_minute / 60, float(burst), max_keys
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # key to (tokens, time), oldest use first

    def take(self, key: str, now: float) -> float:
        """Take one token. Returns 0, or the seconds until there is one again."""
        tokens, at = self._buckets.pop(key, (self._burst, now))
        tokens = min(self._burst, tokens + (now - at) * self._rate)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self._rate
        self._buckets[key] = (tokens - 1 if wait == 0 else tokens, now)
        if len(self._buckets) > self._max_keys:
            self._buckets.popitem(last=False)
        return wait


class Limits:
    """The limits of one process. `max_running` calls at once; `per_minute` calls from one address."""

    def __init__(self, *, max_running: int, per_minute: int) -> None:
        self._max_running, self._per_minute = max_running, per_minute
        self._buckets = TokenBuckets(per_minute, max(1, per_minute // 6))
        self._running = 0
        self.draining = False

    def concern(self, method: Method, proceed: Proceed) -> Proceed:
        """Refuse what is over a limit, before anything is spent on it."""
        if method.service in _EXEMPT_SERVICES:
            return proceed

        async def limits(call: Call) -> None:
            if self.draining:
                raise Unavailable(
                    Reason.SHUTTING_DOWN,
                    "this server is shutting down: call again, another one will answer",
                    retry_after_s=1,
                )
            if self._running >= self._max_running:
                raise ResourceExhausted(
                    Reason.OVERLOADED,
                    "the server has as many calls as it admits: call again with jitter",
                    retry_after_s=1,
                )
            wait = self._buckets.take(call.context.address, time.monotonic())
            if wait > 0:
                raise ResourceExhausted(
                    Reason.RATE_LIMITED,
                    f"more than {self._per_minute} calls a minute from one address: call again after the stated delay",
                    metadata={"limit": str(self._per_minute), "subject": "address"},
                    retry_after_s=wait,
                )
            self._running += 1
            try:
                await proceed(call)
            finally:
                self._running -= 1

        return limits
