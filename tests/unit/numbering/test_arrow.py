from __future__ import annotations

import multiprocessing
import pickle
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from bossjy_numbering.arrow import COLUMNS, clean_batch

TEXTS = ["+8613800138000", "none", "020 7946 0018 ext 3", None, "+390612345678"]


def batch() -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {"id": [1, 2, 3, 4, 5], "phone_number": TEXTS, "region": ["CN", None, "GB", "US", None]}
    )


def test_a_batch_is_answered_in_columns() -> None:
    answered = clean_batch(batch(), region_column="region")
    answered.validate(full=True)
    assert answered.schema.names == ["id", "phone_number", *COLUMNS]
    rows = answered.to_pylist()
    assert [row["e164"] for row in rows] == ["+8613800138000", None, "+442079460018", None, "+390612345678"]
    assert rows[4]["national_number"] == 612345678
    assert rows[4]["leading_zeros"] == 1
    assert [row["extension"] for row in rows] == [None, None, "3", None, None]
    assert [row["error"] for row in rows] == [None, "NOT_A_NUMBER", None, "NOT_A_NUMBER", None]
    assert [row["type"] for row in rows] == ["MOBILE", None, "FIXED_LINE", None, "FIXED_LINE"]
    assert [row["valid"] for row in rows] == [True, False, True, False, True]


def test_a_clean_batch_keeps_its_own_text() -> None:
    given = pa.RecordBatch.from_pydict({"phone_number": ["+8613800138000", "+442079460018"]}).slice(1)
    answered = clean_batch(given)
    answered.validate(full=True)
    assert answered.column("e164").to_pylist() == ["+442079460018"]


def test_it_travels_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(clean_batch)) is clean_batch  # noqa: S301  # our own bytes
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(clean_batch, batch()).result().equals(clean_batch(batch()))


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(KeyError):
        clean_batch(batch(), column="phone")
    with pytest.raises(TypeError, match="int64"):
        clean_batch(batch(), column="id")
    with pytest.raises(ValueError, match="not both"):
        clean_batch(batch(), default_region="CN", region_column="region")


def test_numpy_pyarrow_and_phonenumbers_are_enough() -> None:
    program = Path(__file__).with_name("clean_alone.py")
    command = [sys.executable, "-I", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["refused", "['+8613800138000', None, '+442079460018']"]
