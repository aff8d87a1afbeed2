"""The adapters on real engines: functions beside those of the guide, refusals, and workers that end half-way."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest

import bossjy_numbering.duckdb
import bossjy_numbering.polars
import bossjy_numbering.spark
from bossjy_numbering.cleaning import Cleaner, clean_table
from tests.engines.conftest import lake_table

COLUMNS = ("e164", "valid", "reason")
pytestmark = pytest.mark.filterwarnings("ignore")  # the engines' own


def by_id(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: int(row["id"]))


def test_duckdb_has_the_function_in_sql() -> None:
    connection = duckdb.connect()
    table = lake_table()
    connection.register("lake", table)
    bossjy_numbering.duckdb.register(connection, "clean_number")
    query = "SELECT id, clean_number(phone, country) AS number FROM lake"
    answered = by_id(connection.sql(query).to_arrow_table().to_pylist())
    wanted = clean_table(table.drop_columns(["region"]), "phone", region_column="country", prefix="")
    assert [row["number"] for row in answered] == wanted.select(Cleaner(prefix="").added().names).to_pylist()
    empty = connection.sql("SELECT clean_number(phone, NULL).e164 FROM lake WHERE id < 0").fetchall()
    assert empty == []
    assert connection.sql("SELECT clean_number('+8613800138000', NULL).e164").fetchall() == [("+8613800138000",)]
    with pytest.raises(ValueError, match="second argument"):
        bossjy_numbering.duckdb.register(connection, default_region="CN")


def test_polars_frames_and_expressions_answer_alike() -> None:
    table = lake_table()
    frame: Any = pl.from_arrow(table)
    wanted = clean_table(table, "phone", default_region="CN", columns=COLUMNS).to_pylist()
    eager = bossjy_numbering.polars.clean(frame, "phone", default_region="CN", columns=COLUMNS)
    assert eager.to_dicts() == wanted
    structs = bossjy_numbering.polars.answers(pl.col("phone"), default_region="CN", columns=COLUMNS)
    assert frame.with_columns(structs.alias("number")).unnest("number").to_dicts() == wanted
    lazy = bossjy_numbering.polars.clean(frame.lazy(), "phone", default_region="CN", columns=COLUMNS)
    assert lazy.collect_schema() == eager.schema
    assert lazy.filter(pl.col("id") < 0).collect(engine="streaming").schema == eager.schema
    with pytest.raises(ValueError, match="one column"):
        bossjy_numbering.polars.answers(pl.col("phone"), region_column="country")
    with pytest.raises(ValueError, match="already has a column 'phone_e164'"):
        bossjy_numbering.polars.clean(eager, "phone")


def test_spark_refuses_wrong_columns_before_a_job_starts(spark: Any) -> None:
    frame = spark.createDataFrame([(1, "+8613800138000", "x")], "id int, phone string, phone_valid string")
    with pytest.raises(KeyError, match="0 columns are named 'phone_number'"):
        bossjy_numbering.spark.clean(frame)
    with pytest.raises(ValueError, match="already has a column 'phone_valid'"):
        bossjy_numbering.spark.clean(frame, "phone")
    with pytest.raises(TypeError, match="'id' is int32"):
        bossjy_numbering.spark.clean(frame, "id")


def test_a_spark_job_whose_worker_is_killed_ends_with_the_same_rows(spark: Any, lake: Path, tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    cleaner = Cleaner("phone", region_column="country", columns=COLUMNS)

    def once_killed(batches: Any) -> Any:
        for number, batch in enumerate(cleaner.batches(batches)):
            yield batch
            if number == 1 and not killed.exists():
                killed.touch()
                os.kill(os.getpid(), signal.SIGKILL)

    from pyspark.sql.pandas.types import from_arrow_schema  # noqa: PLC0415  # starts Java
    from pyspark.sql.types import StructType  # noqa: PLC0415

    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 500)
    frame = spark.read.parquet(str(lake / "lake"))
    schema = StructType([*frame.schema.fields, *from_arrow_schema(cleaner.added()).fields])
    rows = [row.asDict() for row in frame.mapInArrow(once_killed, schema).collect()]
    assert killed.exists()
    assert by_id(rows) == cleaner.table(pa.Table.from_batches(lake_table().to_batches())).to_pylist()
