"""`bossjy password`, and the change of a password at login."""

from __future__ import annotations

from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.messages import tr
from bossjy_client.cli.secret_input import new_password, secret
from bossjy_client.cli.session import Session
from bossjy_client.client import Client
from bossjy_client.errors import BossjyError, InvalidRequestError

_TRIES = 3


async def _password(session: Session) -> ExitCode:
    args, output = session.args, session.output
    current = secret(tr("Current password"), from_stdin=args.password_stdin)
    async with session.client() as client:
        ended = await change(
            session, client, current, from_stdin=args.password_stdin, end_other_sessions=args.end_other_sessions
        )
        await session.renew(client)
    if output.as_json:
        output.json({"ended_count": ended})
    if args.end_other_sessions:
        output.note(tr("the password was changed; {ended} other sessions ended", ended=ended))
    else:
        output.note(tr("the password was changed"))
    return ExitCode.DONE


async def change(
    session: Session, client: Client, current: str, *, from_stdin: bool, end_other_sessions: bool = False
) -> int:
    """Ask for a new password and set it. On a terminal a refused one is asked for again. Returns the ended sessions."""
    for attempt in range(_TRIES):
        new = new_password(from_stdin=from_stdin)
        try:
            return await client.auth.change_password(current, new, end_other_sessions=end_other_sessions)
        except InvalidRequestError as error:
            if error.reason != "PASSWORD_REFUSED" or from_stdin or attempt == _TRIES - 1:
                raise
            session.output.error(error)
    raise BossjyError(tr("the password was not changed"))
