"""PhoneService for a caller, compared with `phonenumbers` itself."""

from __future__ import annotations

import phonenumbers
import phonenumbers.carrier
import phonenumbers.timezone
import pytest

from bossjy.phone.v1 import number_pb2
from bossjy.phone.v1 import phone_service_pb2 as pb
from tests.integration.phone.asking import TEXTS, Phone, oracle

pytestmark = pytest.mark.asyncio(loop_scope="module")


def check(response: pb.ValidateNumberResponse, text: str, region: str | None) -> None:
    wanted = oracle(text, region)
    assert {name: getattr(response, name) for name in wanted} == wanted, text
    assert (response.reason == number_pb2.INVALID_REASON_UNSPECIFIED) == response.valid


async def test_one_number(phone: Phone) -> None:
    for text in TEXTS:
        response = await phone.ask(pb.ValidateNumberRequest(phone_number=text, default_region="CN"))
        check(response, text, "CN")
        assert response.metadata_version == phonenumbers.__version__


async def test_the_first_example(phone: Phone) -> None:
    good = await phone.ask(pb.ValidateNumberRequest(phone_number="+86 138 0000 0000", default_region="CN"))
    assert (good.valid, good.e164, good.region_code) == (True, "+8613800000000", "CN")
    assert good.type == number_pb2.NUMBER_TYPE_MOBILE
    bad = await phone.ask(pb.ValidateNumberRequest(phone_number="invalid"))
    assert (bad.valid, bad.reason) == (False, number_pb2.INVALID_REASON_NOT_A_NUMBER)


@pytest.mark.parametrize(
    ("text", "region", "reason"),
    [
        ("", "CN", "NOT_A_NUMBER"),
        ("+999123456", "", "INVALID_COUNTRY_CODE"),
        ("13800000000", "", "INVALID_COUNTRY_CODE"),
        ("0086", "CN", "TOO_SHORT_AFTER_IDD"),
        ("+861", "", "TOO_SHORT_NSN"),
        ("+86 138", "", "TOO_SHORT"),
        ("+86201234567890123", "", "TOO_LONG"),
        ("1" * 251, "CN", "TOO_LONG"),
        ("+1 253 0000", "", "LOCAL_ONLY"),
        ("+86 110 0000 0000", "", "NOT_IN_PLAN"),
    ],
)
async def test_reasons(phone: Phone, text: str, region: str, reason: str) -> None:
    response = await phone.ask(pb.ValidateNumberRequest(phone_number=text, default_region=region))
    assert number_pb2.InvalidReason.Name(response.reason) == f"INVALID_REASON_{reason}"


async def test_batches(phone: Phone) -> None:
    response = await phone.ask(pb.BatchValidateNumbersRequest(phone_numbers=TEXTS, default_region="CN"))
    for result, text in zip(response.results, TEXTS, strict=True):
        check(result, text, "CN")
    assert response.valid_count == sum(result.valid for result in response.results)
    regions = ["CN", "", "US", "GB"] * 4
    response = await phone.ask(
        pb.BatchValidateNumbersRequest(phone_numbers=TEXTS, default_region="CN", default_regions=regions)
    )
    for result, text, region in zip(response.results, TEXTS, regions, strict=True):
        check(result, text, region or "CN")
    assert await phone.refused(pb.BatchValidateNumbersRequest()) == ("INVALID_ARGUMENT", "INVALID_FIELD")
    assert await phone.refused(pb.BatchValidateNumbersRequest(phone_numbers=["1"] * 10_001)) == (
        "INVALID_ARGUMENT",
        "INVALID_FIELD",
    )
    assert await phone.refused(pb.BatchValidateNumbersRequest(phone_numbers=TEXTS, default_regions=["CN"])) == (
        "INVALID_ARGUMENT",
        "COLUMNS_UNEQUAL",
    )
    most = await phone.ask(pb.BatchValidateNumbersRequest(phone_numbers=["+8613800000000"] * 10_000))
    assert most.valid_count == 10_000


async def test_formats(phone: Phone) -> None:
    response = await phone.ask(
        pb.FormatNumberRequest(phone_number="138 0000 0000", default_region="CN", calling_from_region="US")
    )
    assert response.e164 == "+8613800000000"
    assert response.international_format == "+86 138 0000 0000"
    assert response.national_format == "138 0000 0000"
    assert response.rfc3966_format == "tel:+86-138-0000-0000"
    assert response.dialled_format == "011 86 138 0000 0000"
    assert not (await phone.ask(pb.FormatNumberRequest(phone_number="+8613800000000"))).dialled_format
    assert await phone.refused(pb.FormatNumberRequest(phone_number="x")) == ("INVALID_ARGUMENT", "NUMBER_NOT_PARSED")


@pytest.mark.parametrize(
    ("first", "second", "match"),
    [
        ("+86 138 0000 0000", "0086 138 00000000", "NOT_A_NUMBER"),
        ("+86 138 0000 0000", "+8613800000000", "EXACT_MATCH"),
        ("+86 138 0000 0000", "13800000000", "NSN_MATCH"),
        ("+86 138 0000 0000", "0000 0000", "SHORT_NSN_MATCH"),
        ("+86 138 0000 0000", "+86 139 0000 0000", "NO_MATCH"),
    ],
)
async def test_matches(phone: Phone, first: str, second: str, match: str) -> None:
    response = await phone.ask(pb.MatchNumbersRequest(first_number=first, second_number=second))
    wanted = phonenumbers.is_number_match(first, second)
    assert response.match == wanted + 1
    if match != "NOT_A_NUMBER":
        assert number_pb2.MatchType.Name(response.match) == f"MATCH_TYPE_{match}"


async def test_numbers_in_a_text(phone: Phone) -> None:
    text = "Ring 13800000000 or +44 20 7946 0958; not 12345." + " x" * 300
    response = await phone.ask(pb.FindNumbersRequest(text=text, default_region="CN"))
    assert [(one.raw_text, text[one.start : one.end]) for one in response.numbers] == [
        ("13800000000", "13800000000"),
        ("+44 20 7946 0958", "+44 20 7946 0958"),
    ]
    assert response.numbers[0].number.e164 == "+8613800000000"
    assert not response.truncated
    one = await phone.ask(pb.FindNumbersRequest(text=text, default_region="CN", max_results=1))
    assert (len(one.numbers), one.truncated) == (1, True)
    short = await phone.ask(
        pb.FindNumbersRequest(text="12345678", default_region="CN", leniency=number_pb2.FIND_LENIENCY_POSSIBLE)
    )
    assert len(short.numbers) == 1


async def test_regions(phone: Phone) -> None:
    china = (await phone.ask(pb.GetRegionRequest(region_code="CN", language="zh"))).region
    assert (china.calling_code, china.display_name, china.main_region_code) == (86, "中国", "CN")
    assert 11 in china.possible_lengths
    assert number_pb2.NUMBER_TYPE_MOBILE in china.types
    guernsey = (await phone.ask(pb.GetRegionRequest(region_code="GG", language="xx-YY"))).region
    assert (guernsey.display_name, guernsey.main_region_code) == ("Guernsey", "GB")
    free = (await phone.ask(pb.GetRegionRequest(region_code="001"))).region
    assert (free.calling_code, free.display_name) == (800, "")
    assert await phone.refused(pb.GetRegionRequest(region_code="XX")) == ("NOT_FOUND", "RESOURCE_NOT_FOUND")


async def test_pages_of_regions(phone: Phone) -> None:
    whole = await phone.ask(pb.ListRegionsRequest())
    assert whole.total_size == len(whole.regions) == 254
    assert not whole.next_page_token
    seen: list[tuple[str, int]] = []
    token = ""
    while True:
        page = await phone.ask(pb.ListRegionsRequest(page_size=100, page_token=token))
        seen += [(region.region_code, region.calling_code) for region in page.regions]
        token = page.next_page_token
        if not token:
            break
    assert seen == [(region.region_code, region.calling_code) for region in whole.regions]
    shared = await phone.ask(pb.ListRegionsRequest(calling_code=1))
    assert shared.total_size == 25
    for token in ("x", "0", "254", "１"):
        assert await phone.refused(pb.ListRegionsRequest(page_token=token)) == (
            "INVALID_ARGUMENT",
            "PAGE_TOKEN_INVALID",
        )


@pytest.mark.parametrize(
    ("text", "region", "fix", "kind"),
    [
        ("8613800000000", "", "+8613800000000", "ADD_PLUS"),
        ("13800000000.0", "CN", "+8613800000000", "REMOVE_DECIMAL"),
        ("+44 020 7946 0958", "", None, None),
        ("2079460958", "GB", None, None),
        ("138001", "CN", None, None),
    ],
)
async def test_explanations(phone: Phone, text: str, region: str, fix: str | None, kind: str | None) -> None:
    for language in ("en", "zh", "xx"):
        response = await phone.ask(pb.ExplainNumberRequest(phone_number=text, default_region=region, language=language))
        check(response.number, text, region or None)
        assert response.explanation
        assert response.number.metadata_version == phonenumbers.__version__
        for offered in response.fixes:
            assert phonenumbers.is_valid_number(phonenumbers.parse(offered.e164))
            assert offered.description
        if fix and kind:
            assert response.fixes[0].e164 == fix
            assert number_pb2.FixKind.Name(response.fixes[0].kind) == f"FIX_KIND_{kind}"


async def test_what_a_spreadsheet_rounded_is_said_to_be_lost(phone: Phone) -> None:
    response = await phone.ask(pb.ExplainNumberRequest(phone_number="1.38E+10", default_region="CN"))
    assert response.unrecoverable
    assert not response.fixes


async def test_an_explanation_names_all_that_a_text_may_mean(phone: Phone) -> None:
    two = await phone.ask(pb.ExplainNumberRequest(phone_number="13212345678、021-61234567转802", default_region="cn"))
    assert [(one.e164, one.region_code, one.extension) for one in two.numbers] == [
        ("+8613212345678", "CN", ""),
        ("+862161234567", "CN", "802"),
    ]
    assert two.region_code == "CN"
    known = await phone.ask(pb.ExplainNumberRequest(phone_number="021-61234567-802", default_region="CN"))
    assert [(fix.e164, fix.extension) for fix in known.fixes] == [("+862161234567", "802")]
    unknown = await phone.ask(pb.ExplainNumberRequest(phone_number="13212345678"))
    assert {"CN", "US"} <= {one.region_code for one in unknown.candidates}
    assert not unknown.fixes
    doubtful = await phone.ask(pb.ExplainNumberRequest(phone_number="132OOOO5678", default_region="CN"))
    assert doubtful.number.valid
    assert number_pb2.NUMBER_WARNING_LETTERS_FOR_DIGITS in doubtful.warnings
    short = await phone.ask(pb.ExplainNumberRequest(phone_number="110", default_region="CN"))
    assert short.short_number_kind == number_pb2.SHORT_NUMBER_KIND_EMERGENCY


async def test_the_plan_and_its_differences(phone: Phone) -> None:
    plan = (await phone.ask(pb.GetNumberingPlanRequest())).plan
    assert plan.metadata_version == phonenumbers.__version__
    assert (plan.region_count, plan.calling_code_count) == (245, 215)
    assert plan.state_count > 5_000
    assert plan.table_bytes < 5 * 2**20
    assert plan.comparable_versions[-1] == plan.metadata_version
    assert "9.0.38" in plan.comparable_versions
    whole = await phone.ask(pb.DiffNumberingPlansRequest(from_version="9.0.38"))
    assert (whole.from_version, whole.to_version) == ("9.0.38", phonenumbers.__version__)
    assert whole.newly_valid_count == sum(one.newly_valid_count for one in whole.differences) > 0
    for one in whole.differences:
        for example in one.example_ranges:
            if one.newly_valid_count and not (one.newly_invalid_count or one.retyped_count):
                assert phonenumbers.is_valid_number(phonenumbers.parse(example.example_number)), example
            if one.newly_invalid_count and not (one.newly_valid_count or one.retyped_count):
                assert not phonenumbers.is_valid_number(phonenumbers.parse(example.example_number)), example
    region = whole.differences[0].region_code
    part = await phone.ask(pb.DiffNumberingPlansRequest(from_version="9.0.38", region_code=region))
    assert {one.region_code for one in part.differences} == {region}
    same = await phone.ask(
        pb.DiffNumberingPlansRequest(from_version=plan.metadata_version, to_version=plan.metadata_version)
    )
    assert not same.differences
    for version in ("1.2.3", "../secrets", "9"):
        assert await phone.refused(pb.DiffNumberingPlansRequest(from_version=version)) == ("NOT_FOUND", "PLAN_UNKNOWN")


LANGUAGES = ["", "en", "zh", "zh-Hant", "xx"]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_full_view(phone: Phone, language: str) -> None:
    tag, _, script = (language or "en").partition("-")
    full = number_pb2.NUMBER_VIEW_FULL
    batch = await phone.ask(
        pb.BatchValidateNumbersRequest(phone_numbers=TEXTS, default_region="CN", view=full, language=language)
    )
    for text, one in zip(TEXTS, batch.results, strict=True):
        single = await phone.ask(
            pb.ValidateNumberRequest(phone_number=text, default_region="CN", view=full, language=language)
        )
        single.metadata_version = ""
        assert single == one
        check(one, text, "CN")
        if not one.e164:
            assert not one.national_format
            continue
        number = phonenumbers.parse(text, "CN")
        assert one.national_format == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
        assert one.international_format == phonenumbers.format_number(
            number, phonenumbers.PhoneNumberFormat.INTERNATIONAL
        )
        assert one.rfc3966_format == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.RFC3966)
        assert one.carrier == phonenumbers.carrier.name_for_number(number, tag, script or None)
        assert tuple(one.time_zones) == phonenumbers.timezone.time_zones_for_number(number)
    assert batch.results[0].carrier == {"zh": "中国移动", "zh-Hant": "中國移動"}.get(language, "China Mobile")
    if language in {"en", "zh"}:
        assert batch.results[2].place == {"en": "Beijing", "zh": "北京市"}[language]
