"""Removal of audit events older than the configured retention."""

from __future__ import annotations

import asyncio
import logging

from bossjy_server.auth.audit import audit_store
from bossjy_server.auth.options import AuthOptions
from bossjy_server.errors import BossjyError
from bossjy_server.storage.postgres import Database

_LOG = logging.getLogger(__name__)

_FIRST_S = 60.0  # other start work goes first
_AT_ONCE = 5_000  # events per transaction: a fraction of a second


async def sweep(database: Database, options: AuthOptions) -> None:
    """Remove old events periodically; never returns. If all events are kept, it only waits."""
    wait_s = min(_FIRST_S, options.audit_sweep_s)
    while True:
        await asyncio.sleep(wait_s)
        wait_s = options.audit_sweep_s
        if not options.audit_days:
            continue
        try:
            removed = await remove_old(database, options.audit_days)
        except BossjyError as error:
            _LOG.warning("old events of the audit log are not removed yet: %s", error)
            continue
        if removed:
            _LOG.info("removed %d events of the audit log that were older than %d days", removed, options.audit_days)


async def remove_old(database: Database, kept_days: int) -> int:
    """Remove all events older than `kept_days` in small transactions. Returns their number.

    Raises Unavailable, DeadlineExceeded.
    """
    removed = 0
    while True:
        async with database.system() as connection:
            count = await audit_store.remove_old_events(connection, kept_days, _AT_ONCE)
        removed += count
        if count < _AT_ONCE:
            return removed
