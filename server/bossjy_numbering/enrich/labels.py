"""Column of texts with few different values: each text once, and its index for each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Label = TypeVar("Label")


@dataclass(frozen=True, slots=True)
class Labels(Generic[Label]):
    """Row i has `values[indices[i]]`. The parts of an Arrow dictionary array.

    `indices` (n,) int32. `values[0]` is the answer for a number without data, even if no row has it; each of the others
    is the answer of some row.
    """

    indices: NDArray[np.int32]
    values: list[Label]

    def __len__(self) -> int:
        return len(self.indices)

    def to_list(self) -> list[Label]:
        """The answer of each row."""
        values = self.values
        return [values[index] for index in self.indices.tolist()]


def labels_of(numbers: NDArray[np.int32], texts: Sequence[Label]) -> Labels[Label]:
    """The column of `texts[numbers[i]]`, with the texts that occur in it, and `texts[0]`."""
    occurs = np.zeros(len(texts), np.bool_)
    occurs[numbers] = True
    occurs[0] = True
    place = np.cumsum(occurs, dtype=np.int32) - np.int32(1)
    return Labels(place[numbers], [texts[number] for number in np.flatnonzero(occurs).tolist()])
