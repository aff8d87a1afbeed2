from __future__ import annotations

from pathlib import Path

import pytest

from bossjy_numbering import Plan, load_plan


@pytest.fixture(scope="session")
def plan() -> Plan:
    # Built once for the checkout; tables of another version are never read.
    return load_plan(Path(__file__).parents[3] / "build" / "plan")
