"""Pipeline of an upload: one task reads and cleans blocks, another commits them.

The block reader takes messages, and splits and cleans blocks in a thread. So a block is cleaned while the one before it
is merged. `BlockSlots` limits the blocks in memory.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, NoReturn

from bossjy_server.context import Caller
from bossjy_server.imports.cleaning.blocks import CleanBlock
from bossjy_server.imports.database.commit import PartWriter
from bossjy_server.imports.records import ImportJob, Part
from bossjy_server.imports.upload.block_reader import BlockReader
from bossjy_server.imports.upload.block_slots import BlockSlots
from bossjy_server.imports.upload.messages import Ack, Answer
from bossjy_server.imports.upload.receive_buffer import ReceiveBuffer
from bossjy_server.imports.upload.upload_state import UploadProcess
from bossjy_server.spans import stage
from bossjy_server.tasks import end_tasks


class Pipeline:
    """The tasks for one part that a stream has opened, with the queue and the slots between them. Run it once."""

    def __init__(
        self,
        process: UploadProcess,
        caller: Caller,
        job: ImportJob,
        part: Part,
        holder: str,
        *,
        incoming: ReceiveBuffer,
        answers: asyncio.Queue[Answer | None],
    ) -> None:
        """`holder`: the token with which the stream holds the part. `answers`: messages for the client."""
        self._metrics = process.metrics
        self._counts = part.counts
        self._answers = answers
        self._blocks: asyncio.Queue[CleanBlock | None] = asyncio.Queue()  # the slots are its limit
        self._slots = BlockSlots(process.blocks, caller.tenant_id)
        self._writer = PartWriter(process.database, caller, job, part, holder, process.options.max_duplicates_kept)
        self._reader = BlockReader(
            process,
            caller,
            job,
            part,
            incoming=incoming,
            writer=self._writer,
            answers=answers,
            blocks=self._blocks,
            slots=self._slots,
        )

    async def run(self, *, unless: Coroutine[Any, Any, NoReturn]) -> BlockReader:
        """Read and commit until the messages end. Returns the reader, with its failure if it ended by one.

        Raises the error of a commit, or the error of `unless`, a condition that ends both tasks.
        """
        self._metrics.opened()
        try:
            await _together(self._reader.take_all(), self._commit_all(), unless=unless)
        finally:
            self._slots.close()
            self._metrics.ended(self)
        return self._reader

    async def _commit_all(self) -> None:
        while (block := await self._blocks.get()) is not None:
            self._metrics.progressed(self, 1)
            began = time.monotonic()
            with stage("import.commit", rows=block.row_count):
                committed = await self._writer.commit(block)
            self._metrics.committing.inc(time.monotonic() - began)
            self._reader.committed = committed.committed_offset
            self._metrics.count(self._counts, committed.counts)
            self._counts = committed.counts
            self._metrics.progressed(self, self._blocks.qsize())
            self._slots.release()
            await self._answers.put(Ack(committed.committed_offset, committed.counts))


async def _together(*works: Coroutine[Any, Any, None], unless: Coroutine[Any, Any, NoReturn]) -> None:
    """Run all. The first failure, or `unless`, ends the others, and its error is raised unchanged."""
    tasks = [asyncio.ensure_future(work) for work in (*works, unless)]
    pending = set(tasks)
    try:
        while pending - {tasks[-1]}:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        await end_tasks(tasks)
