"""The audit log in the database, as it is read and as it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from bossjy_server.auth.filters import EVENT_COLUMNS
from bossjy_server.storage.conditions import Query, condition
from bossjy_server.storage.filters import Filter
from bossjy_server.storage.postgres import Connection

_EVENT = "event_id, event_time, actor, action, resource, address, outcome, request_id, detail, times"

# Events before the event $2 ('' for the first page): those of the tenant, and what an operator did to the whole server.
# Each side stops at the limit by itself, so that a page reads no more than a page of the index. The filter's conditions
# come in place of CONDITIONS.
LIST_EVENTS = f"""
SELECT {_EVENT} FROM (
    (SELECT {_EVENT} FROM bossjy.audit_events
    WHERE tenant_id = $1 AND ($2 = '' OR event_id < $2) CONDITIONS ORDER BY event_id DESC LIMIT $3)
    UNION ALL
    (SELECT {_EVENT} FROM (
        SELECT event_id, event_time, 'operator' COLLATE "C" AS actor, action, resource, '' AS address,
            'OK' COLLATE "C" AS outcome, '' COLLATE "C" AS request_id, '' AS detail, 1 AS times
        FROM bossjy.operator_events) AS acts
    WHERE ($2 = '' OR event_id < $2) CONDITIONS ORDER BY event_id DESC LIMIT $3)) AS events
ORDER BY event_id DESC LIMIT $3"""

# An act of an operator, which another server may have added.
INSERT_OPERATOR_EVENT = """
INSERT INTO bossjy.operator_events (event_id, event_time, action, resource) VALUES ($1, $2, $3, $4)
ON CONFLICT (event_id) DO NOTHING"""

# The service has no right to delete: this function has, and of old events alone.
REMOVE_OLD_EVENTS = "SELECT bossjy.remove_old_audit_events($1, $2)"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that somebody did."""

    event_id: str
    event_time: datetime
    actor: str
    action: str
    resource: str
    address: str
    outcome: str
    request_id: str
    detail: str
    times: int


async def list_events(
    connection: Connection, tenant_id: str, tree: Filter | None, before_id: str, limit: int
) -> list[Event]:
    """At most `limit` events that pass the filter, the newest first, before the event `before_id`.

    Inside the transaction of one tenant.
    """
    query = Query(LIST_EVENTS, [tenant_id, before_id, limit])
    conditions = "" if tree is None else f"AND {condition(query, tree, EVENT_COLUMNS)}"
    command = LIST_EVENTS.replace("CONDITIONS", conditions)
    return [_event(row) for row in await connection.fetch(command, *query.parameters)]


async def insert_operator_event(
    connection: Connection, event_id: str, time: datetime, action: str, resource: str
) -> None:
    """Add an act of an operator; nothing happens if it is there. Inside a system transaction."""
    await connection.execute(INSERT_OPERATOR_EVENT, event_id, time, action, resource)


async def remove_old_events(connection: Connection, kept_days: int, limit: int) -> int:
    """Remove at most `limit` events of all tenants that are older than that; how many. Inside a system transaction.

    0 as well while another process removes some.
    """
    return int(await connection.fetchval(REMOVE_OLD_EVENTS, kept_days, limit))


def _event(row: asyncpg.Record) -> Event:
    return Event(**{name: row[name] for name in _EVENT.split(", ")})
