"""Each method by JSON and by gRPC through the gateway: the same answer, or the same error."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.rpc import status_pb2

from bossjy_client import ClientConfig, SyncClient
from tests.contract.json_requests import METHODS, UNREPEATABLE, by_grpc, lines, minimal, outline, settled, url_of
from tests.contract.values import Known, honest
from tests.gateway.conftest import Gateway

pytestmark = pytest.mark.timeout(600)

# These need state that the first call takes away, or start something. Their errors are compared with `minimal`.
_ONCE = {"RevokeApiKey", "CreateApiKey", "CreateUser", "EraseContacts", "DeleteContact", "ResetPassword"}
# Of these, the prepared data make an answer with content.
_FULL = {"ExportContacts", "WatchImport", "ExportRejectedRows", "ExportDuplicateRows", "ListContacts"}
# The state of the server, the user and the import refuses these.
_REFUSED = {"LookupNumber", "RemoveUserSecondFactor", "CancelImport"}
_ANY = Known(ids={name: ["x"] for name in ("import_id", "user_id", "api_key_id", "token")})


def _has_request(name: str) -> bool:
    """True if a request other than the smallest is known, or the smallest has an answer with content."""
    return name not in UNREPEATABLE | _ONCE and (name in _FULL or bool(honest(name, random.Random(1), _ANY)))


@pytest.fixture(scope="module")
def known(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Known:
    """Real ids: an import with rejected and duplicate rows, a user, an API key."""
    file: Path = tmp_path_factory.mktemp("known") / "people.csv"
    rows = "".join(f"+4420794600{number},n\n" for number in range(31, 46)) + "+8613800000000,m\n"
    file.write_text("phone,name\n" + rows + "+442079460031,again\nbad,x\nworse,y\n")
    config = ClientConfig(root_certificates=gateway.authority)
    with SyncClient.connect(gateway.target, token=gateway.token, config=config) as client:
        job = client.imports.upload_file(file)
        key = client.auth.create_api_key("k", ["phone.read"])
        me = client.auth.me()
    return Known(
        ids={
            "import_id": [job.import_id],
            "user_id": [me.user.user_id],
            "api_key_id": [key.api_key.api_key_id],
            "token": [key.secret],
        }
    )


async def compare(gateway: Gateway, method: MethodDescriptor, request: dict[str, Any], metadata: Any) -> list[Any]:
    """Send a request both ways. Returns the answers of gRPC, or its status; fails if those of JSON differ."""
    message_class = GetMessageClass(method.input_type)
    raw = json_format.ParseDict(request, message_class()).SerializeToString()
    async with gateway.channel() as channel:
        grpc_answer = await by_grpc(channel, method, raw, metadata)
    verb, path, body = url_of(method, request)
    async with gateway.client() as client:
        if not metadata:
            del client.headers["authorization"]
        query = fields(body) if verb == "GET" else None
        content = None if verb == "GET" else json.dumps(body)
        headers = {"content-type": "application/json"}
        answer = await client.request(verb, path, params=query, content=content, headers=headers)
    if isinstance(grpc_answer, status_pb2.Status):
        got = json_format.ParseDict(answer.json(), status_pb2.Status())
        assert outline(got) == outline(grpc_answer)
        assert answer.status_code >= httpx.codes.BAD_REQUEST
        return [grpc_answer]
    assert answer.status_code == httpx.codes.OK, answer.text
    found = [
        json_format.ParseDict(json.loads(line), type(one)())
        for line, one in zip(lines(answer), grpc_answer, strict=True)
    ]
    assert [settled(one) for one in found] == [settled(one) for one in grpc_answer]
    return list(grpc_answer)


def fields(body: dict[str, Any]) -> httpx.QueryParams:
    """The fields of a query. A list is repeated."""
    return httpx.QueryParams(
        [
            (name, str(one).lower() if isinstance(one, bool) else str(one))
            for name, value in body.items()
            for one in (value if isinstance(value, list | tuple) else [value])
        ]
    )


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
async def test_the_smallest_request(gateway: Gateway, method: MethodDescriptor) -> None:
    """The same answer, or the same code, reason and field violations."""
    await compare(gateway, method, minimal(method), gateway.metadata if method.name not in UNREPEATABLE else ())


@pytest.mark.parametrize("method", [one for one in METHODS if _has_request(one.name)], ids=lambda method: method.name)
async def test_a_request_with_content(gateway: Gateway, known: Known, method: MethodDescriptor) -> None:
    message = GetMessageClass(method.input_type)(**honest(method.name, random.Random(1), known))
    request = json_format.MessageToDict(message, preserving_proto_field_name=True)
    answers = await compare(gateway, method, minimal(method) | request, gateway.metadata)
    assert isinstance(answers[0], status_pb2.Status) == (method.name in _REFUSED)
    if method.name in _FULL:
        assert any(one.ByteSize() > 20 for one in answers)
