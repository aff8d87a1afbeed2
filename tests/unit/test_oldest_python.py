"""The oldest Python that the packages allow: the tools check for it, and so does this for what they cannot see."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("server", "clients/python/bossjy_client", "deploy", "monitoring", ".ci", "tests")
ENUM = re.compile(r"^class (\w+)\((?:\w+\.)*(?:Str|Int)?(?:Enum|Flag)\b", re.MULTILINE)


def project(folder: str) -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads((ROOT / folder / "pyproject.toml").read_text("utf-8"))


def test_the_type_checker_and_the_linter_look_with_the_oldest_python() -> None:
    tools = project(".")["tool"]
    oldest = tools["mypy"]["python_version"]
    assert tools["ruff"]["target-version"] == "py" + oldest.replace(".", "")
    for folder in ("server", "clients/python"):
        allowed = SpecifierSet(project(folder)["project"]["requires-python"])  # type: ignore[arg-type]
        assert f"{oldest}.0" in allowed
        major, minor = map(int, oldest.split("."))
        assert f"{major}.{minor - 1}.99" not in allowed


def name_of(node: ast.expr) -> str:
    """The last name of `Role`, `scopes.Role`; empty for another expression."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def asked(text: str, enums: set[str]) -> list[int]:
    """The lines that ask whether something is in an Enum: before Python 3.12 that raises TypeError for a plain value.

    A type checker cannot see it where the value's type is not known, as in what was JSON.
    """
    if not re.search(rf"\bin\s+(\w+\.)*({'|'.join(enums)})\b", text):
        return []
    return [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Compare)
        for operator, right in zip(node.ops, node.comparators, strict=True)
        if isinstance(operator, ast.In | ast.NotIn) and name_of(right) in enums
    ]


def test_no_value_is_looked_for_in_an_enum() -> None:
    texts = {path: path.read_text("utf-8") for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))}
    enums = {name for text in texts.values() for name in ENUM.findall(text)}
    assert {"Role", "Reason", "ContactField"} <= enums
    found = [f"{path.relative_to(ROOT)}:{line}" for path, text in texts.items() for line in asked(text, enums)]
    assert found == []


def test_the_search_finds_what_it_is_for() -> None:
    text = "class Role(StrEnum): A = 1\nclaims['role'] not in Role\nRole.A in scopes.Role\nx in y\n[x for x in Role]"
    assert ENUM.findall(text) == ["Role"]
    assert asked(text, {"Role"}) == [2, 3]
