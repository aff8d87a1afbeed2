"""`bossjy import` without questions: forms of files, several files, JSON output, and resumed imports."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e.conftest import ServerProcess, Tenant, caller_environment, register
from tests.e2e.tool.conftest import Run, objects, wait_for_rows

pytestmark = pytest.mark.timeout(600)

ROWS = [("王伟", "138 0000 0000", "w@example.com"), ("李娜", "+44 20 7946 0958", ""), ("张三", "12", "")]
NUMBERS = ["+442079460958", "+8613800000000"]


def counts(run: Run, *arguments: str, code: int = 6, text: str = "") -> list[tuple[int, int, int]]:
    """Rows, new contacts and rejected rows of each import, as programs read them: one object each, nothing else."""
    done = run("import", *arguments, "--region", "CN", "--json", code=code, text=text)
    assert bool(done.stderr) == (code == 4)
    found = [{name: int(value) for name, value in job["counts"].items()} for job in objects(done)]
    return [(one["rows_in"], one["inserted"], one["rejected"]) for one in found]


def numbers(run: Run) -> list[str]:
    return [contact["phone_number"] for contact in objects(run("contacts", "list", "--json"))]


def test_workbook(run: Run, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    notes, sheet = book.active, book.create_sheet("客户")
    assert notes is not None
    notes.append(["nothing to import"])
    notes.append(["nor here"])
    for row in [
        ("姓名", "手机号", "号码二"),
        ("王伟", 13800000000, None),
        (),
        ("李娜", 442079460958.0, ""),
        ("张三", 12, 3),
    ]:
        sheet.append(row)
    path = tmp_path / "list.xlsx"
    book.save(path)
    run("import", str(path), "--sheet", "Sheet", code=4)  # it has no phone column
    assert counts(run, str(path), "--sheet", "客户", "--map", "other=号码二") == [(3, 1, 2)]
    job = objects(run("imports", "list", "--json"))[0]
    # Lines are rows of the sheet, and a whole number has no point.
    assert [
        (row["line"], row["original"]) for row in objects(run("imports", "rejects", job["import_id"], "--json"))
    ] == [
        ("4", "442079460958"),
        ("5", "12"),
    ]
    refused = run("import", str(path), "--sheet", "third", code=7)
    assert "choose one of Sheet, 客户" in refused.stderr
    assert "cannot be read as Parquet" in run("import", "-", "--region", "CN", code=7, text="PAR1").stderr


def test_parquet(run: Run, tmp_path: Path) -> None:
    names, phones, mails = zip(*ROWS, strict=True)
    path = tmp_path / "list.parquet"
    pq.write_table(pa.table({"姓名": names, "手机号": phones, "邮箱": mails}), path)
    assert counts(run, str(path)) == [(3, 2, 1)]
    assert numbers(run) == NUMBERS
    run("import", str(path), "--sheet", "x", code=2)


def test_several_files_and_a_pipe(run: Run, tmp_path: Path) -> None:
    tsv, jsonl = tmp_path / "a.tsv", tmp_path / "b.jsonl"
    tsv.write_text("\n".join("\t".join(row) for row in [("姓名", "手机号", "邮箱"), ROWS[0]]), "utf-8")
    jsonl.write_text(json.dumps({"name": "li", "phone": ROWS[1][1]}) + "\n", "utf-8")
    pipe = f"栏一;x\n{ROWS[2][1]};1\n"
    both = ("-", str(tsv), "--file", str(jsonl))
    assert counts(run, *both, code=4, text=pipe) == []  # the first has no phone column: no later one is started
    assert counts(run, *both[1:], code=0) == [(1, 1, 0), (1, 1, 0)]
    # No row is accepted: the import has failed.
    assert counts(run, "-", "--map", "phone=栏一", "--header", "present", code=4, text=pipe) == [(1, 0, 1)]
    assert numbers(run) == NUMBERS


def test_a_dry_run_keeps_nothing(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("手机号\n13800000000\n", "utf-8")
    shown = run("import", str(path), "--region", "CN", "--dry-run").stdout
    assert "nothing was kept" in shown
    assert numbers(run) == []
    assert counts(run, str(path), code=0) == [(1, 1, 0)]


def write_numbers(path: Path, count: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("phone,name\n")
        file.writelines(f'+86138{number:08d},"name ""{number}"""\n' for number in range(count))


def test_parts_are_the_whole_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    write_numbers(path, 100_000)
    assert counts(run, str(path), "--parts", "2", code=0) == [(100_000, 100_000, 0)]
    job = objects(run("imports", "list", "--json"))[0]
    assert [part["finished"] for part in job["parts"]] == [True, True]
    assert [int(part["counts"]["rows_in"]) > 0 for part in job["parts"]] == [True, True]


def test_the_same_command_goes_on_where_the_tool_was_ended(
    run: Run, shared_server: ServerProcess, tenant: Tenant, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    write_numbers(path, 150_000)
    command = ["import", str(path), "--parts", "3"]
    environment = caller_environment(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-m", "bossjy_client", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as cut:
        wait_for_rows(shared_server.target, tenant)
        cut.send_signal(signal.SIGINT)
        _, said = cut.communicate(timeout=20)
    assert cut.returncode == 130, said
    assert f"to resume: bossjy import {path}" in said
    (job,) = objects(run("imports", "list", "--json"))
    assert job["state"] == "IMPORT_STATE_OPEN"
    done = run(*command)
    assert "resuming the interrupted run" in done.stderr
    (job,) = objects(run("imports", "list", "--json"))
    assert job["state"] == "IMPORT_STATE_SUCCEEDED"
    assert int(job["counts"]["inserted"]) == int(job["counts"]["rows_in"]) == 150_000
    # The import has ended: the next run is another import.
    assert "resuming" not in run(*command).stderr


def test_a_server_that_comes_back_is_waited_for(run: Run, server_process: ServerProcess, tmp_path: Path) -> None:
    tenant = register(server_process.target)
    access = {"BOSSJY_TOKEN": tenant.token, "BOSSJY_TARGET": server_process.target}
    path = tmp_path / "list.parquet"
    phones = [f"+86139{number:08d}" for number in range(150_000)]
    pq.write_table(pa.table({"phone": phones, "name": [f"name {phone}" for phone in phones]}), path)
    with subprocess.Popen(
        [sys.executable, "-m", "bossjy_client", "import", str(path), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=caller_environment(tmp_path) | access,
    ) as tool:
        wait_for_rows(server_process.target, tenant)
        server_process.kill()
        server_process.start()
        out, said = tool.communicate(timeout=120)
    assert tool.returncode == 0, said
    job = json.loads(out)
    assert int(job["counts"]["inserted"]) == int(job["counts"]["rows_in"]) == 150_000
