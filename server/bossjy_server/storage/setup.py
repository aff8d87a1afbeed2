"""Database setup for the service and the operator's commands: set up by the owner, used by a plain login."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

from bossjy_server.embedded.servers import EmbeddedParts
from bossjy_server.errors import NotThere
from bossjy_server.storage.options import DatabaseOptions
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.schema import ServiceLogin, apply_schema, read_init_sql

_LOG = logging.getLogger(__name__)
_PAUSE_S = 0.5  # between attempts to reach a server that does not answer yet
_LATER = "the tables have the definition of the next release: this release works with them and changes nothing"
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


async def set_up(options: DatabaseOptions) -> tuple[str, ...]:
    """Bring the database up to date. Returns remarks for the operator. Raises StartError with one line of advice."""
    service = ServiceLogin(options.url, make=options.make_login)
    later = await apply_schema(
        options.admin_url,
        read_init_sql(),
        service=service,
        role=options.role,
        audit_days=options.audit_days,
        setting=options.admin_setting,
    )
    return (_LATER,) if later else ()


async def open_for_service(options: DatabaseOptions) -> Database:
    """Set the database up and connect as the service. Raises StartError.

    Waits at most `start_wait_s` for a server that does not answer yet, and logs once that it waits.
    """
    ends = time.monotonic() + options.start_wait_s
    waits = False
    while True:
        try:
            return await _open_for_service(options)
        except NotThere as error:
            if time.monotonic() + _PAUSE_S >= ends:
                raise
            if not waits:
                _LOG.warning("%s; the start waits for it, %g s at most", error, options.start_wait_s)
            waits = True
        await asyncio.sleep(_PAUSE_S)


async def _open_for_service(options: DatabaseOptions) -> Database:
    remarks = await set_up(options)
    database = await Database.open(
        options.url,
        max_size=options.pool,
        statement_cache=options.statement_cache,
        acquire_timeout_s=options.wait_s,
        statement_timeout_s=options.statement_timeout_s,
        share=options.tenant_share,
        long_most=options.long_most,
    )
    database.remarks += remarks
    return database


async def open_for_command(options: DatabaseOptions, *, as_owner: bool) -> Database:
    """Set the database up and connect once: as the owner of the tables, or as the service. Raises StartError."""
    remarks = await set_up(options)
    url, setting = (options.admin_url, options.admin_setting) if as_owner else (options.url, "DATABASE_URL")
    database = await Database.open(
        url,
        role=_AS_LOGIN if as_owner else "",
        setting=setting,
        statement_cache=options.statement_cache,
        min_size=1,
        max_size=1,
    )
    database.remarks += remarks
    return database
