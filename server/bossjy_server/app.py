"""Assembly of the server: the only module where its objects are connected."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.openmetrics.exposition import generate_latest

from bossjy_numbering import load_plan
from bossjy_numbering.enrich import load_enrichment
from bossjy_numbering.released import plan_time
from bossjy_server.auth.credentials.keys import Keys
from bossjy_server.auth.people.tenant_limits import TenantLimits
from bossjy_server.auth.service import open_auth
from bossjy_server.blocking import in_thread
from bossjy_server.config import Settings
from bossjy_server.contacts.servicer import ContactServicer
from bossjy_server.discovery.opening import discoverable
from bossjy_server.embedded.servers import EmbeddedParts, start_embedded
from bossjy_server.front_ends import certificates_of, drain, router_of, start_front
from bossjy_server.imports.metrics import ImportMetrics
from bossjy_server.imports.servicer import ImportCaches, ImportServicer
from bossjy_server.lookup.metrics import LookupCollector
from bossjy_server.lookup.service import open_lookup
from bossjy_server.operations_pages import operations_pages
from bossjy_server.phone.details import DetailTables
from bossjy_server.phone.numbers import Numbers
from bossjy_server.phone.plans import Plans
from bossjy_server.phone.servicer import PhoneServicer
from bossjy_server.phone.tenant_regions import TenantRegions
from bossjy_server.phone.threads import Threads
from bossjy_server.process import keep_for_good, share_fairly
from bossjy_server.reload import reload_when
from bossjy_server.rpc.health import HealthServicer
from bossjy_server.rpc.limits import Limits
from bossjy_server.rpc.quotas import Quotas
from bossjy_server.rpc.rates import open_rates
from bossjy_server.rpc.tls import Certificates
from bossjy_server.service_health import AUTH, CONTACTS, IMPORTS, NEEDS, PHONE, following, serve_health
from bossjy_server.storage.cache import Cache
from bossjy_server.storage.metrics import CachesCollector, PartsCollector
from bossjy_server.storage.origins import Origins
from bossjy_server.storage.pages import Pages
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.redis import open_redis
from bossjy_server.storage.setup import at_parts, open_for_service
from bossjy_server.storage.shared_rates import SharedRates
from bossjy_server.telemetry.human import form_for
from bossjy_server.telemetry.log_receiver import sink_for
from bossjy_server.telemetry.logging import LEVELS, Log, console_stream, library_logs_in
from bossjy_server.telemetry.metrics import MetricsEndpoint, new_registry
from bossjy_server.telemetry.program import AgeCollector, ProgramCollector
from bossjy_server.telemetry.text_pages import OperationsPages
from bossjy_server.tenant_settings import KnownTenants
from bossjy_server.warm_up import STATS_OF, warmed

_LOG = logging.getLogger(__name__)


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
    certificates: Certificates | None = field(repr=False)
    log: Log = field(repr=False)

    async def switch_log_when(self, wanted: asyncio.Event) -> None:
        """Switch the level of the log each time that `wanted` is set."""
        while True:
            await wanted.wait()
            wanted.clear()
            self.log.switch()

    async def reload_when(self, wanted: asyncio.Event) -> None:
        """Read signing keys and certificates again each time that `wanted` is set."""
        await reload_when(wanted, self.keys, self.certificates, self.log)

    def metrics_text(self) -> str:
        """The metrics in the OpenMetrics format, which has exemplars. Thread-safe."""
        text: bytes = generate_latest(self.registry)  # type: ignore[no-untyped-call]
        return text.decode()


@asynccontextmanager
async def running(settings: Settings, worker: int = 0) -> AsyncIterator[Running]:
    """Start everything, serve until the block ends, drain, stop everything. Raises StartError with one line.

    `worker` is the number of this process among those that share the port; 0 if it is the only one.
    """
    async with AsyncExitStack() as stack:
        share_fairly()
        log = _open_log(settings, stack, worker)
        registry = new_registry()
        certificates = certificates_of(settings)  # first: faults of files are reported before anything is started
        parts = await stack.enter_async_context(
            start_embedded(settings.process.data_dir, postgres=not settings.database.url, redis=not settings.redis.url)
        )
        database = await _open_database(settings, stack, parts, log)
        redis = open_redis(settings.redis.url or parts.redis_url)
        stack.push_async_callback(redis.aclose)
        _measure_process(registry, log)
        tenants = KnownTenants(TenantLimits(database).read)
        auth = await stack.enter_async_context(
            open_auth(database, redis, settings.process.data_dir, settings.auth, tenant_changed=tenants.forget)
        )
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
        quotas = Quotas(quota_options, rates, tenants, limits.shares)
        draining = asyncio.Event()
        router = router_of(settings, stack, registry, log, limits, quotas, auth)
        threads = Threads(settings.phone)
        stack.callback(threads.close)
        contact_stats, ended_imports = Cache(redis, "contact-stats"), Cache(redis, "ended-imports", ttl_s=300.0)
        lookup = await stack.enter_async_context(open_lookup(redis, settings.lookup, auth.keys.mac))
        LookupCollector(registry, lookup)
        PartsCollector(registry, database, [database.breaker, redis.breaker, *([lookup.breaker] if lookup else [])])
        CachesCollector(
            registry,
            [contact_stats, ended_imports, *([lookup.cache] if lookup else [])],
            [auth.authenticator.look_ups, auth.api_keys.look_ups, tenants.look_ups],
        )
        router.add_service(
            PHONE,
            PhoneServicer(
                Numbers(plan),
                plans,
                details,
                threads,
                pages=Pages(auth.keys.mac),
                regions=TenantRegions(tenants),
                lookup=lookup,
            ),
        )
        router.add_service(AUTH, auth.servicer)
        router.add_service(CONTACTS, contacts := ContactServicer(database, plan, auth.keys.mac, contact_stats))
        imports = ImportServicer(
            database,
            plan,
            draining,
            settings.imports,
            pages=Pages(auth.keys.mac),
            caches=ImportCaches(ended_imports, contact_stats, Origins(redis)),
            load_enrichment=partial(load_enrichment, settings.process.data_dir / "plan"),
            metrics=ImportMetrics(registry),
        )
        stack.push_async_callback(imports.close)
        router.add_service(IMPORTS, imports)
        health = HealthServicer(
            list(NEEDS),
            watches_most=settings.server.health_watches,
            watches_per_address=settings.server.health_watches_per_address,
        )
        serve_health(router, health, reflection=settings.server.reflection)

        pages = _open_operations(settings, stack, registry, operations_pages(auth.keys, health))
        await stack.enter_async_context(following(health, database, redis, settings, registry, log))
        await stack.enter_async_context(
            warmed(
                plan=plan,
                details=details,
                plan_folder=settings.process.data_dir / "plan",
                database=database,
                redis=redis,
                tenants=tenants,
                of_tenants={
                    "api keys": auth.api_keys.warm,
                    "contact counts": lambda tenants: contacts.warm(tenants[:STATS_OF]),
                },
                wait_s=settings.server.warm_up_s,
                log=log,
            )
        )
        keep_for_good()
        server = await start_front(router, settings, certificates, shared=worker > 0)
        stack.push_async_callback(drain, server, health, limits, draining, settings, log)
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
            certificates=certificates,
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


def _open_operations(
    settings: Settings, stack: AsyncExitStack, registry: CollectorRegistry, pages: OperationsPages
) -> OperationsPages:
    """Serve metrics and pages where the settings name a port."""
    if settings.metrics.port:
        endpoint = MetricsEndpoint(registry, settings.metrics.host, settings.metrics.port, pages=pages)
        stack.callback(endpoint.close)
    return pages


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
        shipping=sink_for(settings.log, settings.traces),
    )
    stack.callback(log.close)
    stack.enter_context(library_logs_in(log))
    if settings.links and not worker:  # the parent of workers has logged it
        log.info("variables of service links are ignored", names=settings.links)
    return log
