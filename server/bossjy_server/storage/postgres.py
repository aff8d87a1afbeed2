"""PostgreSQL through asyncpg: one pool, and one transaction per tenant's work."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, TypeAlias

import asyncpg

from bossjy_server.context import remaining_s
from bossjy_server.errors import Reason, Unavailable
from bossjy_server.storage.breaker import Breaker, BreakerOpen
from bossjy_server.storage.connect_faults import CONNECT_ERRORS, connect_fault, one_line
from bossjy_server.storage.driver_errors import (
    DRIVER_ERRORS,
    RETRY_S,
    DatabaseLost,
    DiskFull,
    no_time,
    none_free,
    service_error,
    unavailable,
)
from bossjy_server.storage.logins import ROLE_MARK, WHO, checked
from bossjy_server.storage.retry import Retries
from bossjy_server.storage.shares import NoShare, Shares
from bossjy_server.storage.statements import ObservedConnection

_LOG = logging.getLogger(__name__)

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

# The tenant, and the time limit of the transaction's statements, derived from the caller's deadline.
_BEGIN = "BEGIN; SET LOCAL role = '{}'"
# With a pooler, other transactions use the same connection in between, so nothing can be set for the session.
_BEGIN_POOLED = f"{_BEGIN}; SET LOCAL statement_timeout = {{}}; SET LOCAL idle_in_transaction_session_timeout = {{}}"
_SET_TENANT = "SET LOCAL bossjy.tenant_id = '{}'"
_SET_TIMEOUT = "SET LOCAL statement_timeout = {}"
_ID = re.compile(r"[0-9A-Za-z-]*")
# The time between two lines of the log about a full disk.
_FULL_LINE_S = 60.0
_RELEASE_S = 5.0
_SILENT_PROBES = 2


class Database:
    """A pool that works as a role without ownership. All waits are bounded."""

    def __init__(
        self,
        pool: Pool,
        connect: dict[str, Any],
        *,
        begin: str,
        acquire_timeout_s: float,
        statement_timeout_s: float,
        share: float = 0.5,
        long_most: int = 0,
        long_wait_s: float = 30.0,
    ) -> None:
        self._pool, self._connect = pool, connect
        self._begin = begin
        # Remarks on the login for the operator, a line each.
        self.remarks: tuple[str, ...] = ()
        size = pool.get_max_size()
        # Decides which tenant gets a connection. The pool's own queue knows no tenants and sees only admitted work.
        self.shares = Shares(size, share)
        self.long_shares = Shares(long_most or max(1, size // 2), share)
        self._long_wait_s = long_wait_s
        self._acquire_timeout_s, self._statement_timeout_s = acquire_timeout_s, statement_timeout_s
        self.breaker = Breaker("postgresql")
        # Getting a connection changes nothing, so it may be repeated. The work itself may not.
        self.retries = Retries(DatabaseLost)
        self.waits, self.wait_s = 0, 0.0  # for a connection: their number and total time
        self._busy: set[Connection] = set()
        self._silent = 0  # consecutive probes without an answer
        self._probe: Connection | None = None
        self._probing = asyncio.Lock()
        self._full_line_at = 0.0  # the time of the next line about a full disk

    @classmethod
    async def open(  # noqa: PLR0913 - each has a default
        cls,
        url: str,
        *,
        role: str = "",
        setting: str = "DATABASE_URL",
        min_size: int = 2,
        max_size: int = 20,
        statement_cache: int = 100,
        acquire_timeout_s: float = 5.0,
        connect_timeout_s: float = 5.0,
        statement_timeout_s: float = 30.0,
        idle_in_transaction_timeout_s: float = 60.0,
        share: float = 0.5,
        long_most: int = 0,
    ) -> Database:
        """Connect, to work as the application role of the database; `role`: as another, `none` for the login itself.

        Raises StartError with one line if the server, the login or the role is not usable. `statement_cache` 0 is for a
        pooler that gives each transaction another connection: nothing is kept from one to the next. `share`: the part
        of the connections that a tenant may hold while no other holds any. `long_most`: the number of connections for
        simultaneous long work; 0: half.
        """
        times = _milliseconds(statement_timeout_s), _milliseconds(idle_in_transaction_timeout_s)
        # The server enforces these, so a statement ends even if this process does not cancel it.
        lasting = {"statement_timeout": times[0], "idle_in_transaction_session_timeout": times[1]}
        connect: dict[str, Any] = {
            "dsn": url,
            "timeout": connect_timeout_s,
            "statement_cache_size": statement_cache,
            "server_settings": {
                "application_name": "bossjy",
                "timezone": "UTC",
                **(lasting if statement_cache else {}),
            },
        }
        pool: Pool | None = None
        try:
            pool = await asyncpg.create_pool(
                min_size=min_size, max_size=max_size, reset=_nothing, connection_class=ObservedConnection, **connect
            )
            async with pool.acquire() as connection, connection.transaction():
                who = None if role else await connection.fetchrow(WHO, ROLE_MARK)
            role, remarks = (role, ()) if who is None else checked(who, setting)
        except BaseException as error:
            if pool is not None:
                pool.terminate()
            if isinstance(error, CONNECT_ERRORS):
                raise connect_fault(error, setting) from error
            raise
        name = role.replace("'", "''").replace("{", "{{").replace("}", "}}")
        database = cls(
            pool,
            connect,
            begin=_BEGIN.format(name) if statement_cache else _BEGIN_POOLED.format(name, *times),
            acquire_timeout_s=acquire_timeout_s,
            statement_timeout_s=statement_timeout_s,
            share=share,
            long_most=long_most,
        )
        database.remarks = remarks
        return database

    async def close(self, timeout_s: float = 5.0) -> None:
        """Close the pool; connections that do not end in time are terminated."""
        if self._probe is not None:
            self._probe.terminate()
        try:
            await asyncio.wait_for(self._pool.close(), timeout_s)
        except TimeoutError:
            self._pool.terminate()

    @property
    def size(self) -> tuple[int, int]:
        """Connections of the pool: all, and idle ones."""
        return self._pool.get_size(), self._pool.get_idle_size()

    @property
    def size_max(self) -> int:
        """Most connections of the pool."""
        return self._pool.get_max_size()

    async def _acquire(self) -> Connection:
        try:
            self.breaker.admit()
        except BreakerOpen as error:
            raise unavailable(max(0.1, error.retry_after_s)) from None
        try:
            limit = remaining_s(self._acquire_timeout_s)
            return await self._pool.acquire(timeout=limit)  # type: ignore[return-value] # the pool's proxy, which acts as one
        except asyncpg.PostgresError as error:
            # Any error of the server at a connection attempt means that it does not serve (`ALLOW_CONNECTIONS false`
            # has a code that means other things elsewhere).
            self.breaker.fail()
            raise unavailable() from error
        except OSError as error:
            # A wait that timed out: for a free connection, which says nothing about the server, or for a new one.
            if isinstance(error, TimeoutError) and self._pool.get_idle_size() == 0 and self._pool_is_full:
                self.breaker.abandon()
                text = "no database connection became free in time: call again after a moment"
                raise Unavailable(Reason.DATABASE_UNAVAILABLE, text, retry_after_s=RETRY_S) from error
            self.breaker.fail()
            raise unavailable() from error
        except BaseException as error:
            ours = service_error(error)
            self._note(ours or error)
            if ours is None:
                raise
            raise ours from error

    def _note(self, error: BaseException) -> None:
        """Report the result of a use of the server that failed."""
        self.breaker.fail() if isinstance(error, DatabaseLost) else self.breaker.abandon()

    def _tell_full(self, error: BaseException) -> None:
        """Name a full disk in the log, once a minute and without a traceback."""
        if time.monotonic() >= self._full_line_at:
            self._full_line_at = time.monotonic() + _FULL_LINE_S
            _LOG.error("the disk of PostgreSQL is full: free space on it; writes fail meanwhile (%s)", one_line(error))

    @property
    def _pool_is_full(self) -> bool:
        return self._pool.get_size() >= self._pool.get_max_size()

    def tenant(self, tenant_id: str, *, long: bool = False) -> AbstractAsyncContextManager[Connection]:
        """A transaction that sees only the rows of one tenant. Commits at the end, rolls back on any error.

        Its statements end with the caller's deadline. `long`: it can take longer than a moment; the number of these is
        limited. Never open one inside another: it could wait for its own tenant forever.
        """
        limit = _milliseconds(max(0.001, remaining_s(self._statement_timeout_s)))
        # An id of the usual form is inlined into the statement. Any other text is bound to it.
        known = _ID.fullmatch(tenant_id) is not None
        begin = f"{self._begin}; {_SET_TENANT}; {_SET_TIMEOUT}".format(tenant_id if known else "", limit)
        return self._transaction(begin, "" if known else tenant_id, tenant_id, long=long)

    def system(self) -> AbstractAsyncContextManager[Connection]:
        """A transaction without a tenant: it sees no rows of tenants. For functions that are made for it."""
        return self._transaction(f"{self._begin}; {_SET_TENANT}".format(""))

    @asynccontextmanager
    async def _transaction(
        self, begin: str, odd_tenant: str = "", holder: str = "", *, long: bool = False
    ) -> AsyncIterator[Connection]:
        """Commits at the end, rolls back on any error. The settings go with `begin`, in one round trip.

        Raises DatabaseLost immediately while the breaker is open, DeadlineExceeded if no time remains. This is a single
        context manager, with no other inside: each costs every call some 20,000 instructions.
        """
        if remaining_s(1.0) <= 0:
            raise no_time()
        connection = await self._take(holder, long=long)
        self._busy.add(connection)
        try:
            await connection.execute(begin)
            if odd_tenant:
                await connection.execute("SELECT set_config('bossjy.tenant_id', $1, true)", odd_tenant)
            yield connection
            await connection.execute("COMMIT")
            self.breaker.succeed()
        except BaseException as error:
            # Also if begin or commit were cancelled: their outcome is unknown, and an unnecessary rollback does
            # nothing. If the connection is gone, the error itself says so.
            with suppress(*DRIVER_ERRORS):
                await connection.execute("ROLLBACK")
            ours = service_error(error)
            self._note(ours or error)
            if ours is None:
                raise
            if isinstance(ours, DiskFull):
                self._tell_full(error)
                raise ours from None
            raise ours from error
        finally:
            self._busy.discard(connection)
            try:
                await self._release(connection)
            finally:
                self.shares.leave(holder)
                if long:
                    self.long_shares.leave(holder)

    async def _take(self, holder: str, *, long: bool) -> Connection:
        """A connection, within the shares of its holder."""
        if long:
            await self._enter(self.long_shares, holder, self._long_wait_s)
        entered = False
        try:
            if not self.shares.enter_now(holder):
                await self._enter(self.shares, holder, self._acquire_timeout_s)
            entered = True
            return await self.retries.run(self._acquire)
        except BaseException:
            if entered:
                self.shares.leave(holder)
            if long:
                self.long_shares.leave(holder)
            raise

    async def _enter(self, shares: Shares, holder: str, wait_s: float) -> None:
        began = time.monotonic()
        try:
            await shares.enter(holder, remaining_s(wait_s))
        except NoShare as full:
            raise none_free(full) from None
        finally:
            self.waits += 1
            self.wait_s += time.monotonic() - began

    async def _release(self, connection: Connection) -> None:
        # The pool terminates a connection that it cannot reset, and frees its place. The outcome of the work is known
        # by then: an error of the release would replace it.
        with suppress(*DRIVER_ERRORS):
            await self._pool.release(connection, timeout=_RELEASE_S)  # type: ignore[arg-type] # the pool's proxy

    async def ping(self, timeout_s: float = 1.0) -> bool:
        """True if the server answers in time, on a separate connection: a busy pool does not mean a lost server.

        An answer closes the breaker immediately. If the server is silent twice in a row, work that waits for it counts
        as lost as well: its connections are terminated, so that callers get an answer.
        """
        try:
            async with asyncio.timeout(timeout_s), self._probing:
                if self._probe is None or self._probe.is_closed():
                    self._probe = await asyncpg.connect(**self._connect)
                # Without a prepared statement, which a pooler may look for on another connection.
                answered = await self._probe.execute("SELECT 1") == "SELECT 1"
        except DRIVER_ERRORS as error:
            if self._probe is not None:
                self._probe.terminate()
                self._probe = None
            self._silent = self._silent + 1 if isinstance(error, TimeoutError) else 0
            self.breaker.fail()
            if self._silent >= _SILENT_PROBES:
                self._cut()
            return False
        self._silent = 0
        self.breaker.succeed()
        return answered

    def _cut(self) -> None:
        self.breaker.trip()
        for connection in list(self._busy):
            connection.terminate()


async def _nothing(_: Connection) -> None:
    """A reset that does nothing: `begin` sets all that a transaction needs, so no round trip undoes anything."""


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))
