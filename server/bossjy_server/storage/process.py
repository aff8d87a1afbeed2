"""What both embedded parts need of the system: packages, passwords, ports, socket folders, ends of processes."""

from __future__ import annotations

import importlib.util
import os
import random
import secrets
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

import psutil

from bossjy_server.errors import StartError

# Below the ephemeral range: a port there can be taken by any outgoing connection at any moment.
_PORTS = range(20_000, 32_000)
# A Unix socket's path has 107 bytes at most.
_LONGEST_SOCKET_FOLDER = 85


def package_folder(name: str) -> Path | None:
    """The folder of an installed package, without running any of it; None where it is not installed."""
    spec = importlib.util.find_spec(name)
    locations = spec.submodule_search_locations if spec else None
    return Path(locations[0]) if locations else None


def password(file: Path) -> str:
    """The password kept in `file`; made when the file is not there, readable by its owner alone."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        text = file.read_text().strip()
        if text:
            return text
        descriptor = os.open(file, os.O_WRONLY | os.O_TRUNC)  # made, and killed before it was written
    made = secrets.token_urlsafe(24)
    with os.fdopen(descriptor, "w") as out:
        out.write(made + "\n")
    return made


def free_port() -> int:
    """A loopback TCP port that is free now."""
    for port in random.sample(_PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise StartError("no free port was found on 127.0.0.1 between 20000 and 32000: stop what holds them")


def socket_folder(folder: Path) -> Path:
    """Where Unix sockets go: `folder`/run, or a private folder of a shorter name."""
    run = folder / "run"
    if len(str(run)) <= _LONGEST_SOCKET_FOLDER:
        run.mkdir(mode=0o700, exist_ok=True)
        return run
    if run.is_symlink() and run.exists():
        return run.readlink()
    run.unlink(missing_ok=True)
    short = Path(tempfile.mkdtemp(prefix="bossjy-"))
    run.symlink_to(short)
    return short


def end_orphan(pid_file: Path, folder: Path, timeout_s: float, number: signal.Signals = signal.SIGTERM) -> None:
    """End the process that `pid_file` names, if it works in `folder`: then it is ours, left by a kill."""
    try:
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        if Path(process.cwd()) == folder.resolve():
            process.send_signal(number)
            try:
                process.wait(timeout_s)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait(timeout_s)
    except (OSError, ValueError, IndexError, psutil.Error):
        pass
    pid_file.unlink(missing_ok=True)


def end_process(process: subprocess.Popen[bytes], timeout_s: float, number: signal.Signals = signal.SIGTERM) -> None:
    """Ask a child to end; kill it when it has not after `timeout_s`."""
    if process.poll() is not None:
        return
    process.send_signal(number)
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
