"""Storage of contacts. Every function runs in a transaction of the tenant."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import asyncpg
import orjson

from bossjy_server.contacts import statements
from bossjy_server.contacts.filters import Filter
from bossjy_server.contacts.records import Contact
from bossjy_server.contacts.statements import CONTACT, Dimension, Order

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

SELECT_CONTACT = f"SELECT {CONTACT} FROM bossjy.contacts WHERE tenant_id = $1 AND e164 = $2"

LOCK_CONTACT = f"{SELECT_CONTACT} FOR UPDATE"

DELETE_CONTACT = "DELETE FROM bossjy.contacts WHERE tenant_id = $1 AND e164 = $2"

# The rows of imports that named the number, so that no reversal restores the contact.
DELETE_LAYERS = """
DELETE FROM bossjy.import_changes m USING bossjy.imports i
WHERE i.tenant_id = $1 AND m.tenant_id = $1 AND m.import_id = i.import_id AND m.e164 = $2"""


async def find_contact(connection: Connection, tenant_id: str, e164: str) -> Contact | None:
    """Read a contact."""
    row = await connection.fetchrow(SELECT_CONTACT, tenant_id, e164)
    return _contact(row) if row else None


async def lock_contact(connection: Connection, tenant_id: str, e164: str) -> Contact | None:
    """Read a contact and lock it until the end of the transaction."""
    row = await connection.fetchrow(LOCK_CONTACT, tenant_id, e164)
    return _contact(row) if row else None


async def delete_contact(connection: Connection, tenant_id: str, e164: str) -> None:
    """Delete a contact."""
    await connection.execute(DELETE_CONTACT, tenant_id, e164)
    await connection.execute(DELETE_LAYERS, tenant_id, e164)


async def list_contacts(
    connection: Connection,
    tenant_id: str,
    tree: Filter | None,
    order: Order,
    *,
    descending: bool,
    after: tuple[datetime | None, str] | None,
    limit: int,
) -> list[Contact]:
    """A page of contacts that pass, after `after` (time of the order, or None for the order by number; E.164)."""
    query = statements.list_query(tenant_id, tree, order, descending=descending, after=after, limit=limit)
    return [_contact(row) for row in await connection.fetch(query.text, *query.parameters)]


async def count_contacts(connection: Connection, tenant_id: str, tree: Filter | None) -> int:
    """The number of contacts that pass."""
    query = statements.count_query(tenant_id, tree)
    return int(await connection.fetchval(query.text, *query.parameters))


async def count_by(
    connection: Connection, tenant_id: str, tree: Filter | None, dimensions: list[Dimension]
) -> list[tuple[int, str, int]]:
    """Index of the dimension, value, count, by count; the total at index -1. From one scan."""
    query = statements.stats_query(tenant_id, tree, dimensions)
    rows = await connection.fetch(query.text, *query.parameters)
    return [(row["dimension"], row["value"] or "", row["count"]) for row in rows]


async def attribute_keys(connection: Connection, tenant_id: str, tree: Filter | None, limit: int) -> list[str]:
    """The first `limit` names of attributes of contacts that pass."""
    query = statements.keys_query(tenant_id, tree, limit)
    return [row["key"] for row in await connection.fetch(query.text, *query.parameters)]


def _contact(row: asyncpg.Record) -> Contact:
    return Contact(
        e164=row["e164"],
        region=row["region"],
        number_type=row["number_type"],
        name=row["name"],
        email=row["email"],
        other_numbers=tuple(row["other_numbers"]),
        attributes=orjson.loads(row["attributes"]),
        carrier=row["carrier"],
        place=row["place"],
        created_import_id=row["created_import_id"] or "",
        changed_import_id=row["changed_import_id"] or "",
        create_time=row["create_time"],
        update_time=row["update_time"],
        extension=row["extension"],
    )
