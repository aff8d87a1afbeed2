"""Upload stream: opens a part for one client, runs its pipeline, and reports the end of the import."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import NoReturn

from bossjy_server.context import Caller
from bossjy_server.errors import BossjyError, FailedPrecondition, NotFound, OutOfRange, Reason, Unavailable
from bossjy_server.imports.database import part_store, store
from bossjy_server.imports.database.commit import import_not_open
from bossjy_server.imports.reading.decode import resume_offset
from bossjy_server.imports.records import ImportJob, Part, State
from bossjy_server.imports.upload.block_reader import out_of_order
from bossjy_server.imports.upload.messages import Answer, Finished, Flow, Message, Open, Opened
from bossjy_server.imports.upload.pipeline import Pipeline
from bossjy_server.imports.upload.receive_buffer import ReceiveBuffer, Silence
from bossjy_server.imports.upload.upload_state import UploadProcess
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
        incoming = ReceiveBuffer(messages, self._process.draining, self._process.options.idle_s)
        try:
            first = await incoming.get(self._process.options.idle_s)
            if not isinstance(first, Open):
                if first is Silence.END:
                    return
                raise out_of_order("the first message of an upload is open")
            await self._upload(first, incoming)
        finally:
            await incoming.close()
            await self._answers.put(None)

    async def _upload(self, opening: Open, incoming: ReceiveBuffer) -> None:
        holder = secrets.token_hex(8)
        with stage("import.open", part=opening.part):
            job, part = await self._open(opening, holder)
        await self._answers.put(Opened(resume_offset(part), part.counts))
        await self._answers.put(Flow(self._process.options.window_bytes))
        pipeline = Pipeline(self._process, self._caller, job, part, holder, incoming=incoming, answers=self._answers)
        try:
            reader = await pipeline.run(unless=self._cancelled(opening.import_id))
        except FailedPrecondition as error:
            if error.reason is Reason.REJECT_LIMIT_EXCEEDED:
                self._process.cleanup.begin(self._tenant_id, opening.import_id)
            raise
        if reader.failure is not None:
            raise _with_offset(reader.failure, reader.committed)
        if reader.finished:
            done = await self._job(opening.import_id)
            await self._answers.put(Finished(done))
            if done.state is not State.OPEN:
                self._process.cleanup.begin(self._tenant_id, opening.import_id)

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


def _with_offset(error: BossjyError, next_offset: int) -> BossjyError:
    error.metadata.setdefault("next_offset", str(next_offset))
    return error
