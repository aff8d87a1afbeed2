"""Deletion of a user in the database, with the rights of the service, which may not delete the row itself.

The row keeps its id, which the audit log names, and loses all personal data.
"""

from __future__ import annotations

from datetime import datetime

from bossjy_server.storage.postgres import Connection

# No address folds to a key with capitals, and no password has this hash, so nobody can log in as a deleted user.
CLEAR_USER = """
UPDATE bossjy.users
SET email = 'deleted', email_key = 'DELETED ' || user_id, display_name = '', language = '', password_hash = '',
    second_factor = false, state = 'disabled', request_id = NULL, request_hash = NULL, last_login_time = NULL,
    revision = revision + 1, update_time = $3, delete_time = $3
WHERE tenant_id = $1 AND user_id = $2"""

# Tables with personal data or secrets of a user. API keys stay, ended: certificates and audit events name them.
DELETE_OF_USER = "DELETE FROM bossjy.{} WHERE tenant_id = $1 AND user_id = $2"
_TABLES = ("recovery_codes", "second_factors", "login_networks", "sessions")


async def clear_user(connection: Connection, tenant_id: str, user_id: str, now: datetime) -> None:
    """Remove the personal data, secrets and sessions of a user whose row is locked."""
    for table in _TABLES:
        await connection.execute(DELETE_OF_USER.format(table), tenant_id, user_id)
    await connection.execute(CLEAR_USER, tenant_id, user_id, now)
