"""File locations of the command-line tool (XDG folders), and private, atomic writes."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bossjy_client.errors import CredentialsError


def config_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Folder of the credentials: $XDG_CONFIG_HOME/bossjy, or ~/.config/bossjy."""
    return _xdg(environment, "XDG_CONFIG_HOME", ".config")


def state_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Folder of unfinished imports: $XDG_STATE_HOME/bossjy, or ~/.local/state/bossjy."""
    return _xdg(environment, "XDG_STATE_HOME", ".local/state")


def _xdg(environment: Mapping[str, str], name: str, default: str) -> Path:
    # The XDG specification says to ignore a path that is not absolute.
    value = environment.get(name, "")
    return (Path(value) if value.startswith("/") else Path.home() / default) / "bossjy"


def write_private(path: Path, text: str) -> None:
    """Replace a file by one that only its owner can read, in one step. Raises CredentialsError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp creates the file with mode 0600.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise CredentialsError(f"cannot write {path}: {error.strerror}") from error


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of `path` (a file beside it): one process at a time. Blocks."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
