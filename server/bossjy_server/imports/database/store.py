"""Storage of imports. Every function runs in a transaction of the tenant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from bossjy_server.imports.cleaning.reject_counts import reason_counts
from bossjy_server.imports.database import part_store
from bossjy_server.imports.filters import COLUMNS
from bossjy_server.imports.reading.resolve import Resolved
from bossjy_server.imports.records import Counts, ImportJob, Part, ReasonCount, Spec, State
from bossjy_server.storage.conditions import Query, condition
from bossjy_server.storage.filters import Filter
from bossjy_server.storage.postgres import Connection

_IMPORT = (
    "i.import_id, i.state, i.spec, i.resolved, i.revision, i.validate_only, i.plan_version, i.created_by, "
    "i.create_time, i.update_time, i.end_time, i.failure, i.rejects_truncated, i.reject_counts, "
    "i.duplicates_truncated"
)

# One row; none if the call was made before (then SELECT_BY_REQUEST reads it).
INSERT_IMPORT = """
INSERT INTO bossjy.imports (tenant_id, import_id, request_id, request_hash, created_by, state, spec, part_count,
    validate_only, plan_version)
VALUES ($1, $2, nullif($3, ''), $4, $5, 'open', $6, $7, $8, $9)
ON CONFLICT ON CONSTRAINT imports_request_unique DO NOTHING
RETURNING import_id"""

SELECT_BY_REQUEST = "SELECT import_id, request_hash FROM bossjy.imports WHERE tenant_id = $1 AND request_id = $2"

# Locks the tenant until the end of the transaction, so that two calls cannot both create the last allowed import.
LOCK_TENANT = "SELECT open_imports_most FROM bossjy.tenants WHERE tenant_id = $1 FOR NO KEY UPDATE"

COUNT_OPEN = "SELECT count(*) FROM bossjy.imports WHERE tenant_id = $1 AND state = 'open'"

DEFAULT_REGION = "SELECT default_region FROM bossjy.tenants WHERE tenant_id = $1"

SELECT_IMPORT = f"SELECT {_IMPORT} FROM bossjy.imports i WHERE i.tenant_id = $1 AND i.import_id = $2"

SELECT_REVISION = "SELECT revision FROM bossjy.imports WHERE tenant_id = $1 AND import_id = $2"

SELECT_REJECT_COUNTS = "SELECT reject_counts FROM bossjy.imports WHERE tenant_id = $1 AND import_id = $2"

SELECT_STATE = "SELECT state FROM bossjy.imports WHERE tenant_id = $1 AND import_id = $2"

# A page, the newest first, after the last import of the page before.
LIST_IMPORTS = f"""
SELECT {_IMPORT} FROM bossjy.imports i
WHERE i.tenant_id = $1 AND (i.create_time, i.import_id) < ($2, $3)"""

# No row if the import is not open: then the whole block is rolled back. $4: rejected rows of the block by reason.
TOUCH_IMPORT = """
UPDATE bossjy.imports
SET revision = revision + 1, update_time = now(), rejects_truncated = rejects_truncated OR $3,
    duplicates_truncated = duplicates_truncated OR $5,
    reject_counts = CASE WHEN $4::jsonb = '{}' THEN reject_counts ELSE (
        SELECT jsonb_object_agg(reason, rows) FROM (
            SELECT reason, sum(rows::bigint) AS rows FROM (
                SELECT * FROM jsonb_each_text(reject_counts)
                UNION ALL SELECT * FROM jsonb_each_text($4::jsonb)) AS both_counts (reason, rows)
            GROUP BY reason) summed) END
WHERE tenant_id = $1 AND import_id = $2 AND state = 'open'
RETURNING revision"""

# The findings from the header. Written once.
RESOLVE_IMPORT = """
UPDATE bossjy.imports SET resolved = $3, revision = revision + 1, update_time = now()
WHERE tenant_id = $1 AND import_id = $2 AND state = 'open' AND resolved = '{}'
RETURNING revision"""

# Succeeds with the last part.
FINISH_IMPORT = """
UPDATE bossjy.imports SET state = 'succeeded', end_time = now()
WHERE tenant_id = $1 AND import_id = $2 AND state = 'open'
    AND NOT EXISTS (SELECT FROM bossjy.import_parts WHERE tenant_id = $1 AND import_id = $2 AND NOT finished)"""

END_IMPORT = """
UPDATE bossjy.imports
SET state = $3, failure = $4, end_time = now(), update_time = now(), revision = revision + 1
WHERE tenant_id = $1 AND import_id = $2 AND state = 'open'
RETURNING revision"""

# A batch of the numbers that a dry run named; they are useless after its end.
FORGET_SEEN = """
DELETE FROM bossjy.import_changes
WHERE (tenant_id, import_id, e164) IN (
    SELECT tenant_id, import_id, e164 FROM bossjy.import_changes
    WHERE tenant_id = $1 AND import_id = $2 AND former IS NULL LIMIT 10000)
    AND EXISTS (
        SELECT FROM bossjy.imports WHERE tenant_id = $1 AND import_id = $2 AND state <> 'open' AND validate_only)"""

# A batch of the layers of imports that ended too long ago to be reverted.
FORGET_LAYERS = """
DELETE FROM bossjy.import_changes WHERE (tenant_id, import_id, e164) IN (
    SELECT m.tenant_id, m.import_id, m.e164 FROM bossjy.imports i
    JOIN bossjy.import_changes m ON m.tenant_id = i.tenant_id AND m.import_id = i.import_id
    WHERE i.tenant_id = $1 AND i.end_time < now() - make_interval(days => $2) LIMIT 10000)"""


async def insert_import(  # noqa: PLR0913 - the columns of the row
    connection: Connection,
    tenant_id: str,
    import_id: str,
    *,
    request_id: str,
    request_hash: bytes,
    created_by: str,
    spec: Spec,
    validate_only: bool,
    plan_version: str,
) -> bool:
    """Make an import with its parts; False if the request made one before."""
    made = await connection.fetchval(
        INSERT_IMPORT,
        tenant_id,
        import_id,
        request_id,
        request_hash,
        created_by,
        spec.to_json(),
        spec.part_count,
        validate_only,
        plan_version,
    )
    if made is None:
        return False
    await part_store.insert_all(connection, tenant_id, import_id, spec.part_count)
    return True


async def find_request(connection: Connection, tenant_id: str, request_id: str) -> tuple[str, bytes] | None:
    """Id and hash of the request that made an import."""
    row = await connection.fetchrow(SELECT_BY_REQUEST, tenant_id, request_id)
    return (row["import_id"], row["request_hash"]) if row else None


async def count_open(connection: Connection, tenant_id: str) -> tuple[int, int | None]:
    """The number of open imports, and the tenant's own limit if it has one.

    No other transaction of the tenant can open an import until this one ends.
    """
    own: int | None = await connection.fetchval(LOCK_TENANT, tenant_id)
    return int(await connection.fetchval(COUNT_OPEN, tenant_id)), own


async def default_region(connection: Connection, tenant_id: str) -> str:
    """The tenant's default region; empty for none."""
    return str(await connection.fetchval(DEFAULT_REGION, tenant_id) or "")


async def find_import(connection: Connection, tenant_id: str, import_id: str) -> ImportJob | None:
    """Read an import with its parts."""
    row = await connection.fetchrow(SELECT_IMPORT, tenant_id, import_id)
    if row is None:
        return None
    return _import(row, (await part_store.of_imports(connection, tenant_id, [import_id]))[import_id])


async def list_imports(
    connection: Connection, tenant_id: str, tree: Filter | None, before: tuple[datetime, str], limit: int
) -> list[ImportJob]:
    """A page of imports that pass the filter, the newest first, older than `before` (time, import id)."""
    query = Query(LIST_IMPORTS, [tenant_id, *before])
    if tree is not None:
        query.text += f" AND {condition(query, tree, COLUMNS)}"
    query.text += f" ORDER BY i.create_time DESC, i.import_id DESC LIMIT {query.parameter(limit, 'bigint')}"
    rows = await connection.fetch(query.text, *query.parameters)
    parts = await part_store.of_imports(connection, tenant_id, [row["import_id"] for row in rows])
    return [_import(row, parts[row["import_id"]]) for row in rows]


async def find_revision(connection: Connection, tenant_id: str, import_id: str) -> int | None:
    """Only the revision."""
    value = await connection.fetchval(SELECT_REVISION, tenant_id, import_id)
    return None if value is None else int(value)


async def find_state(connection: Connection, tenant_id: str, import_id: str) -> State | None:
    """Only the state."""
    value = await connection.fetchval(SELECT_STATE, tenant_id, import_id)
    return None if value is None else State(value)


async def touch_import(
    connection: Connection,
    tenant_id: str,
    import_id: str,
    *,
    truncated: bool,
    duplicates_truncated: bool = False,
    reject_counts: str = "{}",
) -> bool:
    """Record a change and add rejected rows by reason, as `counted` writes them; False if the import is not open."""
    revision = await connection.fetchval(
        TOUCH_IMPORT, tenant_id, import_id, truncated, reject_counts, duplicates_truncated
    )
    return revision is not None


async def find_reject_counts(connection: Connection, tenant_id: str, import_id: str) -> tuple[ReasonCount, ...]:
    """Rejected rows by reason, the most frequent reason first."""
    return reason_counts(await connection.fetchval(SELECT_REJECT_COUNTS, tenant_id, import_id) or "{}")


async def resolve_import(
    connection: Connection, tenant_id: str, import_id: str, resolved: Spec, found: Resolved
) -> Part | None:
    """Keep the findings, and part 0 as read up to its first row; None if the import is not open."""
    encoded = resolved.source.is_encoded
    if await connection.fetchval(RESOLVE_IMPORT, tenant_id, import_id, resolved.to_json()) is None:
        return None
    return await part_store.advance(
        connection,
        tenant_id,
        import_id,
        0,
        # Such bytes are read from the first one again, so none of them counts as committed yet.
        offset=0 if encoded else found.text_offset,
        lines=found.line - 1,
        decoder=f'{{"text":{found.text_offset}}}' if encoded else "{}",
        counts=Counts(),
        finished=False,
    )


async def finish_import(connection: Connection, tenant_id: str, import_id: str) -> None:
    """End the import if all of its parts are finished."""
    await connection.execute(FINISH_IMPORT, tenant_id, import_id)


async def end_import(connection: Connection, tenant_id: str, import_id: str, state: State, failure: str = "") -> bool:
    """End an open import; False if it was not open."""
    return await connection.fetchval(END_IMPORT, tenant_id, import_id, state.value, failure) is not None


async def forget_seen(connection: Connection, tenant_id: str, import_id: str) -> bool:
    """Delete some of the numbers that an ended dry run named. True if there were any."""
    tag = await connection.execute(FORGET_SEEN, tenant_id, import_id)
    return not tag.endswith(" 0")


async def forget_layers(connection: Connection, tenant_id: str, days: int) -> bool:
    """Delete some layers of imports that ended more than so many days ago. True if there were any."""
    tag = await connection.execute(FORGET_LAYERS, tenant_id, days)
    return not tag.endswith(" 0")


def _import(row: asyncpg.Record, parts: Sequence[Part]) -> ImportJob:
    spec = Spec.from_json(row["spec"])
    if spec is None:
        raise LookupError("an import without a spec")
    return ImportJob(
        import_id=row["import_id"],
        state=State(row["state"]),
        spec=spec,
        resolved=Spec.from_json(row["resolved"]),
        parts=tuple(parts),
        revision=row["revision"],
        validate_only=row["validate_only"],
        metadata_version=row["plan_version"],
        created_by=row["created_by"],
        create_time=row["create_time"],
        update_time=row["update_time"],
        end_time=row["end_time"],
        failure=row["failure"],
        rejects_truncated=row["rejects_truncated"],
        duplicates_truncated=row["duplicates_truncated"],
        reject_counts=reason_counts(row["reject_counts"]),
    )
