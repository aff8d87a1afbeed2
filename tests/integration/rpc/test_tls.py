"""TLS of a real server: admitted clients, protocols, and certificates that change while it serves."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2

from bossjy_server.errors import StartError
from bossjy_server.rpc.call import Call, Proceed
from bossjy_server.rpc.health import HealthServicer
from bossjy_server.rpc.method import Method
from bossjy_server.rpc.options import ServerOptions
from bossjy_server.rpc.server import Router, start_server
from bossjy_server.rpc.tls import Certificates, TlsOptions
from bossjy_server.service_health import HEALTH
from tests.integration.rpc.certificates import Authority, Signed
from tests.ports import free_port


async def check(channel: grpc.aio.Channel) -> int:
    """Check the health. Returns the status."""
    call = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    answer: health_pb2.HealthCheckResponse = await call(health_pb2.HealthCheckRequest(), timeout=30)
    return int(answer.status)


@dataclass(frozen=True)
class Secured:
    """A server with TLS, its authority and the folder of its files."""

    port: int
    authority: Authority
    folder: Path

    async def check(self, client: Signed | None = None, authority: Authority | None = None) -> int:
        """Check the health over a new connection. Returns the status."""
        credentials = grpc.ssl_channel_credentials(
            (authority or self.authority).certificate,
            client.key if client else None,
            client.certificate if client else None,
        )
        async with grpc.aio.secure_channel(f"localhost:{self.port}", credentials) as channel:
            return await check(channel)

    def handshake(self, version: ssl.TLSVersion) -> str | None:
        """The protocol that a client of only one version gets."""
        context = ssl.create_default_context(cadata=self.authority.certificate.decode())
        context.set_alpn_protocols(["h2"])
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=30) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            return secure.version()

    async def shown(self) -> str:
        """The certificate that the server presents to a new connection, in PEM."""
        return await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", self.port), timeout=30)


@asynccontextmanager
async def secured(folder: Path, client_authority: Authority | None = None) -> AsyncIterator[Secured]:
    authority = Authority()
    certificate, key = authority.sign("localhost").write(folder)
    client_ca = None
    if client_authority is not None:
        client_ca = folder / "clients.pem"
        client_ca.write_bytes(client_authority.certificate)
    router = Router([_read])
    health = HealthServicer([""])
    await health.set_serving("", serving=True)
    router.add_service(HEALTH, health)
    port = free_port()
    credentials = Certificates(TlsOptions(certificate, key, client_ca)).credentials()
    server = await start_server(router, f"127.0.0.1:{port}", ServerOptions(), credentials)
    try:
        yield Secured(port, authority, folder)
    finally:
        await server.stop(None)


def _read(method: Method, proceed: Proceed) -> Proceed:
    async def read(call: Call) -> None:
        call.request = method.request_class.FromString(call.raw_request)
        await proceed(call)

    return read


async def test_a_client_that_knows_the_authority_is_served(tmp_path: Path) -> None:
    async with secured(tmp_path) as server:
        assert await server.check() == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await server.check(authority=Authority("Another"))
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_no_protocol_older_than_tls_1_2(tmp_path: Path) -> None:
    async with secured(tmp_path) as server:
        assert await asyncio.to_thread(server.handshake, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
        assert await asyncio.to_thread(server.handshake, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
        with pytest.warns(DeprecationWarning, match="TLSv1_1"), pytest.raises(ssl.SSLError):
            await asyncio.to_thread(server.handshake, ssl.TLSVersion.TLSv1_1)


async def test_only_clients_of_the_stated_authority_get_a_connection(tmp_path: Path) -> None:
    clients = Authority("Clients")
    async with secured(tmp_path, clients) as server:
        assert await server.check(clients.sign("worker")) == health_pb2.HealthCheckResponse.SERVING
        for stranger in (None, Authority("Clients").sign("worker"), server.authority.sign("worker")):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await server.check(stranger)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_certificates_change_while_the_server_runs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with secured(tmp_path) as server:
        first = await server.shown()
        credentials = grpc.ssl_channel_credentials(server.authority.certificate)
        async with grpc.aio.secure_channel(f"localhost:{server.port}", credentials) as channel:
            await check(channel)
            renewed = server.authority.sign("localhost")
            # Half a renewal: the new certificate with the old key.
            (tmp_path / "certificate.pem").write_bytes(renewed.certificate)
            assert await server.shown() == first
            assert "the loaded certificates stay in use" in caplog.text
            (tmp_path / "key.pem").write_bytes(renewed.key)
            assert (await server.shown()).strip() == renewed.certificate.decode().strip()
            assert await server.check() == health_pb2.HealthCheckResponse.SERVING
            # Open connections stay open.
            await check(channel)


async def test_authorities_of_clients_change_while_the_server_runs(tmp_path: Path) -> None:
    old, new = Authority("Old"), Authority("New")
    async with secured(tmp_path, old) as server:
        await server.check(old.sign("worker"))
        (tmp_path / "clients.pem").write_bytes(new.certificate)
        await server.check(new.sign("worker"))
        with pytest.raises(grpc.aio.AioRpcError):
            await server.check(old.sign("another worker"))


def test_files_that_cannot_serve_are_one_line_at_start(tmp_path: Path) -> None:
    authority = Authority()
    certificate, key = authority.sign("localhost").write(tmp_path)
    (tmp_path / "other.pem").write_bytes(authority.sign("localhost").key)
    (tmp_path / "none.pem").write_text("nothing")
    for options in (
        TlsOptions(tmp_path / "missing.pem", key),
        TlsOptions(certificate, tmp_path / "other.pem"),
        TlsOptions(certificate, tmp_path / "none.pem"),
        TlsOptions(certificate, key, tmp_path / "none.pem"),
    ):
        with pytest.raises(StartError, match=r"^TLS cannot be set up from .*: set PEM files that match$"):
            Certificates(options)
