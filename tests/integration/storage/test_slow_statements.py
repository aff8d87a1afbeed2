"""Slow statements in the log: named by operation and tables, with the call that waited, without values."""

from __future__ import annotations

import io
import json

import pytest

from bossjy_server.context import CallContext, enter_call
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.statements import summary
from bossjy_server.telemetry.logging import Log, library_logs_in


@pytest.mark.parametrize(
    ("query", "short"),
    [
        ("SELECT a FROM bossjy.users u JOIN bossjy.tenants t ON true", "SELECT bossjy.users bossjy.tenants"),
        ("-- why\nUPDATE bossjy.imports SET a = 'b'", "UPDATE bossjy.imports"),
        ("\nWITH x AS (DELETE FROM bossjy.contacts) SELECT 1", "WITH bossjy.contacts"),
        ("COMMIT", "COMMIT"),
        ("", "STATEMENT"),
    ],
)
def test_a_statement_has_a_short_name(query: str, short: str) -> None:
    assert summary(query) == short


async def test_a_slow_statement_is_named_with_its_call(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bossjy_server.storage.statements.SLOW_S", 0.05)
    console = io.StringIO()
    log = Log(console=console, flush_s=0.01)
    database = await Database.open(database_url, min_size=1, max_size=1)
    enter_call(CallContext("ab12-7", "/a.B/C", trace_id="cd34"))
    with library_logs_in(log):
        async with database.system() as connection:
            await connection.fetchval("SELECT count(*), $1::text, pg_sleep(0.1)::text FROM bossjy.tenants", "secret")
            await connection.execute("SELECT pg_sleep(0.1)")
            await connection.fetchval("SELECT 1")
    await database.close()
    log.close()
    first, second = [json.loads(line) for line in console.getvalue().splitlines() if "slow statement" in line]
    assert (first["statement"], second["statement"]) == ("SELECT bossjy.tenants", "SELECT")
    assert (first["request_id"], first["method"], first["trace_id"]) == ("ab12-7", "/a.B/C", "cd34")
    assert second["ms"] >= 50
    assert "secret" not in console.getvalue()
