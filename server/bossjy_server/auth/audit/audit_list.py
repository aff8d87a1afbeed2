"""Audit log for administrators: filtered pages, newest first (AIP-160)."""

from __future__ import annotations

from bossjy_server.auth.audit import audit_store
from bossjy_server.auth.audit.audit_store import Event
from bossjy_server.auth.filters import parse_events
from bossjy_server.context import Caller
from bossjy_server.storage.postgres import Database


class AuditLog:
    """Reads the audit log of a tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, caller: Caller, filter_text: str, before_id: str, limit: int) -> list[Event]:
        """At most `limit` matching events, newest first, before the event `before_id` ('' for the first page).

        Raises InvalidArgument(FILTER_INVALID).
        """
        tree = parse_events(filter_text)
        async with self._database.tenant(caller.tenant_id, long=tree is not None) as connection:
            return await audit_store.list_events(connection, caller.tenant_id, tree, before_id, limit)
