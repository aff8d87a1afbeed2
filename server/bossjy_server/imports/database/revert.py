"""Reversal of an import, in one transaction: contacts become as if the import had never been made.

Most contacts have no layer after that of the import: one statement removes or restores them. The others are merged
again from their layers, `layers.py`, in batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson

from bossjy_server.context import current_caller
from bossjy_server.errors import FailedPrecondition, NotFound, Reason
from bossjy_server.imports.database import store
from bossjy_server.imports.database.layers import Layer, Layered, Version, without
from bossjy_server.imports.database.statements import (
    FIELDS,
    FORMER_FIELDS,
    NO_LATER_FIELDS,
    OWN_LAYERS,
    fields_json,
    former_as_f,
)
from bossjy_server.imports.records import ExistingPolicy, ImportJob, Spec, State
from bossjy_server.storage import audit
from bossjy_server.storage.authority import hold_caller
from bossjy_server.storage.postgres import Connection, Database

# Contacts that are merged again at once.
_BATCH = 1_000

# Waits for blocks of the import that are being committed; afterwards there are none.
LOCK_IMPORT = """
SELECT state, validate_only, coalesce(end_time < now() - make_interval(days => $3), false) AS too_old
FROM bossjy.imports WHERE tenant_id = $1 AND import_id = $2 FOR UPDATE"""

# The statement touches as many rows as the import had, so it gets more time than usual.
ALLOW_TIME = "SELECT set_config('statement_timeout', $1, true)"

# No index has the layers of a number in all imports. Until ANALYZE has seen the rows of a large import, the planner
# takes them for a few, and would read all layers, or all contacts, of the tenant again for each of them.
JOIN_BY_HASH = "SET LOCAL enable_nestloop = off"
JOIN_AS_PLANNED = "SET LOCAL enable_nestloop = on"

# Contacts that another import named after this one, by number: a batch after $3. If the import created a contact, its
# own layer comes before all others.
FIND_LAYERED = """
WITH own AS (
    SELECT e164, 0 AS sequence FROM bossjy.contacts WHERE tenant_id = $1 AND created_import_id = $2
    UNION ALL
    SELECT e164, sequence FROM bossjy.import_changes WHERE tenant_id = $1 AND import_id = $2)
SELECT DISTINCT own.e164 FROM own
JOIN bossjy.import_changes other ON other.tenant_id = $1 AND other.e164 = own.e164 AND other.import_id <> $2
    AND other.sequence > own.sequence
JOIN bossjy.imports i ON i.tenant_id = $1 AND i.import_id = other.import_id AND NOT i.validate_only
ORDER BY own.e164"""

_VERSION = f"""{fields_json("c")} || jsonb_build_object('changed_import_id', c.changed_import_id,
    'changed_position', c.changed_position, 'update_time', c.update_time)"""

LOCK_CONTACTS = f"""
SELECT c.e164, c.created_import_id, c.created_position, c.created_line, {_VERSION} AS version FROM bossjy.contacts c
WHERE c.tenant_id = $1 AND c.e164 = ANY ($2::text[]) ORDER BY c.e164 FOR UPDATE"""

SELECT_LAYERS = """
SELECT m.e164, m.import_id, m.position, m.line, m.fields, m.former FROM bossjy.import_changes m
JOIN bossjy.imports i ON i.tenant_id = $1 AND i.import_id = m.import_id AND NOT i.validate_only
WHERE m.tenant_id = $1 AND m.e164 = ANY ($2::text[]) ORDER BY m.e164, m.sequence"""

SELECT_SPECS = "SELECT import_id, spec FROM bossjy.imports WHERE tenant_id = $1 AND import_id = ANY ($2::text[])"

DELETE_CONTACTS = "DELETE FROM bossjy.contacts WHERE tenant_id = $1 AND e164 = ANY ($2::text[])"

WRITE_CONTACTS = f"""
UPDATE bossjy.contacts c
SET ({FIELDS}) = ROW ({FORMER_FIELDS}), created_import_id = w.created_import_id, created_position = w.created_position,
    changed_import_id = f.changed_import_id, changed_position = f.changed_position, update_time = f.update_time,
    created_line = w.created_line
FROM unnest($2::text[], $3::jsonb[], $4::text[], $5::bigint[], $6::integer[])
        AS w (e164, former, created_import_id, created_position, created_line),
    {former_as_f("w")}
WHERE c.tenant_id = $1 AND c.e164 = w.e164"""

# The present layers: all others are gone.
WRITE_LAYERS = """
UPDATE bossjy.import_changes m SET fields = w.fields, former = w.former
FROM unnest($2::text[], $3::text[], $4::jsonb[], $5::jsonb[]) AS w (e164, import_id, fields, former)
WHERE m.tenant_id = $1 AND m.import_id = w.import_id AND m.e164 = w.e164"""

DELETE_LAYERS = """
DELETE FROM bossjy.import_changes m USING unnest($2::text[], $3::text[]) AS w (e164, import_id)
WHERE m.tenant_id = $1 AND m.import_id = w.import_id AND m.e164 = w.e164"""

DELETE_CREATED = "DELETE FROM bossjy.contacts WHERE tenant_id = $1 AND created_import_id = $2"

RESTORE_CHANGED = f"""
UPDATE bossjy.contacts c
SET ({FIELDS}) = ROW ({FORMER_FIELDS}),
    changed_import_id = f.changed_import_id, changed_position = f.changed_position, update_time = now()
FROM bossjy.import_changes m, {former_as_f("m")}
WHERE m.tenant_id = $1 AND m.import_id = $2 AND m.former IS NOT NULL AND c.tenant_id = $1 AND c.e164 = m.e164"""

DELETE_CHANGES = "DELETE FROM bossjy.import_changes WHERE tenant_id = $1 AND import_id = $2"

SET_REVERTED = """
UPDATE bossjy.imports
SET state = 'reverted', revision = revision + 1, update_time = now(), end_time = coalesce(end_time, now())
WHERE tenant_id = $1 AND import_id = $2"""

# A page by number.
LIST_CONFLICTS = """
SELECT e164, changed_import_id, update_time FROM bossjy.revert_conflicts
WHERE tenant_id = $1 AND import_id = $2 AND e164 > $3 ORDER BY e164 LIMIT $4"""


@dataclass(frozen=True, slots=True)
class Reverted:
    """The import, and the numbers of removed and restored contacts."""

    job: ImportJob
    removed: int
    restored: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """A contact that was not reverted; `changed_import_id` is empty if no import changed it."""

    e164: str
    changed_import_id: str
    update_time: datetime


class Reverting:
    """Reverts imports of a tenant."""

    def __init__(self, database: Database, timeout_s: float, days: int) -> None:
        """`days`: imports that ended longer ago are not reverted; 0: all are."""
        self._database = database
        self._timeout_s = timeout_s
        self._days = days

    async def revert(self, tenant_id: str, import_id: str, *, validate_only: bool) -> Reverted:
        """Revert an ended import. Raises NotFound, FailedPrecondition(IMPORT_NOT_REVERTIBLE)."""
        async with self._database.tenant(tenant_id, long=True) as connection:
            await connection.fetchval(ALLOW_TIME, str(int(self._timeout_s * 1000)))
            await connection.execute(OWN_LAYERS, tenant_id)
            await _check_revertible(connection, tenant_id, import_id, self._days)
            await connection.execute("SAVEPOINT trial")
            removed, restored = await _merge_again(connection, tenant_id, import_id)
            removed += await _count(connection, DELETE_CREATED, tenant_id, import_id)
            await connection.execute(JOIN_BY_HASH)
            restored += await _count(connection, RESTORE_CHANGED, tenant_id, import_id)
            await connection.execute(JOIN_AS_PLANNED)
            if validate_only:
                await connection.execute("ROLLBACK TO SAVEPOINT trial")
            else:
                await connection.execute(DELETE_CHANGES, tenant_id, import_id)
                await connection.execute(SET_REVERTED, tenant_id, import_id)
                await audit.record(connection, tenant_id, "imports.revert", resource=import_id)
                await hold_caller(connection, current_caller())
            job = await store.find_import(connection, tenant_id, import_id)
        if job is None:
            raise NotFound("import")
        return Reverted(job, removed, restored)

    async def list_conflicts(self, tenant_id: str, import_id: str, after: str, limit: int) -> list[Conflict]:
        """A page of contacts that were not reverted, after the number `after`. Raises NotFound."""
        async with self._database.tenant(tenant_id) as connection:
            if await store.find_revision(connection, tenant_id, import_id) is None:
                raise NotFound("import")
            rows = await connection.fetch(LIST_CONFLICTS, tenant_id, import_id, after, limit)
        return [Conflict(row["e164"], row["changed_import_id"] or "", row["update_time"]) for row in rows]


async def _merge_again(connection: Connection, tenant_id: str, import_id: str) -> tuple[int, int]:
    """Merge contacts with later layers again, without those of the import. Returns the removed and changed counts."""
    await connection.execute(JOIN_BY_HASH)
    numbers = [row["e164"] for row in await connection.fetch(FIND_LAYERED, tenant_id, import_id)]
    await connection.execute(JOIN_AS_PLANNED)
    removed = restored = 0
    policies: dict[str, ExistingPolicy] = {}
    for start in range(0, len(numbers), _BATCH):
        contacts = await _layered(connection, tenant_id, numbers[start : start + _BATCH], policies)
        now = datetime.now(UTC).isoformat()
        again = [(one, without(one, import_id, now)) for one in contacts]
        await _write(connection, tenant_id, again)
        removed += sum(after is None for _, after in again)
        restored += sum(after is not None and after.current.fields != one.current.fields for one, after in again)
    return removed, restored


async def _layered(
    connection: Connection, tenant_id: str, numbers: Sequence[str], policies: dict[str, ExistingPolicy]
) -> list[Layered]:
    """Contacts with their layers, locked until the end of the transaction."""
    contacts = await connection.fetch(LOCK_CONTACTS, tenant_id, numbers)
    rows = await connection.fetch(SELECT_LAYERS, tenant_id, numbers)
    unknown = list({row["import_id"] for row in rows} - policies.keys())
    if unknown:
        for row in await connection.fetch(SELECT_SPECS, tenant_id, unknown):
            spec = Spec.from_json(row["spec"])
            policies[row["import_id"]] = spec.existing_policy if spec else ExistingPolicy.OVERWRITE
    layers: dict[str, list[Layer]] = {}
    for row in rows:
        fields = {**NO_LATER_FIELDS, **orjson.loads(row["fields"])} if row["fields"] else None
        former = _version(row["former"]) if row["former"] else None
        layer = Layer(row["import_id"], row["position"], policies[row["import_id"]], fields, former, row["line"])
        layers.setdefault(row["e164"], []).append(layer)
    return [_contact(row, layers.get(row["e164"], [])) for row in contacts]


def _contact(row: asyncpg.Record, layers: Sequence[Layer]) -> Layered:
    return Layered(
        row["e164"],
        row["created_import_id"] or "",
        row["created_position"],
        _version(row["version"]),
        tuple(layers),
        row["created_line"],
    )


def _version(text: str) -> Version:
    fields: dict[str, Any] = {**NO_LATER_FIELDS, **orjson.loads(text)}
    import_id, position = fields.pop("changed_import_id", None), fields.pop("changed_position", None)
    return Version(fields, import_id or "", position, fields.pop("update_time", ""))


def _version_json(version: Version) -> str:
    change = {
        "changed_import_id": version.import_id or None,
        "changed_position": version.position,
        "update_time": version.update_time,
    }
    return orjson.dumps({**version.fields, **change}).decode()


async def _write(connection: Connection, tenant_id: str, again: Sequence[tuple[Layered, Layered | None]]) -> None:
    """Write the newly merged contacts and layers."""
    gone = [before.e164 for before, after in again if after is None]
    kept = [after for _, after in again if after is not None]
    await connection.execute(DELETE_CONTACTS, tenant_id, gone)
    await connection.execute(
        WRITE_CONTACTS,
        tenant_id,
        [one.e164 for one in kept],
        [_version_json(one.current) for one in kept],
        [one.created_by or None for one in kept],
        [one.created_position for one in kept],
        [one.created_line for one in kept],
    )
    layers = [(one.e164, layer) for one in kept for layer in one.layers]
    await connection.execute(
        WRITE_LAYERS,
        tenant_id,
        [e164 for e164, _ in layers],
        [layer.import_id for _, layer in layers],
        [None if layer.row is None else orjson.dumps(layer.row).decode() for _, layer in layers],
        [None if layer.former is None else _version_json(layer.former) for _, layer in layers],
    )
    held = {(e164, layer.import_id) for e164, layer in layers}
    dropped = [
        (before.e164, layer.import_id)
        for before, _ in again
        for layer in before.layers
        if (before.e164, layer.import_id) not in held
    ]
    await connection.execute(
        DELETE_LAYERS, tenant_id, [e164 for e164, _ in dropped], [import_id for _, import_id in dropped]
    )


async def _check_revertible(connection: Connection, tenant_id: str, import_id: str, days: int) -> None:
    row = await connection.fetchrow(LOCK_IMPORT, tenant_id, import_id, days)
    if row is None:
        raise NotFound("import")
    state = State(row["state"])
    if state in {State.OPEN, State.REVERTED} or row["validate_only"]:
        what = "it was a dry run" if row["validate_only"] else f"it is {state.value}"
        raise FailedPrecondition(
            Reason.IMPORT_NOT_REVERTIBLE,
            f"the import cannot be reverted, {what}: only one that ended or was cancelled can, and only once",
            metadata={"state": state.value},
        )
    if days and row["too_old"]:
        raise FailedPrecondition(
            Reason.IMPORT_NOT_REVERTIBLE,
            f"the import cannot be reverted, it ended more than {days} days ago: delete its contacts instead",
            metadata={"state": state.value},
        )


async def _count(connection: Connection, statement: str, tenant_id: str, import_id: str) -> int:
    tag = await connection.execute(statement, tenant_id, import_id)
    return int(tag.rpartition(" ")[2])
