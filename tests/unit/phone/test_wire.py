from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_server.phone import wire
from bossjy_server.phone.requests import split_request

COLUMNS = pb.NumberColumns.DESCRIPTOR.fields_by_name
NATIONAL, E164, EXTENSION = (COLUMNS[name].number for name in ("national_number", "e164", "extension"))


@pytest.mark.parametrize("most", [1, 127, 128, 2**14 - 1, 2**14, 2**35, 2**56 - 1, 2**56, 2**64 - 1])
def test_packed_numbers_are_those_of_protobuf(most: int) -> None:
    values = [0, 1, 127, 128, 129, 2**14 - 1, 2**14, 2**21, 2**28 - 1, 2**49, 2**56 - 1, 2**63, most]
    held = [value for value in values if value <= most]
    wanted = pb.NumberColumns(national_number=held).SerializeToString()
    assert wire.packed(NATIONAL, np.array(held, np.uint64)) == wanted
    assert wire.packed(NATIONAL, np.array([], np.uint64)) == b""


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_any_packed_numbers_are_those_of_protobuf(values: list[int]) -> None:
    wanted = pb.NumberColumns(national_number=values).SerializeToString()
    assert wire.packed(NATIONAL, np.array(values, np.uint64)) == wanted


@given(st.lists(st.text(st.characters(max_codepoint=127), max_size=127)), st.sampled_from([np.int32, np.int64]))
def test_short_texts_are_those_of_protobuf(texts: list[str], kind: Any) -> None:
    offsets = np.cumsum([0, *map(len, texts)]).astype(kind)
    data = np.frombuffer("".join(texts).encode(), np.uint8)
    assert wire.short_texts(E164, offsets, data) == pb.NumberColumns(e164=texts).SerializeToString()


def test_a_part_of_a_column_is_written_as_a_column() -> None:
    offsets = np.array([2, 3, 3, 6], np.int32)
    data = np.frombuffer(b"xxabcdyy", np.uint8)
    assert wire.short_texts(E164, offsets, data) == pb.NumberColumns(e164=["a", "", "bcd"]).SerializeToString()


@given(st.lists(st.sampled_from(["", "", "", "5", "12", "é" * 100])))
def test_few_texts_are_those_of_protobuf(texts: list[str]) -> None:
    few = {row: text for row, text in enumerate(texts) if text}
    assert wire.few_texts(EXTENSION, few, len(texts)) == pb.NumberColumns(extension=texts).SerializeToString()
    assert wire.texts(EXTENSION, texts) == pb.NumberColumns(extension=texts).SerializeToString()


ANY_TEXT = st.text(max_size=150)
PLAIN_TEXT = st.text(st.characters(min_codepoint=32, blacklist_categories=["Cs"]), max_size=31)


def request(texts: list[str], regions: list[str], **others: Any) -> pb.StreamValidateNumbersRequest:
    return pb.StreamValidateNumbersRequest(texts=pb.NumberTexts(phone_numbers=texts, default_regions=regions), **others)


def check(raw: bytes) -> bool:
    """The split columns and the rest are equal to the request. True if any columns were split off."""
    whole = pb.StreamValidateNumbersRequest.FromString(raw)
    rest_raw, taken = split_request(raw)
    rest = pb.StreamValidateNumbersRequest.FromString(rest_raw)
    assert rest.WhichOneof("input") == whole.WhichOneof("input")
    if taken is None:
        assert rest_raw == raw
        return False
    if whole.WhichOneof("input") == "texts":
        assert taken.texts.to_pylist() == list(whole.texts.phone_numbers)
        assert taken.regions.to_pylist() == list(whole.texts.default_regions)
        assert taken.region_codes.to_pylist() == list(whole.texts.region_codes)
        taken.texts.validate(full=True)
    whole.ClearField("texts")
    rest.ClearField("texts")
    assert rest == whole
    return True


@given(st.lists(ANY_TEXT, max_size=60), st.lists(ANY_TEXT, max_size=5), st.text(max_size=20), st.integers(0, 9))
def test_any_texts_are_split_off_whole_or_not_at_all(
    texts: list[str], regions: list[str], region: str, sequence: int
) -> None:
    check(request(texts, regions, default_region=region, sequence=sequence).SerializeToString())


@given(st.lists(PLAIN_TEXT, min_size=10, max_size=20), st.booleans())
def test_texts_as_people_write_them_are_split_off(texts: list[str], with_regions: bool) -> None:  # noqa: FBT001
    many = [*texts, "+8613800000000"] * 60
    regions = ["CN", ""] * (len(many) // 2) if with_regions else []
    assert check(request(many, regions, sequence=1).SerializeToString())


def test_regions_under_their_new_name_are_split_off() -> None:
    texts = pb.NumberTexts(phone_numbers=["+8613800000000"] * 200, region_codes=["CN", ""] * 100)
    assert check(pb.StreamValidateNumbersRequest(texts=texts).SerializeToString())


NUMBERS = ["+8613800000000"] * 200
PLAIN = request(NUMBERS, ["CN"] * 200, sequence=7, default_region="GB", language="zh")


def test_a_length_that_looks_like_a_tag_is_a_length() -> None:
    # Ten characters and eighteen: the lengths are the tags of the two columns.
    texts = ["0123456789", "012345678901234567", "", "\u0661" * 5] * 50
    assert check(request(texts, texts).SerializeToString())


@pytest.mark.parametrize(
    "raw",
    [
        request(["+86138"], []).SerializeToString(),
        request(["1" * 128] * 20, []).SerializeToString(),
        request(["a\nb\n\n\n\x12\x12"] * 200, []).SerializeToString(),
        request(["+8613800000000"] * 10_001, []).SerializeToString(),
        # Two fields `texts`: protobuf joins them.
        PLAIN.SerializeToString() + PLAIN.SerializeToString(),
        # A field of the contract's future, beside the columns and inside them.
        PLAIN.SerializeToString() + b"\xfa\x01\x01x",
        pb.StreamValidateNumbersRequest(arrow_ipc=b"x" * 2000).SerializeToString(),
        b"\x2a" + wire.varint(2002) + b"\x22\x00" + b"\x0a\x08+8613800" * 200,
        # Fixed-size fields, which the contract does not use.
        b"\x3d0000" + PLAIN.SerializeToString(),
        b"\x08\x01" * 20 + PLAIN.SerializeToString(),
        b"",
    ],
    ids=["few", "long", "controls", "too many", "twice", "new", "arrow", "inside", "fixed", "many fields", "empty"],
)
def test_protobuf_reads_what_is_not_plain(raw: bytes) -> None:
    assert not check(raw)


@pytest.mark.parametrize(
    "raw",
    [
        PLAIN.SerializeToString()[:-1],
        PLAIN.SerializeToString()[:1],
        b"\x2a",
        b"\x2a" + b"\xff" * 11,
        PLAIN.SerializeToString().replace(b"+8613800000000", b"+861380000000\xff"),
        b"\x2a" + wire.varint(2000) + b"\x0a\x0a" * 1000,
    ],
    ids=["cut", "one byte", "no length", "endless length", "no UTF-8", "cut text"],
)
def test_what_is_broken_is_left_to_protobuf(raw: bytes) -> None:
    assert split_request(raw) == (raw, None)


@given(st.binary(max_size=3000))
def test_any_bytes_are_split_or_left(raw: bytes) -> None:
    rest, taken = split_request(b"\x2a" + wire.varint(len(raw)) + raw)
    assert taken is not None or rest.endswith(raw)


def test_columns_beside_arrow_do_not_count() -> None:
    raw = PLAIN.SerializeToString() + pb.StreamValidateNumbersRequest(arrow_ipc=b"x").SerializeToString()
    assert check(raw)
    assert pb.StreamValidateNumbersRequest.FromString(split_request(raw)[0]).WhichOneof("input") == "arrow_ipc"


@pytest.mark.parametrize("data", [b"", b"+8613800000000" * 100, b"\x0a\x021", b"\x0a"])
def test_bytes_that_are_no_columns_are_left_to_protobuf(data: bytes) -> None:
    assert wire.read_texts(data, 1, 2, most=1000) is None


def test_more_texts_than_wanted_are_left_to_protobuf() -> None:
    assert wire.read_texts(b"\x0a\x011" * 11, 1, 2, most=10) is None
    read = wire.read_texts(b"\x0a\x011" * 10, 1, 2, most=10)
    assert read is not None
    assert [len(one) for one in read] == [10, 0]
