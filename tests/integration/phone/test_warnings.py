"""Warnings with answers: doubts about a valid answer."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from bossjy.phone.v1 import number_pb2
from bossjy.phone.v1 import phone_service_pb2 as pb
from tests.hostile import ipc
from tests.integration.phone.asking import Phone

pytestmark = pytest.mark.asyncio(loop_scope="module")
FULL = number_pb2.NUMBER_VIEW_FULL
ASSUMED, CUT = number_pb2.NUMBER_WARNING_REGION_ASSUMED, number_pb2.NUMBER_WARNING_EXTENSION_CUT
KEYPAD = number_pb2.NUMBER_WARNING_KEYPAD_LETTERS
TEXTS: list[tuple[str, str, list[Any]]] = [
    ("+8613800000000", "", []),
    ("+86 (138) 0000-0000", "CN", []),
    ("138 0000 0000", "CN", [ASSUMED]),
    ("132OOOO5678", "CN", [KEYPAD, ASSUMED, number_pb2.NUMBER_WARNING_LETTERS_FOR_DIGITS]),
    ("3.0987654E7", "DE", [number_pb2.NUMBER_WARNING_EXPONENT, ASSUMED]),
    ("030987654.0", "DE", [number_pb2.NUMBER_WARNING_DECIMAL_POINT, ASSUMED]),
    ("1-800-FLOWERS", "US", [KEYPAD, ASSUMED]),
    ("Tel: +44 20 7946 0958", "", [number_pb2.NUMBER_WARNING_TEXT_DROPPED]),
    ("+442079460958 ext. 12", "", [CUT]),
    ("+442079460958;13312345678", "", [number_pb2.NUMBER_WARNING_SECOND_NUMBER, CUT]),
    ("invalid", "CN", []),
]
NUMBERS, REGIONS, WARNINGS = (list(one) for one in zip(*TEXTS, strict=True))


@pytest.mark.parametrize("view", [number_pb2.NUMBER_VIEW_BASIC, FULL])
async def test_warnings_of_one_number_and_of_a_batch(phone: Phone, view: Any) -> None:
    batch = await phone.ask(pb.BatchValidateNumbersRequest(phone_numbers=NUMBERS, default_regions=REGIONS, view=view))
    for (text, region, warnings), answered in zip(TEXTS, batch.results, strict=True):
        one = await phone.ask(pb.ValidateNumberRequest(phone_number=text, default_region=region, view=view))
        assert list(one.warnings) == list(answered.warnings) == warnings, text
        one.metadata_version = ""
        assert one == answered
    explained = await phone.ask(pb.ExplainNumberRequest(phone_number=NUMBERS[3], default_region="CN"))
    assert list(explained.number.warnings) == list(explained.warnings) == WARNINGS[3]


def masks() -> list[int]:
    return [sum(1 << warning - 1 for warning in warnings) for warnings in WARNINGS]


@pytest.mark.parametrize("kind", [pa.string(), pa.string_view()])
async def test_warnings_in_columns(phone: Phone, kind: Any) -> None:
    regions: list[str | None] = list(REGIONS)
    data = ipc(pa.record_batch({"phone_number": pa.array(NUMBERS, kind), "default_region": pa.array(regions)}))
    columns, arrow = await phone.stream(
        [
            pb.StreamValidateNumbersRequest(
                texts=pb.NumberTexts(phone_numbers=NUMBERS * 100, default_regions=REGIONS * 100)
            ),
            pb.StreamValidateNumbersRequest(arrow_ipc=data),
        ]
    )
    assert list(columns.columns.warnings) == masks() * 100
    assert pa.ipc.open_stream(arrow.arrow_ipc).read_all()["warnings"].to_pylist() == masks()


async def test_clean_columns_have_no_warnings_and_others_can_do_without(phone: Phone) -> None:
    mask = FieldMask(paths=["valid"])
    clean, unasked, nothing = await phone.stream(
        [
            pb.StreamValidateNumbersRequest(texts=pb.NumberTexts(phone_numbers=["+8613800000000"] * 50)),
            pb.StreamValidateNumbersRequest(
                default_region="CN", texts=pb.NumberTexts(phone_numbers=NUMBERS), read_mask=mask
            ),
            pb.StreamValidateNumbersRequest(
                arrow_ipc=ipc(pa.record_batch({"phone_number": pa.array(["1"])}), 0), read_mask=mask
            ),
        ]
    )
    assert not clean.columns.warnings
    assert not unasked.columns.warnings
    assert pa.ipc.open_stream(nothing.arrow_ipc).read_all().num_rows == 0


async def test_warnings_of_found_numbers(phone: Phone) -> None:
    text = "ring 138 0000 0000 or +44 20 7946 0958 ext. 12"
    for view in (number_pb2.NUMBER_VIEW_BASIC, FULL):
        found = await phone.ask(pb.FindNumbersRequest(text=text, region_code="CN", view=view, language_code="zh"))
        assert [list(one.number.warnings) for one in found.numbers] == [[ASSUMED], [CUT]]
        for one in found.numbers:
            alone = await phone.ask(
                pb.ValidateNumberRequest(phone_number=one.raw_text, region_code="CN", view=view, language_code="zh")
            )
            alone.metadata_version = ""
            assert one.number == alone
