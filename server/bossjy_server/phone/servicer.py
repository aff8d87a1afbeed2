"""PhoneService: converts requests, makes one call, and converts the result."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import ClassVar

from bossjy.phone.v1 import number_pb2
from bossjy.phone.v1 import phone_service_pb2 as pb
from bossjy_numbering import finish
from bossjy_server.context import current_caller
from bossjy_server.errors import FailedPrecondition, InvalidArgument, Reason, Violation
from bossjy_server.lookup.lookup import Lookup
from bossjy_server.phone.answers import Answers, Asked
from bossjy_server.phone.basic import BasicViews
from bossjy_server.phone.columns import LOOKED_UP, wanted_columns
from bossjy_server.phone.convert import (
    add_answer,
    diff_of,
    doubted_of,
    explanation_of,
    match_of,
    plan_of,
    reading_of,
    region_of,
    short_of,
)
from bossjy_server.phone.details import DetailTables
from bossjy_server.phone.languages import language_of
from bossjy_server.phone.numbers import Numbers
from bossjy_server.phone.plans import Plans
from bossjy_server.phone.region_names import region_name
from bossjy_server.phone.requests import TextColumns, split_request
from bossjy_server.phone.tenant_regions import TenantRegions
from bossjy_server.phone.terms import asked_language, refuse_two
from bossjy_server.phone.threads import Threads
from bossjy_server.storage.pages import Pages

# A shorter text is searched at once: a thread would cost more.
_INLINE_CHARACTERS = 100
# A batch of so many rows is a short job, unless its rows are slow.
_SHORT_ROWS = 100
# As the contract says: a number of the full view takes up to 1,300 bytes, and a client reads messages of 4 MiB.
FULL_VIEW_ROWS = 3000


class PhoneServicer:
    """The methods of `bossjy.phone.v1.PhoneService` that this release serves."""

    # By method: the function that takes the columns of a request from its bytes before protobuf reads the rest.
    splits: ClassVar = {"StreamValidateNumbers": split_request}

    def __init__(
        self,
        numbers: Numbers,
        plans: Plans,
        details: DetailTables,
        threads: Threads,
        *,
        pages: Pages,
        regions: TenantRegions,
        lookup: Lookup | None = None,
    ) -> None:
        self._numbers, self._terms = numbers, numbers.terms
        self._plans = plans
        self._details = details
        self._threads = threads
        self._pages, self._regions = pages, regions
        self._lookup = lookup
        self._basic = BasicViews(numbers.version)
        self._answers = Answers(numbers, details)

    async def ValidateNumber(self, request: pb.ValidateNumberRequest) -> bytes:
        """The answer for one text. The wire bytes of the response."""
        text, region = request.phone_number, await self._regions.chosen(self._terms.region(request))
        language = asked_language(request)
        number = self._numbers.validate(text, region)
        doubts = self._numbers.doubts(text, number)
        if request.view != number_pb2.NUMBER_VIEW_FULL:
            return self._basic.doubted(number, doubts)
        response = self._answers.full(text, region, number, doubts, await self._details.load(), language)
        response.metadata_version = self._numbers.version
        return response.SerializeToString()

    async def BatchValidateNumbers(self, request: pb.BatchValidateNumbersRequest) -> bytes:
        """The answers for up to 10,000 texts. The wire bytes of the response."""
        region, language = await self._regions.chosen(self._terms.region(request)), asked_language(request)
        if request.view != number_pb2.NUMBER_VIEW_FULL:
            short = len(request.phone_numbers) <= _SHORT_ROWS
            return await self._threads.run(self._answers.batch(request, region), short=short)
        if len(request.phone_numbers) > FULL_VIEW_ROWS:
            raise InvalidArgument(
                Reason.INVALID_FIELD,
                f"{len(request.phone_numbers)} phone_numbers in the full view: send at most {FULL_VIEW_ROWS} a batch",
                violations=[Violation("phone_numbers", f"at most {FULL_VIEW_ROWS} in the full view")],
            )
        tables = await self._details.load()
        return await self._threads.run(self._answers.batch_fully(request, region, tables, language))

    async def StreamValidateNumbers(
        self, requests: AsyncIterator[tuple[pb.StreamValidateNumbersRequest, TextColumns | None]]
    ) -> AsyncIterator[bytes]:
        """The answers for any number of texts, message by message. Yields the wire bytes of each response.

        Requests have their columns of texts besides them if those were split off (`requests.py`).
        """
        async with aclosing(self._threads.in_order(self._prepared(requests), self._answers.message)) as answers:
            async for answer in answers:
                yield answer

    async def _prepared(
        self, requests: AsyncIterator[tuple[pb.StreamValidateNumbersRequest, TextColumns | None]]
    ) -> AsyncIterator[Asked]:
        async for request, split in requests:
            wanted = wanted_columns(set(request.read_mask.paths))
            region, language = await self._regions.chosen(self._terms.region(request)), asked_language(request)
            tables = await self._details.load() if wanted & LOOKED_UP else None
            yield Asked(request, split, wanted, region, language, tables)

    async def FormatNumber(self, request: pb.FormatNumberRequest) -> pb.FormatNumberResponse:
        """A number in its formats."""
        names = "calling_from_region", "calling_from_region_code"
        refuse_two(request.calling_from_region, request.calling_from_region_code, *names)
        calling_from = self._terms.checked(request.calling_from_region, names[0])
        calling_from = self._terms.checked(request.calling_from_region_code, names[1]) or calling_from
        region = await self._regions.chosen(self._terms.region(request))
        e164, international, national, rfc3966, dialled = self._numbers.formats(
            request.phone_number, region, calling_from
        )
        return pb.FormatNumberResponse(
            e164=e164,
            international_format=international,
            national_format=national,
            rfc3966_format=rfc3966,
            dialled_format=dialled,
            metadata_version=self._numbers.version,
        )

    async def FormatPartialNumber(self, request: pb.FormatPartialNumberRequest) -> pb.FormatPartialNumberResponse:
        """The beginning of a number, formatted as it is typed."""
        region = await self._regions.chosen(self._terms.assumed(request.region_code, "region_code"))
        cursor = request.cursor if request.HasField("cursor") else None
        steps = self._numbers.partial(request.phone_number, region, cursor)
        partial = await self._threads.run(steps, short=True, bounded=True)
        return pb.FormatPartialNumberResponse(
            formatted=partial.formatted, cursor=partial.cursor, metadata_version=self._numbers.version
        )

    async def ValidateShortNumber(self, request: pb.ValidateShortNumberRequest) -> pb.ValidateShortNumberResponse:
        """The findings about a short number."""
        region = self._terms.checked(request.region_code, "region_code")
        info = self._numbers.short_number(request.phone_number, region)
        return pb.ValidateShortNumberResponse(short_number=short_of(info), metadata_version=self._numbers.version)

    async def MatchNumbers(self, request: pb.MatchNumbersRequest) -> pb.MatchNumbersResponse:
        """The match between two texts as numbers."""
        first = await self._regions.chosen(self._terms.assumed(request.first_region_code, "first_region_code"))
        second = await self._regions.chosen(self._terms.assumed(request.second_region_code, "second_region_code"))
        match = self._numbers.match(request.first_number, request.second_number, first, second)
        return pb.MatchNumbersResponse(match=match_of(match), metadata_version=self._numbers.version)

    async def FindNumbers(self, request: pb.FindNumbersRequest) -> pb.FindNumbersResponse:
        """The numbers in a running text."""
        region = await self._regions.chosen(self._terms.region(request))
        language = language_of(request.language_code, "language_code")
        full = request.view == number_pb2.NUMBER_VIEW_FULL
        steps = self._answers.found(request, region, await self._details.load() if full else None, language)
        if len(request.text) <= _INLINE_CHARACTERS:
            return finish(steps)
        return await self._threads.run(steps, short=True, bounded=True)

    async def ExplainNumber(self, request: pb.ExplainNumberRequest) -> pb.ExplainNumberResponse:
        """The reasons why a text is not valid, and the likely fixes."""
        text, language = request.phone_number, asked_language(request)
        region = await self._regions.chosen(self._terms.hint(request))
        steps = self._numbers.explain(text, region, language)
        explanation = await self._threads.run(steps, short=True, bounded=True)
        number, tables = explanation.number, await self._details.load()
        response = explanation_of(explanation)
        doubts = self._numbers.doubts(text, number) | self._numbers.unknown_region(region)
        response.number.CopyFrom(self._answers.full(text, region, number, doubts, tables, language))
        response.number.metadata_version = self._numbers.version
        return response

    async def FindRegions(self, request: pb.FindRegionsRequest) -> pb.FindRegionsResponse:
        """The regions in which a text is a valid number."""
        steps = self._numbers.readings(request.phone_number)
        found = await self._threads.run(steps, short=True, bounded=True)
        return pb.FindRegionsResponse(
            readings=[reading_of(number, region.code) for region, number in found],
            metadata_version=self._numbers.version,
        )

    async def GetNumberingPlan(self, _request: pb.GetNumberingPlanRequest) -> pb.GetNumberingPlanResponse:
        """The plan of the answers."""
        return pb.GetNumberingPlanResponse(plan=plan_of(self._plans.plan, self._plans.versions()))

    async def DiffNumberingPlans(self, request: pb.DiffNumberingPlansRequest) -> pb.DiffNumberingPlansResponse:
        """The exact differences between two versions of the plan."""
        if request.region_code:
            self._numbers.region(request.region_code)
        diff = await self._plans.diff(request.from_version, request.to_version or self._numbers.version)
        return diff_of(diff, request.region_code)

    async def GetRegion(self, request: pb.GetRegionRequest) -> pb.GetRegionResponse:
        """One region of the plan."""
        region = self._numbers.region(request.region_code)
        name = region_name(region.code, asked_language(request))
        return pb.GetRegionResponse(
            region=region_of(region, name, self._numbers.examples(region)), metadata_version=self._numbers.version
        )

    async def ListRegions(self, request: pb.ListRegionsRequest) -> pb.ListRegionsResponse:
        """The regions of the plan."""
        page = self._pages.open(request, current_caller().tenant_id, kinds=(str, int))
        language = asked_language(request)
        found = self._numbers.regions(request.calling_code)
        behind = [one for one in found if page.cursor is None or (one.code, one.calling_code) > page.cursor]
        regions, token = page.answer(
            behind,
            lambda one: region_of(one, region_name(one.code, language)),
            lambda one: (one.code, one.calling_code),
        )
        return pb.ListRegionsResponse(
            regions=regions,
            next_page_token=token,
            total_size=len(found),
            metadata_version=self._numbers.version,
        )

    async def LookupNumber(self, request: pb.LookupNumberRequest) -> pb.LookupNumberResponse:
        """The configured provider's present answer about a number."""
        if self._lookup is None:
            raise FailedPrecondition(
                Reason.LOOKUP_NOT_CONFIGURED,
                "this server has no provider of live look-ups: ask its operator, or use ValidateNumber",
            )
        text, region = request.phone_number, await self._regions.chosen(self._terms.region(request))
        number = self._numbers.validate(text, region)
        answer = doubted_of(number, self._numbers.doubts(text, number))
        response = pb.LookupNumberResponse(number=answer, outcome=number_pb2.LOOKUP_OUTCOME_NOT_VALID)
        response.number.metadata_version = self._numbers.version
        if number.valid:
            add_answer(response, await self._lookup.of(current_caller().tenant_id, number.e164))
        return response
