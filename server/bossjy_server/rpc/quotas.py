"""Quotas of tenants and users: calls a minute by class of methods, and simultaneous calls and streams of a tenant.

This comes after access, because it needs the caller. `rates` does the counting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial

from bossjy_server.context import Caller
from bossjy_server.errors import BossjyError, Reason, ResourceExhausted
from bossjy_server.rpc.call import Call, Proceed
from bossjy_server.rpc.classes import CallClass, class_of
from bossjy_server.rpc.method import Method
from bossjy_server.rpc.options import QuotaOptions
from bossjy_server.rpc.rates import Rates
from bossjy_server.rpc.slots import NoPlace
from bossjy_server.rpc.tenant_shares import ClassShare
from bossjy_server.tenant_settings import KnownTenants, TenantSettings


class Quotas:
    """The interceptor that enforces the quotas of callers."""

    def __init__(
        self, options: QuotaOptions, rates: Rates, tenants: KnownTenants, shares: Mapping[CallClass, ClassShare]
    ) -> None:
        self._options, self._rates, self._shares = options, rates, shares
        self._tenants = tenants
        self._streams: Counter[str] = Counter()

    def concern(self, method: Method, proceed: Proceed) -> Proceed:
        """Refuse a call over a limit of its tenant or user. Public methods have no caller and pass."""
        if method.access.public:
            return proceed
        kind = class_of(method)
        tenants, users = self._rates.book("tenant", kind), self._rates.book("user", kind)
        settings_of, user_limit = self._tenants.of, self._options.user_per_minute
        unknown = TenantSettings(self._options.tenant_per_minute)  # no call waits for the settings of its tenant
        share, queue_s = self._shares[kind], self._options.queue_s

        inner = self._with_streams(proceed) if kind is CallClass.BULK else proceed

        async def quotas(call: Call) -> None:
            caller = _caller(call)
            limit = (settings_of(caller.tenant_id) or unknown).calls_per_minute
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
        running, settings_of, default = self._streams, self._tenants.of, self._options.tenant_streams

        async def streams(call: Call) -> None:
            tenant = _caller(call).tenant_id
            settings = settings_of(tenant)
            most = default if settings is None or settings.streams is None else settings.streams
            if most and running[tenant] >= most:
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
