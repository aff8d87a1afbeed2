"""PostgreSQL through asyncpg: one pool, one transaction for each tenant's work, driver errors mapped in one place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg

from bossjy_server.errors import DeadlineExceeded, InvalidArgument, Reason, Unavailable

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]

# Row-level security applies to this role: it owns nothing.
APP_ROLE = "bossjy_app"

_SET_TENANT = "SELECT set_config('bossjy.tenant_id', $1, true)"
_RETRY_S = 1.0
_RELEASE_S = 5.0
# SQLSTATEs, or classes of them, of a server that cannot serve now: connection lost, login refused, database gone,
# resources, shutdown and start.
_CANNOT_SERVE = ("08", "28", "3D", "53", "57P")
# The transaction was given up in favour of another (serialization, deadlock, lock not to be had): do it again.
_LOST_TO_ANOTHER = ("40", "55P03")
# Text that is too long, has a character PostgreSQL does not keep (U+0000), or a number past the column's range.
_BAD_VALUE = ("22001", "22003", "22021", "22P05")


class UniqueViolation(Exception):
    """A unique constraint refused a row. `constraint` is its name; stores turn it into what it means to a caller."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class LostToAnother(Unavailable):
    """The database gave the transaction up in favour of another (deadlock, serialization). Doing it again is safe."""


@asynccontextmanager
async def errors_from_driver() -> AsyncIterator[None]:
    """The one place where driver errors become ours, by SQLSTATE. What is not expected goes on as it is: a fault.

    Other OSErrors than broken connections are left alone: work inside a transaction can have some of its own.
    """
    try:
        yield
    except asyncpg.PostgresError as error:
        typed = _typed(error)
        if typed is None:
            raise
        raise typed from error
    except asyncpg.InterfaceError as error:
        # "connection is closed", "pool is closing": no class and no code of its own. The others are misuse.
        if "is clos" in str(error):
            raise _unavailable() from error
        raise
    except (ConnectionError, asyncpg.InternalClientError) as error:
        # A connection that broke under the driver.
        raise _unavailable() from error


def _typed(error: asyncpg.PostgresError) -> Exception | None:
    """The error of ours that a server's error is, or None for a fault."""
    state = str(error.sqlstate or "")
    if isinstance(error, asyncpg.UniqueViolationError):
        return UniqueViolation(error.constraint_name or "")
    if isinstance(error, asyncpg.QueryCanceledError):
        text = "the database did not end the work in its time: ask for less at once"
        return DeadlineExceeded(Reason.DEADLINE_EXCEEDED, text, retry_after_s=_RETRY_S)
    if state.startswith(_CANNOT_SERVE):
        return _unavailable()
    if state.startswith(_LOST_TO_ANOTHER):
        text = "the database gave this work up in favour of another: call again after a moment"
        return LostToAnother(Reason.DATABASE_UNAVAILABLE, text, retry_after_s=_RETRY_S)
    if state in _BAD_VALUE:
        text = "a value is too long or too large, or has a character that cannot be stored (such as U+0000)"
        return InvalidArgument(Reason.INVALID_FIELD, text)
    return None


def _unavailable(message: str = "the database does not answer: call again after a moment") -> Unavailable:
    return Unavailable(Reason.DATABASE_UNAVAILABLE, message, retry_after_s=_RETRY_S)


class Database:
    """A pool that works as a role without ownership. All waits are bounded."""

    def __init__(self, pool: Pool, connect: dict[str, Any], acquire_timeout_s: float) -> None:
        self._pool, self._connect, self._acquire_timeout_s = pool, connect, acquire_timeout_s
        self._probe: Connection | None = None
        self._probing = asyncio.Lock()

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        role: str = APP_ROLE,
        min_size: int = 2,
        max_size: int = 20,
        acquire_timeout_s: float = 5.0,
        connect_timeout_s: float = 5.0,
        statement_timeout_s: float = 30.0,
        idle_in_transaction_timeout_s: float = 60.0,
    ) -> Database:
        """Connect. Raises Unavailable when the server cannot be reached or refuses the user."""
        connect: dict[str, Any] = {
            "dsn": url,
            "timeout": connect_timeout_s,
            # These hold on the server, so a statement ends even if this process does not ask for its end.
            "server_settings": {
                "role": role,
                "application_name": "bossjy",
                "timezone": "UTC",
                "statement_timeout": _milliseconds(statement_timeout_s),
                "idle_in_transaction_session_timeout": _milliseconds(idle_in_transaction_timeout_s),
            },
        }
        async with errors_from_driver():
            try:
                pool = await asyncpg.create_pool(min_size=min_size, max_size=max_size, **connect)
            except OSError as error:
                raise _unavailable() from error
        return cls(pool, connect, acquire_timeout_s)

    async def close(self, timeout_s: float = 5.0) -> None:
        """Close the pool; connections that do not end in time are cut."""
        if self._probe is not None:
            self._probe.terminate()
        try:
            await asyncio.wait_for(self._pool.close(), timeout_s)
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        async with errors_from_driver():
            try:
                connection = await self._pool.acquire(timeout=self._acquire_timeout_s)
            except TimeoutError as error:
                raise _unavailable("no database connection came free in time: call again after a moment") from error
            except OSError as error:
                raise _unavailable() from error
            try:
                yield connection  # type: ignore[misc]
            finally:
                await self._pool.release(connection, timeout=_RELEASE_S)

    @asynccontextmanager
    async def tenant(self, tenant_id: str) -> AsyncIterator[Connection]:
        """A transaction that sees the rows of one tenant and no other. Commits at the end, rolls back on any error."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute(_SET_TENANT, tenant_id)
            yield connection

    @asynccontextmanager
    async def system(self) -> AsyncIterator[Connection]:
        """A transaction without a tenant: it sees no row of any. For functions that are made for it."""
        async with self._connection() as connection, connection.transaction():
            yield connection

    async def ping(self, timeout_s: float = 1.0) -> bool:
        """Whether the server answers in time, on a connection of its own: a busy pool is no sign of a lost server."""
        try:
            async with asyncio.timeout(timeout_s), self._probing:
                if self._probe is None or self._probe.is_closed():
                    self._probe = await asyncpg.connect(**self._connect)
                return bool(await self._probe.fetchval("SELECT 1") == 1)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            if self._probe is not None:
                self._probe.terminate()
                self._probe = None
            return False


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))
