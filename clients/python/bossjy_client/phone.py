"""Client of PhoneService: validation, formats and search of phone numbers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from bossjy.phone.v1 import number_pb2, phone_service_pb2, phone_service_pb2_grpc, plan_pb2, region_pb2
from bossjy_client.columns.column import wanted_columns
from bossjy_client.columns.kinds import column_of
from bossjy_client.columns.texts import as_texts
from bossjy_client.connection import Connection
from bossjy_client.phone_stream import Batch, ValidationStream

BATCH_LIMIT = 10_000  # most texts of BatchValidateNumbers
FULL_BATCH_LIMIT = 3_000  # the same in the full view
_BATCH_BYTES = 2 * 1024 * 1024  # of the texts of a batch: a request has at most 4 MiB


class PhoneClient:
    """Answers are libphonenumber's. A text that is not a number is an answer (`valid` is false), not an error.

    `default_region` is assumed if a text has no calling code: ISO 3166-1 alpha-2; none if empty. InvalidRequestError if
    the plan has no such region; `explain` explains that instead.
    `language` is a BCP 47 tag for places, carriers and explanations; English if empty. Every method raises
    BossjyError.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = phone_service_pb2_grpc.PhoneServiceStub(connection.channel)

    async def validate(
        self, phone_number: str, default_region: str = "", *, full: bool = False, language: str = ""
    ) -> phone_service_pb2.ValidateNumberResponse:
        """The text's number and its validity. `full` adds formats, carrier, place, time zones."""
        request = phone_service_pb2.ValidateNumberRequest(
            phone_number=phone_number, region_code=default_region.upper(), view=_view(full=full), language=language
        )
        return await self._connection.call(self._stub.ValidateNumber, request)

    async def validate_many(
        self,
        phone_numbers: Sequence[str],
        default_region: str = "",
        *,
        full: bool = False,
        language: str = "",
    ) -> AsyncIterator[phone_service_pb2.ValidateNumberResponse]:
        """The same for any amount of texts, in their order. A missing value (None, NaN) counts as an empty text."""
        for batch in _batches(as_texts(phone_numbers), FULL_BATCH_LIMIT if full else BATCH_LIMIT):
            request = phone_service_pb2.BatchValidateNumbersRequest(
                phone_numbers=batch,
                region_code=default_region.upper(),
                view=_view(full=full),
                language=language,
            )
            answer = await self._connection.call(self._stub.BatchValidateNumbers, request)
            for result in answer.results:
                result.metadata_version = answer.metadata_version
                yield result

    async def validate_stream(
        self,
        batches: AsyncIterator[Sequence[str]],
        default_region: str = "",
        *,
        columns: Sequence[str] = (),
        language: str = "",
    ) -> AsyncIterator[tuple[Sequence[str], phone_service_pb2.StreamValidateNumbersResponse]]:
        """The same for any amount, in columns: each batch (at most 10,000 texts) with its answer, in their order.

        A batch is texts, or a TextBatch of texts with the default region of each. `columns`: requested fields of
        NumberColumns; by default all but carrier, place, formats and time zones. `language`: of carrier and place. The
        stream continues automatically after a broken connection.
        """
        stream = ValidationStream[Sequence[str]](
            self._connection,
            self._stub.StreamValidateNumbers,
            region_code=default_region.upper(),
            columns=columns,
            language=language,
        )
        async for answered in stream.run(batches):
            yield answered

    async def validate_column(
        self,
        column: Any,
        region: str | Any = "",
        *,
        columns: Sequence[str] = (),
        language: str = "",
    ) -> Any:
        """The same for a whole column, as a table of the same kind with one row for each row of the column.

        A pandas series gives a DataFrame with its index, a polars series a polars DataFrame, an Arrow array a Table, a
        NumPy array a dict of arrays, a list or other iterable a dict of lists. Texts and missing values (None, NaN, NA)
        are allowed; InvalidRequestError names the row of any other value.

        `region` is the default region of all rows, or a column with the region of each. `columns`: requested fields of
        NumberColumns; by default all but carrier, place, formats and time zones. Types, reasons and warnings are words.
        """
        wanted = wanted_columns(columns)
        default_region, regions = (region.upper(), None) if isinstance(region, str) else ("", region)
        held = column_of(column, regions)
        stream = ValidationStream[Batch](
            self._connection,
            self._stub.StreamValidateNumbers,
            region_code=default_region,
            columns=wanted,
            language=language,
        )
        answers = [answer async for _, answer in stream.run(_each(held.batches(wanted)))]
        return held.table(answers, wanted)

    async def format(
        self, phone_number: str, default_region: str = "", *, calling_from_region: str = ""
    ) -> phone_service_pb2.FormatNumberResponse:
        """The number in its formats. NUMBER_NOT_PARSED if the text is not a number."""
        request = phone_service_pb2.FormatNumberRequest(
            phone_number=phone_number, region_code=default_region.upper(), calling_from_region=calling_from_region
        )
        return await self._connection.call(self._stub.FormatNumber, request)

    async def format_partial(
        self, phone_number: str, region_code: str = "", *, cursor: int | None = None
    ) -> phone_service_pb2.FormatPartialNumberResponse:
        """The text typed so far, at most 40 characters, formatted. `cursor`: its position; None: the end."""
        request = phone_service_pb2.FormatPartialNumberRequest(
            phone_number=phone_number, region_code=region_code.upper(), cursor=cursor
        )
        return await self._connection.call(self._stub.FormatPartialNumber, request)

    async def short_number(self, phone_number: str, region_code: str) -> number_pb2.ShortNumber:
        """The short or emergency number of a region in the text, and the cost of a call."""
        request = phone_service_pb2.ValidateShortNumberRequest(
            phone_number=phone_number, region_code=region_code.upper()
        )
        return (await self._connection.call(self._stub.ValidateShortNumber, request)).short_number

    async def match(
        self, first: str, second: str, *, first_region: str = "", second_region: str = ""
    ) -> number_pb2.MatchType.ValueType:
        """The certainty that two texts are the same number. A region is assumed if its text has no calling code."""
        request = phone_service_pb2.MatchNumbersRequest(
            first_number=first,
            second_number=second,
            first_region_code=first_region.upper(),
            second_region_code=second_region.upper(),
        )
        return (await self._connection.call(self._stub.MatchNumbers, request)).match

    async def find(
        self,
        text: str,
        default_region: str = "",
        *,
        leniency: number_pb2.FindLeniency.ValueType = number_pb2.FIND_LENIENCY_VALID,
        max_results: int = 0,
        full: bool = False,
        language: str = "",
    ) -> phone_service_pb2.FindNumbersResponse:
        """The numbers in a text of at most 100,000 characters. `full`: as in `validate`."""
        request = phone_service_pb2.FindNumbersRequest(
            text=text,
            region_code=default_region.upper(),
            leniency=leniency,
            max_results=max_results,
            view=_view(full=full),
            language_code=language,
        )
        return await self._connection.call(self._stub.FindNumbers, request)

    async def explain(
        self, phone_number: str, default_region: str = "", *, language: str = ""
    ) -> phone_service_pb2.ExplainNumberResponse:
        """The reason why the text is not valid, at which digit, and valid corrections."""
        request = phone_service_pb2.ExplainNumberRequest(
            phone_number=phone_number, default_region=default_region, language=language
        )
        return await self._connection.call(self._stub.ExplainNumber, request)

    async def lookup(self, phone_number: str, default_region: str = "") -> phone_service_pb2.LookupNumberResponse:
        """The current data of the operator's provider about the number: carrier, line, and if it was ported.

        Not repeated automatically: each query may cost money. LOOKUP_NOT_CONFIGURED if there is no provider,
        LOOKUP_BUDGET_SPENT, LOOKUP_UNAVAILABLE.
        """
        request = phone_service_pb2.LookupNumberRequest(phone_number=phone_number, region_code=default_region.upper())
        return await self._connection.call(self._stub.LookupNumber, request)

    async def region(self, region_code: str, *, language: str = "") -> region_pb2.Region:
        """One region of the plan. RESOURCE_NOT_FOUND if there is none."""
        request = phone_service_pb2.GetRegionRequest(region_code=region_code.upper(), language=language)
        return (await self._connection.call(self._stub.GetRegion, request)).region

    async def find_regions(self, phone_number: str) -> Sequence[phone_service_pb2.NumberReading]:
        """The regions in which the text is a valid number, and the number there."""
        request = phone_service_pb2.FindRegionsRequest(phone_number=phone_number)
        return (await self._connection.call(self._stub.FindRegions, request)).readings

    async def regions(self, *, calling_code: int = 0, language: str = "") -> AsyncIterator[region_pb2.Region]:
        """The regions of the plan by code; all if `calling_code` is 0."""
        request = phone_service_pb2.ListRegionsRequest(calling_code=calling_code, language=language)
        while True:
            answer = await self._connection.call(self._stub.ListRegions, request)
            for region in answer.regions:
                yield region
            if not answer.next_page_token:
                return
            request.page_token = answer.next_page_token

    async def plan(self) -> plan_pb2.NumberingPlan:
        """The current plan."""
        request = phone_service_pb2.GetNumberingPlanRequest()
        return (await self._connection.call(self._stub.GetNumberingPlan, request)).plan

    async def diff_plans(
        self, from_version: str, to_version: str = "", *, region_code: str = ""
    ) -> phone_service_pb2.DiffNumberingPlansResponse:
        """The exact differences of two versions of the plan. If `to_version` is empty, the current one."""
        request = phone_service_pb2.DiffNumberingPlansRequest(
            from_version=from_version, to_version=to_version, region_code=region_code
        )
        return await self._connection.call(self._stub.DiffNumberingPlans, request)


async def _each(batches: Iterator[Batch]) -> AsyncIterator[Batch]:
    for batch in batches:
        yield batch


def _batches(texts: Sequence[str], limit: int) -> Iterator[Sequence[str]]:
    """Texts in batches of at most `limit` texts and at most the bytes of a message."""
    begin = size = 0
    for end, text in enumerate(texts):
        length = len(text) if text.isascii() else 4 * len(text)
        if end > begin and (end - begin == limit or size + length > _BATCH_BYTES):
            yield texts[begin:end]
            begin, size = end, 0
        size += length
    if begin < len(texts):
        yield texts[begin:]


def _view(*, full: bool) -> number_pb2.NumberView.ValueType:
    return number_pb2.NUMBER_VIEW_FULL if full else number_pb2.NUMBER_VIEW_BASIC
