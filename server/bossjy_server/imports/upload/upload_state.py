"""State shared by all uploads of a process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from bossjy_numbering import Plan
from bossjy_numbering.enrich import Enrichment
from bossjy_server.imports.database.cleanup import Cleanup
from bossjy_server.imports.metrics import ImportMetrics
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.upload.threads import ImportThreads
from bossjy_server.storage.postgres import Database
from bossjy_server.storage.shares import Shares


@dataclass(frozen=True, slots=True)
class UploadProcess:
    """`threads` split and clean blocks; `blocks` are the slots for them; `draining` is set when the server ends.

    `load_enrichment` returns the tables of carriers and places. It is slow the first time, so it runs in a thread.
    """

    database: Database
    plan: Plan
    options: ImportOptions
    threads: ImportThreads
    blocks: Shares
    draining: asyncio.Event
    load_enrichment: Callable[[], Enrichment]
    metrics: ImportMetrics
    cleanup: Cleanup
