"""`bossjy tenant` and `bossjy audit`: settings, limits and the audit log of the tenant."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from typing import Any, Literal

from bossjy.auth.v1 import account_pb2
from bossjy_client.cli.examples import example
from bossjy_client.cli.exit_codes import ExitCode, UsageError
from bossjy_client.cli.session import Session

_FACTOR = {"required": True, "optional": False}


def add_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands of this module."""
    group = commands.add_parser("tenant", help="name, default region and limits of the tenant").add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    text = "name, default region and limits"
    command = group.add_parser("show", parents=[common], help=text, description=text, **example("tenant show"))
    command.set_defaults(command=_show)
    text = "change the tenant; only an owner may"
    command = group.add_parser("set", parents=[common], help=text, description=text, **example("tenant set"))
    command.add_argument("--name", metavar="TEXT", help="display name")
    command.add_argument(
        "--region", metavar="CC", help="region of imports and calls that give none, such as CN; '' for none"
    )
    command.add_argument("--second-factor", choices=list(_FACTOR), help="whether every user needs a second factor")
    command.set_defaults(command=_set)

    text = "events of the audit log, the newest first"
    command = commands.add_parser("audit", parents=[common], help=text, description=text, **example("audit"))
    command.add_argument(
        "--filter",
        metavar="TEXT",
        default="",
        help='over actor, action, resource, outcome, event_time; such as: action = "auth.login" AND outcome != "OK"',
    )
    command.add_argument("--limit", type=int, default=100, metavar="N", help="the most to show (default 100; 0: all)")
    command.set_defaults(command=_audit)


async def _show(session: Session) -> ExitCode:
    async with session.client() as client:
        _print(session, await client.tenant.get())
    return ExitCode.DONE


async def _set(session: Session) -> ExitCode:
    args = session.args
    if args.name is None and args.region is None and args.second_factor is None:
        raise UsageError("nothing to change: give --name, --region or --second-factor")
    async with session.client() as client:
        tenant = await client.tenant.update(
            display_name=args.name,
            default_region=args.region,
            second_factor_required=_FACTOR.get(args.second_factor),
        )
    _print(session, tenant)
    return ExitCode.DONE


# Limits that the operator set for the tenant; the others are those of the server.
_OWN_LIMITS: dict[Literal["max_streams", "max_open_imports", "max_users", "max_api_keys"], str] = {
    "max_streams": "streams",
    "max_open_imports": "open imports",
    "max_users": "users",
    "max_api_keys": "API keys",
}


def _print(session: Session, tenant: account_pb2.Tenant) -> None:
    if session.output.as_json:
        session.output.message(tenant)
        return
    calls = f"{tenant.calls_per_minute:,} per class of methods" if tenant.calls_per_minute else "no limit"
    session.output.pairs(
        (
            ("tenant", tenant.tenant_id),
            ("name", tenant.display_name),
            ("default region", tenant.default_region or "none"),
            ("calls a minute", calls),
            *((name, f"{getattr(tenant, field):,}") for field, name in _OWN_LIMITS.items() if tenant.HasField(field)),
            ("second factor", "required" if tenant.second_factor_required else "optional"),
            ("created", tenant.create_time.ToJsonString()),
        )
    )


async def _audit(session: Session) -> ExitCode:
    args, output = session.args, session.output
    page_size = min(500, args.limit) if args.limit else 500
    async with session.client() as client:
        events = _first(client.tenant.audit_events(args.filter, page_size=page_size), args.limit)
        if output.as_json:
            async for event in events:
                output.message(event)
            return ExitCode.DONE
        rows = [_row(event) async for event in events]
    output.table(("time", "actor", "action", "resource", "outcome", "detail", "network"), rows)
    return ExitCode.DONE


async def _first(events: AsyncIterator[account_pb2.AuditEvent], limit: int) -> AsyncIterator[account_pb2.AuditEvent]:
    count = 0
    async for event in events:
        yield event
        count += 1
        if count == limit:
            return


def _row(event: account_pb2.AuditEvent) -> tuple[object, ...]:
    time = event.event_time.ToDatetime().isoformat(sep=" ", timespec="seconds")
    outcome = f"{event.outcome} ({event.times} calls)" if event.times > 1 else event.outcome
    return time, event.actor, event.action, event.resource, outcome, event.detail, event.address
