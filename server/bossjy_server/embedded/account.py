"""Operating system account of the embedded PostgreSQL, which does not run as root or as an account without a name."""

from __future__ import annotations

import os
import pwd
import subprocess

from bossjy_server.errors import StartError


def other_account() -> tuple[str, ...]:
    """The command prefix that runs PostgreSQL as another account; empty for an ordinary user.

    For root it is a user namespace: its files stay the owner's, and no folder has to be opened. Where namespaces are
    forbidden (containers), it is another account that may enter root's folders; that account owns the files it makes.
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
    """An account other than root: `nobody`, which nearly every system has, or the first other one."""
    accounts = sorted((entry for entry in pwd.getpwall() if entry.pw_uid), key=lambda entry: entry.pw_name != "nobody")
    if not accounts:
        raise StartError(
            "this machine has only the account root, which PostgreSQL refuses: add another, or set DATABASE_URL"
        )
    return accounts[0]


def _works(command: tuple[str, ...]) -> bool:
    try:
        return subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
