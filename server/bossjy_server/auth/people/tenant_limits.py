"""Settings of several tenants from their rows, for the code that enforces limits and knows default regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bossjy_server.auth.people import settings_store
from bossjy_server.storage.postgres import Database
from bossjy_server.tenant_settings import TenantSettings

# A tenant that was deleted, or never existed: its tokens can be valid for some minutes.
_GONE = TenantSettings(calls_per_minute=1)


class TenantLimits:
    """Reads settings of tenants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, tenants: Sequence[str]) -> Mapping[str, TenantSettings]:
        """The settings of each tenant, by id, in one round trip; a deleted one may make 1 call. Raises Unavailable."""
        async with self._database.system() as connection:
            found = await settings_store.settings_of(connection, tenants)
        return {tenant_id: found.get(tenant_id, _GONE) for tenant_id in tenants}
