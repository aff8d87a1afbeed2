"""State of a PostgreSQL server for the self-check. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from bossjy_server.storage.connect_faults import CONNECT_ERRORS, connect_fault
from bossjy_server.storage.logins import ROLE_MARK, WHO, checked
from bossjy_server.storage.postgres import Connection

# Other roles' sessions are counted although their details are hidden. Workers of the server have no client.
STATE = """
SELECT current_setting('server_version') AS version, current_setting('server_version_num')::integer / 10000 AS major,
    current_database()::text AS database, current_setting('server_encoding') AS encoding,
    pg_is_in_recovery() AS standby, current_setting('default_transaction_read_only')::boolean AS read_only,
    current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
        - coalesce(current_setting('reserved_connections', true)::integer, 0) AS connections_most,
    d.datconnlimit AS database_most, me.rolconnlimit AS role_most,
    (SELECT count(*) FROM pg_stat_activity a WHERE a.datname IS NOT NULL
        AND coalesce(a.backend_type, 'client backend') = 'client backend')::integer AS connections,
    (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid)::integer AS of_database,
    (SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = me.oid)::integer AS of_role,
    (SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = me.oid AND a.application_name = 'bossjy'
        AND a.datid = d.oid)::integer AS of_service,
    ARRAY(SELECT extname::text FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY extname) AS extensions
FROM pg_database d JOIN pg_roles me ON me.rolname = session_user
WHERE d.datname = current_database()"""

# A statement of its own, which takes no time: its moment is compared with this machine's clock.
CLOCK = "SELECT clock_timestamp()"


@dataclass(frozen=True, slots=True)
class ServerState:
    """The server, its limits of connections (-1: none) and their use."""

    version: str
    major: int
    database: str
    encoding: str
    standby: bool
    read_only: bool
    connections_most: int
    database_most: int
    role_most: int
    connections: int
    of_database: int
    of_role: int
    of_service: int
    extensions: list[str]

    @property
    def free(self) -> int:
        """Connections that the role can still open."""
        limits = [self.connections_most - self.connections]
        if self.database_most >= 0:
            limits.append(self.database_most - self.of_database)
        if self.role_most >= 0:
            limits.append(self.role_most - self.of_role)
        return min(limits)


async def connect(url: str, setting: str, *, statement_cache: int, wait_s: float) -> Connection:
    """Connect; no statement takes longer than `wait_s`. Raises StartError, without the URL."""
    try:
        return await asyncpg.connect(
            url,
            timeout=wait_s,
            command_timeout=wait_s,
            statement_cache_size=statement_cache,
            server_settings={"application_name": "bossjy doctor"},
        )
    except CONNECT_ERRORS as error:
        raise connect_fault(error, setting) from error


async def server_state(connection: Connection) -> ServerState:
    """Read the state of the connected server."""
    return ServerState(**dict(await connection.fetchrow(STATE) or {}))


async def server_clock(connection: Connection) -> datetime:
    """The server's time."""
    time: datetime = await connection.fetchval(CLOCK)
    return time


async def login_remarks(connection: Connection, setting: str) -> tuple[str, ...]:
    """Remarks on the connected login, as a start logs them. Raises StartError if the service cannot work with it."""
    who = await connection.fetchrow(WHO, ROLE_MARK)
    return () if who is None else checked(who, setting)[1]
