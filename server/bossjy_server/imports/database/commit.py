"""Block commit: rows, rejected rows, counts and offset in one transaction or not at all."""

from __future__ import annotations

import asyncio
import random

from bossjy_server.context import Caller
from bossjy_server.errors import Aborted, BossjyError, FailedPrecondition, NotFound, Reason
from bossjy_server.imports.cleaning.blocks import CleanBlock
from bossjy_server.imports.cleaning.reject_counts import all_rejected, limit_exceeded
from bossjy_server.imports.database import part_store, reject_store, store
from bossjy_server.imports.database.merge import BlockMerge
from bossjy_server.imports.database.statements import CONTACTS_KEY, SHARE_LAYERS
from bossjy_server.imports.reading.resolve import Resolved
from bossjy_server.imports.records import Counts, ImportJob, Part, Spec, State
from bossjy_server.storage.authority import hold_caller
from bossjy_server.storage.driver_errors import LostToAnother, UniqueViolation
from bossjy_server.storage.postgres import Connection, Database

# Attempts to commit a block that waits for rows of other blocks while they wait for its rows.
_ATTEMPTS = 6


class _TooManyRejects(Exception):
    """The block exceeds the import's limit of rejected rows: `rejected` of `rows`. Rolls its transaction back."""

    def __init__(self, rejected: int, rows: int) -> None:
        self.rejected = rejected
        self.rows = rows


class PartWriter:
    """Commits the blocks of one part, in order, for the stream that has the part."""

    def __init__(  # noqa: PLR0917 - the needs of a commit
        self, database: Database, caller: Caller, job: ImportJob, part: Part, holder: str, duplicates_kept: int
    ) -> None:
        """`duplicates_kept`: the share of each part in the duplicate rows of the import that are kept to be listed."""
        self._database = database
        self._caller = caller
        self._tenant_id = caller.tenant_id
        self._job = job
        self._part = part.part
        share = -(-duplicates_kept // job.spec.part_count)
        self._duplicates_left = max(0, share - part.counts.duplicate)
        self._holder = holder
        # The next block is likely to be similar to the last one.
        self._known_first = False
        # True until another transaction made a contact of a block at the same time. Parts of one import often do.
        self._undisturbed = job.spec.part_count == 1

    async def commit(self, block: CleanBlock) -> Part:
        """Commit a block.

        Raises Aborted(PART_TAKEN), FailedPrecondition(IMPORT_NOT_OPEN), and Unauthenticated or PermissionDenied if the
        caller has lost its authority. Then nothing of the block is kept. Raises FailedPrecondition
        (REJECT_LIMIT_EXCEEDED) if the block made the import fail; only the rejected rows of the block are kept then.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._commit_or_stop(block)
            except LostToAnother:
                # A deadlock between two blocks; PostgreSQL rolled this one back completely.
                if attempt == _ATTEMPTS:
                    raise
                await asyncio.sleep(random.uniform(0, 0.05 * attempt))  # noqa: S311 - spreads the tries, no secret
            except UniqueViolation as error:
                # Another transaction made a contact of this block, which was rolled back completely.
                if error.constraint != CONTACTS_KEY or not self._undisturbed:
                    raise
                self._undisturbed = False
        raise AssertionError("the loop returns or raises")

    async def _commit_or_stop(self, block: CleanBlock) -> Part:
        try:
            return await self._commit(block)
        except _TooManyRejects as found:
            failure = await self._stop(block, found)
        raise failure

    async def _commit(self, block: CleanBlock) -> Part:
        import_id = self._job.import_id
        async with self._database.tenant(self._tenant_id, long=True) as connection:
            await connection.execute(SHARE_LAYERS)
            await self._check_part(connection, block)
            block_merge = self._block_merge(connection)
            merged = await (block_merge.try_run if self._job.validate_only else block_merge.run)(block.staged)
            await reject_store.insert(connection, self._tenant_id, import_id, self._part, block.rejects)
            part = await part_store.advance(
                connection,
                self._tenant_id,
                import_id,
                self._part,
                offset=block.end,
                lines=block.next_line - 1,
                decoder=block.decoder,
                counts=Counts(
                    rows_in=block.row_count,
                    inserted=merged.inserted,
                    updated=merged.updated,
                    unchanged=merged.unchanged,
                    duplicate=merged.duplicate,
                    rejected=block.rejected,
                ),
                finished=block.final,
            )
            # Last, because parts of one import wait for each other here.
            await self._touch(connection, block, duplicates_truncated=block_merge.kept < block_merge.lost)
            await self._check_end(connection, block)
            # As late as possible: from here on the end of the caller's session waits for this transaction.
            await hold_caller(connection, self._caller)
        self._known_first = merged.mostly_known
        self._duplicates_left -= block_merge.kept
        return part

    async def _touch(self, connection: Connection, block: CleanBlock, *, duplicates_truncated: bool = False) -> None:
        """Count the rejected rows. From here on the blocks of other parts wait. Raises BossjyError."""
        import_id = self._job.import_id
        truncated = len(block.rejects) < block.rejected
        if not await store.touch_import(
            connection,
            self._tenant_id,
            import_id,
            truncated=truncated,
            duplicates_truncated=duplicates_truncated,
            reject_counts=block.reject_counts,
        ):
            raise await not_open(connection, self._tenant_id, import_id)

    async def _check_end(self, connection: Connection, block: CleanBlock) -> None:
        """End the import with its last block. Raises _TooManyRejects."""
        import_id, limit = self._job.import_id, self._job.spec.reject_limit
        if limit is None and not block.final:
            return
        rows, rejected, others_finished = await part_store.totals(connection, self._tenant_id, import_id, self._part)
        ended = block.final and others_finished
        if limit is not None and limit.exceeded(rejected, rows, ended=ended):
            raise _TooManyRejects(rejected, rows)
        if ended and rejected == rows > 0:
            counts = await store.find_reject_counts(connection, self._tenant_id, import_id)
            failure = all_rejected(rows, counts)
            await store.end_import(connection, self._tenant_id, import_id, State.FAILED, failure)
        elif ended:
            await store.finish_import(connection, self._tenant_id, import_id)

    async def _stop(self, block: CleanBlock, found: _TooManyRejects) -> FailedPrecondition:
        """End the import without a merge of the block: only its rejected rows are kept and counted."""
        import_id, limit = self._job.import_id, self._job.spec.reject_limit
        assert limit is not None  # noqa: S101 - it was exceeded
        async with self._database.tenant(self._tenant_id, long=True) as connection:
            await self._check_part(connection, block)
            await reject_store.insert(connection, self._tenant_id, import_id, self._part, block.rejects)
            await part_store.add_rejected(connection, self._tenant_id, import_id, self._part, block.rejected)
            await self._touch(connection, block)
            rows, rejected, _ = await part_store.totals(connection, self._tenant_id, import_id, self._part)
            counts = await store.find_reject_counts(connection, self._tenant_id, import_id)
            failure = limit_exceeded(limit, found.rejected, found.rows, rows - rejected, counts)
            await store.end_import(connection, self._tenant_id, import_id, State.FAILED, failure)
            await hold_caller(connection, self._caller)
        return FailedPrecondition(
            Reason.REJECT_LIMIT_EXCEEDED,
            failure,
            metadata={"import_id": import_id, "rejected": str(found.rejected), "rows": str(found.rows)},
        )

    async def resolve(self, found: Resolved) -> tuple[Spec, Part]:
        """Keep the findings from the first bytes of part 0. If an older stream kept its own, return those.

        Raises as `commit` does.
        """
        import_id = self._job.import_id
        async with self._database.tenant(self._tenant_id) as connection:
            _, holder, _ = await part_store.lock(connection, self._tenant_id, import_id, self._part)
            if holder != self._holder:
                raise part_taken()
            region = found.spec.default_region or await store.default_region(connection, self._tenant_id)
            part = await store.resolve_import(
                connection, self._tenant_id, import_id, found.spec.with_region(region), found
            )
            job = await store.find_import(connection, self._tenant_id, import_id)
            if job is None:
                raise NotFound("import")
            if job.resolved is None:
                raise import_not_open(job.state)
            await hold_caller(connection, self._caller)
            return job.resolved, part or job.parts[self._part]

    async def _check_part(self, connection: Connection, block: CleanBlock) -> None:
        offset, holder, finished = await part_store.lock(connection, self._tenant_id, self._job.import_id, self._part)
        if holder != self._holder or finished or offset != block.start:
            raise part_taken()

    def _block_merge(self, connection: Connection) -> BlockMerge:
        return BlockMerge(
            connection,
            self._tenant_id,
            self._job.import_id,
            self._job.spec,
            known_first=self._known_first,
            undisturbed=self._undisturbed,
            keep_duplicates=self._duplicates_left,
        )


async def not_open(connection: Connection, tenant_id: str, import_id: str) -> BossjyError:
    """The error for a stream when its import takes no more rows."""
    state = await store.find_state(connection, tenant_id, import_id)
    if state is None:
        return NotFound("import")
    return part_taken() if state is State.OPEN else import_not_open(state)


def import_not_open(state: State, failure: str = "") -> FailedPrecondition:
    """The import has ended; `failure` says why it failed."""
    why = f" ({failure})" if failure else ""
    return FailedPrecondition(
        Reason.IMPORT_NOT_OPEN,
        f"the import takes no more rows, it is {state.value}{why}: make a new import for new data",
        metadata={"state": state.value},
    )


def part_taken() -> Aborted:
    """A newer stream has the part."""
    return Aborted(Reason.PART_TAKEN, "another stream uploads this part now: let one of them continue")
