"""Retries of the proxies: a call that a server has read is never sent to another one, even if the first one dies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import httpx
import pytest

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy.phone.v1 import phone_service_pb2, phone_service_pb2_grpc
from bossjy_server.storage.process import free_port
from tests.e2e.conftest import ServerProcess
from tests.gateway.conftest import Gateway, start_proxies
from tests.integration.rpc.certificates import Authority

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def falling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Two servers that die in their first call, behind both proxies."""
    folder = tmp_path_factory.mktemp("falling")
    authority = Authority()
    authority.sign("localhost").write(folder)
    (folder / "authority.pem").write_bytes(authority.certificate)
    servers = []
    for number in range(2):
        ports = {"BOSSJY_PORT": str(free_port()), "BOSSJY_METRICS_PORT": str(free_port())}
        environment = {**os.environ, "CALLS": str(folder / "calls"), **ports}
        module = "tests.gateway.falling_server"
        servers.append(ServerProcess(environment, folder / f"server{number}.log", (), module=module))
    with ExitStack() as stack:
        for one in servers:
            stack.callback(one.end)
            one.start()
        made = Gateway(folder, servers, authority.certificate)
        start_proxies(made, stack)
        yield made


@pytest.fixture
def calls(falling: Gateway) -> Path:
    """The file of calls, empty; both servers run."""
    for one in falling.servers:
        if one.ended:
            one.start()
    file = falling.folder / "calls"
    file.write_text("")
    return file


def count(calls: Path) -> int:
    return len(calls.read_text().splitlines())


@pytest.mark.parametrize("method", ["Register", "ValidateNumber"])
async def test_a_grpc_call_reaches_one_server(falling: Gateway, calls: Path, method: str) -> None:
    async with falling.channel() as channel:
        auth: Any = auth_service_pb2_grpc.AuthServiceStub(channel)
        phone: Any = phone_service_pb2_grpc.PhoneServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError):
            if method == "Register":
                await auth.Register(auth_service_pb2.RegisterRequest(email="a@example.com"), timeout=30)
            else:
                await phone.ValidateNumber(phone_service_pb2.ValidateNumberRequest(phone_number="1"), timeout=30)
    assert count(calls) == 1


@pytest.mark.parametrize("path", ["/v1/auth/tenants:register", "/v1/phone/numbers:validate"])
async def test_a_json_call_reaches_one_server(falling: Gateway, calls: Path, path: str) -> None:
    async with falling.client() as client:
        del client.headers["authorization"]
        answer = await client.post(path, json={})
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert answer.json()["code"] == grpc.StatusCode.UNAVAILABLE.value[0]
    assert count(calls) == 1
