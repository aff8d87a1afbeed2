"""grpc.health.v1, overall and by service, derived from the dependencies that each service needs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from grpc_health.v1 import health_pb2

from bossjy_server.context import call_or_none
from bossjy_server.errors import NotFound, Reason, ResourceExhausted

_Response = health_pb2.HealthCheckResponse
# The enum of the contract has type int for the type checker.
_SERVING: int = _Response.SERVING
_NOT_SERVING: int = _Response.NOT_SERVING
_SERVICE_UNKNOWN: int = _Response.SERVICE_UNKNOWN
Probe = Callable[[], Awaitable[bool]]
# Names for probes of containers. A restart repairs no dependency, so the first depends on none.
LIVENESS, READINESS = "liveness", "readiness"
DISK = "disk"  # of the data folder; no service needs it


class HealthServicer:
    """Answers Check and Watch. `set_serving` changes the answers; unknown names answer NOT_FOUND.

    Anybody may call both. Check is never refused. Watches stay open, so their number is bounded per address and in
    total.
    """

    def __init__(self, names: list[str], *, watches_most: int = 1000, watches_per_address: int = 100) -> None:
        self._serving = dict.fromkeys(names, False)
        self._watches_most, self._watches_per_address = watches_most, watches_per_address
        self._watches: Counter[str] = Counter()  # open watches by address
        self._changed = asyncio.Condition()
        self._ended = False

    async def set_serving(self, name: str, *, serving: bool) -> None:
        """Set the state of one name and wake its watchers."""
        if self._ended or self._serving.get(name) == serving:
            return
        self._serving[name] = serving
        async with self._changed:
            self._changed.notify_all()

    async def end(self) -> None:
        """Report NOT_SERVING for everything from now on, whatever probes say; notify and end the watches."""
        self._ended = True
        self._serving = dict.fromkeys(self._serving, False)
        async with self._changed:
            self._changed.notify_all()

    def serves(self, name: str) -> bool:
        """True while a name is SERVING. May be called from any thread."""
        return self._serving.get(name, False)

    def _status(self, name: str) -> int:
        serving = self._serving.get(name)
        if serving is None:
            return _SERVICE_UNKNOWN
        return _SERVING if serving else _NOT_SERVING

    async def Check(self, request: health_pb2.HealthCheckRequest) -> _Response:
        """The state of a service; the empty name means the server itself."""
        status = self._status(request.service)
        if status == _SERVICE_UNKNOWN:
            raise NotFound(
                "service", message='unknown health name: use "", "liveness", "readiness" or a full service name'
            )
        return _Response(status=status)

    async def Watch(self, request: health_pb2.HealthCheckRequest) -> AsyncGenerator[_Response]:
        """The state of a service now and after every change. RESOURCE_EXHAUSTED beyond the limits."""
        with self._watch():
            last = -1
            while True:
                status = self._status(request.service)
                if status != last:
                    last = status
                    yield _Response(status=status)
                if self._ended:
                    return
                async with self._changed:
                    await self._changed.wait_for(partial(self._differs, request.service, status))

    @contextmanager
    def _watch(self) -> Iterator[None]:
        call = call_or_none()
        address = call.network if call else ""
        if self._watches.total() >= self._watches_most:
            text = "the server has reached its limit of health watches: use Check, or call again later"
            raise ResourceExhausted(Reason.OVERLOADED, text, metadata={"class": "health"}, retry_after_s=5)
        if self._watches[address] >= self._watches_per_address:
            most = self._watches_per_address
            text = f"your address has {most} open health watches, which is the limit: use Check, or one watch for all"
            metadata = {"limit": str(most), "subject": "address"}
            raise ResourceExhausted(Reason.QUOTA_EXCEEDED, text, metadata=metadata, retry_after_s=5)
        self._watches[address] += 1
        try:
            yield
        finally:
            self._watches[address] -= 1
            if not self._watches[address]:
                del self._watches[address]

    def _differs(self, name: str, status: int) -> bool:
        return self._ended or self._status(name) != status


class PartsWatch:
    """Checks the health of dependencies; a name serves while all dependencies that it needs answer.

    `needs` maps each health name to the dependencies that it requires; `report` is called for each change of one.
    """

    def __init__(
        self,
        health: HealthServicer,
        probes: Mapping[str, Probe],
        needs: Mapping[str, frozenset[str]],
        report: Callable[[str, bool], None],
    ) -> None:
        self._health, self._probes, self._needs, self._report = health, probes, needs, report
        self._states: dict[str, bool] = {}

    async def check(self) -> None:
        """Check every dependency once."""
        answers = await asyncio.gather(*(probe() for probe in self._probes.values()))
        for part, answered in zip(self._probes, answers, strict=True):
            if self._states.get(part) != answered:
                self._states[part] = answered
                self._report(part, answered)
        for name, parts in self._needs.items():
            await self._health.set_serving(name, serving=all(self._states[part] for part in parts))

    async def run(self, interval_s: float) -> None:
        """Check every `interval_s`, until cancelled."""
        while True:
            await asyncio.sleep(interval_s)
            await self.check()
