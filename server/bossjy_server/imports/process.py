"""What all uploads of a process share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from bossjy_numbering import Plan
from bossjy_numbering.enrich import Enrichment
from bossjy_server.imports.metrics import ImportMetrics
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.threads import ImportThreads
from bossjy_server.imports.tidying import Tidying
from bossjy_server.storage.postgres import Database


@dataclass(frozen=True, slots=True)
class UploadProcess:
    """`threads` cut and clean; `draining` is set when the server ends.

    `load_enrichment` gives the tables of carriers and places, which takes long the first time: it runs in a thread.
    """

    database: Database
    plan: Plan
    options: ImportOptions
    threads: ImportThreads
    draining: asyncio.Event
    load_enrichment: Callable[[], Enrichment]
    metrics: ImportMetrics
    tidying: Tidying
