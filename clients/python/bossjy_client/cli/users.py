"""`bossjy users`: the users of the tenant, for its administrators."""

from __future__ import annotations

from bossjy.auth.v1 import account_pb2
from bossjy_client.cli.exit_codes import ExitCode, UsageError
from bossjy_client.cli.messages import tr
from bossjy_client.cli.output import enum_word
from bossjy_client.cli.secret_input import ask, new_password, next_line, on_terminal
from bossjy_client.cli.session import Session
from bossjy_client.client import Client
from bossjy_client.errors import NotFoundError

_ROLES = {word: account_pb2.Role.Value(f"ROLE_{word.upper()}") for word in ("service", "member", "admin", "owner")}


async def _list(session: Session) -> ExitCode:
    async with session.client() as client:
        users = [user async for user in client.users.list(session.args.filter)]
    if session.output.as_json:
        for user in users:
            session.output.message(user)
    else:
        session.output.table(("user", "mail", "name", "role", "state", "last login"), map(_row, users))
    return ExitCode.DONE


def _row(user: account_pb2.User) -> tuple[str, ...]:
    login = user.last_login_time.ToJsonString() if user.HasField("last_login_time") else tr("never")
    return user.user_id, user.email, user.display_name, _role_word(user), _state_word(user), login


def _role_word(user: account_pb2.User) -> str:
    return enum_word(account_pb2.Role.Name(user.role), "ROLE_").lower()


def _state_word(user: account_pb2.User) -> str:
    return enum_word(account_pb2.UserState.Name(user.state), "USER_STATE_").lower()


async def _user_id(client: Client, user: str) -> str:
    """The id of a user who is named by id or mail address. Raises NotFoundError."""
    if "@" not in user:
        return user
    quoted = user.replace("\\", "\\\\").replace('"', '\\"')
    async for one in client.users.list(f'email = "{quoted}"'):
        return one.user_id
    raise NotFoundError(tr("there is no user with this mail address: `bossjy users list` shows them"), code="NOT_FOUND")


def _print(session: Session, user: account_pb2.User) -> None:
    if session.output.as_json:
        session.output.message(user)
        return
    names = ("user", "mail", "name", "role", "state", "last login")
    session.output.pairs(
        (
            *zip(names, _row(user), strict=True),
            ("language", user.language),
            ("second factor", tr("on") if user.second_factor else tr("off")),
            ("created", user.create_time.ToJsonString()),
        )
    )


async def _show(session: Session) -> ExitCode:
    async with session.client() as client:
        _print(session, await client.users.get(await _user_id(client, session.args.user)))
    return ExitCode.DONE


async def _create(session: Session) -> ExitCode:
    args, output = session.args, session.output
    password = new_password(from_stdin=True) if args.password_stdin else ""
    async with session.client() as client:
        tenant_id = (await client.auth.me()).tenant.tenant_id
        made = await client.users.create(args.email, _ROLES[args.role], display_name=args.name, password=password)
        target = client.target
    if output.as_json:
        output.message(made)
        return ExitCode.DONE
    output.pairs((("user", made.user.user_id), ("role", args.role), ("password", made.password)))
    if made.password:
        output.note(tr("the password is shown once; it must be changed at the first login:"))
    output.note(
        tr(
            "bossjy login --target {target} --tenant {tenant_id} --email {email}",
            target=target,
            tenant_id=tenant_id,
            email=args.email,
        )
    )
    return ExitCode.DONE


async def _role(session: Session) -> ExitCode:
    args = session.args
    async with session.client() as client:
        user = await client.users.update(await _user_id(client, args.user), role=_ROLES[args.role])
    _print(session, user)
    return ExitCode.DONE


async def _disable(session: Session) -> ExitCode:
    async with session.client() as client:
        answer = await client.users.disable(await _user_id(client, session.args.user))
    _print(session, answer.user)
    session.output.note(
        tr("ended sessions: {ended_count}; the user's API keys have ended as well", ended_count=answer.ended_count)
    )
    return ExitCode.DONE


async def _enable(session: Session) -> ExitCode:
    async with session.client() as client:
        _print(session, await client.users.enable(await _user_id(client, session.args.user)))
    return ExitCode.DONE


async def _delete(session: Session) -> ExitCode:
    user, output = session.args.user, session.output
    async with session.client() as client:
        user_id = await _user_id(client, user)
        if on_terminal():
            output.note(
                tr(
                    "this deletes the name, address, password and logins of the user, and ends its API keys; nobody "
                    "can restore them. Contacts, imports and the audit log stay"
                )
            )
        typed = ask(tr("Type the id or address of the user again: "), "") if on_terminal() else next_line().strip()
        if typed != user:
            raise UsageError(tr("the typed text is not the user: nothing was deleted"))
        ended = await client.users.delete(user_id)
    if output.as_json:
        output.json({"user_id": user_id, "ended_count": ended})
    output.note(tr("deleted {user_id}; ended sessions: {ended}", user_id=user_id, ended=ended))
    return ExitCode.DONE


async def _reset(session: Session) -> ExitCode:
    args, output = session.args, session.output
    async with session.client() as client:
        user_id = await _user_id(client, args.user)
        password = await client.users.reset_password(user_id, keep_api_keys=args.keep_api_keys)
    if output.as_json:
        output.json({"user_id": user_id, "password": password})
        return ExitCode.DONE
    output.note(tr("the password is shown once; it must be changed at the next login:"))
    output.line(password)
    return ExitCode.DONE


async def _remove_factor(session: Session) -> ExitCode:
    async with session.client() as client:
        answer = await client.users.remove_second_factor(await _user_id(client, session.args.user))
    _print(session, answer.user)
    session.output.note(tr("ended sessions: {ended_count}", ended_count=answer.ended_count))
    return ExitCode.DONE
