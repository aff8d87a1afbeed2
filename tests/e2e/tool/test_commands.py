"""The tool `bossjy` against a real server: each command as people and as programs use it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import EMAIL, PASSWORD, ServerProcess, Tenant, caller_environment
from tests.e2e.tool.conftest import Run, objects

pytestmark = pytest.mark.timeout(600)

ROWS = "姓名,手机号,邮箱\n王伟,138 0000 0000,w@example.com\n李娜,+44 20 7946 0958,\n张三,12,\n王伟,+8613800000000,\n"


def test_login(run: Run, shared_server: ServerProcess, tenant: Tenant, tmp_path: Path) -> None:
    kept = tmp_path / "config" / "bossjy" / "credentials.json"
    kept.unlink()
    owner = ("--target", shared_server.target, "--tenant", tenant.tenant_id, "--email", EMAIL, "--password-stdin")
    run("login", *owner, text=PASSWORD)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in kept.read_text()
    shown = run("whoami").stdout
    assert tenant.tenant_id in shown
    assert EMAIL in shown
    assert objects(run("whoami", "--json"))[0]["user"]["email"] == EMAIL

    refused = run("login", *owner, "--json", text="not the password at all\n", code=3)
    assert json.loads(refused.stderr)["error"]["reason"] == "LOGIN_REFUSED"
    assert run("whoami").stdout == shown  # the earlier login is still valid

    run("logout")
    run("whoami", code=3)
    assert run("whoami", BOSSJY_TOKEN=tenant.token, BOSSJY_TARGET=shared_server.target).stdout == shown


def test_phone(run: Run) -> None:
    one = run("phone", "validate", "--region", "CN", "138 0000 0000").stdout
    assert "+8613800000000" in one
    assert "MOBILE" in one
    several = run("phone", "validate", "-", "--region", "CN", "--json", text="138 0000 0000\ninvalid\n\n", code=6)
    assert [(answer["text"], answer["valid"]) for answer in objects(several)] == [
        ("138 0000 0000", True),
        ("invalid", False),
        ("", False),
    ]
    table = run("phone", "validate", "+86 138 0000 0000", "nonsense", code=6).stdout
    assert "NOT_A_NUMBER" in table
    assert "+44 20 7946 0958" in run("phone", "format", "+442079460958").stdout
    assert run("phone", "match", "+442079460958", "+44 (0)20 7946 0958").stdout.strip() == "EXACT_MATCH"
    run("phone", "match", "+442079460958", "+442079460959", code=6)
    found = objects(run("phone", "find", "call +442079460958 now", "--json"))[0]["numbers"]
    assert [number["raw_text"] for number in found] == ["+442079460958"]
    assert "+86" in run("phone", "regions", "--calling-code", "86").stdout
    run("phone", "format", "nonsense", code=4)
    explained = run("phone", "explain", "--region", "CN", "021-61234567-802、13212345678", code=6).stdout
    assert "number in the text" in explained
    assert all(part in explained for part in ("+862161234567", "802", "+8613212345678"))
    assert "possible reading" in run("phone", "explain", "13212345678", code=6).stdout


def test_plan(run: Run) -> None:
    shown = objects(run("plan", "show", "--json"))[0]
    assert shown["region_count"] > 200
    assert shown["metadata_version"] in run("plan", "show").stdout


def test_import_and_contacts(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(ROWS, encoding="utf-8")
    done = run("import", str(path), "--region", "CN", code=6)
    assert "complete" in done.stdout
    job = objects(run("imports", "list", "--json"))[0]
    counts = {name: int(value) for name, value in job["counts"].items()}
    assert counts == {"rows_in": 4, "inserted": 2, "updated": 0, "unchanged": 0, "duplicate": 1, "rejected": 1}
    assert f"bossjy imports rejects {job['import_id']}" in done.stderr
    rejected = objects(run("imports", "rejects", job["import_id"], "--json"))
    assert [(row["line"], row["column"], row["original"]) for row in rejected] == [("4", "手机号", "12")]
    assert "succeeded" in run("imports", "show", job["import_id"]).stdout
    (lost,) = objects(run("imports", "duplicates", job["import_id"], "--json"))
    assert int(lost["line"]) > int(lost["winner_line"]) > 1
    assert lost["phone_number"] in run("imports", "duplicates", job["import_id"]).stdout
    run("imports", "duplicates", job["import_id"], "-o", str(tmp_path / "duplicates.csv"))
    assert "bossjy_winner_line" in (tmp_path / "duplicates.csv").read_text(encoding="utf-8-sig")
    changed = tmp_path / "changed.csv"
    changed.write_text("phone,name\n+8613800000000 ext 5,王小伟\n", encoding="utf-8")
    run("import", str(changed))
    job = objects(run("imports", "list", "--json"))[0]
    (change,) = objects(run("imports", "changes", job["import_id"], "--json"))
    assert {one["field"] for one in change["changes"]} == {"name", "extension"}
    assert "王小伟" in run("imports", "changes", job["import_id"]).stdout
    run("imports", "revert", job["import_id"])

    listed = objects(run("contacts", "list", "--json"))
    assert [contact["phone_number"] for contact in listed] == ["+442079460958", "+8613800000000"]
    assert "王伟" in run("contacts", "get", "+8613800000000").stdout
    run("contacts", "delete", "+442079460958")
    error = json.loads(run("contacts", "get", "+442079460958", "--json", code=4).stderr)["error"]
    assert error["reason"] == "RESOURCE_NOT_FOUND"
    assert error["request_id"]

    run("import", str(path), "--region", "CN", "--rejects-are-fine")
    run("import", str(tmp_path / "missing.csv"), code=7)
    refused = run("import", "-", text="a,b\n1,2\n", code=4)
    assert "PHONE_COLUMN_MISSING" in refused.stderr


def test_rows_with_one_number_and_other_extensions(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "extensions.csv"
    rows = ["+1 202-555-0123 x4410", "+1 202-555-0123 ext. 4411", "tel:+1-202-555-0123;ext=4412"]
    path.write_text("name,phone\n" + "".join(f"E{line},{row}\n" for line, row in enumerate(rows)))
    run("import", str(path), "--region", "US")
    job = objects(run("imports", "list", "--json"))[0]
    (contact,) = objects(run("contacts", "list", "--filter", "extension = 4410", "--json"))
    assert (contact["name"], contact["extension"]) == ("E0", "4410")
    assert "4410" in run("contacts", "get", "+12025550123").stdout
    listed = objects(run("imports", "duplicates", job["import_id"], "--json"))
    assert [(row["line"], row["byte_offset"], row["winner_line"]) for row in listed] == [
        ("3", str(len("name,phone\nE0,") + len(rows[0]) + 1), "2"),
        ("4", str(len("name,phone\nE0,\nE1,\n") + len(rows[0]) + len(rows[1])), "2"),
    ]
    assert "extension: 4412 (contact: 4410)" in run("imports", "duplicates", job["import_id"]).stdout
    run("contacts", "erase", "+12025550123")


def test_pipe_that_closes_early(run: Run, shared_server: ServerProcess, tmp_path: Path) -> None:
    command = f"{sys.executable} -m bossjy_client phone regions --json | head -1"
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        env=caller_environment(tmp_path),
        timeout=60,
        check=False,
    )
    assert json.loads(done.stdout)["region_code"]
    assert done.stderr == ""


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_pipe_that_is_closed(run: Run, shared_server: ServerProcess, tmp_path: Path, form: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bossjy_client", "phone", "regions", *form],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            env=caller_environment(tmp_path),
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_nobody_there(run: Run) -> None:
    refused = run("whoami", "--json", BOSSJY_TOKEN="t", BOSSJY_TARGET="127.0.0.1:1", code=5)
    assert json.loads(refused.stderr)["error"]["code"] == "UNAVAILABLE"


def test_export(run: Run, tmp_path: Path) -> None:
    """The contacts of the file, as a spreadsheet opens them."""
    path = tmp_path / "list.csv"
    path.write_text(ROWS, encoding="utf-8")
    run("import", str(path), "--region", "CN", code=6)
    out = tmp_path / "out.csv"
    done = subprocess.run(
        [sys.executable, "-m", "bossjy_client", "contacts", "export", "-o", str(out)],
        capture_output=True,
        text=True,
        env=caller_environment(tmp_path),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with out.open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file))) == 3


def test_bulk(run: Run, tmp_path: Path) -> None:
    path, out = tmp_path / "numbers.txt", tmp_path / "checked.csv"
    path.write_text("138 0000 0000\n\n12\n" + "+44 20 7946 0958\n" * 20_000, "utf-8")
    done = run("phone", "bulk", str(path), "--region", "CN", "-o", str(out), code=6)
    assert "20,003 numbers, 20,001 valid" in done.stderr
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 20_004
    assert rows[:5] == [
        ["text", "valid", "e164", "region", "type", "reason", "extension", "warnings"],
        ["138 0000 0000", "yes", "+8613800000000", "CN", "MOBILE", "", "", "REGION_ASSUMED"],
        ["", "no", "", "", "", "NOT_A_NUMBER", "", ""],
        ["12", "no", "+8612", "", "UNKNOWN", "TOO_SHORT", "", ""],
        ["+44 20 7946 0958", "yes", "+442079460958", "GB", "FIXED_LINE", "", "", ""],
    ]
    found = objects(run("phone", "bulk", "-", "--json", text="+442079460958\n"))
    assert [(one["text"], one["valid"], one["region"]) for one in found] == [("+442079460958", True, "GB")]
    run("phone", "bulk", str(tmp_path / "missing"), code=7)


def test_bulk_keeps_the_columns_of_a_csv_file(run: Run, tmp_path: Path) -> None:
    path, out = tmp_path / "list.csv", tmp_path / "mobile.csv"
    path.write_text('name,phone,region\n"Li, W.",138 0014 4001,north\nWang,010 6552 9988,south\nZhao,,\n', "utf-8")
    where = 'number_region = "CN" AND type = "MOBILE"'
    run("phone", "bulk", str(path), "--column", "phone", "--region", "CN", "--where", where, "-o", str(out), code=6)
    with out.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["name", "phone", "region", "valid", "e164", "number_region", *head[6:]]
    assert rows == [["Li, W.", "138 0014 4001", "north", "yes", "+8613800144001", "CN", "MOBILE", *rows[0][7:]]]
    found = objects(run("phone", "bulk", str(path), "--json", "--column", "phone", "--where", "valid = no", code=6))
    assert [one["name"] for one in found] == ["Li, W.", "Wang", "Zhao"]
    refused = run("phone", "bulk", str(path), "--column", "mobile", code=2)
    assert "no column 'mobile': the columns are name, phone, region" in refused.stderr


def test_bulk_of_unusual_files(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "numbers.txt"
    path.write_bytes("+442079460071 ext. 44\n".encode("utf-16"))
    found = objects(run("phone", "bulk", str(path), "--json"))
    assert [(one["e164"], one["extension"], one["warnings"]) for one in found] == [
        ("+442079460071", "44", "EXTENSION_CUT")
    ]
    path.write_text(("9" * 1000 + "\n") * 5000, "utf-8")
    assert "5,000 numbers, 0 valid" in run("phone", "bulk", str(path), "-o", str(tmp_path / "out"), code=6).stderr
    long = run("phone", "validate", "-", "--json", text=("9" * 1000 + "\n") * 5000, code=6)
    assert {one["reason"] for one in objects(long)} == {"INVALID_REASON_TOO_LONG"}
    assert len(objects(long)) == 5000
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    refused = run("phone", "bulk", str(path), code=7).stderr
    assert len(refused.strip().splitlines()) == 1
    assert "save it as UTF-8" in refused


def test_short_numbers_and_numbers_that_are_typed(run: Run) -> None:
    assert run("phone", "partial", "1380000", "--region", "CN").stdout.strip() == "138 0000"
    cursor = objects(run("phone", "partial", "1380000", "--region", "CN", "--cursor", "5", "--json"))
    assert cursor[0]["cursor"] == 6
    assert "emergency" in run("phone", "short", "110", "--region", "CN").stdout
    assert objects(run("phone", "short", "95588", "--region", "CN", "--json"))[0]["valid"]
    assert "no" in run("phone", "short", "12345", "--region", "GB", code=6).stdout
    run("phone", "short", "110", code=4)
    full = run("phone", "validate", "110", "--region", "CN", "--full", code=6).stdout
    assert "short number" in full
    assert "emergency" in full
    doubtful = run("phone", "validate", "1-800-FLOWERS", "--region", "US").stdout
    assert "KEYPAD_LETTERS" in doubtful
    assert "carrier may have changed" in run("phone", "validate", "+6598765432", "--full").stdout


def test_regions_of_numbers(run: Run) -> None:
    assert run("phone", "match", "020 7946 0958", "+442079460958", "--region", "GB").stdout.strip() == "EXACT_MATCH"
    other = ("phone", "match", "020 7946 0958", "020 7946 0958", "--region", "GB", "--second-region", "IT")
    run(*other, code=6)
    readings = objects(run("phone", "regions", "--number", "020 7946 0958", "--json"))
    assert "+442079460958" in {one["e164"] for one in readings}
    assert "GB" in run("phone", "regions", "--number", "+442079460958").stdout
    run("phone", "regions", "--number", "hello", code=6)
    region = run("phone", "region", "GB").stdout
    assert "TOLL_FREE" in region
    assert objects(run("phone", "region", "GB", "--json"))[0]["example_numbers"]
    run("phone", "region", "gb")
    run("phone", "region", "zz", code=4)
    found = objects(run("phone", "find", "call +442079460958", "--full", "--language", "zh", "--json"))
    assert found[0]["numbers"][0]["number"]["international_format"] == "+44 20 7946 0958"


def test_keys(run: Run, shared_server: ServerProcess) -> None:
    made = objects(run("keys", "create", "--name", "reader", "--scope", "contacts.read", "--days", "2", "--json"))[0]
    key = {"BOSSJY_TOKEN": made["secret"], "BOSSJY_TARGET": shared_server.target}
    run("contacts", "list", **key)
    refused = run("contacts", "delete", "+8613800000000", "--json", code=3, **key)
    assert json.loads(refused.stderr)["error"]["reason"] == "SCOPE_MISSING"
    listed = run("keys", "list").stdout
    assert "reader" in listed
    assert made["secret"] not in listed
    run("keys", "revoke", made["api_key"]["api_key_id"])
    run("contacts", "list", code=3, **key)


def test_erase(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(ROWS, encoding="utf-8")
    run("import", str(path), "--region", "CN", code=6)
    done = objects(run("contacts", "erase", "+8613800000000", "+8613800000001", "--purpose", "GDPR 17", "--json"))[0]
    assert (done["erased_count"], done["missing_count"]) == ("1", "1")
    assert done["erasure_id"].startswith("ers_")
    run("contacts", "get", "+8613800000000", code=4)
