"""Streams of numbers, in columns and in Arrow, compared with `phonenumbers` itself."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from typing import Any

import phonenumbers
import phonenumbers.carrier
import phonenumbers.timezone
import pyarrow as pa
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from bossjy.phone.v1 import number_pb2
from bossjy.phone.v1 import phone_service_pb2 as pb
from tests.integration.phone.asking import TEXTS, Phone, oracle
from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="module")


def rows_of(columns: pb.NumberColumns) -> list[dict[str, Any]]:
    extensions = columns.extension or [""] * len(columns.e164)
    return [
        {
            "valid": columns.valid[row],
            "possibility": columns.possibility[row],
            "e164": columns.e164[row],
            "calling_code": columns.calling_code[row],
            "national_number": "0" * columns.leading_zeros[row] + str(columns.national_number[row]) if code else "",
            "region_code": columns.region_codes[columns.region[row]],
            "type": columns.type[row],
            "extension": extensions[row],
        }
        for row, code in enumerate(columns.calling_code)
    ]


async def test_streams_of_columns(phone: Phone) -> None:
    many = TEXTS * 20
    first, second, third = await phone.stream(
        [
            pb.StreamValidateNumbersRequest(sequence=7, default_region="CN", texts=pb.NumberTexts(phone_numbers=many)),
            pb.StreamValidateNumbersRequest(
                texts=pb.NumberTexts(phone_numbers=TEXTS[:2], default_regions=["", "CN"]),
                read_mask=FieldMask(paths=["valid", "region_codes"]),
            ),
            pb.StreamValidateNumbersRequest(texts=pb.NumberTexts()),
        ]
    )
    assert (first.sequence, first.metadata_version) == (7, phonenumbers.__version__)
    for row, text in zip(rows_of(first.columns), many, strict=True):
        wanted = oracle(text, "CN")
        wanted.pop("possible", None)
        assert {name: row[name] for name in wanted} == wanted, text
    assert first.valid_count == sum(first.columns.valid)
    assert (list(second.columns.valid), list(second.columns.region_codes)) == ([True, True], ["", "CN"])
    assert list(second.columns.region) == [1, 1]
    assert not second.columns.e164
    assert third.columns == pb.NumberColumns(region_codes=[""])


async def test_the_service_answers_others_while_it_answers_a_stream(phone: Phone, shared_service: Service) -> None:
    """The service runs in this same loop: work that blocks the loop appears as its thread's time in a short sleep."""
    digits = [f"0{number:09d}" for number in range(10_000)]
    message = pb.StreamValidateNumbersRequest(
        texts=pb.NumberTexts(phone_numbers=digits, default_regions=["DE", "GB"] * 5_000)
    ).SerializeToString()
    arrow = pb.StreamValidateNumbersRequest(
        arrow_ipc=ipc({"phone_number": pa.array(digits * 3)}), default_region="DE"
    ).SerializeToString()
    batch = pb.BatchValidateNumbersRequest(phone_numbers=digits[:2000], default_region="DE")

    async def send() -> AsyncIterator[bytes]:
        for _ in range(15):
            yield message
            yield arrow

    async def read() -> int:
        method: Any = shared_service.channel.stream_stream("/bossjy.phone.v1.PhoneService/StreamValidateNumbers")
        return len([one async for one in method(send(), metadata=shared_service.metadata)])

    held: list[float] = []
    busy = asyncio.gather(read(), phone.ask(batch))
    answered = 0
    while not busy.done():
        began = time.thread_time()
        await asyncio.sleep(0.001)
        held.append(time.thread_time() - began)
        await phone.ask(pb.ValidateNumberRequest(phone_number="+8613800000000"))
        answered += 1
    assert (await busy)[0] == 30
    assert answered >= 30
    # One of these messages takes some 20 ms of computing.
    assert statistics.median(held) < 0.005


def ipc(columns: dict[str, Any]) -> bytes:
    batch = pa.record_batch(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("text", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
async def test_streams_of_arrow(phone: Phone, text: pa.DataType) -> None:
    regions = ["CN", "US", None, ""] * 4
    texts = pa.array(TEXTS).cast(text) if pa.types.is_dictionary(text) else pa.array(TEXTS, text)
    data = ipc({"phone_number": texts, "default_region": pa.array(regions), "more": pa.array(range(len(TEXTS)))})
    (answer,) = await phone.stream([pb.StreamValidateNumbersRequest(arrow_ipc=data, default_region="GB")])
    table = pa.ipc.open_stream(answer.arrow_ipc).read_all().to_pylist()
    for row, source, region in zip(table, TEXTS, regions, strict=True):
        wanted = oracle(source, region or "GB")
        for name in ("valid", "e164", "calling_code", "type", "extension"):
            assert row[name] == wanted[name], (source, name)
        assert row["region"] == wanted.get("region_code", "")
    (few,) = await phone.stream(
        [pb.StreamValidateNumbersRequest(arrow_ipc=ipc({"phone_number": texts}), read_mask=FieldMask(paths=["e164"]))]
    )
    assert pa.ipc.open_stream(few.arrow_ipc).schema.names == ["e164"]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (pb.StreamValidateNumbersRequest(arrow_ipc=b"no arrow"), "ARROW_INVALID"),
        (pb.StreamValidateNumbersRequest(arrow_ipc=b""), "ARROW_INVALID"),
        (pb.StreamValidateNumbersRequest(arrow_ipc=ipc({"other": pa.array(["1"])})), "ARROW_INVALID"),
        (pb.StreamValidateNumbersRequest(arrow_ipc=ipc({"phone_number": pa.array([1])})), "ARROW_INVALID"),
        (pb.StreamValidateNumbersRequest(arrow_ipc=ipc({"phone_number": pa.array(["1"] * 100_001)})), "ARROW_INVALID"),
        (pb.StreamValidateNumbersRequest(), "INVALID_FIELD"),
        (
            pb.StreamValidateNumbersRequest(texts=pb.NumberTexts(), read_mask=FieldMask(paths=["no_column"])),
            "INVALID_FIELD",
        ),
        (
            pb.StreamValidateNumbersRequest(texts=pb.NumberTexts(phone_numbers=["1"], default_regions=["CN", "CN"])),
            "COLUMNS_UNEQUAL",
        ),
    ],
    ids=["no arrow", "empty", "no column", "no text", "too many rows", "no input", "no such column", "unequal"],
)
async def test_streams_that_are_refused(phone: Phone, request_: pb.StreamValidateNumbersRequest, reason: str) -> None:
    ended = await phone.refused_stream([request_])
    assert (ended.code, ended.reason) == ("INVALID_ARGUMENT", reason)


async def test_carriers_and_places_in_columns(phone: Phone) -> None:
    mask = FieldMask(paths=["carriers", "places", "e164"])
    data = ipc({"phone_number": pa.array(TEXTS)})
    columns, arrow = await phone.stream(
        [
            pb.StreamValidateNumbersRequest(
                texts=pb.NumberTexts(phone_numbers=TEXTS), default_region="CN", language="zh", read_mask=mask
            ),
            pb.StreamValidateNumbersRequest(arrow_ipc=data, default_region="CN", language="zh", read_mask=mask),
        ]
    )
    table = pa.ipc.open_stream(arrow.arrow_ipc).read_all().to_pylist()
    for row, text in enumerate(TEXTS):
        one = await phone.ask(
            pb.ValidateNumberRequest(
                phone_number=text, default_region="CN", language="zh", view=number_pb2.NUMBER_VIEW_FULL
            )
        )
        names = columns.columns
        assert names.carriers[names.carrier[row]] == table[row]["carrier"] == one.carrier
        assert names.places[names.place[row]] == table[row]["place"] == one.place
