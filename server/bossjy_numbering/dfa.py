"""Table of deterministic states, each stored once for all automata that reach it.

Every automaton of the plan ends: patterns are bounded, and no national number has more than 17 digits. So states can
be made from the last digit to the first, and two states with the same outcome and the same followers are one state:
that is minimisation (Revuz), and it works across calling codes.
"""

from __future__ import annotations

from typing import Protocol

from bossjy_numbering.nfa import PositionAutomaton

# libphonenumber rejects longer national numbers.
LONGEST_NATIONAL_NUMBER = 17


class StateTable:
    """States by number: an outcome, and the follower for each of the ten digits."""

    def __init__(self) -> None:
        self.outcomes: list[int] = []
        self.followers: list[tuple[int, ...]] = []
        self._by_content: dict[tuple[int, tuple[int, ...]], int] = {}
        self._absorbing: dict[int, int] = {}

    def state(self, outcome: int, followers: tuple[int, ...]) -> int:
        """The state with this content."""
        content = (outcome, followers)
        number = self._by_content.get(content)
        if number is None:
            number = self._by_content[content] = self._new(outcome, followers)
        return number

    def absorbing(self, outcome: int) -> int:
        """The state that has the same outcome whatever follows."""
        number = self._absorbing.get(outcome)
        if number is None:
            number = len(self.outcomes)
            self._absorbing[outcome] = self._new(outcome, (number,) * 10)
            self._by_content[outcome, (number,) * 10] = number
        return number

    def _new(self, outcome: int, followers: tuple[int, ...]) -> int:
        self.outcomes.append(outcome)
        self.followers.append(followers)
        return len(self.outcomes) - 1


class Outcomes(Protocol):
    """Outcomes of an automaton, by the patterns matched after a number of digits."""

    def of(self, matched: int, length: int) -> int:
        """The outcome's number for a set of matched patterns (bits) and a length."""
        ...


def determinise(automaton: PositionAutomaton, outcomes: Outcomes, table: StateTable) -> int:
    """Puts the automaton's states into the table and returns the one it starts in."""
    made: dict[tuple[int, int], int] = {}
    # A set of positions is reached at several lengths; its followers do not depend on the length.
    steps: dict[int, tuple[int, tuple[int, ...]]] = {}
    dead = table.absorbing(outcomes.of(0, 0))

    def make(state: int, length: int) -> int:
        if not state or length > LONGEST_NATIONAL_NUMBER:
            return dead
        number = made.get((state, length))
        if number is None:
            known = steps.get(state)
            if known is None:
                known = steps[state] = (
                    automaton.matched(state),
                    automaton.step(automaton.follow(state)),
                )
            matched, after = known
            followers = _each_once(after, length + 1)
            number = made[state, length] = table.state(outcomes.of(matched, length), followers)
        return number

    def _each_once(after: tuple[int, ...], length: int) -> tuple[int, ...]:
        return tuple([make(state, length) for state in after])

    at_start = outcomes.of(automaton.matched_at_start(), 0)
    return table.state(at_start, _each_once(automaton.step(automaton.first), 1))
