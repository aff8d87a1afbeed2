from __future__ import annotations

from pathlib import Path

import pytest

from bossjy_numbering import Plan, load_plan


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("numbering")


@pytest.fixture(scope="session")
def plan(cache_dir: Path) -> Plan:
    return load_plan(cache_dir)
