"""Audit events for calls refused for a missing scope; `app` passes this to `rpc`.

A caller can repeat a refused call as often as the quotas permit. So each process records one event per minute for each
actor and scope, and nobody can fill the log of a tenant this way.
"""

from __future__ import annotations

from bossjy_server.auth.audit.once_per import OncePer
from bossjy_server.context import Caller, current_call
from bossjy_server.errors import BossjyError
from bossjy_server.scopes import ALL_SCOPES
from bossjy_server.storage.audit import losses, record
from bossjy_server.storage.postgres import Database

_OTHER_SCOPES = frozenset({"session"})  # the scope of methods for people only


class RefusedScopes:
    """Records refusals."""

    def __init__(self, database: Database, once_per: OncePer | None = None) -> None:
        self._database = database
        self._once_per = once_per or OncePer()

    async def record(self, caller: Caller, scope: str) -> None:
        """Record that the running call of `caller` lacked `scope`. The refusal applies even without the database."""
        # CreateApiKey may be refused for a scope that the caller wrote: any text, which must not reach the log.
        known = scope if scope in ALL_SCOPES | _OTHER_SCOPES else "unknown"
        actor = caller.api_key_id or caller.user_id
        if not self._once_per.due(f"{caller.tenant_id}/{actor}/{known}"):
            return
        try:
            async with self._database.tenant(caller.tenant_id) as connection:
                await record(
                    connection,
                    caller.tenant_id,
                    "auth.refuse_scope",
                    resource=current_call().method[-128:],
                    outcome="PERMISSION_DENIED",
                    detail=known,
                )
        except BossjyError:
            losses.count += 1
