"""JSON on the port of the native front end: the same answers and errors as gRPC, REST and Connect, streams, CORS."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from typing import Any

import grpc.aio
import httpx
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2, status_pb2

from bossjy.phone.v1 import phone_service_pb2
from tests.contract.json_requests import METHODS, UNREPEATABLE, by_grpc, lines, minimal, outline, settled, url_of
from tests.integration.rpc.native.conftest import ORIGIN
from tests.service import EMAIL, Service

pytestmark = pytest.mark.asyncio(loop_scope="package")
VALIDATE = "/bossjy.phone.v1.PhoneService/ValidateNumber"
# ExplainNumber reads a table first, which takes seconds; `make test-front` calls it.
QUICK = [method for method in METHODS if method.name != "ExplainNumber"]
NUMBER = {"phone_number": "+8613800138000"}


@pytest.mark.parametrize("method", QUICK, ids=lambda method: str(method.name))
async def test_json_answers_as_grpc_does(native: Service, client: httpx.AsyncClient, method: MethodDescriptor) -> None:
    """The same minimal request, both ways: the same answer, or the same code, reason and field violations."""
    request = minimal(method)
    raw = json_format.ParseDict(request, GetMessageClass(method.input_type)()).SerializeToString()
    metadata = native.metadata if method.name not in UNREPEATABLE else ()
    async with grpc.aio.insecure_channel(native.address) as channel:
        grpc_answer = await by_grpc(channel, method, raw, metadata)
    verb, path, body = url_of(method, request)
    if not metadata:
        del client.headers["authorization"]
    answer = await client.request(verb, path, json=None if verb == "GET" else body)
    if isinstance(grpc_answer, status_pb2.Status):
        got = json_format.ParseDict(answer.json(), status_pb2.Status())
        assert outline(got) == outline(grpc_answer)
        assert answer.status_code >= httpx.codes.BAD_REQUEST
        return
    assert answer.status_code == httpx.codes.OK, answer.text
    assert answer.headers["content-type"] == "application/json"
    found = [
        json_format.ParseDict(json.loads(line), type(one)())
        for line, one in zip(lines(answer), grpc_answer, strict=True)
    ]
    assert [settled(one) for one in found] == [settled(one) for one in grpc_answer]


@pytest.mark.parametrize(
    ("verb", "path", "body", "status", "reason", "named"),
    [
        ("GET", "/v1/nothing", None, 404, "UNKNOWN_METHOD", ""),
        ("PUT", "/v1/contacts", None, 404, "UNKNOWN_METHOD", ""),
        ("GET", "/v1/contacts?zebra=1", None, 400, "INVALID_FIELD", "zebra"),
        ("GET", "/v1/contacts?page_size=1&page_size=2", None, 400, "INVALID_FIELD", "page_size"),
        ("GET", "/v1/contacts?page_size=-1", None, 400, "INVALID_FIELD", "page_size"),
        ("GET", "/v1/contacts?page_size=many", None, 400, "MALFORMED_REQUEST", ""),
        ("GET", "/v1/contacts?filter=zebra%3D1", None, 400, "FILTER_INVALID", ""),
        ("GET", "/v1/imports/nothing:watch", None, 404, "RESOURCE_NOT_FOUND", ""),
        ("GET", "/v1/imports/nothing?import_id=other", None, 400, "INVALID_FIELD", "import_id"),
        ("POST", "/v1/phone/numbers:validate", {"zebra": 1}, 400, "INVALID_FIELD", "zebra"),
        ("POST", "/v1/phone/numbers:validate?phone_number=1", {}, 400, "INVALID_FIELD", "phone_number"),
        ("POST", "/v1/phone/numbers:validate", {"phone_number": 7}, 400, "MALFORMED_REQUEST", ""),
        ("POST", "/v1/phone/numbers:validate", [], 400, "MALFORMED_REQUEST", ""),
        ("POST", "/v1/imports", {"spec": {"file_name": "a", "mapping": [{"zebra": 1}]}}, 400, "INVALID_FIELD", "zebra"),
        ("PATCH", "/v1/auth/tenant", {"zebra": 1}, 400, "INVALID_FIELD", "zebra"),
        ("POST", "/v1/phone/numbers:validate", {"phone_number": "1" * 4_200_000}, 429, "MESSAGE_TOO_LARGE", ""),
        ("POST", "/v1/phone/numbers:validate", {"phone_number": "1" * 8_400_000}, 429, "MESSAGE_TOO_LARGE", ""),
    ],
)
async def test_refusals_name_the_field(  # noqa: PLR0917 - the columns of the table
    client: httpx.AsyncClient, verb: str, path: str, body: Any, status: int, reason: str, named: str
) -> None:
    answer = await client.request(verb, path, json=body)
    assert answer.status_code == status, answer.text
    details = answer.json()["details"]
    assert details[0]["reason"] == reason
    violated = [one["field"] for detail in details for one in detail.get("field_violations", ())]
    assert not named or violated[0].endswith(named), violated


async def test_credentials_come_before_the_body_is_read(client: httpx.AsyncClient) -> None:
    del client.headers["authorization"]
    answer = await client.post("/v1/phone/numbers:validate", content=b"no JSON", headers={"content-type": "text/x"})
    assert answer.status_code == httpx.codes.BAD_REQUEST
    answer = await client.post("/v1/phone/numbers:validate", content=b"no JSON")
    assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert answer.json()["details"][0]["reason"] == "CREDENTIALS_MISSING"


async def test_large_bodies_and_answers_do_not_hold_up_other_calls(client: httpx.AsyncClient) -> None:
    numbers = ["+8613800138000"] * 2000
    large = asyncio.create_task(client.post("/v1/phone/numbers:batchValidate", json={"phone_numbers": numbers}))
    answered = 0
    while not large.done():
        assert (await client.post("/v1/phone/numbers:validate", json=NUMBER)).json()["valid"]
        answered += 1
    assert len((await large).json()["results"]) == len(numbers)
    assert answered > 1


async def test_connect(client: httpx.AsyncClient) -> None:
    answer = await client.post(VALIDATE, json=NUMBER, headers={"connect-protocol-version": "1"})
    assert answer.status_code == httpx.codes.OK
    assert json_format.ParseDict(answer.json(), phone_service_pb2.ValidateNumberResponse()).valid
    refused = await client.post(VALIDATE, json={"zebra": 1})
    assert refused.status_code == httpx.codes.BAD_REQUEST
    error = refused.json()
    assert error["code"] == "invalid_argument"
    assert error["details"][0]["type"] == "google.rpc.ErrorInfo"
    packed = base64.b64decode(error["details"][0]["value"] + "==")
    assert error_details_pb2.ErrorInfo.FromString(packed).reason == "INVALID_FIELD"
    assert error["details"][0]["debug"]["reason"] == "INVALID_FIELD"
    stream = await client.post("/bossjy.imports.v1.ImportService/Upload", json={})
    assert (stream.status_code, stream.json()["code"]) == (httpx.codes.NOT_IMPLEMENTED, "unimplemented")


async def test_a_call_that_curl_makes(native: Service) -> None:
    content = json.dumps(NUMBER).encode()
    headers = {"authorization": f"Bearer {native.token}", "content-type": "application/x-www-form-urlencoded"}
    async with httpx.AsyncClient(base_url=f"http://{native.address}", headers=headers, trust_env=False) as client:
        answer = await client.post("/v1/phone/numbers:validate", content=content, headers={"x-request-id": "my-call-a"})
        assert answer.json()["e164"] == NUMBER["phone_number"]
        assert answer.headers["x-request-id"] == "my-call-a"
        # The same from a page of any origin needs no permission of ours: refused.
        page = await client.post("/v1/phone/numbers:validate", content=content, headers={"origin": ORIGIN})
        assert page.status_code == httpx.codes.BAD_REQUEST
        assert (await client.get("/v1/auth/me")).json()["user"]["email"] == EMAIL


async def test_pages_of_the_stated_origin_may_call(client: httpx.AsyncClient) -> None:
    asked = {"origin": ORIGIN, "access-control-request-method": "POST"}
    preflight = await client.options("/v1/phone/numbers:validate", headers=asked)
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    answer = await client.post("/v1/phone/numbers:validate", json=NUMBER, headers={"origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    for strange in (
        await client.options("/v1/phone/numbers:validate", headers=asked | {"origin": "https://evil.example"}),
        await client.post("/v1/phone/numbers:validate", json=NUMBER, headers={"origin": "https://evil.example"}),
    ):
        assert "access-control-allow-origin" not in strange.headers


async def test_the_openapi_document(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert "/v1/phone/numbers:validate" in document["paths"]


async def test_the_page_of_the_document_runs_only_its_own_script(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; connect-src 'self'; script-src 'sha256-")
    script = page.text.partition("<script>")[2].partition("</script>")[0]
    assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in policy
    assert "://" not in page.text  # nothing comes from elsewhere
