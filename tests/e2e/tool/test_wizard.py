"""`bossjy import --mode interactive` and the progress bar in a real terminal, as a person sees and types."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import caller_environment
from tests.e2e.tool.conftest import Run, objects
from tests.e2e.tool.terminal import CTRL_C, PtyTerminal, Terminal, TmuxTerminal

pytestmark = pytest.mark.timeout(300)

Open = Callable[..., Terminal]
RATE = r"[\d,]+ rows/s"


@pytest.fixture(
    params=[
        PtyTerminal,
        pytest.param(
            TmuxTerminal,
            marks=pytest.mark.skipif(
                shutil.which("tmux") is None, reason="tmux is not installed; the same drive runs through a pty"
            ),
        ),
    ],
    ids=["pty", "tmux"],
)
def open_tool(request: pytest.FixtureRequest, run: Run, tmp_path: Path) -> Iterator[Open]:
    """Start the tool, logged in, in a terminal of this kind."""
    opened: list[Terminal] = []

    def start(*arguments: str) -> Terminal:
        command = [sys.executable, "-m", "bossjy_client", *arguments]
        opened.append(request.param(command, caller_environment(tmp_path), tmp_path))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


def write_list(path: Path, rows: int) -> None:
    lines = ["姓名,手机号,备注\n", *(f"王{n},138{n:08d},x{n}\n" for n in range(rows)), "张三,12,\n"]
    path.write_bytes("".join(lines).encode("gb18030"))


def test_from_the_first_question_to_the_merged_import(open_tool: Open, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    write_list(path, 20_000)
    tool = open_tool("import", "--mode", "interactive")
    tool.answer("File", str(tmp_path / "missing.csv"))
    tool.wait_for("No such file")
    tool.answer("File", str(path))
    tool.wait_for("encoding +gb18030")
    tool.wait_for("手机号 +phone")
    tool.wait_for(r"\+8613800000000 +CN +MOBILE +accepted")
    tool.answer("Continue, or change something", "map")
    tool.answer("FIELD=COLUMN", "nonsense")
    tool.wait_for("write FIELD=COLUMN")
    tool.answer("Continue, or change something", "map")
    tool.answer("FIELD=COLUMN", "ignore=备注")
    tool.answer("Continue, or change something", "region")
    tool.answer("Region", "CN")
    tool.answer("Continue, or change something", "")
    tool.answer("Existing contacts", "fill")
    tool.answer("Try it first", "y")
    tool.wait_for("dry run: nothing was kept")
    tool.wait_for(r"new contacts +20,000")
    tool.wait_for(r"rejected +1")
    tool.answer("Import now", "y")
    tool.wait_for("the same without questions: bossjy import")
    tool.wait_for(RATE)
    tool.wait_for("to revert it: bossjy imports revert")
    assert "list.csv --region CN --existing fill --map 'ignore=备注'" in tool.screen().replace("\n", "")
    assert tool.end() == 6  # one row was rejected
    dry, done = sorted(objects(run("imports", "list", "--json")), key=lambda job: job["create_time"])
    assert (dry["validate_only"], done["validate_only"]) == (True, False)
    assert int(done["counts"]["inserted"]) == 20_000
    contact = objects(run("contacts", "get", "+8613800000007", "--json"))[0]
    assert (contact["name"], contact["attributes"]) == ("王7", {})


def test_the_bar_shows_rows_a_second_and_goes_on(open_tool: Open, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    write_list(path, 120_000)
    tool = open_tool("import", str(path), "--region", "CN")
    tool.wait_for(rf"list\.csv .* \d+% [\d,]+ {RATE} +0 refused +\S+ left")
    tool.type(CTRL_C)
    tool.wait_for("to resume: bossjy import")
    assert tool.end() == 130
    (cut,) = objects(run("imports", "list", "--json"))
    assert (cut["state"], int(cut["counts"]["rows_in"]) > 0) == ("IMPORT_STATE_OPEN", True)

    again = open_tool("import", str(path), "--region", "CN", "--rejects-are-fine")
    again.wait_for("resuming the interrupted run")
    assert again.end() == 0
    (done,) = objects(run("imports", "list", "--json"))
    assert int(done["counts"]["inserted"]) == 120_000


@pytest.mark.parametrize("questions", [0, 3])
def test_leaving_at_the_first_or_last_question_keeps_nothing(
    open_tool: Open, run: Run, tmp_path: Path, questions: int
) -> None:
    path = tmp_path / "list.csv"
    write_list(path, 10)
    tool = open_tool("import", "--mode", "interactive")
    asked = [("File", str(path)), ("Continue", ""), ("Existing contacts", "skip"), ("Try it first", "n")]
    for question, text in asked[:questions]:
        tool.answer(question, text)
    tool.wait_for(asked[questions][0])
    tool.type(CTRL_C)
    tool.wait_for("nothing was imported")
    assert ("without questions: bossjy import" in tool.screen()) == (questions > 0)
    assert tool.end() == 130
    assert "Traceback" not in tool.screen()
    assert objects(run("imports", "list", "--json")) == []
