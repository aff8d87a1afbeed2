"""Requests without a region have the default region of their tenant, in every method that reads texts."""

from __future__ import annotations

import io
import secrets
from dataclasses import replace
from typing import Any

import grpc.aio
import pyarrow as pa
import pytest
import pytest_asyncio

from bossjy.auth.v1 import account_pb2, auth_service_pb2, auth_service_pb2_grpc
from bossjy.phone.v1 import number_pb2
from bossjy.phone.v1 import phone_service_pb2 as pb
from tests.integration.phone.asking import TEXTS, Phone, oracle
from tests.service import PASSWORD, Service

pytestmark = pytest.mark.asyncio(loop_scope="module")
FULL = number_pb2.NUMBER_VIEW_FULL
NATIONAL = "138 0000 0000"


class Tenant(Phone):
    """A tenant of its own on the shared service."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._auth: Any = auth_service_pb2_grpc.AuthServiceStub(service.channel)

    async def set_region(self, region: str) -> None:
        request = auth_service_pb2.UpdateTenantRequest(tenant=account_pb2.Tenant(default_region=region))
        request.update_mask.paths.append("default_region")
        await self._auth.UpdateTenant(request, metadata=self._metadata)


@pytest_asyncio.fixture(loop_scope="module")
async def tenant(shared_service: Service) -> Tenant:
    """A new tenant whose default region is China."""
    stub: Any = auth_service_pb2_grpc.AuthServiceStub(shared_service.channel)
    email = f"{secrets.token_hex(4)}@example.com"
    request = auth_service_pb2.RegisterRequest(tenant_display_name="Region", email=email, password=PASSWORD)
    made = await stub.Register(request)
    found = Tenant(replace(shared_service, token=made.tokens.access_token, tenant_id=made.tenant.tenant_id))
    await found.set_region("CN")
    return found


def one_text(kind: Any, text: str, **region: str) -> Any:
    return kind(phone_number=text, **region)


async def test_the_answers_are_those_of_the_region(tenant: Tenant) -> None:
    for text in TEXTS:
        for view in (number_pb2.NUMBER_VIEW_BASIC, FULL):
            plain = await tenant.ask(pb.ValidateNumberRequest(phone_number=text, view=view))
            named = await tenant.ask(pb.ValidateNumberRequest(phone_number=text, view=view, region_code="CN"))
            assert plain == named, text
            expected = oracle(text, "CN")
            assert (plain.valid, plain.e164) == (expected["valid"], expected["e164"]), text
    for kind in (pb.ExplainNumberRequest, pb.FormatPartialNumberRequest):
        for text in (one for one in TEXTS if len(one) <= 40):
            assert await tenant.ask(one_text(kind, text)) == await tenant.ask(one_text(kind, text, region_code="CN"))
    plain = await tenant.ask(pb.FormatNumberRequest(phone_number=NATIONAL))
    assert plain.e164 == "+8613800000000"


@pytest.mark.parametrize("name", ["default_region", "region_code"])
async def test_a_named_region_wins(tenant: Tenant, name: str) -> None:
    text = "020 7946 0958"
    british: Any = {name: "GB"}
    assert (await tenant.ask(pb.ValidateNumberRequest(phone_number=text, **british))).e164 == "+442079460958"
    none: Any = {name: "ZZ"}
    for text in TEXTS:
        answer = await tenant.ask(pb.ValidateNumberRequest(phone_number=text, **none))
        expected = oracle(text, None)
        assert (answer.valid, answer.e164) == (expected["valid"], expected["e164"]), text
        assert number_pb2.NUMBER_WARNING_REGION_UNKNOWN not in answer.warnings
    plus = "+8613800000000"
    assert (await tenant.ask(pb.FormatNumberRequest(phone_number=plus, **none))).e164 == plus
    assert (await tenant.ask(pb.ExplainNumberRequest(phone_number=plus, **none))).number.valid
    assert not (await tenant.ask(pb.ExplainNumberRequest(phone_number=NATIONAL, **none))).number.valid


async def test_batches_matches_and_searches(tenant: Tenant) -> None:
    batch = await tenant.ask(pb.BatchValidateNumbersRequest(phone_numbers=TEXTS))
    assert batch == await tenant.ask(pb.BatchValidateNumbersRequest(phone_numbers=TEXTS, region_code="CN"))
    rows = pb.BatchValidateNumbersRequest(phone_numbers=[NATIONAL] * 3, region_codes=["", "ZZ", "CN"], view=FULL)
    answers = (await tenant.ask(rows)).results
    assert [one.valid for one in answers] == [True, False, True]
    assert list(answers[1].warnings) == []
    same = pb.MatchNumbersRequest(first_number=NATIONAL, second_number="+8613800000000")
    assert (await tenant.ask(same)).match == number_pb2.MATCH_TYPE_EXACT_MATCH
    none = pb.MatchNumbersRequest(first_number=NATIONAL, second_number="+8613800000000", first_region_code="ZZ")
    assert (await tenant.ask(none)).match != number_pb2.MATCH_TYPE_EXACT_MATCH
    text = f"ring {NATIONAL} today"
    assert [one.number.e164 for one in (await tenant.ask(pb.FindNumbersRequest(text=text))).numbers] == [
        "+8613800000000"
    ]
    assert not (await tenant.ask(pb.FindNumbersRequest(text=text, default_region="ZZ"))).numbers


async def test_streams_of_texts_and_arrow(tenant: Tenant) -> None:
    table = pa.table({"phone_number": TEXTS})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    inputs: list[dict[str, Any]] = [
        {"texts": pb.NumberTexts(phone_numbers=TEXTS)},
        {"arrow_ipc": sink.getvalue()},
    ]
    for given in inputs:
        plain, named, none = await tenant.stream(
            [
                pb.StreamValidateNumbersRequest(**given),
                pb.StreamValidateNumbersRequest(region_code="CN", **given),
                pb.StreamValidateNumbersRequest(region_code="ZZ", **given),
            ]
        )
        assert plain == named
        assert plain.valid_count > none.valid_count
        assert none.valid_count == sum(oracle(text, None)["valid"] for text in TEXTS)
    mixed = pb.NumberTexts(phone_numbers=[NATIONAL] * 3, default_regions=["", "ZZ", "CN"])
    request = pb.StreamValidateNumbersRequest(texts=mixed)
    request.read_mask.paths.extend(["valid", "warnings"])
    (answer,) = await tenant.stream([request])
    assert answer.valid_count == 2


async def test_a_change_is_seen_by_the_next_call(tenant: Tenant) -> None:
    request = pb.ValidateNumberRequest(phone_number=NATIONAL)
    for region, valid in (("GB", False), ("", False), ("CN", True)):
        await tenant.set_region(region)
        assert (await tenant.ask(request)).valid is valid


async def test_other_regions_are_still_refused(tenant: Tenant) -> None:
    assert await tenant.refused(pb.ValidateNumberRequest(phone_number="1", region_code="XX")) == (
        "INVALID_ARGUMENT",
        "INVALID_FIELD",
    )
    with pytest.raises(grpc.aio.AioRpcError):
        await tenant.ask(pb.ValidateShortNumberRequest(phone_number="110", region_code="ZZ"))
