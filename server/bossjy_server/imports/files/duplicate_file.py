"""CSV file of duplicate rows. It opens in a spreadsheet, and can be imported again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from bossjy_server.imports.cleaning.duplicates import DuplicateRow, differences
from bossjy_server.imports.cleaning.rejects import KEPT_ROW
from bossjy_server.imports.database import duplicate_store
from bossjy_server.imports.files.reject_file import cells_of
from bossjy_server.imports.files.row_file import row_file
from bossjy_server.imports.records import ColumnMapping, ContactField, ImportJob, SourceFormat
from bossjy_server.storage.postgres import Connection, Database

# After the columns of the file; `mapping` knows these names and ignores them.
NOTES = (
    "bossjy_part",
    "bossjy_line",
    "bossjy_offset",
    "bossjy_number",
    "bossjy_winner_part",
    "bossjy_winner_line",
    "bossjy_winner_offset",
    "bossjy_differences",
    "bossjy_row",
)


def duplicate_file(
    database: Database, tenant_id: str, import_id: str, *, plain: bool
) -> AsyncGenerator[tuple[bytes, int]]:
    """Pieces of the file, and the rows so far. Raises NotFound. `plain`: no cell is guarded for spreadsheets."""

    async def page(connection: Connection, after: tuple[int, int], limit: int) -> list[DuplicateRow]:
        return await duplicate_store.page(connection, tenant_id, import_id, after, limit)

    return row_file(database, (tenant_id, import_id), "imports.export_duplicates", NOTES, page, _row, plain=plain)


def _row(row: DuplicateRow, job: ImportJob) -> list[str]:
    """The original cells, and the notes. The cells of a row without text are built from its values."""
    source = (job.resolved or job.spec).source
    # A row that fills the kept length may have been truncated: its last cell would be shorter than the original.
    cells = None if len(row.row_text) >= KEPT_ROW else cells_of(row.row_text, source)
    whole = row.row_text if cells is None else ""
    if not row.row_text:
        cells = _made_cells(row, source, (job.resolved or job.spec).mapping)
    winner_part, winner_offset = (str(row.winner[0]), str(row.winner[1])) if row.winner else ("", "")
    return [
        *(cells if cells is not None else [""] * len(source.columns)),
        str(row.part),
        str(row.line or ""),
        str(row.byte_offset),
        row.e164,
        winner_part,
        str(row.winner_line or ""),
        winner_offset,
        "; ".join(f"{one.field}: {one.value} (contact: {one.contact_value or '-'})" for one in differences(row)),
        whole,
    ]


def _made_cells(row: DuplicateRow, source: SourceFormat, mapping: Sequence[ColumnMapping]) -> list[str]:
    values = row.values
    texts = {
        ContactField.PHONE_NUMBER: f"{row.e164};ext={values.extension}" if values.extension else row.e164,
        ContactField.NAME: values.name,
        ContactField.EMAIL: values.email,
        ContactField.OTHER_NUMBER: ";".join(values.other_numbers),
    }
    meant = {one.column: one for one in mapping}
    cells: list[str] = []
    for column in source.columns:
        one = meant.get(column)
        if one is None or one.field is ContactField.ATTRIBUTE:
            cells.append(values.attributes.get((one and one.attribute) or column, ""))
        else:
            cells.append(texts.pop(one.field, ""))
    return cells
