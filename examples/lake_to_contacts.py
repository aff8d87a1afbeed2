"""Clean a data lake, import the accepted rows exactly once, and check that the counts agree from end to end.

Needs `bossjy-numbering[arrow]` besides the client. Run it again after any interruption: it continues.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from bossjy.imports.v1 import import_pb2
from bossjy_client import SyncClient
from bossjy_numbering.cleaning import clean_table, distinct_rows

SPEC = import_pb2.ImportSpec(
    mapping=[
        import_pb2.ColumnMapping(column="phone_e164", field=import_pb2.CONTACT_FIELD_PHONE_NUMBER),
    ]
)


def make_lake(folder: Path) -> None:
    """Write two files: 6 rows, of which 4 are valid and 3 different."""
    phones = (["138 0014 4101", "138 0014 4102", "not known"], ["+44 20 7946 0958", "13800144101", "12"])
    for number, column in enumerate(phones):
        pq.write_table(pa.table({"phone": column, "country": ["CN"] * 3}), folder / f"lake-{number}.parquet")


def clean(lake: Path, accepted: Path) -> int:
    """Write the accepted rows in two files, and return their count. A distributed job does this with its engine."""
    cleaned = clean_table(ds.dataset(lake).to_table(), "phone", region_column="country")
    rows = distinct_rows(cleaned.filter(ds.field("phone_valid"))).select(["phone_e164"])
    for number, start in enumerate(range(0, rows.num_rows, 2)):
        pq.write_table(rows.slice(start, 2), accepted / f"part-{number}.parquet", row_group_size=1)
    print(cleaned.num_rows, "rows in the lake,", rows.num_rows, "accepted")
    return rows.num_rows


def main() -> None:
    """Print the counts of the lake and of the imports."""
    with tempfile.TemporaryDirectory() as folder:
        lake, accepted = Path(folder, "lake"), Path(folder, "accepted")
        lake.mkdir()
        accepted.mkdir()
        make_lake(lake)
        expected = clean(lake, accepted)
        imported = 0
        with SyncClient.connect(os.environ["BOSSJY_TARGET"], token=os.environ["BOSSJY_TOKEN"]) as client:
            for path in sorted(accepted.glob("*.parquet")):
                # The same id for the same bytes: a file that was imported is not imported again.
                request_id = str(uuid.UUID(bytes=hashlib.sha256(path.read_bytes()).digest()[:16], version=4))
                job = client.imports.upload_file(path, SPEC, parts=2, request_id=request_id)
                counts = job.counts
                print(f"{path.name}: {counts.rows_in} rows, {counts.inserted} inserted, {counts.rejected} rejected")
                imported += counts.inserted + counts.updated + counts.unchanged
        print("the counts agree" if imported == expected else f"{imported} imported of {expected}")


if __name__ == "__main__":
    main()
