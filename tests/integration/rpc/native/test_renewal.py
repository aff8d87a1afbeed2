"""Renewal of the native front end: new certificates and connections, while running calls continue."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2

from bossjy_server.rpc.call import Call, Proceed
from bossjy_server.rpc.health import HealthServicer
from bossjy_server.rpc.method import Method
from bossjy_server.rpc.native.native_server import NativeServer, start_native
from bossjy_server.rpc.options import ServerOptions, StreamOptions
from bossjy_server.rpc.server import Router
from bossjy_server.rpc.tls import Certificates, TlsOptions
from bossjy_server.service_health import HEALTH
from tests.integration.rpc.certificates import Authority
from tests.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="package")


def _read(method: Method, proceed: Proceed) -> Proceed:
    async def read(call: Call) -> None:
        call.request = method.request_class.FromString(call.raw_request)
        await proceed(call)

    return read


@asynccontextmanager
async def served(
    options: ServerOptions, certificates: Certificates | None = None
) -> AsyncIterator[tuple[NativeServer, HealthServicer]]:
    router = Router([_read])
    health = HealthServicer([""])
    await health.set_serving("", serving=True)
    router.add_service(HEALTH, health)
    server = await start_native(router, options, StreamOptions(), 30.0, certificates)
    try:
        yield server, health
    finally:
        await server.stop(None)


def method(channel: grpc.aio.Channel, name: str) -> Any:
    kind = channel.unary_unary if name == "Check" else channel.unary_stream
    return kind(
        f"/grpc.health.v1.Health/{name}",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )


async def test_certificates_change_while_calls_run(tmp_path: Path) -> None:
    authority = Authority()
    certificate, key = authority.sign("localhost").write(tmp_path)
    port = free_port()
    options = replace(ServerOptions(), host="127.0.0.1", port=port, tls_certificate=str(certificate), tls_key=str(key))
    credentials = grpc.ssl_channel_credentials(authority.certificate)
    async with (
        served(options, Certificates(TlsOptions(certificate, key))) as (_, health),
        grpc.aio.secure_channel(f"localhost:{port}", credentials) as channel,
    ):
        watch = method(channel, "Watch")(health_pb2.HealthCheckRequest(), timeout=120)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        renewed = authority.sign("localhost")
        renewed.write(tmp_path)

        async def shown() -> str:
            return await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port), timeout=30)

        async with asyncio.timeout(60):
            while (await shown()).strip() != renewed.certificate.decode().strip():
                await asyncio.sleep(0.1)
        # The stream of the former connection continues.
        await health.set_serving("", serving=False)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        watch.cancel()
        answer = await method(channel, "Check")(health_pb2.HealthCheckRequest(), timeout=30)
        assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING


async def test_a_damaged_renewal_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    authority = Authority()
    certificate, key = authority.sign("localhost").write(tmp_path)
    port = free_port()
    options = replace(ServerOptions(), host="127.0.0.1", port=port, tls_certificate=str(certificate), tls_key=str(key))
    credentials = grpc.ssl_channel_credentials(authority.certificate)
    async with served(options, Certificates(TlsOptions(certificate, key))):
        certificate.write_bytes(authority.sign("localhost").certificate)  # with the old key
        async with asyncio.timeout(60):
            while "the loaded certificates stay in use" not in caplog.text:
                await asyncio.sleep(0.1)
        async with grpc.aio.secure_channel(f"localhost:{port}", credentials) as channel:
            answer = await method(channel, "Check")(health_pb2.HealthCheckRequest(), timeout=30)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_connections_are_renewed_at_their_age_without_a_failed_call() -> None:
    options = replace(ServerOptions(), host="127.0.0.1", port=free_port(), max_connection_age_s=1.0)
    async with served(options) as (server, _), grpc.aio.insecure_channel(options.address) as channel:
        seen = {id(server.current)}
        check = method(channel, "Check")
        async with asyncio.timeout(60):
            while len(seen) < 3:
                await check(health_pb2.HealthCheckRequest(), timeout=30)
                seen.add(id(server.current))
