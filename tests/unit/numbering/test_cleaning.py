"""Cleaning of Arrow data: every form of data and of text gives the answers of the plan, and the promised columns."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pytest

from bossjy_numbering import Number, load_plan
from bossjy_numbering.answer_columns import COLUMNS, TYPES
from bossjy_numbering.cleaning import MOST_ROWS, Cleaner, clean_batches, clean_reader, clean_table, distinct_rows

TEXTS = ["+8613800138000", "none", "020 7946 0018 ext 3", None, "+390612345678", "020 7946", "1.38E+10", "+1 310 1234"]
REGIONS = ["CN", None, "GB", "US", None, "GB", "CN", ""]
KINDS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]


def table() -> pa.Table:
    return pa.table({"id": range(len(TEXTS)), "phone": pa.array(TEXTS), "region": pa.array(REGIONS)})


def expected(number: Number) -> dict[str, Any]:
    """The row of one answer."""
    known = not number.error
    return {
        "phone_e164": number.e164 if known else None,
        "phone_valid": number.valid,
        "phone_reason": None if number.valid else number.reason.name,
        "phone_type": number.type.name if known else None,
        "phone_region": number.region,
        "phone_calling_code": number.calling_code if known else None,
        "phone_national_number": number.national_number if known else None,
        "phone_leading_zeros": number.number_of_leading_zeros if known else None,
        "phone_possibility": number.possible_reason.name if known else None,
        "phone_extension": number.extension,
    }


def rows(data: pa.Table) -> list[dict[str, Any]]:
    data.validate(full=True)
    return data.select([name for name in data.schema.names if name.startswith("phone_")]).to_pylist()


def casted(array: pa.Array[Any], kind: Any) -> pa.Array[Any]:
    return array.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else array.cast(kind)


def test_each_row_has_the_answer_of_the_plan_beside_its_own_columns() -> None:
    answered = clean_table(table(), "phone", region_column="region")
    plan = load_plan()
    assert answered.select(["id", "phone", "region"]).equals(table())
    assert rows(answered) == [
        expected(plan.number(text or "", region)) for text, region in zip(TEXTS, REGIONS, strict=True)
    ]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_kind_of_text_and_of_region_is_read(kind: Any) -> None:
    texts, regions = casted(pa.array(TEXTS), kind), casted(pa.array(REGIONS), kind)
    by_row = clean_table(pa.table({"phone": texts, "region": regions}), "phone", region_column="region")
    assert by_row.schema.field("phone").type == kind
    assert rows(by_row) == rows(clean_table(table(), "phone", region_column="region"))
    # Repeated: a dictionary is then read once for each of its values.
    for_all = clean_table(pa.table({"phone": pa.concat_arrays([texts] * 3)}), "phone", default_region="GB")
    assert rows(for_all) == rows(clean_table(table(), "phone", default_region="GB")) * 3
    sliced = clean_table(pa.table({"phone": texts.slice(2, 3)}), "phone", default_region="GB")
    assert rows(sliced) == rows(clean_table(table().slice(2, 3), "phone", default_region="GB"))


def test_a_table_a_batch_a_reader_and_batches_are_answered_alike() -> None:
    wanted = clean_table(table(), "phone", default_region="GB")
    (batch,) = table().to_batches()
    assert clean_table(batch, "phone", default_region="GB").equals(wanted)
    assert clean_table(table().to_reader(), "phone", default_region="GB").equals(wanted)
    assert clean_reader(table().to_reader(), "phone", default_region="GB").read_all().equals(wanted)
    assert pa.Table.from_batches(clean_batches([batch], "phone", default_region="GB")).equals(wanted)
    one_by_one = clean_batches(table().to_batches(max_chunksize=1), "phone", default_region="GB")
    assert pa.Table.from_batches(one_by_one).combine_chunks().equals(wanted.combine_chunks())


def test_batches_are_answered_as_they_come() -> None:
    def endless() -> Iterator[pa.RecordBatch]:
        while True:
            yield table().to_batches()[0]

    assert next(clean_batches(endless(), "phone")).num_rows == len(TEXTS)


@pytest.mark.parametrize("texts", [pa.array([], pa.string()), pa.nulls(3, pa.string()), pa.nulls(3)], ids=str)
def test_no_rows_and_rows_without_a_text_have_the_same_columns(texts: pa.Array[Any]) -> None:
    given = pa.table({"phone": texts})
    answered = clean_table(given, "phone", columns=tuple(TYPES))
    assert answered.schema == Cleaner("phone", columns=tuple(TYPES)).schema(given.schema)
    assert answered.schema.types[1:] == list(TYPES.values())
    nothing = dict.fromkeys(answered.schema.names[1:]) | {"phone_valid": False, "phone_reason": "NOT_A_NUMBER"}
    assert rows(answered) == [nothing] * len(texts)
    assert clean_table(given.schema.empty_table(), "phone").num_rows == 0
    assert clean_table(pa.table({"phone": pa.chunked_array([], pa.string())}), "phone").num_rows == 0


def test_a_million_rows_in_one_batch_are_answered_in_parts() -> None:
    numbers = [f"+8613800{number:06d}" for number in range(1000)]
    texts = pa.array(numbers).take(pa.array([row % 1000 for row in range(1_000_000)]))
    parts = list(clean_batches([pa.RecordBatch.from_arrays([texts], ["phone"])], "phone", columns=("e164", "valid")))
    assert max(part.num_rows for part in parts) == MOST_ROWS
    answered = pa.Table.from_batches(parts)
    assert answered.num_rows == 1_000_000
    assert answered.column("phone_e164").cast(pa.string()).equals(pa.chunked_array([texts.slice(0)]))


def test_no_column_is_overwritten() -> None:
    given = table().append_column("phone_region", pa.nulls(len(TEXTS), pa.string()))
    with pytest.raises(ValueError, match="already has a column 'phone_region'"):
        clean_table(given, "phone")
    answered = clean_table(given, "phone", prefix="number_", columns=("region", "valid"))
    assert answered.schema.names == [*given.schema.names, "number_region", "number_valid"]


def test_names_are_plain_texts_unless_dictionaries_are_asked_for() -> None:
    answered = clean_table(table(), "phone", dictionaries=True, columns=tuple(TYPES))
    cleaner = Cleaner("phone", dictionaries=True, columns=tuple(TYPES))
    assert answered.schema == cleaner.schema(table().schema)
    assert answered.schema.field("phone_type").type == pa.dictionary(pa.int16(), pa.string())
    assert rows(answered) == rows(clean_table(table(), "phone", columns=tuple(TYPES)))


def test_warnings_and_corrections_are_those_of_the_plan() -> None:
    texts = ["138 0013 8000", "O2O 7946 OO18", "020 7946 0018 ext 3", "13800138000.0", "1-800-FLOWERS", "nothing", ""]
    regions = ["CN", "GB", "GB", "CN", "US", "CN", "CN"]
    given = pa.table({"phone": texts, "region": regions})
    columns = ("valid", "warnings", "correction", "correction_kind")
    answered = clean_table(given, "phone", region_column="region", columns=columns).to_pylist()
    plan = load_plan()
    assert sum(row["phone_correction"] is not None for row in answered) >= 2
    assert sum(row["phone_warnings"] is not None for row in answered) >= 3
    for row in answered:
        diagnosis = plan.diagnose(row["phone"], row["region"])
        first = diagnosis.fixes[0] if diagnosis.fixes else None
        assert row["phone_correction"] == (first and first.number.e164)
        assert row["phone_correction_kind"] == (first and first.kind.name)
        assert (row["phone_warnings"] or "") == ",".join(str(doubt.name) for doubt in diagnosis.doubts)


def test_wrong_options_and_data_are_refused_with_a_reason() -> None:
    with pytest.raises(ValueError, match="not both"):
        Cleaner(default_region="CN", region_column="region")
    with pytest.raises(ValueError, match="'carrier' is no column of answers: choose from e164"):
        Cleaner(columns=("carrier",))
    with pytest.raises(KeyError, match="0 columns are named 'phone_number'"):
        clean_table(table())
    with pytest.raises(KeyError, match="0 columns are named 'country'"):
        clean_table(table(), "phone", region_column="country")
    with pytest.raises(KeyError, match="2 columns are named 'phone'"):
        clean_table(table().append_column("phone", pa.nulls(len(TEXTS))), "phone")
    with pytest.raises(TypeError, match="'id' is int64: cast it to string first"):
        clean_table(table(), "id")


@pytest.mark.parametrize("way", ["thread", "fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_threads_and_processes_answer_alike(way: str) -> None:
    cleaner = Cleaner("phone", default_region="GB")
    assert pickle.loads(pickle.dumps(cleaner)) == cleaner  # noqa: S301  # our own bytes
    wanted = cleaner.table(table())
    pool: Executor = ThreadPoolExecutor(4)
    if way != "thread":
        pool = ProcessPoolExecutor(2, multiprocessing.get_context(way))
    with pool:
        assert all(one.equals(wanted) for one in pool.map(cleaner.table, [table()] * 4))


def test_the_first_row_of_each_number_is_kept() -> None:
    given = pa.table({"id": [0, 1, 2, 3, 4, 5], "phone_e164": ["+2", "+1", "+2", None, "+1", None]})
    assert distinct_rows(given).column("id").to_pylist() == [0, 1, 3]
    assert distinct_rows(given.slice(0, 0)).num_rows == 0


def test_an_array_of_texts_is_read_in_the_default_region() -> None:
    cleaner = Cleaner(default_region="GB", columns=("e164",))
    (answers,) = cleaner.answers(pa.array(["020 7946 0018", "+8613800138000"]))
    assert answers.to_pylist() == ["+442079460018", "+8613800138000"]
    (answers,) = cleaner.answers(pa.array(["138 0013 8000"]), pa.array(["CN"]))
    assert answers.to_pylist() == ["+8613800138000"]


def test_the_columns_that_are_added_by_default() -> None:
    assert tuple(name.removeprefix("phone_") for name in Cleaner().added().names) == COLUMNS
