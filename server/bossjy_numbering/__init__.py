"""Phone number engine: answers identical to libphonenumber's, from one automaton. Needs NumPy and phonenumbers."""

from __future__ import annotations

from bossjy_numbering.column.result import NumberColumn
from bossjy_numbering.compile import compile_plan
from bossjy_numbering.corrections import Diagnosis, Doubt, Fix, FixKind, column_doubts
from bossjy_numbering.diff import Difference, NumberRange, PlanDiff, diff_plans
from bossjy_numbering.explain import Explanation
from bossjy_numbering.partial import Partial
from bossjy_numbering.plan import Plan, load_plan
from bossjy_numbering.region_hints import RegionHints
from bossjy_numbering.shorts import ShortCost, ShortInfo, ShortNumber
from bossjy_numbering.snapshot import SnapshotError, read_snapshot, snapshot_bytes, write_snapshot
from bossjy_numbering.steps import Steps, finish
from bossjy_numbering.tables import Tables
from bossjy_numbering.types import (
    Format,
    Found,
    InvalidReason,
    Leniency,
    MatchType,
    Number,
    NumberType,
    ParseError,
    PossibleReason,
    RegionInfo,
)

__all__ = [
    "Diagnosis",
    "Difference",
    "Doubt",
    "Explanation",
    "Fix",
    "FixKind",
    "Format",
    "Found",
    "InvalidReason",
    "Leniency",
    "MatchType",
    "Number",
    "NumberColumn",
    "NumberRange",
    "NumberType",
    "ParseError",
    "Partial",
    "Plan",
    "PlanDiff",
    "PossibleReason",
    "RegionHints",
    "RegionInfo",
    "ShortCost",
    "ShortInfo",
    "ShortNumber",
    "SnapshotError",
    "Steps",
    "Tables",
    "column_doubts",
    "compile_plan",
    "diff_plans",
    "finish",
    "load_plan",
    "read_snapshot",
    "snapshot_bytes",
    "write_snapshot",
]
