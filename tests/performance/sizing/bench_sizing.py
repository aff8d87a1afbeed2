"""Figures for the size of an installation: `make bench-sizing`, docs/operations/sizing.md.

    python -m tests.performance.sizing.bench_sizing [--rows 200000]

CPU is that of the processes by the kernel's count, so a busy machine changes little. Memory is the proportional share
(PSS) of the server and its children: pages that several processes share count once. PostgreSQL and Redis are separate
programs with the settings of the embedded ones.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import asyncpg
import grpc.aio
import psutil
import redis.asyncio

from bossjy_client import AsyncClient, ClientConfig
from tests.e2e.conftest import EMAIL, PASSWORD, ServerProcess, register
from tests.measurements import write_figures
from tests.performance.faults.parts import Stage, stage
from tests.performance.open_loop import Job, run
from tests.performance.unary.bench_unary import cpu_seconds, process_of
from tests.performance.validate import METHOD, requests, token_of

_CALLS, _LOGINS, _CONNECTIONS, _SETTLE_S = 6000, 60, 300, 2.0
_MIB, _KIB = 1024 * 1024, 1024
_TABLES = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
WHERE c.relnamespace = 'bossjy'::regnamespace AND c.relkind IN ('r', 'p')"""

_WAL = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"


def share_bytes(process: psutil.Process) -> int:
    """The proportional memory of a process and its children."""
    return sum(one.memory_full_info().pss for one in (process, *process.children(recursive=True)))


class Peak:
    """The largest memory of a process and its children while its block runs, by looking ten times a second."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self.bytes = 0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _look(self) -> None:
        while True:
            self.bytes = max(self.bytes, await asyncio.to_thread(share_bytes, self._process))
            await asyncio.sleep(0.1)


def write_rows(path: Path, rows: int) -> None:
    """A list of contacts: a number, a name, an address and a city in each line."""
    with path.open("w", encoding="utf-8") as file:
        file.write("phone,name,email,city\n")
        for n in range(rows):
            file.write(f"+86138{n:08d},Person {n},person{n}@example.com,Shanghai\n")


async def memory(held: Stage) -> dict[str, float]:
    """A new server, then servers with one, two and four workers after calls, and the memory of connections."""
    shares: dict[int, int] = {}
    idle, one = 0, 0.0
    for workers in (1, 2, 4):
        server = held.server(BOSSJY_WORKERS=str(workers))
        await asyncio.sleep(_SETTLE_S)
        idle = share_bytes(process_of(server)) if workers == 1 else idle
        connection = await connection_bytes(server, calls=20)
        shares[workers] = share_bytes(process_of(server))
        server.end()
        if workers == 1:
            one = connection
    worker = (shares[4] - shares[2]) / 2
    return {
        "idle_mib": idle / _MIB,
        "one_worker_mib": shares[1] / _MIB,
        "parent_of_workers_mib": (shares[2] - 2 * worker) / _MIB,
        "worker_mib": worker / _MIB,
        "connection_kib": one / _KIB,
    }


async def connection_bytes(server: ServerProcess, calls: int) -> float:
    """Memory of one connection that has made calls. The first connections pay for what all share."""
    email = f"owner{server.environment['BOSSJY_PORT']}@example.com"
    token = await token_of(server.target, email)
    metadata = (("authorization", f"Bearer {token}"),)
    request = bytes.fromhex(requests()[0])
    before = 0
    async with AsyncExitStack() as stack:
        for number in range(_CONNECTIONS + 50):
            if number == 50:
                await asyncio.sleep(_SETTLE_S)
                before = share_bytes(process_of(server))
            options = [("grpc.use_local_subchannel_pool", 1)]
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(server.target, options))
            validate: Any = channel.unary_unary(METHOD)  # the stubs know no method without types
            for _ in range(calls):
                await validate(request, metadata=metadata, timeout=30)
        await asyncio.sleep(_SETTLE_S)
        return (share_bytes(process_of(server)) - before) / _CONNECTIONS


async def cpu(held: Stage, rows: int, folder: Path) -> dict[str, float]:
    """CPU of calls, logins and an import on one worker; bytes in PostgreSQL and Redis."""
    server = held.server()
    process, databases = process_of(server), process_of_part(held)
    tenant = await asyncio.to_thread(register, server.target)
    job = Job(server.target, METHOD, requests(), (("authorization", f"Bearer {tenant.token}"),), in_flight=16)
    calls: list[float] = []
    for _ in range(3):
        began = cpu_seconds(process)
        outcome = await run(Job(**{**vars(job), "calls": _CALLS}))
        calls.append((cpu_seconds(process) - began) / outcome.sent)
    figures = {"call_us": min(calls) * 1e6, "calls_per_core_s": 1 / min(calls)}
    async with await AsyncClient.connect(server.target, token=tenant.token, config=ClientConfig()) as client:
        figures |= await sessions(held, client, tenant.tenant_id, process)
        figures |= await contacts(held, client, rows, folder, (process, databases))
        began = cpu_seconds(process)
        pages = 0
        async for _ in client.contacts.list(page_size=100):
            pages += 1
            if pages == _CALLS:
                break
        figures["listed_contact_us"] = (cpu_seconds(process) - began) / pages * 1e6
    server.end()
    return figures


def process_of_part(held: Stage) -> psutil.Process:
    """The first process of PostgreSQL; its backends are its children."""
    found: psutil.Process = psutil.Process(held.postgres._part.process.pid)
    return found


async def sessions(held: Stage, client: AsyncClient, tenant_id: str, process: psutil.Process) -> dict[str, float]:
    """CPU of a login, and growth of Redis by a login and the end of its session."""
    store = redis.asyncio.Redis.from_url(held.redis.url)
    keys, used = await store.dbsize(), (await store.info("memory"))["used_memory"]
    began, tokens = cpu_seconds(process), []
    for _ in range(_LOGINS):
        answer = await client.auth.login(tenant_id, EMAIL, PASSWORD)
        tokens.append(answer.tokens.access_token)
    login_ms = (cpu_seconds(process) - began) / _LOGINS * 1e3
    for token in tokens:
        async with await AsyncClient.connect(client.target, token=token) as one:
            await one.auth.logout()
    added = await store.dbsize() - keys
    grown = (await store.info("memory"))["used_memory"] - used
    await store.aclose()
    return {
        "login_ms": login_ms,
        "logins_per_core_s": 1e3 / login_ms,
        "redis_keys_per_login": added / _LOGINS,
        "redis_bytes_per_login": grown / _LOGINS,
    }


async def contacts(
    held: Stage, client: AsyncClient, rows: int, folder: Path, processes: tuple[psutil.Process, psutil.Process]
) -> dict[str, float]:
    """CPU and memory of an import, and bytes of its contacts."""
    path = folder / "contacts.csv"
    await asyncio.to_thread(write_rows, path, rows)
    owner = await asyncpg.connect(held.postgres.url)
    tables, database = await owner.fetchval(_TABLES), await owner.fetchval("SELECT pg_database_size($1)", name_of(held))
    server, _ = processes
    wal = await owner.fetchval(_WAL)
    idle, began = share_bytes(server), [cpu_seconds(one) for one in processes]
    async with Peak(server) as peak:
        job = await client.imports.upload_file(path)
    if job.counts.inserted != rows:
        raise RuntimeError(f"not all rows were inserted: {job.counts}")
    spent = [cpu_seconds(one) - before for one, before in zip(processes, began, strict=True)]
    written = await owner.fetchval(_WAL) - wal
    await owner.execute("VACUUM ANALYZE bossjy.contacts")
    found = {
        "import_server_us_per_row": spent[0] / rows * 1e6,
        "import_postgres_us_per_row": spent[1] / rows * 1e6,
        "import_rows_per_core_s": rows / sum(spent),
        "import_stream_mib": (peak.bytes - idle) / _MIB,
        "wal_mib_per_million": float(written) / rows * 1e6 / _MIB,
        "tables_mib_per_million": (await owner.fetchval(_TABLES) - tables) / rows * 1e6 / _MIB,
        "database_mib_per_million": (await owner.fetchval("SELECT pg_database_size($1)", name_of(held)) - database)
        / rows
        * 1e6
        / _MIB,
    }
    await owner.close()
    return found


def name_of(held: Stage) -> str:
    """The name of the database."""
    return urlsplit(held.postgres.url).path[1:]


def main() -> int:
    """Measure and write build/figures/sizing.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    options = parser.parse_args()
    figures: dict[str, float] = {"rows": options.rows}
    with stage() as held, tempfile.TemporaryDirectory(prefix="bossjy-sizing-") as folder:
        figures |= asyncio.run(memory(held))
        figures |= asyncio.run(cpu(held, options.rows, Path(folder)))
    write_figures("sizing", {name: round(value, 1) for name, value in figures.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
