"""Short numbers, partly typed numbers, regions of numbers, formats and time zones in columns."""

from __future__ import annotations

import grpc.aio
import phonenumbers
import phonenumbers.carrier
import phonenumbers.timezone
import pyarrow as pa
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from bossjy.phone.v1 import number_pb2
from bossjy.phone.v1 import phone_service_pb2 as pb
from tests.hostile import ipc
from tests.integration.phone.asking import TEXTS, Phone

pytestmark = pytest.mark.asyncio(loop_scope="module")
FULL = number_pb2.NUMBER_VIEW_FULL
COST = number_pb2.ShortNumberCost


@pytest.mark.parametrize(
    ("text", "region", "said"),
    [
        ("110", "CN", (True, True, COST.SHORT_NUMBER_COST_TOLL_FREE)),
        ("9 5 5 8 8", "CN", (True, False, COST.SHORT_NUMBER_COST_STANDARD_RATE)),
        ("000", "AU", (True, True, COST.SHORT_NUMBER_COST_TOLL_FREE)),
        ("118118", "GB", (True, False, COST.SHORT_NUMBER_COST_UNKNOWN)),
        ("1234567", "GB", (False, False, COST.SHORT_NUMBER_COST_UNSPECIFIED)),
        ("1" * 16, "GB", (False, False, COST.SHORT_NUMBER_COST_UNSPECIFIED)),
        ("１１０", "CN", (False, False, COST.SHORT_NUMBER_COST_UNSPECIFIED)),
        ("", "CN", (False, False, COST.SHORT_NUMBER_COST_UNSPECIFIED)),
    ],
)
async def test_short_numbers(phone: Phone, text: str, region: str, said: tuple[bool, bool, int]) -> None:
    valid, emergency, cost = said
    short = (await phone.ask(pb.ValidateShortNumberRequest(phone_number=text, region_code=region))).short_number
    assert (short.valid, short.emergency, short.connects_to_emergency) == (valid, emergency, emergency)
    assert (short.expected_cost, short.region_code) == (cost, region)
    assert short.possible == valid
    full = await phone.ask(pb.ValidateNumberRequest(phone_number=text, default_region=region, view=FULL))
    assert full.HasField("short_number") == valid
    if valid:
        assert full.short_number == short


async def test_a_region_by_another_name_is_refused_with_its_code(phone: Phone) -> None:
    for text, advice in (("China", "use CN"), ("86", "use CN"), ("CHN", "use CN"), ("Nowhere", "ListRegions")):
        with pytest.raises(grpc.aio.AioRpcError, match=advice):
            await phone.ask(pb.ValidateNumberRequest(phone_number="138 0014 4001", region_code=text))


async def test_more_about_short_numbers(phone: Phone) -> None:
    texts = (await phone.ask(pb.ValidateShortNumberRequest(phone_number="20000", region_code="US"))).short_number
    assert texts.sms_service
    assert not texts.emergency
    own = (await phone.ask(pb.ValidateShortNumberRequest(phone_number="611", region_code="US"))).short_number
    number = phonenumbers.PhoneNumber(country_code=1, national_number=611)
    assert own.carrier_specific == phonenumbers.shortnumberinfo.is_carrier_specific_for_region(number, "US")
    for request in (
        pb.ValidateShortNumberRequest(phone_number="110"),
        pb.ValidateShortNumberRequest(phone_number="110", region_code="cn"),
        pb.ValidateShortNumberRequest(phone_number="1" * 41, region_code="CN"),
    ):
        assert await phone.refused(request) == ("INVALID_ARGUMENT", "INVALID_FIELD")
    unknown = await phone.ask(pb.ValidateNumberRequest(phone_number="110", view=FULL))
    assert not unknown.HasField("short_number")


@pytest.mark.parametrize(
    ("text", "region", "cursor", "shown"),
    [
        ("1380000", "CN", None, ("138 0000", 8)),
        ("1380000", "CN", 5, ("138 0000", 6)),
        ("1380000", "CN", 0, ("138 0000", 0)),
        ("1380000", "CN", 99, ("138 0000", 8)),
        ("+442079460958", "", None, ("+44 20 7946 0958", 16)),
        ("1380000", "", None, ("1380000", 7)),
        ("abc", "CN", 2, ("abc", 2)),
        ("", "CN", None, ("", 0)),
    ],
)
async def test_numbers_that_are_being_typed(
    phone: Phone, text: str, region: str, cursor: int | None, shown: tuple[str, int]
) -> None:
    request = pb.FormatPartialNumberRequest(phone_number=text, region_code=region, cursor=cursor)
    answer = await phone.ask(request)
    assert (answer.formatted, answer.cursor) == shown
    assert answer.metadata_version == phonenumbers.__version__


async def test_a_number_key_by_key(phone: Phone) -> None:
    typed = phonenumbers.AsYouTypeFormatter("GB")
    for length in range(1, 12):
        shown = typed.input_digit("02079460958"[length - 1])
        request = pb.FormatPartialNumberRequest(phone_number="02079460958"[:length], region_code="GB")
        assert (await phone.ask(request)).formatted == shown
    for bad in (
        pb.FormatPartialNumberRequest(phone_number="1", region_code="gb"),
        pb.FormatPartialNumberRequest(phone_number="1" * 41, region_code="GB"),
        pb.FormatPartialNumberRequest(phone_number="1", region_code="GB", cursor=-1),
    ):
        assert await phone.refused(bad) == ("INVALID_ARGUMENT", "INVALID_FIELD")


@pytest.mark.parametrize(
    ("first", "second", "regions", "match"),
    [
        ("020 7946 0958", "+442079460958", ("GB", ""), "EXACT_MATCH"),
        ("+442079460958", "020 7946 0958", ("", "GB"), "EXACT_MATCH"),
        ("020 7946 0958", "020 7946 0958", ("GB", "GB"), "EXACT_MATCH"),
        ("020 7946 0958", "020 7946 0958", ("GB", "IT"), "NO_MATCH"),
        ("020 7946 0958", "7946 0958", ("GB", ""), "SHORT_NSN_MATCH"),
        ("x", "+442079460958", ("GB", ""), "NOT_A_NUMBER"),
    ],
)
async def test_matches_with_regions(
    phone: Phone, first: str, second: str, regions: tuple[str, str], match: str
) -> None:
    answer = await phone.ask(
        pb.MatchNumbersRequest(
            first_number=first, second_number=second, first_region_code=regions[0], second_region_code=regions[1]
        )
    )
    assert number_pb2.MatchType.Name(answer.match) == f"MATCH_TYPE_{match}"


async def test_regions_of_a_number(phone: Phone) -> None:
    async def regions(text: str) -> dict[str, str]:
        answer = await phone.ask(pb.FindRegionsRequest(phone_number=text))
        return {one.region_code: one.e164 for one in answer.readings}

    assert await regions("+442079460958") == {"GB": "+442079460958"}
    assert await regions("+80012345678") == {"001": "+80012345678"}
    local = await regions("020 7946 0958")
    assert local["GB"] == "+442079460958"
    assert len(local) > 3
    for region, e164 in local.items():
        number = phonenumbers.parse("020 7946 0958", region)
        assert phonenumbers.is_valid_number_for_region(number, region)
        assert phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == e164
    assert len(await regions("+18005550123")) > 20
    assert await regions("hello") == {}
    assert await regions("+4420") == {}
    answer = await phone.ask(pb.FindRegionsRequest(phone_number="+44 20 7946 0958 x12"))
    assert [one.extension for one in answer.readings] == ["12"]


async def test_examples_for_each_type(phone: Phone) -> None:
    for code in ("GB", "001", "CN"):
        region = (await phone.ask(pb.GetRegionRequest(region_code=code))).region
        assert [one.type for one in region.example_numbers] == list(region.types)
        for one in region.example_numbers:
            answer = await phone.ask(pb.ValidateNumberRequest(phone_number=one.e164))
            assert answer.valid
            assert code == "001" or answer.type == one.type
    assert not (await phone.ask(pb.ListRegionsRequest(calling_code=44))).regions[0].example_numbers


async def test_a_carrier_is_reliable_where_numbers_stay_with_it(phone: Phone) -> None:
    for text in ("+8613800000000", "+6598765432", "+442079460958", "+447400123456", "x"):
        one = await phone.ask(pb.ValidateNumberRequest(phone_number=text, view=FULL))
        if one.e164:
            safe = phonenumbers.carrier.safe_display_name(phonenumbers.parse(text), "en")
            assert one.carrier_reliable == bool(safe), text
        assert one.carrier_reliable <= bool(one.carrier)


FORMATS = ("international_format", "national_format", "rfc3966_format")


async def test_formats_time_zones_and_reliable_carriers_in_columns(phone: Phone) -> None:
    mask = FieldMask(paths=[*FORMATS, "time_zone_sets", "carrier_reliable", "valid"])
    columns, arrow = await phone.stream(
        [
            pb.StreamValidateNumbersRequest(
                texts=pb.NumberTexts(phone_numbers=TEXTS), region_code="CN", read_mask=mask
            ),
            pb.StreamValidateNumbersRequest(
                arrow_ipc=ipc(pa.record_batch({"phone_number": pa.array(TEXTS)})), region_code="CN", read_mask=mask
            ),
        ]
    )
    held = columns.columns
    table = pa.ipc.open_stream(arrow.arrow_ipc).read_all().to_pylist()
    for row, text in enumerate(TEXTS):
        one = await phone.ask(pb.ValidateNumberRequest(phone_number=text, region_code="CN", view=FULL))
        for name in FORMATS:
            assert getattr(held, name)[row] == table[row][name] == getattr(one, name), (text, name)
        zones = list(one.time_zones) or ["Etc/Unknown"]
        assert list(held.time_zone_sets[held.time_zones[row]].ids) == zones
        assert table[row]["time_zones"] == ",".join(zones)
        assert held.carrier_reliable[row] == table[row]["carrier_reliable"] == one.carrier_reliable
    assert held.time_zone_sets[0].ids == ["Etc/Unknown"]
    (some,) = await phone.stream(
        [
            pb.StreamValidateNumbersRequest(
                texts=pb.NumberTexts(phone_numbers=TEXTS), read_mask=FieldMask(paths=["national_format", "carrier"])
            )
        ]
    )
    assert len(some.columns.national_format) == len(TEXTS)
    assert not some.columns.time_zones


async def test_formats_of_many_rows_are_refused(phone: Phone) -> None:
    data = ipc(pa.record_batch({"phone_number": pa.array(["1"] * 10_001)}))
    request = pb.StreamValidateNumbersRequest(arrow_ipc=data, read_mask=FieldMask(paths=["national_format"]))
    ended = await phone.refused_stream([request])
    assert (ended.code, ended.reason) == ("INVALID_ARGUMENT", "INVALID_FIELD")
