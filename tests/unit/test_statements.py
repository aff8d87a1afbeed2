"""The page of the statements, compared with the tests that prove them."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

from tests.statements.report import STATEMENTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "statements.md").read_text("utf-8")
_ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.*?) \|$", re.MULTILINE)


def proving_files() -> dict[int, set[str]]:
    """Number of a statement → the files with its tests."""
    found: dict[int, set[str]] = defaultdict(set)
    for path in (ROOT / "tests" / "statements").glob("test_*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("mark.statement"):
                found[ast.literal_eval(call.args[0])].add(path.name)
    return found


def test_the_page_has_every_statement_once_in_order() -> None:
    assert [int(number) for number, _, _ in _ROW.findall(PAGE)] == list(STATEMENTS)
    texts = [text for _, text, _ in _ROW.findall(PAGE)]
    assert len(set(texts)) == len(texts)


def test_the_page_names_the_files_that_prove_each_statement() -> None:
    named = {int(number): set(re.findall(r"statements/(\w+\.py)", files)) for number, _, files in _ROW.findall(PAGE)}
    assert named == proving_files()


def test_the_programs_of_the_budgets_are_targets() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    programs = set(re.findall(r"`make ([a-z-]+)`", PAGE))
    assert programs > {"bench-unary", "bench-phone"}
    assert [name for name in programs if f"\n{name}: " not in makefile] == []
