"""Registration policy: anybody, the holder of a one-time token, or nobody may create a tenant.

The database stores a token as its hash. The transaction that creates the tenant uses it up, so it works once with any
number of replicas, and a failed registration does not use it up. Until its use, the text of the first one is in a file
of the data folder that only the service may read.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from bossjy_server.auth.credentials.keys import write_private
from bossjy_server.auth.options import RegistrationPolicy
from bossjy_server.blocking import in_thread
from bossjy_server.errors import PermissionDenied, Reason
from bossjy_server.storage.postgres import Connection, Database

FILE_NAME = "registration_token"

INSERT_TOKEN = "INSERT INTO bossjy.registration_tokens (token_hash) VALUES ($1)"

# Does nothing if an earlier start created one.
INSERT_FIRST_TOKEN = """
INSERT INTO bossjy.registration_tokens (token_hash, first_start) VALUES ($1, true)
ON CONFLICT (first_start) DO NOTHING
RETURNING token_hash"""

SELECT_UNUSED = "SELECT 1 FROM bossjy.registration_tokens WHERE token_hash = $1 AND used_time IS NULL"

USE_TOKEN = """
UPDATE bossjy.registration_tokens SET used_time = $2
WHERE token_hash = $1 AND used_time IS NULL
RETURNING token_hash"""


class Registration:
    """Checks registrations against the policy."""

    def __init__(self, database: Database, policy: RegistrationPolicy) -> None:
        self._database = database
        self._policy = policy

    async def check(self, token: str) -> None:
        """Raise PermissionDenied(REGISTRATION_CLOSED) unless a registration with this token may continue."""
        if self._policy == "closed":
            raise _closed()
        if self._policy == "token":
            async with self._database.system() as connection:
                if await connection.fetchval(SELECT_UNUSED, _digest(token)) is None:
                    raise _closed()

    async def use(self, connection: Connection, token: str, now: datetime) -> None:
        """Use the token up, inside the transaction that creates the tenant. Raises the errors of `check`."""
        if self._policy == "token" and await connection.fetchval(USE_TOKEN, _digest(token), now) is None:
            raise _closed()


async def new_registration_token(database: Database) -> str:
    """An additional token that admits one registration, for the operator to hand out."""
    token = _new_token()
    async with database.system() as connection:
        await connection.execute(INSERT_TOKEN, _digest(token))
    return token


async def first_registration_token(database: Database, data_dir: Path) -> str | None:
    """The token that the first start of the service creates, until it is used; then None.

    The text is written to `data_dir/registration_token` (mode 0600) before its hash is stored, so an interrupted start
    leaves no token that nobody knows.
    """
    path = data_dir / FILE_NAME
    token = await in_thread(_read, path)
    if token is None:
        token = _new_token()
        await in_thread(write_private, path, token.encode() + b"\n")
    async with database.system() as connection:
        await connection.fetchval(INSERT_FIRST_TOKEN, _digest(token))
        unused = await connection.fetchval(SELECT_UNUSED, _digest(token)) is not None
    if unused:
        return token
    await in_thread(path.unlink, missing_ok=True)
    return None


def _read(path: Path) -> str | None:
    with suppress(FileNotFoundError):
        return path.read_text("ascii", errors="replace").strip() or None
    return None


def _new_token() -> str:
    return f"bjg_{secrets.token_urlsafe(32)}"


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _closed() -> PermissionDenied:
    return PermissionDenied(
        Reason.REGISTRATION_CLOSED,
        "this server accepts no registration without a valid token: ask its operator for one",
    )
