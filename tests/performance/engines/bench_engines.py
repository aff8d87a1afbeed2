"""Benchmark of the numbering core on data engines: `python -m tests.performance.engines.bench_engines`.

Parquet to Parquet, dirty numbers of all regions. For each engine: rows per second and CPU per row of the core, the
same of a UDF on `phonenumbers` in the same process, and their ratio. The ratio is that of the CPU per row, which a busy
machine changes little. Each engine runs the job once before it is measured. The UDF uses the pattern cache of
`phonenumbers` (`enable_pattern_cache`), which makes it faster. All engines must give the same counts of valid rows.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from bossjy_numbering import load_plan
from tests.measurements import write_figures
from tests.performance.engines.jobs import ENGINES
from tests.performance.numbering.bench_texts import dirty_texts

ROWS = 1_000_000
SEED = 7
# The UDF needs fewer rows: it is that much slower.
SHARE_OF_PEER = 10
TIMEOUT_S = 1800.0


def make_files(folder: Path, rows: int) -> None:
    """The files of the jobs, with all rows, some and a few."""
    texts, regions = dirty_texts(load_plan(), rows, SEED)
    table = pa.table({"id": pa.array(range(rows), pa.int64()), "phone": texts, "country": regions})
    for name, count in {"all": rows, "some": rows // SHARE_OF_PEER, "warm": 5_000}.items():
        pq.write_table(table.slice(0, count), folder / f"{name}.parquet", row_group_size=100_000)


def run(engine: str, folder: Path) -> dict[str, dict[str, float]]:
    """The figures of one engine. RuntimeError if it fails."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.performance.engines.jobs", engine, str(folder)]
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "RAY_AUTH_MODE": "disabled"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode:
        raise RuntimeError(f"the job on {engine} failed: {done.stderr[-2000:]}")
    figures: dict[str, dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return figures


def valid_rows(path: Path) -> int:
    """The number of valid rows that a job wrote."""
    return int(pc.sum(ds.dataset(path, format="parquet").to_table(["phone_valid"])["phone_valid"]).as_py())


def main() -> int:
    """The program. Returns the exit status: 1 if the engines disagree."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("engines", nargs="*", default=list(ENGINES), metavar="ENGINE", help=", ".join(ENGINES))
    asked = parser.parse_args()
    if unknown := set(asked.engines) - set(ENGINES):
        parser.error(f"unknown engines: {', '.join(sorted(unknown))}")
    figures: dict[str, float] = {"rows": asked.rows}
    lines: list[list[object]] = [["engine", "rows/s", "CPU µs/row", "UDF rows/s", "UDF CPU µs/row", "ratio", "valid"]]
    counts = set()
    with TemporaryDirectory(prefix="bossjy-engines-") as name:
        folder = Path(name)
        make_files(folder, asked.rows)
        for engine in asked.engines:
            found = run(engine, folder)
            ours, peer = found["ours"], found["peer"]
            ratio = peer["cpu_us"] / ours["cpu_us"]
            valid = valid_rows(folder / f"{engine}-ours.parquet"), valid_rows(folder / f"{engine}-peer.parquet")
            counts.add(valid)
            figures |= {f"{engine}_{key}": value for key, value in ours.items()}
            figures |= {f"{engine}_udf_{key}": value for key, value in peer.items()}
            figures |= {f"{engine}_ratio": ratio, f"{engine}_valid": valid[0]}
            lines.append([engine, *ours.values(), *peer.values(), ratio, valid[0]])
    write_figures("bench_engines", figures, rows=lines)
    if len(counts) > 1:
        print(f"the engines disagree on the valid rows: {sorted(counts)}", file=sys.stderr)
    return 1 if len(counts) > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
