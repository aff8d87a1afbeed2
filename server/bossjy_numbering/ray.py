"""Ray Data adapter: phone numbers of a Dataset cleaned in Ray's workers, on blocks of Arrow without a copy.

Every worker needs `bossjy-numbering[arrow]`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Unpack

from bossjy_numbering.cleaning import Cleaner, Options, distinct_rows

if TYPE_CHECKING:
    from ray.data import Dataset

# Rows of a call: large enough that Ray's cost for each call does not matter, small enough for flat memory.
BATCH_ROWS = 100_000


def clean(
    dataset: Dataset, column: str = "phone_number", *, batch_size: int | None = BATCH_ROWS, **options: Unpack[Options]
) -> Dataset:
    """The rows of a Dataset with the columns of answers. See `Cleaner` for the options and errors.

    `batch_size`: rows of a call; None for whole blocks.
    """
    cleaned: Any = Cleaner(column, **options).table
    return dataset.map_batches(cleaned, batch_format="pyarrow", batch_size=batch_size, zero_copy_batch=True)


def distinct(dataset: Dataset, column: str = "phone_e164", blocks: int = 8) -> Dataset:
    """One row for each value of a column, after a shuffle into some blocks. Ray Data has no such operation itself."""
    shuffled = dataset.repartition(blocks, keys=[column])
    firsts: Any = partial(distinct_rows, column=column)
    return shuffled.map_batches(firsts, batch_format="pyarrow", batch_size=None)
