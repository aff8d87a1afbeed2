"""Database setup for the service and the operator's commands: set up by the owner, used by a plain login."""

from __future__ import annotations

from dataclasses import replace

from bossjy_server.embedded.servers import EmbeddedParts
from bossjy_server.storage.options import DatabaseOptions
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.schema import ServiceLogin, apply_schema, read_init_sql

_AS_LOGIN = "none"  # PostgreSQL's name for the connected role itself


def at_parts(
    options: DatabaseOptions, parts: EmbeddedParts, *, audit_days: int, tenant_share: float
) -> DatabaseOptions:
    """The options with the address of the database: of the settings, or the embedded one."""
    return replace(
        options,
        url=options.url or parts.service_url,
        admin_url=options.admin_url or options.url or parts.database_url,
        admin_setting="DATABASE_ADMIN_URL" if options.admin_url else "DATABASE_URL",
        make_login=not options.url,
        audit_days=audit_days,
        tenant_share=tenant_share,
    )


async def set_up(options: DatabaseOptions) -> None:
    """Bring the database up to date. Raises StartError with one line of advice."""
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
