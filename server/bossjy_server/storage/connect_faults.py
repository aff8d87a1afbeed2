"""Errors of connections to PostgreSQL, each as one line with advice."""

from __future__ import annotations

import socket
import ssl

import asyncpg

from bossjy_server.errors import NotThere, StartError

# Errors while a connection is opened, and while its first statements run.
CONNECT_ERRORS = (
    OSError,
    ValueError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

# Advice by SQLSTATE.
_ADVICE = {
    "28P01": "set the right password in {}",
    "28000": "correct the user in {}, or add a line to pg_hba.conf for it, its database and its address",
    "3D000": "create the database, or correct its name in {}",
    "42501": "as the database's owner run GRANT CONNECT ON DATABASE … TO the user of {}",
    "53300": "raise max_connections, or lower BOSSJY_DATABASE_POOL",
    "55000": "ALTER DATABASE … ALLOW_CONNECTIONS true, or name another database in {}",
    "57P03": "wait until the server of {} has started, start again",
    "08P01": "set {} to a PostgreSQL server; behind PgBouncer set BOSSJY_DATABASE_STATEMENT_CACHE to 0",
}

# SQLSTATEs of a server that is starting or stopping.
_STARTS = frozenset({"57P01", "57P02", "57P03"})


def one_line(error: BaseException) -> str:
    """The text of an error on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def connect_fault(error: Exception, setting: str) -> StartError:
    """The error of a connection by the URL in `setting`. It never contains the URL, which has a password."""
    advice = _of_server(error) if isinstance(error, asyncpg.PostgresError) else _of_network(error)
    told, todo = advice or _of_url(error)
    kind = NotThere if _is_absent(error) else StartError
    return kind(f"PostgreSQL cannot be reached ({told}): {todo.format(setting)}")


def _is_absent(error: Exception) -> bool:
    """True if the server can answer later without a change of the settings."""
    if isinstance(error, asyncpg.PostgresError):
        return str(error.sqlstate or "") in _STARTS
    return isinstance(error, OSError) and not isinstance(error, ssl.SSLError | PermissionError)


def _of_server(error: asyncpg.PostgresError) -> tuple[str, str]:
    """The server's message, and advice. A `{}` is the setting."""
    return one_line(error), _ADVICE.get(str(error.sqlstate or ""), "correct that on the server, or correct {}")


def _of_network(error: Exception) -> tuple[str, str] | None:
    """The same if no server answered, or something else did. None for an error in the URL."""
    told, where = one_line(error), "correct the host and the port in {}"
    match error:
        case ssl.SSLError():
            told, where = f"TLS failed: {told}", "correct sslmode and sslrootcert in {}, or the server's certificate"
        case TimeoutError():
            told, where = "no answer in time", f"{where}, and check that no firewall blocks the connection"
        case socket.gaierror():
            told, where = f"the host is not known: {error.strerror}", "correct the host in {}"
        case _ if "SSL" in told:
            where = "remove sslmode from {}, or turn TLS on in the server"
        case FileNotFoundError():
            file = f" {error.filename}" if error.filename else ""
            told, where = f"{error.strerror}{file}", "start PostgreSQL, or correct the host and the files in {}"
        case OSError():
            told, where = error.strerror or told, f"start PostgreSQL, or {where}"
        case asyncpg.TargetServerAttributeNotMatched():
            where = "correct target_session_attrs or the hosts in {}"
        case asyncpg.InternalClientError():
            pass
        case _:
            return None
    return told, where


def _of_url(error: Exception) -> tuple[str, str]:
    """The same for a URL that the driver rejects."""
    if isinstance(error, asyncpg.InterfaceError):
        return one_line(error), "correct {}"
    # Its text may contain a part of the password.
    return "the URL cannot be read", "correct {}; special characters of a password are written as %XX"
