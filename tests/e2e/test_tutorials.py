"""Tutorials: the form of their steps. test_demo.py runs them against the demonstration."""

from __future__ import annotations

import re

import pytest

from tests.e2e.conftest import ROOT
from tests.e2e.readme import READMES, commands, python_program
from tests.e2e.tutorials import TUTORIALS, Step, first_missing, steps


def test_make_run_is_the_first_step_and_starts_the_demonstration() -> None:
    assert [steps(name)[0] for name in TUTORIALS] == [Step("make run\n")] * 2
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("\nrun: ")[2].splitlines()[1]
    assert recipe.startswith("\t@.venv/bin/bossjy-server demo ")


def test_both_tutorials_have_the_same_commands() -> None:
    command = re.compile(r"\.venv/bin/bossjy (login|whoami|import|(?:phone|imports|contacts) [a-z]+)\b")
    used = [command.findall("".join(step.commands for step in steps(name))) for name in TUTORIALS]
    assert used[0]
    assert used[0] == used[1]


@pytest.mark.parametrize("name", TUTORIALS)
def test_each_step_but_the_first_shows_its_result(name: str) -> None:
    assert [step.commands for step in steps(name)[1:] if not step.shown] == []


def test_a_missing_line_is_found() -> None:
    assert first_missing("a …\nb\n", "x\na  1\ny\nb\n") is None
    assert first_missing("b\na …\n", "x\na  1\ny\nb\n") == "a …"


def test_both_readmes_have_the_same_commands_and_program() -> None:
    assert len({commands(name) for name in READMES}) == 1
    assert len({python_program(name) for name in READMES}) == 1
    assert commands(READMES[0]).count(".venv/bin/bossjy ") == 5
    assert ".venv/bin/grpcurl" in commands(READMES[0])
