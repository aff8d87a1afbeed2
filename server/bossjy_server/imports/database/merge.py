"""Merge of staged rows into the contacts of a tenant, and its result. Runs inside the transaction of a block.

A contact is marked as seen by an import when one of its rows was the first with the number: by `created_import_id` if
the import created the contact, by a row of `import_changes` if the contact existed before. So a later row with the same
number, in any block, is recognised as a duplicate, and overwritten values can be restored.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bossjy_server.imports.cleaning.stage import StagedRows
from bossjy_server.imports.database import duplicate_store
from bossjy_server.imports.database.overwrite import overwrite
from bossjy_server.imports.database.statements import (
    DROP_STAGED,
    FIND_NAMED,
    INSERT_AGAIN,
    INSERT_NEW,
    INSERT_UNKNOWN,
    NAME_STAGED,
    SPARE_SCANS,
    STAGED_TABLE,
    mark_seen,
)
from bossjy_server.imports.database.supersede import supersede
from bossjy_server.imports.records import DuplicatePolicy, ExistingPolicy, Spec
from bossjy_server.storage.postgres import Connection

Positions: TypeAlias = NDArray[np.int64]

# Attempts of a block whose contacts are deleted during its merge.
_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Merged:
    """Counts of the staged rows by the result of their merge."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicate: int = 0

    def with_duplicates(self, count: int) -> Merged:
        """The same with so many more duplicates."""
        return replace(self, duplicate=self.duplicate + count)

    @property
    def mostly_known(self) -> bool:
        """True if most rows were contacts from before the import."""
        return self.updated + self.unchanged > self.inserted


class BlockMerge:
    """The merge of one block of an import."""

    def __init__(
        self,
        connection: Connection,
        tenant_id: str,
        import_id: str,
        spec: Spec,
        *,
        known_first: bool = False,
        undisturbed: bool = False,
        keep_duplicates: int = 0,
    ) -> None:
        """The connection is in a transaction of the tenant.

        keep_duplicates: the number of duplicate rows to keep for listing.

        known_first: most rows are likely to be contacts already, so these are searched before new ones are made. The
        result is the same either way.

        undisturbed: no other transaction is likely to make the same contacts at the same time. If one does, the merge
        fails with a unique violation of contacts_pkey; repeat the transaction without this.
        """
        self._connection = connection
        self._names = (tenant_id, import_id)
        self._spec = spec
        self._known_first = known_first
        self._insert_new = INSERT_UNKNOWN if undisturbed else INSERT_NEW
        self._keep = keep_duplicates
        # The number of rows that lost, and the number of these to keep for listing.
        self.lost = 0
        self.kept = 0
        # Rows that lost against rows of earlier blocks or of other parts; and as far as they are known, (n, 3): the
        # positions of such rows, and positions and lines of their winners.
        self._residue: Positions = np.zeros(0, np.int64)
        self._won: list[Positions] = []

    async def run(self, staged: StagedRows) -> Merged:
        """Merge the staged rows."""
        if len(staged.positions) == 0:
            return Merged(duplicate=staged.duplicate)
        await self.copy(staged)
        merged = (await self.merge(staged.positions)).with_duplicates(staged.duplicate)
        await self._keep_lost(staged)
        return merged

    async def try_run(self, staged: StagedRows) -> Merged:
        """The result that `run` would have. Only the numbers are kept, so that later blocks recognise duplicates."""
        if len(staged.positions) == 0:
            return Merged(duplicate=staged.duplicate)
        await self.copy(staged)
        named = await self._ask(FIND_NAMED, *self._names)
        await self._connection.execute(DROP_STAGED, named.tolist())
        await self._connection.execute("SAVEPOINT trial")
        try:
            merged = await self.merge(_without(staged.positions, named))
        finally:
            await self._connection.execute("ROLLBACK TO SAVEPOINT trial")
        await self._connection.execute(NAME_STAGED, *self._names)
        self._residue = named
        await self._keep_lost(staged)
        return merged.with_duplicates(staged.duplicate + len(named))

    async def merge(self, rows: Positions) -> Merged:
        """Merge the copied rows; `rows` are the positions of all of them."""
        # Otherwise the rows of new contacts are those that `mark_seen` reports as missing.
        fresh = _unpacked(None) if self._known_first else await self._ask(self._insert_new, *self._names)
        inserted = len(fresh)
        residue = _without(rows, fresh)
        changing: list[Positions] = []
        seen_count, since = 0, None
        for _ in range(_ATTEMPTS):
            if len(residue) == 0:
                break
            seen, differ, missing, won, marked_since = await self._mark(residue)
            self._won.append(won)
            since = since or marked_since  # of the first, which has read the least
            changing.append(np.intersect1d(seen, differ, assume_unique=True))
            seen_count, residue = seen_count + len(seen), _without(residue, seen)
            if len(missing) == 0:
                break
            fresh = await self._ask(INSERT_AGAIN, *self._names, missing.tolist())
            inserted, residue = inserted + len(fresh), _without(residue, fresh)
        changing_rows = np.concatenate(changing).tolist() if changing else []
        first = await self._change(changing_rows, since)
        self._residue = residue
        later = await self._displace(residue)
        return Merged(
            inserted + first.inserted + later.inserted,
            first.updated + later.updated,
            seen_count - len(changing_rows) + first.unchanged + later.unchanged,
            len(residue),
        )

    async def _keep_lost(self, staged: StagedRows) -> None:
        """Keep rows of this block that lost, the first ones in the order of the file."""
        lost, lost_to = np.concatenate((staged.lost, self._residue)), np.concatenate((staged.lost_to, self._residue))
        self.lost += len(lost)
        order = np.argsort(lost)[: self._keep - self.kept]
        lost, lost_to = lost[order], lost_to[order]
        if len(lost) == 0 or staged.rows is None:
            return
        self.kept += len(lost)
        winners, lines = np.full(len(lost), -1, np.int64), np.zeros(len(lost), np.int64)
        here = ~np.isin(lost_to, self._residue)
        winners[here], lines[here] = lost_to[here], staged.rows.lines(lost_to[here])
        won = np.concatenate(self._won) if self._won else np.zeros((0, 3), np.int64)
        won = won[np.argsort(won[:, 0])]
        at = np.searchsorted(won[:, 0], lost_to)
        told = np.isin(lost_to, won[:, 0])
        winners[told], lines[told] = won[at[told], 1], won[at[told], 2]
        copy_text, columns = staged.rows.lost(lost, winners, lines)
        await duplicate_store.insert(self._connection, *self._names, copy_text, columns)

    async def _mark(self, rows: Positions) -> tuple[Positions, Positions, Positions, Positions, str]:
        """The result of `mark_seen`."""
        found = await self._connection.fetchrow(mark_seen(self._spec.existing_policy), *self._names, rows.tolist())
        if found is None:
            raise LookupError("the statement gives one row")
        seen, differ, missing = (_unpacked(found[name]) for name in ("seen", "differ", "missing"))
        return seen, differ, missing, _unpacked(found["behind"]).reshape(-1, 3), found["since"]

    async def copy(self, staged: StagedRows) -> None:
        """Copy the staged rows to the table that the statements read."""
        if not await self._connection.fetchval(SPARE_SCANS, column=1):
            await self._connection.execute(STAGED_TABLE)
        await self._connection.copy_to_table(
            "bossjy_staged",
            source=io.BytesIO(staged.copy_text),
            columns=staged.columns,
            format="csv",
            null="\\N",
            schema_name="pg_temp",
        )

    async def _ask(self, statement: str, *arguments: object) -> Positions:
        """Run a statement that returns positions as PostgreSQL packs them; NULL if there are none."""
        return _unpacked(await self._connection.fetchval(statement, *arguments))

    async def _change(self, rows: list[int], since: str | None) -> Merged:
        """Merge rows into contacts from before the import. `since`: of `mark_seen`; None for winners of `supersede`."""
        policy = self._spec.existing_policy
        if not rows or policy is ExistingPolicy.SKIP:
            return Merged(unchanged=len(rows))
        inserted, updated = await overwrite(self._connection, *self._names, policy, rows, since)
        return Merged(inserted=inserted, updated=updated, unchanged=len(rows) - inserted - updated)

    async def _displace(self, rows: Positions) -> Merged:
        """Let rows that win take the place of other rows of this import. Returns the change of the counts.

        Such a row counts as a duplicate, just as the loser would in second place. Only the kind of the loser changes.
        """
        in_order = self._spec.duplicate_policy is DuplicatePolicy.FIRST_WINS and self._spec.part_count == 1
        if in_order or len(rows) == 0:
            return Merged()
        self._won.clear()
        policy, keep = self._spec.duplicate_policy, self._keep - self.kept
        superseded = await supersede(self._connection, *self._names, rows.tolist(), policy, keep)
        self._residue = _without(rows, np.array(superseded.winners, np.int64))
        self.lost += superseded.lost
        self.kept += min(keep, superseded.lost)
        again = await self._change(superseded.positions, since=None)
        return Merged(
            inserted=again.inserted,
            updated=again.updated - superseded.had_changed,
            unchanged=again.unchanged - (len(superseded.positions) - superseded.had_changed),
        )


def _unpacked(packed: bytes | None) -> Positions:
    return np.frombuffer(packed or b"", ">i8").astype(np.int64)


def _without(rows: Positions, others: Positions) -> Positions:
    return np.setdiff1d(rows, others, assume_unique=True)
