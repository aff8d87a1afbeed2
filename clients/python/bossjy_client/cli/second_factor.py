"""`bossjy second-factor`: one-time codes of the caller."""

from __future__ import annotations

from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.messages import tr
from bossjy_client.cli.secret_input import ask, next_line, on_terminal, secret
from bossjy_client.cli.session import Session
from bossjy_client.client import Client

_CONFIRM = "bossjy second-factor confirm"


async def _enrol(session: Session) -> ExitCode:
    output = session.output
    async with session.client() as client:
        password, code = await _credentials(session, client)
        made = await client.auth.begin_second_factor(password, totp_code=code)
        if output.as_json:
            output.message(made)
            return ExitCode.DONE
        output.note(tr("enter the secret in an authenticator application, or show it the URL as a QR code:"))
        output.pairs((("secret", made.secret), ("URL", made.otpauth_uri)))
        if not on_terminal():
            output.note(tr("it is not on yet: run `{confirm}` with a code of the application", confirm=_CONFIRM))
            return ExitCode.DONE
        await _turn_on(session, client)
    return ExitCode.DONE


async def _confirm(session: Session) -> ExitCode:
    async with session.client() as client:
        await _turn_on(session, client)
    return ExitCode.DONE


async def _turn_on(session: Session, client: Client) -> None:
    output = session.output
    code = ask(tr("Code of the application: "), "") if on_terminal() else next_line()
    codes = await client.auth.confirm_second_factor(code)
    await session.renew(client)
    if output.as_json:
        output.json({"recovery_codes": codes})
        return
    output.note(tr("the second factor is on. These recovery codes are shown once; each works once, for a lost device:"))
    for one in codes:
        output.line(one)


async def _disable(session: Session) -> ExitCode:
    async with session.client() as client:
        password, code = await _credentials(session, client)
        await client.auth.remove_second_factor(password, totp_code=code)
    session.output.note(tr("the second factor is off"))
    return ExitCode.DONE


async def _credentials(session: Session, client: Client) -> tuple[str, str]:
    """The password, and a current code if the caller has a second factor."""
    from_stdin = session.args.password_stdin
    has_factor = (await client.auth.me()).user.second_factor
    password = secret(tr("Password"), from_stdin=from_stdin)
    if not has_factor:
        return password, ""
    return password, next_line() if from_stdin else ask(tr("Current one-time code, or a recovery code: "), "")
