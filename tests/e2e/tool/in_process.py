"""The tool `bossjy` in the test's own process, for tests with many commands."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from bossjy_client.cli import main
from tests.e2e.conftest import caller_environment


def run_tool(
    folder: Path, *arguments: str, code: int = 0, text: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the tool in this process: a start of Python costs half a second."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        for name in {*os.environ} - {*(environment := caller_environment(folder) | more)}:
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(sys, "stdin", io.StringIO(text))
        with redirect_stdout(out), redirect_stderr(err):
            ended = main(arguments)
    done = subprocess.CompletedProcess(arguments, ended, out.getvalue(), err.getvalue())
    assert ended == code, done
    return done
