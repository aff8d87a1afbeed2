"""Validity of sessions and API keys of several tenants, in the database. Runs outside a tenant's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bossjy_server.context import Caller
from bossjy_server.scopes import scopes_of
from bossjy_server.storage.postgres import Connection

# One round trip for all callers. The function is in deploy/init.sql.
LIVE_CREDENTIALS = """
SELECT credential, user_role, must_change_password, granted
FROM bossjy.live_credentials($1::text[], $2::text[], $3)"""


async def scopes_now(connection: Connection, callers: Sequence[Caller], now: datetime) -> dict[str, frozenset[str]]:
    """The scopes of each valid session and API key, by id."""
    tenants = [caller.tenant_id for caller in callers]
    rows = await connection.fetch(LIVE_CREDENTIALS, tenants, [credential_of(one) for one in callers], now)
    found = {}
    for row in rows:
        scopes = frozenset[str]() if row["must_change_password"] else scopes_of(row["user_role"])
        found[row["credential"]] = scopes if row["granted"] is None else scopes & frozenset(row["granted"])
    return found


def credential_of(caller: Caller) -> str:
    """The id of the caller's session or API key."""
    return caller.session_id or caller.api_key_id
