"""gRPC-Web on the native front end: binary and text bodies over HTTP/1.1, trailers in the body, errors, CORS."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from google.rpc import error_details_pb2, status_pb2

from bossjy.contacts.v1 import contact_service_pb2
from bossjy.phone.v1 import phone_service_pb2
from tests.integration.rpc.native.conftest import ORIGIN

pytestmark = pytest.mark.asyncio(loop_scope="package")
VALIDATE = "/bossjy.phone.v1.PhoneService/ValidateNumber"
EXPORT = "/bossjy.contacts.v1.ContactService/ExportContacts"
NUMBER = phone_service_pb2.ValidateNumberRequest(phone_number="+8613800138000").SerializeToString()


def frame(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


def frames(body: bytes) -> Iterator[tuple[int, bytes]]:
    while body:
        size = int.from_bytes(body[1:5], "big")
        yield body[0], body[5 : 5 + size]
        body = body[5 + size :]


def trailers(text: bytes) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in text.decode().splitlines())


def pieces(body: bytes) -> bytes:
    """Base64 in which each frame can have padding of its own."""
    plain, start = b"", 0
    while start < len(body):
        end = body.find(b"=", start)
        end = len(body) if end < 0 else end + 4 - end % 4
        plain += base64.b64decode(body[start:end], validate=True)
        start = end
    return plain


async def call(client: httpx.AsyncClient, path: str, body: bytes, kind: str = "+proto") -> httpx.Response:
    headers = {"content-type": f"application/grpc-web{kind}", "x-grpc-web": "1", "origin": ORIGIN}
    return await client.post(path, content=body, headers=headers)


@pytest.mark.parametrize("kind", ["", "+proto"])
async def test_a_unary_call_in_binary(client: httpx.AsyncClient, kind: str) -> None:
    answer = await call(client, VALIDATE, frame(NUMBER), kind)
    assert answer.status_code == httpx.codes.OK
    assert answer.headers["content-type"] == f"application/grpc-web{kind}"
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    (flag, message), (end_flag, end) = frames(answer.content)
    assert (flag, end_flag) == (0, 0x80)
    assert phone_service_pb2.ValidateNumberResponse.FromString(message).valid
    assert trailers(end)["grpc-status"] == "0"


@pytest.mark.parametrize("chunk", [1, 7, 1000])
async def test_a_unary_call_in_text(client: httpx.AsyncClient, chunk: int) -> None:
    # The head and the message encoded apart, as some clients do.
    body = base64.b64encode(frame(NUMBER)[:5]) + base64.b64encode(NUMBER)

    async def sent() -> AsyncIterator[bytes]:
        for start in range(0, len(body), chunk):
            yield body[start : start + chunk]

    headers = {"content-type": "application/grpc-web-text", "x-grpc-web": "1"}
    answer = await client.post(VALIDATE, content=sent(), headers=headers)
    (_, message), (_, end) = frames(pieces(answer.content))
    assert phone_service_pb2.ValidateNumberResponse.FromString(message).valid
    assert trailers(end)["grpc-status"] == "0"


async def test_a_stream_of_answers(client: httpx.AsyncClient) -> None:
    request = contact_service_pb2.ExportContactsRequest().SerializeToString()
    answer = await call(client, EXPORT, frame(request))
    *messages, (flag, end) = frames(answer.content)
    assert flag == 0x80
    assert trailers(end)["grpc-status"] == "0"
    data = b"".join(contact_service_pb2.ExportContactsResponse.FromString(one).data for _, one in messages)
    assert data.startswith("\N{BYTE ORDER MARK}".encode())


async def test_an_error_has_its_details_in_the_trailers(client: httpx.AsyncClient) -> None:
    request = contact_service_pb2.ExportContactsRequest(filter="zebra = 1").SerializeToString()
    answer = await call(client, EXPORT, frame(request))
    ((_, end),) = frames(answer.content)
    shown = trailers(end)
    assert shown["grpc-status"] == "3"
    packed = base64.b64decode(shown["grpc-status-details-bin"] + "==")
    info = error_details_pb2.ErrorInfo()
    assert status_pb2.Status.FromString(packed).details[0].Unpack(info)
    assert info.reason == "FILTER_INVALID"


@pytest.mark.parametrize("body", [b"", b"\0\0", b"!!!!", b"AAAA!"])
async def test_a_damaged_body_is_a_malformed_request(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await call(client, VALIDATE, body, "-text")
    ((_, end),) = frames(pieces(answer.content))
    assert trailers(end)["grpc-status"] == "3"


async def test_pages_may_send_the_headers_of_grpc_web(client: httpx.AsyncClient) -> None:
    asked = {"origin": ORIGIN, "access-control-request-method": "POST"}
    preflight = await client.options(VALIDATE, headers=asked)
    allowed = preflight.headers["access-control-allow-headers"]
    assert {"x-grpc-web", "x-user-agent", "grpc-timeout"} <= set(allowed.replace(",", "").split())
