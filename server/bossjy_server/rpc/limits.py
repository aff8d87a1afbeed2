"""Admission limits of a process: no calls while it drains, slots by class of methods, a rate by address.

This comes before access, so a refused call costs little. The limits of a tenant come after it, in `quotas`. Each class
has its own slots: bulk or slow calls never take the slots of short ones, and probes need none. Calls that never wait
(phone) do not fill slots: the number of streams of a connection bounds them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bossjy_server.errors import BossjyError, Reason, ResourceExhausted, Unavailable
from bossjy_server.rpc.call import Call, Proceed
from bossjy_server.rpc.classes import LIMITED, CallClass, class_of
from bossjy_server.rpc.method import Method
from bossjy_server.rpc.options import LimitOptions
from bossjy_server.rpc.rates import Rates
from bossjy_server.rpc.slots import NoPlace, Slots
from bossjy_server.rpc.tenant_shares import ClassShare
from bossjy_server.rpc.validation import check_size

# Simultaneous calls of each class in one process. The queue has the same length.
RUNNING: Mapping[str, int] = MappingProxyType(
    {"phone": 400, "contacts": 64, "imports": 64, "login": 64, "auth": 128, "admin": 32, "bulk": 200, "other": 32}
)
QUEUED: Mapping[str, int] = MappingProxyType(
    {"phone": 400, "contacts": 256, "imports": 256, "login": 64, "auth": 256, "admin": 128, "bulk": 100, "other": 64}
)


class Limits:
    """The interceptor that protects this process."""

    def __init__(self, options: LimitOptions, rates: Rates, registry: CollectorRegistry | None = None) -> None:
        self._options = options
        self._addresses = rates.book("address", "all")
        running, queued = {**RUNNING, **options.running}, {**QUEUED, **options.queued}
        self.slots: dict[CallClass, Slots] = {kind: Slots(running[kind], queued[kind]) for kind in LIMITED}
        self.shares = {
            kind: ClassShare(slots, options.tenant_share, slots.queued_most) for kind, slots in self.slots.items()
        }
        self.draining = False
        if registry is not None:
            registry.register(_SlotsCollector(self.slots))

    def concern(self, method: Method, proceed: Proceed) -> Proceed:
        """Refuse a call over a limit, before it costs anything."""
        kind = class_of(method)
        if kind is CallClass.HEALTH:
            return proceed
        slots, queue_s = self.slots[kind], self._options.queue_s
        addresses, per_minute = self._addresses, self._options.address_per_minute

        async def limits(call: Call) -> None:
            if self.draining:
                raise _draining()
            check_size(call.raw_request)
            if per_minute:
                wait = addresses.take(call.context.network, per_minute)
                if wait:
                    raise _too_many(per_minute, wait)
            if not slots.enter_now():
                await _enter(slots, kind, call.context.remaining_s(queue_s))
            try:
                await proceed(call)
            finally:
                slots.leave()

        return limits


async def _enter(slots: Slots, kind: CallClass, wait_s: float) -> None:
    try:
        await slots.enter(wait_s)
    except NoPlace:
        raise ResourceExhausted(
            Reason.OVERLOADED,
            f"the server has reached its limit of calls of the class {kind}: call again after the stated delay",
            metadata={"class": kind.value},
            retry_after_s=1,
        ) from None


def _draining() -> BossjyError:
    message = "this server is shutting down: call again, and another one will answer"
    return Unavailable(Reason.SHUTTING_DOWN, message, retry_after_s=1)


def _too_many(per_minute: int, wait_s: float) -> BossjyError:
    return ResourceExhausted(
        Reason.RATE_LIMITED,
        f"more than {per_minute} calls a minute from one network: call again after the stated delay",
        metadata={"limit": str(per_minute), "subject": "address"},
        retry_after_s=wait_s,
    )


class _SlotsCollector(Collector):
    """Reads the slots on a scrape, so that calls pay nothing for the metrics."""

    def __init__(self, slots: Mapping[CallClass, Slots]) -> None:
        self._slots = slots

    def collect(self) -> Iterator[Metric]:
        running = GaugeMetricFamily("bossjy_class_running", "Calls that hold a slot.", labels=["class"])
        queued = GaugeMetricFamily("bossjy_class_queued", "Calls that wait for a slot.", labels=["class"])
        most = GaugeMetricFamily("bossjy_class_queue_max", "Limit of waiting calls.", labels=["class"])
        shed = CounterMetricFamily("bossjy_class_shed", "Calls refused for want of a slot.", labels=["class"])
        for kind, slots in self._slots.items():
            running.add_metric([kind], slots.running)
            queued.add_metric([kind], slots.queued)
            most.add_metric([kind], slots.queued_most)
            shed.add_metric([kind], slots.shed)
        yield from (running, queued, most, shed)
