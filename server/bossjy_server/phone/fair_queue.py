"""Fair queue of jobs: tenants take turns, and so do the calls of a tenant, by their used time."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Job = TypeVar("Job")


@dataclass(slots=True, eq=False)
class _Call(Generic[Job]):
    used_s: float
    jobs: deque[Job] = field(default_factory=deque)
    running: int = 0


@dataclass(slots=True, eq=False)
class _Tenant(Generic[Job]):
    used_s: float
    calls: dict[Hashable, _Call[Job]] = field(default_factory=dict)
    waiting: int = 0
    # The least time of a call that was served. A new call begins here, so it neither waits nor overtakes for long.
    now_s: float = 0.0


class FairQueue(Generic[Job]):
    """Jobs by tenant and call. The owner locks. While a job runs, `ended` or `again` is still to be called.

    The limits of the chain (`rpc/limits.py`) bound the waiting calls; the caller bounds the jobs of a call.
    """

    def __init__(self) -> None:
        self._tenants: dict[str, _Tenant[Job]] = {}
        self._now_s = 0.0

    def add(self, tenant: str, call: Hashable, job: Job) -> None:
        """A new job, after the other jobs of its call."""
        of_tenant = self._tenants.setdefault(tenant, _Tenant(self._now_s))
        of_call = of_tenant.calls.setdefault(call, _Call(of_tenant.now_s))
        of_call.jobs.append(job)
        of_tenant.waiting += 1

    def take(self) -> tuple[str, Hashable, Job] | None:
        """A job of the call with the least used time, of the tenant with the least; None if no job waits."""
        waiting = [(name, one) for name, one in self._tenants.items() if one.waiting]
        if not waiting:
            return None
        tenant, of_tenant = min(waiting, key=lambda item: item[1].used_s)
        call, of_call = min(
            ((key, one) for key, one in of_tenant.calls.items() if one.jobs), key=lambda item: item[1].used_s
        )
        self._now_s = max(self._now_s, of_tenant.used_s)
        of_tenant.now_s = max(of_tenant.now_s, of_call.used_s)
        of_tenant.waiting -= 1
        of_call.running += 1
        return tenant, call, of_call.jobs.popleft()

    def again(self, tenant: str, call: Hashable, job: Job, used_s: float) -> None:
        """A job that ran for `used_s` and has not ended: it comes before the others of its call."""
        of_tenant = self._charge(tenant, call, used_s)
        of_tenant.calls[call].jobs.appendleft(job)
        of_tenant.waiting += 1

    def ended(self, tenant: str, call: Hashable, used_s: float) -> None:
        """A job has ended."""
        of_tenant = self._charge(tenant, call, used_s)
        of_call = of_tenant.calls[call]
        if not (of_call.jobs or of_call.running):
            del of_tenant.calls[call]
        if not of_tenant.calls:
            del self._tenants[tenant]

    def _charge(self, tenant: str, call: Hashable, used_s: float) -> _Tenant[Job]:
        of_tenant = self._tenants[tenant]
        of_call = of_tenant.calls[call]
        of_tenant.used_s += used_s
        of_call.used_s += used_s
        of_call.running -= 1
        return of_tenant
