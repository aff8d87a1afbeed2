"""Applies deploy/init.sql, the one definition of the database."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import asyncpg

from bossjy_server.errors import StartError
from bossjy_server.storage.postgres import APP_ROLE, Connection

MINIMUM_VERSION = 18
# Any number that no other program uses on the same server: «bossjy» in ASCII.
_LOCK = 0x626F73736A79
_LOCK_TIMEOUT_S = 60

# Whether this very text was applied last and its role is there (a dump brings the schema along, but no roles).
_APPLIED = """
SELECT obj_description(to_regnamespace('bossjy'), 'pg_namespace') = $1
   AND (SELECT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = $2)
"""


def read_init_sql() -> str:
    """The text of deploy/init.sql: from the package where it was installed, from the checkout otherwise."""
    packaged = files("bossjy_server").joinpath("init.sql")
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    checkout = Path(__file__).parents[3] / "deploy" / "init.sql"
    try:
        return checkout.read_text(encoding="utf-8")
    except OSError as error:
        raise StartError(
            f"{checkout} cannot be read: reinstall bossjy-server, or start it from a whole checkout"
        ) from error


async def apply_schema(
    url: str,
    init_sql: str,
    *,
    connect_timeout_s: float = 10.0,
    lock_timeout_s: int = _LOCK_TIMEOUT_S,
) -> None:
    """Run `init_sql` in one transaction, one server at a time. Raises StartError with one line that says what to do.

    Nothing is done where the same text was applied last: changing tables, even to what they are, waits for the
    transactions of the servers that run, and holds theirs up.
    """
    try:
        connection = await asyncpg.connect(url, timeout=connect_timeout_s)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise StartError(
            f"PostgreSQL cannot be reached ({type(error).__name__}): is it running, and is DATABASE_URL right?"
        ) from error
    try:
        version = connection.get_server_version().major
        if version < MINIMUM_VERSION:
            raise StartError(
                f"PostgreSQL {MINIMUM_VERSION} or later is needed, DATABASE_URL names a {version}: upgrade it"
            )
        await _apply(connection, init_sql, lock_timeout_s)
    except asyncpg.InsufficientPrivilegeError as error:
        raise StartError(
            f"the user of DATABASE_URL may not apply deploy/init.sql ({error}): "
            "set DATABASE_ADMIN_URL to a user that may create roles and schemas"
        ) from error
    except asyncpg.LockNotAvailableError as error:
        raise StartError(
            f"deploy/init.sql waited {lock_timeout_s} s for another server's work: end what blocks it, start again"
        ) from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StartError(f"deploy/init.sql could not be applied ({error}): nothing was changed, start again") from error
    finally:
        await connection.close(timeout=5)


async def _apply(connection: Connection, init_sql: str, lock_timeout_s: int) -> None:
    mark = "init.sql sha256:" + hashlib.sha256(init_sql.encode()).hexdigest()
    if await connection.fetchval(_APPLIED, mark, APP_ROLE):
        return
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{lock_timeout_s:d}s'")
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        if await connection.fetchval(_APPLIED, mark, APP_ROLE):
            return  # by the server that held the lock
        await connection.execute(init_sql)
        await connection.execute(f"COMMENT ON SCHEMA bossjy IS '{mark}'")
