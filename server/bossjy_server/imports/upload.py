"""Upload stream: takes bytes in order, cleans them block by block, and acknowledges committed rows.

Two tasks: the intake reads messages, splits and cleans blocks (in a thread); the other merges them. So a block is
cleaned while the one before it is merged. `BlockSlots` limits the blocks in memory.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import suppress
from typing import Any, NoReturn

from bossjy_server.context import Caller
from bossjy_server.errors import BossjyError, FailedPrecondition, NotFound, OutOfRange, Reason, Unavailable
from bossjy_server.imports import part_store, store
from bossjy_server.imports.block_slots import BlockSlots
from bossjy_server.imports.commit import CleanBlock, PartWriter, import_not_open
from bossjy_server.imports.decode import resume_offset
from bossjy_server.imports.inbox import Inbox, Silence
from bossjy_server.imports.intake import Intake, out_of_order
from bossjy_server.imports.messages import Ack, Answer, Finished, Flow, Message, Open, Opened
from bossjy_server.imports.process import UploadProcess
from bossjy_server.imports.records import ImportJob, Part, State
from bossjy_server.spans import stage
from bossjy_server.storage.authority import hold_caller
from bossjy_server.tasks import end_tasks

# Answers that wait to be sent. A client that does not read them stops its own upload.
_ANSWERS = 64


class Upload:
    """One stream. Make one and iterate over `run`."""

    def __init__(self, process: UploadProcess, caller: Caller) -> None:
        self._process = process
        self._caller = caller
        self._tenant_id = caller.tenant_id
        self._answers: asyncio.Queue[Answer | None] = asyncio.Queue(_ANSWERS)

    async def run(self, messages: AsyncIterator[Message]) -> AsyncGenerator[Answer]:
        """Answers to the messages of a client. Raises the error that ended the stream, after the last answer."""
        worker = asyncio.create_task(self._work(messages))
        try:
            while (answer := await self._answers.get()) is not None:
                yield answer
            await worker
        finally:
            await end_tasks([worker])

    async def _work(self, messages: AsyncIterator[Message]) -> None:
        inbox = Inbox(messages, self._process.draining, self._process.options.idle_s)
        try:
            first = await inbox.get(self._process.options.idle_s)
            if not isinstance(first, Open):
                if first is Silence.END:
                    return
                raise out_of_order("the first message of an upload is open")
            await self._upload(first, inbox)
        finally:
            await inbox.close()
            await self._answers.put(None)

    async def _upload(self, opening: Open, inbox: Inbox) -> None:
        holder = secrets.token_hex(8)
        with stage("import.open", part=opening.part):
            job, part = await self._open(opening, holder)
        if self._process.origins is not None:
            await self._process.origins.link(self._tenant_id, opening.import_id)
        await self._answers.put(Opened(resume_offset(part), part.counts))
        await self._answers.put(Flow(self._process.options.window_bytes))
        blocks: asyncio.Queue[CleanBlock | None] = asyncio.Queue()  # `slots` is its limit
        slots = BlockSlots(self._process.blocks, self._tenant_id)
        writer = PartWriter(
            self._process.database, self._caller, job, part, holder, self._process.options.max_duplicates_kept
        )
        intake = Intake(
            self._process,
            self._caller,
            job,
            part,
            inbox=inbox,
            writer=writer,
            answers=self._answers,
            blocks=blocks,
            slots=slots,
        )

        metrics = self._process.metrics

        async def commit_all() -> None:
            counts = part.counts
            while (block := await blocks.get()) is not None:
                metrics.progressed(self, 1)
                began = time.monotonic()
                with stage("import.commit", rows=block.row_count):
                    committed = await writer.commit(block)
                metrics.committing.inc(time.monotonic() - began)
                intake.committed = committed.committed_offset
                metrics.count(counts, counts := committed.counts)
                metrics.progressed(self, blocks.qsize())
                slots.release()
                await self._answers.put(Ack(committed.committed_offset, committed.counts))

        metrics.opened()
        try:
            await _together(intake.take_all(), commit_all(), unless=self._cancelled(opening.import_id))
        except FailedPrecondition as error:
            if error.reason is Reason.REJECT_LIMIT_EXCEEDED:
                self._process.tidying.begin(self._tenant_id, opening.import_id)
            raise
        finally:
            slots.close()
            metrics.ended(self)
        if intake.failure is not None:
            raise _with_offset(intake.failure, intake.committed)
        if intake.finished:
            with stage("import.finish"):
                done = await self._job(opening.import_id)
            await self._answers.put(Finished(done))
            if done.state is not State.OPEN:
                self._process.tidying.begin(self._tenant_id, opening.import_id)

    async def _open(self, opening: Open, holder: str) -> tuple[ImportJob, Part]:
        """Take the part. A finished one may be opened as well: its client may not know of the end."""
        async with self._process.database.tenant(self._tenant_id) as connection:
            # Taken first: from here on no older stream changes the data that is read below.
            part = await part_store.take(connection, self._tenant_id, opening.import_id, opening.part, holder)
            job = await store.find_import(connection, self._tenant_id, opening.import_id)
            if job is None:
                raise NotFound("import")
            if job.state not in {State.OPEN, State.SUCCEEDED}:
                raise import_not_open(job.state, job.failure)
            if part is None:
                raise OutOfRange(
                    Reason.PART_UNKNOWN, f"the import has {len(job.parts)} parts, numbered from 0: use one of them"
                )
            await hold_caller(connection, self._caller)
        return job, part

    async def _cancelled(self, import_id: str) -> NoReturn:
        """Raises FailedPrecondition(IMPORT_NOT_OPEN) once the import is cancelled. A block may take longer to fail."""
        while True:
            await asyncio.sleep(self._process.options.poll_s)
            with suppress(Unavailable):  # the merge says so if it stays
                async with self._process.database.tenant(self._tenant_id) as connection:
                    state = await store.find_state(connection, self._tenant_id, import_id)
                if state is State.CANCELLED:
                    raise import_not_open(state)

    async def _job(self, import_id: str) -> ImportJob:
        async with self._process.database.tenant(self._tenant_id) as connection:
            job = await store.find_import(connection, self._tenant_id, import_id)
        if job is None:
            raise NotFound("import")
        return job


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


def _with_offset(error: BossjyError, next_offset: int) -> BossjyError:
    error.metadata.setdefault("next_offset", str(next_offset))
    return error
