"""Assembly of the server: the only module where its objects are connected."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol, cast

from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from redis.asyncio import Redis

from bossjy.auth.v1 import auth_service_pb2
from bossjy.contacts.v1 import contact_service_pb2
from bossjy.imports.v1 import import_service_pb2
from bossjy.phone.v1 import phone_service_pb2
from bossjy_numbering import load_plan
from bossjy_numbering.enrich import load_enrichment
from bossjy_numbering.released import plan_time
from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.auth.people.tenant_limits import TenantLimits
from bossjy_server.auth.service import Auth, open_auth
from bossjy_server.blocking import in_thread
from bossjy_server.config import Settings
from bossjy_server.contacts.servicer import ContactServicer
from bossjy_server.discovery.opening import discoverable
from bossjy_server.embedded.servers import EmbeddedParts, start_embedded
from bossjy_server.imports.metrics import ImportMetrics
from bossjy_server.imports.servicer import ImportCaches, ImportServicer
from bossjy_server.lookup.metrics import LookupCollector
from bossjy_server.lookup.service import open_lookup
from bossjy_server.network import TrustedProxies
from bossjy_server.operations_pages import operations_pages
from bossjy_server.phone.details import DetailTables
from bossjy_server.phone.numbers import Numbers
from bossjy_server.phone.plans import Plans
from bossjy_server.phone.servicer import PhoneServicer
from bossjy_server.phone.threads import Threads
from bossjy_server.process import keep_for_good, share_fairly
from bossjy_server.rpc.chain import build_chain
from bossjy_server.rpc.health import HealthServicer, PartsWatch, Probe
from bossjy_server.rpc.limits import Limits
from bossjy_server.rpc.metrics import CallMetrics
from bossjy_server.rpc.quotas import Quotas
from bossjy_server.rpc.rates import open_rates
from bossjy_server.rpc.reflection import add_reflection
from bossjy_server.rpc.refusals import Refusals
from bossjy_server.rpc.server import Router, start_server
from bossjy_server.rpc.streams import StreamGuard
from bossjy_server.rpc.tls import Certificates, TlsOptions
from bossjy_server.storage.cache import Cache
from bossjy_server.storage.metrics import CachesCollector, PartsCollector
from bossjy_server.storage.pages import Pages
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.redis import open_redis, ping
from bossjy_server.storage.setup import at_parts, open_for_service
from bossjy_server.storage.shared_rates import SharedRates
from bossjy_server.tasks import end_task
from bossjy_server.telemetry.human import form_for
from bossjy_server.telemetry.logging import LEVELS, Log, console_stream, library_logs_in
from bossjy_server.telemetry.metrics import MetricsEndpoint, new_registry
from bossjy_server.telemetry.program import AgeCollector, ProgramCollector
from bossjy_server.telemetry.text_pages import OperationsPages
from bossjy_server.telemetry.tracing import Tracing
from bossjy_server.warm_up import warmed

_LOG = logging.getLogger(__name__)

PHONE = phone_service_pb2.DESCRIPTOR.services_by_name["PhoneService"]
AUTH = auth_service_pb2.DESCRIPTOR.services_by_name["AuthService"]
CONTACTS = contact_service_pb2.DESCRIPTOR.services_by_name["ContactService"]
IMPORTS = import_service_pb2.DESCRIPTOR.services_by_name["ImportService"]
HEALTH = cast("ServiceDescriptor", health_pb2.DESCRIPTOR.services_by_name["Health"])

# Dependencies that each service requires. Phone requires none; no service requires Redis: see docs/operations.
_NEEDS = {
    "": frozenset({"postgresql"}),
    PHONE.full_name: frozenset[str](),
    AUTH.full_name: frozenset({"postgresql"}),
    CONTACTS.full_name: frozenset({"postgresql"}),
    IMPORTS.full_name: frozenset({"postgresql"}),
    "postgresql": frozenset({"postgresql"}),
    "redis": frozenset({"redis"}),
}


# Time after the start of the drain in which a call may still arrive on a connection that has not heard of it.
_LATE_S = 0.5


@dataclass(frozen=True, slots=True)
class Running:
    """A running server."""

    address: str
    metrics_address: str
    parts: EmbeddedParts
    registration_token: str | None = field(repr=False)  # of the first start, until it is used
    registry: CollectorRegistry
    pages: OperationsPages  # of the operations port
    keys: Keys = field(repr=False)
    log: Log = field(repr=False)

    async def switch_log_when(self, wanted: asyncio.Event) -> None:
        """Switch the level of the log each time that `wanted` is set."""
        while True:
            await wanted.wait()
            wanted.clear()
            self.log.switch()

    async def reload_when(self, wanted: asyncio.Event) -> None:
        """Read the signing keys again each time that `wanted` is set. Certificates are read at each handshake."""
        while True:
            await wanted.wait()
            wanted.clear()
            try:
                await in_thread(self.keys.reload)
                _LOG.warning("signing keys were read again")
            except (OSError, ValueError):
                _LOG.exception("the key folder cannot be read; the loaded keys stay in use")

    def metrics_text(self) -> str:
        """The metrics in Prometheus's format. Thread-safe."""
        return generate_latest(self.registry).decode()


@asynccontextmanager
async def running(settings: Settings, worker: int = 0) -> AsyncIterator[Running]:
    """Start everything, serve until the block ends, drain, stop everything. Raises StartError with one line.

    `worker` is the number of this process among those that share the port; 0 if it is the only one.
    """
    async with AsyncExitStack() as stack:
        share_fairly()
        log = _open_log(settings, stack, worker)
        registry = new_registry()
        certificates = _certificates(settings)  # first: faults of files are reported before anything is started
        parts = await stack.enter_async_context(
            start_embedded(settings.process.data_dir, postgres=not settings.database.url, redis=not settings.redis.url)
        )
        database = await _open_database(settings, stack, parts, log)
        redis = open_redis(settings.redis.url or parts.redis_url)
        stack.push_async_callback(redis.aclose)
        _measure_process(registry, log)
        auth = await stack.enter_async_context(open_auth(database, redis, settings.process.data_dir, settings.auth))
        plan = await in_thread(load_plan, settings.process.data_dir / "plan")
        plans = await in_thread(Plans, plan, settings.process.data_dir / "plan" / "snapshots")

        AgeCollector(
            registry,
            plan_time=plan_time(plan.version, settings.process.data_dir / "plan"),
            key_time=lambda: auth.keys.signing.created,
            certificates=certificates.ends if certificates else dict,
        )
        details = DetailTables(plan, settings.process.data_dir / "plan")
        shared = SharedRates(redis)
        stack.push_async_callback(shared.leave)
        rates = await stack.enter_async_context(open_rates(settings.rates, shared.exchange))
        limits = Limits(settings.limits, rates, registry)
        quota_options = replace(
            settings.quotas,
            tenant_per_minute=settings.auth.tenant_calls_per_minute,
            queue_s=settings.limits.queue_s,
        )
        quotas = Quotas(quota_options, rates, TenantLimits(database).per_minute, limits.shares)
        draining = asyncio.Event()
        router = _router(settings, stack, registry, log, limits, quotas, auth)
        threads = Threads(settings.phone)
        stack.callback(threads.close)
        contact_stats, ended_imports = Cache(redis, "contact-stats"), Cache(redis, "ended-imports", ttl_s=300.0)
        lookup = await stack.enter_async_context(open_lookup(redis, settings.lookup, auth.keys.mac))
        LookupCollector(registry, lookup)
        PartsCollector(registry, database, [database.breaker, redis.breaker, *([lookup.breaker] if lookup else [])])
        CachesCollector(registry, [contact_stats, ended_imports, *([lookup.cache] if lookup else [])])
        router.add_service(
            PHONE, PhoneServicer(Numbers(plan), plans, details, threads, pages=Pages(auth.keys.mac), lookup=lookup)
        )
        router.add_service(AUTH, auth.servicer)
        router.add_service(CONTACTS, ContactServicer(database, plan, auth.keys.mac, contact_stats))
        imports = ImportServicer(
            database,
            plan,
            draining,
            settings.imports,
            pages=Pages(auth.keys.mac),
            caches=ImportCaches(ended_imports, contact_stats),
            load_enrichment=partial(load_enrichment, settings.process.data_dir / "plan"),
            metrics=ImportMetrics(registry),
        )
        stack.push_async_callback(imports.close)
        router.add_service(IMPORTS, imports)
        health = HealthServicer(
            list(_NEEDS),
            watches_most=settings.server.health_watches,
            watches_per_address=settings.server.health_watches_per_address,
        )
        _serve_health(router, health, reflection=settings.server.reflection)

        pages = _open_operations(settings, stack, registry, operations_pages(auth.keys, health))
        await stack.enter_async_context(_following(health, database, redis, settings, registry, log))
        await stack.enter_async_context(
            warmed(
                plan=plan,
                details=details,
                plan_folder=settings.process.data_dir / "plan",
                database=database,
                redis=redis,
                quotas=quotas,
                wait_s=settings.server.warm_up_s,
                log=log,
            )
        )
        keep_for_good()
        server = await _start_front(router, settings, certificates, shared=worker > 0)
        stack.push_async_callback(_drain, server, health, limits, draining, settings, log)
        if not worker:  # the parent of workers registers them as one
            await stack.enter_async_context(_in_discovery(settings))
        log.info("serving", address=settings.server.address, services=router.services, plan=plan.version)
        yield Running(
            address=settings.server.address,
            metrics_address=f"{settings.metrics.host}:{settings.metrics.port}",
            parts=parts,
            registration_token=auth.registration_token,
            registry=registry,
            pages=pages,
            keys=auth.keys,
            log=log,
        )


async def _open_database(settings: Settings, stack: AsyncExitStack, parts: EmbeddedParts, log: Log) -> Database:
    options = at_parts(
        settings.database, parts, audit_days=settings.auth.audit_days, tenant_share=settings.limits.tenant_share
    )
    database = await open_for_service(options)
    stack.push_async_callback(database.close)
    _warn(log, database.remarks)
    return database


def _in_discovery(settings: Settings) -> AbstractAsyncContextManager[None]:
    server = settings.server
    return discoverable(settings.discovery, server.host, server.port, tls=bool(server.tls_certificate))


class _Front(Protocol):
    """A running front end."""

    async def stop(self, grace: float | None) -> None:
        """Give notice to clients, wait for running calls for `grace` seconds, then cancel the rest."""


async def _start_front(
    router: Router, settings: Settings, certificates: Certificates | None, *, shared: bool
) -> _Front:
    """Start the front end that the settings name. `shared`: other processes listen on the port as well."""
    options = replace(settings.server, reuse_port=shared)
    if options.front == "native":
        from bossjy_server.rpc.native.native_server import start_native  # noqa: PLC0415 - only if selected

        return await start_native(router, options, settings.streams, settings.process.drain_s, certificates)
    credentials = certificates.credentials() if certificates else None
    return await start_server(router, options.address, options, credentials)


def _open_operations(
    settings: Settings, stack: AsyncExitStack, registry: CollectorRegistry, pages: OperationsPages
) -> OperationsPages:
    """Serve metrics and pages where the settings name a port."""
    if settings.metrics.port:
        endpoint = MetricsEndpoint(registry, settings.metrics.host, settings.metrics.port, pages=pages)
        stack.callback(endpoint.close)
    return pages


def _serve_health(router: Router, health: HealthServicer, *, reflection: bool) -> None:
    router.add_service(HEALTH, health)
    if reflection:
        add_reflection(router)


def _warn(log: Log, remarks: Iterable[str]) -> None:
    for remark in remarks:
        log.warning(remark)


def _measure_process(registry: CollectorRegistry, log: Log) -> None:
    ProgramCollector(registry, log)
    tasks = Gauge("bossjy_tasks", "Tasks of the event loop: of calls and of the service.", registry=registry)
    tasks.set_function(partial(_count_tasks, asyncio.get_running_loop()))


def _count_tasks(loop: asyncio.AbstractEventLoop) -> int:
    return len(asyncio.all_tasks(loop))


def _open_log(settings: Settings, stack: AsyncExitStack, worker: int) -> Log:
    settings.process.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = Log(
        level=LEVELS[settings.log.level],
        console=console_stream(),
        console_level=LEVELS[settings.log.console],
        console_form=form_for(console_stream(), settings.log.form, settings.log.no_color),
        # Each process rotates its own file.
        file=settings.process.data_dir / "logs" / (f"bossjy-{worker}.log" if worker else "bossjy.log"),
        max_bytes=settings.log.file_bytes,
        keep=settings.log.files,
    )
    stack.callback(log.close)
    stack.enter_context(library_logs_in(log))
    return log


def _router(  # noqa: PLR0917 - the parts of the chain
    settings: Settings,
    stack: AsyncExitStack,
    registry: CollectorRegistry,
    log: Log,
    limits: Limits,
    quotas: Quotas,
    auth: Auth,
) -> Router:
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


def _certificates(settings: Settings) -> Certificates | None:
    if not settings.server.tls_certificate:
        return None
    authority = Path(settings.server.tls_client_ca) if settings.server.tls_client_ca else None
    return Certificates(TlsOptions(Path(settings.server.tls_certificate), Path(settings.server.tls_key), authority))


@asynccontextmanager
async def _following(  # noqa: PLR0917 - the dependencies and their health
    health: HealthServicer,
    database: Database,
    redis: Redis,
    settings: Settings,
    registry: CollectorRegistry,
    log: Log,
) -> AsyncIterator[None]:
    """Update the health by the state of the dependencies while the block runs."""
    up = Gauge("bossjy_part_up", "1 if a dependency of the service answers, else 0.", ["part"], registry=registry)

    def report(part: str, answered: bool) -> None:  # noqa: FBT001 - as the watch calls it
        up.labels(part).set(answered)
        (log.info if answered else log.warning)(
            "dependency answers" if answered else "dependency does not answer", part=part
        )

    probes: dict[str, Probe] = {"postgresql": database.ping, "redis": partial(ping, redis)}
    watch = PartsWatch(health, probes, _NEEDS, report)
    await watch.check()
    task = asyncio.create_task(watch.run(settings.server.health_interval_s))
    try:
        yield
    finally:
        await end_task(task)


async def _drain(  # noqa: PLR0917 - all that must stop
    server: _Front,
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
