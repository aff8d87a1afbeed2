"""Errors of a connection to PostgreSQL as one line that says what to do."""

from __future__ import annotations

import socket
import ssl

import asyncpg

from bossjy_server.errors import StartError

# What can go wrong while a connection is made, and while its first statements run.
CONNECT_ERRORS = (
    OSError,
    ValueError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)

# What to do, by SQLSTATE.
_ADVICE = {
    "28P01": "set the right password in {}",
    "28000": "add a line to pg_hba.conf for this user, database and address, or correct {}",
    "3D000": "create the database, or correct its name in {}",
    "42501": "as the database's owner run GRANT CONNECT ON DATABASE … TO the user of {}",
    "53300": "raise max_connections, or lower BOSSJY_DATABASE_POOL",
    "55000": "ALTER DATABASE … ALLOW_CONNECTIONS true, or name another database in {}",
    "57P03": "wait until the server of {} has started, start again",
    "08P01": "set {} to a PostgreSQL server; behind PgBouncer set BOSSJY_DATABASE_STATEMENT_CACHE to 0",
}


def one_line(error: BaseException) -> str:
    """What an error says, on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def connect_fault(error: Exception, setting: str) -> StartError:
    """The error of a connection by the URL in `setting`. Never holds the URL, which has a password."""
    told, advice = _told(error, setting)
    return StartError(f"PostgreSQL cannot be reached ({told}): {advice}")


def _told(error: Exception, setting: str) -> tuple[str, str]:
    """What happened, and what to do."""
    where = f"correct the host and the port in {setting}"
    match error:
        case asyncpg.PostgresError():
            advice = _ADVICE.get(str(error.sqlstate or ""), "put that right on the server, or correct {}")
            return one_line(error), advice.format(setting)
        case asyncpg.ClientConfigurationError():
            return one_line(error), f"correct {setting}"
        case asyncpg.TargetServerAttributeNotMatched():
            return one_line(error), f"correct target_session_attrs or the hosts in {setting}"
        case asyncpg.InterfaceError():
            return one_line(error), f"correct {setting}"
        case ssl.SSLError():
            return (
                f"TLS failed: {error.reason or one_line(error)}",
                f"correct sslmode, sslrootcert or the server's certificate of {setting}",
            )
        case TimeoutError():
            return "no answer in time", f"{where}, and see that no firewall is between"
        case socket.gaierror():
            return f"the host is not known: {error.strerror}", f"correct the host in {setting}"
        case ConnectionRefusedError():
            return "connection refused", f"start PostgreSQL, or {where}"
        case asyncpg.InternalClientError() | ConnectionError():
            told = one_line(error)
            advice = "take sslmode=require out of {}, or turn TLS on in the server" if "SSL" in told else where
            return told, advice.format(setting)
        case OSError():
            return error.strerror or one_line(error), f"start PostgreSQL, or {where}"
        case _:  # ValueError: its text may hold a part of the password
            return (
                "the URL cannot be read",
                f"correct {setting}; special characters of a password are written as %XX",
            )
