"""Staged rows into the contacts of a tenant, and what became of each. Runs inside the transaction of a block.

A contact is marked as seen by an import when a row of it was the first to name the number: by `created_import_id` where
the import brought the contact, by a row of `import_changes` where it was there before. So a later row with the same
number, in whatever block, is known as a duplicate; and what was overwritten can be given back.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TypeAlias

import asyncpg
import numpy as np
from numpy.typing import NDArray

from bossjy_server.imports.displace import displace
from bossjy_server.imports.records import DuplicatePolicy, ExistingPolicy, Spec
from bossjy_server.imports.stage import StagedRows

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Positions: TypeAlias = NDArray[np.int64]

_STAGED = "pg_temp.bossjy_staged"
# What a row says of its contact.
_FIELDS = "region, number_type, name, email, other_numbers, attributes, carrier, place"
# COPY is refused on a table with row-level security, so rows come by a table of the connection's own, made once.
STAGED_TABLE = """
CREATE TEMPORARY TABLE bossjy_staged (
    e164           text COLLATE "C" NOT NULL,
    region         text COLLATE "C" NOT NULL,
    number_type    smallint NOT NULL,
    name           text NOT NULL,
    email          text NOT NULL,
    other_numbers  text[] NOT NULL,
    attributes     jsonb NOT NULL,
    carrier        text NOT NULL DEFAULT '',
    place          text NOT NULL DEFAULT '',
    position       bigint NOT NULL
) ON COMMIT DELETE ROWS"""

STAGED_TABLE_EXISTS = "SELECT to_regclass('pg_temp.bossjy_staged') IS NOT NULL"

# The planner knows nothing of the staged rows, and tables grow from nothing while a statement is prepared. So no
# statement below joins: each staged row is looked up in the index, by ON CONFLICT or by a subquery for each row. And
# rows are chosen by a subplan that is hashed whatever is estimated: `= ANY` of a parameter looks through all of the
# array for each row once the plan is kept, and IN alone may become a join.
CHOSEN = "(s.position IN (SELECT unnest($3::bigint[]))) IS TRUE"

# New contacts, in the order in which they were staged: that of the index. Gives the positions of those that were new,
# as int8 in network order; the others were contacts before.
INSERT_NEW = f"""
WITH fresh AS (
    INSERT INTO bossjy.contacts (tenant_id, e164, {_FIELDS},
        created_import_id, created_position, changed_import_id, changed_position)
    SELECT $1, e164, {_FIELDS}, $2, position, $2, position
    FROM {_STAGED} s
    ON CONFLICT ON CONSTRAINT contacts_pkey DO NOTHING
    RETURNING created_position
)
SELECT string_agg(int8send(created_position), '') FROM fresh"""

# The same for rows whose contact was deleted by somebody after it stood in the way.
INSERT_AGAIN = INSERT_NEW.replace("ON CONFLICT", f"WHERE {CHOSEN} ON CONFLICT")

# For a dry run, which keeps no contacts: what its earlier blocks named, and what this block names.
FIND_NAMED = f"""
SELECT string_agg(int8send(s.position), '') FROM {_STAGED} s
WHERE (SELECT m.position FROM bossjy.import_changes m
       WHERE m.tenant_id = $1 AND m.import_id = $2 AND m.e164 = s.e164) IS NOT NULL"""

DROP_STAGED = f"DELETE FROM {_STAGED} WHERE (position IN (SELECT unnest($1::bigint[]))) IS TRUE"

NAME_STAGED = f"""
INSERT INTO bossjy.import_changes (tenant_id, import_id, e164, position) SELECT $1, $2, e164, position FROM {_STAGED}
ON CONFLICT ON CONSTRAINT import_changes_pkey DO NOTHING"""

_FORMER = """jsonb_build_object('region', old.region, 'number_type', old.number_type, 'name', old.name,
        'email', old.email, 'other_numbers', old.other_numbers, 'attributes', old.attributes,
        'carrier', old.carrier, 'place', old.place,
        'changed_import_id', old.changed_import_id, 'changed_position', old.changed_position,
        'update_time', old.update_time)"""

_VALUES = {
    # Fields that the row has are taken over.
    ExistingPolicy.OVERWRITE: (
        "excluded.region",
        "excluded.number_type",
        "CASE WHEN excluded.name <> '' THEN excluded.name ELSE c.name END",
        "CASE WHEN excluded.email <> '' THEN excluded.email ELSE c.email END",
        "CASE WHEN excluded.other_numbers <> '{}' THEN excluded.other_numbers ELSE c.other_numbers END",
        "c.attributes || excluded.attributes",
        "CASE WHEN excluded.carrier <> '' THEN excluded.carrier ELSE c.carrier END",
        "CASE WHEN excluded.place <> '' THEN excluded.place ELSE c.place END",
    ),
    # Fields that the contact lacks are filled.
    ExistingPolicy.FILL_EMPTY: (
        "c.region",
        "c.number_type",
        "CASE WHEN c.name <> '' THEN c.name ELSE excluded.name END",
        "CASE WHEN c.email <> '' THEN c.email ELSE excluded.email END",
        "CASE WHEN c.other_numbers <> '{}' THEN c.other_numbers ELSE excluded.other_numbers END",
        "excluded.attributes || c.attributes",
        "CASE WHEN c.carrier <> '' THEN c.carrier ELSE excluded.carrier END",
        "CASE WHEN c.place <> '' THEN c.place ELSE excluded.place END",
    ),
}


_FIELDS_OF_CONTACT = ", ".join(f"c.{name}" for name in _FIELDS.split(", "))


def mark_seen(policy: ExistingPolicy) -> str:
    """The statement that says of staged rows, none of which became a new contact, what they are.

    It marks the first row of this import that names a contact from before it; where two parts race, the index lets one
    through. Gives positions: of rows that it marked, of those among them that would change the contact, and of those
    whose contact is gone. The others come behind another row of this import.
    """
    differs = "false"
    if policy in _VALUES:
        values = ", ".join(_VALUES[policy]).replace("excluded.", "s.")
        differs = f"({_FIELDS_OF_CONTACT}) IS DISTINCT FROM ROW ({values})"
    return f"""
WITH known AS MATERIALIZED (
    SELECT s.e164, s.position, found.own, found.differs
    FROM {_STAGED} s LEFT JOIN LATERAL (
        SELECT c.created_import_id IS NOT DISTINCT FROM $2 AS own, {differs} AS differs
        FROM bossjy.contacts c WHERE c.tenant_id = $1 AND c.e164 = s.e164 OFFSET 0) found ON true
    WHERE {CHOSEN}
), seen AS (
    INSERT INTO bossjy.import_changes (tenant_id, import_id, e164, position)
    SELECT $1, $2, e164, position FROM known WHERE NOT own
    ON CONFLICT ON CONSTRAINT import_changes_pkey DO NOTHING
    RETURNING position
)
SELECT (SELECT string_agg(int8send(position), '') FROM seen) AS seen,
    (SELECT string_agg(int8send(position), '') FROM known WHERE NOT own AND differs) AS differ,
    (SELECT string_agg(int8send(position), '') FROM known WHERE own IS NULL) AS missing"""


def update_existing(policy: ExistingPolicy) -> str:
    """The statement that changes contacts from before, where they differ, and keeps their former values.

    Gives how many were changed, and how many inserted, because somebody deleted them a moment before.
    """
    values = ", ".join(_VALUES[policy])
    return f"""
WITH changed AS (
    INSERT INTO bossjy.contacts AS c (tenant_id, e164, {_FIELDS},
        created_import_id, created_position, changed_import_id, changed_position)
    SELECT $1, e164, {_FIELDS}, $2, position, $2, position
    FROM {_STAGED} s WHERE {CHOSEN}
    ON CONFLICT ON CONSTRAINT contacts_pkey DO UPDATE
    SET ({_FIELDS}) = ROW ({values}),
        changed_import_id = $2, changed_position = excluded.changed_position, update_time = now()
    WHERE ({_FIELDS_OF_CONTACT}) IS DISTINCT FROM ROW ({values})
    RETURNING new.e164, new.changed_position AS position, CASE WHEN old.e164 IS NOT NULL THEN {_FORMER} END AS former
), kept AS (
    INSERT INTO bossjy.import_changes (tenant_id, import_id, e164, position, former)
    SELECT $1, $2, e164, position, former FROM changed WHERE former IS NOT NULL
    ON CONFLICT ON CONSTRAINT import_changes_pkey DO UPDATE SET former = excluded.former
)
SELECT count(former) AS updated, count(*) - count(former) AS inserted FROM changed"""


# As many times a block may find that contacts were deleted while it was merged.
_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of the staged rows."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicate: int = 0

    def with_duplicates(self, count: int) -> Merged:
        """The same and so many duplicates more."""
        return replace(self, duplicate=self.duplicate + count)

    @property
    def mostly_known(self) -> bool:
        """Whether most rows were contacts from before."""
        return self.updated + self.unchanged > self.inserted


class BlockMerge:
    """The merge of one block of an import."""

    def __init__(
        self, connection: Connection, tenant_id: str, import_id: str, spec: Spec, *, known_first: bool = False
    ) -> None:
        """The connection is in a transaction of the tenant.

        known_first: most rows are likely to be contacts already, so these are looked for before new ones are made. It
        comes to the same either way.
        """
        self._connection = connection
        self._names = (tenant_id, import_id)
        self._spec = spec
        self._known_first = known_first

    async def run(self, staged: StagedRows) -> Merged:
        """Merge the staged rows."""
        if len(staged.positions) == 0:
            return Merged(duplicate=staged.duplicate)
        await self.copy(staged)
        return (await self.merge(staged.positions)).with_duplicates(staged.duplicate)

    async def try_run(self, staged: StagedRows) -> Merged:
        """What `run` would do; only the numbers are kept, so that later blocks know them as duplicates."""
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
        return merged.with_duplicates(staged.duplicate + len(named))

    async def merge(self, rows: Positions) -> Merged:
        """Merge what was copied; `rows` are the positions of all of it."""
        # Without it, rows of new contacts are what `mark_seen` finds missing.
        fresh = _unpacked(None) if self._known_first else await self._ask(INSERT_NEW, *self._names)
        inserted = len(fresh)
        residue = _without(rows, fresh)
        changing: list[Positions] = []
        seen_count = 0
        for _ in range(_ATTEMPTS):
            if len(residue) == 0:
                break
            seen, differ, missing = await self._mark(residue)
            changing.append(np.intersect1d(seen, differ, assume_unique=True))
            seen_count, residue = seen_count + len(seen), _without(residue, seen)
            if len(missing) == 0:
                break
            fresh = await self._ask(INSERT_AGAIN, *self._names, missing.tolist())
            inserted, residue = inserted + len(fresh), _without(residue, fresh)
        changing_rows = np.concatenate(changing).tolist() if changing else []
        first = await self._change(changing_rows)
        later = await self._displace(residue)
        return Merged(
            inserted + first.inserted + later.inserted,
            first.updated + later.updated,
            seen_count - len(changing_rows) + first.unchanged + later.unchanged,
            len(residue),
        )

    async def _mark(self, rows: Positions) -> tuple[Positions, Positions, Positions]:
        """What `mark_seen` gives."""
        found = await self._connection.fetchrow(mark_seen(self._spec.existing_policy), *self._names, rows.tolist())
        if found is None:
            raise LookupError("the statement gives one row")
        return _unpacked(found["seen"]), _unpacked(found["differ"]), _unpacked(found["missing"])

    async def copy(self, staged: StagedRows) -> None:
        """Put the staged rows where statements find them."""
        if not await self._connection.fetchval(STAGED_TABLE_EXISTS):
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
        """Run a statement that gives positions as PostgreSQL packs them; NULL where there are none."""
        return _unpacked(await self._connection.fetchval(statement, *arguments))

    async def _change(self, rows: list[int]) -> Merged:
        """Merge rows into contacts from before the import."""
        policy = self._spec.existing_policy
        if not rows or policy is ExistingPolicy.SKIP:
            return Merged(unchanged=len(rows))
        found = await self._connection.fetchrow(update_existing(policy), *self._names, rows)
        inserted, updated = (found["inserted"], found["updated"]) if found else (0, 0)
        return Merged(inserted=inserted, updated=updated, unchanged=len(rows) - inserted - updated)

    async def _displace(self, rows: Positions) -> Merged:
        """Let rows take the place of others of this import where they win; the change that it makes to the counts.

        Such a row counts as duplicate, as the loser would, had it come second. So only the kind of the loser changes.
        """
        in_order = self._spec.duplicate_policy is DuplicatePolicy.FIRST_WINS and self._spec.part_count == 1
        if in_order or len(rows) == 0:
            return Merged()
        displaced = await displace(self._connection, *self._names, rows.tolist(), self._spec.duplicate_policy)
        again = await self._change(displaced.positions)
        return Merged(
            inserted=again.inserted,
            updated=again.updated - displaced.had_changed,
            unchanged=again.unchanged - (len(displaced.positions) - displaced.had_changed),
        )


def _unpacked(packed: bytes | None) -> Positions:
    return np.frombuffer(packed or b"", ">i8").astype(np.int64)


def _without(rows: Positions, others: Positions) -> Positions:
    return np.setdiff1d(rows, others, assume_unique=True)
