"""Requirements for any bytes: only documented exceptions, and the same answer from every function.

Each target takes bytes and raises AssertionError, or the escaped exception, if a requirement is not met.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import cache

import numpy as np
import pyarrow as pa

from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_numbering import (
    Format,
    Leniency,
    ParseError,
    Plan,
    SnapshotError,
    finish,
    load_plan,
    oracle,
    read_snapshot,
    snapshot_bytes,
)
from bossjy_numbering.arrow import clean_batch
from bossjy_numbering.metadata import PlanRules, installed_rules
from bossjy_server.errors import InvalidArgument
from bossjy_server.phone.arrow_answers import read_chunks
from bossjy_server.phone.numbers import Numbers
from bossjy_server.phone.requests import split_request

REGIONS: tuple[str | None, ...] = (
    None,
    "",
    *["CN", "US", "GB", "AR", "BR", "MX", "IT", "DE", "HU", "KZ", "ZZ", "cn", "001"],
)


@cache
def plan() -> Plan:
    """The plan, once."""
    return load_plan()


def region_and_rest(data: bytes) -> tuple[str | None, bytes]:
    """A default region by the first byte."""
    return REGIONS[data[0] % len(REGIONS)] if data else None, data[1:]


def text_of(data: bytes) -> str:
    """Any bytes as a str, lone surrogates included."""
    return data.decode("utf-8", "surrogateescape")


def same_answers(data: bytes) -> None:
    """One number, a column, and `phonenumbers` agree on every line."""
    region, rest = region_and_rest(data)
    texts = text_of(rest).split("\n")
    expected = [oracle.answer(text, region or None) for text in texts]
    assert [plan().number(text, region) for text in texts] == expected
    for regions in (region, [region] * len(texts)):
        column = plan().column(texts, regions)
        assert [column.number(row) for row in range(len(texts))] == expected
        for row, number in enumerate(expected):
            if not number.error:
                assert int(column.national_number[row]) == number.national_number
                assert int(column.leading_zeros[row]) == number.number_of_leading_zeros


def buffers(data: bytes) -> None:
    """Offsets and bytes as they come: answers, or ValueError."""
    size = data[0] % 8 if data else 0
    offsets = np.frombuffer(data[1 : 1 + size], np.int8).astype(np.int64)
    try:
        column = plan().column((offsets, data[1 + size :]))
    except ValueError:
        return
    assert len(column) == len(offsets) - 1


def explanations(data: bytes) -> None:
    """An explanation in words; every fix is a valid number."""
    region, rest = region_and_rest(data)
    text = text_of(rest)
    said = plan().explain(text, region, "zh" if len(rest) % 2 else "en")
    assert said.text
    assert said.number == oracle.answer(text, region or None)
    for fix in said.fixes:
        assert oracle.answer(fix.number.e164, None).valid
    if said.unrecoverable:
        assert not said.number.valid


def formats(data: bytes) -> None:
    """A number can be formatted, compared and found; any other text has no format."""
    region, rest = region_and_rest(data)
    text = text_of(rest)
    number = plan().number(text, region)
    if number.error is ParseError.NONE:
        for form in Format:
            assert plan().format(number, form)
        plan().format_dialled_from(number, region or "ZZ")
    plan().match(text, text[::-1])
    for found in plan().find(text, region, Leniency(rest[0] % len(Leniency)) if rest else Leniency.VALID, 5):
        assert text[found.start : found.end] == found.raw


def batches(data: bytes) -> None:
    """A batch in, a batch out, row by row."""
    region, rest = region_and_rest(data)
    texts = rest.decode("utf-8", "replace").split("\n")
    batch = pa.record_batch({"text": pa.array([text or None for text in texts], pa.string())})
    cleaned = clean_batch(batch, "text", default_region=region)
    cleaned.validate(full=True)
    assert cleaned.column("valid").to_pylist() == [oracle.answer(text, region or None).valid for text in texts]


@cache
def small_rules() -> PlanRules:
    """The plan's rules for a few regions: a snapshot that can be read a thousand times per second."""
    whole = installed_rules()
    return PlanRules("1.0", tuple(one for one in whole.regions if one.calling_code in (263, 290, 500, 800)))


def snapshots(data: bytes) -> None:
    """Bytes as a snapshot, as its JSON, and as a part of a good snapshot: rules, or SnapshotError."""
    good = gzip.decompress(snapshot_bytes(small_rules()))
    place = int.from_bytes(data[:3]) % len(good)
    kept = int.from_bytes(data[3:4])
    for held in (data, gzip.compress(data, 1), gzip.compress(good[:place] + data[4:] + good[place + kept :], 1)):
        try:
            read_snapshot(held)
        except SnapshotError:
            continue
    packed = bytearray(snapshot_bytes(small_rules()))
    packed[place % len(packed)] ^= data[3] if len(data) > 3 else 1
    try:
        read_snapshot(bytes(packed))
    except SnapshotError:
        return


def requests(data: bytes) -> None:
    """Wire bytes of a stream's request: the texts that are split off equal those that protobuf reads."""
    region, rest = region_and_rest(data)
    held = rest.decode("utf-8", "replace").split("\n") * 40
    raw = pb.StreamValidateNumbersRequest(
        texts=pb.NumberTexts(phone_numbers=held, default_regions=[region or ""] * (len(held) if region else 0))
    ).SerializeToString()
    _, taken = split_request(raw)
    if taken is not None:
        assert taken.texts.to_pylist() == held
        assert taken.regions.to_pylist() == [region or ""] * (len(held) if region else 0)
    split_request(data)
    split_request(b"\x2a" + raw[1:2] + data + raw[3:])


def arrow(data: bytes) -> None:
    """Bytes as an Arrow stream, and as a part of one: texts, or InvalidArgument."""
    batch = pa.record_batch({"phone_number": pa.array(["+8613800000000", "1"])})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    good = sink.getvalue().to_pybytes()
    place = int.from_bytes(data[:2]) % len(good)
    for held in (data, good[:place] + data[2:], good[:place] + data[2:] + good[place + len(data[2:]) :]):
        try:
            chunks = read_chunks(held)
        except InvalidArgument:
            continue
        finish(Numbers(plan()).chunks(chunks, "CN"))


TARGETS: tuple[Callable[[bytes], None], ...] = (
    same_answers,
    same_answers,
    explanations,
    formats,
    buffers,
    batches,
    snapshots,
    requests,
    arrow,
)


def one_input(data: bytes) -> None:
    """The target that the first byte names, on the rest."""
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:])
