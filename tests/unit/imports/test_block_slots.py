"""Slots for blocks in memory: limits of an upload and of the process, and their return."""

from __future__ import annotations

import asyncio

import pytest

from bossjy_server.errors import Reason
from bossjy_server.imports.upload import block_slots
from bossjy_server.imports.upload.block_slots import BlockSlots, block_shares
from bossjy_server.imports.upload.threads import NoThread


async def test_an_upload_has_two_blocks_in_memory() -> None:
    process = block_shares(10)
    slots = BlockSlots(process, "acme")
    await slots.acquire()
    await slots.acquire()
    third = asyncio.create_task(slots.acquire())
    await asyncio.sleep(0.02)
    assert not third.done()
    slots.release()
    await third
    assert process.taken == 2


async def test_all_uploads_of_a_tenant_leave_a_slot_to_others() -> None:
    process = block_shares(6)
    uploads = [BlockSlots(process, "acme") for _ in range(40)]
    waiting = [asyncio.create_task(slots.acquire()) for slots in uploads]
    await asyncio.sleep(0.02)
    assert sum(task.done() for task in waiting) == process.taken == 5
    other = BlockSlots(process, "other")
    await other.acquire()
    for slots, task in zip(uploads, waiting, strict=True):
        await task
        slots.release()
    other.close()
    assert process.taken == 0


async def test_the_end_of_an_upload_returns_its_slots() -> None:
    process = block_shares(2)
    slots = BlockSlots(process, "acme")
    await slots.acquire()
    waiting = asyncio.create_task(BlockSlots(process, "other").acquire())
    refused = asyncio.create_task(slots.acquire())
    await asyncio.sleep(0.02)
    refused.cancel()
    await asyncio.gather(refused, return_exceptions=True)
    slots.close()
    await waiting
    assert process.taken == 1


async def test_a_wait_for_a_slot_ends_with_an_error_to_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_slots, "WAIT_S", 0.02)
    process = block_shares(2)
    for tenant in ("one", "two"):
        await BlockSlots(process, tenant).acquire()
    slots = BlockSlots(process, "three")
    for _ in range(3):  # a refused wait keeps nothing
        with pytest.raises(NoThread) as caught:
            await slots.acquire()
        assert caught.value.reason is Reason.OVERLOADED
    assert process.taken == 2
