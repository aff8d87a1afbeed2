"""`bossjy tenant` and `bossjy audit`: settings, limits and the audit log of the tenant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

from bossjy.auth.v1 import account_pb2
from bossjy_client.cli.exit_codes import ExitCode, UsageError
from bossjy_client.cli.messages import tr
from bossjy_client.cli.session import Session

_FACTOR = {"required": True, "optional": False}


async def _show(session: Session) -> ExitCode:
    async with session.client() as client:
        _print(session, await client.tenant.get())
    return ExitCode.DONE


async def _set(session: Session) -> ExitCode:
    args = session.args
    if args.name is None and args.region is None and args.second_factor is None:
        raise UsageError(tr("nothing to change: give --name, --region or --second-factor"))
    async with session.client() as client:
        tenant = await client.tenant.update(
            display_name=args.name,
            default_region=args.region,
            second_factor_required=_FACTOR.get(args.second_factor),
        )
    _print(session, tenant)
    return ExitCode.DONE


def _own_limits(tenant: account_pb2.Tenant) -> list[tuple[str, str]]:
    """Limits that the operator set for the tenant; the others are those of the server."""
    limits: tuple[tuple[Literal["max_streams", "max_open_imports", "max_users", "max_api_keys"], str], ...] = (
        ("max_streams", tr("streams")),
        ("max_open_imports", tr("open imports")),
        ("max_users", tr("users")),
        ("max_api_keys", tr("API keys")),
    )
    return [(name, f"{getattr(tenant, field):,}") for field, name in limits if tenant.HasField(field)]


def _print(session: Session, tenant: account_pb2.Tenant) -> None:
    if session.output.as_json:
        session.output.message(tenant)
        return
    calls = (
        tr("{count:,} per class of methods", count=tenant.calls_per_minute)
        if tenant.calls_per_minute
        else tr("no limit")
    )
    session.output.pairs(
        (
            ("tenant", tenant.tenant_id),
            ("name", tenant.display_name),
            ("default region", tenant.default_region or tr("none")),
            ("calls a minute", calls),
            *_own_limits(tenant),
            ("second factor", tr("required") if tenant.second_factor_required else tr("optional")),
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
    outcome = (
        tr("{outcome} ({times} calls)", outcome=event.outcome, times=event.times) if event.times > 1 else event.outcome
    )
    return time, event.actor, event.action, event.resource, outcome, event.detail, event.address
