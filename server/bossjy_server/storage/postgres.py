"""PostgreSQL through asyncpg: one pool, one transaction for each tenant's work, driver errors mapped in one place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg

from bossjy_server.errors import DeadlineExceeded, Reason, Unavailable

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]

# Row-level security applies to this role: it owns nothing.
APP_ROLE = "bossjy_app"

_SET_TENANT = "SELECT set_config('bossjy.tenant_id', $1, true)"
_RETRY_S = 1.0
# What a server says that cannot serve now: connection lost (08), resources (53), shutdown and start (57P).
_UNAVAILABLE_CLASSES = ("08", "53", "57P")


class UniqueViolation(Exception):
    """A unique constraint refused a row. `constraint` is its name; stores turn it into what it means to a caller."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


@asynccontextmanager
async def errors_from_driver() -> AsyncIterator[None]:
    """The one place where driver errors become ours, by SQLSTATE. What is not expected goes on as it is: a fault."""
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise UniqueViolation(error.constraint_name or "") from error
    except asyncpg.QueryCanceledError as error:
        raise DeadlineExceeded(
            Reason.DEADLINE_EXCEEDED,
            "the database did not end the work in its time: ask for less at once",
            retry_after_s=_RETRY_S,
        ) from error
    except asyncpg.PostgresError as error:
        if str(error.sqlstate or "").startswith(_UNAVAILABLE_CLASSES):
            raise _unavailable() from error
        raise
    except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        # A connection that broke under the driver; also a refused or reset socket.
        raise _unavailable() from error


def _unavailable() -> Unavailable:
    return Unavailable(
        Reason.DATABASE_UNAVAILABLE,
        "the database does not answer: call again after a moment",
        retry_after_s=_RETRY_S,
    )


class Database:
    """A pool that works as a role without ownership. All waits are bounded."""

    def __init__(self, pool: Pool, acquire_timeout_s: float) -> None:
        self._pool, self._acquire_timeout_s = pool, acquire_timeout_s

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
    ) -> Database:
        """Connect. Raises Unavailable when the server cannot be reached."""
        async with errors_from_driver():
            pool = await asyncpg.create_pool(
                url,
                min_size=min_size,
                max_size=max_size,
                timeout=connect_timeout_s,
                # Holds on the server, so a statement ends even if this process does not ask for its end.
                server_settings={
                    "role": role,
                    "application_name": "bossjy",
                    "timezone": "UTC",
                    "statement_timeout": str(int(statement_timeout_s * 1000)),
                    "idle_in_transaction_session_timeout": "60000",
                },
            )
        return cls(pool, acquire_timeout_s)

    async def close(self, timeout_s: float = 5.0) -> None:
        """Close the pool; connections that do not end in time are cut."""
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
                raise Unavailable(
                    Reason.DATABASE_UNAVAILABLE,
                    "no database connection came free in time: call again",
                    retry_after_s=_RETRY_S,
                ) from error
            try:
                yield connection  # type: ignore[misc]
            finally:
                await self._pool.release(connection, timeout=5)

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
        """Whether the server answers in time."""
        try:
            async with asyncio.timeout(timeout_s):
                async with self._pool.acquire() as connection:
                    return bool(await connection.fetchval("SELECT 1") == 1)
        except (
            TimeoutError,
            OSError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
        ):
            return False
