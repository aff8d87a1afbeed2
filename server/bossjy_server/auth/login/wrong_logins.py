"""Bounded audit events of wrong logins: the first of a minute one by one, the others as one event with their number.

Without this bound, anybody who knows a tenant's id could add events without end. Each process keeps its windows in
memory. A killed process loses the numbers of the last minute, but the first events of that minute are stored.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from bossjy_server.auth.options import AuthOptions
from bossjy_server.errors import BossjyError
from bossjy_server.network import network_of
from bossjy_server.storage.audit import losses, record, record_many
from bossjy_server.storage.postgres import Connection, Database

_LOG = logging.getLogger(__name__)

_ACTION, _OUTCOME = "auth.login", "UNAUTHENTICATED"
_WINDOW_S, _LOOK_S = 60.0, 5.0


@dataclass(slots=True)
class _Window:
    """A minute of one tenant and network, or ('') of a whole tenant."""

    ends: float
    singly: int = 0
    counted: int = 0


class WrongLogins:
    """Adds wrong logins to the audit log. `run` writes the numbers, `flush` the rest at the end."""

    def __init__(self, database: Database, options: AuthOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._options, self._clock = database, options, clock
        self._windows: dict[tuple[str, str], _Window] = {}  # the oldest first

    async def add(self, tenant_id: str, address: str) -> None:
        """Record one wrong login of the running call, or count it. A tenant that does not exist has no events."""
        if self._count(tenant_id, network_of(address)):
            async with self._database.tenant(tenant_id) as connection:
                await record(connection, tenant_id, _ACTION, outcome=_OUTCOME)
        while len(self._windows) > self._options.audit_minutes_max:
            await self._write([next(iter(self._windows))])

    def _count(self, tenant_id: str, network: str) -> bool:
        """True if the event is one of the first."""
        whole = self._window(tenant_id, "")
        if whole.singly >= self._options.audit_wrong_logins_of_tenant:
            whole.counted += 1
            return False
        one = self._window(tenant_id, network)
        if one.singly >= self._options.audit_wrong_logins:
            one.counted += 1
            return False
        whole.singly += 1
        one.singly += one is not whole
        return True

    def _window(self, tenant_id: str, network: str) -> _Window:
        window = self._windows.get((tenant_id, network))
        if window is None:
            window = self._windows[tenant_id, network] = _Window(self._clock() + _WINDOW_S)
        return window

    async def run(self) -> None:
        """Write the numbers of completed minutes periodically; never returns."""
        while True:
            await asyncio.sleep(_LOOK_S)
            now = self._clock()
            await self._write([key for key, window in self._windows.items() if window.ends <= now])

    async def flush(self) -> None:
        """Write all numbers, at the end of the service."""
        await self._write(list(self._windows))

    async def _write(self, keys: list[tuple[str, str]]) -> None:
        for key in keys:
            window = self._windows.pop(key, None)
            if window is None or not window.counted:
                continue
            tenant_id, network = key
            try:
                async with self._database.tenant(tenant_id) as connection:
                    await _record(connection, tenant_id, network, window.counted)
            except BossjyError as error:
                losses.count += window.counted
                _LOG.warning("the audit log lacks %d wrong logins of one tenant: %s", window.counted, error)


async def _record(connection: Connection, tenant_id: str, network: str, times: int) -> None:
    address = network.partition("/")[0]
    await record_many(connection, tenant_id, _ACTION, address=address, outcome=_OUTCOME, times=times)
