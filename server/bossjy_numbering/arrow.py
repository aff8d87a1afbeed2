"""Arrow record batch in, Arrow record batch out: one pure function with names as dictionaries.

It replaces columns of the same name; `cleaning` refuses them, and has more forms of data and options. A process loads
the plan at the first call.
"""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bossjy_numbering.answer_columns import e164_texts, nulled
from bossjy_numbering.column.result import NumberColumn
from bossjy_numbering.plan import load_plan
from bossjy_numbering.types import NumberType, ParseError, PossibleReason

# Columns that are added to a batch, in this order.
COLUMNS = (
    "e164",
    "calling_code",
    "national_number",
    "leading_zeros",
    "region",
    "type",
    "valid",
    "possibility",
    "error",
    "extension",
)


def clean_batch(
    batch: pa.RecordBatch,
    column: str = "phone_number",
    default_region: str | None = None,
    region_column: str | None = None,
    cache_dir: Path | None = None,
) -> pa.RecordBatch:
    """The batch with the columns of COLUMNS after its own. Columns of the same name are replaced.

    `column`: name of the texts. `default_region`: for all rows; `region_column`: name of a column with a region for
    each row. KeyError if a column is missing, TypeError if it is not text, ValueError if both regions are given.
    """
    if default_region is not None and region_column is not None:
        raise ValueError("a default region for all rows, or a column of them, but not both")
    regions = default_region if region_column is None else batch.column(region_column)
    answers = load_plan(cache_dir).column(batch.column(column), regions)
    added = arrow_columns(answers)
    kept = [name for name in batch.schema.names if name not in added]
    arrays = [batch.column(name) for name in kept] + list(added.values())
    return pa.RecordBatch.from_arrays(arrays, names=kept + list(added))


def arrow_columns(answers: NumberColumn) -> dict[str, pa.Array[Any]]:
    """A column of answers as Arrow arrays, by the names of COLUMNS. Unknown values are null."""
    parsed = answers.error == ParseError.NONE
    return {
        "e164": nulled(e164_texts(answers), parsed),
        "calling_code": nulled(pa.array(answers.calling_code), parsed),
        "national_number": nulled(pa.array(answers.national_number), parsed),
        "leading_zeros": nulled(pa.array(answers.leading_zeros), parsed),
        "region": _named(answers.region.astype(np.int16), list(answers.regions), answers.region >= 0),
        "type": _named(*_enumerated(answers.type, NumberType), parsed),
        "valid": pa.array(answers.valid),
        "possibility": _named(*_enumerated(answers.possible_reason, PossibleReason), parsed),
        "error": _named(*_enumerated(answers.error, ParseError), ~parsed),
        "extension": pa.array([answers.extensions.get(row) for row in range(len(answers))], pa.string())
        if answers.extensions
        else pa.nulls(len(answers), pa.string()),
    }


def _enumerated(values: NDArray[np.uint8], kind: type[IntEnum]) -> tuple[NDArray[np.int16], list[str]]:
    """Values of an enumeration as indices into its names."""
    members = list(kind)
    index = np.zeros(256, np.int16)
    for position, member in enumerate(members):
        index[int(member)] = position
    return index[values], [member.name for member in members]


def _named(indices: NDArray[np.int16], names: list[str], said: NDArray[np.bool_]) -> pa.Array[Any]:
    """Text by index; null for unknown values."""
    held: Any = pa.array(indices, mask=~said)
    return pa.DictionaryArray.from_arrays(held, pa.array(names, pa.string()))
