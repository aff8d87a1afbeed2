from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest

from bossjy_client import ReaderLimits, SourceError
from bossjy_client.tables import TableRows
from tests.unit.client.readers.reading import data_of, is_sent_as_it_is, records_of, table_of

PEOPLE = [{"name": "张三", "phone": "13800138000"}, {"name": "李四", "phone": "13800138001"}]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.json"


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "document",
    [
        PEOPLE,
        {"data": PEOPLE},
        {"total": 2, "ok": True, "next": None, "tags": ["a", 1], "empty": [], "data": PEOPLE},
        {"response": {"meta": {"page": 1}, "result": {"people": PEOPLE}}},
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "gb18030"])
def test_the_records_of_a_document(path: Path, document: object, indent: int | None, codec: str) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=indent), codec)
    assert records_of(path) == PEOPLE
    assert data_of(table_of(path)) == data_of(table_of(path))


def test_objects_one_after_the_other(path: Path) -> None:
    path.write_text("\n".join(json.dumps(one, indent=1) for one in PEOPLE))
    assert records_of(path) == PEOPLE
    path.write_text(json.dumps({**PEOPLE[0], "orders": [{"id": 1}, {"id": 2}]}, indent=1))
    assert records_of(path) == [{**PEOPLE[0], "orders.0.id": 1, "orders.1.id": 2}]


def test_json_lines_go_to_the_service_as_they_are(path: Path) -> None:
    for text in (
        "".join(json.dumps(one) + "\n" for one in PEOPLE),
        json.dumps(PEOPLE[0]),
        json.dumps({**PEOPLE[0], "tags": ["a", "b"]}) + "\n",
        '{"name":"A",,}\n{"name":"B","phone":"13800138000"}\n',
        "{name},{phone}\nA,13800138000\n",
        "[name],[phone]\nA,13800138000\n",
    ):
        path.write_text(text)
        assert is_sent_as_it_is(path), text
    exported = {"phone_number": "+8613800138000", "other_numbers": [], "created_import": "", "attributes": {"a": "b"}}
    path.write_text(json.dumps(exported) + "\n")
    assert is_sent_as_it_is(path)


def test_nested_objects_are_columns_by_path(path: Path) -> None:
    record = {
        "name": {"given": "Ann", "family": "Lee"},
        "phones": [{"type": "cell", "value": "13800138000"}, {"value": "13800138001"}],
        "tags": ["a", None, 2],
        "none": {},
    }
    flat = {
        "name.given": "Ann",
        "name.family": "Lee",
        "phones.0.type": "cell",
        "phones.0.value": "13800138000",
        "phones.1.value": "13800138001",
        "tags": ["a", 2],
    }
    path.write_text(json.dumps([record]))
    assert records_of(path) == [flat]
    # JSON lines keep their lines, also those that are not JSON.
    path.write_text(json.dumps(record) + '\nno json\n\n{"phone":"1"}')
    assert records_of(path) == [flat, "no json", "", {"phone": "1"}]
    path.write_text('{"phone":"1","name":null}\n' + json.dumps(record) + "\n")
    assert records_of(path) == [{"phone": "1", "name": None}, flat]


def test_several_arrays_are_named_and_chosen(path: Path) -> None:
    path.write_text(json.dumps({"people": PEOPLE, "old": {"people": PEOPLE[:1]}, "n": 1}))
    with pytest.raises(SourceError, match=r"choose with --records: people \(2\), old.people \(1\)"):
        table_of(path)
    assert records_of(path, records="old.people") == PEOPLE[:1]
    with pytest.raises(SourceError, match=r"no array of objects at `nobody`: choose one of people, old.people"):
        table_of(path, records="nobody")


def test_numbers_keep_their_digits(path: Path) -> None:
    path.write_text('[{"a": 1.3800138000e10, "b": 13800138000.0, "c": 123456789012345678901234, "d": NaN, "e": 1.50,'
                    ' "f": 1e400, "g": -Infinity, "h": true, "i": 0.1}]')  # fmt: skip
    assert data_of(table_of(path)).decode() == (
        '{"a":13800138000,"b":13800138000,"c":123456789012345678901234,"d":null,"e":"1.50","f":"1e400","g":null,'
        '"h":true,"i":"0.1"}\n'
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "has no records"),
        ("{\n}", "has no records"),
        ('[["name","phone"],["A","1"]]', "items of its array are lists"),
        ('[{"a":1},{"b":2}', "not JSON at character 17"),
        ('[{"a":1},{"b":}]', "not JSON at character 15"),
        ('[{"a":1}]\n,[{"a":2}]', "not JSON at character 11"),
        ('{\n"a":1 "b":2}', "not JSON at character 9"),
        ('[{"a":' + "[" * 100_000, "nested too deep|character"),
        ('[{"a":' + '{"a":' * 70 + "1" + "}" * 70 + "}]", "nesting"),
    ],
)
def test_documents_that_cannot_be_read(path: Path, text: str, said: str) -> None:
    path.write_text(text)
    with pytest.raises(SourceError, match=said):
        data_of(table_of(path))


def test_what_is_no_record_stays_a_row(path: Path) -> None:
    path.write_text('[{"phone":"1"},null,"x",{"phone":"2"}]')
    assert records_of(path) == [{"phone": "1"}, None, "x", {"phone": "2"}]


def test_limits(path: Path) -> None:
    path.write_text(json.dumps([{"a": "x" * 5000}, {"b": 1, "c": 2}]))
    with pytest.raises(SourceError, match="record_characters"):
        data_of(table_of(path, ReaderLimits(record_characters=1000)))
    with pytest.raises(SourceError, match="columns"):
        data_of(table_of(path, ReaderLimits(columns=1)))


def test_an_encoding_that_is_not_certain_is_asked_for(path: Path) -> None:
    path.write_bytes('[{"name":"Žofie","phone":"1"}]'.encode("cp1250"))
    with pytest.raises(SourceError, match="--encoding"):
        table_of(path)
    assert records_of(path, encoding="windows-1250") == [{"name": "Žofie", "phone": "1"}]
    with pytest.raises(SourceError, match="not a known encoding"):
        table_of(path, encoding="nonsense")


def test_a_document_is_read_in_little_memory(path: Path) -> None:
    with path.open("w") as file:
        file.write('{"data": [')
        for number in range(50_000):
            file.write(f'{{"name": "name {number}", "phone": "+86138{number:08d}", "note": "{"x" * 60}"}},\n')
        file.write('{"phone": "1"}]}')
    tracemalloc.start()
    table: TableRows = table_of(path)
    lines = sum(piece.count(b"\n") for piece in table.pieces)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert lines == 50_001
    assert peak < path.stat().st_size / 4
