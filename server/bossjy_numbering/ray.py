"""Ray Data adapter: phone numbers of a Dataset cleaned in Ray's workers, on blocks of Arrow without a copy.

Every worker needs `bossjy-numbering[arrow]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from bossjy_numbering.cleaning import Cleaner, Options

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
    cleaner = Cleaner(column, **options)
    return dataset.map_batches(cleaner.table, batch_format="pyarrow", batch_size=batch_size, zero_copy_batch=True)
