"""Operation of the gateway: rate limit, health checks, metrics, and access tokens that Envoy verifies."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import httpx
import pytest

from bossjy.phone.v1 import phone_service_pb2, phone_service_pb2_grpc
from tests.e2e.conftest import ROOT
from tests.gateway.conftest import EMAIL, PASSWORD, Gateway

pytestmark = pytest.mark.timeout(600)

NUMBER = "+8613800138000"


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await true():
            await asyncio.sleep(0.2)


async def value(url: str, name: str, *marks: str) -> float:
    """The sum of the samples of a metric whose lines have these marks."""
    async with httpx.AsyncClient(timeout=10) as client:
        text = (await client.get(url)).text
    lines = [line for line in text.splitlines() if re.match(rf"{name}(\{{| )", line)]
    return sum(float(line.rpartition(" ")[2]) for line in lines if all(mark in line for mark in marks))


def traefik_metric(gateway: Gateway, name: str, *marks: str) -> Awaitable[float]:
    return value(f"http://{gateway.operations}/metrics", f"traefik_{name}", *marks)


def envoy_metric(gateway: Gateway, name: str, *marks: str) -> Awaitable[float]:
    return value(f"http://{gateway.admin}/stats/prometheus", f"envoy_{name}", *marks)


async def validate(gateway: Gateway) -> Any:
    async with gateway.channel() as channel:
        phone: Any = phone_service_pb2_grpc.PhoneServiceStub(channel)
        request = phone_service_pb2.ValidateNumberRequest(phone_number=NUMBER)
        return await phone.ValidateNumber(request, metadata=gateway.metadata, timeout=30)


async def validate_json(gateway: Gateway, url: str = "", **headers: str) -> httpx.Response:
    async with gateway.client(url, **headers) as client:
        return await client.post("/v1/phone/numbers:validate", json={"phone_number": NUMBER})


def replace(file: Path, text: str) -> None:
    """Write a file whole: Traefik reads it at any moment, and half a file has no certificate."""
    whole = file.with_suffix(".new")
    whole.write_text(text)
    whole.replace(file)


async def test_a_flood_is_refused_before_it_reaches_a_server(gateway: Gateway) -> None:
    file = gateway.folder / "routes.yaml"
    text = file.read_text()
    configured = "rateLimit: {average: 10000, burst: 20000}"
    assert configured in text

    async def status() -> int:
        return (await validate_json(gateway)).status_code

    async def refused() -> bool:
        return await status() == httpx.codes.TOO_MANY_REQUESTS

    async def accepted() -> bool:
        return await status() == httpx.codes.OK

    replace(file, text.replace(configured, "rateLimit: {average: 1, period: 1h, burst: 1}"))  # Traefik notices
    try:
        await until(refused)
        before = await envoy_metric(gateway, "http_downstream_rq_total", 'prefix="json"')
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            for _ in range(3):
                await validate(gateway)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert await refused()
        assert await envoy_metric(gateway, "http_downstream_rq_total", 'prefix="json"') == before
    finally:
        replace(file, text)
        await until(accepted)


async def test_a_server_that_hangs_gets_no_calls(gateway: Gateway) -> None:
    async def healthy() -> tuple[float, float]:
        return (
            await traefik_metric(gateway, "service_server_up", 'service="bossjy@file"'),
            await envoy_metric(gateway, "cluster_membership_healthy", 'cluster_name="bossjy"'),
        )

    async def both() -> bool:
        return await healthy() == (2, 2)

    async def one() -> bool:
        return await healthy() == (1, 1)

    await until(both)
    gateway.servers[0].send(signal.SIGSTOP)
    try:
        await until(one)
        for _ in range(10):
            async with asyncio.timeout(20):
                assert (await validate(gateway)).valid
                assert (await validate_json(gateway)).json()["valid"]
    finally:
        gateway.servers[0].send(signal.SIGCONT)
    await until(both)


async def test_metrics_count_calls_and_have_no_personal_data(gateway: Gateway) -> None:
    phone, seen = ('router="phone@file"',), ('service="json@file"', 'code="200"')
    former = await traefik_metric(gateway, "router_requests_total", *phone)
    json_former = await traefik_metric(gateway, "service_requests_total", *seen)
    envoy_former = await envoy_metric(gateway, "cluster_upstream_rq_total", 'cluster_name="bossjy"')
    await validate(gateway)
    await validate_json(gateway)

    async def counted() -> bool:  # Traefik counts after the answer
        return (
            await traefik_metric(gateway, "router_requests_total", *phone) == former + 1
            and await traefik_metric(gateway, "service_requests_total", *seen) == json_former + 1
        )

    await until(counted)
    assert await envoy_metric(gateway, "cluster_upstream_rq_total", 'cluster_name="bossjy"') == envoy_former + 1
    async with httpx.AsyncClient(timeout=10) as client:
        texts = [
            (await client.get(url)).text
            for url in (f"http://{gateway.operations}/metrics", f"http://{gateway.admin}/stats/prometheus")
        ]
        assert (await client.get(f"http://{gateway.operations}/ping")).text == "OK"
    assert NUMBER[1:] not in "".join(texts)
    assert gateway.token not in "".join(texts)


async def test_forged_tokens_do_not_reach_a_server(gateway: Gateway) -> None:
    head, claims, signature = gateway.token.split(".")
    other = json.loads(base64.urlsafe_b64decode(claims + "=="))
    other["scope" if "scope" in other else "sub"] = "forged"
    forged = base64.urlsafe_b64encode(json.dumps(other).encode()).rstrip(b"=").decode()
    before = await envoy_metric(gateway, "cluster_upstream_rq_total", 'cluster_name="bossjy"')
    for token in (f"{head}.{forged}.{signature}", f"{head}.{claims}.{signature[:-8]}AAAAAAAA"):
        answer = await validate_json(gateway, authorization=f"Bearer {token}")
        assert answer.status_code == httpx.codes.UNAUTHORIZED
        assert answer.json()["details"][0]["reason"] == "TOKEN_INVALID"
    assert await envoy_metric(gateway, "cluster_upstream_rq_total", 'cluster_name="bossjy"') == before
    assert (await validate_json(gateway)).json()["valid"]


async def test_a_new_signing_key_is_accepted(gateway: Gateway) -> None:
    async def token() -> str:
        async with gateway.client() as client:
            del client.headers["authorization"]
            login = {"tenant_id": gateway.tenant_id, "email": EMAIL, "password": PASSWORD}
            answer = await client.post("/v1/auth/sessions:login", json=login)
        return str(answer.json()["tokens"]["access_token"])

    def key_of(text: str) -> str:
        return str(json.loads(base64.urlsafe_b64decode(text.split(".", maxsplit=1)[0] + "=="))["kid"])

    former = key_of(await token())
    await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "bossjy_server.cli", "keys", "rotate"],
        env=gateway.servers[0].environment,
        cwd=ROOT,
        check=True,
        capture_output=True,
    )

    async def signs() -> bool:
        return key_of(await token()) != former

    await until(signs)
    new = f"Bearer {await token()}"
    assert (await validate_json(gateway, authorization=new)).json()["valid"]
    assert (await validate_json(gateway)).json()["valid"]  # signed by the former key
