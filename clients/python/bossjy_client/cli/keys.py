"""`bossjy keys`: API keys for programs."""

from __future__ import annotations

import argparse
import time
from typing import Any

from bossjy_client.cli.examples import example
from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.output import as_dict
from bossjy_client.cli.session import Session

_DAY_S = 86_400


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    group = commands.add_parser("keys", help="API keys for programs").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    command = group.add_parser("list", parents=[common], help="the tenant's keys", **example("keys list"))
    command.set_defaults(command=_list)
    text = "make a key; its secret is shown once"
    command = group.add_parser("create", parents=[common], help=text, description=text, **example("keys create"))
    command.add_argument("--name", required=True, metavar="TEXT", help="for people")
    command.add_argument(
        "--scope", action="append", required=True, metavar="SCOPE", help="such as phone.read; may be repeated"
    )
    command.add_argument("--days", type=int, metavar="N", help="days of validity (default: set by the service)")
    command.set_defaults(command=_create)
    command = group.add_parser("revoke", parents=[common], help="end a key", **example("keys revoke"))
    command.add_argument("api_key_id", metavar="KEY", help="its id, as `bossjy keys list` shows it")
    command.set_defaults(command=_revoke)


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
            key.expire_time.ToJsonString() if key.HasField("expire_time") else "never",
            key.last_use_time.ToJsonString() if key.HasField("last_use_time") else "never",
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
        output.note("the secret is shown once; give it to the program as BOSSJY_TOKEN:")
        output.out.print(made.secret, markup=False)
    return ExitCode.DONE


async def _revoke(session: Session) -> ExitCode:
    async with session.client() as client:
        await client.auth.revoke_api_key(session.args.api_key_id)
    session.output.note("ended")
    return ExitCode.DONE
