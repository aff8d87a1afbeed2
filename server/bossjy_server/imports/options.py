"""Limits of imports: those that an operator sets, and fixed ones."""

from __future__ import annotations

from dataclasses import dataclass

from bossjy_server import setting_texts as read
from bossjy_server.setting_texts import setting

# As the contract states it for ImportSpec.part_count.
PARTS_MAX = 64


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Sizes in bytes, times in seconds. Limits hold for one tenant's one import unless said otherwise."""

    max_chunk_bytes: int = 3 * 1024 * 1024
    # Rows are cut, cleaned and committed in blocks of about this size.
    block_bytes: int = 1024 * 1024
    # And of at most so many rows: rows and refusals are objects for a while.
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
    # Refused rows that are kept to be listed; `counts.rejected` goes on counting.
    max_rejects_kept: int = setting(
        "BOSSJY_IMPORT_REJECTS",
        1_000_000,
        read.whole(1, 10**9),
        "Refused rows of one import that are kept to be listed.",
    )
    # Of all parts together; `counts.duplicate` counts all.
    max_duplicates_kept: int = setting(
        "BOSSJY_IMPORT_DUPLICATES",
        1_000_000,
        read.whole(0, 10**9),
        "Duplicate rows of one import that are kept to be listed; 0: none.",
    )
    max_parts: int = setting("BOSSJY_IMPORT_PARTS", PARTS_MAX, read.whole(1, PARTS_MAX), "Most parts of one import.")
    # Imports of one tenant that are open at once.
    max_open_imports: int = setting(
        "BOSSJY_OPEN_IMPORTS_PER_TENANT", 20, read.whole(1, 100_000), "Imports of one tenant that are open at once."
    )
    # An upload that says nothing for longer is ended; it can be opened again.
    idle_s: float = 60.0
    # Rows that wait for more to come are committed after this.
    flush_s: float = 0.25
    # After this a header and a row of ASCII are enough to begin with: the producer is slow.
    slow_head_s: float = 2.0
    # How often WatchImport looks for a change, and an idle upload whether its import was cancelled.
    poll_s: float = 0.2
    # Longest wait of a part for the header that another part brings.
    header_wait_s: float = 30.0
    # Longest run of one statement of RevertImport, which touches every row of an import.
    revert_timeout_s: float = 600.0
    # Imports that ended longer ago cannot be reverted; 0: all can. Their rows are kept so long, beside the contacts.
    revert_days: int = setting(
        "BOSSJY_REVERT_DAYS",
        90,
        read.whole(0, 36_500),
        "Imports that ended longer ago cannot be reverted, and their rows are forgotten; 0: never.",
    )
    # Threads that cut and clean blocks, for all uploads of the process together. One cleans twice as fast as PostgreSQL
    # merges; more would make other calls wait for the interpreter.
    threads: int = 1

    @property
    def window_bytes(self) -> int:
        """How much a client may have in flight beyond the last acknowledged offset; at least twice `block_bytes`.

        A client must be able to send the whole of a row, and of the few that tell what a file is.
        """
        return 8 * max(self.max_row_bytes, 1024 * 1024)
