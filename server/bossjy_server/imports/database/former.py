"""Former versions of rows that ON CONFLICT DO UPDATE changes, in SQL of PostgreSQL 15 to 18.

The action changes the latest version of a row, after a wait for its lock. All other parts of the statement read the
snapshot from its beginning. So an action is limited to rows whose latest version is that of the snapshot. Then the
version in the snapshot is the former one. Other rows stay as they are, but they are locked from then on, so that a
repetition of the statement reads their latest version. The statements are safe to repeat: they change no row twice.
"""

from __future__ import annotations

import asyncpg

from bossjy_server.errors import Reason
from bossjy_server.storage.driver_errors import LostToAnother
from bossjy_server.storage.postgres import Connection

_ATTEMPTS = 10
RESET_UNSEEN = "SET LOCAL bossjy.unseen = ''"

# The column of a statement that says if its action left out a row. Evaluated after the action, because the rest of the
# statement reads the action's result.
UNSEEN = "coalesce(current_setting('bossjy.unseen', true) = 'yes', false) AS unseen"


def report_unseen() -> str:
    """An expression that is false, and makes UNSEEN true."""
    return "set_config('bossjy.unseen', 'yes', true) = ''"


def older_than(target: str, transaction: str) -> str:
    """A condition: an older transaction than that one (xid8) made the latest version of the row `target`."""
    return f"age({target}.xmin) > (SELECT age(({transaction})::xid))"


def _seen(table: str, target: str, key: str) -> str:
    """A condition of DO UPDATE: the latest version of the row `target` of that table is that of the snapshot.

    Versions older than all transactions that ran at the snapshot are in it, and need no look-up. `key`: the condition
    for the row in the primary key without `e164`, of the table `was`.
    """
    return f"""CASE WHEN {older_than(target, "pg_snapshot_xmin(pg_current_snapshot())")} THEN true
        WHEN (SELECT was.ctid = {target}.ctid FROM {table} was
            WHERE {key} AND was.e164 BETWEEN {target}.e164 AND {target}.e164 ORDER BY was.e164 LIMIT 1) THEN true
        ELSE {report_unseen()} END"""


SEEN_CONTACT = _seen("bossjy.contacts", "c", "was.tenant_id = $1")
SEEN_CHANGE = _seen("bossjy.import_changes", "m", "was.tenant_id = $1 AND was.import_id = $2")


def too_many_attempts(attempts: int) -> LostToAnother:
    """Others changed more rows before each attempt."""
    text = f"other writers changed the same contacts during {attempts} attempts: call again after a moment"
    return LostToAnother(Reason.DATABASE_UNAVAILABLE, text, retry_after_s=1.0)


async def settled(connection: Connection, statement: str, *arguments: object, keep: int) -> list[asyncpg.Record]:
    """The results of a statement with the column UNSEEN, repeated until it leaves out no row. Each result is one row.

    `keep`: a last argument, the most lost rows to keep; repetitions get the rest of it. Raises LostToAnother.
    """
    results: list[asyncpg.Record] = []
    while len(results) < _ATTEMPTS:
        rest = max(0, keep - sum(row["lost"] for row in results))
        found = await connection.fetchrow(statement, *arguments, rest)
        if found is None:
            raise LookupError("the statement gives one row")
        results.append(found)
        if not found["unseen"]:
            return results
        await connection.execute(RESET_UNSEEN)
    raise too_many_attempts(_ATTEMPTS)
