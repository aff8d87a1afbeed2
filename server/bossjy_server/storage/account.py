"""PostgreSQL refuses to run as root, and initdb as an account without a name: which other account it runs as."""

from __future__ import annotations

import os
import pwd
import subprocess

from bossjy_server.errors import StartError


def other_account() -> tuple[str, ...]:
    """What to put before a command of PostgreSQL: nothing for an ordinary user.

    For root, a user namespace of its own: its files stay the owner's, and no folder has to be opened. Where namespaces
    are forbidden (containers), another account that may pass root's folders; it owns what it makes.
    """
    root = os.geteuid() == 0
    if not root and _has_name(os.geteuid()):
        return ()
    account = _ordinary()
    user, group = account.pw_uid, account.pw_gid
    namespace = ("unshare", "--user", f"--map-user={user}", f"--map-group={group}")
    if _works(namespace):
        return namespace
    switched = (
        "setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups",
        "--inh-caps=+dac_override", "--ambient-caps=+dac_override",
    )  # fmt: skip
    if root and _works(switched):
        return switched
    who = "root" if root else "an account without a name"
    raise StartError(
        f"PostgreSQL does not run as {who}, and neither unshare nor setpriv works here: "
        "start BossJy as an ordinary user, or set DATABASE_URL"
    )


def _has_name(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _ordinary() -> pwd.struct_passwd:
    """An account that is not root's: `nobody`, which nearly every system has, or the first other."""
    accounts = sorted((entry for entry in pwd.getpwall() if entry.pw_uid), key=lambda entry: entry.pw_name != "nobody")
    if not accounts:
        raise StartError("this machine has no account but root, which PostgreSQL refuses: add one, or set DATABASE_URL")
    return accounts[0]


def _works(command: tuple[str, ...]) -> bool:
    try:
        return subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
