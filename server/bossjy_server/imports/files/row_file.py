"""CSV file of rows of an import, page by page: the columns of the import, and notes about each row."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from bossjy_server.contact_file import guarded
from bossjy_server.errors import NotFound
from bossjy_server.imports.database import store
from bossjy_server.imports.records import ImportJob
from bossjy_server.storage import audit
from bossjy_server.storage.postgres import Connection, Database

_ROWS_AT_ONCE = 1000


class _Placed(Protocol):
    """A row with its place in the file."""

    @property
    def part(self) -> int: ...
    @property
    def byte_offset(self) -> int: ...


Row = TypeVar("Row", bound=_Placed)
# A page of rows after a part and byte offset, at most so many.
Page = Callable[[Connection, tuple[int, int], int], Awaitable[list[Row]]]


async def row_file(  # noqa: PLR0917 - the parts of the file
    database: Database,
    names: tuple[str, str],
    action: str,
    notes: Sequence[str],
    page: Page[Row],
    cells: Callable[[Row, ImportJob], list[str]],
    *,
    plain: bool = False,
) -> AsyncGenerator[tuple[bytes, int]]:
    """Pieces of the file, and the number of rows written so far. Raises NotFound.

    `names`: tenant and import. `action`: the event for the audit log. `notes`: the columns after those of the import.
    `plain`: no cell is guarded for spreadsheets.
    """
    tenant_id, import_id = names
    async with database.tenant(tenant_id) as connection:
        job = await store.find_import(connection, tenant_id, import_id)
        if job is not None:
            await audit.record(connection, tenant_id, action, resource=import_id)
    if job is None:
        raise NotFound("import")
    columns = (job.resolved or job.spec).source.columns
    yield b"\xef\xbb\xbf" + _csv_lines([[*columns, *notes]], plain=plain), 0
    after, count = (0, -1), 0
    while True:
        async with database.tenant(tenant_id, long=True) as connection:
            rows = await page(connection, after, _ROWS_AT_ONCE)
        if not rows:
            return
        after, count = (rows[-1].part, rows[-1].byte_offset), count + len(rows)
        yield _csv_lines([cells(row, job) for row in rows], plain=plain), count


def _csv_lines(rows: Sequence[Sequence[str]], *, plain: bool) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows if plain else [[guarded(cell) for cell in row] for row in rows])
    return text.getvalue().encode()
