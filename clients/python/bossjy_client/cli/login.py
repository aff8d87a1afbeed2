"""`bossjy login`, `logout`, `whoami`."""

from __future__ import annotations

import platform
from typing import Any

from bossjy_client.cli.arguments.values import DEFAULT_TARGET
from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.messages import tr
from bossjy_client.cli.password import change
from bossjy_client.cli.secret_input import ask, next_line, on_terminal, secret
from bossjy_client.cli.session import Session
from bossjy_client.client import Client
from bossjy_client.credentials import Login
from bossjy_client.errors import BossjyError, CredentialsError, UnauthenticatedError
from bossjy_client.tokens import SessionTokens

DEVICE = f"bossjy on {platform.node()}"[:200]


async def _login(session: Session) -> ExitCode:
    args, output = session.args, session.output
    target = session.target_option or DEFAULT_TARGET
    if args.api_key_stdin:
        key = secret(tr("API key"), from_stdin=True)
        async with await Client.connect(target, token=key, config=session.config()) as client:
            me = await client.auth.me()
        # The address is empty for an API key.
        _store(session, Login(target, me.tenant.tenant_id, api_key=key), me.user.email)
        return ExitCode.DONE
    tenant: str = args.tenant or ask(tr("Tenant: "), tr("give --tenant and --email"))
    email: str = args.email or ask(tr("Mail address: "), tr("give --tenant and --email"))
    password = secret(tr("Password"), from_stdin=args.password_stdin)
    async with await Client.connect(target, config=session.config()) as client:
        answer = await _open_session(client, tenant, email, password)
        tokens = SessionTokens.of(answer.tokens)
        # Kept before the change, so that `bossjy password` can continue if it fails.
        _store(session, Login(target, tenant, email).renewed(tokens), email)
        if answer.password_change_required:
            output.note(tr("this password must be changed before anything else is allowed"))
            client.use_session(tokens)
            await _change(session, client, password)
            await session.renew(client, target)
            output.note(tr("the password was changed"))
    return note_factor(session, required=answer.second_factor_required)


def _store(session: Session, login: Login, email: str) -> None:
    session.credentials.save(session.stored(login))
    if session.output.as_json:
        session.output.json({"target": login.target, "tenant_id": login.tenant_id, "email": email})
    who = email or tr("an API key")
    where = session.credentials.path
    session.output.note(
        tr(
            "logged in at {target} as {who} of {tenant_id}; kept in {where}",
            target=login.target,
            who=who,
            tenant_id=login.tenant_id,
            where=where,
        )
    )


async def _change(session: Session, client: Client, password: str) -> None:
    from_stdin = session.args.password_stdin
    if from_stdin:
        new = next_line()
        if not new:
            raise CredentialsError(
                tr(
                    "logged in, but the password must be changed: run `bossjy password`, or give the "
                    "new password on the next line of standard input"
                )
            )
        await client.auth.change_password(password, new)
    else:
        await change(session, client, password, from_stdin=False)


def note_factor(session: Session, *, required: bool) -> ExitCode:
    """The exit code of a new session, with a remark if it has no scopes until a second factor is set up."""
    if required:
        session.output.note(tr("nothing is allowed until you set up a second factor: run `bossjy second-factor enrol`"))
    return ExitCode.CREDENTIALS if required else ExitCode.DONE


def _key_name(me: Any) -> str:
    """The name and the id of the caller's API key; empty for a session."""
    return f"{me.api_key.display_name} ({me.api_key_id})" if me.api_key.display_name else str(me.api_key_id)


async def _open_session(client: Client, tenant: str, email: str, password: str) -> Any:
    try:
        return await client.auth.login(tenant, email, password, device_name=DEVICE)
    except UnauthenticatedError as error:
        if error.reason != "SECOND_FACTOR_REQUIRED":
            raise
        code = ask(tr("One-time code: "), "") if on_terminal() else next_line()
        if not code:
            raise
        return await client.auth.login(tenant, email, password, totp_code=code, device_name=DEVICE)


async def _logout(session: Session) -> ExitCode:
    login = session.credentials.load(session.target_option)
    if login is None:
        raise CredentialsError(tr("not logged in"))
    try:
        if not login.api_key:
            async with session.client() as client:
                await client.auth.logout(all_sessions=session.args.all)
    except BossjyError as error:
        session.output.note(tr("the session could not be ended at {target}: {error}", target=login.target, error=error))
    session.credentials.remove(login.target)
    session.output.note(tr("logged out of {target}", target=login.target))
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
    if me.second_factor_required:
        return tr("nothing until a second factor is set up: `bossjy second-factor enrol`")
    return tr("nothing until the password is changed: `bossjy password`") if me.session_id else ""
