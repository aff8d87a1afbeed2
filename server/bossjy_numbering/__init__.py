"""Phone numbers answered exactly as libphonenumber answers them, from one automaton. Needs NumPy and phonenumbers."""

from __future__ import annotations

from bossjy_numbering.column.result import NumberColumn
from bossjy_numbering.plan import Plan, load_plan
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
    "Format",
    "Found",
    "InvalidReason",
    "Leniency",
    "MatchType",
    "Number",
    "NumberColumn",
    "NumberType",
    "ParseError",
    "Plan",
    "PossibleReason",
    "RegionInfo",
    "load_plan",
]
