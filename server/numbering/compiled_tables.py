"""Build hook of the wheel bossjy-numbering: adds the package, and the compiled tables of the plan, carriers and places.

A process that uses the wheel then builds nothing and needs no folder that it can write. An editable installation gets
no tables: it builds them once in the cache folder, as it always did.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledTables(BuildHookInterface[Any]):
    """Adds `bossjy_numbering`, and its tables as `bossjy_numbering/compiled/*.tables`."""

    PLUGIN_NAME = "custom"
    _folder: TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before the build: compiles the tables into a temporary folder, and lists them as files of the wheel."""
        if version == "editable":
            return
        # The builder of the tables is the package itself, which is not installed yet.
        server = Path(self.root).parent
        sys.path.insert(0, str(server))
        try:
            from bossjy_numbering import plan  # noqa: PLC0415  # after the path is set
            from bossjy_numbering.cache import write  # noqa: PLC0415  # as above
            from bossjy_numbering.enrich import build  # noqa: PLC0415  # as above
        finally:
            sys.path.pop(0)
        self._check_version()
        self._folder = TemporaryDirectory(prefix="bossjy-tables-")
        folder = Path(self._folder.name)
        plan.write_tables(folder / plan.tables_name())
        write(folder / build.tables_name(), *build.build())
        build_data["force_include"][str(server / "bossjy_numbering")] = "bossjy_numbering"
        for path in folder.iterdir():
            build_data["force_include"][str(path)] = f"bossjy_numbering/compiled/{path.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """After the build: removes the temporary folder."""
        if self._folder is not None:
            self._folder.cleanup()

    def _check_version(self) -> None:
        from bossjy_numbering.oracle import VERSION  # noqa: PLC0415  # after the path is set

        stated = self.metadata.version.partition("+plan.")[2]
        if stated != VERSION:
            raise ValueError(
                f"the version in {self.root}/pyproject.toml names plan {stated}, but phonenumbers {VERSION} is "
                f"installed: write +plan.{VERSION}, there and as the required version of phonenumbers"
            )
