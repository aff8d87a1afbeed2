"""Query plans of merges: PostgreSQL uses the index of the numbers, whatever statistics it has.

A plan that is made while a table is empty is kept, and was once used for a million rows.
"""

from __future__ import annotations

import re
from itertools import product

import asyncpg
import pytest

from bossjy_server.imports.database import duplicate_store, overwrite, revert, statements, supersede
from bossjy_server.imports.records import DuplicatePolicy, ExistingPolicy
from bossjy_server.storage.postgres import Database

LAST, FILL = DuplicatePolicy.LAST_WINS, ExistingPolicy.FILL_EMPTY
STATEMENTS = {
    "insert_new": statements.INSERT_NEW,
    "insert_unknown": statements.INSERT_UNKNOWN,
    "insert_again": statements.INSERT_AGAIN,
    "find_named": statements.FIND_NAMED,
    "name_staged": statements.NAME_STAGED,
    **{f"mark_seen_{policy.value}": statements.mark_seen(policy) for policy in ExistingPolicy},
    "update_existing": overwrite.update_existing(FILL),
    "refresh_marks": overwrite.refresh_marks(FILL),
    "lock_seen": supersede.LOCK_SEEN,
    "supersede_created": supersede.supersede_created(LAST),
    "supersede_seen": supersede.supersede_seen(LAST),
    "insert_lost": duplicate_store.INSERT_LOST,
}
FILLED = """
INSERT INTO bossjy.contacts (tenant_id, e164, region, number_type)
SELECT 'other', '+86' || 13000000000 + i, 'CN', 1 FROM generate_series(1, 2000) i;
INSERT INTO bossjy.import_changes (tenant_id, import_id, e164, position)
SELECT 'other', 'other', '+86' || 13000000000 + i, i FROM generate_series(1, 2000) i;"""


async def plan_of(database: Database, statement: str, mode: str) -> str:
    arguments = ["text", "text", "bigint[]", "bigint"][: max(map(int, re.findall(r"\$(\d)", statement)))]
    values = ["'acme-1'", "'imp_1'", "'{1}'", "'5'"][: len(arguments)]
    async with database.tenant("acme-1") as connection:
        if not await connection.fetchval(statements.SPARE_SCANS, column=1):
            await connection.execute(statements.STAGED_TABLE)
        await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
        await connection.execute(f"PREPARE tried ({', '.join(arguments)}) AS {statement}")
        rows = await connection.fetch(f"EXPLAIN EXECUTE tried ({', '.join(values)})")
        await connection.execute("DEALLOCATE tried")
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("tables", ["empty", "of another tenant"])
async def test_each_number_is_looked_up_in_its_index(database: Database, database_url: str, tables: str) -> None:
    owner = await asyncpg.connect(database_url)
    if tables != "empty":
        await owner.execute(FILLED)
    await owner.execute("VACUUM ANALYZE bossjy.contacts")
    await owner.execute("VACUUM ANALYZE bossjy.import_changes")
    await owner.close()
    for (name, statement), mode in product(STATEMENTS.items(), ("force_custom_plan", "force_generic_plan")):
        plan = await plan_of(database, statement, mode)
        read = re.findall(r"(\w[\w ]*Scan)(?: using (\w+))? on (contacts|import_changes)\b", plan)
        kinds = {"Index Scan", "Index Only Scan"}
        assert all(how in kinds and index == f"{table}_pkey" for how, index, table in read), f"{name}\n{plan}"
        assert not re.search(r"Filter:.*e164", plan), f"{name}\n{plan}"
        assert read or "Conflict Arbiter Indexes" in plan, f"{name}\n{plan}"


@pytest.mark.parametrize("statement", ["FIND_LAYERED", "RESTORE_CHANGED"])
async def test_a_revert_reads_no_table_again_for_each_row(database: Database, statement: str) -> None:
    # No statistics exist: the planner expects few rows, as after an import that ANALYZE has not seen.
    async with database.tenant("acme-1") as connection:
        await connection.execute(revert.JOIN_BY_HASH)
        await connection.execute(f"PREPARE tried (text, text) AS {getattr(revert, statement)}")
        rows = await connection.fetch("EXPLAIN EXECUTE tried ('acme-1', 'imp_1')")
        await connection.execute("DEALLOCATE tried")
        await connection.execute(revert.JOIN_AS_PLANNED)
    plan = "\n".join(row[0] for row in rows)
    # The only nested loop converts the JSON of a row.
    assert plan.count("Nested Loop") == plan.count("Function Scan"), plan
    assert re.search(r"(Hash|Merge) Join", plan), plan
