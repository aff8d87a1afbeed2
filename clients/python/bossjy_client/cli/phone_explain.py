"""`bossjy phone explain`: the fault of a number, its place, the lengths that its region has, and likely corrections."""

from __future__ import annotations

from collections.abc import Sequence

from bossjy.phone.v1 import phone_service_pb2
from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.messages import tr
from bossjy_client.cli.phone import show_number
from bossjy_client.cli.session import Session
from bossjy_client.client import AsyncClient
from bossjy_client.errors import BossjyError

Explanation = phone_service_pb2.ExplainNumberResponse


async def _explain(session: Session) -> ExitCode:
    args, output = session.args, session.output
    async with session.client() as client:
        answer = await client.phone.explain(args.number, args.region, language=session.language)
        if output.as_json:
            output.message(answer)
            return _code(answer)
        lengths = [] if answer.number.valid else await _lengths(client, answer)
    show_number(session, answer.number)
    output.line(answer.explanation)
    if not answer.number.valid:
        output.pairs((("failed digit", failed_digit(answer)), ("expected lengths", ", ".join(map(str, lengths)))))
    _show_corrections(session, answer)
    return _code(answer)


def _code(answer: Explanation) -> ExitCode:
    return ExitCode.DONE if answer.number.valid else ExitCode.FINDINGS


async def _lengths(client: AsyncClient, answer: Explanation) -> Sequence[int]:
    """The lengths of numbers of its region; of the first region of its calling code, if it has none of its own."""
    code = answer.number.region_code or answer.region_code
    try:
        if not code and answer.number.calling_code:
            async for one in client.phone.regions(calling_code=answer.number.calling_code):
                code = one.region_code
                break
        return (await client.phone.region(code)).possible_lengths if code else []
    except BossjyError:
        return []  # an identity with few scopes: the explanation is complete without them


def failed_digit(answer: Explanation) -> str:
    """The place of the digit after which no number continues, in the digits of the national number."""
    digits, place = str(answer.number.national_number or ""), answer.failed_digit
    if place < 0 or not digits:
        return ""
    if place >= len(digits):
        return tr("the next digit is missing after {digits}", digits=digits)
    marked = f"{digits[:place]}[{digits[place]}]{digits[place + 1 :]}"
    return tr(
        "digit {place} ({digit}) of {marked}: no number of the plan continues so",
        place=place + 1,
        digit=digits[place],
        marked=marked,
    )


def _show_corrections(session: Session, answer: Explanation) -> None:
    output = session.output
    if answer.fixes:
        output.table(
            ("likely fix", "extension", "region", "what was done"),
            ((fix.e164, fix.extension, fix.region_code, fix.description) for fix in answer.fixes),
        )
    elif not answer.number.valid and not answer.numbers and not answer.candidates:
        output.note(tr("no likely correction was found"))
    if answer.numbers:
        rows = ((one.e164, one.extension, one.region_code) for one in answer.numbers)
        output.table(("number in the text", "extension", "region"), rows)
    if answer.candidates:
        rows = ((one.e164, one.extension, one.region_code) for one in answer.candidates)
        output.table(("possible reading", "extension", "region"), rows)
