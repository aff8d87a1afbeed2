"""A few trials of `make prove-import`: each row counts once, for kills of any process at any moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.performance.imports.prove_import import prove
from tests.performance.imports.rig import Fault

TRIALS = 14


@pytest.mark.timeout(400)
async def test_killed_at_random_moments_each_row_counts_once(tmp_path: Path) -> None:
    figures, bad = await prove(TRIALS, seed=3, minutes=5, folder=tmp_path, rows=1500)
    assert [trial.differences.lines for trial in bad] == []
    assert figures["trials"] == TRIALS
    # The trials hit, each in its way, and were compared after each hit.
    kills = figures["postgres_kills"] + figures.get("backend_kills", 0)
    struck = (
        figures["server_kills"],
        figures["client_kills"],
        kills,
        figures["connections_cut"],
        figures["server_stalls"],
        figures["pipe_pauses"],
    )
    assert len(struck) == len(Fault)
    assert min(struck) >= 2
    assert figures["comparisons"] >= 2 * TRIALS
