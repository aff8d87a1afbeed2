"""PhoneService: convert in, one call, convert out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import ClassVar

import numpy as np

from bossjy.phone.v1 import number_pb2
from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_numbering import Leniency
from bossjy_numbering.region_names import region_name
from bossjy_server.context import current_caller
from bossjy_server.errors import FailedPrecondition, Reason
from bossjy_server.lookup.lookup import Lookup
from bossjy_server.phone.arrow import read_texts, write_columns
from bossjy_server.phone.basic import BasicViews
from bossjy_server.phone.columns import columns_wire, wanted_columns, with_output
from bossjy_server.phone.convert import (
    add_answer,
    add_details,
    diff_of,
    explanation_of,
    match_of,
    plan_of,
    region_of,
    response_of,
)
from bossjy_server.phone.details import DetailTables
from bossjy_server.phone.numbers import Numbers, Texts
from bossjy_server.phone.plans import Plans
from bossjy_server.phone.requests import TextColumns, split_request
from bossjy_server.phone.threads import Threads

_LENIENCY = {
    number_pb2.FIND_LENIENCY_UNSPECIFIED: Leniency.VALID,
    number_pb2.FIND_LENIENCY_POSSIBLE: Leniency.POSSIBLE,
    number_pb2.FIND_LENIENCY_VALID: Leniency.VALID,
    number_pb2.FIND_LENIENCY_STRICT_GROUPING: Leniency.STRICT_GROUPING,
    number_pb2.FIND_LENIENCY_EXACT_GROUPING: Leniency.EXACT_GROUPING,
}
_FIND_LIMIT = 100


class PhoneServicer:
    """The methods of `bossjy.phone.v1.PhoneService` that this release serves."""

    # By method: what takes the columns of a request from its bytes before protobuf reads the rest.
    splits: ClassVar = {"StreamValidateNumbers": split_request}

    def __init__(
        self,
        numbers: Numbers,
        plans: Plans,
        details: DetailTables,
        threads: Threads,
        lookup: Lookup | None = None,
    ) -> None:
        self._numbers = numbers
        self._plans = plans
        self._details = details
        self._threads = threads
        self._lookup = lookup
        self._basic = BasicViews(numbers.version)
        self._batched = BasicViews("")  # a batch says its version once

    async def ValidateNumber(self, request: pb.ValidateNumberRequest) -> bytes:
        """What one text says. The wire bytes of the response."""
        number = self._numbers.validate(request.phone_number, request.default_region)
        if request.view != number_pb2.NUMBER_VIEW_FULL:
            return self._basic.of(number)
        response = response_of(number)
        add_details(response, await self._details.of(number, request.language))
        response.metadata_version = self._numbers.version
        return response.SerializeToString()

    async def BatchValidateNumbers(self, request: pb.BatchValidateNumbersRequest) -> bytes:
        """What each of up to 10,000 texts says. The wire bytes of the response."""
        return await self._threads.run(self._answer_batch, request)

    def _answer_batch(self, request: pb.BatchValidateNumbersRequest) -> bytes:
        column = self._numbers.column(request.phone_numbers, request.default_region, request.default_regions)
        numbers = map(column.number, range(len(column)))
        response = pb.BatchValidateNumbersResponse(
            valid_count=int(column.valid.sum()), metadata_version=self._numbers.version
        )
        if request.view != number_pb2.NUMBER_VIEW_FULL:
            return self._batched.all_of(numbers) + response.SerializeToString()
        for number, details in zip(numbers, self._details.of_column(column, request.language), strict=True):
            result = response_of(number)
            add_details(result, details)
            response.results.append(result)
        return response.SerializeToString()

    async def StreamValidateNumbers(
        self, requests: AsyncIterator[tuple[pb.StreamValidateNumbersRequest, TextColumns | None]]
    ) -> AsyncIterator[bytes]:
        """What any number of texts says, message by message. Yields the wire bytes of each response.

        Requests come with their columns of texts beside them where those were split off (`requests.py`).
        """
        async with aclosing(self._threads.in_order(requests, self._answer)) as answers:
            async for answer in answers:
                yield answer

    def _answer(self, asked: tuple[pb.StreamValidateNumbersRequest, TextColumns | None]) -> bytes:
        request, split = asked
        wanted = wanted_columns(set(request.read_mask.paths))
        arrow = request.WhichOneof("input") == "arrow_ipc"
        texts: Texts
        regions: Texts
        if arrow:
            texts, regions = read_texts(request.arrow_ipc)
        elif split:
            texts, regions = split.texts, split.regions
        else:
            texts, regions = request.texts.phone_numbers, request.texts.default_regions
        column = self._numbers.column(texts, request.default_region, regions)
        named = {
            "carrier": self._details.carriers(column, request.language) if "carrier" in wanted else None,
            "place": self._details.places(column, request.language) if "place" in wanted else None,
        }
        response = pb.StreamValidateNumbersResponse(
            sequence=request.sequence,
            metadata_version=self._numbers.version,
            valid_count=int(np.count_nonzero(column.valid)),
            slow_count=column.slow_count,
        )
        if arrow:
            return with_output(response, "arrow_ipc", write_columns(column, wanted, named))
        return with_output(response, "columns", columns_wire(column, wanted, named))

    async def FormatNumber(self, request: pb.FormatNumberRequest) -> pb.FormatNumberResponse:
        """A number in its formats."""
        e164, international, national, rfc3966, dialled = self._numbers.formats(
            request.phone_number, request.default_region, request.calling_from_region
        )
        return pb.FormatNumberResponse(
            e164=e164,
            international_format=international,
            national_format=national,
            rfc3966_format=rfc3966,
            dialled_format=dialled,
            metadata_version=self._numbers.version,
        )

    async def MatchNumbers(self, request: pb.MatchNumbersRequest) -> pb.MatchNumbersResponse:
        """Whether two texts are the same number."""
        match = self._numbers.match(request.first_number, request.second_number)
        return pb.MatchNumbersResponse(match=match_of(match), metadata_version=self._numbers.version)

    async def FindNumbers(self, request: pb.FindNumbersRequest) -> pb.FindNumbersResponse:
        """The numbers in a running text."""
        limit = request.max_results or _FIND_LIMIT
        leniency = _LENIENCY[request.leniency]
        found = await self._numbers.find(request.text, request.default_region, leniency, limit + 1)
        return pb.FindNumbersResponse(
            numbers=[
                pb.FoundNumber(start=one.start, end=one.end, raw_text=one.raw, number=response_of(one.number))
                for one in found[:limit]
            ],
            truncated=len(found) > limit,
            metadata_version=self._numbers.version,
        )

    async def ExplainNumber(self, request: pb.ExplainNumberRequest) -> pb.ExplainNumberResponse:
        """Why a text is refused, and the likely fixes."""
        explanation = await self._numbers.explain(request.phone_number, request.default_region, request.language)
        response = explanation_of(explanation)
        add_details(response.number, await self._details.of(explanation.number, request.language))
        response.number.metadata_version = self._numbers.version
        return response

    async def GetNumberingPlan(self, _request: pb.GetNumberingPlanRequest) -> pb.GetNumberingPlanResponse:
        """The plan that answers are made from."""
        return pb.GetNumberingPlanResponse(plan=plan_of(self._plans.plan, self._plans.versions()))

    async def DiffNumberingPlans(self, request: pb.DiffNumberingPlansRequest) -> pb.DiffNumberingPlansResponse:
        """How two versions of the plan differ, exactly."""
        diff = await self._plans.diff(request.from_version, request.to_version or self._numbers.version)
        return diff_of(diff, request.region_code)

    async def GetRegion(self, request: pb.GetRegionRequest) -> pb.GetRegionResponse:
        """One region of the plan."""
        region = self._numbers.region(request.region_code)
        name = region_name(region.code, request.language)
        return pb.GetRegionResponse(region=region_of(region, name), metadata_version=self._numbers.version)

    async def ListRegions(self, request: pb.ListRegionsRequest) -> pb.ListRegionsResponse:
        """The regions of the plan."""
        page, next_token, total = self._numbers.regions(request.calling_code, request.page_size, request.page_token)
        return pb.ListRegionsResponse(
            regions=[region_of(region, region_name(region.code, request.language)) for region in page],
            next_page_token=next_token,
            total_size=total,
            metadata_version=self._numbers.version,
        )

    async def LookupNumber(self, request: pb.LookupNumberRequest) -> pb.LookupNumberResponse:
        """What the configured provider knows of a number now."""
        if self._lookup is None:
            raise FailedPrecondition(
                Reason.LOOKUP_NOT_CONFIGURED,
                "this server asks no provider of live look-ups: ask its operator, or use ValidateNumber",
            )
        number = self._numbers.validate(request.phone_number, request.default_region)
        response = pb.LookupNumberResponse(number=response_of(number), outcome=number_pb2.LOOKUP_OUTCOME_NOT_VALID)
        response.number.metadata_version = self._numbers.version
        if number.valid:
            add_answer(response, await self._lookup.of(current_caller().tenant_id, number.e164))
        return response
