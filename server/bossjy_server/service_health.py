"""Health of the service by the state of its dependencies, under each name that probes ask for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import cast

from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2
from prometheus_client import CollectorRegistry, Gauge
from redis.asyncio import Redis

from bossjy.auth.v1 import auth_service_pb2
from bossjy.contacts.v1 import contact_service_pb2
from bossjy.imports.v1 import import_service_pb2
from bossjy.phone.v1 import phone_service_pb2
from bossjy_server.config import Settings
from bossjy_server.disk import DiskProbe
from bossjy_server.rpc.health import DISK, LIVENESS, READINESS, HealthServicer, PartsWatch, Probe
from bossjy_server.rpc.reflection import add_reflection
from bossjy_server.rpc.server import Router
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.redis import ping
from bossjy_server.tasks import end_task
from bossjy_server.telemetry.logging import Log

PHONE = phone_service_pb2.DESCRIPTOR.services_by_name["PhoneService"]
AUTH = auth_service_pb2.DESCRIPTOR.services_by_name["AuthService"]
CONTACTS = contact_service_pb2.DESCRIPTOR.services_by_name["ContactService"]
IMPORTS = import_service_pb2.DESCRIPTOR.services_by_name["ImportService"]
HEALTH = cast("ServiceDescriptor", health_pb2.DESCRIPTOR.services_by_name["Health"])

# Dependencies that each health name requires. Phone requires none, and so does the empty name, which gateways use.
# No service requires Redis: see docs/operations.
NEEDS = {
    "": frozenset[str](),
    LIVENESS: frozenset[str](),
    READINESS: frozenset({"postgresql"}),
    PHONE.full_name: frozenset[str](),
    AUTH.full_name: frozenset({"postgresql"}),
    CONTACTS.full_name: frozenset({"postgresql"}),
    IMPORTS.full_name: frozenset({"postgresql"}),
    "postgresql": frozenset({"postgresql"}),
    "redis": frozenset({"redis"}),
    DISK: frozenset({DISK}),
}


def serve_health(router: Router, health: HealthServicer, *, reflection: bool) -> None:
    """Serve health, and reflection if it is on."""
    router.add_service(HEALTH, health)
    if reflection:
        add_reflection(router)


@asynccontextmanager
async def following(  # noqa: PLR0917 - the dependencies and their health
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
        if part == DISK:
            if not (answered and first):
                disk.report(works=answered)
            return
        (log.info if answered else log.warning)(
            "dependency answers" if answered else "dependency does not answer", part=part
        )

    disk, first = DiskProbe(settings.process.data_dir, log), True
    probes: dict[str, Probe] = {"postgresql": database.ping, "redis": partial(ping, redis), DISK: disk}
    watch = PartsWatch(health, probes, NEEDS, report)
    await watch.check()
    first = False
    task = asyncio.create_task(watch.run(settings.server.health_interval_s))
    try:
        yield
    finally:
        await end_task(task)
