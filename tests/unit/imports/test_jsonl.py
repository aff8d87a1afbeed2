"""JSON lines as columns: values as text, extra keys, faults by row, and the same rows for any division."""

from __future__ import annotations

import json
import random
from itertools import pairwise

import pytest

from bossjy_server.imports.reading.jsonl import object_of, split_objects
from bossjy_server.imports.reading.layout import Layout, Place, RejectReason, RowBlock

LAYOUT = Layout(b",", b'"', 2, 200)
NAMES = ("name", "phone")


def split(data: bytes, place: Place | None = None, *, final: bool = True, max_keys: int = 5) -> RowBlock:
    return split_objects(data, place or Place(), NAMES, LAYOUT, max_keys=max_keys, final=final)


def cells(block: RowBlock) -> list[tuple[str, ...]]:
    columns = [column.to_pylist() for column in block.columns]
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('"a"', "a"),
        ("null", ""),
        ("true", "true"),
        ("false", "false"),
        ("13800138000", "13800138000"),
        ("1.3800138E10", "1.3800138E10"),
        ("13800138000.0", "13800138000.0"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ('["a","中"]', '["a", "中"]'),
        ('{"k":1}', '{"k": 1}'),
    ],
)
def test_a_value_is_text_as_it_was_written(value: str, text: str) -> None:
    assert object_of(f'{{"phone":{value}}}'.encode()) == {"phone": text}


@pytest.mark.parametrize("line", ["[1]", '"a"', "1", "{", "{'a':1}", "", "[" * 100_000])
def test_another_line_is_no_object(line: str) -> None:
    assert object_of(line.encode()) is None


def test_keys_without_a_column_are_extra_cells() -> None:
    block = split(b'{"name":"A","city":"X","zip":1}\n\n{"phone":"1"}\r\n{"phone":"2","city":"Y"}')
    assert cells(block) == [("A", ""), ("", "1"), ("", "2")]
    assert block.lines.tolist() == [1, 3, 4]
    assert block.extra is not None
    assert block.extra.bounds.tolist() == [0, 2, 2, 3]
    assert block.extra.keys == ["city", "zip", "city"]
    assert block.extra.values.to_pylist() == ["X", "1", "Y"]


def test_an_invalid_line_costs_only_itself() -> None:
    bad = {
        2: (b"{broken", RejectReason.BAD_JSON),
        3: (b'{"name":"\xff"}', RejectReason.BAD_TEXT),
        4: (b'{"name":"a\\u0000b"}', RejectReason.BAD_TEXT),
        5: (b'{"name":"' + b"x" * 300 + b'"}', RejectReason.ROW_TOO_LONG),
        6: (json.dumps({str(n): n for n in range(6)}).encode(), RejectReason.WRONG_CELL_COUNT),
    }
    lines = [b'{"phone":"1"}', *(line for line, _ in bad.values()), b'{"phone":"2"}']
    block = split(b"\n".join(lines))
    assert cells(block) == [("", "1"), ("", "2")]
    assert {fault.line: fault.reason for fault in block.faults} == {line: reason for line, (_, reason) in bad.items()}
    for fault in block.faults:
        assert block.data[fault.start : fault.end].strip() == bad[fault.line][0]


@pytest.mark.parametrize("seed", range(8))
def test_any_division_gives_the_same_rows(seed: int) -> None:
    chance = random.Random(seed)
    lines = [
        chance.choice([b'{"name":"n%d","phone":"%d"}' % (n, n), b"", b"{bad", b'{"phone":"' + b"9" * 250 + b'"}'])
        for n in range(60)
    ]
    data = chance.choice([b"\n", b"\r\n"]).join(lines)
    whole = split(data)
    expected: set[tuple[object, ...]] = {
        *zip(whole.offsets.tolist(), whole.lines.tolist(), cells(whole), strict=True),
        *((fault.offset, fault.line, fault.reason) for fault in whole.faults),
    }
    place, buffer, found = Place(), b"", set[tuple[object, ...]]()
    cuts = sorted({0, len(data), *(chance.randrange(len(data)) for _ in range(30))})
    for start, end in pairwise(cuts):
        buffer += data[start:end]
        while True:
            block = split(buffer, place, final=end == len(data))
            found |= set(zip(block.offsets.tolist(), block.lines.tolist(), cells(block), strict=True))
            found |= {(fault.offset, fault.line, fault.reason) for fault in block.faults}
            place, buffer = block.next, buffer[block.consumed :]
            if not block.consumed or not buffer:
                break
    assert found == expected
    assert place.offset == len(data)
