"""Messages of the tool, collected from its sources: the texts that need a Chinese translation."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from bossjy_client.cli.arguments.common import parser
from bossjy_client.cli.examples import EXAMPLE_TITLES
from bossjy_client.cli.importing.summary import all_hints
from bossjy_client.cli.parsing import message_texts, texts_of

CLIENT = Path(__file__).parents[3] / "clients" / "python" / "bossjy_client"
# Functions that translate their first argument, and names of variables that have headings.
_TRANSLATE = frozenset({"tr", "say"})
_HEADINGS = frozenset({"heads", "names", "_COLUMNS"})


def sources() -> list[Path]:
    """The modules with messages."""
    return [*sorted((CLIENT / "cli").rglob("*.py")), CLIENT / "import_advice.py"]


def message_ids() -> set[str]:
    """All English texts that the tool shows in the language of its user."""
    found = texts_of(parser()) | {*EXAMPLE_TITLES, *message_texts(), *all_hints()}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            found.update(_of(node))
    return {text for text in found if text}


def _of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id in _HEADINGS for one in node.targets):
        yield from _heads(node.value)
    if not isinstance(node, ast.Call):
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in _TRANSLATE and isinstance(node.args[0], ast.Constant):
        yield str(node.args[0].value)
    elif name == "table":
        yield from _heads(node.args[0])
        yield from (str(one.value.value) for one in node.keywords if isinstance(one.value, ast.Constant))
    elif name == "pairs":
        for part in ast.walk(node):
            if isinstance(part, ast.Tuple) and len(part.elts) == 2 and isinstance(part.elts[0], ast.Constant):
                yield str(part.elts[0].value)


def _heads(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Tuple):
        yield from (str(one.value).removesuffix("#") for one in value.elts if isinstance(one, ast.Constant))
