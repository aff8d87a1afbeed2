"""Source trees of releases for the proof of upgrades: a former commit, this checkout, and a made-up next release."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from bossjy_server.storage.schema import release_of

ROOT = Path(__file__).resolve().parents[3]
_RUN = "requirements/run.txt"


@dataclass(frozen=True)
class Tree:
    """The sources of one release. They run with the packages of this environment."""

    name: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Environment in which Python imports this tree before the installed checkout."""
        packages = ("server", "clients/python")
        return {"PYTHONPATH": os.pathsep.join(str(self.folder / each) for each in packages)}


def git(*arguments: str) -> str:
    """The output of git."""
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr.strip()}; the proof needs the history: git fetch")
    return done.stdout.strip()


def former_commit() -> str:
    """The oldest commit that changed the tables and needs no package that this environment lacks."""
    found = ""
    for commit in git("log", "--format=%H", "--", "deploy/init.sql").splitlines():
        files = git("ls-tree", "-r", "--name-only", commit, "requirements").splitlines()
        if _RUN not in files or not packages(git("show", f"{commit}:{_RUN}")) <= packages((ROOT / _RUN).read_text()):
            break
        found = commit
    if not found:
        raise SystemExit("no former commit runs with the packages of this environment: name one by --former")
    return found


def packages(lock: str) -> set[str]:
    """The names in a requirement file."""
    return set(re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE))


def extract(commit: str, folder: Path) -> Path:
    """The files of a commit in a folder. No worktree: an interrupted proof would leave its record in the repository."""
    folder.mkdir()
    archive = folder.with_suffix(".tar")
    git("archive", "--format=tar", f"--output={archive}", commit)
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    archive.unlink()
    return folder


def make_next(folder: Path) -> None:
    """Make the files of HEAD the next release: this definition of the tables with one more column, and its number."""
    text = (ROOT / "deploy" / "init.sql").read_text("utf-8")
    release, head = release_of(text), "-- Release of the definition: "
    changed = text.replace(f"{head}{release}\n", f"{head}{release + 1}\n")
    changed += "\nALTER TABLE bossjy.contacts ADD COLUMN IF NOT EXISTS colour text NOT NULL DEFAULT 'none';\n"
    (folder / "deploy" / "init.sql").write_text(changed, "utf-8")
