"""Bindings of client certificates to API keys in the database. They belong to no tenant: they name the tenant."""

from __future__ import annotations

from dataclasses import dataclass

from bossjy_server.storage.postgres import Connection

_BOUND = "name, bound_tenant AS tenant_id, api_key_id"

SELECT_BOUND = f"SELECT {_BOUND} FROM bossjy.certificates WHERE name = $1"

LIST_BOUND = f"SELECT {_BOUND} FROM bossjy.certificates ORDER BY name"

# Reads the catalogue, because a user without rights on the schema may not even name the table.
MAY_WRITE = """
SELECT coalesce(bool_or(has_table_privilege(oid, 'INSERT')), false) FROM pg_class
WHERE relname = 'certificates' AND relnamespace = to_regnamespace('bossjy')"""

# A bound name stays with its key, even after the key has ended, until the operator unbinds it.
INSERT_BOUND = """
INSERT INTO bossjy.certificates (name, bound_tenant, api_key_id) VALUES ($1, $2, $3)
ON CONFLICT (name) DO NOTHING RETURNING name"""

DELETE_BOUND = "DELETE FROM bossjy.certificates WHERE name = $1"


@dataclass(frozen=True, slots=True)
class Bound:
    """A name in certificates and its API key."""

    name: str
    tenant_id: str
    api_key_id: str


async def may_write(connection: Connection) -> bool:
    """True if the connected database user may bind."""
    return bool(await connection.fetchval(MAY_WRITE))


async def find(connection: Connection, name: str) -> Bound | None:
    """The binding of a name, or None."""
    row = await connection.fetchrow(SELECT_BOUND, name)
    return Bound(**dict(row)) if row else None


async def all_bound(connection: Connection) -> list[Bound]:
    """All bindings by name."""
    return [Bound(**dict(row)) for row in await connection.fetch(LIST_BOUND)]


async def insert(connection: Connection, bound: Bound) -> bool:
    """Insert a binding; false if the name is bound already. Requires the rights of the tables' owner."""
    return await connection.fetchval(INSERT_BOUND, bound.name, bound.tenant_id, bound.api_key_id) is not None


async def delete(connection: Connection, name: str) -> None:
    """Delete a binding. Requires the rights of the tables' owner."""
    await connection.execute(DELETE_BOUND, name)
