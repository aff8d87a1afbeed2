"""The limits of imports. Each has a default; `app` sets them from the settings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Sizes in bytes, times in seconds. Limits hold for one tenant's one import unless said otherwise."""

    max_chunk_bytes: int = 3 * 1024 * 1024
    # Rows are cut, cleaned and committed in blocks of about this size.
    block_bytes: int = 1024 * 1024
    # And of at most so many rows: rows and refusals are objects for a while.
    block_rows: int = 32_768
    # How much a client may have in flight beyond the last acknowledged offset; at least twice `block_bytes`.
    window_bytes: int = 8 * 1024 * 1024
    max_file_bytes: int = 64 * 1024**3
    max_row_bytes: int = 1024 * 1024
    max_columns: int = 1000
    # Refused rows that are kept to be listed; `counts.rejected` goes on counting.
    max_rejects_kept: int = 1_000_000
    max_parts: int = 1000
    # Imports of one tenant that are open at once.
    max_open_imports: int = 20
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
    revert_days: int = 90
    # Threads that cut and clean blocks, for all uploads of the process together. One cleans twice as fast as PostgreSQL
    # merges; more would make other calls wait for the interpreter.
    threads: int = 1
