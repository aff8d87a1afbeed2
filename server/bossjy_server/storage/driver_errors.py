"""Errors of the PostgreSQL driver as errors of the service, by SQLSTATE and by the state of the connection."""

from __future__ import annotations

import asyncpg

from bossjy_server.errors import BossjyError, DeadlineExceeded, InvalidArgument, Reason, ResourceExhausted, Unavailable
from bossjy_server.storage.shares import NoShare

_DISK_FULL = "53100"
# The time after which a caller may try again.
RETRY_S = 1.0
# The time after which a caller may try again while the disk is full.
_FULL_RETRY_S = 30.0
# All errors of a connection.
DRIVER_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
# SQLSTATEs, or classes of them, of a server that cannot serve now: connection lost, login refused, database gone,
# resources, shutdown and start.
_CANNOT_SERVE = ("08", "28", "3D", "53", "57P")
# The transaction was aborted in favour of another (serialization, deadlock, lock not available): repeat it.
_LOST_TO_ANOTHER = ("40", "55P03")
# A text that is too long or contains an unsupported character (U+0000), or a number beyond the column's range.
_BAD_VALUE = ("22001", "22003", "22021", "22P05")


class UniqueViolation(Exception):
    """A unique constraint refused a row. `constraint` is its name; stores convert it to an error of the service."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class DatabaseLost(Unavailable):
    """The server does not answer, or answers that it cannot serve. Counts against its breaker."""


class DiskFull(Unavailable):
    """The disk of the server is full. Reads still work, so it does not count against the breaker."""


class LostToAnother(Unavailable):
    """The database aborted the transaction in favour of another (deadlock, serialization). It is safe to repeat."""


def service_error(error: BaseException) -> Exception | None:
    """The service's error for a driver error. None for an unexpected error, which stays unchanged: a fault.

    Only OSErrors of broken connections are mapped: work inside a transaction can raise others of its own.
    """
    match error:
        case asyncpg.PostgresError():
            return _of_server(error)
        case asyncpg.InterfaceError():
            # "connection is closed", "pool is closing", "connection has been released back to the pool" (when it was
            # lost): no class and no code of its own. The others are misuse.
            return unavailable() if "is clos" in str(error) or "been released" in str(error) else None
        case ConnectionError() | asyncpg.InternalClientError():
            return unavailable()  # a connection that broke while in use
        case _:
            return None


def _of_server(error: asyncpg.PostgresError) -> Exception | None:
    """The error for an SQLSTATE."""
    state = str(error.sqlstate or "")
    if isinstance(error, asyncpg.UniqueViolationError):
        return UniqueViolation(error.constraint_name or "")
    if isinstance(error, asyncpg.QueryCanceledError):
        text = "the database did not finish the work in time: ask for less in one call"
        return DeadlineExceeded(Reason.DEADLINE_EXCEEDED, text, retry_after_s=RETRY_S)
    if state.startswith(_CANNOT_SERVE):
        return disk_full() if state == _DISK_FULL else unavailable()
    if state.startswith(_LOST_TO_ANOTHER):
        text = "the database aborted this work in favour of another: call again after a moment"
        return LostToAnother(Reason.DATABASE_UNAVAILABLE, text, retry_after_s=RETRY_S)
    if state in _BAD_VALUE:
        text = "a value is too long or too large, or has a character that cannot be stored (such as U+0000)"
        return InvalidArgument(Reason.INVALID_FIELD, text)
    return None


def unavailable(retry_after_s: float = RETRY_S) -> DatabaseLost:
    """The error of a server that does not answer."""
    text = "the database does not answer: call again after a moment"
    return DatabaseLost(Reason.DATABASE_UNAVAILABLE, text, retry_after_s=retry_after_s)


def disk_full() -> DiskFull:
    """The error of a write on a full disk."""
    text = "the disk of the database is full: its operator must free space; until then only reads work"
    return DiskFull(Reason.DATABASE_UNAVAILABLE, text, retry_after_s=_FULL_RETRY_S)


def none_free(full: NoShare) -> BossjyError:
    """The error of work that got no connection."""
    if full.own:
        text = "your tenant has its full share of database connections in use: call again after a moment"
        return ResourceExhausted(Reason.OVERLOADED, text, metadata={"subject": "tenant"}, retry_after_s=RETRY_S)
    text = "no database connection became free in time: call again after a moment"
    return Unavailable(Reason.DATABASE_UNAVAILABLE, text, retry_after_s=RETRY_S)


def no_time() -> DeadlineExceeded:
    """The error of work whose deadline is too near to begin."""
    text = "the call's deadline ends before the database can do its work: call again with more time"
    return DeadlineExceeded(Reason.DEADLINE_EXCEEDED, text)
