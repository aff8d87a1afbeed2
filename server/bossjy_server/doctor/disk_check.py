"""Checks of the data folder and the log: access, modes, free space."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bossjy_server.config import Settings
from bossjy_server.doctor.findings import Finding, fail, ok, size_text, warn

# The alert HostDiskFull has the same share.
_LOW_SHARE = 0.1
# Below this, PostgreSQL's next segment of 16 MiB, a log file of 10 MB and the plan's tables can be the last ones.
_LEAST_BYTES = 256 * 1024 * 1024
_LEAST_FILES = 1000
_FREE = "free space on the disk, or set BOSSJY_DATA_DIR to a folder on a larger one"


def disk_findings(settings: Settings) -> list[Finding]:
    """Findings about the data folder and its log. Blocks."""
    folder = settings.process.data_dir.absolute()
    place = next(path for path in (folder, *folder.parents) if path.exists())
    return [_folder_finding(folder, place), *_space_findings(folder, place), _log_finding(settings, folder, place)]


def _folder_finding(folder: Path, place: Path) -> Finding:
    name = "data folder"
    if not place.is_dir():
        return fail(name, f"{place} is a file", "set BOSSJY_DATA_DIR to a folder")
    if not os.access(place, os.W_OK | os.X_OK):
        return fail(name, f"this user may not write to {place}", "correct its owner, or set BOSSJY_DATA_DIR")
    if place != folder:
        return ok(name, f"{folder} does not exist: the first start makes it")
    mode = folder.stat().st_mode & 0o777
    if mode & 0o077:
        return warn(name, f"other users may enter {folder} (mode {mode:o})", f"chmod 700 {folder}")
    return ok(name, f"{folder}, mode {mode:o}")


def _space_findings(folder: Path, place: Path) -> list[Finding]:
    space, inodes = shutil.disk_usage(place), os.statvfs(place)
    found = [space_finding(str(folder), space.free, space.total)]
    if inodes.f_files and inodes.f_favail < _LEAST_FILES:
        found.append(fail("disk", f"room for {inodes.f_favail} more files", "delete files on the disk"))
    return found


def space_finding(folder: str, free: int, total: int) -> Finding:
    """The finding about `free` of `total` bytes."""
    fact = f"{size_text(free)} of {size_text(total)} are free for {folder}"
    if free < _LEAST_BYTES:
        return fail("disk", fact, _FREE)
    return warn("disk", fact, _FREE) if free < _LOW_SHARE * total else ok("disk", fact)


def _log_finding(settings: Settings, folder: Path, place: Path) -> Finding:
    logs, count = folder / "logs", settings.process.workers
    files = [path for path in logs.glob("bossjy*.log*") if path.is_file()] if logs.is_dir() else []
    used = sum(path.stat().st_size for path in files)
    limit = settings.log.file_bytes * (settings.log.files + 1) * (1 if count == 1 else 2 * count + 1)
    fact = f"{size_text(used)} in {len(files)} files of {logs}, at most {size_text(limit)}"
    closed = next((path for path in (logs, *files) if path.exists() and not os.access(path, os.W_OK)), None)
    if closed is not None:
        return fail("log", f"this user may not write to {closed}", "correct its owner or mode")
    if limit - used > shutil.disk_usage(place).free:
        return warn("log", f"{fact}: more than the disk has", "lower BOSSJY_LOG_FILES or BOSSJY_LOG_FILE_BYTES")
    return ok("log", fact)
