"""The way home: rows that an engine cleaned become contacts of the service, each once, with counts that agree."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from bossjy.imports.v1 import import_service_pb2, import_service_pb2_grpc
from bossjy_numbering.cleaning import clean_table, distinct_rows
from tests.e2e.conftest import ServerProcess, Tenant, caller_environment
from tests.e2e.tool.conftest import Run, objects

TEXTS = [f"138 0000 {number:04d}" for number in range(400)] + ["138 0000 0007", "12", "", "020 7946 0958 ext 3"]


def test_cleaned_rows_of_several_files_become_contacts_once(run: Run, tmp_path: Path) -> None:
    regions = [*["CN"] * (len(TEXTS) - 1), "GB"]
    lake = pa.table({"phone": TEXTS, "country": regions, "name": [f"name {row}" for row in range(len(TEXTS))]})
    cleaned = clean_table(lake, "phone", region_column="country")
    accepted = distinct_rows(cleaned.filter(ds.field("phone_valid")))
    assert (cleaned.num_rows, accepted.num_rows) == (404, 401)
    half = accepted.num_rows // 2
    paths = [tmp_path / "part-0.parquet", tmp_path / "part-1.parquet"]
    columns = ["name", "phone_e164", "phone_extension"]
    for path, part in zip(paths, (accepted.slice(0, half), accepted.slice(half)), strict=True):
        pq.write_table(part.select(columns), path)
    command = ["import", *map(str, paths), "--map", "phone=phone_e164", "--map", "extension=phone_extension"]
    command += ["--parts", "2", "--json"]
    jobs = objects(run(*command))
    counts = [{name: int(value) for name, value in job["counts"].items()} for job in jobs]
    assert [one["rows_in"] for one in counts] == [half, accepted.num_rows - half]
    assert sum(one["inserted"] for one in counts) == accepted.num_rows
    contacts = objects(run("contacts", "list", "--limit", "0", "--json"))
    assert sorted(one["phone_number"] for one in contacts) == sorted(
        map(str, accepted.column("phone_e164").to_pylist())
    )
    (british,) = (one for one in contacts if one["phone_number"] == "+442079460958")
    assert british["extension"] == "3"
    # Imported again, the same files add nothing.
    again = [job["counts"] for job in objects(run(*command))]
    assert sum(int(one.get("inserted", 0)) for one in again) == 0


def import_count(target: str, tenant: Tenant) -> int:
    with grpc.insecure_channel(target) as channel:
        stub = import_service_pb2_grpc.ImportServiceStub(channel)
        answer = stub.ListImports(
            import_service_pb2.ListImportsRequest(page_size=10),
            metadata=(("authorization", f"Bearer {tenant.token}"),),
            timeout=10,
        )
        return len(answer.import_jobs)


def test_a_killed_command_continues_after_the_files_and_row_groups_that_are_done(
    run: Run, shared_server: ServerProcess, tenant: Tenant, tmp_path: Path
) -> None:
    rows, files = 3_000, 3
    paths = [tmp_path / f"part-{number}.parquet" for number in range(files)]
    for number, path in enumerate(paths):
        digits = range(number * rows, (number + 1) * rows)
        table = pa.table(
            {"phone_e164": [f"+861380{one:07d}" for one in digits], "name": [f"n {one}" for one in digits]}
        )
        pq.write_table(table, path, row_group_size=rows // 8)
    command = ["import", *map(str, paths), "--map", "phone=phone_e164", "--parts", "4", "--yes", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "bossjy_client", *command],
        env=caller_environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as tool:
        deadline = time.monotonic() + 60
        while import_count(shared_server.target, tenant) < 2:  # the second file is being uploaded
            assert time.monotonic() < deadline
            time.sleep(0.01)
        tool.send_signal(signal.SIGKILL)
    jobs = objects(run(*command))
    assert [int(job["counts"]["rows_in"]) for job in jobs] == [rows] * files
    assert sum(int(job["counts"]["inserted"]) for job in jobs) == rows * files
    assert {len(job["parts"]) for job in jobs} == {4}
    # No file was imported twice.
    assert import_count(shared_server.target, tenant) == files
    contacts = objects(run("contacts", "list", "--limit", "0", "--json"))
    assert len({one["phone_number"] for one in contacts}) == len(contacts) == rows * files
    # The whole command has ended, so it starts anew: nothing is inserted.
    again = objects(run(*command))
    assert sum(int(job["counts"].get("inserted", 0)) for job in again) == 0
    assert import_count(shared_server.target, tenant) == 2 * files
