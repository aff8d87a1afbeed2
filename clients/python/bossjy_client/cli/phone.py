"""`bossjy phone`: queries about numbers."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

from bossjy.phone.v1 import number_pb2, phone_service_pb2
from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.messages import tr
from bossjy_client.cli.output import as_dict, enum_word
from bossjy_client.cli.phone_more import short_words
from bossjy_client.cli.session import Session
from bossjy_client.phone import BATCH_LIMIT

_COLUMNS = ("text", "valid", "E.164", "region", "type", "reason")


async def _validate(session: Session) -> ExitCode:
    args, output = session.args, session.output
    texts = _texts(args.numbers)
    all_valid = True
    async with session.client() as client:
        while batch := list(islice(texts, BATCH_LIMIT)):
            answers = client.phone.validate_many(batch, args.region, full=args.full, language=session.language)
            rows = [(text, answer) async for text, answer in _beside(batch, answers)]
            all_valid = all_valid and all(answer.valid for _, answer in rows)
            if output.as_json:
                for text, answer in rows:
                    output.json({"text": text, **as_dict(answer)})
            elif len(rows) == 1:
                show_number(session, rows[0][1])
            else:
                output.table(_COLUMNS, (_row(text, answer) for text, answer in rows))
    return ExitCode.DONE if all_valid else ExitCode.FINDINGS


async def _beside(texts: list[str], answers: Any) -> Any:
    position = 0
    async for answer in answers:
        yield texts[position], answer
        position += 1


def _texts(arguments: list[str]) -> Iterator[str]:
    for argument in arguments:
        if argument == "-":
            yield from (line.rstrip("\r\n") for line in sys.stdin)
        else:
            yield argument


def _row(text: str, answer: phone_service_pb2.ValidateNumberResponse) -> tuple[str, ...]:
    return (
        text,
        tr("yes") if answer.valid else tr("no"),
        answer.e164,
        answer.region_code,
        _type(answer),
        _reason(answer),
    )


def _type(answer: phone_service_pb2.ValidateNumberResponse) -> str:
    return enum_word(number_pb2.NumberType.Name(answer.type), "NUMBER_TYPE_") if answer.type else ""


def _reason(answer: phone_service_pb2.ValidateNumberResponse) -> str:
    return enum_word(number_pb2.InvalidReason.Name(answer.reason), "INVALID_REASON_") if answer.reason else ""


def _warning(warning: number_pb2.NumberWarning.ValueType) -> str:
    return enum_word(number_pb2.NumberWarning.Name(warning), "NUMBER_WARNING_")


def show_number(session: Session, answer: phone_service_pb2.ValidateNumberResponse) -> None:
    """Print the answer for a number."""
    session.output.pairs(
        (
            ("valid", tr("yes") if answer.valid else tr("no")),
            ("reason", _reason(answer)),
            ("E.164", answer.e164),
            ("region", answer.region_code),
            ("type", _type(answer)),
            ("extension", answer.extension),
            ("international", answer.international_format),
            ("national", answer.national_format),
            ("URI", answer.rfc3966_format),
            ("carrier", answer.carrier),
            ("carrier may have changed", tr("yes") if answer.carrier and not answer.carrier_reliable else ""),
            ("place", answer.place),
            ("time zones", ", ".join(answer.time_zones)),
            ("short number", short_words(answer.short_number) if answer.HasField("short_number") else ""),
            ("warnings", " ".join(map(_warning, answer.warnings))),
            ("plan", answer.metadata_version),
        )
    )


async def _lookup(session: Session) -> ExitCode:
    args = session.args
    async with session.client() as client:
        answer = await client.phone.lookup(args.number, args.region)
    if session.output.as_json:
        session.output.message(answer)
    else:
        told_at = answer.lookup_time.ToJsonString() if answer.HasField("lookup_time") else ""
        ported = (tr("yes") if answer.ported else tr("no")) if answer.HasField("ported") else ""
        session.output.pairs(
            (
                ("outcome", enum_word(number_pb2.LookupOutcome.Name(answer.outcome), "LOOKUP_OUTCOME_")),
                ("E.164", answer.number.e164),
                ("reason", _reason(answer.number)),
                ("carrier", answer.carrier),
                ("line", answer.line_status),
                ("ported", ported),
                ("told at", told_at),
            )
        )
    return ExitCode.DONE if answer.outcome == number_pb2.LOOKUP_OUTCOME_FOUND else ExitCode.FINDINGS


async def _format(session: Session) -> ExitCode:
    args = session.args
    async with session.client() as client:
        answer = await client.phone.format(args.number, args.region, calling_from_region=args.calling_from.upper())
    if session.output.as_json:
        session.output.message(answer)
    else:
        session.output.pairs(
            (
                ("E.164", answer.e164),
                ("international", answer.international_format),
                ("national", answer.national_format),
                ("URI", answer.rfc3966_format),
                ("dialled", answer.dialled_format),
            )
        )
    return ExitCode.DONE


async def _find(session: Session) -> ExitCode:
    args = session.args
    text = sys.stdin.read() if args.text == "-" else args.text
    async with session.client() as client:
        answer = await client.phone.find(text, args.region, full=args.full, language=session.language)
    if session.output.as_json:
        session.output.message(answer)
    else:
        rows = ((f.start, f.end, f.raw_text, f.number.e164, f.number.region_code) for f in answer.numbers)
        session.output.table(("from#", "to#", "text", "E.164", "region"), rows)
    return ExitCode.DONE
