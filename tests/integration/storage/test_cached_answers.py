"""Cached counts of contacts and ended imports: no write is hidden by the cache."""

from __future__ import annotations

from bossjy.contacts.v1 import contact_service_pb2, contact_service_pb2_grpc
from bossjy.imports.v1 import import_pb2
from bossjy_client import Client
from bossjy_server.storage.redis import open_redis
from tests.service import Service

CSV = b"phone,name\n+8613800000001,Wei\n+8613800000002,Min\n+8613800000003,Lan\n"


async def total(service: Service) -> int:
    stub = contact_service_pb2_grpc.ContactServiceStub(service.channel)
    request = contact_service_pb2.GetContactStatsRequest()
    return (await stub.GetContactStats(request, metadata=service.metadata)).total_count


async def test_counts_follow_imports_deletions_and_reverts(service: Service) -> None:
    async with await Client.connect(service.address, token=service.token) as client:
        assert await total(service) == 0
        job = await client.imports.upload_file(CSV, import_pb2.ImportSpec(default_region="CN"))
        assert [await total(service) for _ in range(3)] == [3, 3, 3]
        assert (await client.imports.get(job.import_id)).state == import_pb2.IMPORT_STATE_SUCCEEDED
        stub = contact_service_pb2_grpc.ContactServiceStub(service.channel)
        gone = contact_service_pb2.DeleteContactRequest(phone_number="+8613800000001")
        await stub.DeleteContact(gone, metadata=service.metadata)
        assert await total(service) == 2
        assert (await client.imports.get(job.import_id)).import_id == job.import_id
        await client.imports.revert(job.import_id)
        assert await total(service) == 0
        assert (await client.imports.get(job.import_id)).state == import_pb2.IMPORT_STATE_REVERTED


async def test_an_answer_is_kept_in_redis_without_personal_data_in_its_key(service: Service) -> None:
    stub = contact_service_pb2_grpc.ContactServiceStub(service.channel)
    request = contact_service_pb2.GetContactStatsRequest(filter='name : "138000"')
    try:
        await stub.GetContactStats(request, metadata=service.metadata)
    finally:
        redis = open_redis(service.settings.redis.url)
        keys = [str(key) for key in await redis.keys("bossjy:cache:*")]
        await redis.aclose()
    assert any(":contact-stats:" in key and ":entry:" in key for key in keys)
    assert not any("138000" in key for key in keys)
