"""Many patterns as one nondeterministic automaton without empty steps (Glushkov's construction).

Each digit place of a pattern is a position. A set of positions is a Python int, bit p for position p, so that a step
of the whole automaton is a few big-integer operations.
"""

from __future__ import annotations

from bossjy_numbering.patterns import Choice, Digit, Group, Node, PatternError, Repeat, Sequence


class PositionAutomaton:
    """Several patterns in one automaton. A state is the set of positions whose digit was read last."""

    def __init__(self) -> None:
        # By position: the positions that may come next.
        self._follow: list[int] = []
        # By digit: the positions that accept it.
        self._takes = [0] * 10
        # By pattern: the positions it may end with.
        self._last: list[int] = []
        # Positions that may come first.
        self.first = 0
        # Patterns that match no digits at all, bit by pattern.
        self._empty = 0

    def add(self, node: Node) -> int:
        """Adds a pattern and returns its number."""
        number = len(self._last)
        nullable, first, last = self._build(node)
        self.first |= first
        self._last.append(last)
        if nullable:
            self._empty |= 1 << number
        return number

    def follow(self, state: int) -> int:
        """The positions that may follow a state."""
        reachable = 0
        while state:
            lowest = state & -state
            reachable |= self._follow[lowest.bit_length() - 1]
            state ^= lowest
        return reachable

    def step(self, reachable: int) -> tuple[int, ...]:
        """The states that follow, by the digit read."""
        return tuple(reachable & takes for takes in self._takes)

    def matched(self, state: int) -> int:
        """The patterns that match the digits read so far, bit by pattern. Not for state 0 with nothing read."""
        return sum(1 << number for number, last in enumerate(self._last) if state & last)

    def matched_at_start(self) -> int:
        """The patterns that match the empty text, bit by pattern."""
        return self._empty

    def _position(self, mask: int) -> int:
        position = 1 << len(self._follow)
        self._follow.append(0)
        for digit in range(10):
            if mask >> digit & 1:
                self._takes[digit] |= position
        return position

    def _connect(self, before: int, after: int) -> None:
        while before:
            lowest = before & -before
            self._follow[lowest.bit_length() - 1] |= after
            before ^= lowest

    def _build(self, node: Node) -> tuple[bool, int, int]:
        """Adds a pattern: (true if it matches the empty text, its first positions, its last positions)."""
        if isinstance(node, Digit):
            position = self._position(node.mask)
            return False, position, position
        if isinstance(node, Sequence):
            return self._chain(node.parts)
        if isinstance(node, Repeat):
            required = (node.part,) * node.least
            optional = (Choice((node.part, Sequence(()))),) * (node.most - node.least)
            return self._chain(required + optional)
        if isinstance(node, Choice):
            nullable, first, last = False, 0, 0
            for part in node.parts:
                part_nullable, part_first, part_last = self._build(part)
                nullable, first, last = nullable or part_nullable, first | part_first, last | part_last
            return nullable, first, last
        if isinstance(node, Group):
            return self._build(node.part)
        raise PatternError("the end of the digits inside a number pattern")

    def _chain(self, parts: tuple[Node, ...]) -> tuple[bool, int, int]:
        nullable, first, last = True, 0, 0
        for part in parts:
            part_nullable, part_first, part_last = self._build(part)
            self._connect(last, part_first)
            first = first | part_first if nullable else first
            last = last | part_last if part_nullable else part_last
            nullable = nullable and part_nullable
        return nullable, first, last
