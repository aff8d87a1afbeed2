"""Block reader of an upload: bytes in order become clean blocks."""

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import NoReturn

import google_crc32c

from bossjy_server.blocking import in_thread
from bossjy_server.context import Caller
from bossjy_server.errors import BossjyError, InvalidArgument, OutOfRange, Reason, ResourceExhausted
from bossjy_server.imports.cleaning.blocks import BlockMaker, CleanBlock, MadeBlock
from bossjy_server.imports.database import store
from bossjy_server.imports.database.commit import PartWriter, import_not_open
from bossjy_server.imports.reading.decode import missing_header, resume_offset
from bossjy_server.imports.reading.resolve import resolve
from bossjy_server.imports.records import ImportJob, Part, Spec, State
from bossjy_server.imports.upload.block_slots import BlockSlots
from bossjy_server.imports.upload.messages import Answer, Chunk, Finish, Open, ShuttingDown, Skipped
from bossjy_server.imports.upload.receive_buffer import ReceiveBuffer, Silence
from bossjy_server.imports.upload.threads import NoThread
from bossjy_server.imports.upload.upload_state import UploadProcess
from bossjy_server.spans import stage
from bossjy_server.storage.authority import hold_caller

# The delay that a client gets when the server drains.
_GRACE_MS = 2_000


class BlockReader:
    """Takes the messages after `open` and puts blocks into `blocks`; None after the last."""

    def __init__(  # noqa: PLR0913 - the parts of one stream
        self,
        process: UploadProcess,
        caller: Caller,
        job: ImportJob,
        part: Part,
        *,
        incoming: ReceiveBuffer,
        writer: PartWriter,
        answers: asyncio.Queue[Answer | None],
        blocks: asyncio.Queue[CleanBlock | None],
        slots: BlockSlots,
    ) -> None:
        self._process = process
        self._options = process.options
        self._caller = caller
        self._tenant_id = caller.tenant_id
        self._job = job
        self._part = part
        self._incoming = incoming
        self._writer = writer
        self._answers = answers
        self._blocks = blocks
        self._slots = slots
        self._maker: BlockMaker | None = None
        self._buffer = bytearray()
        self._enough = 0
        # Since when bytes wait for the form of the file, and their number at the last attempt to detect it.
        self._waiting_since: float | None = None
        self._asked_bytes = 0
        # Offset after the last received byte, and after the last byte whose rows are committed.
        self._received = resume_offset(part)
        self.committed = part.committed_offset
        # Known only if this stream carries the part from its first byte on.
        self._digest = hashlib.sha256() if self._received == 0 else None
        # The error that ended the stream, and true if the part came to its end.
        self.failure: BossjyError | None = None
        self.finished = False

    async def take_all(self) -> None:
        """Take messages until the part ends, the server drains, or a message is wrong (`failure`)."""
        try:
            await self._take_all()
        except BossjyError as error:
            self.failure = error
        await self._blocks.put(None)

    async def _take_all(self) -> None:
        flushed = True
        while True:
            message = await self._incoming.get(self._options.poll_s if flushed else self._options.flush_s)
            match message:
                case Chunk():
                    await self._take(message)
                    flushed = False
                    if len(self._buffer) >= max(self._options.block_bytes, self._enough):
                        await self._submit(final=False)
                case Finish():
                    await self._finish(message)
                    return
                case Open():
                    raise out_of_order("open comes once, as the first message")
                case Silence.TIMEOUT:
                    if not flushed or self._head_is_due():
                        await self._submit(final=False)
                        flushed = True
                    else:
                        await self._check_open()
                case Silence.DRAINING:
                    await self._submit(final=False)
                    await self._answers.put(ShuttingDown(_GRACE_MS))
                    return
                case Silence.END:
                    await self._submit(final=False)
                    return

    async def _take(self, chunk: Chunk) -> None:
        if chunk.crc32c is not None and chunk.crc32c != google_crc32c.value(chunk.data):
            raise InvalidArgument(Reason.CHECKSUM_MISMATCH, "the chunk was damaged on its way: send it again")
        end = chunk.offset + len(chunk.data)
        if chunk.offset > self._received:
            raise OutOfRange(
                Reason.OFFSET_GAP, f"the chunk begins at {chunk.offset}, {self._received} is next: bytes are missing"
            )
        if end <= self._received:
            await self._answers.put(Skipped(chunk.offset, self.committed))
            return
        if end > self._options.max_file_bytes:
            limit = self._options.max_file_bytes
            await self._fail(
                ResourceExhausted(
                    Reason.FILE_TOO_LARGE,
                    f"the part has more than {limit} bytes: split the file",
                    metadata={"limit_bytes": str(limit)},
                )
            )
        data = chunk.data[self._received - chunk.offset :] if chunk.offset < self._received else chunk.data
        if self._digest is not None:
            self._digest.update(data)
        self._buffer += data
        self._received = end

    async def _finish(self, message: Finish) -> None:
        if message.size_bytes != self._received:
            raise InvalidArgument(
                Reason.PART_SIZE_MISMATCH,
                f"{self._received} bytes came, {message.size_bytes} were declared: open again, send what is missing",
            )
        if message.sha256 and self._digest is not None and message.sha256 != self._digest.digest():
            raise InvalidArgument(
                Reason.CHECKSUM_MISMATCH,
                "the part differs from its declaration: cancel the import and read the file again",
            )
        if not self._part.finished:
            await self._submit(final=True)
        self.finished = True

    async def _submit(self, *, final: bool) -> None:
        """Split and clean the available bytes, and pass them on for a commit. Waits while two blocks are pending."""
        if self._part.finished:
            return
        if self._maker is None:
            self._maker = await self._make_maker(final=final)
        if self._maker is None or (not self._buffer and not final):
            return
        more = True
        while more:
            more = await self._submit_one(final=final)

    async def _submit_one(self, *, final: bool) -> bool:
        """Pass one block on for a commit. True if the rest has rows."""
        await self._slots.acquire()
        data = bytes(self._buffer)
        began = time.monotonic()
        try:
            with stage("import.clean", bytes=len(data)):
                made = await self._process.threads.run(self._tenant_id, lambda: self._made(data, final=final))
        except NoThread:
            raise
        except BossjyError as error:
            await self._fail(error)
        self._process.metrics.cleaning.inc(time.monotonic() - began)
        del self._buffer[: made.used]
        # Below this another attempt is useless: a row is not complete yet.
        self._enough = len(self._buffer) + self._options.block_bytes // 2
        if made.block.start == made.block.end and made.block.row_count == 0 and not made.block.final:
            self._slots.release()
        else:
            await self._blocks.put(made.block)
        return made.more

    def _made(self, data: bytes, *, final: bool) -> MadeBlock:
        assert self._maker is not None  # noqa: S101 - _submit made it
        return self._maker.make(data, final=final)

    async def _make_maker(self, *, final: bool) -> BlockMaker | None:
        """Ready to read rows, after the form of the file is known. None while too few bytes are there."""
        spec = self._job.resolved
        if spec is None:
            spec = await (self._resolve(final=final) if self._part.part == 0 else self._resolved_by_first())
        if spec is None:
            return None
        enrichment = await in_thread(self._process.load_enrichment) if spec.enrich else None
        return BlockMaker(self._process.plan, self._options, spec, self._part, enrichment)

    async def _resolve(self, *, final: bool) -> Spec | None:
        head = bytes(self._buffer)
        hurry = not final and self._is_slow()
        if hurry:
            self._asked_bytes = len(head)
        try:
            with stage("import.detect", bytes=len(head)):
                found = await self._process.threads.run(
                    self._tenant_id, lambda: resolve(head, self._job.spec, self._options, final=final, hurry=hurry)
                )
        except NoThread:
            raise
        except BossjyError as error:
            await self._fail(error)
        if found is None:
            return None
        spec, self._part = await self._writer.resolve(found)
        del self._buffer[: self._part.committed_offset]
        self.committed = self._part.committed_offset
        return spec

    def _is_slow(self) -> bool:
        """True if the producer has been slow for so long that the available bytes must be enough."""
        now = asyncio.get_running_loop().time()
        if self._waiting_since is None:
            self._waiting_since = now
        return now - self._waiting_since >= self._options.slow_head_s

    def _head_is_due(self) -> bool:
        """True if bytes that did not show the form of the file are worth another attempt: fewer are enough now."""
        waits = self._maker is None and self._part.part == 0 and len(self._buffer) != self._asked_bytes
        return waits and self._is_slow()

    async def _resolved_by_first(self) -> Spec:
        """The findings of part 0. Raises FailedPrecondition if it does not come in time."""
        deadline = asyncio.get_running_loop().time() + self._options.header_wait_s
        while asyncio.get_running_loop().time() < deadline:
            async with self._process.database.tenant(self._tenant_id) as connection:
                job = await store.find_import(connection, self._tenant_id, self._job.import_id)
            if job is not None and job.resolved is not None:
                return job.resolved
            if job is None or job.state is not State.OPEN:
                break
            await asyncio.sleep(self._options.poll_s)
        raise missing_header()

    async def _fail(self, error: BossjyError) -> NoReturn:
        """End the import: its file cannot be read. Committed rows stay."""
        async with self._process.database.tenant(self._tenant_id) as connection:
            await store.end_import(connection, self._tenant_id, self._job.import_id, State.FAILED, error.message)
            await hold_caller(connection, self._caller)
        self._process.cleanup.begin(self._tenant_id, self._job.import_id)
        raise error

    async def _check_open(self) -> None:
        """Raises FailedPrecondition(IMPORT_NOT_OPEN) if the import has ended in the meantime."""
        if self._part.finished:
            return
        async with self._process.database.tenant(self._tenant_id) as connection:
            state = await store.find_state(connection, self._tenant_id, self._job.import_id)
        if state is not None and state is not State.OPEN:
            raise import_not_open(state)


def out_of_order(what: str) -> InvalidArgument:
    """The error for messages in the wrong order."""
    return InvalidArgument(Reason.UPLOAD_OUT_OF_ORDER, f"{what}: follow the order open, chunk, finish")
