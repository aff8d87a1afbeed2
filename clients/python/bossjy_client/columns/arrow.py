"""Columns of Arrow and pandas by Arrow IPC. pyarrow is imported here only, for callers with such objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_client.columns.column import (
    ARROW_ROWS,
    MESSAGE_BYTES,
    TEXT_MAX,
    WORDS,
    rows_of_message,
    warning_words,
    wrong_length,
    wrong_value,
)
from bossjy_client.columns.texts import as_texts, is_missing
from bossjy_client.errors import InvalidRequestError
from bossjy_client.phone_stream import ArrowBatch, Batch


class ArrowColumn:
    """An Arrow array as a column. Its table is a pyarrow Table."""

    def __init__(self, values: Any, regions: Any = None) -> None:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        import pyarrow.compute as pc  # noqa: PLC0415 - as above

        self._pa: Any = pa
        self._compute: Any = pc
        self._texts = self._text_array(values, "number")
        self._regions = None if regions is None else self._text_array(regions, "region")
        if self._regions is not None and len(self._regions) != len(self._texts):
            raise wrong_length(len(self._texts), len(self._regions))

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """See Column."""
        most = rows_of_message(wanted, ARROW_ROWS)
        for start in range(0, max(1, len(self._texts)), most):
            yield from self._messages(start, min(most, len(self._texts) - start))

    def _messages(self, start: int, rows: int) -> Iterator[Batch]:
        """The message of some rows, or several if their texts are long."""
        texts = self._piece(self._texts, start, rows)
        if rows > 1 and texts.nbytes > MESSAGE_BYTES:
            for first, count in ((start, rows // 2), (start + rows // 2, rows - rows // 2)):
                yield from self._messages(first, count)
            return
        columns = {"phone_number": texts}
        if self._regions is not None:
            columns["default_region"] = self._capital(self._piece(self._regions, start, rows))
        yield ArrowBatch(ipc_stream(self._pa, self._pa.record_batch(columns)), rows)

    def _piece(self, column: Any, start: int, rows: int) -> Any:
        """Some rows as one array that has no more than these rows."""
        pa = self._pa
        piece = column.slice(start, rows)
        chunks = [chunk for chunk in piece.chunks if len(chunk)]
        array = chunks[0] if len(chunks) == 1 else pa.chunked_array(chunks, piece.type).combine_chunks()
        if isinstance(array, pa.ChunkedArray):
            array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
        if pa.types.is_dictionary(array.type):
            if len(array.dictionary) <= rows:
                return array
            array = array.dictionary_decode()
        if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
            array = array.cast(pa.large_string())
        if array.nbytes > MESSAGE_BYTES:
            array = self._compute.utf8_slice_codeunits(array, 0, TEXT_MAX)
        return array

    def _capital(self, regions: Any) -> Any:
        pa = self._pa
        if pa.types.is_dictionary(regions.type):
            return pa.DictionaryArray.from_arrays(regions.indices, self._compute.ascii_upper(regions.dictionary))
        return self._compute.ascii_upper(regions)

    def table(self, answers: Sequence[pb.StreamValidateNumbersResponse], wanted: Sequence[str]) -> Any:
        """See Column."""
        pa = self._pa
        batches = []
        for answer in answers:
            with pa.ipc.open_stream(pa.py_buffer(answer.arrow_ipc)) as stream:
                batches += [self._named(batch, wanted) for batch in stream]
        return pa.Table.from_batches(batches).unify_dictionaries()

    def _named(self, batch: Any, wanted: Sequence[str]) -> Any:
        """A batch in the requested order, with words in place of numbers."""
        return self._pa.RecordBatch.from_arrays(
            [self._worded(name, batch.column(name)) for name in wanted], names=list(wanted)
        )

    def _worded(self, name: str, array: Any) -> Any:
        pa = self._pa
        if name in WORDS:
            return pa.DictionaryArray.from_arrays(array.cast(pa.int32()), pa.array(WORDS[name]))
        if name == "warnings":
            masks = array.dictionary_encode()
            words = pa.array([warning_words(mask) for mask in masks.dictionary.to_pylist()], pa.string())
            return pa.DictionaryArray.from_arrays(masks.indices, words)
        if pa.types.is_dictionary(array.type) and array.type.index_type != pa.int32():
            return pa.DictionaryArray.from_arrays(array.indices.cast(pa.int32()), array.dictionary)
        return array

    def _text_array(self, values: Any, what: str) -> Any:
        """The values as a chunked array of texts. Raises InvalidRequestError with the row of another value."""
        pa = self._pa
        array = self._array(values, what)
        kind = array.type
        if pa.types.is_null(kind):
            return array.cast(pa.string())
        held = kind.value_type if pa.types.is_dictionary(kind) else kind
        if pa.types.is_string(held) or pa.types.is_large_string(held) or str(held) == "string_view":
            return array
        raise first_wrong(array, what)

    def _array(self, values: Any, what: str) -> Any:
        pa = self._pa
        if isinstance(values, pa.ChunkedArray):
            return values
        if isinstance(values, pa.Array):
            return pa.chunked_array([values])
        if not hasattr(values, "__arrow_c_stream__") and not hasattr(values, "__arrow_c_array__"):
            return pa.chunked_array([pa.array(as_texts(values, what), pa.string())])
        try:
            if hasattr(values, "__arrow_c_stream__"):
                return pa.chunked_array(values)
            return pa.chunked_array([pa.array(values)])
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise InvalidRequestError(f"the {type(values).__name__} is no column of texts: {error}") from error


def ipc_stream(pa: Any, batch: Any) -> bytes:
    """A batch as the bytes of an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def first_wrong(values: Any, what: str) -> InvalidRequestError:
    """The error for the first value that is neither a text nor missing."""
    for row, value in enumerate(values):
        shown = value.as_py() if hasattr(value, "as_py") else value
        if not isinstance(shown, str) and not is_missing(shown):
            return wrong_value(what, row, shown)
    return InvalidRequestError("the column is of a type that has no texts: convert it to text first")


class PandasColumn(ArrowColumn):
    """A series, index or array of pandas as a column. Its table is a DataFrame with the index of the series."""

    def __init__(self, values: Any, regions: Any = None) -> None:
        self._index = getattr(values, "index", None)
        super().__init__(values, regions)

    def _array(self, values: Any, what: str) -> Any:
        pa = self._pa
        try:
            array = pa.array(values, from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError):
            raise first_wrong(values, what) from None
        return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])

    def table(self, answers: Sequence[pb.StreamValidateNumbersResponse], wanted: Sequence[str]) -> Any:
        """See Column."""
        frame = super().table(answers, wanted).to_pandas()
        if self._index is not None:
            frame.index = self._index
        return frame
