"""Reference pages: complete, with a meaning in each row. `make check` compares them with their sources."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from bossjy.common.v1 import error_reason_pb2
from bossjy_server import errors
from bossjy_server.config import Settings, listed
from bossjy_server.service_health import AUTH, CONTACTS, IMPORTS, PHONE

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
SERVER = Path(errors.__file__).parent
# The columns of each page that may be empty.
OPTIONAL = {
    "commands": {"values"},
    "errors": {"metadata"},
    "methods": {"HTTP"},
    "metrics": {"labels"},
    "settings": {"default", "bounds"},
}


def rows(page: str) -> Iterator[dict[str, str]]:
    """The rows of all tables of a page, by the names of their columns."""
    columns: list[str] = []
    for line in (FOLDER / f"{page}.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            columns = []
        elif not columns:
            columns = cells
        elif set(cells) != {"---"}:
            yield dict(zip(columns, cells, strict=True))


def column(page: str, name: str) -> set[str]:
    return {row[name].strip("`") for row in rows(page)}


@pytest.mark.parametrize("page", OPTIONAL)
def test_each_row_is_complete(page: str) -> None:
    found = list(rows(page))
    assert found
    assert [row for row in found for name, cell in row.items() if not cell and name not in OPTIONAL[page]] == []


def test_pages_are_those_of_the_folder() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(OPTIONAL)


def test_all_settings_are_there() -> None:
    assert column("settings", "variable") == {row.name for row in listed(Settings())}
    headings = re.findall(r"^## (\w+)$", (FOLDER / "settings.md").read_text("utf-8"), re.MULTILINE)
    assert headings == [one.name for one in fields(Settings) if one.compare]


def test_all_reasons_are_there() -> None:
    names = {name.removeprefix("ERROR_REASON_") for name in error_reason_pb2.ErrorReason.keys()}  # noqa: SIM118
    assert column("errors", "reason") == names - {"UNSPECIFIED"}


def raised() -> Iterator[tuple[str, str]]:
    """Reason and code of each error that the server's sources make."""
    kinds = {name: one.kind.value for name, one in vars(errors).items() if hasattr(one, "kind")}
    for path in SERVER.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and (kind := kinds.get(ast.unparse(call.func).rpartition(".")[2])):
                for argument in (*call.args[:1], *(one.value for one in call.keywords if one.arg == "reason")):
                    module, _, reason = ast.unparse(argument).rpartition(".")
                    if module == "Reason":
                        yield reason, kind


def test_codes_are_those_that_the_server_raises() -> None:
    codes = {row["reason"].strip("`"): set(re.findall(r"`(\w+)`", row["gRPC code"])) for row in rows("errors")}
    found: dict[str, set[str]] = defaultdict(set)
    for reason, kind in raised():
        found[reason].add(kind)
    assert len(found) > 50
    assert {reason: codes[reason] for reason in found} == found


def test_all_methods_are_there() -> None:
    services = (PHONE, AUTH, CONTACTS, IMPORTS)
    assert column("methods", "method") == {method.name for service in services for method in service.methods}


def test_bounds_are_those_of_the_reader() -> None:
    workers = next(row for row in rows("settings") if row["variable"] == "`BOSSJY_WORKERS`")
    assert (workers["type"], workers["default"], workers["bounds"]) == ("whole number", "`1`", "1 to 256")
    secret = next(row for row in rows("settings") if row["variable"] == "`DATABASE_URL`")
    assert secret["type"] == "secret text"


def test_commands_of_both_programs_are_there() -> None:
    text = (FOLDER / "commands.md").read_text("utf-8")
    for command in ("bossjy import", "bossjy contacts erase", "bossjy-server serve", "bossjy-server keys rotate"):
        assert f"\n### {command}\n" in text
    (days,) = [row for row in rows("commands") if "--certificate" in row["argument"]][:1]
    assert days["values"] == "required"
