"""Front end of the server: its chain of interceptors, its certificates, its listener, and its drain."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from prometheus_client import CollectorRegistry

from bossjy_server.auth.service import Auth
from bossjy_server.config import Settings
from bossjy_server.network import TrustedProxies
from bossjy_server.rpc.chain import build_chain
from bossjy_server.rpc.health import HealthServicer
from bossjy_server.rpc.limits import Limits
from bossjy_server.rpc.metrics import CallMetrics
from bossjy_server.rpc.quotas import Quotas
from bossjy_server.rpc.refusals import Refusals
from bossjy_server.rpc.server import Router, start_server
from bossjy_server.rpc.streams import StreamGuard
from bossjy_server.rpc.tls import Certificates, TlsOptions
from bossjy_server.tasks import end_task
from bossjy_server.telemetry.logging import Log
from bossjy_server.telemetry.tracing import Tracing

# Time after the start of the drain in which a call may still arrive on a connection that has not heard of it.
_LATE_S = 0.5


class Front(Protocol):
    """A running front end."""

    async def stop(self, grace: float | None) -> None:
        """Give notice to clients, wait for running calls for `grace` seconds, then cancel the rest."""


async def start_front(router: Router, settings: Settings, certificates: Certificates | None, *, shared: bool) -> Front:
    """Start the front end that the settings name. `shared`: other processes listen on the port as well."""
    options = replace(settings.server, reuse_port=shared)
    if options.front == "native":
        from bossjy_server.rpc.native.native_server import start_native  # noqa: PLC0415 - only if selected

        return await start_native(router, options, settings.streams, settings.process.drain_s, certificates)
    credentials = certificates.credentials() if certificates else None
    return await start_server(router, options.address, options, credentials)


def certificates_of(settings: Settings) -> Certificates | None:
    """The certificates that the settings name, or None. Raises StartError."""
    if not settings.server.tls_certificate:
        return None
    authority = Path(settings.server.tls_client_ca) if settings.server.tls_client_ca else None
    return Certificates(TlsOptions(Path(settings.server.tls_certificate), Path(settings.server.tls_key), authority))


def router_of(  # noqa: PLR0917 - the parts of the chain
    settings: Settings,
    stack: AsyncExitStack,
    registry: CollectorRegistry,
    log: Log,
    limits: Limits,
    quotas: Quotas,
    auth: Auth,
) -> Router:
    """The router with its chain. `stack` ends the tasks of both."""
    tracer = None
    if settings.traces.receiver:
        tracing = Tracing(settings.traces.receiver, settings.traces.service)
        stack.callback(tracing.close)
        tracer = tracing.tracer
    refusals = Refusals(log, settings.log.refusals_per_minute)
    stack.callback(refusals.summarise)
    streams = StreamGuard(settings.streams, auth.live_callers.recheck)
    stack.push_async_callback(end_task, asyncio.create_task(streams.run()))
    return Router(
        build_chain(
            tracer=tracer,
            trace_ratio=settings.traces.share,
            address=settings.server.address,
            metrics=CallMetrics(registry, settings.metrics.tenants),
            log=log,
            limits=limits,
            authenticate=auth.authenticator.authenticate,
            by_certificate=auth.authenticator.certified if settings.server.tls_client_ca else None,
            refused=auth.refused_scopes.record,
            quotas=quotas,
            refusals=refusals,
            streams=streams,
        ),
        TrustedProxies(settings.server.trusted_proxies),
    )


async def drain(  # noqa: PLR0917 - all that must stop
    server: Front,
    health: HealthServicer,
    limits: Limits,
    draining: asyncio.Event,
    settings: Settings,
    log: Log,
) -> None:
    """Notify probes and streams, refuse new calls, wait for running ones, then cancel the rest."""
    log.info("draining", wait_s=settings.process.drain_s)
    draining.set()
    await health.end()
    stopping = asyncio.ensure_future(server.stop(settings.process.drain_s))
    # Connections get notice now. Calls that were sent before clients received it are answered as usual.
    await asyncio.wait({stopping}, timeout=_LATE_S)
    limits.draining = True
    await stopping
    # grpc's stop does not await the handlers that it cancelled: give their `finally` a moment on the loop.
    await asyncio.sleep(0.05)
    log.info("stopped")
