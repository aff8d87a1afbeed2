"""Limits of imports: configurable and fixed ones."""

from __future__ import annotations

from dataclasses import dataclass

from bossjy_server import setting_texts as read
from bossjy_server.setting_texts import setting

# As the contract states it for ImportSpec.part_count.
PARTS_MAX = 64


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Sizes in bytes, times in seconds. Limits apply to one import of one tenant unless stated otherwise."""

    max_chunk_bytes: int = 3 * 1024 * 1024
    # Rows are split, cleaned and committed in blocks of about this size.
    block_bytes: int = 1024 * 1024
    # Also a limit of rows: rows and rejects are objects for a while.
    block_rows: int = 32_768
    max_file_bytes: int = setting(
        "BOSSJY_IMPORT_FILE_BYTES",
        64 * 1024**3,
        read.whole(1, 2**47),
        "Largest part of an import's file, as it is sent.",
    )
    max_row_bytes: int = setting(
        "BOSSJY_IMPORT_ROW_BYTES", 1024 * 1024, read.whole(256, 8 * 1024 * 1024), "Longest row of an import's file."
    )
    max_columns: int = setting(
        "BOSSJY_IMPORT_COLUMNS", 1000, read.whole(1, 10_000), "Most columns of an import's file."
    )
    # Rejected rows that are kept for listing; `counts.rejected` continues to count.
    max_rejects_kept: int = setting(
        "BOSSJY_IMPORT_REJECTS",
        1_000_000,
        read.whole(1, 10**9),
        "Rejected rows of one import that are kept for listing.",
    )
    # For all parts in total; `counts.duplicate` counts all.
    max_duplicates_kept: int = setting(
        "BOSSJY_IMPORT_DUPLICATES",
        1_000_000,
        read.whole(0, 10**9),
        "Duplicate rows of one import that are kept for listing; 0: none.",
    )
    max_parts: int = setting("BOSSJY_IMPORT_PARTS", PARTS_MAX, read.whole(1, PARTS_MAX), "Most parts of one import.")
    # Imports of one tenant that are open at once.
    max_open_imports: int = setting(
        "BOSSJY_OPEN_IMPORTS_PER_TENANT", 20, read.whole(1, 100_000), "Imports of one tenant that are open at once."
    )
    # An upload without messages for longer is ended; it can be opened again.
    idle_s: float = 60.0
    # Rows that wait for more rows are committed after this.
    flush_s: float = 0.25
    # After this a header and a row of ASCII are enough for a start: the producer is slow.
    slow_head_s: float = 2.0
    # Interval at which WatchImport looks for a change, and an idle upload checks its import for a cancellation.
    poll_s: float = 0.2
    # Longest wait of a part for the header that another part brings.
    header_wait_s: float = 30.0
    # Longest run of one statement of RevertImport, which touches every row of an import.
    revert_timeout_s: float = 600.0
    # Imports that ended longer ago cannot be reverted; 0: all can. Their rows are kept as long, besides the contacts.
    revert_days: int = setting(
        "BOSSJY_REVERT_DAYS",
        90,
        read.whole(0, 36_500),
        "Imports that ended longer ago cannot be reverted, and their rows are deleted; 0: never.",
    )
    # Blocks in memory, for all uploads of the process: each takes up to 10 MiB.
    blocks: int = setting(
        "BOSSJY_IMPORT_BLOCKS",
        6,
        read.whole(2, 1024),
        "Blocks of all imports in one process that are in memory at once, 10 MiB each. More uploads wait.",
    )
    # Threads that split and clean blocks, for all uploads of the process. One cleans twice as fast as PostgreSQL
    # merges; more would make other calls wait for the interpreter.
    threads: int = 1

    @property
    def window_bytes(self) -> int:
        """The bytes that a client may have in flight beyond the last acknowledged offset; at least twice `block_bytes`.

        A client must be able to send a whole row, and the few rows that show the form of a file.
        """
        return 4 * max(self.max_row_bytes, 1024 * 1024)
