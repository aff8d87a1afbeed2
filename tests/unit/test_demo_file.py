from __future__ import annotations

import csv
import importlib
import io
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import phonenumbers
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "demo"
CONTACTS = FOLDER / "contacts.csv"
PROGRAM = FOLDER / "make_contacts.py"


@pytest.fixture
def make_contacts(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(FOLDER)
    return importlib.import_module("make_contacts")


def made(*arguments: str) -> bytes:
    return subprocess.run([sys.executable, PROGRAM, *arguments], capture_output=True, check=True, timeout=50).stdout


def answer(text: str) -> str:
    """E.164 of a valid number as a Chinese list means it; empty for anything else."""
    try:
        number = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        return ""
    valid = phonenumbers.is_valid_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if valid else ""


def test_the_file_is_what_the_program_makes() -> None:
    assert made("--output", "-") == CONTACTS.read_bytes()


def test_the_file_holds_ten_thousand_rows_of_five_cells() -> None:
    with CONTACTS.open(encoding="utf-8", newline="") as text:
        header, *rows = csv.reader(text, strict=True)
    assert header == ["姓名", "手机号", "邮箱", "城市", "备注"]
    assert len(rows) == 10_000
    assert {len(row) for row in rows} == {5}
    notes = [row[4] for row in rows]
    for sign in ',"\n':
        assert sum(sign in note for note in notes) > 100
    cells = Counter(row[1] for row in rows)
    assert cells[""] > 20
    for damage in ("E+10", ".0", "'", "****", "０", "\u202d", "ext."):
        assert sum(count for cell, count in cells.items() if damage in cell) > 10, damage


def test_each_row_is_what_it_is_said_to_be(make_contacts: Any) -> None:
    kinds: Counter[str] = Counter()
    seen: set[str] = set()
    for kind, number, line in make_contacts.contact_rows(make_contacts.ROWS, make_contacts.SEED):
        (cells,) = csv.reader(io.StringIO(line, newline=""), strict=True)
        said = answer(cells[1])
        kinds[kind] += 1
        if kind in {"good", "double"}:
            assert said == number, cells
            assert (number in seen) == (kind == "double"), cells
            seen.add(number)
        else:
            assert said == "", cells
        if kind == "repairable":
            assert cells[1].endswith(".0")
            assert answer(cells[1].removesuffix(".0")) == number
            assert number not in seen
            seen.add(number)
    assert 500 <= kinds["double"] <= 700
    assert 250 <= kinds["bad"] <= 350
    assert 50 <= kinds["repairable"] <= 150
    assert 25 <= kinds["lost"] <= 75
    assert kinds.total() == 10_000
    assert len({phonenumbers.region_code_for_number(phonenumbers.parse(number)) for number in seen}) >= 18


def test_rows_and_seed_decide_over_the_bytes() -> None:
    first, again, other = (made("--rows", "5000", "--seed", seed, "--output", "-") for seed in ("7", "7", "8"))
    assert first == again != other
    with io.StringIO(first.decode(), newline="") as text:
        assert sum(1 for _ in csv.reader(text)) == 5001


def test_numbers_come_once_until_all_are_used_up(make_contacts: Any) -> None:
    pools = {
        "calling_code": "999",
        "groups": [2, 1],
        "names": "latin",
        "cities": [],
        "blocks": [{"prefixes": ["12", "34"], "free": 1}, {"prefixes": ["5"], "free": 2}],
    }
    plan = make_contacts.Plan(pools, 0.5)
    first, second = ({plan.next_digits() for _ in range(20)}, {plan.next_digits() for _ in range(100)})
    assert first == {f"{prefix}{digit}" for prefix in ("12", "34") for digit in range(10)}
    assert second == {f"5{rest:02d}" for rest in range(100)}


def test_a_reader_may_stop_early() -> None:
    with subprocess.Popen(
        [sys.executable, PROGRAM, "--rows", "1000000", "--output", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stdout.readline().decode().startswith("姓名")
        program.stdout.close()
        assert program.stderr.read() == b""
    assert program.returncode == 0
