"""`bossjy second-factor`: one-time codes of the caller."""

from __future__ import annotations

import argparse
from typing import Any

from bossjy_client.cli.examples import example
from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.secret_input import ask, next_line, on_terminal, secret
from bossjy_client.cli.session import Session
from bossjy_client.client import Client

_CONFIRM = "bossjy second-factor confirm"


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    group = commands.add_parser("second-factor", help="one-time codes for your login").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    secrets = argparse.ArgumentParser(add_help=False)
    secrets.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input; a second line is the current one-time code or a recovery code",
    )

    text = "a new secret for an authenticator application, and new recovery codes after its first code"
    command = group.add_parser(
        "enrol", parents=[common, secrets], help=text, description=text, **example("second-factor enrol")
    )
    command.set_defaults(command=_enrol)
    text = "turn the second factor on with a code of the new secret, which is asked for, or read from standard input"
    command = group.add_parser(
        "confirm", parents=[common], help=text, description=text, **example("second-factor confirm")
    )
    command.set_defaults(command=_confirm)
    text = "turn the second factor off"
    command = group.add_parser(
        "disable", parents=[common, secrets], help=text, description=text, **example("second-factor disable")
    )
    command.set_defaults(command=_disable)


async def _enrol(session: Session) -> ExitCode:
    output = session.output
    async with session.client() as client:
        password, code = await _credentials(session, client)
        made = await client.auth.begin_second_factor(password, totp_code=code)
        if output.as_json:
            output.message(made)
            return ExitCode.DONE
        output.note("enter the secret in an authenticator application, or show it the URL as a QR code:")
        output.pairs((("secret", made.secret), ("URL", made.otpauth_uri)))
        if not on_terminal():
            output.note(f"it is not on yet: run `{_CONFIRM}` with a code of the application")
            return ExitCode.DONE
        await _turn_on(session, client)
    return ExitCode.DONE


async def _confirm(session: Session) -> ExitCode:
    async with session.client() as client:
        await _turn_on(session, client)
    return ExitCode.DONE


async def _turn_on(session: Session, client: Client) -> None:
    output = session.output
    code = ask("Code of the application: ", "") if on_terminal() else next_line()
    codes = await client.auth.confirm_second_factor(code)
    await session.renew(client)
    if output.as_json:
        output.json({"recovery_codes": codes})
        return
    output.note("the second factor is on. These recovery codes are shown once; each works once, for a lost device:")
    for one in codes:
        output.out.print(one, markup=False)


async def _disable(session: Session) -> ExitCode:
    async with session.client() as client:
        password, code = await _credentials(session, client)
        await client.auth.remove_second_factor(password, totp_code=code)
    session.output.note("the second factor is off")
    return ExitCode.DONE


async def _credentials(session: Session, client: Client) -> tuple[str, str]:
    """The password, and a current code if the caller has a second factor."""
    from_stdin = session.args.password_stdin
    has_factor = (await client.auth.me()).user.second_factor
    password = secret("Password", from_stdin=from_stdin)
    if not has_factor:
        return password, ""
    return password, next_line() if from_stdin else ask("Current one-time code, or a recovery code: ", "")
