"""Cleanup after imports: the numbers that a dry run named, layers and duplicates of imports too old to be reverted."""

from __future__ import annotations

import asyncio
import logging
from contextvars import Context

from bossjy_server.errors import BossjyError
from bossjy_server.imports.database import duplicate_store, store
from bossjy_server.storage.postgres import Database
from bossjy_server.tasks import end_tasks

_LOG = logging.getLogger(__name__)

# Imports that wait for it in one process. Skipped data stays until its numbers are erased, and costs only space.
_MOST_WAITING = 1000


class Cleanup:
    """Cleans up after one import at a time, in bounded pieces."""

    def __init__(self, database: Database, revert_days: int) -> None:
        """`revert_days`: the days in which imports can be reverted; 0: for ever."""
        self._database = database
        self._revert_days = revert_days
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, tenant_id: str, import_id: str) -> None:
        """Begin the cleanup after an import that has ended. Repeated calls are allowed."""
        if len(self._tasks) >= _MOST_WAITING:
            _LOG.warning("cleanup after import %s is postponed: %d others wait", import_id, len(self._tasks))
            return
        # The deadline of the call that ended the import does not apply to this work.
        task = asyncio.create_task(self._tidy(tenant_id, import_id), context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop; the current piece is rolled back."""
        await end_tasks(self._tasks)

    async def _tidy(self, tenant_id: str, import_id: str) -> None:
        async with self._turn:
            try:
                while await self._forget_some(tenant_id, import_id):
                    pass
                while self._revert_days and await self._forget_layers(tenant_id):
                    pass
            except BossjyError as error:
                _LOG.warning("cleanup after import %s is postponed: %s", import_id, error)

    async def _forget_some(self, tenant_id: str, import_id: str) -> bool:
        async with self._database.tenant(tenant_id, long=True) as connection:
            return await store.forget_seen(connection, tenant_id, import_id)

    async def _forget_layers(self, tenant_id: str) -> bool:
        async with self._database.tenant(tenant_id) as connection:
            layers = await store.forget_layers(connection, tenant_id, self._revert_days)
            return await duplicate_store.forget(connection, tenant_id, self._revert_days) or layers
