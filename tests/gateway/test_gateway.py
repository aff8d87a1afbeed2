"""gRPC and JSON through Traefik and Envoy: calls, uploads, exports, errors, and servers that end."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from bossjy.auth.v1 import auth_service_pb2, auth_service_pb2_grpc
from bossjy.contacts.v1 import contact_service_pb2, contact_service_pb2_grpc
from bossjy.phone.v1 import phone_service_pb2, phone_service_pb2_grpc
from bossjy_client import Client, ClientConfig
from tests.gateway.conftest import EMAIL, PASSWORD, Gateway

pytestmark = pytest.mark.timeout(600)

ROWS = 25_000
EXPORTED_BYTES = 2_000_000


async def import_rows(gateway: Gateway, folder: Path, count: int) -> None:
    file = folder / "people.csv"
    note = "a note of some length that makes the export long enough to matter"
    lines = [f"+4477{index:08d},Person {index},{note}\n" for index in range(12_300_000, 12_300_000 + count)]
    file.write_text("phone,name,note\n" + "".join(lines))
    config = ClientConfig(root_certificates=gateway.authority)
    async with await Client.connect(gateway.target, token=gateway.token, config=config) as client:
        job = await client.imports.upload_file(file)
    assert job.counts.rows_in == count
    assert job.counts.inserted + job.counts.unchanged == count


async def test_grpc_through_tls(gateway: Gateway, tmp_path: Path) -> None:
    async with gateway.channel() as channel:
        phone: Any = phone_service_pb2_grpc.PhoneServiceStub(channel)
        asked = phone_service_pb2.ValidateNumberRequest(phone_number="+8613800138000")
        assert (await phone.ValidateNumber(asked, metadata=gateway.metadata)).valid
        auth: Any = auth_service_pb2_grpc.AuthServiceStub(channel)
        login = auth_service_pb2.LoginRequest(tenant_id=gateway.tenant_id, email=EMAIL, password=PASSWORD)
        assert (await auth.Login(login)).tokens.access_token
        await import_rows(gateway, tmp_path, ROWS)  # Upload is a stream in both directions
        contacts: Any = contact_service_pb2_grpc.ContactServiceStub(channel)
        listed = contact_service_pb2.ListContactsRequest(page_size=10)
        assert len((await contacts.ListContacts(listed, metadata=gateway.metadata)).contacts) == 10
        exported = 0
        export = contact_service_pb2.ExportContactsRequest()
        async for piece in contacts.ExportContacts(export, metadata=gateway.metadata):
            exported += len(piece.data)
        assert exported > EXPORTED_BYTES


async def test_an_export_as_json_lines_is_whole(gateway: Gateway, tmp_path: Path) -> None:
    await import_rows(gateway, tmp_path, ROWS)
    body = b""
    async with gateway.client() as client, client.stream("POST", "/v1/contacts:export", json={}) as answer:
        assert answer.headers["content-type"] == "application/json"  # as docs/openapi.json says
        assert answer.status_code == httpx.codes.OK
        async for piece in answer.aiter_bytes():
            body += piece
    data = b"".join(base64.b64decode(json.loads(line)["data"]) for line in body.splitlines())
    assert len(data) > EXPORTED_BYTES
    assert data.count(b"\r\n") >= ROWS + 1


async def test_paths_of_earlier_clients(gateway: Gateway, tmp_path: Path) -> None:
    await import_rows(gateway, tmp_path, 3)
    async with gateway.client() as client:
        answer = await client.post("/api/phone/numbers:validate", json={"phone_number": "+8613800138000"})
        assert answer.json()["e164"] == "+8613800138000"
        assert (await client.get("/api/phone/regions/GB")).json()["region"]["region_code"] == "GB"
        assert (await client.get("/api/auth/me")).json()["user"]["email"] == EMAIL
        assert "api_keys" in (await client.get("/api/auth/apiKeys")).json()
        [contact] = (await client.get("/api/filter", params={"page_size": 1})).json()["contacts"]
        assert len((await client.get("/api/filter/", params={"page_size": 1})).json()["contacts"]) == 1
        one = (await client.get(f"/api/filter/{contact['phone_number']}")).json()
        assert one["contact"]["phone_number"] == contact["phone_number"]
        export = await client.post("/api/filter:export", json={})
        assert json.loads(export.content.splitlines()[0])["data"]
        assert (await client.get("/api/filters")).status_code == httpx.codes.NOT_FOUND


async def test_the_access_logs_have_no_personal_data(gateway: Gateway) -> None:
    async with gateway.client() as client:
        await client.get("/v1/contacts", params={"filter": 'phone_number = "+4477123456789"'})
    await asyncio.sleep(2)
    text = (gateway.folder / "traefik.log").read_text() + (gateway.folder / "envoy.log").read_text()
    assert '"RouterName":"json@file"' in text
    assert "4477123456789" not in text
    assert "127.0.0.1:" not in "".join(line for line in text.splitlines() if "RouterName" in line)
    assert gateway.token not in text


async def test_no_call_fails_when_a_server_drains_or_is_killed(gateway: Gateway) -> None:
    stop, ended = asyncio.Event(), {"drained": [0, 0], "killed": [0, 0]}
    phase = "drained"

    async def by_stub() -> None:
        config = ClientConfig(root_certificates=gateway.authority)
        async with await Client.connect(gateway.target, token=gateway.token, config=config) as client:
            while not stop.is_set():
                ended[phase][0] += (await client.phone.validate("+8613800138000")).valid
                assert await client.contacts.count() >= 0

    async def by_json() -> None:
        async with gateway.client() as client:
            while not stop.is_set():
                answer = await client.post("/v1/phone/numbers:validate", json={"phone_number": "+8613800138000"})
                # A proxy cannot repeat a request after a server has read it; a client may, until the proxy has noticed.
                for _ in range(10):
                    if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                        break
                    await asyncio.sleep(0.3)
                    answer = await client.post("/v1/phone/numbers:validate", json={"phone_number": "+8613800138000"})
                assert answer.json().get("valid") is True, answer.text
                ended[phase][1] += 1

    running = [asyncio.create_task(one()) for one in (by_stub, by_stub, by_json, by_json)]
    try:
        await asyncio.sleep(2)
        await asyncio.to_thread(gateway.servers[0].terminate)
        await asyncio.to_thread(gateway.servers[0].start)
        await asyncio.sleep(4)  # both proxies have seen it healthy again
        phase = "killed"
        await asyncio.to_thread(gateway.servers[1].kill)
        await asyncio.sleep(2)
        await asyncio.to_thread(gateway.servers[1].start)
    finally:
        stop.set()
        done = await asyncio.gather(*running, return_exceptions=True)
    assert [one for one in done if one is not None] == []
    assert all(min(counts) > 10 for counts in ended.values()), ended
