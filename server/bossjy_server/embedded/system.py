"""Operating system services for the embedded servers: packages, passwords, ports, sockets, logs, ends of processes."""

from __future__ import annotations

import importlib.util
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import IO

import psutil

from bossjy_server.errors import StartError

# Below the ephemeral range: any outgoing connection can take a port there at any moment.
_PORTS = range(20_000, 32_000)
# A Unix socket's path has 107 bytes at most.
_LONGEST_SOCKET_FOLDER = 85


def package_folder(name: str) -> Path | None:
    """The folder of an installed package, without running any of it; None if it is not installed."""
    spec = importlib.util.find_spec(name)
    locations = spec.submodule_search_locations if spec else None
    return Path(locations[0]) if locations else None


def password(file: Path) -> str:
    """The password in `file`; created if there is no file, readable only by its owner."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        text = file.read_text().strip()
        if text:
            return text
        descriptor = os.open(file, os.O_WRONLY | os.O_TRUNC)  # created, but the process was killed before it wrote
    made = secrets.token_urlsafe(24)
    with os.fdopen(descriptor, "w") as out:
        out.write(made + "\n")
    return made


def private_file(file: Path) -> IO[bytes]:
    """A new file for bytes that only its owner may read. An existing one is overwritten."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)  # an earlier release made it readable for all
    return os.fdopen(descriptor, "wb")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # A port whose last connections are still in TIME_WAIT is free for a server.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A loopback TCP port that is free now."""
    for port in random.SystemRandom().sample(_PORTS, 100):  # not seeded by a caller: two would take one port
        if _is_free(port):
            return port
    raise StartError("no free port was found on 127.0.0.1 between 20000 and 32000: stop the processes that use them")


def kept_port(file: Path) -> int:
    """The port of the last start, so that a psql command still works; another one if it is in use."""
    try:
        port = int(file.read_text())
    except (OSError, ValueError):
        port = 0
    if port not in _PORTS or not _is_free(port):
        port = free_port()
        file.write_text(f"{port}\n")
    return port


def socket_folder(folder: Path) -> Path:
    """The folder for Unix sockets: `folder`/run, or a private folder with a short, plain name."""
    run = folder / "run"
    # A comma separates the hosts of a PostgreSQL URL, even if it is escaped.
    if len(os.fsencode(run)) <= _LONGEST_SOCKET_FOLDER and "," not in str(run):
        run.mkdir(mode=0o700, exist_ok=True)
        return run
    if run.is_symlink() and run.exists():
        return run.readlink()
    remove_socket_folder(folder)  # an old one that is gone, or from when the path was shorter
    short = Path(tempfile.mkdtemp(prefix="bossjy-"))
    run.symlink_to(short)
    return short


def remove_socket_folder(folder: Path) -> None:
    """Remove the folder of `socket_folder`: nothing is left outside of `folder`."""
    run = folder / "run"
    if run.is_symlink():
        shutil.rmtree(run.readlink(), ignore_errors=True)
        run.unlink(missing_ok=True)
    else:
        shutil.rmtree(run, ignore_errors=True)


def bound_log(file: Path, limit_bytes: int) -> None:
    """Limit a log to which another process appends to `limit_bytes`: the old content goes to `file`.1."""
    try:
        if file.stat().st_size > limit_bytes:
            shutil.copyfile(file, file.with_name(file.name + ".1"))
            os.truncate(file, 0)
    except OSError:
        return  # not there yet, or no space: the next round tries again


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()) == folder
    except psutil.AccessDenied:
        pass  # of another account (a container's root may not look): the command line is readable by all
    except (OSError, psutil.Error):
        return False
    try:
        return str(folder) in process.cmdline()
    except (OSError, psutil.Error):
        return False


def end_orphan(pid_file: Path, folder: Path, timeout_s: float, number: signal.Signals = signal.SIGTERM) -> None:
    """End processes left in `folder` by a killed watchdog: the process that `pid_file` names, then all others.

    A process with another working folder is unrelated: its id was reused, and the file is stale.
    """
    if not pid_file.exists():
        return
    folder = folder.resolve()
    try:
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        if _works_in(process, folder):
            process.send_signal(number)
            process.wait(timeout_s)
    except (OSError, ValueError, IndexError, psutil.Error):
        pass
    # Children outlive a killed PostgreSQL while their statement runs, and no other can start meanwhile.
    left = [process for process in psutil.process_iter() if _works_in(process, folder)]
    for process in left:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(left, timeout_s)
    pid_file.unlink(missing_ok=True)


def end_process(process: subprocess.Popen[bytes], timeout_s: float, number: signal.Signals = signal.SIGTERM) -> None:
    """Ask a child to end; kill it if it has not ended after `timeout_s`."""
    if process.poll() is not None:
        return
    process.send_signal(number)
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
