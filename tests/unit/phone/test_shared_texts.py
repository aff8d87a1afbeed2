"""Arrow columns with shared texts: the same answers as for texts without sharing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bossjy_numbering import NumberColumn, Plan, finish, load_plan
from bossjy_server.errors import InvalidArgument
from bossjy_server.phone.arrow_answers import read_chunks
from bossjy_server.phone.numbers import Numbers
from tests.hostile import ARROW, column, contexts, ipc, metadata_bomb, shared_text, views

TEXTS = [
    "+44 20 7946 0958 ext. 12", "020 7946 0958", "", None, "+1 650 253 0000", "8" * 300, "é" * 260,
    "１３８００００００００",
    "+86 138 0000 0000", "invalid", "+44 20 7946 0958 ext. 12", "x" * 5000,
]  # fmt: skip
REGIONS = ["GB", "US", None, "", "CN", "DE", "GB", "DE", "CN", "IT", "FR", "GB"]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return load_plan(tmp_path_factory.getbasetemp() / "plan")


def rows(answered: NumberColumn) -> list[Any]:
    return [
        (answered.number(row), bool(answered.slow[row]), bool(answered.has_extension[row]))
        for row in range(len(answered))
    ]


def dictionary(values: Sequence[str | None], kind: Any) -> Any:
    different = list(dict.fromkeys(values))
    indices = pa.array([None if value is None else different.index(value) for value in values], pa.int16())
    return pa.DictionaryArray.from_arrays(indices, pa.array(different, kind))


FORMS: dict[str, Callable[[Sequence[str | None]], Any]] = {
    "utf8": lambda values: pa.array(values, pa.string()),
    "large_utf8": lambda values: pa.array(values, pa.large_string()),
    "utf8_view": lambda values: pa.array(values, pa.string_view()),
    "dictionary of utf8": lambda values: dictionary(values, pa.string()),
    "dictionary of large_utf8": lambda values: dictionary(values, pa.large_string()),
    "dictionary of utf8_view": lambda values: dictionary(values, pa.string_view()),
}


@pytest.mark.parametrize("regions", [None, *FORMS])
@pytest.mark.parametrize("texts", FORMS)
def test_each_form_gives_the_same_answers(plan: Plan, texts: str, regions: str | None) -> None:
    arrays, names = [FORMS[texts](TEXTS * 3)], ["phone_number"]
    wanted: Sequence[str | None] = ["GB"] * len(TEXTS) * 3
    if regions:
        arrays.append(FORMS[regions](REGIONS * 3))
        names.append("default_region")
        wanted = [region or "GB" for region in REGIONS * 3]
    batch = pa.RecordBatch.from_arrays(arrays, names=names)
    chunks = read_chunks(ipc(batch, 2))
    found = finish(Numbers(plan).chunks(chunks, "GB"))
    answered, doubts = found.column, [] if found.doubts is None else found.doubts.tolist()
    direct = plan.column(TEXTS * 6, [*wanted, *wanted])
    assert doubts == [plan.doubts(text or "", direct.number(row)) for row, text in enumerate(TEXTS * 6)]
    assert [row[0] for row in rows(answered)] == [row[0] for row in rows(direct)]
    assert [row[2] for row in rows(answered)] == [row[2] for row in rows(direct)]


@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.parametrize("region", ["Z" * 400, "gb", "é" * 30, "001"])
def test_a_region_that_is_none_names_its_row(plan: Plan, kind: str, region: str) -> None:
    arrays = [FORMS[kind](TEXTS), FORMS[kind]([*REGIONS[:-1], region])]
    batch = pa.RecordBatch.from_arrays(arrays, names=["phone_number", "default_region"])
    with pytest.raises(InvalidArgument, match=r"row 11 from 0.*is no region of the plan") as caught:
        finish(Numbers(plan).chunks(read_chunks(ipc(batch)), "GB"))
    assert caught.value.violations[0].field == "arrow_ipc.default_region"


def test_more_texts_than_are_written_out_at_once(plan: Plan) -> None:
    texts = [f"+44 20 7946 {number:04d} ext. {number}" for number in range(9_000)]
    answered = finish(Numbers(plan).chunks(read_chunks(ipc(column(pa.array(texts, pa.string_view())))), "")).column
    assert [answered.number(row) for row in range(0, 9_000, 500)] == [plan.number(text) for text in texts[::500]]
    assert answered.extensions[8_999] == "8999"


def test_a_replaced_dictionary(plan: Plan) -> None:
    first, second = (dictionary([text], pa.string()) for text in ("+1 650 253 0000", "+44 20 7946 0958"))
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, column(first).schema) as writer:
        writer.write_batch(column(first))
        writer.write_batch(column(second))
    answered = finish(Numbers(plan).chunks(read_chunks(out.getvalue().to_pybytes()), "")).column
    assert answered.e164 == ["+16502530000", "+442079460958"]


def test_no_rows(plan: Plan) -> None:
    for array in (pa.array([], pa.string()), pa.array([], pa.string_view()), dictionary([], pa.string())):
        assert len(finish(Numbers(plan).chunks(read_chunks(ipc(column(array))), "")).column) == 0
    assert (
        len(finish(Numbers(plan).chunks(read_chunks(ipc(column(pa.array([], pa.string())), times=0)), "")).column) == 0
    )


def test_a_text_that_rows_share_is_answered_once(plan: Plan) -> None:
    answered = finish(Numbers(plan).chunks(read_chunks(ipc(column(shared_text(2000)))), "")).column
    assert len(answered) == 100_000
    assert set(answered.error.tolist()) == {5}  # TOO_LONG
    assert len(finish(Numbers(plan).chunks(read_chunks(ipc(column(views(2_000_000, 10)))), "")).column) == 10


def delta() -> bytes:
    out = pa.BufferOutputStream()
    first = column(dictionary(["1"], pa.string()))
    second = column(pa.DictionaryArray.from_arrays(pa.array([1], pa.int16()), pa.array(["1", "2"])))
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with pa.ipc.new_stream(out, first.schema, options=options) as writer:
        writer.write_batch(first)
        writer.write_batch(second)
    return out.getvalue().to_pybytes()


ONE = ipc(column(pa.array(["1"])))
SCHEMA = ONE[: ONE.index(b"\xff\xff\xff\xff", 8)]
REFUSED = {
    "": (b"", "not a readable Arrow"),
    "a sign": (b"\xff\xff\xff\xff", "not a readable Arrow"),
    "no sign": (b"12345678", "not a readable Arrow"),
    "only the end": (b"\xff\xff\xff\xff" + bytes(4), "not a readable Arrow"),
    "two streams": (ONE * 2, "one stream per message"),
    "two schemas": (SCHEMA * 2, "not a readable Arrow"),
    "cut": (ONE[:-20], "not a readable Arrow"),
    "rows first": (ONE[len(SCHEMA) :], "not a readable Arrow"),
    "no such column": (ipc(column(pa.array(["1"]), "number")), "no column"),
    "two of a name": (
        ipc(pa.RecordBatch.from_arrays([pa.array(["1"])] * 2, names=["phone_number"] * 2)),
        "2 columns `phone_number`",
    ),
    "numbers": (ipc(column(pa.array([1]))), "is int64"),
    "a dictionary of numbers": (ipc(column(pa.array([1]).dictionary_encode())), "dictionary<"),
    "too many rows": (ipc(column(pa.array(["1"] * 60_000)), 2), "120000 rows"),
    "a delta": (delta(), "adds to an earlier one"),
    "a large schema": (metadata_bomb(1, 300_000), "drop schema metadata"),
    "many entries": (metadata_bomb(5_000, 1), "more than 2000"),
    "long entries": (metadata_bomb(1_000, 5_000), "more than 1048576 bytes"),
    "many fields": (ipc(pa.RecordBatch.from_arrays([pa.nulls(1)] * 2500, names=["1"] * 2500)), "2000 fields"),
    "bad text": (ipc(column(pa.array([b"\xff"]).view(pa.string()))), "not a readable Arrow"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_streams_that_are_refused(name: str) -> None:
    data, why = REFUSED[name]
    with pytest.raises(InvalidArgument, match=why) as caught:
        read_chunks(data)
    assert caught.value.reason == "ARROW_INVALID"


@pytest.mark.parametrize("name", [name for name, (_, answered) in ARROW.items() if not answered])
def test_hostile_streams_are_refused(name: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        read_chunks(ARROW[name][0]())
    assert caught.value.reason == "ARROW_INVALID"


def test_types_of_other_columns_do_not_matter(plan: Plan) -> None:
    others: dict[str, Any] = {
        "phone_number": pa.array(["+1 650 253 0000"]),
        "when": pa.array([0], pa.timestamp("us", "Europe/London")),
        "either": pa.UnionArray.from_dense(pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1])]),
        "nested": pa.array([{"a": [1, 2], "b": "x"}]),
        "map": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int8())),
        "repeated": pa.RunEndEncodedArray.from_arrays(pa.array([1], pa.int32()), pa.array(["1"])),
        "words": pa.array(["a"]).dictionary_encode(),
        "view": pa.array(["a" * 30], pa.string_view()),
    }
    chunks = read_chunks(ipc(pa.RecordBatch.from_arrays(list(others.values()), names=list(others))))
    assert finish(Numbers(plan).chunks(chunks, "")).column.e164 == ["+16502530000"]


def test_any_damage_is_refused_or_read() -> None:
    chance = np.random.default_rng(50)
    whole = ipc(column(dictionary(["1", "2", None], pa.string_view()))) + b""
    refused = 0
    for _ in range(2000):
        data = bytearray(whole)
        for place in chance.integers(0, len(data), 3):
            data[place] = chance.integers(0, 256)
        try:
            read_chunks(bytes(data))
        except InvalidArgument:
            refused += 1
    assert refused > 200


def test_slow_rows_come_in_steps(plan: Plan) -> None:
    steps = Numbers(plan).chunks(read_chunks(ipc(column(pa.array(contexts(500))))), "")
    assert sum(1 for _ in steps) > 500
