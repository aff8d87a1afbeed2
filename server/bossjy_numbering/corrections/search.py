"""Search for the numbers in a damaged text: which groups of digits form a number, an extension, or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from bossjy_numbering.corrections.kinds import FixKind
from bossjy_numbering.corrections.normal import Gap, Group, Parsed
from bossjy_numbering.corrections.readings import DIGITS_MAX, DIGITS_MIN, FOREIGN, Reader, Reading
from bossjy_numbering.types import Number

_EXTENSION_DIGITS_MAX = 8
_DASH_EXTENSION = (2, 6)
# The cost of digits that no reading explains, by their count. Beyond the last count the text is not understood.
_UNEXPLAINED = ((2, 0.5), (4, 1.0), (6, 2.0), (DIGITS_MAX, 3.0))
_SPLIT, _SLASHED, _EXTENDED = 1.0, 0.5, 0.25
# A reading that is itself a repair cannot be one of several numbers in a run.
_PIECE_COST_MAX = 1.0
_IN_NUMBER = (Gap.JOINED, Gap.DASH, Gap.SLASH)


@dataclass(frozen=True, slots=True)
class Piece:
    """A number that was found in a text, with its extension, and the other readings of the same digits."""

    cost: float
    kind: FixKind | None
    number: Number
    others: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """The numbers of a text in order, and the cost of the first with the rest unexplained."""

    pieces: tuple[Piece, ...]
    cost: float


def search(text: Parsed, region: str | None, reader: Reader) -> Findings | None:
    """The numbers of a text. None if there are none."""
    pieces: list[Piece] = []
    unexplained = 0.0
    for run, gaps, extends in _runs(text):
        groups, inner = run, gaps
        if extends and pieces and len(groups[0].digits) <= _EXTENSION_DIGITS_MAX:
            pieces[-1] = _extended(pieces[-1], groups[0].digits, FixKind.SEPARATE_EXTENSION, 0.0)
            groups, inner = groups[1:], inner[1:]
            if not groups:
                continue
        found = _read_run(groups, inner, region, reader)
        if found is None:
            digits = sum(len(group.digits) for group in groups)
            unexplained += next((cost for most, cost in _UNEXPLAINED if digits <= most), 6.0)
        else:
            pieces += found
    if not pieces:
        return None
    return Findings(tuple(pieces), pieces[0].cost + unexplained)


def _runs(text: Parsed) -> list[tuple[tuple[Group, ...], tuple[Gap, ...], bool]]:
    """Runs of groups that can be one number, the gaps inside each, and True if an extension mark precedes it."""
    runs: list[tuple[tuple[Group, ...], tuple[Gap, ...], bool]] = []
    start, extends = 0, False
    for index in range(len(text.groups)):
        last = index == len(text.groups) - 1
        if last or text.gaps[index] not in _IN_NUMBER:
            runs.append((text.groups[start : index + 1], text.gaps[start:index], extends))
            extends = not last and text.gaps[index] is Gap.EXTENSION
            start = index + 1
    return runs


def _read_run(
    groups: tuple[Group, ...], gaps: tuple[Gap, ...], region: str | None, reader: Reader
) -> list[Piece] | None:
    """The numbers of a run that use all its digits; None if there is no such reading."""
    whole = _as_one(groups, gaps, region, reader)
    if whole is not None and whole.cost <= _PIECE_COST_MAX:
        return [whole]
    split = _as_several(groups, gaps, region, reader) if len(groups) > 1 else None
    if whole is None or (split is not None and sum(piece.cost for piece in split) < whole.cost):
        return split
    return [whole]


def _as_one(groups: tuple[Group, ...], gaps: tuple[Gap, ...], region: str | None, reader: Reader) -> Piece | None:
    """A run as one number, or as one with an extension after a dash."""
    readings = _joined(groups, region, reader)
    slashes = _SLASHED * gaps.count(Gap.SLASH)
    if readings and readings[0].cost < FOREIGN:
        first = readings[0]
        return Piece(first.cost + slashes, first.kind, first.number, tuple(readings[1:]))
    foreign = readings
    low, high = _DASH_EXTENSION
    if gaps and gaps[-1] is Gap.DASH and low <= len(groups[-1].digits) <= high:
        readings = _joined(groups[:-1], region, reader)
        if readings and _complete(groups[:-1], readings[0]):
            piece = Piece(readings[0].cost + slashes, readings[0].kind, readings[0].number)
            return _extended(piece, groups[-1].digits, FixKind.SEPARATE_EXTENSION, _EXTENDED)
    return Piece(foreign[0].cost + slashes, foreign[0].kind, foreign[0].number) if foreign else None


def _as_several(
    groups: tuple[Group, ...], gaps: tuple[Gap, ...], region: str | None, reader: Reader
) -> list[Piece] | None:
    """A run as several complete numbers, one after another."""
    count = len(groups)
    best: list[tuple[float, list[Piece]] | None] = [None] * count + [(0.0, [])]
    for start in reversed(range(count)):
        for end in range(start + 1, count + 1):
            rest = best[end]
            if rest is None or (start, end) == (0, count):
                continue
            piece = _as_one(groups[start:end], gaps[start : end - 1], region, reader)
            if piece is None or piece.cost > _PIECE_COST_MAX:
                continue
            split = _SPLIT if end < count and gaps[end - 1] is not Gap.SLASH else 0.0
            cost = piece.cost + rest[0] + split
            held = best[start]
            if held is None or cost < held[0]:
                best[start] = cost, [piece, *rest[1]]
    found = best[0]
    return found[1] if found else None


def _joined(groups: tuple[Group, ...], region: str | None, reader: Reader) -> list[Reading]:
    digits = "".join(group.digits for group in groups)
    if not DIGITS_MIN <= len(digits) <= DIGITS_MAX:
        return []
    readings = reader.readings(digits, region, plus=groups[0].plus)
    if len(groups) == 1 or not readings or readings[0].cost < FOREIGN:
        return readings
    # In groups, a calling code without a plus is a group of its own.
    return [one for one in readings if groups[0].digits.lstrip("0") == str(one.number.calling_code)]


def _complete(groups: tuple[Group, ...], reading: Reading) -> bool:
    """True if groups of digits are a whole number, to which the plan adds nothing: an area code, for example."""
    digits = "".join(group.digits for group in groups)
    return reading.cost <= _PIECE_COST_MAX and digits.endswith(reading.number.national_digits)


def _extended(piece: Piece, extension: str, kind: FixKind, cost: float) -> Piece:
    return Piece(piece.cost + cost, piece.kind or kind, piece.number._replace(extension=extension))
