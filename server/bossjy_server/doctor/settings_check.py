"""Checks of the settings: origins, combinations that are legal and risky, files with secrets."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from bossjy_server.config import Settings, listed
from bossjy_server.doctor.findings import Finding, ok, warn

_LOOPBACK = ("127.", "localhost", "::1")
_READABLE_BY_ALL = 0o004


def settings_findings(settings: Settings) -> list[Finding]:
    """Findings about valid settings."""
    counts = Counter(settings.origins.values())
    text = ", ".join(f"{count} from {_origin(name)}" for name, count in sorted(counts.items()))
    found = [ok("settings", f"valid; {text or 'all have their defaults'}")]
    if settings.links:
        names = ", ".join(settings.links)
        found.append(ok("settings", f"ignored, because an orchestrator sets them for a service: {names}"))
    server, auth = settings.server, settings.auth
    if not server.host.startswith(_LOOPBACK) and not server.tls_certificate and not server.trusted_proxies:
        found.append(
            warn(
                "settings",
                f"gRPC has no TLS and listens on {server.host}: tokens and numbers are readable on the network",
                "set BOSSJY_TLS_CERTIFICATE and BOSSJY_TLS_KEY, or BOSSJY_TRUSTED_PROXIES for a proxy with TLS",
            )
        )
    if auth.registration == "open":
        found.append(warn("settings", "anybody may register a tenant", "set BOSSJY_REGISTRATION to token or closed"))
    if auth.key_reload_s >= auth.key_activation_s:
        found.append(
            warn(
                "settings",
                f"a new key signs after {auth.key_activation_s} s, and servers find it after {auth.key_reload_s:g} s",
                "set BOSSJY_KEY_ACTIVATION_S to more than BOSSJY_KEY_RELOAD_S",
            )
        )
    return found + _open_files(settings)


def _origin(name: str) -> str:
    return f"the {name}" if name in {"environment", "command line"} else name


def _open_files(settings: Settings) -> list[Finding]:
    """A settings file with secrets that every user may read."""
    secrets = {row.name: row.origin for row in listed(settings) if row.value == "(set)"}
    found = []
    for path in sorted({path for path in secrets.values() if path.endswith(".toml")}):
        try:
            mode = os.stat(path).st_mode  # noqa: PTH116 - a text of the settings
        except OSError:
            continue
        if mode & _READABLE_BY_ALL:
            names = ", ".join(name for name, origin in secrets.items() if origin == path)
            found.append(warn("settings", f"every user may read {names} in {path}", f"chmod 600 {Path(path).name}"))
    return found
