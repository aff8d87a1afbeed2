"""An import taken back, in one transaction.

What it brought goes, what it changed is given back, what was changed since is left alone and listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bossjy_server.context import current_caller
from bossjy_server.errors import FailedPrecondition, NotFound, Reason
from bossjy_server.imports import store
from bossjy_server.imports.records import ImportJob, State
from bossjy_server.imports.statements import FIELDS, FORMER_FIELDS, former_as_f
from bossjy_server.storage import audit
from bossjy_server.storage.authority import hold_caller
from bossjy_server.storage.postgres import Connection, Database

# Waits for blocks of the import that are being committed; after it there are none.
LOCK_IMPORT = """
SELECT state, validate_only FROM bossjy.imports WHERE tenant_id = $1 AND import_id = $2 FOR UPDATE"""

# As many rows as the import had: more time than a statement usually has.
ALLOW_TIME = "SELECT set_config('statement_timeout', $1, true)"

# Contacts that the import brought or changed, and somebody changed after it.
INSERT_CONFLICTS = """
INSERT INTO bossjy.revert_conflicts (tenant_id, import_id, e164, changed_import_id, update_time)
SELECT $1, $2, c.e164, c.changed_import_id, c.update_time FROM bossjy.contacts c
WHERE c.tenant_id = $1 AND c.created_import_id = $2 AND c.changed_import_id IS DISTINCT FROM $2
UNION ALL
SELECT $1, $2, c.e164, c.changed_import_id, c.update_time
FROM bossjy.import_changes m JOIN bossjy.contacts c ON c.tenant_id = $1 AND c.e164 = m.e164
WHERE m.tenant_id = $1 AND m.import_id = $2 AND m.former IS NOT NULL AND c.changed_import_id IS DISTINCT FROM $2
    AND c.created_import_id IS DISTINCT FROM $2"""

DELETE_CREATED = """
DELETE FROM bossjy.contacts WHERE tenant_id = $1 AND created_import_id = $2 AND changed_import_id = $2"""

RESTORE_CHANGED = f"""
UPDATE bossjy.contacts c
SET ({FIELDS}) = ROW ({FORMER_FIELDS}),
    changed_import_id = f.changed_import_id, changed_position = f.changed_position, update_time = now()
FROM bossjy.import_changes m, {former_as_f("m")}
WHERE m.tenant_id = $1 AND m.import_id = $2 AND m.former IS NOT NULL AND c.tenant_id = $1 AND c.e164 = m.e164
    AND c.changed_import_id = $2"""

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
    """The import, and how many contacts were removed, restored, and left alone."""

    job: ImportJob
    removed: int
    restored: int
    conflicts: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """A contact that was left alone; `changed_import_id` is empty if it was not an import that changed it."""

    e164: str
    changed_import_id: str
    update_time: datetime


class Reverting:
    """Takes imports of a tenant back."""

    def __init__(self, database: Database, timeout_s: float) -> None:
        self._database = database
        self._timeout_s = timeout_s

    async def revert(self, tenant_id: str, import_id: str, *, validate_only: bool) -> Reverted:
        """Take an ended import back. Raises NotFound, FailedPrecondition(IMPORT_NOT_REVERTIBLE)."""
        async with self._database.tenant(tenant_id, long=True) as connection:
            await _check_revertible(connection, tenant_id, import_id)
            await connection.fetchval(ALLOW_TIME, str(int(self._timeout_s * 1000)))
            await connection.execute("SAVEPOINT trial")
            conflicts = await _count(connection, INSERT_CONFLICTS, tenant_id, import_id)
            removed = await _count(connection, DELETE_CREATED, tenant_id, import_id)
            restored = await _count(connection, RESTORE_CHANGED, tenant_id, import_id)
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
        return Reverted(job, removed, restored, conflicts)

    async def list_conflicts(self, tenant_id: str, import_id: str, after: str, limit: int) -> list[Conflict]:
        """A page of contacts that were left alone, behind the number `after`. Raises NotFound."""
        async with self._database.tenant(tenant_id) as connection:
            if await store.find_revision(connection, tenant_id, import_id) is None:
                raise NotFound("import")
            rows = await connection.fetch(LIST_CONFLICTS, tenant_id, import_id, after, limit)
        return [Conflict(row["e164"], row["changed_import_id"] or "", row["update_time"]) for row in rows]


async def _check_revertible(connection: Connection, tenant_id: str, import_id: str) -> None:
    row = await connection.fetchrow(LOCK_IMPORT, tenant_id, import_id)
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


async def _count(connection: Connection, statement: str, tenant_id: str, import_id: str) -> int:
    tag = await connection.execute(statement, tenant_id, import_id)
    return int(tag.rpartition(" ")[2])
