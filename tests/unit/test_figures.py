from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tests.measurements import plain_table, write_figures


def test_figures_stand_at_the_top_beside_their_circumstances(tmp_path: Path) -> None:
    path = write_figures("sample", {"rows": 1_000_000, "total_s": 12.5}, folder=tmp_path)
    written = json.loads(path.read_text())
    assert path == tmp_path / "sample.json"
    assert (written.pop("rows"), written.pop("total_s")) == (1_000_000, 12.5)
    assert set(written) == {"machine", "commit", "versions", "written_time"}
    assert written["machine"]["cores"] >= 1
    assert written["machine"]["memory_mib"] > 0
    assert written["machine"]["cpu"]
    assert 0 <= written["machine"]["stolen_percent"] <= 100
    assert {"python", "grpcio", "protobuf", "phonenumbers", "numpy", "pyarrow"} <= set(written["versions"])
    assert list(tmp_path.iterdir()) == [path]


def test_a_second_measurement_replaces_the_first(tmp_path: Path) -> None:
    write_figures("sample", {"old": 1}, folder=tmp_path)
    path = write_figures("sample", {"new": 2}, folder=tmp_path)
    assert "old" not in json.loads(path.read_text())


def test_figures_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_figures("sample", {"rows": 1_000_000, "total_s": 12.5}, folder=tmp_path)
    assert capsys.readouterr().out.splitlines() == [
        "sample",
        "figure       value",
        "rows     1,000,000",
        "total_s       12.5",
    ]


def test_rows_are_printed_instead(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_figures("sample", {"a_s": 1}, rows=[("call", "p50 ms", "p99 ms"), ("Get", 0.25, 1234.5)], folder=tmp_path)
    assert capsys.readouterr().out.splitlines() == [
        "sample",
        "call  p50 ms   p99 ms",
        "Get     0.25  1,234.5",
    ]


@pytest.mark.parametrize("value", [math.nan, math.inf, True])
def test_what_is_no_number_is_refused(tmp_path: Path, value: float) -> None:
    with pytest.raises(ValueError, match="total_s is not a finite number"):
        write_figures("sample", {"total_s": value}, folder=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", "../up", "Sample", "machine", "a b"])
def test_bad_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        write_figures(name, {"a": 1}, folder=tmp_path)
    with pytest.raises(ValueError, match="not a name"):
        write_figures("sample", {name: 1}, folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_lines_of_unequal_length_are_no_table() -> None:
    with pytest.raises(ValueError, match="zip"):
        plain_table([("a", "b"), ("c",)])
