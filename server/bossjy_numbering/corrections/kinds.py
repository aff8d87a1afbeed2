"""Kinds of corrections, and a correction as a value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from bossjy_numbering.types import Number


class FixKind(IntEnum):
    """How a text was changed into a valid number. Values of the contract's `FixKind`."""

    ADD_PLUS = 1
    REMOVE_TRUNK_PREFIX = 2
    ADD_DIGIT = 3
    REMOVE_DIGIT = 4
    RESTORE_LEADING_ZERO = 5
    REMOVE_DECIMAL = 6
    ASSUME_REGION = 7
    REMOVE_CHARACTERS = 8
    # The text contains an extension after the number; the correction has it as a separate field.
    SEPARATE_EXTENSION = 9
    # The text contains several numbers; the correction is the first.
    SEPARATE_NUMBERS = 10
    # Letters that look like digits became digits: O, l, I.
    REPLACE_LETTERS = 11
    # A number cell in exponent form was written out.
    WRITE_OUT = 12
    # The region changed its numbers; the correction is the new number.
    RENUMBER = 13


@dataclass(frozen=True, slots=True)
class Fix:
    """A correction: how the text was changed, and the valid number that results, with its extension if it has one."""

    kind: FixKind
    number: Number


# Answers a text with a default region as the plan does.
Ask: TypeAlias = "Callable[[str, str | None], Number]"
