"""Long lists and NumPy arrays by Arrow IPC, faster than texts in protobuf. For callers who have pyarrow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_client.columns.arrow import ArrowColumn
from bossjy_client.columns.column import TEXT_MAX
from bossjy_client.columns.texts import as_texts


class ListColumn(ArrowColumn):
    """A list as a column. Its table is a dict of lists."""

    def _text_array(self, values: Any, what: str) -> Any:
        """The texts as a list: each message converts its own, while the server works on the one before."""
        return as_texts(values.tolist() if hasattr(values, "tolist") else values, what)

    def _piece(self, column: Any, start: int, rows: int) -> Any:
        texts = column[start : start + rows]
        if max(map(len, texts), default=0) > TEXT_MAX:
            texts = [text[:TEXT_MAX] for text in texts]
        return self._pa.array(texts, self._pa.string())

    def table(self, answers: Sequence[pb.StreamValidateNumbersResponse], wanted: Sequence[str]) -> Any:
        """See Column."""
        return {name: self._joined(column) for name, column in self._columns(answers, wanted)}

    def _columns(self, answers: Sequence[pb.StreamValidateNumbersResponse], wanted: Sequence[str]) -> Any:
        return zip(wanted, super().table(answers, wanted).columns, strict=True)

    @staticmethod
    def _joined(column: Any) -> list[Any]:
        values: list[Any] = []
        for chunk in column.chunks:
            values += _objects(chunk).tolist()
        return values


class NumpyArrowColumn(ListColumn):
    """A NumPy array of one dimension as a column. Its table is a dict of arrays."""

    def table(self, answers: Sequence[pb.StreamValidateNumbersResponse], wanted: Sequence[str]) -> Any:
        """See Column."""
        import numpy as np  # noqa: PLC0415 - the caller has it

        join: Callable[..., Any] = np.concatenate
        types = {"calling_code": np.uint32, "leading_zeros": np.uint32}
        joined = {}
        for name, column in self._columns(answers, wanted):
            array = join([_objects(chunk) for chunk in column.chunks])
            joined[name] = array.astype(types[name]) if name in types else array
        return joined


def _objects(array: Any) -> Any:
    """An Arrow array as a NumPy array: of Python texts, or of numbers of its own type."""
    if hasattr(array, "dictionary"):
        # Every text of a dictionary is one object, however often it occurs.
        words = array.dictionary.to_numpy(zero_copy_only=False)
        return words[array.indices.to_numpy(zero_copy_only=False)]
    return array.to_numpy(zero_copy_only=False)
