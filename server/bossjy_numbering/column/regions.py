"""Default regions of a column, as positions in the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from bossjy_numbering.column.packed_digits import Ints

if TYPE_CHECKING:
    import pyarrow as pa

DefaultRegions: TypeAlias = "str | Sequence[str | None] | pa.Array[Any] | pa.ChunkedArray[Any] | None"


def region_rows(given: DefaultRegions, count: int, positions: Mapping[str, int]) -> tuple[Ints, Sequence[str | None]]:
    """Positions (-1 for none or unknown) and the given regions, each (count,), or (1,) for one region for all rows.

    ValueError if the number of regions is not the number of rows.
    """
    if given is None or isinstance(given, str):
        return np.array([positions.get(given or "", -1)], np.int64), [given or None]
    if len(given) != count:
        raise ValueError(f"{count} texts with {len(given)} default regions")
    if hasattr(given, "null_count"):
        return _from_arrow(given, positions)
    held: Sequence[str | None] = given
    known = {region: positions.get(region or "", -1) for region in set(held)}
    return np.fromiter(map(known.__getitem__, held), np.int64, count), held


def _from_arrow(given: Any, positions: Mapping[str, int]) -> tuple[Ints, Sequence[str | None]]:
    import pyarrow as pa  # noqa: PLC0415  # only callers with Arrow need it

    array: Any = pa.concat_arrays(given.chunks) if isinstance(given, pa.ChunkedArray) and given.chunks else given
    if isinstance(array, pa.ChunkedArray):
        return np.zeros(0, np.int64), []
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    names = array.dictionary.to_pylist()
    # One more entry for rows that are null.
    known = np.array([positions.get(name or "", -1) for name in names] + [-1], np.int64)
    indices = array.indices.fill_null(len(names)).to_numpy(zero_copy_only=False).astype(np.int64)
    return known[indices], _Named([*names, None], indices)


class _Named(Sequence[str | None]):
    """The regions of rows by index, without a Python object for each row."""

    def __init__(self, names: list[str | None], indices: Ints) -> None:
        self._names = names
        self._indices = indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, row: Any) -> Any:
        return self._names[int(self._indices[row])]
