"""Statements 34 to 40: the transport, floods below the methods, and information given to outsiders."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2

from bossjy_server.embedded.servers import EmbeddedParts
from tests.e2e.conftest import ServerProcess, made_server, on_parts
from tests.integration.rpc.certificates import Authority
from tests.statements.conftest import PASSWORD, Person, Served, refusal
from tests.stream_status import stream_status

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS = 0x3, 0x4, 0x6, 0x7, 0x1
ENHANCE_YOUR_CALM = 0xB


def frame(kind: int, payload: bytes = b"", *, flags: int = 0, stream: int = 0) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def frames(connection: socket.socket) -> Iterator[tuple[int, bytes]]:
    """Kind and payload of the server's frames, to the end of the connection."""
    data = b""
    while True:
        while len(data) >= 9 and len(data) >= 9 + int.from_bytes(data[:3], "big"):
            size = int.from_bytes(data[:3], "big")
            yield data[3], data[9 : 9 + size]
            data = data[9 + size :]
        try:
            received = connection.recv(65_536)
        except ConnectionError:
            return
        if not received:
            return
        data += received


def connected(target: str) -> socket.socket:
    host, _, port = target.partition(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    connection.sendall(PREFACE + frame(SETTINGS))
    return connection


async def health(channel: grpc.aio.Channel) -> int:
    check: Any = channel.unary_unary("/grpc.health.v1.Health/Check")
    raw = await check(b"", timeout=30)
    return int(health_pb2.HealthCheckResponse.FromString(raw).status)


@pytest.mark.statement(34)
async def test_34_tls_1_2_at_least_and_only_clients_of_the_stated_authority(
    parts: EmbeddedParts, served: Served, tmp_path: Path
) -> None:
    authority, clients = Authority(), Authority("Clients")
    certificate, key = authority.sign("localhost").write(tmp_path / "tls")
    (tmp_path / "clients.pem").write_bytes(clients.certificate)
    settings = on_parts(served.database_url, parts.redis_url) | {
        "BOSSJY_TLS_CERTIFICATE": str(certificate),
        "BOSSJY_TLS_KEY": str(key),
        "BOSSJY_TLS_CLIENT_CA": str(tmp_path / "clients.pem"),
    }
    server = made_server(tmp_path, **settings)
    server.launch()
    try:
        good = clients.sign("worker")
        credentials = grpc.ssl_channel_credentials(authority.certificate, good.key, good.certificate)
        port = server.environment["BOSSJY_PORT"]
        async with grpc.aio.secure_channel(f"localhost:{port}", credentials) as channel:
            await asyncio.wait_for(channel.channel_ready(), 60)
            assert await health(channel) == health_pb2.HealthCheckResponse.SERVING
        for bad in (None, Authority("Clients").sign("worker")):
            credentials = grpc.ssl_channel_credentials(
                authority.certificate, bad.key if bad else None, bad.certificate if bad else None
            )
            async with grpc.aio.secure_channel(f"localhost:{port}", credentials) as channel:
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await health(channel)
                assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        with pytest.warns(DeprecationWarning, match="TLSv1_1"), pytest.raises(ssl.SSLError):
            await asyncio.to_thread(handshake, server, authority, ssl.TLSVersion.TLSv1_1)
    finally:
        await asyncio.to_thread(server.end)


def handshake(server: ServerProcess, authority: Authority, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cadata=authority.certificate.decode())
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    address = ("127.0.0.1", int(server.environment["BOSSJY_PORT"]))
    with socket.create_connection(address, timeout=30) as plain:
        context.wrap_socket(plain, server_hostname="localhost").close()


@pytest.mark.statement(35)
@pytest.mark.parametrize("what", ["message", "metadata"])
async def test_35_oversized_requests_are_refused(owner: Person, what: str) -> None:
    raw = b"" if what == "metadata" else b"\x0a" + b"\x81\x80\x80\x02" + b"1" * (4 * 1024 * 1024 + 1)
    extra = (("x-filler", "f" * 20_000),) if what == "metadata" else ()
    call: Any = owner.channel.unary_unary("/bossjy.phone.v1.PhoneService/ValidateNumber")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(raw, metadata=(("authorization", f"Bearer {owner.access}"), *extra), timeout=20)
    assert refusal(caught.value).code == "RESOURCE_EXHAUSTED"
    assert (await owner.outcome("GetMe")).code == "OK"


@pytest.mark.statement(36)
async def test_36_a_flood_of_pings_ends_the_connection(served: Served, nobody: Person) -> None:
    def abuse() -> int:
        with connected(served.process.target) as connection:
            for number in range(50):
                try:
                    connection.sendall(frame(PING, number.to_bytes(8, "big")))
                except ConnectionError:
                    break
            for kind, payload in frames(connection):
                if kind == GOAWAY and (code := int.from_bytes(payload[4:8], "big")):
                    return code
        return 0

    assert await asyncio.to_thread(abuse) == ENHANCE_YOUR_CALM
    assert await health(nobody.channel) == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.statement(37)
async def test_37_ten_thousand_calls_opened_and_cancelled(served: Served, nobody: Person, owner: Person) -> None:
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/bossjy.auth.v1.AuthService/GetMe",
        ":authority": "x",
        "content-type": "application/grpc",
        "te": "trailers",
    }
    # HPACK: literals without index and without Huffman coding.
    block = b"".join(
        b"\x00" + bytes((len(name),)) + name.encode() + bytes((len(value),)) + value.encode()
        for name, value in fields.items()
    )

    def abuse() -> int:
        opened = 0
        while opened < 10_000:
            with connected(served.process.target) as connection:
                for stream in range(1, 2_001, 2):
                    pair = frame(HEADERS, block, flags=0x4, stream=stream)
                    try:
                        connection.sendall(pair + frame(RST_STREAM, b"\x00\x00\x00\x08", stream=stream))
                    except ConnectionError:
                        break  # the server closed this connection
                    opened += 1
        return opened

    flood = asyncio.create_task(asyncio.to_thread(abuse))
    answered = 0
    while not flood.done():
        assert await health(nobody.channel) == health_pb2.HealthCheckResponse.SERVING
        answered += 1
        await asyncio.sleep(0.01)
    assert await flood >= 10_000
    assert answered
    after = await owner.outcome("GetMe")
    assert after.code == "OK", after


@pytest.mark.statement(38)
async def test_38_reflection_is_off_and_health_is_public(nobody: Person, owner: Person) -> None:
    for service in ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"):
        for metadata in ((), (("authorization", f"Bearer {owner.access}"),)):
            ended = await stream_status(nobody.target, f"/{service}/ServerReflectionInfo", [b""], metadata)
            assert ended.code == "UNIMPLEMENTED"
    assert await health(nobody.channel) == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.statement(39)
async def test_39_errors_carry_no_internals(nobody: Person, owner: Person) -> None:
    ended = [
        await nobody.outcome("GetMe"),
        await nobody.outcome("Login", tenant_id="' OR 1=1 --", email="x@y.z", password="p"),
        await owner.outcome("GetUser", user_id="'; DROP TABLE users; --"),
        await owner.outcome("ListUsers", page_token="AAAA"),
        await owner.outcome("ListUsers", filter='email = "'),
        await owner.outcome("RevokeSession", session_id="no\0thing"),
        await owner.outcome("CreateUser", email=owner.email, role=2),
        await owner.outcome("UpdateTenant"),
    ]
    for method in ("/bossjy.auth.v1.AuthService/GetUser", "/nobody/knows"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            garbled: Any = owner.channel.unary_unary(method)
            await garbled(b"\xff\xff", metadata=(("authorization", "Bearer x"),), timeout=20)
        ended.append(refusal(caught.value))
    inside = re.compile(
        r"Traceback|File \"|asyncpg|psycopg|SELECT|INSERT|bossjy_|/work|/tmp|site-packages|\.py\b", re.IGNORECASE
    )
    for one in ended:
        assert one.code not in ("OK", "INTERNAL", "UNKNOWN"), one
        assert one.reason, one
        assert not inside.search(one.message), one
        assert owner.email not in one.message


def written_by(served: Served) -> str:
    """The log of the server and its output."""
    files = sorted((served.process.data_dir / "logs").iterdir())
    return "".join(path.read_text() for path in files) + served.process.text()


@pytest.mark.statement(40)
async def test_40_auth_events_are_logged_and_no_secret_is(served: Served, owner: Person) -> None:
    number = "+4915123456789"
    other = await owner.login()
    made = await owner.call("CreateApiKey", display_name="k", scopes=["phone.read"])
    await owner.outcome("ChangePassword", current_password="wrong but long enough", new_password=PASSWORD)
    await owner.outcome("Login", tenant_id=number, email=number, password="wrong but long enough")
    forged = await Person(owner.channel, access="forged-token-forged").outcome("GetMe")
    assert forged.code == "UNAUTHENTICATED"
    await other.call("Logout")
    call: Any = owner.channel.unary_unary("/bossjy.phone.v1.PhoneService/ValidateNumber")
    raw = b"\x0a" + bytes((len(number),)) + number.encode()
    last = f"last-{secrets.token_hex(4)}"
    await call(raw, metadata=(("authorization", f"Bearer {made.secret}"), ("x-request-id", last)), timeout=20)
    while last not in (logs := written_by(served)):  # a thread writes the log
        await asyncio.sleep(0.1)
    for event in ("register", "login", "create_api_key", "logout"):
        assert f'"auth_event":"{event}"' in logs, event
    secrets_sent = (
        PASSWORD,
        "wrong but long enough",
        "forged-token-forged",
        number,
        number[1:],
        owner.access,
        owner.refresh,
        other.access,
        other.refresh,
        made.secret,
        made.secret.rsplit(".", 1)[1],
        owner.email,
    )
    for secret in secrets_sent:
        assert secret not in logs
