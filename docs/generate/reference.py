"""Generator of docs/reference: settings, errors, metrics, methods and commands, from the sources.

python docs/generate/reference.py            write the pages
python docs/generate/reference.py --check    exit 1 if they differ from the existing files, and list the differences
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from command_page import commands_page
from contract_pages import Contracts
from generate import described
from metric_page import metrics_page
from setting_page import settings_page

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "reference"


def pages() -> dict[str, str]:
    """The texts of the pages, by their names."""
    with tempfile.TemporaryDirectory() as folder:
        contracts = Contracts(described(Path(folder)))
    return {
        "commands.md": commands_page(),
        "errors.md": contracts.errors_page(),
        "methods.md": contracts.methods_page(),
        "metrics.md": metrics_page(ROOT / "server"),
        "settings.md": settings_page(),
    }


def differences(made: dict[str, str]) -> list[str]:
    """The files of TARGET that differ from the pages, one line a file."""
    there = {path.name: path.read_text("utf-8") for path in TARGET.glob("*") if path.is_file()}
    names = sorted({*made, *there})
    return [f"changed  docs/reference/{name}" for name in names if made.get(name) != there.get(name)]


def main() -> int:
    """Generate, or compare with the existing files. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Make docs/reference from the sources.")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if something would change")
    check = parser.parse_args().check
    os.environ["COLUMNS"] = "120"
    made = pages()
    found = differences(made)
    print("\n".join(found) or "docs/reference matches the sources")
    if check:
        return 1 if found else 0
    TARGET.mkdir(exist_ok=True)
    for name in {path.name for path in TARGET.glob("*.md")} - set(made):
        (TARGET / name).unlink()
    for name, text in made.items():
        (TARGET / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
