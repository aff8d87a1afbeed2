"""Quotas of tenants and users: calls a minute by class of methods, and simultaneous calls and streams of a tenant.

This comes after access, because it needs the caller. `rates` does the counting.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from bossjy_server.bounded import BoundedMap
from bossjy_server.context import Caller
from bossjy_server.errors import BossjyError, Reason, ResourceExhausted
from bossjy_server.rpc.call import Call, Proceed
from bossjy_server.rpc.classes import CallClass, class_of
from bossjy_server.rpc.method import Method
from bossjy_server.rpc.options import QuotaOptions
from bossjy_server.rpc.rates import Rates
from bossjy_server.rpc.slots import NoPlace
from bossjy_server.rpc.tenant_shares import ClassShare

# A tenant's calls per minute, by its id; 0: no limit. Raises BossjyError.
TenantLimit = Callable[[str], Awaitable[int]]


class TenantLimits:
    """The limits of tenants, cached and read in the background: no call waits for one."""

    def __init__(self, read: TenantLimit, options: QuotaOptions) -> None:
        self._read, self._options = read, options
        # Tenant to its limit, and the time of the next read.
        self._known = BoundedMap[str, tuple[int, float]](options.tenants_max)
        self._reading: dict[str, asyncio.Task[None]] = {}

    def of(self, tenant_id: str) -> int:
        """Calls a minute. Until a tenant's limit is known, an option applies."""
        known = self._known.get(tenant_id)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        if tenant_id not in self._reading and len(self._reading) < 100:
            task = self._reading[tenant_id] = asyncio.create_task(self._learn(tenant_id))
            task.add_done_callback(lambda _: self._reading.pop(tenant_id, None))
        return self._options.tenant_per_minute if known is None else known[0]

    def recent(self) -> list[str]:
        """The tenants whose limit is known, the latest last."""
        return list(self._known)

    async def learn(self, tenants: Sequence[str]) -> None:
        """Read the limits of tenants, one after the other."""
        for tenant_id in tenants:
            await self._learn(tenant_id)

    async def _learn(self, tenant_id: str) -> None:
        try:
            limit = await self._read(tenant_id)
        except BossjyError:
            return  # the old limit still applies; the next call tries again
        self._known.keep(tenant_id, (limit, time.monotonic() + self._options.limit_known_s))


class Quotas:
    """The interceptor that enforces the quotas of callers."""

    def __init__(
        self, options: QuotaOptions, rates: Rates, read: TenantLimit, shares: Mapping[CallClass, ClassShare]
    ) -> None:
        self._options, self._rates, self._shares = options, rates, shares
        self._tenants = TenantLimits(read, options)
        self._streams: Counter[str] = Counter()

    def recent_tenants(self) -> list[str]:
        """The tenants with the latest calls of this process, the latest last."""
        return self._tenants.recent()

    async def learn(self, tenants: Sequence[str]) -> None:
        """Read the limits of tenants before their calls."""
        await self._tenants.learn(tenants)

    def concern(self, method: Method, proceed: Proceed) -> Proceed:
        """Refuse a call over a limit of its tenant or user. Public methods have no caller and pass."""
        if method.access.public:
            return proceed
        kind = class_of(method)
        tenants, users = self._rates.book("tenant", kind), self._rates.book("user", kind)
        limit_of, user_limit = self._tenants.of, self._options.user_per_minute
        share, queue_s = self._shares[kind], self._options.queue_s

        inner = self._with_streams(proceed) if kind is CallClass.BULK and self._options.tenant_streams else proceed

        async def quotas(call: Call) -> None:
            caller = _caller(call)
            limit = limit_of(caller.tenant_id)
            if limit:
                wait = tenants.take(caller.tenant_id, limit)
                if wait:
                    raise _over("tenant", kind, limit, wait)
            if user_limit:
                wait = users.take(caller.user_id, user_limit)
                if wait:
                    raise _over("user", kind, user_limit, wait)
            tenant = caller.tenant_id
            if not share.enter_now(tenant):
                await _enter(share, tenant, kind, call.context.remaining_s(queue_s))
            try:
                await inner(call)
            finally:
                share.leave(tenant)

        return quotas

    def _with_streams(self, proceed: Proceed) -> Proceed:
        most, running = self._options.tenant_streams, self._streams

        async def streams(call: Call) -> None:
            tenant = _caller(call).tenant_id
            if running[tenant] >= most:
                raise ResourceExhausted(
                    Reason.QUOTA_EXCEEDED,
                    f"your tenant has {most} open streams, which is its limit: end some, or call again later",
                    metadata={"limit": str(most), "subject": "tenant"},
                    retry_after_s=1,
                )
            running[tenant] += 1
            # Not earlier: until then the transport holds the message that the client has not read.
            call.at_close = partial(self._closed, tenant)
            await proceed(call)

        return streams

    def _closed(self, tenant: str) -> None:
        self._streams[tenant] -= 1
        if not self._streams[tenant]:
            del self._streams[tenant]


async def _enter(share: ClassShare, tenant: str, kind: CallClass, wait_s: float) -> None:
    try:
        await share.enter(tenant, wait_s)
    except NoPlace:
        raise ResourceExhausted(
            Reason.OVERLOADED,
            f"your tenant has its share of the calls of the class {kind} that run at once: call again later",
            metadata={"class": kind.value, "subject": "tenant"},
            retry_after_s=1,
        ) from None


def _caller(call: Call) -> Caller:
    caller = call.context.caller
    if caller is None:
        raise LookupError("access admits nobody without a caller")
    return caller


def _over(subject: str, kind: CallClass, limit: int, wait_s: float) -> BossjyError:
    return ResourceExhausted(
        Reason.RATE_LIMITED,
        f"more than {limit} calls a minute of the class {kind} for one {subject}: call again after the stated delay",
        metadata={"limit": str(limit), "subject": subject, "class": kind.value},
        retry_after_s=wait_s,
    )
