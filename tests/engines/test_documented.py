"""Each example of docs/engines.md writes the same rows: all, one for each valid number, and the refused ones."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "engines.md"
EXAMPLES = dict(re.findall(r"^## (\w+)\n\n```python\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL))
STARTED = {"Spark": "spark", "Ray": "ray_cluster"}


def written(folder: Path, name: str) -> list[dict[str, Any]]:
    path = folder / name if (folder / name).exists() else folder / f"{name}.parquet"
    rows: list[dict[str, Any]] = ds.dataset(path).to_table().to_pylist()
    return sorted(rows, key=lambda row: int(row["id"]))


def test_every_engine_has_an_example() -> None:
    assert set(EXAMPLES) == {"Arrow", "Polars", "DuckDB", "Spark", "Ray"}


@pytest.fixture
def work(lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the lake as the current folder."""
    folder = tmp_path / "work"
    shutil.copytree(lake, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("engine", EXAMPLES)
@pytest.mark.filterwarnings("ignore")  # the engines' own
def test_the_example_writes_what_the_core_answers(
    engine: str, work: Path, expected: list[dict[str, Any]], request: pytest.FixtureRequest
) -> None:
    code = EXAMPLES[engine]
    if engine in STARTED:
        request.getfixturevalue(STARTED[engine])
        # Their processes may have another current folder.
        code = re.sub(r'"(lake|cleaned|accepted|rejects)"', lambda name: f'"{work / name[1]}"', code)
    exec(compile(code, f"docs/engines.md, {engine}", "exec"), {})  # noqa: S102  # our own documentation
    assert written(work, "cleaned") == expected
    valid = [row for row in expected if row["phone_valid"]]
    assert written(work, "rejects") == [row for row in expected if not row["phone_valid"]]
    accepted = written(work, "accepted")
    assert Counter(row["phone_e164"] for row in accepted) == Counter({row["phone_e164"] for row in valid})
    assert all(row == expected[row["id"]] for row in accepted)
    assert len(accepted) < len(valid) < len(expected)
