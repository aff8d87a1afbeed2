"""Applies deploy/init.sql, the one definition of the database."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import asyncpg

from bossjy_server.errors import StartError

MINIMUM_VERSION = 18
# Any number that no other program uses on the same server: «bossjy» in ASCII.
_LOCK = 0x626F73736A79
_LOCK_TIMEOUT = "60s"


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


async def apply_schema(url: str, init_sql: str, *, connect_timeout_s: float = 10.0) -> None:
    """Run `init_sql` in one transaction, one server at a time. Raises StartError with one line that says what to do."""
    try:
        connection = await asyncpg.connect(url, timeout=connect_timeout_s)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise StartError(
            f"PostgreSQL cannot be reached ({type(error).__name__}): is it running, and is DATABASE_URL right?"
        ) from error
    try:
        version = connection.get_server_version().major
        if version < MINIMUM_VERSION:
            raise StartError(
                f"PostgreSQL {MINIMUM_VERSION} or later is needed, DATABASE_URL names a {version}: upgrade it"
            )
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            await connection.execute(init_sql)
    except asyncpg.InsufficientPrivilegeError as error:
        raise StartError(
            f"the user of DATABASE_URL may not apply deploy/init.sql ({error}): "
            "set DATABASE_ADMIN_URL to a user that may create roles and schemas"
        ) from error
    except asyncpg.LockNotAvailableError as error:
        raise StartError(
            f"another server has held the schema lock for {_LOCK_TIMEOUT}: end what blocks it, then start again"
        ) from error
    finally:
        await connection.close(timeout=5)
