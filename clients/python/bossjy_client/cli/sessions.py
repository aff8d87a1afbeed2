"""`bossjy sessions`: the caller's logins that have not ended."""

from __future__ import annotations

from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.messages import tr
from bossjy_client.cli.session import Session


async def _list(session: Session) -> ExitCode:
    async with session.client() as client:
        found = [one async for one in client.auth.list_sessions()]
    if session.output.as_json:
        for one in found:
            session.output.message(one)
        return ExitCode.DONE
    rows = (
        (
            one.session_id,
            one.device_name,
            one.address,
            one.create_time.ToJsonString(),
            one.last_use_time.ToJsonString(),
            tr("this one") if one.current else "",
        )
        for one in found
    )
    session.output.table(("session", "device", "address", "began", "used", ""), rows)
    return ExitCode.DONE


async def _revoke(session: Session) -> ExitCode:
    async with session.client() as client:
        for session_id in session.args.sessions:
            await client.auth.revoke_session(session_id)
            session.output.note(tr("ended {session_id}", session_id=session_id))
    return ExitCode.DONE
