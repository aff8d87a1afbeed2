"""The wheel bossjy-numbering: its content, and its use where nothing can be written and nothing else is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import phonenumbers
import pytest

import bossjy_numbering
from bossjy_numbering.cache import COMPILED

ROOT = Path(__file__).resolve().parents[3]
PROJECT = ROOT / "server" / "numbering"
# Loads the plan and answers, with a home that does not exist and no other way to build tables.
PROGRAM = """
import sys
import bossjy_numbering, bossjy_numbering.plan as plan
print(bossjy_numbering.__file__)
print(sum(name.startswith("phonenumbers.data.region_") for name in sys.modules))
plan.compile_plan = plan.installed_rules = None
loaded = bossjy_numbering.load_plan()
print(loaded.column(["+8613800138000", "none"]).e164, loaded.version)
print(sum(name.startswith("phonenumbers.data.region_") for name in sys.modules))
from bossjy_numbering.enrich import enrichment
enrichment.build_aside = None
print(enrichment.load_enrichment().place(loaded.number("+4989123456"), "en"))
print(sorted({name.partition(".")[0] for name in sys.modules} & {"pyarrow", "bossjy_server", "grpc", "google"}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, timeout=240)
    (built,) = folder.glob("*.whl")
    return built


def test_it_contains_the_package_and_the_tables_of_its_version(wheel: Path) -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert version.endswith(f"+plan.{phonenumbers.__version__}")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        described = message_from_bytes(archive.read(f"bossjy_numbering-{version}.dist-info/METADATA"))
    assert sum(name.endswith(".tables") for name in names) == 2
    assert {"bossjy_numbering/py.typed", "bossjy_numbering/region_words.txt", "bossjy_numbering/plan.py"} <= names
    needs = [need.partition(";")[0] for need in described.get_all("Requires-Dist", []) if "extra" not in need]
    assert sorted(need.partition(">")[0] for need in needs) == ["numpy", "phonenumbers"]
    assert all(name.startswith("bossjy_numbering") for name in names)
    assert not any("__pycache__" in name for name in names)


def test_a_checkout_is_used_as_it_is() -> None:
    assert Path(bossjy_numbering.__file__).parent == ROOT / "server" / "bossjy_numbering"
    assert not COMPILED.exists()


def test_it_needs_no_writable_home_and_reads_no_metadata_for_plain_numbers(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    # The copy in the wheel is not measured: it is no file of the checkout.
    usual = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    environment = {**usual, "PYTHONPATH": str(tmp_path / "site"), "HOME": "/proc/none"}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        str(tmp_path / "site" / "bossjy_numbering" / "__init__.py"),
        "0",
        f"['+8613800138000', ''] {phonenumbers.__version__}",
        "0",
        "Munich",
        "[]",
    ]
