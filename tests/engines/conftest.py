"""Fixtures: a small lake of Parquet files with all kinds of numbers, and the answers that each engine must give."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bossjy_numbering import load_plan
from bossjy_numbering.cleaning import clean_table
from tests.performance.numbering.bench_texts import dirty_texts

ROWS = 6000
# Spark and Ray start Python and Java of their own.
os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
os.environ["RAY_AUTH_MODE"] = "disabled"


def lake_table() -> pa.Table:
    """Rows with and without numbers, some numbers more than once, and columns that are only carried along."""
    texts, regions = dirty_texts(load_plan(), ROWS, seed=21)
    texts += [*texts[:500], "", "none", "1.38E+10", "020 7946 0018 ext 3"]
    regions += [*regions[:500], "GB", "GB", "CN", "GB"]
    return pa.table(
        {
            "id": pa.array(range(len(texts)), pa.int64()),
            "phone": pa.array([text or None for text in texts], pa.string()),
            "country": pa.array(regions, pa.string()),
            "region": pa.array(["kept"] * len(texts), pa.string()),
        }
    )


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `lake/`: three files, one of them without a row."""
    folder = tmp_path_factory.mktemp("engines")
    (folder / "lake").mkdir()
    table = lake_table()
    half = len(table) // 2
    for number, part in enumerate((table.slice(0, half), table.slice(half), table.slice(0, 0))):
        pq.write_table(part, folder / "lake" / f"part-{number}.parquet", row_group_size=1000)
    return folder


@pytest.fixture(scope="session")
def expected() -> list[dict[str, Any]]:
    """All rows as the core cleans them, by id."""
    return clean_table(lake_table(), "phone", region_column="country").to_pylist()


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A Spark that starts a failed task again."""
    from pyspark.sql import SparkSession  # noqa: PLC0415  # starts Java

    builder = SparkSession.builder.master("local[2,4]").config("spark.ui.enabled", "false")  # type: ignore[attr-defined, unused-ignore]
    session = builder.config("spark.sql.shuffle.partitions", "2").config("spark.driver.memory", "1g").getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[None]:
    """Ray on this machine."""
    import ray  # noqa: PLC0415  # starts processes

    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=256 * 2**20, logging_level=logging.WARNING)
    yield
    ray.shutdown()
