"""Contacts in the database. Every function runs in a transaction of the tenant."""

from __future__ import annotations

from typing import TypeAlias

import asyncpg
import orjson

from bossjy_server.contacts.records import Contact

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_CONTACT = (
    "e164, region, number_type, name, email, other_numbers, attributes, created_import_id, changed_import_id, "
    "create_time, update_time"
)

SELECT_CONTACT = f"SELECT {_CONTACT} FROM bossjy.contacts WHERE tenant_id = $1 AND e164 = $2"

LOCK_CONTACT = f"{SELECT_CONTACT} FOR UPDATE"

DELETE_CONTACT = "DELETE FROM bossjy.contacts WHERE tenant_id = $1 AND e164 = $2"

# A page by number, behind the last number of the page before.
LIST_BY_NUMBER = f"""
SELECT {_CONTACT} FROM bossjy.contacts WHERE tenant_id = $1 AND e164 > $2 ORDER BY e164 LIMIT $3"""

LIST_BY_NUMBER_DESC = f"""
SELECT {_CONTACT} FROM bossjy.contacts WHERE tenant_id = $1 AND ($2 = '' OR e164 < $2) ORDER BY e164 DESC LIMIT $3"""

COUNT_CONTACTS = "SELECT count(*) FROM bossjy.contacts WHERE tenant_id = $1"


async def find_contact(connection: Connection, tenant_id: str, e164: str) -> Contact | None:
    """Read a contact."""
    row = await connection.fetchrow(SELECT_CONTACT, tenant_id, e164)
    return _contact(row) if row else None


async def lock_contact(connection: Connection, tenant_id: str, e164: str) -> Contact | None:
    """Read a contact and hold it until the end of the transaction."""
    row = await connection.fetchrow(LOCK_CONTACT, tenant_id, e164)
    return _contact(row) if row else None


async def delete_contact(connection: Connection, tenant_id: str, e164: str) -> None:
    """Delete a contact."""
    await connection.execute(DELETE_CONTACT, tenant_id, e164)


async def list_contacts(
    connection: Connection, tenant_id: str, after: str, limit: int, *, descending: bool
) -> list[Contact]:
    """A page by number, behind `after` (empty: from the start)."""
    statement = LIST_BY_NUMBER_DESC if descending else LIST_BY_NUMBER
    return [_contact(row) for row in await connection.fetch(statement, tenant_id, after, limit)]


async def count_contacts(connection: Connection, tenant_id: str) -> int:
    """How many contacts there are."""
    return int(await connection.fetchval(COUNT_CONTACTS, tenant_id))


def _contact(row: asyncpg.Record) -> Contact:
    return Contact(
        e164=row["e164"],
        region=row["region"],
        number_type=row["number_type"],
        name=row["name"],
        email=row["email"],
        other_numbers=tuple(row["other_numbers"]),
        attributes=orjson.loads(row["attributes"]),
        created_import_id=row["created_import_id"] or "",
        changed_import_id=row["changed_import_id"] or "",
        create_time=row["create_time"],
        update_time=row["update_time"],
    )
