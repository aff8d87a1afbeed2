"""Rules of packages and files that a contract of import-linter cannot express. The others are in pyproject.toml."""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

SERVER = Path(__file__).resolve().parents[2] / "server"
SERVICE = SERVER / "bossjy_server"
FEATURES = ("auth", "contacts", "imports", "phone")
# Modules of the numbering for callers with Arrow, and its adapters to engines.
ON_ARROW = ("answer_columns", "arrow", "cleaning", "duckdb", "polars", "ray", "spark")
# Files of one kind have the same name in each feature. All other names are unique in the service.
KINDS = {"__init__", "answers", "convert", "filters", "options", "records", "requests", "service", "servicer"}
KINDS |= {"metrics", "statements", "store", "threads"}
# Interceptors have the name of their subject, as the modules that they use.
INTERCEPTORS = {"errors", "tracing"}
# Tables of one package are named by no other. The reasons of these exceptions:
SHARED_TABLES = {
    # An import writes contacts.
    "contacts": {"contacts", "imports"},
    # An erasure deletes the rows of a person from imports, too.
    "imports": {"contacts", "imports", "storage"},
    "import_changes": {"contacts", "imports"},
    "import_duplicates": {"contacts", "imports"},
    "import_rejects": {"contacts", "imports"},
    "revert_conflicts": {"contacts", "imports"},
    # Each write reads the authority of its caller again in its own transaction.
    "api_keys": {"auth", "storage"},
    "sessions": {"auth", "storage"},
    "users": {"auth", "storage"},
    # All features add audit events; an import is counted for its tenant.
    "audit_events": {"auth", "storage"},
    "tenants": {"auth", "imports", "storage"},
}
SQL = re.compile(r"\b(SELECT\s|INSERT INTO\s|UPDATE\s+[\w.]+\s+SET\s|DELETE FROM\s)")


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker reads."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield from nodes(child)


def imported(found: Iterator[ast.AST]) -> set[str]:
    """The modules that import statements name, in full."""
    names = set()
    for node in found:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return names


def files_where(folder: Path, broken: Callable[[Path, ast.Module], bool]) -> list[str]:
    """The files below a folder for which `broken` says yes."""
    files = sorted(folder.rglob("*.py"))
    assert files, f"nothing to look at in {folder}"
    return [str(path.relative_to(SERVER)) for path in files if broken(path, tree_of(path))]


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def test_the_numbering_plan_is_imported_with_numpy_and_phonenumbers_alone() -> None:
    # Arrow is imported where a caller brings Arrow, and by the modules that are for such callers.
    allowed = sys.stdlib_module_names | {"bossjy_numbering", "numpy", "phonenumbers"}

    def broken(path: Path, tree: ast.Module) -> bool:
        at_import = imported(node for node in nodes(tree) if node in tree.body)
        needs = {name.partition(".")[0] for name in at_import} - allowed
        for_arrow = {f"bossjy_numbering.{name}" for name in ON_ARROW} & at_import
        return bool(needs - {"pyarrow"} if path.stem in ON_ARROW else for_arrow or needs)

    assert files_where(SERVER / "bossjy_numbering", broken) == []


def test_messages_stop_at_the_servicer() -> None:
    # requests: what a request's field mask and messages mean, for all methods of auth;
    # columns: parallel columns and Arrow of a stream, converted without a step by row; basic: single answers as bytes;
    # answers: batches and messages of streams, made in steps;
    # pages: page sizes and tokens of all lists are read from the request and its descriptor.
    converts = {"servicer", "convert", "requests", "columns", "basic", "answers", "pages"}

    def broken(path: Path, tree: ast.Module) -> bool:
        messages = [name for name in imported(nodes(tree)) if re.match(r"(bossjy|google\.protobuf)(\.|$)", name)]
        return bool(messages) and path.stem not in converts

    for feature in (*FEATURES, "storage"):
        assert files_where(SERVICE / feature, broken) == []


def test_sql_stops_at_the_store() -> None:
    # merge, supersede, former, overwrite, revert: set-wise statements are what merging and taking back are;
    # registration: one table of its own; statements: what a filter of contacts is in SQL.
    stores = re.compile(r"(\w+_)?store|merge|supersede|former|overwrite|revert|registration|statements")

    def broken(path: Path, tree: ast.Module) -> bool:
        texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        speaks = any(isinstance(text, str) and SQL.search(text) for text in texts)
        asks = "asyncpg" in imported(nodes(tree))
        inside = path.is_relative_to(SERVICE / "storage") or stores.fullmatch(path.stem)
        return (speaks or asks) and not inside

    assert files_where(SERVICE, broken) == []


def test_nothing_runs_on_the_default_executor() -> None:
    # It is one queue for all features: `blocking.in_thread`, or a feature's own threads. demo is a client.
    def broken(path: Path, tree: ast.Module) -> bool:
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        default = [
            call
            for call in calls
            if isinstance(call.func, ast.Attribute)
            and call.func.attr == "run_in_executor"
            and isinstance(call.args[0], ast.Constant)
        ]
        named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        named |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
        used = bool(default) or bool(named & {"to_thread", "set_default_executor"})
        return used and not path.is_relative_to(SERVICE / "demo")

    assert files_where(SERVICE, broken) == []


def test_the_environment_is_read_by_the_settings_alone() -> None:
    # cli hands it to them; enrich.build hands it on to the process that it starts.
    def broken(path: Path, tree: ast.Module) -> bool:
        reads = any(isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"} for node in ast.walk(tree))
        return reads and path.stem not in {"build", "cli", "config"}

    assert files_where(SERVER, broken) == []


def test_imports_name_the_whole_path() -> None:
    def broken(_: Path, tree: ast.Module) -> bool:
        return any(name.startswith(".") for name in imported(nodes(tree)))

    assert files_where(SERVER, broken) == []


def test_files_are_named_for_what_they_are() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
    assert [str(path) for path in SERVER.rglob("*") if path.stem in vague] == []


def test_a_table_is_named_by_one_package() -> None:
    schema = (SERVER.parent / "deploy/init.sql").read_text("utf-8")
    tables = set(re.findall(r"CREATE TABLE IF NOT EXISTS bossjy\.(\w+)", schema))
    named = defaultdict(set)
    for path in SERVICE.rglob("*.py"):
        texts = [node.value for node in ast.walk(tree_of(path)) if isinstance(node, ast.Constant)]
        for text in texts:
            for table in re.findall(r"bossjy\.(\w+)\b(?!\.v1)", text) if isinstance(text, str) else ():
                named[table].add(path.relative_to(SERVICE).parts[0])
    assert tables
    assert {
        table: named[table] for table in tables if len(named[table]) != 1 or table in SHARED_TABLES
    } == SHARED_TABLES


def test_a_file_name_has_one_meaning() -> None:
    paths = defaultdict(list)
    for path in sorted(SERVICE.rglob("*.py")):
        paths[path.stem].append(str(path.relative_to(SERVICE)))
    assert {stem: found for stem, found in paths.items() if len(found) > 1 and stem not in KINDS | INTERCEPTORS} == {}
