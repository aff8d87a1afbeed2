"""`bossjy import` before the first row is sent and after the last: doubtful regions, missing columns, failures."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import caller_environment
from tests.e2e.tool.conftest import Run, objects
from tests.e2e.tool.terminal import PtyTerminal

pytestmark = pytest.mark.timeout(300)

LIST = "".join(["phone;note\n", *(f"138001380{n:02};x\n" for n in range(40))])


def write(path: Path, text: str) -> str:
    path.write_text(text, "utf-8")
    return str(path)


def test_nothing_is_sent_where_the_region_is_missing_or_wrong(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "list.csv", LIST)
    missing = run("import", path, code=8)
    assert (
        "100% of the numbers are valid with region CN, 0% without a region; add --region CN, or --yes" in missing.stderr
    )
    assert missing.stdout == ""
    wrong = run("import", path, "--region", "UK", "--json", code=8)
    error = json.loads(wrong.stderr)["error"]
    assert (error["metadata"]["option"], error["metadata"]["region"]) == ("--region CN", "GB")
    assert "100% of the numbers" in run("import", "-", code=8, text=LIST).stderr
    assert objects(run("imports", "list", "--json")) == []

    refused = run("import", path, "--yes", code=4)
    assert "all 40 rows were rejected: INVALID_COUNTRY_CODE 40" in refused.stderr
    assert "INVALID_COUNTRY_CODE" in refused.stdout
    (job,) = objects(run("imports", "list", "--json"))
    assert job["state"] == "IMPORT_STATE_FAILED"
    for region in ("cn", "CHN", "86", "China"):
        assert "failed" not in run("import", path, "--region", region).stdout
    run("import", path, "--region", "Mordor", code=4)
    run("import", "-", "--region", "CN", text=LIST)


def test_what_preview_knows_is_told_in_batch_mode(run: Run, tmp_path: Path) -> None:
    text = LIST.replace("phone;note", "Rufnr. privat;Notiz")
    path = write(tmp_path / "list.csv", text)
    error = json.loads(run("import", path, "--header-row", "1", "--json", code=4).stderr)["error"]
    assert error["reason"] == "PHONE_COLUMN_MISSING"
    assert error["metadata"]["option"] == "--map 'phone=Rufnr. privat' --region CN"
    assert "add --region CN" in error["message"]
    assert "138001380" not in json.dumps(error)
    run("import", path, "--map", "phone=rufnr. PRIVAT", "--region", "CN")


def test_a_limit_of_rejected_rows(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "list.csv", LIST + "bad;x\n" * 10)
    options = ("import", path, "--region", "CN")
    stopped = run(*options, "--max-rejects", "9", "--json", code=4)
    (job,) = objects(stopped)
    assert job["state"] == "IMPORT_STATE_FAILED"
    assert [(one["reason"], one["row_count"]) for one in job["reject_counts"]] == [("REJECT_REASON_NOT_A_NUMBER", "10")]
    assert job["reject_counts"][0]["hint"]
    assert "at most 9 are allowed" in json.loads(stopped.stderr)["error"]["message"]
    # The next run starts over.
    assert "NOT_A_NUMBER" in run(*options, "--max-rejects", "20%", code=6).stdout
    run(*options, "--max-rejects", "19%", code=4)


def test_quotes_of_databases(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "out.tsv", 'Ann "A\t13800138000\t\\N\nBob\\\nB\t13800138001\tx\\ty\n')
    options = ("--region", "CN", "--quote", "none", "--escape", "\\", "--header", "absent", "--map", "name=column_1")
    run("import", path, *options, "--delimiter", "tab", "--parts", "2")
    contacts = objects(run("contacts", "list", "--json"))
    assert [(one["name"], one["attributes"]) for one in contacts] == [('Ann "A', {}), ("Bob\nB", {"column_3": "x\ty"})]


def test_exports_for_spreadsheets_and_for_programs(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "list.csv", "phone,name,note\n+8613800138000,=1+1,-5\n12,@x,+1\n")
    done = run("import", path, "--json", code=6)
    (job,) = objects(done)
    for audience, cells in (("excel", ["'=1+1", "'-5"]), ("data", ["=1+1", "-5"])):
        exported = tmp_path / f"{audience}.csv"
        run("contacts", "export", "-o", str(exported), "--for", audience)
        row = exported.read_text("utf-8-sig").splitlines()[1].split(",")
        assert row[0] == "+8613800138000"
        assert [cell for cell in row if cell.strip("'").startswith(("=", "-"))] == cells
        (again,) = objects(run("import", str(exported), "--json"))
        assert again["counts"]["unchanged"] == "1"
        rejects = tmp_path / f"{audience}-rejects.csv"
        run("imports", "rejects", job["import_id"], "-o", str(rejects), "--for", audience)
        assert (",'@x," in rejects.read_text("utf-8-sig")) == (audience == "excel")


def test_the_wizard_repairs_what_can_be_repaired(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "list.csv", "Liste 2026\nexport;of today\nKunde;Rufnr.\nAnn;13800138000\nBob;13800138001\n")
    command = [sys.executable, "-m", "bossjy_client", "import", "--mode", "interactive", path, "--header-row", "2"]
    tool = PtyTerminal(command, caller_environment(tmp_path), tmp_path)
    try:
        tool.wait_for("no column is recognised as the phone number")
        tool.wait_for(r"3 +Kunde +Rufnr")
        tool.answer("Continue, or change something", "header")
        tool.answer("Line that names the columns", "99")
        tool.wait_for("line 99 cannot be the header")
        tool.answer("Continue, or change something", "header")
        tool.answer("Line that names the columns", "3")
        tool.wait_for("no column is recognised as the phone number. The columns, from line 3")
        tool.answer("Continue, or change something", "phone")
        tool.answer("Column of the phone number", "2")
        tool.wait_for(r"2 +Rufnr. +phone")
        tool.answer("Continue, or change something", "map")
        tool.answer("FIELD=COLUMN", "name=1")
        tool.wait_for(r"1 +Kunde +name")
        tool.answer("Continue, or change something", "")
        tool.answer("Existing contacts", "")
        tool.answer("Try it first", "n")
        tool.answer("Import now", "y")
        tool.wait_for("to revert it: bossjy imports revert")
        assert tool.end() == 0
    finally:
        tool.close()
    contacts = objects(run("contacts", "list", "--json"))
    assert [(one["phone_number"], one["name"]) for one in contacts] == [
        ("+8613800138000", "Ann"),
        ("+8613800138001", "Bob"),
    ]


def test_a_slow_pipe_begins_at_once(run: Run, tmp_path: Path) -> None:
    environment = caller_environment(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-m", "bossjy_client", "import", "-", "--region", "CN", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as tool:
        assert tool.stdin is not None
        tool.stdin.write("phone\n13800138000\n")
        tool.stdin.flush()
        # The producer is silent, and its rows are committed.
        deadline = time.monotonic() + 120
        while not any(job["counts"]["rows_in"] == "1" for job in objects(run("imports", "list", "--json"))):
            assert time.monotonic() < deadline, "the first row was never committed"
            time.sleep(0.5)
        tool.stdin.write("13800138001\n")
        out, _ = tool.communicate(timeout=120)
    assert tool.returncode == 0
    assert json.loads(out)["counts"]["inserted"] == "2"
