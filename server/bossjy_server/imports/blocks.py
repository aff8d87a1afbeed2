"""Bytes to a block that is ready to be committed: cut, clean, stage. Pure; runs in a thread."""

from __future__ import annotations

from bossjy_numbering import Plan
from bossjy_server.imports.clean import Cleaner
from bossjy_server.imports.commit import CleanBlock
from bossjy_server.imports.decode import Reader
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.records import Part, Spec
from bossjy_server.imports.stage import stage


class BlockMaker:
    """Makes the blocks of one part, in order, from where it was committed last."""

    def __init__(self, plan: Plan, options: ImportOptions, resolved: Spec, part: Part) -> None:
        self._reader = Reader(resolved, part, options)
        self._cleaner = Cleaner(plan, resolved.mapping, resolved.default_region, part.part)
        self._policy = resolved.duplicate_policy
        self._part = part.part
        # This part's share, so that the limit holds without parts asking each other.
        share = max(1, options.max_rejects_kept // max(1, resolved.part_count))
        self._rejects_left = max(0, share - part.counts.rejected)

    def make(self, data: bytes, *, final: bool) -> CleanBlock:
        """The complete rows at the front of `data`; all of it if `final`."""
        start = self._reader.place.offset
        block = self._reader.read(data, final=final)
        rows, rejects = self._cleaner.clean(block, keep_rejects=self._rejects_left)
        self._rejects_left -= len(rejects)
        return CleanBlock(
            start=start,
            next=self._reader.place,
            decoder=self._reader.state,
            row_count=block.row_count,
            rejected=block.row_count - len(rows),
            rejects=rejects,
            staged=stage(rows, self._part, self._policy),
            final=final,
        )
