"""Settings of tenants: cached in each process and read again in the background, many tenants in one round trip."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from bossjy_server.bounded import BoundedMap
from bossjy_server.errors import BossjyError, Reason, Unavailable

# Then a tenant's settings are read again, if it makes calls.
KNOWN_S = 5.0
_TENANTS_MAX = 10_000
# Tenants in one read, and the pause after a failed one.
_READ_MAX = 200
_PAUSE_S = 0.5
# Longest wait of a call for the settings of a tenant that no call of this process has named before.
_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class TenantSettings:
    """Settings of one tenant that calls need. `streams` None: the setting of the server."""

    calls_per_minute: int  # of each class of methods; 0: any number
    default_region: str = ""
    streams: int | None = None


# The settings of tenants, by id. Raises BossjyError.
ReadSettings = Callable[[Sequence[str]], Awaitable[Mapping[str, TenantSettings]]]


class KnownTenants:
    """The cache of one process. Its reads cost a look-up in a dict."""

    def __init__(self, read: ReadSettings, known_s: float = KNOWN_S, tenants_max: int = _TENANTS_MAX) -> None:
        self._read, self._known_s = read, known_s
        # Tenant to its settings, and the time of the next read.
        self._known = BoundedMap[str, tuple[TenantSettings, float]](tenants_max)
        self._due: dict[str, None] = {}  # in the order in which they were asked for
        self._due_max = tenants_max
        self._reading: frozenset[str] = frozenset()
        self._changed: set[str] = set()  # since the running read began
        self._task: asyncio.Task[None] | None = None
        self._read_once = asyncio.Event()  # set and replaced after each read

    def of(self, tenant_id: str) -> TenantSettings | None:
        """The settings of a tenant; None until they were read once."""
        known = self._known.get(tenant_id)
        if known is None:
            self._ask(tenant_id)
            return None
        if known[1] <= time.monotonic():
            self._ask(tenant_id)
        return known[0]

    async def wait_for(self, tenant_id: str, wait_s: float = _WAIT_S) -> TenantSettings:
        """The same, after a wait if they were never read. Raises Unavailable."""
        ends = time.monotonic() + wait_s
        while (found := self.of(tenant_id)) is None:
            if time.monotonic() >= ends:
                raise _unknown()
            try:
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + ends - time.monotonic()):
                    await self._read_once.wait()
            except TimeoutError:
                raise _unknown() from None
        return found

    def forget(self, tenant_id: str) -> None:
        """Read a tenant again before its next call: it was changed here."""
        self._known.pop(tenant_id, None)
        if tenant_id in self._reading:
            self._changed.add(tenant_id)

    def recent(self) -> list[str]:
        """The tenants whose settings are known, the latest last."""
        return list(self._known)

    async def learn(self, tenants: Sequence[str]) -> None:
        """Read tenants before their calls. Raises BossjyError."""
        for begin in range(0, len(tenants), _READ_MAX):
            self._keep(await self._read(tenants[begin : begin + _READ_MAX]))

    def _ask(self, tenant_id: str) -> None:
        if tenant_id in self._reading or len(self._due) >= self._due_max:
            return
        self._due[tenant_id] = None
        if self._task is None:
            self._task = asyncio.create_task(self._read_due())

    async def _read_due(self) -> None:
        """Read all due tenants, then end."""
        try:
            while self._due:
                wanted = list(self._due)[:_READ_MAX]
                for tenant_id in wanted:
                    del self._due[tenant_id]
                self._reading = frozenset(wanted)
                self._changed.clear()
                try:
                    found = await self._read(wanted)
                except BossjyError:
                    # The old settings still apply; the next call asks again.
                    await asyncio.sleep(_PAUSE_S)
                else:
                    self._keep({one: settings for one, settings in found.items() if one not in self._changed})
                self._reading = frozenset()
                self._read_once.set()
                self._read_once = asyncio.Event()
        finally:
            self._reading, self._task = frozenset(), None

    def _keep(self, found: Mapping[str, TenantSettings]) -> None:
        until = time.monotonic() + self._known_s
        for tenant_id, settings in found.items():
            self._known.keep(tenant_id, (settings, until))


def _unknown() -> Unavailable:
    text = "the settings of your tenant cannot be read now: name a region in the request, or call again after a moment"
    return Unavailable(Reason.DATABASE_UNAVAILABLE, text, retry_after_s=1.0)
