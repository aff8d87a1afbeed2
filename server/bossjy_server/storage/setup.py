"""The database as the service and the operator's commands open it: set up by its owner, used by a plain login."""

from __future__ import annotations

from dataclasses import dataclass, field

from bossjy_server.storage.postgres import Database
from bossjy_server.storage.schema import ServiceLogin, apply_schema, read_init_sql

_AS_LOGIN = "none"  # PostgreSQL's word for no role but that of who connects


@dataclass(frozen=True, slots=True)
class DatabaseOptions:
    """Where the database is, and how it is used."""

    url: str = field(repr=False)  # of the service's login
    admin_url: str = field(repr=False)  # of the owner of the tables
    admin_setting: str = "DATABASE_URL"  # what the owner's URL came from
    role: str = ""  # the application role; '': of the database's own name
    audit_days: int = 0  # how long the audit log is kept at least; 0: for ever
    make_login: bool = False  # the service's login is ours: an embedded database
    pool: int = 20
    statement_cache: int = 100
    wait_s: float = 5.0
    statement_timeout_s: float = 30.0
    tenant_share: float = 0.5  # of the connections, that one tenant may hold
    long_most: int = 0  # connections that do long work at once; 0: half


async def set_up(options: DatabaseOptions) -> None:
    """Bring the database up to date. Raises StartError with one line that says what to do."""
    service = ServiceLogin(options.url, make=options.make_login)
    await apply_schema(
        options.admin_url,
        read_init_sql(),
        service=service,
        role=options.role,
        audit_days=options.audit_days,
        setting=options.admin_setting,
    )


async def open_for_service(options: DatabaseOptions) -> Database:
    """Set the database up and connect as the service. Raises StartError."""
    await set_up(options)
    return await Database.open(
        options.url,
        max_size=options.pool,
        statement_cache=options.statement_cache,
        acquire_timeout_s=options.wait_s,
        statement_timeout_s=options.statement_timeout_s,
        share=options.tenant_share,
        long_most=options.long_most,
    )


async def open_for_command(options: DatabaseOptions, *, as_owner: bool) -> Database:
    """Set the database up and connect once: as the owner of the tables, or as the service. Raises StartError."""
    await set_up(options)
    url, setting = (options.admin_url, options.admin_setting) if as_owner else (options.url, "DATABASE_URL")
    return await Database.open(
        url,
        role=_AS_LOGIN if as_owner else "",
        setting=setting,
        statement_cache=options.statement_cache,
        min_size=1,
        max_size=1,
    )
