"""Jobs of the benchmark, Parquet to Parquet: on each engine the numbering core, and a UDF on `phonenumbers`.

As a program it runs one engine in a process of its own, so that its CPU time, with all processes that it starts, can be
told apart. It prints the figures as JSON.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import phonenumbers
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from bossjy_numbering.cleaning import Cleaner

COLUMNS = ("e164", "valid", "type", "region")
OPTIONS: Any = {"region_column": "country", "columns": COLUMNS}
ADDED = Cleaner("phone", **OPTIONS).added()
# Reads a file, writes another.
Job = Callable[[Path, Path], object]


def by_phonenumbers(table: pa.Table) -> pa.Table:
    """The rows with the same columns, by `phonenumbers` one by one: the UDF that people write today."""
    rows = [
        answer(*row) for row in zip(*(table.column(name).to_pylist() for name in ("phone", "country")), strict=True)
    ]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(ADDED)
    for field, values in zip(ADDED, columns, strict=True):
        table = table.append_column(field, pa.array(values, field.type))
    return table


def answer(text: str | None, region: str | None) -> tuple[str | None, bool, str | None, str | None]:
    """E.164, valid, type and region of one text."""
    try:
        number = phonenumbers.parse(text or "", region)
    except phonenumbers.NumberParseException:
        return None, False, None, None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    kind = phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(number))
    return e164, phonenumbers.is_valid_number(number), kind, phonenumbers.region_code_for_number(number)


def core() -> tuple[Job, Job]:
    """The core without an engine, in one thread."""

    def run(read: Path, write: Path, function: Callable[[pa.Table], pa.Table]) -> None:
        with pq.ParquetFile(read) as file, pq.ParquetWriter(write, pa.schema([*file.schema_arrow, *ADDED])) as out:
            for batch in file.iter_batches(100_000):
                out.write_table(function(pa.Table.from_batches([batch])))

    cleaner = Cleaner("phone", **OPTIONS)
    return lambda r, w: run(r, w, cleaner.table), lambda r, w: run(r, w, by_phonenumbers)


def polars() -> tuple[Job, Job]:
    """Polars, streaming."""
    import polars as pl  # noqa: PLC0415  # one engine in each process

    from bossjy_numbering.polars import clean  # noqa: PLC0415

    def udf(frame: Any) -> Any:
        return pl.from_arrow(by_phonenumbers(frame.to_arrow(compat_level=pl.CompatLevel.oldest())))

    def peer(read: Path, write: Path) -> None:
        lazy = pl.scan_parquet(read)
        schema = dict(lazy.collect_schema()) | dict(udf(pl.DataFrame(schema=lazy.collect_schema())).schema)
        lazy.map_batches(udf, schema=schema, streamable=True).sink_parquet(write)

    return lambda r, w: clean(pl.scan_parquet(r), "phone", **OPTIONS).sink_parquet(w), peer


def duckdb() -> tuple[Job, Job]:
    """DuckDB, by Arrow batches in and out."""
    import duckdb as db  # noqa: PLC0415  # one engine in each process

    from bossjy_numbering.duckdb import BATCH_ROWS, clean  # noqa: PLC0415

    connection = db.connect()

    def peer(read: Path, write: Path) -> None:
        reader = connection.cursor().sql(f"FROM '{read}'").to_arrow_reader(BATCH_ROWS)
        batches = (one for part in reader for one in by_phonenumbers(pa.Table.from_batches([part])).to_batches())
        schema = pa.schema([*reader.schema, *ADDED])
        connection.from_arrow(pa.RecordBatchReader.from_batches(schema, batches)).to_parquet(str(write))

    return lambda r, w: clean(connection, f"FROM '{r}'", "phone", **OPTIONS).to_parquet(str(w)), peer


def spark() -> tuple[Job, Job]:
    """Spark on this machine, by mapInArrow."""
    from pyspark.sql import SparkSession  # noqa: PLC0415  # one engine in each process
    from pyspark.sql.pandas.types import from_arrow_schema  # noqa: PLC0415
    from pyspark.sql.types import StructType  # noqa: PLC0415

    from bossjy_numbering.spark import clean  # noqa: PLC0415

    builder: Any = SparkSession.builder
    for name, value in {"ui.enabled": "false", "sql.execution.arrow.maxRecordsPerBatch": "100000"}.items():
        builder = builder.config(f"spark.{name}", value)
    session = builder.master("local[2]").getOrCreate()
    added: Any = from_arrow_schema(ADDED)

    def udf(batches: Any) -> Any:
        for batch in batches:
            yield from by_phonenumbers(pa.Table.from_batches([batch])).to_batches()

    def peer(read: Path, write: Path) -> None:
        frame = session.read.parquet(str(read))
        frame.mapInArrow(udf, StructType([*frame.schema.fields, *added.fields])).write.parquet(str(write))

    return lambda r, w: clean(session.read.parquet(str(r)), "phone", **OPTIONS).write.parquet(str(w)), peer


def ray() -> tuple[Job, Job]:
    """Ray Data on this machine."""
    import ray as cluster  # noqa: PLC0415  # one engine in each process
    from ray import data  # noqa: PLC0415

    from bossjy_numbering.ray import BATCH_ROWS, clean  # noqa: PLC0415

    cluster.init(num_cpus=2, include_dashboard=False, object_store_memory=512 * 2**20, logging_level=logging.ERROR)
    udf: Any = by_phonenumbers

    def peer(read: Path, write: Path) -> None:
        rows = data.read_parquet(str(read))
        rows.map_batches(udf, batch_format="pyarrow", batch_size=BATCH_ROWS).write_parquet(str(write))

    return lambda r, w: clean(data.read_parquet(str(r)), "phone", **OPTIONS).write_parquet(str(w)), peer


ENGINES: dict[str, Callable[[], tuple[Job, Job]]] = {
    "core": core,
    "polars": polars,
    "duckdb": duckdb,
    "spark": spark,
    "ray": ray,
}


def spent() -> float:
    """CPU seconds of this process and of all that it started, as far as they run or were waited for."""
    own = psutil.Process()
    return sum(sum(process.cpu_times()[:4]) for process in [own, *own.children(recursive=True)])


def measured(job: Job, read: Path, write: Path) -> dict[str, float]:
    """Rows per second, and CPU microseconds of a row."""
    rows = pq.read_metadata(read).num_rows
    began, cpu = time.monotonic(), spent()
    job(read, write)
    return {"rows_per_s": rows / (time.monotonic() - began), "cpu_us": (spent() - cpu) / rows * 1e6}


def main() -> None:
    """The program: engine, folder with `warm.parquet`, `some.parquet` and `all.parquet`."""
    engine, folder = sys.argv[1], Path(sys.argv[2])
    ours, peer = ENGINES[engine]()
    # Java compiles what runs often, and workers start once: that is no part of the cost of a row.
    ours(folder / "all.parquet", folder / f"{engine}-warm-ours.parquet")
    peer(folder / "warm.parquet", folder / f"{engine}-warm-peer.parquet")
    figures = {
        "ours": measured(ours, folder / "all.parquet", folder / f"{engine}-ours.parquet"),
        "peer": measured(peer, folder / "some.parquet", folder / f"{engine}-peer.parquet"),
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
