"""Generator of bossjy_client/clients.pyi: the types of both clients, from the methods of the asynchronous one.

Each method of AsyncClient's parts gets the keywords `timeout`, `metadata` and `request_id`, as `call_options.py` adds
them at run time. SyncClient's methods return the results themselves, and iterators in place of asynchronous ones.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bossjy_client.call_options import NAMES
from bossjy_client.client import PARTS, AsyncClient
from bossjy_client.config import ClientConfig
from bossjy_client.connection import Connection

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "clients" / "python" / "bossjy_client" / "clients.pyi"
HEAD = "# Made by `make generate` from the methods of AsyncClient. Do not edit.\n# ruff: noqa: A002, ASYNC109\n"
OPTIONS = {"timeout": "float | None = ...", "metadata": "CallMetadata | None = ...", "request_id": "str = ..."}
FIRST = """
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeAlias

from bossjy_client import client as _client
"""
ALIAS = """
CallMetadata: TypeAlias = Mapping[str, str | bytes] | Sequence[tuple[str, str | bytes]]
"""
# The methods of SyncClient that are not those of AsyncClient.
SYNC = """
    def close(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
"""


class Types:
    """The text of the stub, and the imports that its annotations need."""

    def __init__(self) -> None:
        self.imports: dict[str, str] = {}

    def text(self) -> str:
        """The whole stub."""
        client = AsyncClient(Connection("127.0.0.1:1", ClientConfig()))
        parts = {name: type(getattr(client, name)) for name in PARTS}
        classes = [text for part in parts.values() for text in self._part(part)]
        asynchronous = [f"    {name}: Async{part.__name__}" for name, part in parts.items()]
        synchronous = [f"    {name}: Sync{part.__name__}" for name, part in parts.items()]
        own = [self._method(name, method, is_sync=True) for name, method in own_methods()]
        classes.append("\n".join(["class AsyncClient(_client.AsyncClient):", *asynchronous]))
        classes.append("\n".join(["class SyncClient:", *synchronous, *own]) + SYNC)
        lines = "\n".join(sorted(set(self.imports.values())))
        return (
            f"{HEAD}{FIRST}{lines}\n{ALIAS}\n" + "\n\n".join(classes) + '\n\n__all__ = ["AsyncClient", "SyncClient"]\n'
        )

    def _part(self, part: type) -> Iterator[str]:
        """A part of the client in both forms."""
        base = part.__mro__[1]
        self._import(base.__name__, f"from {base.__module__} import {base.__name__} as {base.__name__}")
        methods = [one for one in inspect.getmembers(part, inspect.isfunction) if not one[0].startswith("_")]
        for is_sync, head in (
            (False, f"class Async{part.__name__}({part.__name__}):"),
            (True, f"class Sync{part.__name__}:"),
        ):
            yield "\n".join(
                [head, *(self._method(name, method, is_sync=is_sync, options=True) for name, method in methods)]
            )

    def _method(self, name: str, method: Callable[..., Any], *, is_sync: bool, options: bool = False) -> str:
        method = inspect.unwrap(method)
        signature = inspect.signature(method)
        words, star = ["cls" if is_class_method(method) else "self"], False
        for one in list(signature.parameters.values())[1:]:
            if one.kind is one.KEYWORD_ONLY and not star:
                words.append("*")
                star = True
            annotation = self._annotation(method, str(one.annotation))
            if is_sync:
                annotation = annotation.replace("AsyncIterator[", "Iterable[")
            words.append(f"{one.name}: {annotation}" + ("" if one.default is one.empty else " = ..."))
        added = (
            [f"{option}: {OPTIONS[option]}" for option in NAMES if option not in signature.parameters]
            if options
            else []
        )
        words += ["*", *added] if added and not star else added
        returned = self._annotation(method, str(signature.return_annotation))
        is_iterator = inspect.isasyncgenfunction(method)
        head = "async def" if not is_sync and not is_iterator else "def"
        if is_sync:
            returned = returned.replace("AsyncIterator[", "Iterator[")
        lines = [f"    {head} {name}({', '.join(words)}) -> {returned}: ..."]
        if is_class_method(method):
            lines.insert(0, "    @classmethod")
        if is_property(name):
            lines.insert(0, "    @property")
        return "\n".join(lines)

    def _annotation(self, method: Callable[..., Any], annotation: str) -> str:
        """The annotation as the source has it, whose names are imported."""
        source = sys.modules[method.__module__]
        known = imported_names(Path(source.__file__ or ""))
        for node in ast.walk(ast.parse(annotation, mode="eval")):
            if isinstance(node, ast.Name) and not hasattr(builtins, node.id):
                self._import(node.id, known.get(node.id, f"from {method.__module__} import {node.id}"))
        return annotation

    def _import(self, name: str, line: str) -> None:
        if self.imports.setdefault(name, line) != line:
            raise SystemExit(f"generate: two modules of the client use the name {name} for different things")


def own_methods() -> Iterator[tuple[str, Any]]:
    """The public methods of the client itself, but `close`."""
    for name, value in vars(AsyncClient).items():
        if not name.startswith("_") and name != "close":
            yield name, value.fget if isinstance(value, property) else getattr(value, "__func__", value)


def is_class_method(method: Callable[..., Any]) -> bool:
    """True for `connect`."""
    return next(iter(inspect.signature(method).parameters)) == "cls"


def is_property(name: str) -> bool:
    """True for a property of the client itself."""
    return isinstance(vars(AsyncClient).get(name), property)


def imported_names(path: Path) -> dict[str, str]:
    """The import of each name that a module imports."""
    found = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            for alias in node.names:
                found[alias.asname or alias.name] = f"from {node.module} import {alias.name}" + (
                    f" as {alias.asname}" if alias.asname else ""
                )
        elif isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name] = f"import {alias.name}"
    return found


def client_types() -> str:
    """The stub, in the form of the formatter."""
    ruff = Path(sys.executable).parent / "ruff"
    text = Types().text()
    for command in (("check", "--fix-only", "--quiet", "--select", "I"), ("format", "--quiet")):
        done = subprocess.run(
            [str(ruff), *command, "--stdin-filename", str(TARGET), "-"],
            input=text,
            text=True,
            capture_output=True,
            check=True,
            cwd=ROOT,
        )
        text = done.stdout
    return text


def main() -> int:
    """Write the stub, or print the name of the file if `--check` finds another one. Returns the exit status."""
    text, check = client_types(), sys.argv[1:] == ["--check"]
    if TARGET.exists() and TARGET.read_text("utf-8") == text:
        return 0
    print(f"changed  {TARGET.relative_to(ROOT)}")
    if not check:
        TARGET.write_text(text, "utf-8")
    return 1 if check else 0


if __name__ == "__main__":
    sys.exit(main())
