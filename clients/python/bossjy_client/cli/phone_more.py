"""More commands of `bossjy phone`: comparisons, input fields, short numbers, regions."""

from __future__ import annotations

from bossjy.phone.v1 import number_pb2
from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.messages import tr
from bossjy_client.cli.output import enum_word
from bossjy_client.cli.session import Session


def short_words(short: number_pb2.ShortNumber) -> str:
    """The kind and cost of a short number as text."""
    cost = enum_word(number_pb2.ShortNumberCost.Name(short.expected_cost), "SHORT_NUMBER_COST_")
    said = (
        (tr("emergency"), short.emergency),
        (tr("connects to emergency"), short.connects_to_emergency and not short.emergency),
        (cost, short.expected_cost),
        (tr("one carrier only"), short.carrier_specific),
        (tr("text messages"), short.sms_service),
    )
    return ", ".join([tr("of {region}", region=short.region_code), *(word for word, applies in said if applies)])


async def _partial(session: Session) -> ExitCode:
    args = session.args
    async with session.client() as client:
        answer = await client.phone.format_partial(args.number, args.region, cursor=args.cursor)
    if session.output.as_json:
        session.output.message(answer)
    else:
        session.output.line(answer.formatted)
    return ExitCode.DONE


async def _short(session: Session) -> ExitCode:
    args = session.args
    async with session.client() as client:
        short = await client.phone.short_number(args.number, args.region)
    holds = short.valid or short.emergency
    if session.output.as_json:
        session.output.message(short)
    else:
        possible = (
            tr("no, but {region} has short numbers of this length", region=short.region_code)
            if short.possible
            else tr("no")
        )
        session.output.pairs(
            (("valid", tr("yes") if holds else possible), ("details", short_words(short) if holds else ""))
        )
    return ExitCode.DONE if holds else ExitCode.FINDINGS


async def _region(session: Session) -> ExitCode:
    async with session.client() as client:
        region = await client.phone.region(session.args.code, language=session.language)
    if session.output.as_json:
        session.output.message(region)
        return ExitCode.DONE
    session.output.pairs(
        (
            ("region", region.region_code),
            ("name", region.display_name),
            ("calling code", f"+{region.calling_code}"),
            ("national prefix", region.national_prefix),
            ("international prefix", region.international_prefix),
            ("lengths", ", ".join(map(str, region.possible_lengths))),
        )
    )
    session.output.table(
        ("type", "example"),
        ((enum_word(number_pb2.NumberType.Name(one.type), "NUMBER_TYPE_"), one.e164) for one in region.example_numbers),
    )
    return ExitCode.DONE


async def _match(session: Session) -> ExitCode:
    async with session.client() as client:
        args = session.args
        match = await client.phone.match(
            args.first, args.second, first_region=args.region, second_region=args.second_region or args.region
        )
    word = enum_word(number_pb2.MatchType.Name(match), "MATCH_TYPE_")
    if session.output.as_json:
        session.output.json({"match": word})
    else:
        session.output.line(word)
    different = match in (number_pb2.MATCH_TYPE_NO_MATCH, number_pb2.MATCH_TYPE_NOT_A_NUMBER)
    return ExitCode.FINDINGS if different else ExitCode.DONE


async def _regions(session: Session) -> ExitCode:
    args, output = session.args, session.output
    if args.number:
        return await _readings(session)
    async with session.client() as client:
        regions = [
            region async for region in client.phone.regions(calling_code=args.calling_code, language=session.language)
        ]
    if output.as_json:
        for region in regions:
            output.message(region)
    else:
        rows = ((r.region_code, f"+{r.calling_code}", r.display_name, r.example_number) for r in regions)
        output.table(("region", "code#", "name", "example"), rows)
    return ExitCode.DONE


async def _readings(session: Session) -> ExitCode:
    async with session.client() as client:
        readings = await client.phone.find_regions(session.args.number)
    if session.output.as_json:
        for reading in readings:
            session.output.message(reading)
    else:
        rows = ((one.region_code, one.e164, one.extension) for one in readings)
        session.output.table(("region", "E.164", "extension"), rows)
    return ExitCode.DONE if readings else ExitCode.FINDINGS
