from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.coverage_table import coverage_rows


def summary(statements: int, covered: int) -> dict[str, object]:
    return {
        "summary": {
            "num_statements": statements,
            "covered_lines": covered,
            "missing_lines": statements - covered,
            "percent_covered": 0.0,
        }
    }


def report(folder: Path, files: dict[str, object]) -> Path:
    path = folder / "report.json"
    path.write_text(json.dumps({"files": files}))
    return path


def test_files_are_counted_by_room(tmp_path: Path) -> None:
    files: dict[str, object] = {
        "server/bossjy_server/rpc/chain.py": summary(10, 5),
        "server/bossjy_server/rpc/deep/er.py": summary(10, 10),
        "server/bossjy_server/app.py": summary(4, 1),
        "server/bossjy_numbering/column/engine.py": summary(10, 8),
        "clients/python/bossjy_client/cli/main.py": summary(0, 0),
    }
    assert coverage_rows(report(tmp_path, files)) == [
        ("bossjy_client", 0, 0, 100.0),
        ("bossjy_numbering", 10, 2, 80.0),
        ("bossjy_server", 4, 3, 25.0),
        ("bossjy_server.rpc", 20, 5, 75.0),
        ("total", 34, 10, pytest.approx(100 * 24 / 34)),
    ]


def test_a_foreign_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no file of ours"):
        coverage_rows(report(tmp_path, {"elsewhere/a.py": summary(1, 1)}))
