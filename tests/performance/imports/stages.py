"""Time of an import by stage: microseconds per row, of one block after the other on one connection.

Stages of the server's threads are counted in CPU time; those of the database by the clock. `enrich` is the additional
time of `clean` with carriers and places, with the block in the caches both times.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path

from bossjy_numbering import load_plan
from bossjy_numbering.enrich import load_enrichment
from bossjy_server.imports.cleaning.clean import Cleaner
from bossjy_server.imports.cleaning.stage import stage
from bossjy_server.imports.database.merge import BlockMerge
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.reading.decode import Reader
from bossjy_server.imports.reading.resolve import resolve
from bossjy_server.imports.records import Counts, DuplicatePolicy, Part, Spec
from bossjy_server.storage.postgres import Database

TENANT = "stages-1"
_HEAD = 256 * 1024


async def measure_stages(database: Database, path: Path, rows: int) -> dict[str, float]:
    """Microseconds per row of split, clean, enrich, stage, copy, merge and commit, for about the first `rows` rows."""
    plan, options, spec = load_plan(), ImportOptions(), Spec(default_region="CN")
    data = await asyncio.to_thread(path.read_bytes)
    found = resolve(data[:_HEAD], spec, options, final=len(data) <= _HEAD)
    if found is None:
        raise ValueError(f"{path} has no header")
    part = Part(0, found.text_offset, found.line, Counts())
    reader, cleaner = Reader(found.spec, part, options), Cleaner(plan, found.spec)
    enriching = Cleaner(plan, found.spec, enrichment=load_enrichment())
    spent: Counter[str] = Counter()
    position, done = found.text_offset, 0
    while done < rows and position < len(data):
        block = data[position : position + options.block_bytes]
        began = time.thread_time()
        piece = reader.read(block, final=position + len(block) == len(data))
        split = time.thread_time()
        clean, _ = cleaner.clean(piece.rows, keep_rejects=options.max_rejects_kept)
        cleaned = time.thread_time()
        enriching.clean(piece.rows, keep_rejects=options.max_rejects_kept)
        enriched = time.thread_time()
        cleaner.clean(piece.rows, keep_rejects=options.max_rejects_kept)
        again = time.thread_time()
        staged = stage(clean, 0, DuplicatePolicy.FIRST_WINS)
        spent["split"] += int((split - began) * 1e9)
        spent["clean"] += int((cleaned - split) * 1e9)
        spent["enrich"] += int((enriched - cleaned - (again - enriched)) * 1e9)
        spent["stage"] += int((time.thread_time() - again) * 1e9)
        async with database.tenant(TENANT) as connection:
            block_merge = BlockMerge(connection, TENANT, "imp_stages", found.spec)
            began = time.perf_counter()
            await block_merge.copy(staged)
            copied = time.perf_counter()
            await block_merge.merge(staged.positions)
            merged = time.perf_counter()
        spent["copy"] += int((copied - began) * 1e9)
        spent["merge"] += int((merged - copied) * 1e9)
        spent["commit"] += int((time.perf_counter() - merged) * 1e9)
        position += piece.used
        done += piece.rows.row_count
    return {f"stage_{name}_us_per_row": round(ns / 1000 / done, 3) for name, ns in spent.items()}
