"""Serialized changes of users and API keys in a tenant, within the caller's current rights."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bossjy_server.auth import store
from bossjy_server.context import Caller
from bossjy_server.errors import PermissionDenied, Reason
from bossjy_server.scopes import Role, scopes_of
from bossjy_server.storage.authority import Held, hold_caller
from bossjy_server.storage.postgres import Connection, Database


@asynccontextmanager
async def changing(database: Database, caller: Caller) -> AsyncIterator[tuple[Connection, Held]]:
    """A transaction for a change of the tenant, its users or its API keys, with the caller's current rights.

    Such changes run one after the other in each tenant. So two owners cannot demote each other, limits are exact, and
    two users can be locked without a deadlock. Raises the errors of `hold_caller`.
    """
    async with database.tenant(caller.tenant_id) as connection:
        await store.tenant(connection, caller.tenant_id, lock=True)
        yield connection, await hold_caller(connection, caller, changes_authority=True)


def check_role(standing: Held | Caller, role: Role) -> None:
    """Raise PermissionDenied unless `standing` may grant that role, or act on a user who has it.

    This requires a role at least as high, and all scopes of that role: an API key can have fewer than its maker.
    """
    if role.rank > Role(standing.role).rank:
        raise PermissionDenied(
            Reason.SCOPE_MISSING,
            f"this needs the role {role.value} or higher, and you have the role {standing.role}: ask an owner of your "
            "tenant",
            metadata={"scope": "tenants.write", "cause": "ROLE_TOO_LOW", "role": str(standing.role)},
        )
    lacking = min(scopes_of(role) - standing.scopes, default="")
    if lacking:
        raise PermissionDenied(
            Reason.SCOPE_MISSING,
            f"the role {role.value} has the scope {lacking}, which these credentials lack: use credentials "
            f"that have all scopes of that role",
            metadata={"scope": lacking, "cause": "KEY_WITHOUT_SCOPE", "role": str(standing.role)},
        )
