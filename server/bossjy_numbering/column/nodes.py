"""Plan automaton for columns of E.164: one automaton for calling code and national number after the plus.

Calling codes share the states of `Tables`, which do not contain national prefixes. A node has a calling code, a
state, and the state of a national prefix that is still possible. So a node and a number of digits determine the result
for a number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering.column.leading_digits import codes_by_three_digits
from bossjy_numbering.column.packed_digits import Flags, Ints
from bossjy_numbering.prefix import NO_PREFIX
from bossjy_numbering.tables import Tables

# Digits that every row has, calling code included, and how many may follow.
LEAST = 8
FURTHER = 8
_SETTLED = -1
_NOWHERE = -1
Table: TypeAlias = NDArray[np.uint16]
# The packed results for calling codes (positions), outcomes and lengths of national numbers; all (n,).
Say: TypeAlias = Callable[[Ints, Table, Ints], NDArray[np.uint64]]


@dataclass(frozen=True, slots=True)
class Nodes:
    """Tables from node to node. Rows that must take another path end at node 0; its result is 0."""

    # (10_000,): the node after four digits.
    four: NDArray[np.uint16]
    # (nodes after four * 100,), (nodes after six * 100,): the node after two more.
    six: NDArray[np.uint16]
    eight: NDArray[np.uint16]
    # The result by node after eight digits and number of digits that follow it: `(nodes * (FURTHER + 1),)`.
    said: NDArray[np.uint64]
    # Nodes after eight digits from this one depend on the digits that follow, not only on their number.
    first_open: int
    # For those nodes: the node after two more (nodes * 100,), and the result by it and the number of digits after it.
    ten: NDArray[np.uint16]
    said_of_ten: NDArray[np.uint64]

    @property
    def nbytes(self) -> int:
        """Bytes of the tables."""
        tables = (getattr(self, field.name) for field in fields(self))
        return sum(table.nbytes for table in tables if isinstance(table, np.ndarray))


@dataclass(frozen=True, slots=True)
class _Level:
    """The nodes after some number of digits, all (n,). A code of _NOWHERE is node 0, whatever its state and prefix."""

    code: Ints
    state: Ints
    # _SETTLED if no national prefix is possible any more.
    prefix: Ints

    def __len__(self) -> int:
        return len(self.code)

    def only(self, rows: Ints | slice) -> _Level:
        return _Level(self.code[rows], self.state[rows], self.prefix[rows])


class _Builder:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._no_prefix = (tables.step[:, 0] == np.arange(tables.state_count)) & (tables.outcome == NO_PREFIX)
        self._step = tables.step.astype(np.int64)
        codes = tables.calling_codes.astype(np.int64)
        self._code_length = np.where(codes < 10, 1, np.where(codes < 100, 2, 3))
        self._code_by_digits = codes_by_three_digits(codes)

    def four(self) -> tuple[_Level, Table]:
        """The nodes after four digits, and the table (10_000,) that leads there."""
        tables = self._tables
        quads = np.arange(10_000)
        code = self._code_by_digits[quads // 10]
        prefixes = np.array([region.national_prefix_state for region in tables.regions], np.int64)
        level = _Level(code, tables.calling_code_state[code].astype(np.int64), prefixes[tables.main_region[code]])
        for place, unit in enumerate((1000, 100, 10, 1)):
            inside = self._code_length[code] <= place
            stepped = self._stepped(level, quads // unit % 10)
            state = np.where(inside, stepped.state, level.state)
            level = _Level(code, state, np.where(inside, stepped.prefix, level.prefix))
        return self._merged(level)

    def two_more(self, level: _Level, *, last: bool = False) -> tuple[_Level, Table]:
        """The nodes after two more digits, and the table (n * 100,) that leads there.

        `last`: nodes that may still have a national prefix lead nowhere.
        """
        between, first = self._merged(self._by_digit(level))
        end = self._by_digit(between)
        if last:
            end = _Level(np.where(end.prefix == _SETTLED, end.code, _NOWHERE), end.state, end.prefix)
        end, second = self._merged(end)
        return end, second.reshape(-1, 10)[first].reshape(-1)

    def is_open(self, level: _Level) -> Flags:
        """The nodes that depend on the digits that follow."""
        return (level.code >= 0) & (level.state >= self._tables.plain_states)

    def said(self, level: _Level, digits: int, say: Say) -> NDArray[np.uint64]:
        """The results by number of digits after the first `digits`, up to `LEAST + FURTHER` in all: flat."""
        said = np.zeros((len(level), LEAST + FURTHER - digits + 1), np.uint64)
        known = level.code >= 0
        code, state = level.code[known], level.state[known]
        for further in range(said.shape[1]):
            length = digits + further - self._code_length[code]
            said[known, further] = say(code, self._tables.outcome[state], length)
            state = self._step[state, 0]
        return said.reshape(-1)

    def _by_digit(self, level: _Level) -> _Level:
        """(n,) -> (n * 10,)."""
        nodes = level.only(np.repeat(np.arange(len(level)), 10))
        return self._stepped(nodes, np.tile(np.arange(10), len(level)))

    def _stepped(self, level: _Level, digit: Ints) -> _Level:
        prefix = self._step[level.prefix.clip(min=0), digit]
        prefix[(level.prefix == _SETTLED) | self._no_prefix[prefix]] = _SETTLED
        return _Level(level.code, self._step[level.state, digit], prefix)

    def _merged(self, level: _Level) -> tuple[_Level, Table]:
        """Each node once, node 0 first and the open ones last, and the new position of each old node."""
        key = (self.is_open(level).astype(np.int64) << 48) + (level.code << 32) + (level.state << 16) + level.prefix
        key[level.code < 0] = _NOWHERE
        # One more at the end, so that node 0 always exists.
        _, first, which = np.unique(np.append(key, _NOWHERE), return_index=True, return_inverse=True)
        padded = (np.append(values, _NOWHERE)[first] for values in (level.code, level.state, level.prefix))
        return _Level(*padded), which[:-1].astype(np.uint16)


def build_nodes(tables: Tables, say: Say) -> Nodes:
    """Builds the tables of a plan for `say`."""
    builder = _Builder(tables)
    level, four = builder.four()
    level, six = builder.two_more(level)
    level, eight = builder.two_more(level, last=True)
    first_open = len(level) - int(np.count_nonzero(builder.is_open(level)))
    far, ten = builder.two_more(level.only(slice(first_open, None)))
    # In all plans so far ten digits decide. Otherwise these rows take another path.
    far = _Level(np.where(builder.is_open(far), _NOWHERE, far.code), far.state, far.prefix)
    said, said_of_ten = builder.said(level, LEAST, say), builder.said(far, LEAST + 2, say)
    return Nodes(four, six, eight, said, first_open, ten, said_of_ten)
