"""Checks of the signing keys: age, use, modes of their files. It makes no key."""

from __future__ import annotations

import stat
import time
from pathlib import Path

from bossjy_server.auth.credentials.keys import SECRET_BYTES, Keys
from bossjy_server.auth.options import AuthOptions
from bossjy_server.doctor.findings import Finding, State, date_text, days_since, fail, ok, warn

# The alert BossJySigningKeyOld has the same number.
OLD_DAYS = 400
_RESTORE = "restore it from the backup; without one, a start makes new keys and every session ends"


def key_findings(data_dir: Path, options: AuthOptions) -> list[Finding]:
    """Findings about the folder of signing keys. Blocks."""
    folder = data_dir.absolute() / "keys"
    try:
        if not folder.exists():
            return [ok("keys", f"{folder} does not exist: the first start makes it")]
        found = [*_mode_findings(folder), *_secret_findings(folder)]
        if not any(finding.state is State.FAIL for finding in found):
            found.append(_age_finding(folder, options))
    except OSError as error:
        text = f"{error.filename or folder} cannot be read: {error.strerror}"
        return [fail("keys", text, "correct the owner and the mode; the server's user must own them")]
    except ValueError as error:
        return [fail("keys", f"{folder}: {error}", "replace this file by the one of the backup, or remove it")]
    return found


def _secret_findings(folder: Path) -> list[Finding]:
    secret = folder / "secret.key"
    if not secret.exists():
        return [fail("keys", f"{secret} is missing", _RESTORE)] if any(folder.glob("*.pem")) else []
    size = secret.stat().st_size
    if size != SECRET_BYTES:
        return [fail("keys", f"{secret} has {size} bytes instead of {SECRET_BYTES}", _RESTORE)]
    return []


def _mode_findings(folder: Path) -> list[Finding]:
    found = []
    for path in sorted(folder.iterdir()):
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.suffix in {".pem", ".key"} and mode & 0o077:
            text = f"other users may read {path} (mode {mode:o}): the server refuses it"
            found.append(fail("keys", text, f"chmod 600 {path}; rotate the keys if somebody may have read it"))
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        found.append(warn("keys", f"other users may enter {folder} (mode {mode:o})", f"chmod 700 {folder}"))
    return found


def _age_finding(folder: Path, options: AuthOptions) -> Finding:
    keys = Keys(
        folder,
        retire_s=options.access_lifetime_s + 2 * options.access_leeway_s,
        activation_s=options.key_activation_s,
    )
    keys.reload()
    if not keys.known():
        return ok("keys", f"{folder} has no signing key: the first start makes one")
    signing, published = keys.signing, keys.published()
    age = days_since(signing.created)
    waiting = sum(key.created > signing.created for key in published)
    verifying = len(published) - 1 - waiting
    fact = (
        f"{signing.kid} of {date_text(signing.created)} signs ({age} days old); "
        f"{waiting} will sign soon, {verifying} verify older tokens until these expire"
    )
    if signing.created > time.time():
        return warn("keys", f"{fact}; its time is in the future", "correct the clock of this machine")
    if age > OLD_DAYS:
        return warn("keys", fact, "run `bossjy-server keys rotate`; old tokens stay valid until they expire")
    return ok("keys", fact)
