"""Streams over HTTP on the native front end: Connect's envelopes, exports as files, uploads in slices."""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="package")
EXPORT = "/bossjy.contacts.v1.ContactService/ExportContacts"
ENVELOPES = {"content-type": "application/connect+json"}


def envelope(message: object, flags: int = 0) -> bytes:
    text = json.dumps(message).encode()
    return struct.pack(">BI", flags, len(text)) + text


def opened(body: bytes) -> Iterator[tuple[int, Any]]:
    while body:
        flags, length = struct.unpack_from(">BI", body)
        yield flags, json.loads(body[5 : 5 + length])
        body = body[5 + length :]


def table(first: int, count: int) -> bytes:
    rows = (f"Person {n},+86138{n:08d}\n" for n in range(first, first + count))
    return b"name,phone\n" + "".join(rows).encode()


async def make_import(client: httpx.AsyncClient) -> str:
    answer = await client.post("/v1/imports", json={"spec": {"default_region": "CN"}})
    assert answer.status_code == httpx.codes.OK, answer.text
    return str(answer.json()["import_job"]["import_id"])


async def send(client: httpx.AsyncClient, import_id: str, data: bytes, **query: str | int) -> httpx.Response:
    path = f"/v1/imports/{import_id}/parts/0:upload"
    return await client.patch(path, params=query, content=data, headers={"content-type": "application/octet-stream"})


async def test_a_file_in_slices_counts_each_row_once(client: httpx.AsyncClient) -> None:
    data, import_id, committed = table(0, 3_000), await make_import(client), 0
    again: httpx.Response | None = None
    for _ in range(10):
        end = min(committed + 20_011, len(data))
        query = {"offset": committed} | ({"final": "true"} if end == len(data) else {})
        answer = await send(client, import_id, data[committed:end], **query)
        assert answer.status_code == httpx.codes.OK, answer.text
        # The same again changes nothing: an answer can get lost.
        again = await send(client, import_id, data[committed:end], **query)
        assert again.json()["committed_offset"] == answer.json()["committed_offset"]
        committed = int(answer.json()["committed_offset"])
    job = (await client.get(f"/v1/imports/{import_id}")).json()["import_job"]
    assert job["state"] == "IMPORT_STATE_SUCCEEDED"
    assert int(job["counts"]["rows_in"]) == int(job["counts"]["inserted"]) == 3_000
    assert again is not None
    assert again.json()["import_job"]["state"] == "IMPORT_STATE_SUCCEEDED"


async def test_a_slice_beyond_the_committed_offset_names_it(client: httpx.AsyncClient) -> None:
    data, import_id = table(10_000, 50), await make_import(client)
    first = await send(client, import_id, data[:500], offset=0)
    committed = int(first.json()["committed_offset"])
    assert 0 < committed <= 500
    gap = await send(client, import_id, data[600:], offset=600)
    assert gap.status_code == httpx.codes.BAD_REQUEST
    (info,) = [one for one in gap.json()["details"] if "reason" in one]
    assert (info["reason"], info["metadata"]["next_offset"]) == ("OFFSET_GAP", str(committed))


async def test_a_whole_file_with_its_checksum(client: httpx.AsyncClient) -> None:
    data, import_id = table(20_000, 50), await make_import(client)
    wrong = await send(client, import_id, data, offset=0, final="true", sha256="0" * 64)
    assert "CHECKSUM_MISMATCH" in wrong.text
    other = await make_import(client)
    right = await send(client, other, data, offset=0, final="true", sha256=hashlib.sha256(data).hexdigest())
    assert int(right.json()["import_job"]["counts"]["rows_in"]) == 50


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "offset"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "0", "final": "yes"}, "final"),
        ({"offset": "0", "sha256": "abc"}, "sha256"),
        ({"offset": "0", "zebra": "1"}, "zebra"),
    ],
)
async def test_wrong_parameters_of_a_slice_are_named(
    client: httpx.AsyncClient, query: dict[str, str], field: str
) -> None:
    answer = await send(client, "any", b"x", **query)
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "INVALID_FIELD" in answer.text
    assert field in answer.json()["message"]


async def test_slices_need_credentials_and_have_a_limit(native: Service, client: httpx.AsyncClient) -> None:
    import_id = await make_import(client)
    async with httpx.AsyncClient(base_url=f"http://{native.address}", trust_env=False) as nobody:
        assert (await send(nobody, import_id, b"x", offset=0)).status_code == httpx.codes.UNAUTHORIZED
    large = await send(client, import_id, b"a,+8613800138000\n" * 600_000, offset=0)
    assert large.status_code == httpx.codes.TOO_MANY_REQUESTS
    assert "MESSAGE_TOO_LARGE" in large.text
    missing = await send(client, "nosuchimport", b"x", offset=0)
    assert missing.status_code == httpx.codes.NOT_FOUND


async def test_connect_streams_have_envelopes_and_an_end(client: httpx.AsyncClient) -> None:
    import_id = await make_import(client)
    await send(client, import_id, table(30_000, 20), offset=0, final="true")
    answer = await client.post(EXPORT, content=envelope({"format": "EXPORT_FORMAT_JSONL"}), headers=ENVELOPES)
    assert answer.status_code == httpx.codes.OK
    assert answer.headers["content-type"] == "application/connect+json"
    *messages, (flags, end) = opened(answer.content)
    assert (flags, end) == (2, {})
    assert all(flags == 0 for flags, _ in messages)
    assert int(messages[-1][1]["contact_count"]) >= 20


@pytest.mark.parametrize(
    ("body", "code", "reason"),
    [
        (envelope({"filter": "zebra = 1"}), "invalid_argument", "FILTER_INVALID"),
        (envelope({"zebra": 1}), "invalid_argument", "INVALID_FIELD"),
        (envelope({}) * 2, "invalid_argument", "MALFORMED_REQUEST"),
        (envelope({}, flags=1), "invalid_argument", "MALFORMED_REQUEST"),
        (b"\0\0", "invalid_argument", "MALFORMED_REQUEST"),
    ],
)
async def test_an_error_is_the_end_of_a_connect_stream(
    client: httpx.AsyncClient, body: bytes, code: str, reason: str
) -> None:
    answer = await client.post(EXPORT, content=body, headers=ENVELOPES)
    assert answer.status_code == httpx.codes.OK
    ((flags, end),) = opened(answer.content)
    assert flags == 2
    assert end["error"]["code"] == code
    assert end["error"]["details"][0]["debug"]["reason"] == reason


async def test_exports_come_as_files(client: httpx.AsyncClient) -> None:
    import_id = await make_import(client)
    data = table(40_000, 20) + b"Nobody,12\n"
    await send(client, import_id, data, offset=0, final="true")
    rejects = await client.get(f"/v1/imports/{import_id}/rejectedRows:export", headers={"accept": "text/csv"})
    assert rejects.headers["content-type"] == "text/csv"
    assert "Nobody" in rejects.content.decode("utf-8-sig")
    contacts = await client.post("/v1/contacts:export", json={}, headers={"accept": "text/csv"})
    assert contacts.content.decode("utf-8-sig").count("\r\n") >= 21
    lines = await client.post("/v1/contacts:export", json={})
    assert lines.headers["content-type"] == "application/json"


async def test_parallel_slices_of_one_part_do_not_double_rows(client: httpx.AsyncClient) -> None:
    data, import_id = table(50_000, 500), await make_import(client)
    await asyncio.gather(*(send(client, import_id, data, offset=0, final="true") for _ in range(4)))
    job = (await client.get(f"/v1/imports/{import_id}")).json()["import_job"]
    if job["state"] != "IMPORT_STATE_SUCCEEDED":  # each took the part from the one before
        await send(client, import_id, data, offset=0, final="true")
        job = (await client.get(f"/v1/imports/{import_id}")).json()["import_job"]
    assert int(job["counts"]["inserted"]) == int(job["counts"]["rows_in"]) == 500
