"""Fuzzing of numbering: any bytes raise only documented exceptions, and all ways to ask give the same answer."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bossjy_numbering import Plan, oracle
from tests.performance.numbering.fuzz_targets import TARGETS, same_answers

ROOT = Path(__file__).parents[3]
# Arbitrary bytes, and texts that are closer to a number.
ANY = st.binary(max_size=200) | st.text("+0123456789 -().x;=/\n１２+", max_size=60).map(str.encode)


NAMED: dict[str, Callable[[bytes], None]] = {target.__name__: target for target in TARGETS}


@pytest.mark.parametrize("name", sorted(NAMED))
@pytest.mark.timeout(300)
def test_any_bytes(name: str) -> None:
    target = NAMED[name]

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(ANY)
    def hold(data: bytes) -> None:
        target(data)

    hold()


def test_an_answer_that_differs_is_seen(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = plan.number("+8613800000000")
    monkeypatch.setattr(oracle, "answer", lambda _text, _region: wrong)
    with pytest.raises(AssertionError):
        same_answers(b"\x02+8613900000000")


# Atheris exists for Linux on x86_64 only, so other systems have no such test. On that system it fails without Atheris.
if sys.platform == "linux" and platform.machine() == "x86_64":

    @pytest.mark.timeout(300)
    def test_thousands_of_bytes_that_reach_new_code(tmp_path: Path) -> None:
        module = "tests.performance.numbering.fuzz_numbering"
        arguments = ("--folder", str(tmp_path), "--seconds", "120", "--runs", "3000", "--seed", "1")
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
        assert "Done 3000 runs" in done.stderr
        assert "Instrumenting bossjy_numbering.scalar" in done.stderr
        assert len(list((tmp_path / "corpus").iterdir())) > 50
