"""`bossjy contacts`: the tenant's contacts."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bossjy.contacts.v1 import contact_pb2
from bossjy.phone.v1 import number_pb2
from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.files import write_file
from bossjy_client.cli.messages import tr
from bossjy_client.cli.output import as_dict, enum_word
from bossjy_client.cli.session import Session
from bossjy_client.client import Client

_FORMATS = {
    "csv": contact_pb2.EXPORT_FORMAT_CSV,
    "jsonl": contact_pb2.EXPORT_FORMAT_JSONL,
    "arrow": contact_pb2.EXPORT_FORMAT_ARROW,
}
_DIMENSIONS = {
    "region": contact_pb2.STATS_DIMENSION_REGION,
    "type": contact_pb2.STATS_DIMENSION_NUMBER_TYPE,
    "carrier": contact_pb2.STATS_DIMENSION_CARRIER,
    "day": contact_pb2.STATS_DIMENSION_CREATE_DAY,
    "import": contact_pb2.STATS_DIMENSION_CREATED_IMPORT,
}


async def _list(session: Session) -> ExitCode:
    args, output = session.args, session.output
    page_size = min(1000, args.limit) if args.limit else 1000
    async with session.client() as client:
        found = client.contacts.list(args.filter, order_by=args.order_by, page_size=page_size)
        if output.as_json:
            async for contact in _first(found, args.limit):
                output.message(contact)
        else:
            rows = [_row(contact) async for contact in _first(found, args.limit)]
            output.table(("number", "region", "type", "name", "mail"), rows)
    return ExitCode.DONE


async def _first(contacts: AsyncIterator[contact_pb2.Contact], limit: int) -> AsyncIterator[contact_pb2.Contact]:
    count = 0
    async for contact in contacts:
        yield contact
        count += 1
        if count == limit:
            return


def _row(contact: contact_pb2.Contact) -> tuple[str, ...]:
    kind = enum_word(number_pb2.NumberType.Name(contact.number_type), "NUMBER_TYPE_")
    return contact.phone_number, contact.region_code, kind, contact.name, contact.email


async def _get(session: Session) -> ExitCode:
    async with session.client() as client:
        contact = await client.contacts.get(session.args.number)
    if session.output.as_json:
        session.output.message(contact)
    else:
        number, region, kind, name, email = _row(contact)
        session.output.pairs(
            (
                ("number", number),
                ("extension", contact.extension),
                ("region", region),
                ("type", kind),
                ("name", name),
                ("mail", email),
                ("additional numbers", ", ".join(contact.other_numbers)),
                ("carrier", contact.carrier),
                ("place", contact.place),
                ("brought by import", contact.created_import_id),
                ("changed", contact.update_time.ToJsonString()),
            ),
            own=sorted(contact.attributes.items()),
        )
    return ExitCode.DONE


async def _stats(session: Session) -> ExitCode:
    args, output = session.args, session.output
    dimensions = [_DIMENSIONS[name] for name in args.by]
    async with session.client() as client:
        answer = await client.contacts.stats(args.filter, dimensions=dimensions)
    if output.as_json:
        output.json(as_dict(answer))
        return ExitCode.DONE
    output.pairs((("contacts", answer.total_count),))
    for table in answer.tables:
        title = enum_word(contact_pb2.StatsDimension.Name(table.dimension), "STATS_DIMENSION_").lower()
        rows = [(bucket.value, bucket.count) for bucket in table.buckets]
        output.table((title, "contacts#"), [*rows, (tr("others"), table.other_count)] if table.other_count else rows)
    return ExitCode.DONE


async def _export(session: Session) -> ExitCode:
    args = session.args
    written = 0

    async def pieces(client: Client) -> AsyncIterator[bytes]:
        nonlocal written
        plain = args.audience == "data"
        async for piece in client.contacts.export(args.filter, format=_FORMATS[args.format], plain_cells=plain):
            written = piece.contact_count
            yield piece.data

    async with session.client() as client:
        size = await write_file(pieces(client), args.output)
    if args.output != "-":
        if session.output.as_json:
            session.output.json({"contacts": written, "bytes": size, "file": args.output})
        session.output.note(
            tr("{written:,} contacts, {size:,} bytes in {output}", written=written, size=size, output=args.output)
        )
    return ExitCode.DONE


async def _delete(session: Session) -> ExitCode:
    async with session.client() as client:
        await client.contacts.delete(session.args.number)
    session.output.note(tr("deleted"))
    return ExitCode.DONE


async def _erase(session: Session) -> ExitCode:
    args = session.args
    async with session.client() as client:
        answer = await client.contacts.erase(args.numbers, purpose=args.purpose)
    if session.output.as_json:
        session.output.message(answer)
    else:
        session.output.pairs(
            (
                ("record", answer.erasure_id),
                ("erased", answer.erased_count),
                ("not there", answer.missing_count),
            )
        )
    return ExitCode.DONE
