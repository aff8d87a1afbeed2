"""Patterns of the metadata as small trees over digits.

The metadata writes its patterns as regular expressions, but uses little of the language: digits, sets of digits,
alternatives, bounded repeats, groups, and `$` in some national prefixes. Anything else is an error at build time, so a
new construct in a later metadata version is noticed and never silently misread.

Source of the syntax: Python's own parser, `re._parser`, by which `phonenumbers` runs these patterns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from re import _constants as constants  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, TypeAlias

ALL_DIGITS = 0b11_1111_1111
# No pattern of the plan repeats anything more often; more would make tables grow without limit.
MOST_REPEATS = 40


class PatternError(ValueError):
    """The metadata contains a pattern that these tables cannot express."""


@dataclass(frozen=True, slots=True)
class Digit:
    """One digit of a set: bit d of `mask` is digit d. An empty set matches nothing."""

    mask: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """All parts, one after another."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the parts; the earlier is preferred if that matters."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`least` to `most` times, as often as possible."""

    part: Node
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Group:
    """A group that is captured, counted from 1."""

    number: int
    part: Node


@dataclass(frozen=True, slots=True)
class End:
    """The end of the digits: `$`."""


Node: TypeAlias = Digit | Sequence | Choice | Repeat | Group | End


def parse(pattern: str) -> Node:
    """The tree of a pattern. PatternError if it uses more of the language than the plan does."""
    return _sequence(parser.parse(pattern))


def prefix_of(node: Node, longest: int) -> Node:
    """Texts that begin with `node` and continue with any digits, up to `longest` of them."""
    return Sequence((node, Repeat(Digit(ALL_DIGITS), 0, longest)))


def _sequence(items: Iterable[tuple[Any, Any]]) -> Node:
    parts = tuple(_node(operator, argument) for operator, argument in items)
    return parts[0] if len(parts) == 1 else Sequence(parts)


def _node(operator: Any, argument: Any) -> Node:
    if operator is constants.LITERAL:
        return Digit(_mask_of(argument))
    if operator is constants.IN:
        return Digit(_mask_of_set(argument))
    if operator is constants.BRANCH:
        return Choice(tuple(_sequence(branch) for branch in argument[1]))
    if operator is constants.MAX_REPEAT:
        least, most, repeated = argument
        if most == constants.MAXREPEAT or most > MOST_REPEATS:
            raise PatternError("an unbounded repeat")
        return Repeat(_sequence(repeated), least, most)
    if operator is constants.SUBPATTERN:
        number, add_flags, delete_flags, inner = argument
        if add_flags or delete_flags:
            raise PatternError("flags inside a pattern")
        return _sequence(inner) if number is None else Group(number, _sequence(inner))
    if operator is constants.AT and argument is constants.AT_END:
        return End()
    raise PatternError(f"{operator} is not expected in a numbering pattern")


def _mask_of(code_point: int) -> int:
    """A digit's bit; 0 for another character (`~` in an international prefix), which matches no digit."""
    return 1 << (code_point - ord("0")) if ord("0") <= code_point <= ord("9") else 0


def _mask_of_set(items: Iterable[tuple[Any, Any]]) -> int:
    mask = 0
    for operator, argument in items:
        if operator is constants.LITERAL:
            mask |= _mask_of(argument)
        elif operator is constants.RANGE:
            for code_point in range(argument[0], argument[1] + 1):
                mask |= _mask_of(code_point)
        elif operator is constants.CATEGORY and argument is constants.CATEGORY_DIGIT:
            mask |= ALL_DIGITS
        else:
            raise PatternError(f"{operator} is not expected in a set of digits")
    return mask
