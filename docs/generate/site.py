"""Builder of the documentation site: the committed documents, and the files that they link to, in build/site.

python docs/generate/site.py MKDOCS    MKDOCS is the program of the environment with mkdocs-material
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "build" / "site-source"
_LINK = re.compile(r"\]\(([^)\s#:]+)(?:#[^)\s]*)?\)")


def documents() -> list[Path]:
    """The committed documents."""
    listed = subprocess.run(
        ["git", "ls-files", "*.md"],  # noqa: S607 - of the system
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.splitlines() if not name.startswith(".github/")]


def stage(documents: list[Path]) -> None:
    """Copy the documents and the files that they link to, in the same places. A linked folder becomes its README."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    for document in documents:
        _copy(document)
        for link in _LINK.findall(document.read_text("utf-8")):
            target = (document.parent / link).resolve()
            if target.is_file() and target.suffix != ".md":
                _copy(target)


def _copy(path: Path) -> None:
    target = SOURCE / path.relative_to(ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


def main() -> int:
    """Build. Returns the exit status of mkdocs, which is not 0 for a broken link."""
    stage(documents())
    config = Path(__file__).with_name("mkdocs.yml")
    command = [sys.argv[1], "build", "--strict", "-f", str(config)]
    return subprocess.run(command, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
