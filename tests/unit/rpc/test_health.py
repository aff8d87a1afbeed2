"""Health by service: watches, changes of dependencies, end of the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from grpc_health.v1 import health_pb2

from bossjy_server.context import CallContext, enter_call
from bossjy_server.errors import NotFound, Reason, ResourceExhausted
from bossjy_server.rpc.health import HealthServicer, PartsWatch

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


def request(name: str = "") -> health_pb2.HealthCheckRequest:
    return health_pb2.HealthCheckRequest(service=name)


async def test_services_follow_the_dependencies_that_they_need() -> None:
    answers = {"postgresql": True, "redis": True}
    told: list[tuple[str, bool]] = []
    health = HealthServicer(["", "phone", "auth"])
    needs = {
        "": frozenset({"postgresql"}),
        "phone": frozenset[str](),
        "auth": frozenset({"postgresql", "redis"}),
    }

    async def postgresql() -> bool:
        return answers["postgresql"]

    async def redis() -> bool:
        return answers["redis"]

    def report(part: str, answered: bool) -> None:  # noqa: FBT001 - as the watch calls it
        told.append((part, answered))

    watch = PartsWatch(health, {"postgresql": postgresql, "redis": redis}, needs, report)
    assert (await health.Check(request())).status == NOT_SERVING
    await watch.check()
    assert (await health.Check(request())).status == SERVING
    answers["postgresql"] = False
    await watch.check()
    await watch.check()
    assert (await health.Check(request())).status == NOT_SERVING
    assert (await health.Check(request("auth"))).status == NOT_SERVING
    assert (await health.Check(request("phone"))).status == SERVING
    assert told == [("postgresql", True), ("redis", True), ("postgresql", False)]


async def test_a_name_that_is_not_served() -> None:
    health = HealthServicer([""])
    with pytest.raises(NotFound):
        await health.Check(request("other"))
    async for response in health.Watch(request("other")):
        assert response.status == SERVICE_UNKNOWN
        break


async def test_watchers_get_changes_and_the_end() -> None:
    health = HealthServicer(["", "phone"])
    seen: list[int] = []

    async def watch() -> None:
        async for response in health.Watch(request("phone")):
            seen.append(response.status)

    task = asyncio.create_task(watch())
    await asyncio.sleep(0)
    for serving in (True, True, False, True):
        await health.set_serving("phone", serving=serving)
        await asyncio.sleep(0.01)
    await health.end()
    await asyncio.wait_for(task, 30)
    assert seen == [NOT_SERVING, SERVING, NOT_SERVING, SERVING, NOT_SERVING]
    await health.set_serving("phone", serving=True)
    assert (await health.Check(request("phone"))).status == NOT_SERVING


async def test_watches_have_a_bound_by_address_and_in_all() -> None:
    health = HealthServicer([""], watches_most=3, watches_per_address=2)
    open_now: list[AsyncGenerator[health_pb2.HealthCheckResponse]] = []

    async def watch(address: str) -> Reason | None:
        enter_call(CallContext("request", "/grpc.health.v1.Health/Watch", network=address))
        stream = health.Watch(request())
        try:
            assert (await anext(stream)).status == NOT_SERVING
        except ResourceExhausted as error:
            return error.reason
        open_now.append(stream)
        return None

    came = [await watch(address) for address in ("one", "one", "one", "two", "two")]
    assert came == [None, None, Reason.QUOTA_EXCEEDED, None, Reason.OVERLOADED]
    for stream in open_now:
        await stream.aclose()
    assert [await watch("one") for _ in range(2)] == [None, None]
    assert (await health.Check(request())).status == NOT_SERVING
    for stream in open_now[3:]:
        await stream.aclose()
