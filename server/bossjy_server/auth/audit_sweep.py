"""Removes events of the audit log that are older than the operator keeps them."""

from __future__ import annotations

import asyncio
import logging

from bossjy_server.auth import audit_store
from bossjy_server.auth.options import AuthOptions
from bossjy_server.errors import BossjyError
from bossjy_server.storage.postgres import Database

_LOG = logging.getLogger(__name__)

_FIRST_S = 60.0  # a start has other things to do
_AT_ONCE = 5_000  # in one transaction: a fraction of a second


async def sweep(database: Database, options: AuthOptions) -> None:
    """Remove what is too old, again and again; does not end. Where all is kept, it only waits."""
    wait_s = min(_FIRST_S, options.audit_sweep_s)
    while True:
        await asyncio.sleep(wait_s)
        wait_s = options.audit_sweep_s
        if not options.audit_days:
            continue
        try:
            removed = await remove_old(database, options.audit_days)
        except BossjyError as error:
            _LOG.warning("old events of the audit log stay for now: %s", error)
            continue
        if removed:
            _LOG.info("%d events of the audit log were older than %d days: removed", removed, options.audit_days)


async def remove_old(database: Database, kept_days: int) -> int:
    """Remove all events older than that, in small transactions; how many. Raises Unavailable, DeadlineExceeded."""
    removed = 0
    while True:
        async with database.system() as connection:
            count = await audit_store.remove_old_events(connection, kept_days, _AT_ONCE)
        removed += count
        if count < _AT_ONCE:
            return removed
