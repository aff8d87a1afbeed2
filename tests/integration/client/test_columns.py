"""validate_column on the real service: one line for a list, NumPy, pandas, polars and Arrow."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import pytest_asyncio

from bossjy_client import Client, InvalidRequestError
from bossjy_client.columns import kinds
from bossjy_client.columns.column import COLUMNS, DEFAULT_COLUMNS
from tests.service import Service

pd: Any = importlib.import_module("pandas")  # it has no types

pytestmark = pytest.mark.asyncio(loop_scope="package")

TEXTS = ["138 0014 4001", None, "+1 201-555-0123 ext. 7", "no number", ""]
E164 = ["+8613800144001", "", "+12015550123", "", ""]
REGIONS = ["CN", "", "US", "", ""]
REASONS = ["", "NOT_A_NUMBER", "", "NOT_A_NUMBER", "NOT_A_NUMBER"]

KINDS: dict[str, tuple[Callable[[list[Any]], Any], Callable[[Any], dict[str, list[Any]]]]] = {
    "list": (list, dict),
    "tuple": (tuple, dict),
    "numpy": (lambda values: np.array(values, object), lambda table: {k: v.tolist() for k, v in table.items()}),
    "pandas": (pd.Series, lambda table: table.to_dict("list")),
    "pandas object": (lambda values: pd.Series(values, dtype=object), lambda table: table.to_dict("list")),
    "pandas category": (lambda values: pd.Series(values, dtype="category"), lambda table: table.to_dict("list")),
    "polars": (pl.Series, lambda table: table.to_dict(as_series=False)),
    "polars category": (lambda v: pl.Series(v, dtype=pl.Categorical), lambda table: table.to_dict(as_series=False)),
    "arrow": (pa.array, lambda table: table.to_pydict()),
    "arrow chunks": (lambda v: pa.chunked_array([v[:2], [], v[2:]], pa.string()), lambda table: table.to_pydict()),
    "arrow views": (lambda values: pa.array(values, pa.string_view()), lambda table: table.to_pydict()),
}


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def client(tenant: Service) -> AsyncIterator[Client]:
    async with await Client.connect(tenant.address, token=tenant.token) as one:
        yield one


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_gives_a_table_of_its_kind(client: Client, kind: str) -> None:
    make, columns_of = KINDS[kind]
    table = await client.phone.validate_column(make(TEXTS), region="cn")
    columns = columns_of(table)
    assert tuple(columns) == DEFAULT_COLUMNS
    assert columns["e164"] == E164
    assert columns["valid"] == [True, False, True, False, False]
    assert columns["region"] == REGIONS
    assert columns["reason"] == REASONS
    assert columns["type"] == ["MOBILE", "", "FIXED_LINE_OR_MOBILE", "", ""]
    assert columns["extension"] == ["", "", "7", "", ""]
    assert columns["warnings"][0] == "REGION_ASSUMED"
    assert columns["calling_code"] == [86, 0, 1, 0, 0]
    assert columns["national_number"] == [13800144001, 0, 2015550123, 0, 0]


async def test_the_tables_are_those_of_the_library(client: Client) -> None:
    series = pd.Series(TEXTS, index=list("abcde"))
    frame = await client.phone.validate_column(series, "CN")
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.index) == list("abcde")
    assert series.to_frame("phone").join(frame).loc["a", "e164"] == E164[0]
    assert isinstance(await client.phone.validate_column(pl.Series(TEXTS), "CN"), pl.DataFrame)
    assert isinstance(await client.phone.validate_column(pa.array(TEXTS), "CN"), pa.Table)
    arrays = await client.phone.validate_column(np.array(TEXTS, object), "CN")
    assert arrays["valid"].dtype == np.bool_
    assert arrays["national_number"].dtype == np.uint64


@pytest.mark.parametrize("kind", ["list", "numpy", "pandas", "polars", "arrow"])
async def test_all_columns_and_a_region_for_each_row(client: Client, kind: str) -> None:
    make, columns_of = KINDS[kind]
    regions = make(["cn", None, "GB", "us", "GB"])
    texts = make(
        ["138 0014 4001", None, "020 7946 0958", "201-555-0123", None if kind in ("polars", "arrow") else np.nan]
    )
    columns = columns_of(await client.phone.validate_column(texts, regions, columns=COLUMNS, language="en"))
    assert tuple(columns) == COLUMNS
    assert columns["e164"] == ["+8613800144001", "", "+442079460958", "+12015550123", ""]
    assert columns["place"][2] == "London"
    assert columns["time_zones"][0] == "Asia/Shanghai"
    assert columns["national_format"][3] == "(201) 555-0123"


@pytest.mark.parametrize("kind", ["list", "numpy", "pandas", "polars", "arrow"])
async def test_an_empty_column(client: Client, kind: str) -> None:
    make, columns_of = KINDS[kind]
    columns = columns_of(await client.phone.validate_column(make([]), "CN"))
    assert tuple(columns) == DEFAULT_COLUMNS
    assert not any(columns.values())


@pytest.mark.parametrize("kind", ["list", "pandas", "polars", "arrow"])
async def test_long_texts_and_many_rows_keep_their_order(client: Client, kind: str) -> None:
    make, columns_of = KINDS[kind]
    texts = [f"+86138{number:08d}" for number in range(60_000)]
    texts[7] = "9" * 3_000_000
    texts[50_000:50_040] = ["8" * 200_000] * 40
    columns = columns_of(await client.phone.validate_column(make(texts), columns=["e164", "reason"]))
    wanted = [text if len(text) < 20 else "" for text in texts]
    assert [one or "" for one, text in zip(columns["e164"], texts, strict=True) if len(text) < 20] == [
        one for one in wanted if one
    ]
    assert {row for row, reason in enumerate(columns["reason"]) if reason == "TOO_LONG"} == {7, *range(50_000, 50_040)}


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pd.Series([13800144001]), "row 0 of the column is int"),
        (pd.Series(["1", None, 5]), "row 2 of the column is int"),
        (pd.Series([np.nan, 3.5]), "row 1 of the column is float"),
        (pl.Series([None, 7]), "row 1 of the column is int"),
        (pa.array([b"1"]), "row 0 of the column is bytes"),
        (["1", 2.5], "row 1 of the column is float"),
        (np.array([1, 2]), "row 0 of the column is int"),
        (np.array([["1"]], object), "has 2 dimensions"),
        (pd.DataFrame({"a": ["1"]}), "is a table: give one column"),
        (pa.table({"a": ["1"]}), "is a table: give one column"),
        ("138 0014 4001", "is no column"),
        ({"a": "1"}, "is no column"),
        (5, "is no column"),
    ],
)
async def test_another_value_is_an_error_with_its_row(client: Client, column: Any, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        await client.phone.validate_column(column, "CN")


@pytest.mark.parametrize("make", [list, lambda values: np.array(values, object)], ids=["list", "numpy"])
async def test_many_rows_by_arrow_are_as_few_by_texts(
    client: Client, monkeypatch: pytest.MonkeyPatch, make: Callable[[list[Any]], Any]
) -> None:
    texts: list[Any] = [*TEXTS, np.nan, "+86 138 0014 4001", "9" * 300, "１３８００１４４００１"] * 700
    regions = make(["CN", None, "gb", "ZZ", "US", "CN", "", "CN", "CN"] * 700)
    by_arrow = await client.phone.validate_column(make(texts), regions, columns=COLUMNS)
    with monkeypatch.context() as patch:
        patch.setattr(kinds, "pays", lambda _rows: False)
        by_texts = await client.phone.validate_column(make(texts), regions, columns=COLUMNS)
    assert tuple(by_arrow) == tuple(by_texts)
    for name, values in by_arrow.items():
        assert list(values) == list(by_texts[name]), name
        if make is list:
            assert {type(value) for value in values} == {type(value) for value in by_texts[name]}, name
        else:
            assert values.dtype == by_texts[name].dtype, name
    unknown = make(["CN"] * 6_000 + ["XX"] * 300)
    with pytest.raises(InvalidRequestError, match="row 6000"):
        await client.phone.validate_column(make(texts), unknown)
    texts[5000] = 7
    with pytest.raises(InvalidRequestError, match="row 5000 of the column is int"):
        await client.phone.validate_column(make(texts), "CN")


async def test_numpy_texts_of_every_type(client: Client) -> None:
    texts = ["138 0014 4001", "no number"] * 3000
    for array in (np.array(texts), np.array(texts, np.dtypes.StringDType())):
        for some in (array, array[:4]):
            answers = await client.phone.validate_column(some, "CN", columns=["e164"])
            assert answers["e164"].tolist() == ["+8613800144001", ""] * (len(some) // 2)


async def test_an_unknown_result_column_lists_the_columns(client: Client) -> None:
    with pytest.raises(InvalidRequestError, match="no result column 'e16': the columns are valid, reason"):
        await client.phone.validate_column(["1"], columns=["valid", "e16"])


@pytest.mark.parametrize("make", [list, pd.Series, pl.Series, pa.array], ids=["list", "pandas", "polars", "arrow"])
async def test_regions_of_another_length_or_type(client: Client, make: Callable[[list[Any]], Any]) -> None:
    with pytest.raises(InvalidRequestError, match="2 rows and its regions have 1"):
        await client.phone.validate_column(make(["1", "2"]), make(["CN"]))
    with pytest.raises(InvalidRequestError, match="region of row 1 is int"):
        await client.phone.validate_column(make(["1", "2"]), ["CN", 86])


async def test_no_library_is_imported_for_a_list(tenant: Service) -> None:
    program = """
import asyncio, sys
from bossjy_client import Client
async def main():
    async with await Client.connect(sys.argv[1], token=sys.argv[2]) as client:
        table = await client.phone.validate_column(["+8613800144001"])
        print(table["e164"], sorted({"numpy", "pandas", "polars", "pyarrow"} & sys.modules.keys()))
asyncio.run(main())
"""
    command = [sys.executable, "-c", program, tenant.address, tenant.token]
    done = await _run(command)
    assert done == "['+8613800144001'] []"


async def _run(command: list[str]) -> str:
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
    return done.stdout.strip()
