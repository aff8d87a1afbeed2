"""A real server on a free port with the real chain, and servicers of the tests under the real contracts."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc.aio
import pytest
from prometheus_client import CollectorRegistry

from bossjy.phone.v1 import phone_service_pb2
from bossjy_server.context import Caller
from bossjy_server.errors import Reason, Unauthenticated
from bossjy_server.rpc.chain import build_chain
from bossjy_server.rpc.limits import Limits
from bossjy_server.rpc.metrics import CallMetrics
from bossjy_server.rpc.options import LimitOptions, QuotaOptions, RateOptions, ServerOptions, StreamOptions
from bossjy_server.rpc.quotas import Quotas
from bossjy_server.rpc.rates import Rates
from bossjy_server.rpc.server import Router, start_server
from bossjy_server.rpc.streams import Recheck, StreamGuard
from bossjy_server.telemetry.logging import Log
from bossjy_server.tenant_settings import KnownTenants, TenantSettings

PHONE = phone_service_pb2.DESCRIPTOR.services_by_name["PhoneService"]
READER = Caller(tenant_id="t", user_id="u", scopes=frozenset({"phone.read"}), role="member")
STRANGER = Caller(tenant_id="t", user_id="u", scopes=frozenset(), role="member")


async def authenticate(authorization: str) -> Caller:
    """Two tokens: one may read phones, one may do nothing."""
    callers = {"Bearer reader": READER, "Bearer stranger": STRANGER}
    if authorization not in callers:
        raise Unauthenticated(Reason.TOKEN_INVALID, "this token is not valid")
    return callers[authorization]


async def still_allowed(callers: Sequence[Caller]) -> list[frozenset[str]]:
    """An authority without changes."""
    return [caller.scopes for caller in callers]


@dataclass
class Served:
    """A running server and its log and metrics."""

    channel: grpc.aio.Channel
    address: str
    limits: Limits
    registry: CollectorRegistry
    log: Log
    text: io.StringIO = field(default_factory=io.StringIO)


@pytest.fixture
def serve() -> Callable[..., object]:
    """`async with serve(servicer) as served`: a server with that PhoneService."""

    @asynccontextmanager
    async def start(
        servicer: object,
        *,
        limit_options: LimitOptions | None = None,
        quota_options: QuotaOptions | None = None,
        tenant_per_minute: int = 0,
        tenant_streams: int | None = None,
        stream_options: StreamOptions | None = None,
        recheck: Recheck = still_allowed,
    ) -> AsyncIterator[Served]:
        text = io.StringIO()
        log = Log(level=10, console=text, console_level=10, flush_s=0.01)
        registry = CollectorRegistry()
        rates = Rates(RateOptions(), None)
        limits = Limits(limit_options or LimitOptions(), rates, registry)

        async def settings_of(tenants: Sequence[str]) -> dict[str, TenantSettings]:
            return dict.fromkeys(tenants, TenantSettings(tenant_per_minute, streams=tenant_streams))

        guard = StreamGuard(stream_options or StreamOptions(), recheck)
        checking = asyncio.create_task(guard.run())
        router = Router(
            build_chain(
                tracer=None,
                metrics=CallMetrics(registry),
                log=log,
                limits=limits,
                authenticate=authenticate,
                quotas=Quotas(quota_options or QuotaOptions(), rates, KnownTenants(settings_of), limits.shares),
                streams=guard,
            )
        )
        router.add_service(PHONE, servicer)
        with tempfile.TemporaryDirectory(prefix="bossjy-") as folder:
            address = f"unix:{folder}/socket"
            server = await start_server(router, address, ServerOptions())
            async with grpc.aio.insecure_channel(address) as channel:
                try:
                    yield Served(channel, address, limits, registry, log, text)
                finally:
                    await server.stop(None)
                    checking.cancel()
                    log.close()

    return start
