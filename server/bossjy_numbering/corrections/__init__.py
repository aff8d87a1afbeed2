"""Corrections of damaged phone numbers: one engine for explanations of single texts and for suggestions of imports."""

from __future__ import annotations

from bossjy_numbering.corrections.cells import is_rounded, written_out
from bossjy_numbering.corrections.doubts import QUESTIONABLE, Doubt
from bossjy_numbering.corrections.engine import Corrector, Diagnosis
from bossjy_numbering.corrections.kinds import Fix, FixKind

__all__ = ["QUESTIONABLE", "Corrector", "Diagnosis", "Doubt", "Fix", "FixKind", "is_rounded", "written_out"]
