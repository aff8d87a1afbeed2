"""Corrections of damaged phone numbers: one engine for explanations of single texts and for suggestions of imports."""

from __future__ import annotations

from bossjy_numbering.corrections.cells import is_rounded, written_out
from bossjy_numbering.corrections.doubt_column import column_doubts
from bossjy_numbering.corrections.doubts import QUESTIONABLE, Doubt, text_doubts
from bossjy_numbering.corrections.engine import Corrector, Diagnosis
from bossjy_numbering.corrections.kinds import Fix, FixKind

__all__ = [
    "QUESTIONABLE",
    "Corrector",
    "Diagnosis",
    "Doubt",
    "Fix",
    "FixKind",
    "column_doubts",
    "is_rounded",
    "text_doubts",
    "written_out",
]
