"""`bossjy imports`: lists, results and reverts of imports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TypeVar

from bossjy_client.cli.exit_codes import ExitCode
from bossjy_client.cli.files import write_file
from bossjy_client.cli.importing.summary import show_changes, show_duplicates, show_import, show_rejects, state_word
from bossjy_client.cli.messages import tr
from bossjy_client.cli.output import as_dict
from bossjy_client.cli.session import Session
from bossjy_client.client import Client

_Row = TypeVar("_Row")


async def _list(session: Session) -> ExitCode:
    args, output = session.args, session.output
    jobs = []
    async with session.client() as client:
        async for job in client.imports.list(args.filter):
            jobs.append(job)
            if len(jobs) == args.limit:
                break
    if output.as_json:
        for job in jobs:
            output.json(as_dict(job))
    else:
        rows = (
            (
                j.import_id,
                j.spec.file_name,
                state_word(j),
                j.counts.rows_in,
                j.counts.rejected,
                j.create_time.ToJsonString(),
            )
            for j in jobs
        )
        output.table(("import", "file", "state", "rows#", "refused#", "made"), rows)
    return ExitCode.DONE


async def _show(session: Session) -> ExitCode:
    async with session.client() as client:
        show_import(session.output, await client.imports.get(session.args.import_id))
    return ExitCode.DONE


async def _watch(session: Session) -> ExitCode:
    async with session.client() as client:
        async for job in client.imports.watch(session.args.import_id):
            if session.output.as_json:
                session.output.json(as_dict(job))
            else:
                counts = job.counts
                session.output.line(
                    tr(
                        "{state}  {rows_in:,} rows, {rejected:,} refused",
                        state=state_word(job),
                        rows_in=counts.rows_in,
                        rejected=counts.rejected,
                    )
                )
    return ExitCode.DONE


async def _cancel(session: Session) -> ExitCode:
    async with session.client() as client:
        show_import(session.output, await client.imports.cancel(session.args.import_id))
    return ExitCode.DONE


async def _revert(session: Session) -> ExitCode:
    async with session.client() as client:
        answer = await client.imports.revert(session.args.import_id, validate_only=session.args.dry_run)
    if session.output.as_json:
        session.output.message(answer)
    else:
        session.output.pairs(
            (
                ("removed", answer.removed_count),
                ("restored", answer.restored_count),
                ("not reverted, changed since", answer.conflict_count),
            )
        )
    return ExitCode.DONE


async def _rejects(session: Session) -> ExitCode:
    args = session.args

    async def pieces(client: Client) -> AsyncIterator[bytes]:
        async for piece in client.imports.export_rejected_rows(args.import_id, plain_cells=args.audience == "data"):
            yield piece.data

    async with session.client() as client:
        if args.output:
            return await _write(session, pieces(client))
        rows = await _first(client.imports.rejected_rows(args.import_id), args.limit)
    show_rejects(session.output, rows)
    return ExitCode.DONE


async def _duplicates(session: Session) -> ExitCode:
    args = session.args

    async def pieces(client: Client) -> AsyncIterator[bytes]:
        async for piece in client.imports.export_duplicate_rows(args.import_id, plain_cells=args.audience == "data"):
            yield piece.data

    async with session.client() as client:
        if args.output:
            return await _write(session, pieces(client))
        rows = await _first(client.imports.duplicate_rows(args.import_id), args.limit)
    show_duplicates(session.output, rows)
    return ExitCode.DONE


async def _changes(session: Session) -> ExitCode:
    args = session.args
    async with session.client() as client:
        contacts = await _first(client.imports.changed_contacts(args.import_id), args.limit)
    show_changes(session.output, contacts)
    return ExitCode.DONE


async def _write(session: Session, pieces: AsyncIterator[bytes]) -> ExitCode:
    size = await write_file(pieces, session.args.output)
    session.output.note(tr("{size:,} bytes in {output}", size=size, output=session.args.output))
    return ExitCode.DONE


async def _first(rows: AsyncIterator[_Row], limit: int) -> list[_Row]:
    found: list[_Row] = []
    async for row in rows:
        found.append(row)
        if len(found) == limit:
            break
    return found
