"""Slots for blocks in memory: a few for each upload, within the limit of the process, which tenants share."""

from __future__ import annotations

import asyncio

from bossjy_server.context import remaining_s
from bossjy_server.imports.upload.threads import WAIT_S, no_thread
from bossjy_server.storage.shares import NoShare, Shares

# One block is cleaned while the one before it is merged.
_BLOCKS_OF_UPLOAD = 2
# The part of all slots that one tenant may hold while no other tenant holds any.
_SHARE = 0.8


def block_shares(blocks: int) -> Shares:
    """The slots of a process."""
    return Shares(blocks, _SHARE)


class BlockSlots:
    """The slots of one upload. Close them at its end."""

    def __init__(self, process: Shares, tenant_id: str) -> None:
        self._process = process
        self._tenant_id = tenant_id
        self._own = asyncio.Semaphore(_BLOCKS_OF_UPLOAD)
        self._held = 0

    async def acquire(self) -> None:
        """Wait for a slot. Raises NoThread if the process has none in time."""
        await self._own.acquire()
        try:
            await self._process.enter(self._tenant_id, remaining_s(WAIT_S))
        except BaseException as error:
            self._own.release()
            if isinstance(error, NoShare):
                raise no_thread() from None
            raise
        self._held += 1

    def release(self) -> None:
        """Return a slot: its block is committed, or was empty."""
        self._held -= 1
        self._process.leave(self._tenant_id)
        self._own.release()

    def close(self) -> None:
        """Return the slots of blocks that were not committed."""
        while self._held:
            self.release()
