"""Operator commands as typed in a shell."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bossjy_server.errors import Reason
from tests.integration.auth.conftest import EMAIL, PASSWORD, Opened, User, reason_of, register


def run(folder: Path, *words: str, database_url: str = "", typed: str = "") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BOSSJY_")}
    environment |= {"BOSSJY_DATA_DIR": str(folder), "DATABASE_URL": database_url}
    command = [sys.executable, "-m", "bossjy_server.cli", *words]
    return subprocess.run(
        command, env=environment, input=typed, capture_output=True, text=True, check=False, timeout=100
    )


async def test_an_owner_with_a_password_of_their_own(opened: Opened, database_url: str, tmp_path: Path) -> None:
    words = ("owner", "create", "--tenant-name", "Acme Ltd.", "--email", EMAIL)
    done = run(tmp_path, *words, database_url=database_url, typed=PASSWORD + "\n")
    assert done.returncode == 0, done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    tenant_id = done.stdout.split()[1]
    assert tenant_id.startswith("acme-ltd-")
    async with opened(registration="closed") as auth:
        owner = await User(auth, tenant_id=tenant_id).login()
        assert (await owner.call("GetMe")).tenant.display_name == "Acme Ltd."
        assert "tenants.write" in (await owner.call("GetMe")).scopes
        (event,) = (await owner.call("ListAuditEvents", filter='action = "auth.create_owner"')).events
        assert (event.actor, event.resource, event.detail) == ("operator", owner.user_id, "owner")
    again = run(
        tmp_path, "owner", "create", "--tenant", tenant_id, "--email", EMAIL, "--generate", database_url=database_url
    )
    assert again.returncode == 2
    assert "a user with this mail address exists" in again.stderr
    # A password that contains the tenant's name twice.
    place = ("owner", "create", "--tenant", tenant_id, "--email", "bob@example.com")
    named = run(tmp_path, *place, database_url=database_url, typed="Acme Ltd. Acme Ltd.\n")
    assert named.returncode == 2
    assert "your name, address or company" in named.stderr
    unseen = run(tmp_path, *place[:-1], "b\u200bob@example.com", "--generate", database_url=database_url)
    assert (unseen.returncode, unseen.stderr.count("\n")) == (2, 1)
    poor = run(tmp_path, *words, database_url=database_url, typed="short\n")
    assert poor.returncode == 2
    none = run(tmp_path, *words, database_url=database_url)
    assert "no password was given" in none.stderr


async def test_a_password_that_is_made_must_be_changed(opened: Opened, database_url: str, tmp_path: Path) -> None:
    words = ("owner", "create", "--tenant-name", "Acme", "--email", EMAIL, "--generate")
    lines = dict(line.split(" ", 1) for line in run(tmp_path, *words, database_url=database_url).stdout.splitlines())
    async with opened() as auth:
        owner = await User(auth, tenant_id=lines["tenant"]).login(password=lines["password"])
        assert (await owner.call("GetMe")).scopes == []
        await owner.call("ChangePassword", current_password=lines["password"], new_password=PASSWORD)
        assert (await (await owner.refreshed()).call("GetMe")).scopes
        assert await reason_of(owner.login(password=lines["password"])) is Reason.LOGIN_REFUSED
    missing = run(
        tmp_path, "owner", "create", "--tenant", "nobody", "--email", EMAIL, "--generate", database_url=database_url
    )
    assert missing.returncode == 2
    assert "there is no such tenant" in missing.stderr


def test_keys_are_made_listed_and_removed(tmp_path: Path) -> None:
    first = run(tmp_path, "keys", "list").stdout.split()
    assert first[-1] == "signs"
    only = run(tmp_path, "keys", "remove", "--", first[0])
    assert only.returncode == 2
    assert "rotate first" in only.stderr
    new = run(tmp_path, "keys", "rotate").stdout.split()[1].rstrip(":")
    assert len(run(tmp_path, "keys", "list").stdout.splitlines()) == 2
    assert run(tmp_path, "keys", "remove", "--", first[0]).returncode == 0
    assert run(tmp_path, "keys", "list").stdout.split()[0] == new
    assert run(tmp_path, "keys", "remove", "--", "nothing").returncode == 2


async def test_acts_on_the_keys_are_audited(opened: Opened, database_url: str, tmp_path: Path) -> None:
    async with opened() as auth:
        owner = await register(auth)
        made = run(tmp_path, "keys", "rotate", database_url=database_url).stdout.split()[1].rstrip(":")
        # Without a database the key changes as well; a server records the act later.
        gone = "postgresql://nobody@127.0.0.1:1/none"
        old = next(key.kid for key in auth.keys.known() if key.kid != made)
        assert run(tmp_path, "keys", "remove", "--", old, database_url=gone).returncode == 0
        events = (await owner.call("ListAuditEvents", filter='actor = "operator"')).events
        assert [(event.action, event.resource) for event in events] == [("auth.rotate_keys", made)]
    async with opened() as auth:
        owner = await User(auth, tenant_id=owner.tenant_id).login()  # its former token ended with the key
        async with asyncio.timeout(30):
            while len((await owner.call("ListAuditEvents", filter='actor = "operator"')).events) < 2:
                await asyncio.sleep(0.05)
    (tmp_path / "keys" / "operator.jsonl").unlink()
    (tmp_path / "keys" / "operator.jsonl").mkdir()
    broken = run(tmp_path, "keys", "rotate")
    assert (broken.returncode, broken.stderr.count("\n")) == (2, 1)
    assert "the audit log lacks it" in broken.stderr


@pytest.mark.parametrize("email", ["nobody", "a b@example.com", "@"])
def test_an_invalid_mail_address_is_reported_in_one_line(tmp_path: Path, email: str) -> None:
    done = run(tmp_path, "owner", "create", "--tenant-name", "x", "--email", email, "--generate")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
