"""Parallel upload of several parts of one file: one failure ends them all, and their progress is reported as one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from bossjy.imports.v1 import import_pb2
from bossjy_client.errors import BossjyError
from bossjy_client.sources import Source
from bossjy_client.upload import OnProgress, UploadProgress

UploadOne = Callable[[int, Source, OnProgress], Awaitable[import_pb2.Import]]


async def upload_parts(upload_one: UploadOne, sources: Sequence[Source], on_progress: OnProgress | None) -> None:
    """Upload part N from `sources[N]`, all in parallel. Raises the most informative BossjyError."""
    told: dict[int, UploadProgress] = {}

    def listener(part: int) -> OnProgress:
        def tell(progress: UploadProgress) -> None:
            told[part] = progress
            if on_progress is not None:
                on_progress(_summed(list(told.values()), sources))

        return tell

    tasks = [asyncio.ensure_future(upload_one(part, source, listener(part))) for part, source in enumerate(sources)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    # The error of a part that finds the import ended says less than the one that ended it.
    failures.sort(key=lambda error: (not isinstance(error, BossjyError), _is_follower(error)))
    if failures:
        raise failures[0]


def _is_follower(error: BaseException) -> bool:
    return isinstance(error, BossjyError) and error.reason == "IMPORT_NOT_OPEN"


def _summed(told: Sequence[UploadProgress], sources: Sequence[Source]) -> UploadProgress:
    counts = import_pb2.ImportCounts()
    for field in import_pb2.ImportCounts.DESCRIPTOR.fields:
        setattr(counts, field.name, sum(getattr(one.counts, field.name) for one in told))
    sizes = [source.size for source in sources]
    return UploadProgress(
        sent_bytes=sum(one.sent_bytes for one in told),
        committed_bytes=sum(one.committed_bytes for one in told),
        total_bytes=None if None in sizes else sum(size or 0 for size in sizes),
        counts=counts,
        reopened=sum(one.reopened for one in told),
    )
