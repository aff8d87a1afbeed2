"""People and tenants by the tool: passwords, users, roles, sessions, second factor, audit log."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pyotp
import pytest

from bossjy.auth.v1 import account_pb2
from bossjy_client import ConflictError, NotFoundError
from bossjy_client.client import Client
from tests.e2e.conftest import EMAIL, PASSWORD, ROOT, ServerProcess, Tenant, caller_environment
from tests.e2e.tool.conftest import Run, objects
from tests.e2e.tool.in_process import run_tool
from tests.e2e.tool.terminal import PtyTerminal

pytestmark = pytest.mark.timeout(600)

SECOND_PASSWORD = "nine grey herons cross the marsh at dusk"
THIRD_PASSWORD = "a kettle sings above the frozen river"
BOB = "bob@example.com"


@pytest.fixture
def run(shared_server: ServerProcess, tenant: Tenant, tmp_path: Path) -> Run:
    """Run the tool, logged in with a password."""
    tool = partial(run_tool, tmp_path, BOSSJY_TARGET=shared_server.target)
    tool("login", "--tenant", tenant.tenant_id, "--email", EMAIL, "--password-stdin", text=PASSWORD)
    return tool


@pytest.fixture
def other(shared_server: ServerProcess, tmp_path: Path) -> Run:
    """The tool of another person, who has not logged in."""
    folder = tmp_path / "other"
    folder.mkdir()
    return partial(run_tool, folder, BOSSJY_TARGET=shared_server.target)


def login(tool: Run, tenant_id: str, email: str, *lines: str, code: int = 0) -> str:
    words = ("login", "--tenant", tenant_id, "--email", email, "--password-stdin")
    return tool(*words, text="".join(f"{line}\n" for line in lines), code=code).stderr


def test_a_tenant_and_two_users(other: Run, run: Run) -> None:
    """A stranger makes a tenant with an administrator and a member, whose first passwords must be changed."""
    words = ("register", "--tenant-name", "Northwind", "--email", EMAIL, "--name", "Ann", "--password-stdin", "--json")
    (made,) = objects(other(*words, text=PASSWORD + "\n"))
    assert objects(other("whoami", "--json"))[0]["tenant"]["display_name"] == "Northwind"
    (bob,) = objects(other("users", "create", BOB, "--role", "admin", "--name", "Bob", "--json"))
    first = bob["password"]
    shown = other("users", "create", "eve@example.com", "--password-stdin", text=SECOND_PASSWORD + "\n")
    assert f"--tenant {made['tenant_id']} --email eve@example.com" in shown.stderr
    assert SECOND_PASSWORD not in shown.stdout + shown.stderr
    listed = other("users", "list").stdout
    assert all(word in listed for word in (EMAIL, BOB, "eve@example.com", "owner", "admin", "member", "never"))
    assert [one["email"] for one in objects(other("users", "list", "--filter", "role = admin", "--json"))] == [BOB]

    # Without a new password the session is kept, and the way on is named.
    assert "run `bossjy password`" in login(run, made["tenant_id"], BOB, first, code=3)
    assert "bossjy password" in run("users", "list", code=3).stderr
    assert "bossjy password" in run("whoami").stdout
    assert run("password", "--password-stdin", text=f"{first}\n{SECOND_PASSWORD}\n").stderr.count("changed") == 1
    assert BOB in run("users", "list").stdout
    # With one, the login does both.
    reset = objects(other("users", "reset", BOB, "--json"))[0]["password"]
    assert "the password was changed" in login(run, made["tenant_id"], BOB, reset, THIRD_PASSWORD)
    assert BOB in run("users", "show", BOB).stdout
    assert "wrong" in run("password", "--password-stdin", text=f"{first}\n{SECOND_PASSWORD}\n", code=3).stderr
    short = run("password", "--password-stdin", text=f"{THIRD_PASSWORD}\nshort\n", code=4)
    assert "PASSWORD_REFUSED" in short.stderr

    # A role applies at once; a disabled user may nothing.
    assert objects(other("users", "role", BOB, "member", "--json"))[0]["role"] == "ROLE_MEMBER"
    assert "users.read" in run("users", "list", code=3).stderr
    other("users", "disable", BOB)
    run("whoami", code=3)
    assert "LOGIN_REFUSED" in login(run, made["tenant_id"], BOB, THIRD_PASSWORD, code=3)
    assert "active" in other("users", "enable", BOB).stdout
    login(run, made["tenant_id"], BOB, THIRD_PASSWORD)
    assert "no user with this mail address" in other("users", "show", "none@example.com", code=4).stderr
    assert "LAST_OWNER" in other("users", "disable", EMAIL, code=4).stderr

    assert "nothing was deleted" in other("users", "delete", "eve@example.com", text="yes\n", code=2).stderr
    other("users", "delete", "eve@example.com", text="eve@example.com\n")
    assert "eve@example.com" not in other("users", "list").stdout

    actions = [event["action"] for event in objects(other("audit", "--json", "--limit", "0"))]
    assert actions.count("auth.create_user") == 2
    (event,) = objects(other("audit", "--filter", 'action = "auth.change_role"', "--json"))
    assert (event["resource"], event["detail"]) == (bob["user"]["user_id"], "admin -> member")
    table = other("audit", "--limit", "1000").stdout
    assert "auth.reset_password" in table
    assert len(objects(other("audit", "--limit", "3", "--json"))) == 3


def test_keys_are_rotated(run: Run, shared_server: ServerProcess) -> None:
    def made(name: str) -> tuple[str, Run]:
        words = ("keys", "create", "--name", name, "--scope", "phone.read", "--json")
        (key,) = objects(run(*words))
        return key["api_key"]["api_key_id"], partial(
            run, BOSSJY_TOKEN=key["secret"], BOSSJY_TARGET=shared_server.target
        )

    old_id, old = made("nightly")
    _, new = made("nightly")
    for program in (old, new):
        program("phone", "validate", "+8613800000000")
    lacking = json.loads(new("contacts", "list", "--json", code=3).stderr)["error"]["metadata"]
    assert lacking == {"scope": "contacts.read", "cause": "KEY_WITHOUT_SCOPE", "role": "owner"}
    run("keys", "revoke", old_id)
    assert "TOKEN_INVALID" in old("phone", "validate", "+8613800000000", code=3).stderr
    new("phone", "validate", "+8613800000000")
    assert "only for users who have logged in" in new("sessions", "list", code=3).stderr


def test_sessions(run: Run, other: Run, tenant: Tenant) -> None:
    login(other, tenant.tenant_id, EMAIL, PASSWORD)
    found = objects(run("sessions", "list", "--json"))
    assert len(found) == 3  # with that of the registration
    assert "this one" in run("sessions", "list").stdout
    (current,) = [one["session_id"] for one in objects(other("sessions", "list", "--json")) if one["current"]]
    run("sessions", "revoke", current)
    assert "SESSION_ENDED" in other("whoami", code=3).stderr
    assert "RESOURCE_NOT_FOUND" in run("sessions", "revoke", "nothing", code=4).stderr
    login(other, tenant.tenant_id, EMAIL, PASSWORD)
    changed = run("password", "--end-other-sessions", "--password-stdin", text=f"{PASSWORD}\n{SECOND_PASSWORD}\n")
    assert "2 other sessions ended" in changed.stderr
    login(other, tenant.tenant_id, EMAIL, SECOND_PASSWORD)
    run("logout", "--all")
    other("whoami", code=3)


def test_the_tenant(run: Run, tenant: Tenant) -> None:
    shown = run("tenant", "show").stdout
    assert tenant.tenant_id in shown
    assert "no limit" in shown
    assert objects(run("tenant", "set", "--region", "CN", "--name", "Renamed", "--json"))[0]["default_region"] == "CN"
    assert "Renamed" in run("tenant", "show").stdout
    assert "none" in run("tenant", "set", "--region", "").stdout
    assert "nothing to change" in run("tenant", "set", code=2).stderr


def test_second_factor(run: Run, other: Run, tenant: Tenant) -> None:
    (made,) = objects(run("second-factor", "enrol", "--password-stdin", "--json", text=PASSWORD + "\n"))
    totp = pyotp.parse_uri(made["otpauth_uri"])
    assert isinstance(totp, pyotp.TOTP)
    assert totp.secret == made["secret"]
    (codes,) = objects(run("second-factor", "confirm", "--json", text=totp.now() + "\n"))
    assert "SECOND_FACTOR_REQUIRED" in login(other, tenant.tenant_id, EMAIL, PASSWORD, code=3)
    login(other, tenant.tenant_id, EMAIL, PASSWORD, codes["recovery_codes"][0])
    assert (
        "it is not on yet"
        in run("second-factor", "enrol", "--password-stdin", text=f"{PASSWORD}\n{codes['recovery_codes'][1]}\n").stderr
    )
    run("second-factor", "disable", "--password-stdin", text=f"{PASSWORD}\n{codes['recovery_codes'][2]}\n")
    login(other, tenant.tenant_id, EMAIL, PASSWORD)

    run("tenant", "set", "--second-factor", "required")
    assert "bossjy second-factor enrol" in login(other, tenant.tenant_id, EMAIL, PASSWORD, code=3)
    assert "second-factor enrol" in other("users", "list", code=3).stderr
    shown = other("second-factor", "enrol", "--password-stdin", text=PASSWORD + "\n").stdout
    secret = shown.split()[1]
    assert len(other("second-factor", "confirm", text=pyotp.TOTP(secret).now() + "\n").stdout.split()) == 10
    assert EMAIL in other("users", "list").stdout


def test_the_documented_commands_work_in_their_order(other: Run, tmp_path: Path) -> None:
    (tmp_path / "ann.password").write_text(PASSWORD + "\n")
    (block,) = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/cli.md").read_text("utf-8"), re.DOTALL)
    lines = block.splitlines()
    assert len(lines) == 9
    ran = []
    for line in lines:
        command, _, file = line.partition(" < ")
        text = (tmp_path / file).read_text() if file else ""
        ran.append(other(*shlex.split(command)[1:], text=text))
    assert objects(ran[-1])[0]["detail"] == "member -> admin"
    (old,) = objects(other("keys", "list", "--json"))
    other("keys", "revoke", old["api_key_id"])
    assert not other("keys", "list", "--json").stdout


def test_a_limit_is_raised(run: Run, shared_server: ServerProcess, tenant: Tenant) -> None:
    words = ("tenants", "limit", tenant.tenant_id, "--calls-per-minute", "100000")
    command = [sys.executable, "-m", "bossjy_server.cli", *words]
    subprocess.run(command, env=shared_server.environment, capture_output=True, timeout=100, check=True)
    assert "100,000" in run("tenant", "show").stdout
    streams = [*command[:6], "--streams", "1", "--users", "default"]
    done = subprocess.run(streams, env=shared_server.environment, capture_output=True, timeout=100, check=True)
    assert b"streams of a process: default -> 1\n" in done.stdout
    assert objects(run("tenant", "show", "--json"))[0]["max_streams"] == 1
    wrong = [*command[:6], "--open-imports", "0"]
    assert subprocess.run(wrong, env=shared_server.environment, capture_output=True, check=False).returncode == 2


Open = Callable[..., PtyTerminal]


@pytest.fixture
def open_tool(tmp_path: Path) -> Iterator[Open]:
    opened: list[PtyTerminal] = []

    def start(*arguments: str) -> PtyTerminal:
        command = [sys.executable, "-m", "bossjy_client", *arguments]
        opened.append(PtyTerminal(command, caller_environment(tmp_path), tmp_path))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


def test_passwords_on_a_terminal(open_tool: Open, run: Run, shared_server: ServerProcess, tenant: Tenant) -> None:
    first = objects(run("users", "create", BOB, "--role", "admin", "--json"))[0]["password"]
    tool = open_tool("login", "--target", shared_server.target, "--tenant", tenant.tenant_id, "--email", BOB)
    tool.answer("Password", first)
    tool.wait_for("must be changed")
    tool.answer("New password", "short")
    tool.answer("New password, again", "short")
    tool.wait_for("PASSWORD_REFUSED")
    tool.answer("New password", SECOND_PASSWORD)
    tool.answer("New password, again", SECOND_PASSWORD)
    tool.wait_for("the password was changed")
    assert tool.end() == 0
    assert SECOND_PASSWORD not in tool.screen()
    assert BOB in run("users", "list").stdout

    tool = open_tool("password")
    tool.answer("Current password", SECOND_PASSWORD)
    tool.answer("New password", THIRD_PASSWORD)
    tool.answer("New password, again", SECOND_PASSWORD)
    tool.wait_for("the two passwords differ")
    assert tool.end() == 3

    tool = open_tool("second-factor", "enrol")
    tool.answer("Password", SECOND_PASSWORD)
    secret = tool.wait_for(r"secret +([A-Z2-7]{32})")[1]
    tool.answer("Code of the application", pyotp.TOTP(secret).now())
    tool.wait_for("recovery codes")
    assert tool.end() == 0


async def test_the_client_does_the_same(shared_server: ServerProcess, tenant: Tenant) -> None:
    async with await Client.connect(
        shared_server.target, tenant_id=tenant.tenant_id, email=EMAIL, password=PASSWORD
    ) as owner:
        assert (await owner.auth.update_me(display_name="Ann", language="zh")).language == "zh"
        assert (await owner.auth.update_me(language="")).display_name == "Ann"
        made = await owner.users.create(BOB, account_pb2.ROLE_MEMBER)
        with pytest.raises(ConflictError):
            await owner.users.create(BOB, account_pb2.ROLE_MEMBER, password=THIRD_PASSWORD)
        bob = made.user.user_id
        stale = (await owner.users.get(bob)).etag
        assert (await owner.users.update(bob, display_name="Bob")).display_name == "Bob"
        with pytest.raises(ConflictError):
            await owner.users.update(bob, role=account_pb2.ROLE_ADMIN, etag=stale)
        assert (await owner.users.update(bob, role=account_pb2.ROLE_ADMIN)).role == account_pb2.ROLE_ADMIN
        assert [user.email async for user in owner.users.list(page_size=1)] == [BOB, EMAIL]
        assert (await owner.users.remove_second_factor(bob)).ended_count == 0
        with pytest.raises(NotFoundError):
            await owner.users.get("nobody")
        assert (await owner.auth.introspect(await owner.token())).tenant_id == tenant.tenant_id
        assert (await owner.auth.jwks())[0].alg == "ES256"
        assert (await owner.tenant.update(second_factor_required=False)).tenant_id == tenant.tenant_id
        actions = [event.action async for event in owner.tenant.audit_events(page_size=2)]
        assert "auth.change_role" in actions
        assert len(actions) > 4


def test_errors_are_objects_for_programs(run: Run) -> None:
    error = json.loads(run("users", "show", "nobody", "--json", code=4).stderr)["error"]
    assert (error["reason"], error["metadata"]) == ("RESOURCE_NOT_FOUND", {"resource": "user"})


@pytest.mark.parametrize("name", ["China", "中国", "CHN", "86"])
def test_a_region_by_another_name_is_refused_with_its_code(run: Run, name: str) -> None:
    refused = json.loads(run("phone", "validate", "--region", name, "138 0014 4001", "--json", code=4).stderr)["error"]
    assert (refused["reason"], refused["metadata"]) == ("INVALID_FIELD", {"region_code": "CN"})
    assert "use CN" in refused["message"]


def test_a_region_in_small_letters(run: Run) -> None:
    assert "+8613800144001" in run("phone", "validate", "--region", "cn", "138 0014 4001").stdout
    assert "default region  CN" in run("tenant", "set", "--region", "cn").stdout
    assert "use CN" in run("tenant", "set", "--region", "China", code=4).stderr
    assert "ListRegions" in run("phone", "validate", "--region", "Nowhere", "138", code=4).stderr
