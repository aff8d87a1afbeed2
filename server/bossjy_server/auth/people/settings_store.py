"""Settings of several tenants in the database. Runs outside a tenant's transaction."""

from __future__ import annotations

from collections.abc import Sequence

from bossjy_server.storage.postgres import Connection
from bossjy_server.tenant_settings import TenantSettings

# One round trip for all tenants. The function is in deploy/init.sql.
TENANT_SETTINGS = """
SELECT tenant, calls_per_minute, default_region, streams_most FROM bossjy.tenant_settings($1::text[])"""


async def settings_of(connection: Connection, tenants: Sequence[str]) -> dict[str, TenantSettings]:
    """The settings of each tenant that exists, by id."""
    rows = await connection.fetch(TENANT_SETTINGS, list(tenants))
    return {
        row["tenant"]: TenantSettings(row["calls_per_minute"], row["default_region"], row["streams_most"])
        for row in rows
    }
