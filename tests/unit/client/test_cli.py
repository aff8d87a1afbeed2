from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bossjy.imports.v1 import import_pb2
from bossjy_client import (
    BossjyError,
    ConflictError,
    CredentialsError,
    SourceError,
    UnauthenticatedError,
    UnavailableError,
    UploadError,
)
from bossjy_client.cli import main
from bossjy_client.cli.arguments.common import parse, parser
from bossjy_client.cli.examples import EXAMPLES
from bossjy_client.cli.exit_codes import DoubtfulError, ExitCode, UsageError, exit_code
from bossjy_client.cli.files import write_file
from bossjy_client.cli.importing.options import command_line, spec_of
from bossjy_client.cli.importing.pending import PendingImport
from bossjy_client.cli.importing.summary import identity_holds
from bossjy_client.cli.output import escape
from bossjy_client.cli.parsing import CommandLineError
from bossjy_client.credentials import Login
from bossjy_client.places import config_folder, state_folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("BOSSJY_TOKEN", "BOSSJY_TARGET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CredentialsError("x"), ExitCode.CREDENTIALS),
        (UnauthenticatedError("x", code="UNAUTHENTICATED"), ExitCode.CREDENTIALS),
        (UnavailableError("x", code="UNAVAILABLE"), ExitCode.UNREACHED),
        (UploadError("x", code="INTERNAL"), ExitCode.UNREACHED),
        (ConflictError("x", code="ABORTED"), ExitCode.REFUSED),
        (SourceError("x"), ExitCode.SOURCE),
        (UsageError("x"), ExitCode.USAGE),
        (DoubtfulError("x"), ExitCode.DOUBTFUL),
        (BossjyError("x", code="INTERNAL"), ExitCode.FAULT),
        (BossjyError("x", code="UNIMPLEMENTED"), ExitCode.REFUSED),
    ],
)
def test_the_exit_code_depends_on_the_error(error: BossjyError, code: ExitCode) -> None:
    assert exit_code(error) is code


def test_exit_codes_are_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")
    shown = parser().format_help()
    for code in ExitCode:
        assert f"| {code.value} |" in text
        assert f"  {code.value}  " in shown


@pytest.mark.parametrize(
    "arguments",
    [
        ["phone"],
        ["phone", "validate"],
        ["nonsense"],
        ["import", "x.csv", "--existing", "maybe"],
        ["import", "x.csv", "--parts", "65"],
        ["contacts", "export", "--format", "pdf", "-o", "x"],
    ],
)
def test_wrong_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == ExitCode.USAGE
    assert re.fullmatch(r"bossjy: .+\nsee bossjy .*--help\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    "arguments",
    [
        ["import"],
        ["import", "-", "-"],
        ["import", "x.csv", "--map", "a"],
        ["import", "x", "--map", "a=b"],
        ["import", "--mode", "interactive"],
    ],
)
def test_import_that_cannot_be(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == ExitCode.USAGE
    assert capsys.readouterr().err.startswith("bossjy: ")


def test_not_logged_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["whoami"]) == ExitCode.CREDENTIALS
    assert "run `bossjy login`" in capsys.readouterr().err
    assert main(["whoami", "--target", "there:1", "--json"]) == ExitCode.CREDENTIALS
    error = json.loads(capsys.readouterr().err)["error"]
    assert "bossjy login --target there:1" in error["message"]


def test_password_is_not_asked_for_without_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOSSJY_TARGET", "127.0.0.1:1")
    assert main(["login", "--tenant", "a", "--email", "b"]) == ExitCode.CREDENTIALS
    assert "--password-stdin" in capsys.readouterr().err


@pytest.mark.parametrize(("value", "place"), [("/etc/xdg", "/etc/xdg/bossjy"), ("relative", None), ("", None)])
def test_places(value: str, place: str | None) -> None:
    home = Path.home()
    assert config_folder({"XDG_CONFIG_HOME": value}) == (Path(place) if place else home / ".config" / "bossjy")
    assert state_folder({"XDG_STATE_HOME": value}) == (Path(place) if place else home / ".local/state/bossjy")


def test_text_of_others_moves_no_cursor() -> None:
    assert escape("a\x1b[2Jb\nc[bold]") == "a\N{REPLACEMENT CHARACTER}\\[2Jb\N{REPLACEMENT CHARACTER}c\\[bold]"


def test_identity() -> None:
    assert identity_holds(import_pb2.ImportCounts(rows_in=6, inserted=1, updated=2, duplicate=1, rejected=2))
    assert not identity_holds(import_pb2.ImportCounts(rows_in=6, inserted=1))


ASKED = argparse.Namespace(dry_run=False, parts=1, sheet="", records="", skip_hidden_rows=False)


def test_pending_import_is_that_of_the_same_upload(home: Path) -> None:
    file, spec = home / "a.csv", import_pb2.ImportSpec(default_region="CN")
    file.write_text("phone\n1\n")
    login = Login("there:1", "acme")

    def pending(
        login: Login = login, spec: import_pb2.ImportSpec = spec, asked: argparse.Namespace = ASKED
    ) -> PendingImport:
        return PendingImport(login, file, spec, asked)

    first = pending().request_id()
    again = pending()
    assert again.request_id() == first
    assert again.resumed
    others = [
        pending(Login("there:2", "acme")),
        pending(Login("there:1", "other")),
        pending(spec=import_pb2.ImportSpec(default_region="US")),
        pending(asked=argparse.Namespace(dry_run=True, parts=1, sheet="", records="", skip_hidden_rows=False)),
        pending(asked=argparse.Namespace(dry_run=False, parts=2, sheet="", records="", skip_hidden_rows=False)),
        pending(asked=argparse.Namespace(dry_run=False, parts=1, sheet="b", records="", skip_hidden_rows=False)),
        pending(asked=argparse.Namespace(dry_run=False, parts=1, sheet="", records="data", skip_hidden_rows=False)),
        pending(asked=argparse.Namespace(dry_run=False, parts=1, sheet="", records="", skip_hidden_rows=True)),
    ]
    assert len({first, *(other.request_id() for other in others)}) == 9
    file.write_text("phone\n1\n2\n")
    assert pending().request_id() != first

    again.done()
    assert not list((home / "state" / "bossjy" / "imports").glob("*.new"))


def test_pending_file_that_is_damaged_is_begun_anew(home: Path) -> None:
    file = home / "a.csv"
    file.write_text("phone\n1\n")
    pending = PendingImport(Login("there:1", "acme"), file, import_pb2.ImportSpec(), ASKED)
    first = pending.request_id()
    (kept,) = (home / "state" / "bossjy" / "imports").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.write_text("{")
    assert pending.request_id() != first


@pytest.mark.parametrize("word", ["reject", "keep"])
def test_doubtful_numbers_by_an_option(word: str) -> None:
    args = parse(["import", "x.csv", "--doubtful", word])
    assert spec_of(args).doubtful_policy == import_pb2.DoubtfulPolicy.Value(f"DOUBTFUL_POLICY_{word.upper()}")
    assert f"--doubtful {word}" in command_line(args, "x.csv")


def test_options_become_a_request_and_a_command_line() -> None:
    line = (
        "bossjy import 'my list.xlsx' --region CN --existing fill --duplicates last --map phone=手机号 "
        "--map 'attribute=a b=c' --header present --sheet 客户 --enrich --language zh --parts 3"
    )
    words = shlex.split(line)[1:]
    args = parse(words)
    assert shlex.split(command_line(args, args.files[0]))[1:] == words
    spec = spec_of(args)
    assert [(one.column, one.field) for one in spec.mapping] == [
        ("手机号", import_pb2.CONTACT_FIELD_PHONE_NUMBER),
        ("a b=c", import_pb2.CONTACT_FIELD_ATTRIBUTE),
    ]
    assert (spec.default_region, spec.enrich, spec.language) == ("CN", True, "zh")
    assert (spec.existing_policy, spec.duplicate_policy, spec.source.header) == (
        import_pb2.EXISTING_POLICY_FILL_EMPTY,
        import_pb2.DUPLICATE_POLICY_LAST_WINS,
        import_pb2.HEADER_PRESENT,
    )
    plain = parse(["import", "a.csv", "--delimiter", "tab", "--default-region", "de"])
    assert spec_of(plain).source.delimiter == "\t"
    assert spec_of(plain).default_region == "DE"


def test_options_of_the_header_quotes_and_limits() -> None:
    line = (
        "bossjy import outfile.tsv --header-row 4 --skip-rows 1 --quote none --escape '\\' --max-rejects 2.5% "
        "--region China --yes"
    )
    words = shlex.split(line)[1:]
    args = parse(words)
    written = shlex.split(command_line(args, args.files[0]))[1:]
    assert sorted(written) == sorted(words)
    assert parse(written) == args
    spec = spec_of(args)
    form = spec.source
    assert (form.header_row, form.skip_rows, form.quoting, form.quote, form.escape) == (
        4,
        1,
        import_pb2.QUOTING_NONE,
        "",
        "\\",
    )
    assert (spec.reject_limit.percent, spec.reject_limit.HasField("rows"), spec.default_region) == (2.5, False, "China")
    none = spec_of(parse(["import", "a.csv", "--max-rejects", "0", "--quote", "'", "--header-row", "1"]))
    assert (none.reject_limit.HasField("rows"), none.reject_limit.rows, none.source.quote) == (True, 0, "'")
    assert not spec_of(parse(["import", "a.csv"])).HasField("reject_limit")


@pytest.mark.parametrize("text", ["-1", "x", "101%", "1.5", "%"])
def test_a_limit_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(CommandLineError, match="such as 100"):
        parse(["import", "a.csv", f"--max-rejects={text}"])


@pytest.mark.parametrize(
    "words",
    [
        ["--escape", "ab"],
        ["--quote", "nothing"],
        ["--header", "absent", "--header-row", "1"],
        ["--header-row", "2", "--skip-rows", "2"],
    ],
    ids=["escape", "quote", "header", "skip"],
)
def test_options_that_exclude_each_other_are_told(words: list[str]) -> None:
    with pytest.raises(UsageError):
        spec_of(parse(["import", "a.csv", *words]))


async def test_file_is_written_whole_or_not_at_all(home: Path) -> None:
    async def pieces(*, fails: bool) -> AsyncIterator[bytes]:
        yield b"new, "
        if fails:
            raise BossjyError("cut")
        yield b"whole"

    target = home / "out.csv"
    target.write_bytes(b"old")
    with pytest.raises(BossjyError):
        await write_file(pieces(fails=True), str(target))
    assert target.read_bytes() == b"old"
    assert await write_file(pieces(fails=False), str(target)) == 10
    assert target.read_bytes() == b"new, whole"
    assert [path.name for path in home.iterdir()] == ["out.csv"]  # noqa: ASYNC240 - nothing else runs
    with pytest.raises(SourceError, match="No such file"):
        await write_file(pieces(fails=False), str(home / "no" / "folder.csv"))


def commands_of(top: argparse.ArgumentParser, path: str = "") -> dict[str, argparse.ArgumentParser]:
    """The commands of a parser without subcommands, by their words."""
    found: dict[str, argparse.ArgumentParser] = {}
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, one in action.choices.items():
                found |= commands_of(one, f"{path} {name}".strip())
    return found or {path: top}


def test_each_command_shows_valid_examples() -> None:
    commands = commands_of(parser())
    assert set(commands) == {*EXAMPLES, "import"}
    for name, command in commands.items():
        shown = command.format_help()
        lines = [line.strip() for line in shown[shown.index("example") :].splitlines()[1:] if line.strip()]
        assert lines, name
        for line in lines:
            words = shlex.split(re.split(r"   +", line.rpartition("| ")[2])[0].partition(" < ")[0])
            assert words[0] == "bossjy"
            args = parse(words[1:])
            assert " ".join(words[1:]).startswith(name)
            assert callable(args.command)


def test_each_command_is_documented_and_the_documented_ones_are_valid() -> None:
    text = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")
    rows = " ".join(line for line in text.splitlines() if line.startswith("| `"))
    for name in commands_of(parser()):
        group, _, action = name.partition(" ")
        assert f"`{name}" in rows or (f"`{group} " in rows and f"`{action}`" in rows), name
    lines = re.findall(r"^(?:    )?(?:zcat \S+ \| )?(bossjy .+)$", text, re.MULTILINE)
    assert len(lines) > 15
    for line in lines:
        words = shlex.split(line.partition(" < ")[0])
        assert callable(parse(words[1:]).command)
