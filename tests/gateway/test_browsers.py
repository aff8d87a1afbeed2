"""Calls of browsers: CORS and gRPC-Web, through Envoy and through Traefik in front of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bossjy.contacts.v1 import contact_service_pb2
from bossjy.phone.v1 import phone_service_pb2
from tests.gateway.conftest import Gateway

pytestmark = pytest.mark.timeout(600)

ORIGIN = "http://localhost:5173"
WEB = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1", "origin": ORIGIN}
VALIDATE = "/bossjy.phone.v1.PhoneService/ValidateNumber"


@pytest.fixture(params=["envoy", "traefik"])
def url(request: pytest.FixtureRequest, gateway: Gateway) -> str:
    return gateway.envoy if request.param == "envoy" else gateway.url


async def web(client: httpx.AsyncClient, path: str, message: Any) -> tuple[list[bytes], dict[str, str]]:
    """One call by gRPC-Web: frames of flags, length and content. Returns the messages and the trailers."""
    raw = message.SerializeToString()
    answer = await client.post(path, content=b"\0" + len(raw).to_bytes(4, "big") + raw, headers=WEB)
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "grpc-status" in answer.headers["access-control-expose-headers"]
    content, messages = answer.content, []
    trailers = {name: answer.headers[name] for name in ("grpc-status", "grpc-message") if name in answer.headers}
    while content:
        flags, size = content[0], int.from_bytes(content[1:5], "big")
        piece, content = content[5 : 5 + size], content[5 + size :]
        if flags & 0x80:
            pairs = (line.partition(":") for line in piece.decode().splitlines() if line)
            trailers |= {name.strip().lower(): value.strip() for name, _, value in pairs}
        else:
            messages.append(piece)
    return messages, trailers


@pytest.mark.parametrize("path", ["/v1/phone/numbers:validate", VALIDATE])
async def test_origins_that_are_allowed(gateway: Gateway, url: str, path: str) -> None:
    asked = {"origin": ORIGIN, "access-control-request-method": "POST"}
    async with gateway.client(url) as client:
        preflight = await client.options(path, headers=asked)
        assert preflight.headers["access-control-allow-origin"] == ORIGIN
        assert "authorization" in preflight.headers["access-control-allow-headers"]
        strange = await client.options(path, headers=asked | {"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in strange.headers


async def test_grpc_web(gateway: Gateway, url: str) -> None:
    async with gateway.client(url) as client:
        request = phone_service_pb2.ValidateNumberRequest(phone_number="+8613800138000")
        [raw], trailers = await web(client, VALIDATE, request)
        assert phone_service_pb2.ValidateNumberResponse.FromString(raw).valid
        assert trailers["grpc-status"] == "0"
        # A server stream.
        export = contact_service_pb2.ExportContactsRequest()
        pieces, trailers = await web(client, "/bossjy.contacts.v1.ContactService/ExportContacts", export)
        data = b"".join(contact_service_pb2.ExportContactsResponse.FromString(piece).data for piece in pieces)
        assert data.startswith(b"\xef\xbb\xbf") or b"phone" in data[:200]
        assert trailers["grpc-status"] == "0"
        # An error.
        del client.headers["authorization"]
        _, trailers = await web(client, VALIDATE, request)
        assert trailers["grpc-status"] == "16"
