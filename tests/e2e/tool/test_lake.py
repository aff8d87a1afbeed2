"""The way home: rows that an engine cleaned become contacts of the service, each once, with counts that agree."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from bossjy_numbering.cleaning import clean_table, distinct_rows
from tests.e2e.tool.conftest import Run, objects

TEXTS = [f"138 0000 {number:04d}" for number in range(400)] + ["138 0000 0007", "12", "", "020 7946 0958 ext 3"]


def test_cleaned_rows_of_several_files_become_contacts_once(run: Run, tmp_path: Path) -> None:
    regions = [*["CN"] * (len(TEXTS) - 1), "GB"]
    lake = pa.table({"phone": TEXTS, "country": regions, "name": [f"name {row}" for row in range(len(TEXTS))]})
    cleaned = clean_table(lake, "phone", region_column="country")
    accepted = distinct_rows(cleaned.filter(ds.field("phone_valid")))
    assert (cleaned.num_rows, accepted.num_rows) == (404, 401)
    half = accepted.num_rows // 2
    paths = [tmp_path / "part-0.parquet", tmp_path / "part-1.parquet"]
    columns = ["name", "phone_e164", "phone_extension"]
    for path, part in zip(paths, (accepted.slice(0, half), accepted.slice(half)), strict=True):
        pq.write_table(part.select(columns), path)
    command = ["import", *map(str, paths), "--map", "phone=phone_e164", "--map", "extension=phone_extension"]
    command += ["--parts", "2", "--json"]
    jobs = objects(run(*command))
    counts = [{name: int(value) for name, value in job["counts"].items()} for job in jobs]
    assert [one["rows_in"] for one in counts] == [half, accepted.num_rows - half]
    assert sum(one["inserted"] for one in counts) == accepted.num_rows
    contacts = objects(run("contacts", "list", "--limit", "0", "--json"))
    assert sorted(one["phone_number"] for one in contacts) == sorted(
        map(str, accepted.column("phone_e164").to_pylist())
    )
    (british,) = (one for one in contacts if one["phone_number"] == "+442079460958")
    assert british["extension"] == "3"
    # Imported again, the same files add nothing.
    again = [job["counts"] for job in objects(run(*command))]
    assert sum(int(one.get("inserted", 0)) for one in again) == 0
