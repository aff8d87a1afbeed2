"""What a process admits: nothing while it drains, a bounded number of calls of each class, a bounded rate by address.

Stands before access, so that what is refused costs little. What a tenant is granted stands behind it, in `quotas`.
Classes have places of their own: bulk or slow calls never take the places of short ones, and probes need none. Calls
that never wait (phone) do not fill places: what bounds them is the number of streams of a connection.
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
from bossjy_server.rpc.shares import ClassShare
from bossjy_server.rpc.slots import NoPlace, Slots
from bossjy_server.rpc.validation import check_size

# Calls of each class at once in one process, and as many again as this in its queue.
RUNNING: Mapping[str, int] = MappingProxyType(
    {"phone": 400, "contacts": 64, "imports": 64, "login": 64, "auth": 128, "admin": 32, "bulk": 200, "other": 32}
)
QUEUED: Mapping[str, int] = MappingProxyType(
    {"phone": 400, "contacts": 256, "imports": 256, "login": 64, "auth": 256, "admin": 128, "bulk": 100, "other": 64}
)


class Limits:
    """The concern that protects this process."""

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
        """Refuse what is over a limit, before anything is spent on it."""
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
            f"the server has as many calls of the class {kind} as it admits: call again after the stated delay",
            metadata={"class": kind.value},
            retry_after_s=1,
        ) from None


def _draining() -> BossjyError:
    message = "this server is shutting down: call again, another one will answer"
    return Unavailable(Reason.SHUTTING_DOWN, message, retry_after_s=1)


def _too_many(per_minute: int, wait_s: float) -> BossjyError:
    return ResourceExhausted(
        Reason.RATE_LIMITED,
        f"more than {per_minute} calls a minute from one network: call again after the stated delay",
        metadata={"limit": str(per_minute), "subject": "address"},
        retry_after_s=wait_s,
    )


class _SlotsCollector(Collector):
    """Reads the places when the metrics are asked for, so that calls pay nothing for it."""

    def __init__(self, slots: Mapping[CallClass, Slots]) -> None:
        self._slots = slots

    def collect(self) -> Iterator[Metric]:
        running = GaugeMetricFamily("bossjy_class_running", "Calls that hold a place.", labels=["class"])
        queued = GaugeMetricFamily("bossjy_class_queued", "Calls that wait for a place.", labels=["class"])
        shed = CounterMetricFamily("bossjy_class_shed", "Calls refused for want of a place.", labels=["class"])
        for kind, slots in self._slots.items():
            running.add_metric([kind], slots.running)
            queued.add_metric([kind], slots.queued)
            shed.add_metric([kind], slots.shed)
        yield from (running, queued, shed)
