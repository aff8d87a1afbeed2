"""Audit log in the database: reads and removal of old events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from bossjy_server.auth.filters import EVENT_COLUMNS
from bossjy_server.storage.conditions import Query, condition
from bossjy_server.storage.filters import Filter
from bossjy_server.storage.postgres import Connection

_EVENT = "event_id, event_time, actor, action, resource, address, outcome, request_id, detail, times"

# Events before the event $2 ('' for the first page): those of the tenant, and an operator's acts on the whole server.
# Each side has its own limit, so a page reads no more than one page of the index. The filter's conditions replace
# CONDITIONS.
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

# An act of an operator. Another server may have added it already.
INSERT_OPERATOR_EVENT = """
INSERT INTO bossjy.operator_events (event_id, event_time, action, resource) VALUES ($1, $2, $3, $4)
ON CONFLICT (event_id) DO NOTHING"""

# The service has no right to delete. This function has, and it deletes only old events.
REMOVE_OLD_EVENTS = "SELECT bossjy.remove_old_audit_events($1, $2)"


@dataclass(frozen=True, slots=True)
class Event:
    """One recorded act."""

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
    """At most `limit` events that match the filter, newest first, before the event `before_id`.

    Runs inside the transaction of one tenant.
    """
    query = Query(LIST_EVENTS, [tenant_id, before_id, limit])
    conditions = "" if tree is None else f"AND {condition(query, tree, EVENT_COLUMNS)}"
    command = LIST_EVENTS.replace("CONDITIONS", conditions)
    return [_event(row) for row in await connection.fetch(command, *query.parameters)]


async def insert_operator_event(
    connection: Connection, event_id: str, time: datetime, action: str, resource: str
) -> None:
    """Add an act of an operator, unless it exists already. Runs inside a system transaction."""
    await connection.execute(INSERT_OPERATOR_EVENT, event_id, time, action, resource)


async def remove_old_events(connection: Connection, kept_days: int, limit: int) -> int:
    """Remove at most `limit` events of all tenants older than `kept_days`. Returns their number.

    Returns 0 also while another process removes events. Runs inside a system transaction.
    """
    return int(await connection.fetchval(REMOVE_OLD_EVENTS, kept_days, limit))


def _event(row: asyncpg.Record) -> Event:
    return Event(**{name: row[name] for name in _EVENT.split(", ")})
