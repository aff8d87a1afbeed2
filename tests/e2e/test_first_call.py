"""The first call with each tool in the README, with and without a token."""

from __future__ import annotations

import json
import subprocess

import grpc
import pytest

from bossjy.phone.v1 import phone_service_pb2, phone_service_pb2_grpc
from bossjy_client import Client, UnauthenticatedError
from tests.e2e.conftest import ROOT, ServerProcess, Tenant, program

pytestmark = pytest.mark.timeout(600)

METHOD = "bossjy.phone.v1.PhoneService/ValidateNumber"
REQUEST = {"phone_number": "+86 138 0000 0000", "default_region": "CN"}


def grpcurl(target: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [program("grpcurl"), "-plaintext", "-d", json.dumps(REQUEST), *arguments, target, METHOD]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def buf_curl(target: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [
        *(program("buf"), "curl", "--protocol", "grpc", "--http2-prior-knowledge"),
        *("--schema", str(ROOT), "--data", json.dumps(REQUEST), *arguments, f"http://{target}/{METHOD}"),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT)


@pytest.mark.parametrize("call", [grpcurl, buf_curl])
def test_tools(shared_server: ServerProcess, tenant: Tenant, call: object) -> None:
    assert callable(call)
    done = call(shared_server.target, "-H", f"authorization: Bearer {tenant.token}")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["valid"] is True
    assert answer["e164"] == "+8613800000000"
    assert answer.get("regionCode", answer.get("region_code")) == "CN"

    refused = call(shared_server.target)
    assert refused.returncode != 0
    assert "unauthenticated" in refused.stderr.lower().replace(" ", "")
    assert "this method needs credentials" in refused.stderr


def test_generated_stub(shared_server: ServerProcess, tenant: Tenant) -> None:
    request = phone_service_pb2.ValidateNumberRequest(phone_number="+86 138 0000 0000", default_region="CN")
    with grpc.insecure_channel(shared_server.target) as channel:
        stub = phone_service_pb2_grpc.PhoneServiceStub(channel)
        answer = stub.ValidateNumber(request, metadata=(("authorization", f"Bearer {tenant.token}"),), timeout=10)
        assert answer.valid
        assert answer.e164 == "+8613800000000"
        with pytest.raises(grpc.RpcError) as caught:
            stub.ValidateNumber(request, timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_client(shared_server: ServerProcess, tenant: Tenant) -> None:
    async with await Client.connect(shared_server.target, token=tenant.token) as client:
        assert (await client.phone.validate("138 0000 0000", "CN")).e164 == "+8613800000000"
        invalid = await client.phone.validate("invalid")
        assert not invalid.valid
        assert invalid.reason
    async with await Client.connect(shared_server.target) as client:
        with pytest.raises(UnauthenticatedError) as caught:
            await client.phone.validate("138 0000 0000", "CN")
    assert caught.value.reason == "CREDENTIALS_MISSING"
    assert caught.value.request_id
