"""Block building: bytes are split into rows, cleaned and staged for a commit. Pure; runs in a thread."""

from __future__ import annotations

from dataclasses import dataclass

from bossjy_numbering import Plan
from bossjy_numbering.enrich import Enrichment
from bossjy_server.imports.cleaning.clean import Cleaner
from bossjy_server.imports.cleaning.reject_counts import counted
from bossjy_server.imports.cleaning.stage import StagedRows, stage
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.reading.decode import Reader
from bossjy_server.imports.records import Part, RejectedRow, Spec


@dataclass(frozen=True, slots=True)
class CleanBlock:
    """A block that is ready to be committed: it covers the bytes from `start` to `end`; `next_line` follows it."""

    start: int
    end: int
    next_line: int
    decoder: str
    row_count: int
    rejected: int
    rejects: list[RejectedRow]
    # By reason, in the form that the store adds.
    reject_counts: str
    staged: StagedRows
    # True for the last block of its part.
    final: bool


@dataclass(frozen=True, slots=True)
class MadeBlock:
    """A block, the number of bytes that it used, and true if the rest has rows."""

    block: CleanBlock
    used: int
    more: bool


class BlockMaker:
    """Makes the blocks of one part, in order, from its committed offset."""

    def __init__(
        self, plan: Plan, options: ImportOptions, resolved: Spec, part: Part, enrichment: Enrichment | None = None
    ) -> None:
        self._reader = Reader(resolved, part, options)
        self._cleaner = Cleaner(plan, resolved, part.part, enrichment)
        self._policy = resolved.duplicate_policy
        self._part = part.part
        # This part's share: the limit applies without any exchange between parts.
        share = max(1, options.max_rejects_kept // max(1, resolved.part_count))
        self._rejects_left = max(0, share - part.counts.rejected)

    def make(self, data: bytes, *, final: bool) -> MadeBlock:
        """The complete rows at the front of `data`. Call again while the result says that there are more."""
        start = self._reader.committed_offset
        piece = self._reader.read(data, final=final)
        rows, rejects = self._cleaner.clean(piece.rows, keep_rejects=self._rejects_left)
        self._rejects_left -= len(rejects)
        block = CleanBlock(
            start=start,
            end=piece.committed_offset,
            next_line=self._reader.next_line,
            decoder=self._reader.state,
            row_count=piece.rows.row_count,
            rejected=piece.rows.row_count - len(rows),
            rejects=rejects,
            reject_counts=counted(rejects, self._cleaner.unkept),
            staged=stage(rows, self._part, self._policy),
            final=final and not piece.more,
        )
        return MadeBlock(block, piece.used, piece.more)
