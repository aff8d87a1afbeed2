"""What all uploads of a process share."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass

from bossjy_numbering import Plan
from bossjy_server.imports.options import ImportOptions
from bossjy_server.storage.postgres import Database


@dataclass(frozen=True, slots=True)
class UploadProcess:
    """`executor` has threads that cut and clean; `draining` is set when the server ends."""

    database: Database
    plan: Plan
    options: ImportOptions
    executor: Executor
    draining: asyncio.Event
