"""Calls per minute of a tenant: its row contains the limit, an operator sets it."""

from __future__ import annotations

from bossjy_server.auth import store
from bossjy_server.errors import NotFound
from bossjy_server.storage.postgres import Database


class TenantLimits:
    """Reads limits for the code that enforces them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def per_minute(self, tenant_id: str) -> int:
        """Calls a minute of each class; 0: any number. Raises Unavailable. A deleted tenant may make 1."""
        try:
            async with self._database.tenant(tenant_id) as connection:
                return (await store.tenant(connection, tenant_id)).calls_per_minute
        except NotFound:
            return 1
