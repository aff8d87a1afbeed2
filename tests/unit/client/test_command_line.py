"""Command line of the tool: what it imports, where options may be, suggestions, and completion in a real shell."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from bossjy_client import parts
from bossjy_client.cli import main
from bossjy_client.cli.arguments import contacts as contact_arguments
from bossjy_client.cli.arguments import import_options as import_arguments
from bossjy_client.cli.arguments.common import parse, parser
from bossjy_client.cli.arguments.later import Later
from bossjy_client.cli.arguments.users import ROLES
from bossjy_client.cli.arguments.values import PART_LIMIT
from bossjy_client.cli.completion import SCRIPTS, candidates
from bossjy_client.cli.contacts import _DIMENSIONS, _FORMATS
from bossjy_client.cli.importing import options
from bossjy_client.cli.parsing import CommandLineError, subcommands
from bossjy_client.cli.session import Session
from bossjy_client.cli.users import _ROLES
from bossjy_client.credentials import Login
from bossjy_client.version import VERSION

# Modules that a command without a call must not load.
HEAVY = {"asyncio", "bossjy", "dataclasses", "google", "grpc", "inspect", "openpyxl", "pyarrow", "rich", "ssl"}
LOADED = """
import sys
from bossjy_client.cli import main
try:
    main(sys.argv[1:])
finally:
    sys.stderr.write("loaded: " + " ".join(sys.modules))
"""


def loaded_by(*words: str, **environment: str) -> set[str]:
    """The modules that a command imports."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environment},
    )
    return set(done.stderr.rpartition("loaded: ")[2].split())


@pytest.mark.parametrize(
    "words", [("--version",), ("--help",), ("phone", "--help"), ("imprts",), ("__complete", "imports", "")]
)
def test_help_version_and_completion_import_little(words: tuple[str, ...]) -> None:
    loaded = loaded_by(*words)
    assert loaded & HEAVY == set()
    assert "bossjy_client.cli.parsing" in loaded
    assert not any(name.startswith("bossjy_client.cli.chinese") for name in loaded)


def test_a_command_about_numbers_imports_no_readers_of_files() -> None:
    loaded = loaded_by("phone", "validate", "1", BOSSJY_TOKEN="x", BOSSJY_TARGET="127.0.0.1:1")
    assert "bossjy_client.phone" in loaded
    others = {"bossjy_client.imports", "bossjy_client.contacts", "bossjy_client.opening", "rich", "pyarrow"}
    assert loaded & others == set()


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert version("bossjy") == VERSION
    for words in (["--version"], ["imports", "list", "--version"]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0
        assert capsys.readouterr().out == f"bossjy {VERSION}\n"


def test_the_tool_without_a_command_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("usage: bossjy ")


@pytest.mark.parametrize(
    "words",
    [
        ["--json", "--target", "there:1", "--language", "zh", "--token", "f", "imports", "list"],
        ["imports", "--json", "--target", "there:1", "--language", "zh", "--token", "f", "list"],
        ["imports", "list", "--json", "--target", "there:1", "--language", "zh", "--token", "f"],
        ["--json", "imports", "--target", "there:1", "list", "--language", "zh", "--token", "f"],
    ],
)
def test_options_of_every_command_may_be_anywhere(words: list[str]) -> None:
    args = parse(words)
    assert (args.json, args.target, args.language, args.token) == (True, "there:1", "zh", "f")
    assert args.command == Later("imports", "_list")


def test_a_later_option_overrides_an_earlier_one() -> None:
    assert parse(["--target", "a:1", "plan", "show", "--target", "b:1"]).target == "b:1"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["imprts"], "there is no command imprts; did you mean imports or import?"),
        (["imports", "lst"], "there is no command lst; did you mean list?"),
        (["imports", "list", "--limt", "3"], "there is no option --limt here; did you mean --limit?"),
        (["--jsn", "plan", "show"], "there is no option --jsn here; did you mean --json?"),
        (["phone", "validate", "1", "--reg=CN"], "there is no option --reg here; did you mean --region?"),
        (
            ["import", "a.csv", "--existing", "overwrit"],
            "--existing: overwrit is not one of fill, overwrite, skip; did you mean overwrite?",
        ),
        (["keys", "revoke", "a", "b"], "this is too much: b"),
        (["keys", "revoke"], "these arguments are missing: KEY"),
        (["plan"], "a command is missing: show, diff"),
        (["imports", "list", "--limit", "many"], "--limit: many is no whole number"),
        (["imports", "list", "--limit"], "--limit needs a value"),
        (["plan", "show", "--json=yes"], "--json takes no value"),
        (["zebra"], "there is no command zebra"),
    ],
)
def test_a_wrong_word_is_named_with_the_likely_right_one(words: list[str], message: str) -> None:
    with pytest.raises(CommandLineError) as caught:
        parse(words)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["cn", "CN", "Cn"])
def test_a_region_may_be_in_any_case(text: str) -> None:
    assert parse(["phone", "validate", "1", "--region", text]).region == "CN"
    assert parse(["phone", "region", text]).code == "CN"
    assert parse(["tenant", "set", "--region", text]).region == "CN"
    assert parse(["import", "a.csv", "--region", text]).region == "CN"
    assert parse(["import", "a.csv", "--region", "China"]).region == "China"


def test_each_command_exists_and_the_words_of_options_are_those_of_the_contract() -> None:
    def leaves(top: object) -> list[Later]:
        found = subcommands(top)  # type: ignore[arg-type]
        if not found:
            return [top.get_default("command")]  # type: ignore[attr-defined]
        return [leaf for one in found.values() for leaf in leaves(one)]

    for one in leaves(parser()):
        assert callable(getattr(importlib.import_module(f"bossjy_client.cli.{one.module}"), one.function))
    assert {*ROLES} == _ROLES.keys()
    assert {*contact_arguments.FORMATS} == _FORMATS.keys()
    assert {*contact_arguments.DIMENSIONS} == _DIMENSIONS.keys()
    assert {*import_arguments.EXISTING} == options.EXISTING.keys()
    assert {*import_arguments.FIELDS} == options.FIELDS.keys()
    assert {*import_arguments.DUPLICATES} == options._DUPLICATE.keys()
    assert {*import_arguments.DOUBTFUL} == options._DOUBTFUL.keys()
    assert {*import_arguments.HEADER} == options._HEADER.keys()
    assert {*import_arguments.FORMATS} == options._FORMATS.keys()
    assert PART_LIMIT == parts.PART_LIMIT


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["impo"], {"import", "imports"}),
        (["imports", "re"], {"revert", "rejects"}),
        (["--json", "imports", "re"], {"revert", "rejects"}),
        (["--target", "imports", "pl"], {"plan"}),
        (["imports", "list", "--li"], {"--limit"}),
        (["imports", "list", "--limit", "3", "--li"], set()),
        (
            ["import", "a.csv", "--map", "a=b", "--ma"],
            {"--map", "--max-rejects"},
        ),
        (["import", "a.csv", "--existing", ""], {"fill", "overwrite", "skip"}),
        (["import", "a.csv", "--existing=o"], {"overwrite"}),
        (["import", "a.csv", "--existing", "=", "o"], {"overwrite"}),
        (["import", "a.csv", "--existing", "="], {"fill", "overwrite", "skip"}),
        (["users", "role", "ann@example.com", ""], {"service", "member", "admin", "owner"}),
        (["completion", ""], {"bash", "zsh", "fish"}),
        (["import", ""], set()),
        (["zebra", ""], set()),
        ([], {*subcommands(parser())}),
    ],
)
def test_candidates(words: list[str], expected: set[str]) -> None:
    assert {word for word, _ in candidates(parser(), words)} == expected


def completed_by_bash(line: str, folder: Path) -> list[str]:
    """The words that bash completes the last word of a line to, with the real script and the real tool."""
    tool = folder / "bossjy"
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bossjy_client "$@"\n')
    tool.chmod(0o755)
    words = line.split(" ")
    program = (
        'eval "$(bossjy completion bash)"\n'
        f"COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}\n"
        "complete -p bossjy >/dev/null && _bossjy && printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder)},
    )
    assert done.stderr == ""
    return [word for word in done.stdout.splitlines() if word]


@pytest.mark.parametrize(
    ("line", "expected"),
    [("bossjy imports re", ["revert", "rejects"]), ("bossjy import list.csv --dup", ["--duplicates"])],
)
def test_bash_completes(line: str, expected: list[str], tmp_path: Path) -> None:
    assert completed_by_bash(line, tmp_path) == expected


@pytest.mark.parametrize("shell", sorted(SCRIPTS))
def test_each_script_asks_the_tool(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "__complete" in capsys.readouterr().out


def test_a_token_is_for_the_service_of_the_login(tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    Session(parse(["whoami"]), environment).credentials.save(Login("there:1", "acme", access_token="a", tls=True))
    (tmp_path / "token").write_text("secret\nanother line\n")
    by_file = Session(parse(["whoami", "--token", str(tmp_path / "token")]), environment).login()
    by_environment = Session(parse(["whoami"]), environment | {"BOSSJY_TOKEN": "secret"}).login()
    assert by_file == by_environment == Login("there:1", api_key="secret", tls=True)
    elsewhere = Session(parse(["whoami", "--target", "here:2"]), environment | {"BOSSJY_TOKEN": "secret"}).login()
    assert elsewhere == Login("here:2", api_key="secret")


def test_a_token_in_place_of_its_file_is_not_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["whoami", "--token", "bjk_secret"]) == 7
    error = capsys.readouterr().err
    assert "BOSSJY_TOKEN" in error
    assert "bjk_secret" not in error
    (tmp_path / "empty").write_text("\n")
    assert main(["whoami", "--token", str(tmp_path / "empty")]) == 7


def test_json_and_csv_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["whoami", "--json", "--csv"]) == 2
    assert "exclude each other" in capsys.readouterr().err
