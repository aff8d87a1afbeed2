"""Null words count as empty: they replace no value, and an import can set other words."""

from __future__ import annotations

import json

import pytest

from bossjy.imports.v1 import import_pb2
from bossjy_server.imports.cleaning.null_words import DEFAULT
from tests.integration.imports.conftest import Imports

BEFORE = b"name,phone,email,city\nAnn,13800144060,ann@example.com,Ulm\n"
REAL: tuple[object, ...] = ("+8613800144060", "Ann", "ann@example.com", '{"city": "Ulm"}', [])
NO_WORDS = import_pb2.NullValues()


def as_csv(word: str) -> bytes:
    return f"name,phone,email,city,later\n{word}, 13800144060 , {word},{word},{word}\n".encode()


def as_jsonl(word: str) -> bytes:
    first = {"name": word, "phone": "13800144060", "email": word, "city": word}
    return "".join(json.dumps(row) + "\n" for row in (first, {"phone": "+12", "later": word})).encode()


@pytest.mark.parametrize("word", DEFAULT)
async def test_a_null_word_replaces_no_value(imports: Imports, word: str) -> None:
    await imports.run(BEFORE)
    job = await imports.run(as_csv(word))
    assert job.counts == import_pb2.ImportCounts(rows_in=1, unchanged=1)
    job = await imports.run(as_jsonl(word))
    assert job.counts == import_pb2.ImportCounts(rows_in=2, unchanged=1, rejected=1)
    assert await imports.rows() == [REAL]


async def test_values_that_look_alike_are_kept(imports: Imports) -> None:
    data = "name,phone,city\nNull,13800144060,none\nNo Null,13800144061,--\nNA,13800144062,0\n"
    await imports.run(data.encode())
    rows = [(row[1], json.loads(str(row[3]))["city"]) for row in await imports.rows()]
    assert rows == [("Null", "none"), ("No Null", "--"), ("NA", "0")]


async def test_a_phone_that_is_a_null_word_is_empty(imports: Imports) -> None:
    job = await imports.run(b"name,phone\nAnn,NULL\nBob,N/A\n")
    empty = import_pb2.REJECT_REASON_PHONE_EMPTY
    refused = [(row.reason, row.original) for row in await imports.rejects(job.import_id)]
    assert refused == [(empty, "NULL"), (empty, "N/A")]


async def test_the_words_can_be_kept_or_replaced(imports: Imports) -> None:
    data = b"name,phone,city\nNULL,13800144060,N/A\nnothing,13800144061,-\n"
    job = await imports.run(data, null_values=NO_WORDS)
    assert job.resolved.HasField("null_values")
    assert [row[1:4] for row in await imports.rows()] == [
        ("NULL", "", '{"city": "N/A"}'),
        ("nothing", "", '{"city": "-"}'),
    ]
    words = import_pb2.NullValues(values=["nothing", "N/A"])
    job = await imports.run(data.replace(b"138001440", b"138001450"), null_values=words)
    assert list(job.resolved.null_values.values) == ["nothing", "N/A"]
    assert [row[1:4] for row in (await imports.rows())[2:]] == [("NULL", "", "{}"), ("", "", '{"city": "-"}')]
