"""Checks of the ports: free, or used by a running server, which is then asked for its health."""

from __future__ import annotations

import errno
import os
import socket

import psutil

from bossjy_server.config import Settings
from bossjy_server.doctor.findings import Finding, fail, ok, warn
from bossjy_server.health_command import ask_page
from bossjy_server.telemetry.text_pages import LIVE, READY

# The programs of a server, and the most words of a command line before one of them: python -m bossjy_server.cli.
_PROGRAM, _PACKAGE, _WORDS_BEFORE = "bossjy-server", "bossjy_server.", 3


def port_findings(settings: Settings, wait_s: float) -> list[Finding]:
    """Findings about the ports of gRPC and metrics, and about a running server. Blocks for 2 × `wait_s` at most."""
    server, metrics = settings.server, settings.metrics
    alive = bool(metrics.port) and ask_page(metrics, LIVE, wait_s)[0] == 200
    found = [_port_finding("port", "BOSSJY_PORT", server.host, server.port, alive=alive)]
    if metrics.port:
        names = "metrics port", "BOSSJY_METRICS_PORT"
        found.append(_port_finding(*names, metrics.host, metrics.port, alive=alive))
    if alive:
        status, text = ask_page(metrics, READY, wait_s)
        found.append(
            ok("server", "a server runs and is ready")
            if status == 200
            else warn("server", f"a server runs: {text}", "see its log, and the other lines here")
        )
    return found


def _port_finding(check: str, setting: str, host: str, port: int, *, alive: bool) -> Finding:
    place = f"{host}:{port}"
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            # A port whose last connections are still in TIME_WAIT is free for a server.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except socket.gaierror:
        return fail(check, f"the host {host} is not known", f"correct {setting.removesuffix('PORT')}HOST")
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return _taken(check, setting, place, port, alive=alive)
        if error.errno == errno.EADDRNOTAVAIL:
            return fail(check, f"{host} is no address of this machine", f"correct {setting.removesuffix('PORT')}HOST")
        return fail(check, f"{place} cannot be used: {os.strerror(error.errno or 0)}", f"set {setting} to another port")
    return ok(check, f"{place} is free")


def _taken(check: str, setting: str, place: str, port: int, *, alive: bool) -> Finding:
    holder = _holder(port)
    if holder is not None and _is_ours(holder[1]):
        return ok(check, f"a BossJy server (process {holder[0]}) listens on {place}")
    if holder is None and alive:
        return ok(check, f"a BossJy server listens on {place}")
    who = "a process of another user" if holder is None else f"process {holder[0]} ({holder[2]})"
    return fail(check, f"{place} is used by {who}", f"stop it, or set {setting} to a free port")


def _is_ours(command: list[str]) -> bool:
    words = [word.rpartition("/")[2] for word in command[:_WORDS_BEFORE]]
    return any(word == _PROGRAM or word.startswith(_PACKAGE) for word in words)


def _holder(port: int) -> tuple[int, list[str], str] | None:
    """The process that listens on a port: id, command line, name. None if it is not visible to this user."""
    try:
        for one in psutil.net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port and one.pid:
                process = psutil.Process(one.pid)
                return one.pid, process.cmdline(), process.name()
    except (psutil.Error, OSError):
        pass
    return None
