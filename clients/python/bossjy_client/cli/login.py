"""`bossjy login`, `logout`, `whoami`."""

from __future__ import annotations

import argparse
import getpass
import platform
import sys
from typing import Any

from bossjy_client.cli.examples import example
from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.session import DEFAULT_TARGET, Session
from bossjy_client.client import Client
from bossjy_client.credentials import Login
from bossjy_client.errors import BossjyError, CredentialsError, UnauthenticatedError
from bossjy_client.tokens import SessionTokens


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    text = "log in; the credentials are stored in a file that only you can read"
    login = commands.add_parser("login", parents=[common], help=text, description=text, **example("login"))
    login.add_argument("--tenant", metavar="ID", default="", help="tenant id (default: asks)")
    login.add_argument("--email", metavar="ADDRESS", default="", help="mail address (default: asks)")
    login.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    login.add_argument("--api-key-stdin", action="store_true", help="read an API key from standard input instead")
    login.set_defaults(command=_login)
    logout = commands.add_parser("logout", parents=[common], help="end the session and delete it", **example("logout"))
    logout.set_defaults(command=_logout)
    whoami = commands.add_parser(
        "whoami", parents=[common], help="show the caller and its permissions", **example("whoami")
    )
    whoami.set_defaults(command=_whoami)


async def _login(session: Session) -> ExitCode:
    args = session.args
    target = session.target_option or DEFAULT_TARGET
    if args.api_key_stdin:
        stored, email = await _with_key(session, target, _secret_line())
    else:
        stored, email = await _with_password(session, target, *_identity(args))
    session.credentials.save(session.stored(stored))
    if session.output.as_json:
        session.output.json({"target": target, "tenant_id": stored.tenant_id, "email": email})
    who = email or "an API key"
    session.output.note(f"logged in at {target} as {who} of {stored.tenant_id}; kept in {session.credentials.path}")
    return ExitCode.DONE


async def _with_key(session: Session, target: str, key: str) -> tuple[Login, str]:
    async with await Client.connect(target, token=key, config=session.config()) as client:
        me = await client.auth.me()
    return Login(target, me.tenant.tenant_id, api_key=key), me.user.email  # empty for an API key


def _key_name(me: Any) -> str:
    """The name and the id of the caller's API key; empty for a session."""
    return f"{me.api_key.display_name} ({me.api_key_id})" if me.api_key.display_name else str(me.api_key_id)


async def _with_password(session: Session, target: str, tenant: str, email: str, password: str) -> tuple[Login, str]:
    async with await Client.connect(target, config=session.config()) as client:
        tokens = SessionTokens.of(await _open_session(client, tenant, email, password))
    return Login(target, tenant, email).renewed(tokens), email


def _identity(args: argparse.Namespace) -> tuple[str, str, str]:
    tenant: str = args.tenant or _ask("Tenant: ")
    email: str = args.email or _ask("Mail address: ")
    if args.password_stdin:
        return tenant, email, _secret_line()
    if not sys.stdin.isatty():
        raise CredentialsError("standard input is not a terminal: give the password with --password-stdin")
    return tenant, email, getpass.getpass("Password: ")


async def _open_session(client: Client, tenant: str, email: str, password: str) -> Any:
    device = f"bossjy on {platform.node()}"[:200]
    try:
        answer = await client.auth.login(tenant, email, password, device_name=device)
    except UnauthenticatedError as error:
        if error.reason != "SECOND_FACTOR_REQUIRED" or not sys.stdin.isatty():
            raise
        code = _ask("One-time code: ")
        answer = await client.auth.login(tenant, email, password, totp_code=code, device_name=device)
    return answer.tokens


def _ask(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise CredentialsError("standard input is not a terminal: give --tenant and --email")
    sys.stderr.write(prompt)
    sys.stderr.flush()
    return sys.stdin.readline().strip()


def _secret_line() -> str:
    secret = sys.stdin.readline().rstrip("\r\n")
    if not secret:
        raise CredentialsError("standard input is empty: the secret is read from its first line")
    return secret


async def _logout(session: Session) -> ExitCode:
    login = session.credentials.load(session.target_option)
    if login is None:
        raise CredentialsError("not logged in")
    try:
        if not login.api_key:
            async with session.client() as client:
                await client.auth.logout()
    except BossjyError as error:
        session.output.note(f"the session could not be ended at {login.target}: {error}")
    session.credentials.remove(login.target)
    session.output.note(f"logged out of {login.target}")
    return ExitCode.DONE


async def _whoami(session: Session) -> ExitCode:
    async with session.client() as client:
        me = await client.auth.me()
        if session.output.as_json:
            session.output.message(me)
        else:
            session.output.pairs(
                (
                    ("service", client.target),
                    ("tenant", f"{me.tenant.display_name} ({me.tenant.tenant_id})"),
                    ("user", me.user.email),
                    ("API key", _key_name(me)),
                    ("may", ", ".join(me.scopes) or _nothing(me)),
                )
            )
    return ExitCode.DONE


def _nothing(me: Any) -> str:
    return "nothing until a second factor is set up" if me.second_factor_required else ""
