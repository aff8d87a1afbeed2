"""All tenants in the database, for the operator. Requires the rights of the tables' owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bossjy_server.storage.postgres import Connection

_COLUMNS = "tenant_id, display_name, default_region, calls_per_minute, create_time, delete_time"

# All tenants: the policy `operator_sees` shows them to the owner of the table.
LIST_TENANTS = f"SELECT {_COLUMNS} FROM bossjy.tenants ORDER BY tenant_id"

# Locks the row until the transaction ends. Audit events of the tenant wait meanwhile.
LOCK_TENANT = f"SELECT {_COLUMNS} FROM bossjy.tenants WHERE tenant_id = $1 FOR UPDATE"

UPDATE_LIMIT = "UPDATE bossjy.tenants SET calls_per_minute = $2, update_time = now() WHERE tenant_id = $1"

# The row stays for the audit log and the records of erasures.
MARK_DELETED = """
UPDATE bossjy.tenants
SET delete_time = coalesce(delete_time, now()), update_time = now(), display_name = 'deleted', default_region = ''
WHERE tenant_id = $1"""

# Sessions, API keys, certificates, second factors, recovery codes and login networks go with their users.
DELETE_USERS = "DELETE FROM bossjy.users WHERE tenant_id = $1"

# Tables whose rows a deletion removes, in this order. Parts and rejects go with their import, in any case.
EMPTIED = (
    "import_duplicates",
    "import_changes",
    "revert_conflicts",
    "import_rejects",
    "contacts",
    "import_parts",
    "imports",
)
# Tables of tenants that a deletion does not change.
KEPT = ("audit_events", "erasures")

# At most $2 rows, so that no statement takes long.
_DELETE_SOME = """
DELETE FROM bossjy.{0} WHERE tenant_id = $1 AND ctid = ANY (ARRAY(
    SELECT ctid FROM bossjy.{0} WHERE tenant_id = $1 LIMIT $2))"""


@dataclass(frozen=True, slots=True)
class TenantRow:
    """A tenant as the operator sees it."""

    tenant_id: str
    display_name: str
    default_region: str
    calls_per_minute: int
    create_time: datetime
    delete_time: datetime | None


async def all_tenants(connection: Connection) -> list[TenantRow]:
    """All tenants by id."""
    return [TenantRow(**dict(row)) for row in await connection.fetch(LIST_TENANTS)]


async def lock(connection: Connection, tenant_id: str) -> TenantRow | None:
    """The tenant, with its row locked; None if there is none."""
    row = await connection.fetchrow(LOCK_TENANT, tenant_id)
    return TenantRow(**dict(row)) if row else None


async def set_limit(connection: Connection, tenant_id: str, calls_per_minute: int) -> None:
    """Set the calls per minute of a tenant."""
    await connection.execute(UPDATE_LIMIT, tenant_id, calls_per_minute)


async def mark_deleted(connection: Connection, tenant_id: str) -> int:
    """Mark a tenant as deleted and delete its users. Returns their number."""
    await connection.execute(MARK_DELETED, tenant_id)
    return _count(await connection.execute(DELETE_USERS, tenant_id))


async def delete_some(connection: Connection, table: str, tenant_id: str, most: int) -> int:
    """Delete at most `most` rows of a tenant from one of EMPTIED. Returns their number."""
    return _count(await connection.execute(_DELETE_SOME.format(table), tenant_id, most))


def _count(done: str) -> int:
    """The number in PostgreSQL's `DELETE 12`."""
    return int(done.rsplit(maxsplit=1)[-1])
