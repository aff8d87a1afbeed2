"""Slow answers, made in steps (`bossjy_numbering.Steps`): batches, messages of streams, numbers in a text."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bossjy.phone.v1 import number_pb2
from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_numbering import Leniency, Number, NumberColumn, Steps
from bossjy_numbering.enrich import Enrichment, Labels
from bossjy_server.errors import InvalidArgument, Reason, Violation
from bossjy_server.phone.arrow_answers import read_chunks, write_columns
from bossjy_server.phone.basic import BasicViews
from bossjy_server.phone.columns import FORMATS, Extras, columns_wire, with_output
from bossjy_server.phone.convert import add_details, doubted_of, short_of
from bossjy_server.phone.details import DetailTables
from bossjy_server.phone.numbers import Numbers, RowRegions, Texts, row_regions
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
# A longer text is no short number.
_SHORT_TEXT = 40
# As the contract says: libphonenumber makes formats, row by row.
_FORMAT_ROWS = 10_000
_PATHS = "texts.default_regions", "texts.region_codes"


@dataclass(frozen=True, slots=True)
class Asked:
    """One message of a stream, with the data that it needs. `tables` if carriers or places are requested."""

    request: pb.StreamValidateNumbersRequest
    split: TextColumns | None
    wanted: AbstractSet[str]
    region: str
    language: str
    tables: Enrichment | None

    def texts(self) -> tuple[Texts, RowRegions | None]:
        """The texts and the default region of each. Raises InvalidArgument for regions under two names."""
        texts = self.request.texts
        held: Any = self.split or TextColumns(texts.phone_numbers, texts.default_regions, texts.region_codes)  # type: ignore[arg-type]
        return held.texts, row_regions(held.regions, held.region_codes, *_PATHS)

    def looked_up(self, column: NumberColumn) -> Extras:
        """Carriers, places and time zones."""
        tables, wanted = self.tables, self.wanted
        if tables is None:
            return Extras()
        named: dict[str, Labels[str]] = {}
        if "carrier" in wanted:
            named["carrier"] = tables.carrier_column(column, self.language)
        if "place" in wanted:
            named["place"] = tables.place_column(column, self.language)
        return Extras(
            named=named,
            time_zones=tables.time_zone_column(column) if "time_zones" in wanted else None,
            carrier_reliable=tables.carrier_reliable_column(column) if "carrier_reliable" in wanted else None,
        )


class Answers:
    """Makes answers of one plan."""

    def __init__(self, numbers: Numbers, details: DetailTables) -> None:
        self._numbers, self._details = numbers, details
        self._batched = BasicViews("")  # a batch contains its version once

    def _column(self, request: pb.BatchValidateNumbersRequest, region: str) -> Steps[tuple[NumberColumn, list[int]]]:
        regions = row_regions(request.default_regions, request.region_codes, "default_regions", "region_codes")
        answered = yield from self._numbers.column(request.phone_numbers, region, regions)
        return answered.column, [] if answered.doubts is None else answered.doubts.tolist()

    def batch(self, request: pb.BatchValidateNumbersRequest, region: str) -> Steps[bytes]:
        """A batch in the basic view. `region`: the default region of its texts."""
        column, doubts = yield from self._column(request, region)
        views: list[bytes] = []
        for begin in range(0, len(column), _ROWS_A_STEP):
            yield
            end = min(begin + _ROWS_A_STEP, len(column))
            views.append(self._batched.all_of(map(column.number, range(begin, end)), doubts[begin:end]))
        return b"".join(views) + self._batch_of(column).SerializeToString()

    def batch_fully(
        self, request: pb.BatchValidateNumbersRequest, region: str, tables: Enrichment, language: str
    ) -> Steps[bytes]:
        """A batch in the full view."""
        column, doubts = yield from self._column(request, region)
        response = self._batch_of(column)
        regions = request.region_codes or request.default_regions or [""] * len(column)
        for row, (text, own) in enumerate(zip(request.phone_numbers, regions, strict=True)):
            yield
            number = column.number(row)
            response.results.append(self.full(text, own or region, number, doubts[row], tables, language))
        return response.SerializeToString()

    def full(  # noqa: PLR0917 - the parts of a full view
        self, text: str, region: str, number: Number, doubts: int, tables: Enrichment, language: str
    ) -> pb.ValidateNumberResponse:
        """The full view of one text, without the metadata version."""
        response = doubted_of(number, doubts)
        add_details(response, self._details.of(tables, number, language))
        if not number.valid and len(text) <= _SHORT_TEXT and region in self._numbers.terms.regions:
            info = self._numbers.short_number(text, region)
            if info.valid or info.emergency:
                response.short_number.CopyFrom(short_of(info))
        return response

    def _batch_of(self, column: NumberColumn) -> pb.BatchValidateNumbersResponse:
        return pb.BatchValidateNumbersResponse(
            valid_count=int(column.valid.sum()), metadata_version=self._numbers.version
        )

    def message(self, asked: Asked) -> Steps[bytes]:
        """One message of a stream."""
        request, wanted = asked.request, asked.wanted
        doubts = "warnings" in wanted
        arrow = request.WhichOneof("input") == "arrow_ipc"
        if arrow:
            chunks = read_chunks(request.arrow_ipc)
            answered = yield from self._numbers.chunks(chunks, asked.region, doubts=doubts)
        else:
            texts, regions = asked.texts()
            answered = yield from self._numbers.column(texts, asked.region, regions, doubts=doubts)
        yield
        column = answered.column
        formats = yield from self._formats(column, [name for name in FORMATS if name in wanted])
        extras = replace(asked.looked_up(column), formats=formats, warnings=answered.doubts)
        response = pb.StreamValidateNumbersResponse(
            sequence=request.sequence,
            metadata_version=self._numbers.version,
            valid_count=int(np.count_nonzero(column.valid)),
            slow_count=column.slow_count,
        )
        yield
        if arrow:
            return with_output(response, "arrow_ipc", write_columns(column, wanted, extras))
        return with_output(response, "columns", columns_wire(column, wanted, extras))

    def _formats(self, column: NumberColumn, names: list[str]) -> Steps[dict[str, list[str]]]:
        """Each number in some formats, by their names; a step for each row."""
        formats: dict[str, list[str]] = {name: [] for name in names}
        if not names:
            return formats
        if len(column) > _FORMAT_ROWS:
            raise InvalidArgument(
                Reason.INVALID_FIELD,
                f"{len(column)} rows with {names[0]}: a message that asks for formats has at most {_FORMAT_ROWS} rows",
                violations=[Violation("read_mask", f"formats of at most {_FORMAT_ROWS} rows")],
            )
        forms = [FORMATS[name] for name in names]
        for number in map(column.number, range(len(column))):
            yield
            texts = [""] * len(forms) if number.error else self._numbers.format_all(number, forms)
            for name, text in zip(names, texts, strict=True):
                formats[name].append(text)
        return formats

    def found(
        self, request: pb.FindNumbersRequest, region: str, tables: Enrichment | None, language: str
    ) -> Steps[pb.FindNumbersResponse]:
        """The numbers in a running text, in the full view if there are `tables`."""
        limit = request.max_results or _FIND_LIMIT
        leniency = _LENIENCY[request.leniency]
        found = yield from self._numbers.find(request.text, region, leniency, limit + 1)
        response = pb.FindNumbersResponse(truncated=len(found) > limit, metadata_version=self._numbers.version)
        for one in found[:limit]:
            yield
            doubts = self._numbers.doubts(one.raw, one.number)
            if tables is None:
                number = doubted_of(one.number, doubts)
            else:
                number = self.full(one.raw, region, one.number, doubts, tables, language)
            response.numbers.add(start=one.start, end=one.end, raw_text=one.raw, number=number)
        return response
