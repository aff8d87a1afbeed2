"""Audit log: actor, action, resource and network of each change. Any feature adds events in its own transaction.

So a committed change is recorded, and a rolled back one is not. The service may add and read rows; its role has no
right to change or delete one. A row contains no personal data: only ids, and only the network of an address.
"""

from __future__ import annotations

import ipaddress
import secrets
import time
from dataclasses import dataclass

from bossjy_server.context import call_or_none
from bossjy_server.network import address_of
from bossjy_server.storage.postgres import Connection

_KEPT_BITS = {4: 24, 6: 48}


@dataclass(slots=True)
class Losses:
    """Events of this process that could not be added although their acts took place, for the metrics."""

    count: int = 0


losses = Losses()

INSERT_EVENT = """
INSERT INTO bossjy.audit_events (tenant_id, event_id, actor, action, resource, address, outcome, request_id, detail)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 WHERE EXISTS (SELECT FROM bossjy.tenants WHERE tenant_id = $1)"""

# Many events of one kind as one, with their number.
INSERT_EVENTS = """
INSERT INTO bossjy.audit_events (tenant_id, event_id, action, address, outcome, times)
SELECT $1, $2, $3, $4, $5, $6 WHERE EXISTS (SELECT FROM bossjy.tenants WHERE tenant_id = $1)"""


async def record(
    connection: Connection,
    tenant_id: str,
    action: str,
    *,
    resource: str = "",
    actor: str = "",
    outcome: str = "OK",
    detail: str = "",
) -> None:
    """Add an event of the running call, inside a transaction of that tenant.

    action: `auth.login`, `imports.revert` …; resource: an id, never a number, a name or an address. actor: the caller's
    user or API key if the call has one; else the argument. outcome: `OK` or a status code. detail: from a fixed choice,
    such as `member -> owner`; never a text of the caller. A tenant that does not exist has no events.
    """
    call = call_or_none()
    if call is not None and call.caller is not None:
        actor = call.caller.api_key_id or call.caller.user_id
    address, request_id = (call.address, call.request_id) if call else ("", "")
    await connection.execute(
        INSERT_EVENT,
        tenant_id,
        new_event_id(),
        actor,
        action,
        resource,
        network_of(address),
        outcome,
        request_id[:200],
        detail,
    )


async def record_many(
    connection: Connection, tenant_id: str, action: str, *, address: str, outcome: str, times: int
) -> None:
    """Add one event for `times` calls from one address ('' for several), inside a transaction of that tenant."""
    await connection.execute(INSERT_EVENTS, tenant_id, new_event_id(), action, network_of(address), outcome, times)


def network_of(address: str) -> str:
    """The network of an address for the audit log: /24 of IPv4, /48 of IPv6; '' for an invalid address."""
    found = address_of(address)
    return str(ipaddress.ip_network((found, _KEPT_BITS[found.version]), strict=False)) if found else ""


def new_event_id() -> str:
    """An id that sorts by time: microseconds in 14 hexadecimal digits, then 40 random bits."""
    return f"{time.time_ns() // 1000:014x}{secrets.token_hex(5)}"
