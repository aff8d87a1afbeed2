"""Regions and languages by either of their names: both are accepted, and unknown ones are rejected with a reason."""

from __future__ import annotations

from typing import Any

import grpc.aio
import pyarrow as pa
import pytest

from bossjy.phone.v1 import number_pb2
from bossjy.phone.v1 import phone_service_pb2 as pb
from tests.hostile import ipc
from tests.integration.phone.asking import Phone
from tests.integration.phone.test_bounds import details

pytestmark = pytest.mark.asyncio(loop_scope="module")
NUMBER, FULL = "020 7946 0958", number_pb2.NUMBER_VIEW_FULL
ONE_TEXT: list[Any] = [
    pb.ValidateNumberRequest,
    pb.FormatNumberRequest,
    pb.ExplainNumberRequest,
]


@pytest.mark.parametrize("kind", ONE_TEXT)
async def test_both_names_of_a_region_give_one_answer(phone: Phone, kind: Any) -> None:
    old = await phone.ask(kind(phone_number=NUMBER, default_region="GB"))
    assert await phone.ask(kind(phone_number=NUMBER, region_code="GB")) == old
    assert await phone.ask(kind(phone_number=NUMBER, region_code="GB", default_region="GB")) == old


async def test_both_names_in_batches_texts_and_streams(phone: Phone) -> None:
    numbers, regions = [NUMBER, "138 0000 0000"], ["", "CN"]
    old = await phone.ask(
        pb.BatchValidateNumbersRequest(phone_numbers=numbers, default_region="GB", default_regions=regions)
    )
    assert old.valid_count == 2
    new = pb.BatchValidateNumbersRequest(phone_numbers=numbers, region_code="GB", region_codes=regions)
    assert await phone.ask(new) == old
    found = pb.FindNumbersRequest(text=f"ring {NUMBER}", default_region="GB")
    assert len((await phone.ask(found)).numbers) == 1
    assert await phone.ask(pb.FindNumbersRequest(text=f"ring {NUMBER}", region_code="GB")) == await phone.ask(found)
    answers = await phone.stream(
        [
            pb.StreamValidateNumbersRequest(
                default_region="GB",
                texts=pb.NumberTexts(phone_numbers=numbers * times, default_regions=regions * times),
            )
            for times in (1, 100)
        ]
        + [
            pb.StreamValidateNumbersRequest(
                region_code="GB", texts=pb.NumberTexts(phone_numbers=numbers * times, region_codes=regions * times)
            )
            for times in (1, 100)
        ]
    )
    assert answers[:2] == answers[2:]


@pytest.mark.parametrize("name", ["language", "language_code"])
async def test_both_names_of_a_language(phone: Phone, name: str) -> None:
    zh: Any = {name: "zh"}
    one = await phone.ask(pb.ValidateNumberRequest(phone_number="+8613800000000", view=FULL, **zh))
    assert one.carrier == "中国移动"
    batch = await phone.ask(pb.BatchValidateNumbersRequest(phone_numbers=["+8613800000000"], view=FULL, **zh))
    assert batch.results[0].carrier == one.carrier
    assert (await phone.ask(pb.GetRegionRequest(region_code="CN", **zh))).region.display_name == "中国"
    assert (await phone.ask(pb.ListRegionsRequest(calling_code=86, **zh))).regions[0].display_name == "中国"
    assert not (await phone.ask(pb.ExplainNumberRequest(phone_number="1", **zh))).explanation.isascii()


LANGUAGE_FIELDS: list[tuple[Any, dict[str, Any]]] = [
    (pb.ValidateNumberRequest, {"phone_number": "+442079460958"}),
    (pb.BatchValidateNumbersRequest, {"phone_numbers": ["+442079460958"]}),
    (pb.ExplainNumberRequest, {"phone_number": "+442079460958"}),
    (pb.GetRegionRequest, {"region_code": "GB"}),
    (pb.ListRegionsRequest, {}),
]
REFUSED: list[tuple[Any, str, list[str]]] = [
    *((kind(**fields, language="$$$"), "LANGUAGE_UNKNOWN", ["language"]) for kind, fields in LANGUAGE_FIELDS),
    *((kind(**fields, language_code="$$$"), "LANGUAGE_UNKNOWN", ["language_code"]) for kind, fields in LANGUAGE_FIELDS),
    *(
        (kind(**fields, language="en", language_code="zh"), "INVALID_FIELD", ["language"])
        for kind, fields in LANGUAGE_FIELDS
    ),
    (pb.FindNumbersRequest(text="1", language_code="$$$"), "LANGUAGE_UNKNOWN", ["language_code"]),
    *((kind(phone_number="1", region_code="gb"), "INVALID_FIELD", ["region_code"]) for kind in ONE_TEXT),
    *((kind(phone_number="1", region_code="001"), "INVALID_FIELD", ["region_code"]) for kind in ONE_TEXT),
    *(
        (kind(phone_number="1", region_code="GB", default_region="US"), "INVALID_FIELD", ["default_region"])
        for kind in ONE_TEXT
    ),
    (pb.ValidateNumberRequest(phone_number="1", default_region="cn"), "INVALID_FIELD", ["default_region"]),
    (pb.ValidateNumberRequest(phone_number="1", default_region="001"), "INVALID_FIELD", ["default_region"]),
    (pb.BatchValidateNumbersRequest(phone_numbers=["1"], default_region="cn"), "INVALID_FIELD", ["default_region"]),
    (pb.BatchValidateNumbersRequest(phone_numbers=["1"], default_regions=["cn"]), "INVALID_FIELD", ["default_regions"]),
    (pb.BatchValidateNumbersRequest(phone_numbers=["1"], region_code="gb"), "INVALID_FIELD", ["region_code"]),
    (pb.BatchValidateNumbersRequest(phone_numbers=["1"], region_codes=["gb"]), "INVALID_FIELD", ["region_codes"]),
    (pb.BatchValidateNumbersRequest(phone_numbers=["1"], region_codes=["GB"] * 2), "COLUMNS_UNEQUAL", ["region_codes"]),
    (
        pb.BatchValidateNumbersRequest(phone_numbers=["1"], region_codes=["GB"], default_regions=["GB"]),
        "INVALID_FIELD",
        ["default_regions"],
    ),
    (pb.FormatNumberRequest(phone_number="+442079460958", default_region="gb"), "INVALID_FIELD", ["default_region"]),
    (
        pb.FormatNumberRequest(phone_number="+442079460958", calling_from_region_code="gb"),
        "INVALID_FIELD",
        ["calling_from_region_code"],
    ),
    (
        pb.FormatNumberRequest(phone_number="1", calling_from_region_code="GB", calling_from_region="US"),
        "INVALID_FIELD",
        ["calling_from_region"],
    ),
    (pb.FindNumbersRequest(text="1", default_region="gb"), "INVALID_FIELD", ["default_region"]),
    (pb.FindNumbersRequest(text="1", region_code="gb"), "INVALID_FIELD", ["region_code"]),
    (
        pb.MatchNumbersRequest(first_number="1", second_number="1", first_region_code="gb"),
        "INVALID_FIELD",
        ["first_region_code"],
    ),
    (
        pb.MatchNumbersRequest(first_number="1", second_number="1", second_region_code="gb"),
        "INVALID_FIELD",
        ["second_region_code"],
    ),
]


@pytest.mark.parametrize("index", range(len(REFUSED)))
async def test_unknown_regions_and_languages_are_refused(phone: Phone, index: int) -> None:
    request, reason, fields = REFUSED[index]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await phone.ask(request)
    said = details(caught.value)
    assert (said[0], said[2]) == (reason, fields)


@pytest.mark.parametrize("count", [1, 200])
async def test_a_stream_refuses_them_as_well(phone: Phone, count: int) -> None:
    numbers = ["+442079460958"] * count
    one_wrong = ["GB"] * (count - 1) + ["gb"]
    for texts, fields in (
        (pb.NumberTexts(phone_numbers=numbers, region_codes=one_wrong), ["texts.region_codes"]),
        (pb.NumberTexts(phone_numbers=numbers, default_regions=one_wrong), ["texts.default_regions"]),
        (
            pb.NumberTexts(phone_numbers=numbers, region_codes=["GB"] * count, default_regions=["GB"] * count),
            ["texts.default_regions"],
        ),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await phone.stream([pb.StreamValidateNumbersRequest(texts=texts)])
        assert details(caught.value)[::2] == ("INVALID_FIELD", fields)


async def test_a_stream_refuses_an_unknown_region_of_all_its_rows(phone: Phone) -> None:
    data = ipc(pa.record_batch({"phone_number": ["1", "2"], "default_region": ["GB", "UK"]}))
    wrong: dict[str, pb.StreamValidateNumbersRequest] = {
        "default_region": pb.StreamValidateNumbersRequest(
            default_region="UK", texts=pb.NumberTexts(phone_numbers=["1"])
        ),
        "region_code": pb.StreamValidateNumbersRequest(region_code="UK", arrow_ipc=data),
        "arrow_ipc.default_region": pb.StreamValidateNumbersRequest(arrow_ipc=data),
    }
    for field, request in wrong.items():
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await phone.stream([request])
        assert details(caught.value)[::2] == ("INVALID_FIELD", [field])
        assert "use GB" in (caught.value.details() or "")


async def test_only_explain_reads_other_names_of_a_region(phone: Phone) -> None:
    said = await phone.ask(pb.ExplainNumberRequest(phone_number="020 7946 0958", default_region="UK"))
    assert (said.region_code, said.fixes[0].e164) == ("GB", "+442079460958")
    assert list(said.number.warnings) == [number_pb2.NUMBER_WARNING_REGION_UNKNOWN]
    for request in (
        pb.ValidateNumberRequest(phone_number="020 7946 0958", default_region="UK"),
        pb.MatchNumbersRequest(first_number="1", second_number="1", first_region_code="UK"),
        pb.FormatPartialNumberRequest(phone_number="1", region_code="UK"),
        pb.ValidateShortNumberRequest(phone_number="1", region_code="UK"),
    ):
        with pytest.raises(grpc.aio.AioRpcError, match="use GB"):
            await phone.ask(request)


async def test_the_region_that_is_called_from_by_either_name(phone: Phone) -> None:
    old = await phone.ask(pb.FormatNumberRequest(phone_number="+442079460958", calling_from_region="US"))
    assert old.dialled_format == "011 44 20 7946 0958"
    new = pb.FormatNumberRequest(phone_number="+442079460958", calling_from_region_code="US")
    assert await phone.ask(new) == old
