"""CSV file of rejected rows. It opens in a spreadsheet, and can be imported again after corrections."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, Sequence

from bossjy_server.contact_file import guarded
from bossjy_server.errors import NotFound
from bossjy_server.imports import reject_store, store
from bossjy_server.imports.jsonl import object_of
from bossjy_server.imports.layout import RejectReason, layout_of
from bossjy_server.imports.records import FileFormat, RejectedRow, SourceFormat
from bossjy_server.imports.rejects import KEPT_ROW
from bossjy_server.imports.scan import scan_row
from bossjy_server.storage import audit
from bossjy_server.storage.postgres import Database

# After the columns of the file; `mapping` knows these names and ignores them.
NOTES = ("bossjy_line", "bossjy_column", "bossjy_reason", "bossjy_suggestion", "bossjy_row")
_ROWS_AT_ONCE = 1000


async def reject_file(
    database: Database, tenant_id: str, import_id: str, *, plain: bool
) -> AsyncGenerator[tuple[bytes, int]]:
    """Pieces of the file, and the rows so far. Raises NotFound. `plain`: no cell is guarded for spreadsheets."""
    async with database.tenant(tenant_id) as connection:
        job = await store.find_import(connection, tenant_id, import_id)
        if job is not None:
            await audit.record(connection, tenant_id, "imports.export_rejects", resource=import_id)
    if job is None:
        raise NotFound("import")
    source = (job.resolved or job.spec).source
    yield b"\xef\xbb\xbf" + csv_lines([[*source.columns, *NOTES]], plain=plain), 0
    after, count = (0, -1), 0
    while True:
        async with database.tenant(tenant_id, long=True) as connection:
            rows = await reject_store.page(connection, tenant_id, import_id, after, reason=0, limit=_ROWS_AT_ONCE)
        if not rows:
            return
        after, count = (rows[-1].part, rows[-1].byte_offset), count + len(rows)
        yield csv_lines([_row(row, source) for row in rows], plain=plain), count


def _row(row: RejectedRow, source: SourceFormat) -> list[str]:
    """The original cells, and the notes. A row that cannot be split into cells is in the last note as a whole."""
    # A row that fills the kept length may have been truncated: its last cell would be shorter than the original.
    cells = None if len(row.row_text) >= KEPT_ROW else cells_of(row.row_text, source)
    notes = [str(row.line), row.column, RejectReason(row.reason).name, row.suggestion]
    if cells is None:
        return [""] * len(source.columns) + notes + [row.row_text]
    whole = row.row_text if row.reason == RejectReason.WRONG_CELL_COUNT else ""
    return [*cells, *notes, whole]


def cells_of(text: str, source: SourceFormat) -> list[str] | None:
    """A cell for each column. The last one gets all surplus cells: an unquoted delimiter is their usual cause."""
    count = len(source.columns)
    if source.format is FileFormat.JSONL:
        read = object_of(text.encode())
        known = read is not None and read.keys() <= set(source.columns)
        return [read.get(name, "") for name in source.columns] if read is not None and known else None
    row = scan_row(text.encode(), 0, layout_of(source, count, 1 << 30), final=True)
    if row.fault not in {None, RejectReason.WRONG_CELL_COUNT} or row.end < len(text.encode()):
        return None
    cells = [cell.decode() for cell in row.cells]
    return [*cells[: count - 1], source.delimiter.join(cells[count - 1 :])]


def csv_lines(rows: Sequence[Sequence[str]], *, plain: bool = False) -> bytes:
    """Rows of CSV. Cells that a spreadsheet would run are guarded unless `plain`."""
    text = io.StringIO()
    csv.writer(text).writerows(rows if plain else [[guarded(cell) for cell in row] for row in rows])
    return text.getvalue().encode()
