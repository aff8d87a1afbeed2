"""CSV file of rejected rows. It opens in a spreadsheet, and can be imported again after corrections."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from bossjy_server.imports.cleaning.rejects import KEPT_ROW
from bossjy_server.imports.database import reject_store
from bossjy_server.imports.files.row_file import row_file
from bossjy_server.imports.reading.jsonl import object_of
from bossjy_server.imports.reading.layout import RejectReason, layout_of
from bossjy_server.imports.reading.scan import scan_row
from bossjy_server.imports.records import FileFormat, ImportJob, RejectedRow, SourceFormat
from bossjy_server.storage.postgres import Connection, Database

# After the columns of the file; `mapping` knows these names and ignores them.
NOTES = ("bossjy_line", "bossjy_column", "bossjy_reason", "bossjy_suggestion", "bossjy_row")


def reject_file(
    database: Database, tenant_id: str, import_id: str, *, plain: bool
) -> AsyncGenerator[tuple[bytes, int]]:
    """Pieces of the file, and the rows so far. Raises NotFound. `plain`: no cell is guarded for spreadsheets."""

    async def page(connection: Connection, after: tuple[int, int], limit: int) -> list[RejectedRow]:
        return await reject_store.page(connection, tenant_id, import_id, after, reason=0, limit=limit)

    return row_file(database, (tenant_id, import_id), "imports.export_rejects", NOTES, page, _row, plain=plain)


def _row(row: RejectedRow, job: ImportJob) -> list[str]:
    """The original cells, and the notes. A row that cannot be split into cells is in the last note as a whole."""
    source = (job.resolved or job.spec).source
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
