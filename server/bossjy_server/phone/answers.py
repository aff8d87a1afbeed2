"""Answers that take long, in steps (`bossjy_numbering.Steps`): batches, messages of streams, numbers in a text."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from bossjy.phone.v1 import number_pb2
from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_numbering import Leniency, NumberColumn, Steps
from bossjy_numbering.enrich import Enrichment, Labels
from bossjy_server.phone.arrow import read_chunks, write_columns
from bossjy_server.phone.basic import BasicViews
from bossjy_server.phone.columns import Named, columns_wire, with_output
from bossjy_server.phone.convert import add_details, response_of
from bossjy_server.phone.details import DetailTables
from bossjy_server.phone.numbers import Numbers, Texts
from bossjy_server.phone.requests import TextColumns

_LENIENCY = {
    number_pb2.FIND_LENIENCY_UNSPECIFIED: Leniency.VALID,
    number_pb2.FIND_LENIENCY_POSSIBLE: Leniency.POSSIBLE,
    number_pb2.FIND_LENIENCY_VALID: Leniency.VALID,
    number_pb2.FIND_LENIENCY_STRICT_GROUPING: Leniency.STRICT_GROUPING,
    number_pb2.FIND_LENIENCY_EXACT_GROUPING: Leniency.EXACT_GROUPING,
}
_FIND_LIMIT = 100
_ROWS_A_STEP = 256


@dataclass(frozen=True, slots=True)
class Asked:
    """One message of a stream, with what it needs. `tables` where carriers or places are wanted."""

    request: pb.StreamValidateNumbersRequest
    split: TextColumns | None
    wanted: AbstractSet[str]
    language: str
    tables: Enrichment | None

    def texts(self) -> tuple[Texts, Texts]:
        """The texts and the default region of each."""
        if self.split:
            return self.split.texts, self.split.regions
        return self.request.texts.phone_numbers, self.request.texts.default_regions

    def named(self, column: NumberColumn) -> Named:
        """Carriers and places."""
        named: dict[str, Labels[str] | None] = {"carrier": None, "place": None}
        if self.tables and "carrier" in self.wanted:
            named["carrier"] = self.tables.carrier_column(column, self.language)
        if self.tables and "place" in self.wanted:
            named["place"] = self.tables.place_column(column, self.language)
        return named


class Answers:
    """Makes answers of one plan."""

    def __init__(self, numbers: Numbers, details: DetailTables) -> None:
        self._numbers, self._details = numbers, details
        self._batched = BasicViews("")  # a batch says its version once

    def _column(self, request: pb.BatchValidateNumbersRequest) -> Steps[NumberColumn]:
        return self._numbers.column(
            request.phone_numbers, request.default_region, request.default_regions, field="default_regions"
        )

    def batch(self, request: pb.BatchValidateNumbersRequest) -> Steps[bytes]:
        """A batch in the basic view."""
        column = yield from self._column(request)
        views: list[bytes] = []
        for begin in range(0, len(column), _ROWS_A_STEP):
            yield
            rows = range(begin, min(begin + _ROWS_A_STEP, len(column)))
            views.append(self._batched.all_of(map(column.number, rows)))
        return b"".join(views) + self._batch_of(column).SerializeToString()

    def batch_fully(self, request: pb.BatchValidateNumbersRequest, tables: Enrichment, language: str) -> Steps[bytes]:
        """A batch in the full view."""
        column = yield from self._column(request)
        response = self._batch_of(column)
        for number in map(column.number, range(len(column))):
            yield
            result = response_of(number)
            add_details(result, self._details.of(tables, number, language))
            response.results.append(result)
        return response.SerializeToString()

    def _batch_of(self, column: NumberColumn) -> pb.BatchValidateNumbersResponse:
        return pb.BatchValidateNumbersResponse(
            valid_count=int(column.valid.sum()), metadata_version=self._numbers.version
        )

    def message(self, asked: Asked) -> Steps[bytes]:
        """One message of a stream."""
        request, wanted = asked.request, asked.wanted
        arrow = request.WhichOneof("input") == "arrow_ipc"
        if arrow:
            column = yield from self._numbers.chunks(read_chunks(request.arrow_ipc), request.default_region)
        else:
            texts, regions = asked.texts()
            column = yield from self._numbers.column(
                texts, request.default_region, regions, field="texts.default_regions"
            )
        yield
        named = asked.named(column)
        response = pb.StreamValidateNumbersResponse(
            sequence=request.sequence,
            metadata_version=self._numbers.version,
            valid_count=int(np.count_nonzero(column.valid)),
            slow_count=column.slow_count,
        )
        yield
        if arrow:
            return with_output(response, "arrow_ipc", write_columns(column, wanted, named))
        return with_output(response, "columns", columns_wire(column, wanted, named))

    def found(self, request: pb.FindNumbersRequest) -> Steps[pb.FindNumbersResponse]:
        """The numbers in a running text."""
        limit = request.max_results or _FIND_LIMIT
        leniency = _LENIENCY[request.leniency]
        found = yield from self._numbers.find(request.text, request.default_region, leniency, limit + 1)
        return pb.FindNumbersResponse(
            numbers=[
                pb.FoundNumber(start=one.start, end=one.end, raw_text=one.raw, number=response_of(one.number))
                for one in found[:limit]
            ],
            truncated=len(found) > limit,
            metadata_version=self._numbers.version,
        )
