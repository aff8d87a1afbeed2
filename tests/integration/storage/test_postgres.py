"""The pool and the tenant's transaction, on a real server."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import asyncpg
import pytest

from bossjy_server.embedded.servers import start_embedded
from bossjy_server.errors import DeadlineExceeded, InvalidArgument, Reason, ResourceExhausted, StartError, Unavailable
from bossjy_server.storage.driver_errors import DiskFull, LostToAnother, UniqueViolation
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.roles import database_of, login_of, role_for
from bossjy_server.storage.schema import apply_schema, read_init_sql
from tests.parts import service_url

_INSERT = "INSERT INTO bossjy.tenants (tenant_id, display_name) VALUES ($1, $1)"
_SELECT = "SELECT tenant_id FROM bossjy.tenants ORDER BY 1"


async def test_a_tenant_sees_its_own_rows_and_no_other(database: Database) -> None:
    for tenant in ("one", "two"):
        async with database.tenant(tenant) as connection:
            await connection.execute(_INSERT, tenant)
    async with database.tenant("one") as connection:
        assert [row["tenant_id"] for row in await connection.fetch(_SELECT)] == ["one"]
    async with database.system() as connection:
        assert await connection.fetch(_SELECT) == []
    async with database.tenant("two") as connection:
        with_one = "UPDATE bossjy.tenants SET display_name = 'x' WHERE tenant_id = 'one'"
        assert await connection.execute(with_one) == "UPDATE 0"
        assert (
            await connection.execute("UPDATE bossjy.tenants SET display_name = '' WHERE tenant_id = 'one'")
            == "UPDATE 0"
        )


async def test_a_row_of_another_tenant_is_refused(database: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with database.tenant("one") as connection:
            await connection.execute(_INSERT, "two")


async def test_every_table_with_a_tenant_has_forced_row_level_security(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch(
        """SELECT t.relname, t.relrowsecurity AND t.relforcerowsecurity AS forced,
                  EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = t.oid AND p.polwithcheck IS NOT NULL) AS checked,
                  (SELECT a.attnum FROM pg_attribute a
                   WHERE a.attrelid = t.oid AND a.attname = 'tenant_id')
                   = (SELECT i.indkey[0] FROM pg_index i WHERE i.indrelid = t.oid AND i.indisprimary) AS first_in_key,
                  pg_has_role($1, t.relowner, 'MEMBER') AS owned_by_app
           FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
           WHERE n.nspname = 'bossjy' AND t.relkind IN ('r', 'p') AND EXISTS (
               SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'tenant_id')""",
        login_of(service_url(database_url)),
    )
    await connection.close()
    assert len(rows) >= 7
    for row in rows:
        assert row["forced"], row["relname"]
        assert row["checked"], row["relname"]
        assert row["first_in_key"], row["relname"]
        assert not row["owned_by_app"], row["relname"]


async def test_the_schema_can_be_applied_again_and_by_several_at_once(empty_database_url: str) -> None:
    sql = read_init_sql()
    await asyncio.gather(*(apply_schema(empty_database_url, sql) for _ in range(4)))
    await apply_schema(empty_database_url, sql + "\n-- another release")


async def test_the_schema_that_is_there_is_not_applied_again(database_url: str, database: Database) -> None:
    """Otherwise a start would wait for every running transaction, and block those that follow."""
    async with database.tenant("one") as connection:
        await connection.execute(_INSERT, "one")
        await apply_schema(database_url, read_init_sql(), lock_timeout_s=1)
        with pytest.raises(StartError, match="waited 1 s"):
            await apply_schema(database_url, read_init_sql() + "\n-- another release", lock_timeout_s=1)


async def test_a_definition_with_a_mistake_changes_nothing(empty_database_url: str) -> None:
    with pytest.raises(StartError, match="nothing was changed"):
        await apply_schema(empty_database_url, read_init_sql() + "SELECT nothing_of_this_name;")
    admin = await asyncpg.connect(empty_database_url)
    assert await admin.fetchval("SELECT to_regnamespace('bossjy')") is None
    await admin.close()


async def test_errors_of_the_driver_become_ours(database: Database) -> None:
    async with database.tenant("one") as connection:
        await connection.execute(_INSERT, "one")
    with pytest.raises(UniqueViolation, match="tenants_pkey"):
        async with database.tenant("one") as connection:
            await connection.execute(_INSERT, "one")
    with pytest.raises(DeadlineExceeded):
        async with database.tenant("one") as connection:
            await connection.execute("SET LOCAL statement_timeout = 20")
            await connection.execute("SELECT pg_sleep(5)")
    assert await database.ping()


async def test_a_full_disk_is_named_once_and_reads_continue(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(10):
        with pytest.raises(DiskFull, match="only reads work") as caught:
            async with database.tenant("one") as connection:
                await connection.execute(
                    "DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"
                )
        assert caught.value.__cause__ is None  # a cause would be logged with its traceback for each call
        assert caught.value.retry_after_s
        async with database.tenant("one") as connection:
            await connection.fetch(_SELECT)
    (line,) = caplog.messages
    assert "could not extend file" in line


async def test_a_value_that_cannot_be_stored_is_the_callers_fault(database: Database) -> None:
    with pytest.raises(InvalidArgument):
        async with database.tenant("one") as connection:
            await connection.execute("UPDATE bossjy.tenants SET display_name = $1", "a\0b")


async def test_a_connection_that_the_server_ends_is_unavailable(database_url: str, database: Database) -> None:
    admin = await asyncpg.connect(database_url)
    with pytest.raises(Unavailable):
        async with database.system() as connection:
            await admin.fetchval("SELECT pg_terminate_backend($1, 5000)", connection.get_server_pid())
            await connection.fetchval("SELECT 1")
    await admin.close()
    async with database.system() as connection:
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_connection_goes_back_with_the_role_it_came_with(database_url: str) -> None:
    database = await Database.open(database_url, min_size=1, max_size=1)
    async with database.system() as connection:
        await connection.execute("RESET ROLE")
        await connection.execute("SELECT set_config('bossjy.tenant_id', 'one', false)")
    async with database.system() as connection:
        assert await connection.fetchval("SELECT current_user") == role_for(database_of(database_url))
        assert await connection.fetchval("SELECT bossjy.current_tenant()") is None
    await database.close()


async def test_a_cancelled_task_never_leaves_a_transaction_open(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """asyncpg would report it as an error: the log of a healthy service had one for each import."""
    database = await Database.open(database_url, min_size=1, max_size=1)

    async def work() -> None:
        async with database.tenant("one") as connection:
            await connection.fetchval("SELECT 1")

    for number in range(300):
        task = asyncio.create_task(work())
        await asyncio.sleep(number * 0.00001)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    async with database.tenant("one") as connection:
        assert await connection.fetchval("SELECT bossjy.current_tenant()") == "one"
    await database.close()
    assert "active transaction" not in caplog.text


async def test_of_two_that_block_each_other_one_may_call_again(database: Database) -> None:
    for tenant in ("one", "two"):
        async with database.tenant(tenant) as connection:
            await connection.execute(_INSERT, tenant)
    both = asyncio.Barrier(2)

    async def take(first: int, second: int) -> None:
        async with database.system() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", first)
            await both.wait()
            await connection.execute("SELECT pg_advisory_xact_lock($1)", second)

    results = await asyncio.gather(take(1, 2), take(2, 1), return_exceptions=True)
    assert [type(result) for result in results if result is not None] == [LostToAnother]


async def test_errors_that_are_not_the_databases_go_through(database: Database) -> None:
    """A missing file, a wait that timed out: their errors must not look like errors of the database."""
    for raised in (FileNotFoundError("a file"), TimeoutError("a wait")):
        with pytest.raises(type(raised)):
            async with database.system():
                raise raised
    with pytest.raises(asyncpg.InterfaceError, match="another operation"):
        async with database.system() as connection:
            await asyncio.gather(connection.fetch("SELECT pg_sleep(0.1)"), connection.fetch("SELECT 1"))


async def test_a_busy_pool_is_no_lost_server(database_url: str) -> None:
    database = await Database.open(database_url, min_size=1, max_size=1)
    async with database.system():
        assert all(await asyncio.gather(*(database.ping() for _ in range(3))))
    await database.close()


async def test_a_full_pool_answers_within_its_wait(database_url: str) -> None:
    database = await Database.open(database_url, min_size=1, max_size=1, acquire_timeout_s=0.1)
    async with database.system():
        with pytest.raises(Unavailable) as caught:
            async with database.system():
                pass
    assert caught.value.reason is Reason.DATABASE_UNAVAILABLE
    assert caught.value.retry_after_s
    async with database.system() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await database.close()


async def test_a_server_that_stops_is_unavailable_and_comes_back(data_folder: Path) -> None:
    async with start_embedded(data_folder, postgres=True, redis=False) as parts:
        await apply_schema(parts.database_url, read_init_sql())
        database = await Database.open(
            parts.database_url, min_size=1, max_size=2, connect_timeout_s=5, acquire_timeout_s=5
        )
        os.kill(parts.watchdog_pid, signal.SIGSTOP)  # it would start another before anybody has seen this
        try:
            os.kill(parts.database_pid, signal.SIGKILL)
            with pytest.raises(Unavailable):
                async with asyncio.timeout(60):
                    while True:  # its children answer until they notice its end
                        async with database.system() as connection:
                            await connection.fetchval("SELECT 1")
        finally:
            os.kill(parts.watchdog_pid, signal.SIGCONT)
        async with asyncio.timeout(60):
            while not await database.ping():
                await asyncio.sleep(0.1)
        async with database.system() as connection:
            assert await connection.fetchval("SELECT 1") == 1
        await database.close()


async def test_a_tenant_holds_its_share_of_the_connections_and_leaves_the_others(database_url: str) -> None:
    database = await Database.open(database_url, min_size=1, max_size=4, acquire_timeout_s=0.2)
    async with AsyncExitStack() as held:
        for _ in range(2):
            await held.enter_async_context(database.tenant("one"))
        with pytest.raises(ResourceExhausted) as over:
            async with database.tenant("one"):
                pass
        assert over.value.reason is Reason.OVERLOADED
        assert over.value.retry_after_s
        async with database.tenant("two"), database.system() as connection:
            assert await connection.fetchval("SELECT 1") == 1
            with pytest.raises(Unavailable) as full:
                async with database.tenant("three"):
                    pass
        assert full.value.reason is Reason.DATABASE_UNAVAILABLE
        waiting = asyncio.create_task(_use(database, "one"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
    await waiting
    assert database.shares.taken == 0
    await database.close()


async def test_long_work_holds_a_share_of_the_connections(database_url: str) -> None:
    database = await Database.open(database_url, min_size=1, max_size=6, long_most=2)
    async with database.tenant("one", long=True):
        of_one = asyncio.create_task(_use(database, "one", long=True))
        async with database.tenant("two", long=True):
            of_three = asyncio.create_task(_use(database, "three", long=True))
            await asyncio.sleep(0.1)
            assert not of_one.done()
            assert not of_three.done()
            async with database.tenant("one"), database.tenant("three"):
                pass  # short work is not delayed
        await of_three
        assert not of_one.done()
    await of_one
    assert (database.shares.taken, database.long_shares.taken) == (0, 0)
    await database.close()


async def test_a_connection_that_cannot_be_had_takes_no_share(database_url: str) -> None:
    database = await Database.open(database_url, min_size=1, max_size=2)
    database.breaker.trip()
    with pytest.raises(Unavailable):
        async with database.tenant("one", long=True):
            pass
    assert (database.shares.taken, database.long_shares.taken) == (0, 0)
    await database.close()


async def _use(database: Database, tenant_id: str, *, long: bool = False) -> None:
    async with database.tenant(tenant_id, long=long) as connection:
        await connection.execute("SELECT 1")
