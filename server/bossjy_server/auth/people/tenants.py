"""Operator commands on tenants: list, limit, delete."""

from __future__ import annotations

from bossjy_server.auth.people import tenant_store
from bossjy_server.auth.people.tenant_store import TenantRow
from bossjy_server.errors import NotFound
from bossjy_server.storage.audit import record
from bossjy_server.storage.postgres import Connection, Database

_ACTOR = "operator"  # in the audit log
_BATCH_ROWS = 20_000


async def list_tenants(database: Database) -> list[TenantRow]:
    """All tenants by id, deleted ones included."""
    async with database.system() as connection:
        return await tenant_store.all_tenants(connection)


async def find_tenant(database: Database, tenant_id: str) -> TenantRow:
    """One tenant. Raises NotFound."""
    async with database.tenant(tenant_id) as connection:
        return await _locked(connection, tenant_id)


async def set_limit(database: Database, tenant_id: str, calls_per_minute: int) -> int:
    """Set the calls per minute of a tenant; 0: no limit. Returns the former limit.

    Raises NotFound, also for a deleted tenant.
    """
    async with database.tenant(tenant_id) as connection:
        tenant = await _locked(connection, tenant_id)
        if tenant.delete_time is not None:
            raise NotFound("tenant", message=f"the tenant {tenant_id} was deleted: it makes no calls")
        await tenant_store.set_limit(connection, tenant_id, calls_per_minute)
        detail = f"{tenant.calls_per_minute} -> {calls_per_minute} calls a minute"
        await record(connection, tenant_id, "auth.set_limit", resource=tenant_id, actor=_ACTOR, detail=detail)
    return tenant.calls_per_minute


async def delete_tenant(database: Database, tenant_id: str, batch_rows: int = _BATCH_ROWS) -> dict[str, int]:
    """Delete the users, contacts and imports of a tenant. Returns the number of deleted rows by table.

    Users go first, in one transaction with the audit event: no login, session or key of the tenant works after it. Data
    goes in batches. A deletion that was interrupted is continued by the same command. Raises NotFound.
    """
    async with database.tenant(tenant_id) as connection:
        await _locked(connection, tenant_id)
        deleted = {"users": await tenant_store.mark_deleted(connection, tenant_id)}
        await record(connection, tenant_id, "auth.delete_tenant", resource=tenant_id, actor=_ACTOR)
    for table in tenant_store.EMPTIED:
        deleted[table] = 0
        while True:
            async with database.tenant(tenant_id) as connection:
                count = await tenant_store.delete_some(connection, table, tenant_id, batch_rows)
            deleted[table] += count
            if count < batch_rows:
                break
    return deleted


async def _locked(connection: Connection, tenant_id: str) -> TenantRow:
    tenant = await tenant_store.lock(connection, tenant_id)
    if tenant is None:
        text = "there is no such tenant: `bossjy-server tenants list` shows them"
        raise NotFound("tenant", message=text)
    return tenant
