"""`bossjy keys`: API keys for programs."""

from __future__ import annotations

import time

from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.messages import tr
from bossjy_client.cli.output import as_dict
from bossjy_client.cli.session import Session

_DAY_S = 86_400


async def _list(session: Session) -> ExitCode:
    async with session.client() as client:
        keys = await client.auth.list_api_keys()
    if session.output.as_json:
        for key in keys:
            session.output.json(as_dict(key))
        return ExitCode.DONE
    rows = (
        (
            key.api_key_id,
            key.display_name,
            ", ".join(key.scopes),
            key.expire_time.ToJsonString() if key.HasField("expire_time") else tr("never"),
            key.last_use_time.ToJsonString() if key.HasField("last_use_time") else tr("never"),
        )
        for key in keys
    )
    session.output.table(("key", "name", "may", "ends", "used"), rows)
    return ExitCode.DONE


async def _create(session: Session) -> ExitCode:
    args, output = session.args, session.output
    end = None if args.days is None else time.time() + args.days * _DAY_S
    async with session.client() as client:
        made = await client.auth.create_api_key(args.name, args.scope, expire_time_s=end)
    if output.as_json:
        output.message(made)
    else:
        output.note(tr("the secret is shown once; give it to the program as BOSSJY_TOKEN:"))
        output.line(made.secret)
    return ExitCode.DONE


async def _revoke(session: Session) -> ExitCode:
    async with session.client() as client:
        await client.auth.revoke_api_key(session.args.api_key_id)
    session.output.note(tr("ended"))
    return ExitCode.DONE
