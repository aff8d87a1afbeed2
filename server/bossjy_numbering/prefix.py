"""Length of national and international prefixes, found by deterministic states.

A prefix pattern is tried at the start and prefers earlier alternatives over longer matches, like `re.match`
(rule 12). So a state is an ordered list of threads (Pike's construction), truncated after the first that has
matched. The outcome is the length of the prefix, not only its existence.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from bossjy_numbering.dfa import StateTable
from bossjy_numbering.patterns import Choice, Digit, End, Group, Node, Repeat, Sequence

# Outcomes. A number from 1 to 30 is a length to strip.
NO_PREFIX = 0
# The last group took part in the match, and the region has a rule that rewrites the number (rule 13).
REWRITES = 31


class _Instruction(NamedTuple):
    """One step of a pattern's program. `digits`: a set for `take`. `then`, `otherwise`: the next instruction."""

    kind: Literal["take", "split", "mark", "end", "match"]
    then: int = 0
    otherwise: int = 0
    digits: int = 0


class _Thread(NamedTuple):
    """A thread that waits at an instruction. `marked`: the group that rewrites took part."""

    at: int
    marked: bool


def add_prefix(node: Node, rewriting_group: int, table: StateTable) -> int:
    """Puts a prefix pattern's states into the table and returns the one it starts in.

    `rewriting_group`: number of the group whose part in a match means REWRITES; 0 if there is none.
    """
    return _Determiniser(_Program(rewriting_group).compile(node), table).start()


class _Program:
    """Turns a tree into instructions, from the end to the start: each contains the next one."""

    def __init__(self, rewriting_group: int) -> None:
        self._rewriting_group = rewriting_group
        self._code = [_Instruction("match")]

    def compile(self, node: Node) -> list[_Instruction]:
        """The instructions of a pattern; the last one is its start."""
        first = self._build(node, 0)
        self._emit(_Instruction("split", first, first))
        return self._code

    def _emit(self, instruction: _Instruction) -> int:
        self._code.append(instruction)
        return len(self._code) - 1

    def _build(self, node: Node, then: int) -> int:
        if isinstance(node, Digit):
            return self._emit(_Instruction("take", then, digits=node.mask))
        if isinstance(node, Sequence):
            for part in reversed(node.parts):
                then = self._build(part, then)
            return then
        if isinstance(node, Choice):
            first = self._build(node.parts[-1], then)
            for part in reversed(node.parts[:-1]):
                first = self._emit(_Instruction("split", self._build(part, then), first))
            return first
        if isinstance(node, Repeat):
            return self._repeat(node, then)
        if isinstance(node, Group):
            if node.number == self._rewriting_group:
                then = self._emit(_Instruction("mark", then))
            return self._build(node.part, then)
        if isinstance(node, End):
            return self._emit(_Instruction("end", then))
        raise TypeError(f"not a pattern: {node!r}")

    def _repeat(self, node: Repeat, then: int) -> int:
        after = then
        for _ in range(node.most - node.least):
            # Optional: one more is preferred to leaving, so `(x(x)?)?` and not `x?x?`.
            after = self._emit(_Instruction("split", self._build(node.part, after), then))
        for _ in range(node.least):
            after = self._build(node.part, after)
        return after


class _Determiniser:
    def __init__(self, code: list[_Instruction], table: StateTable) -> None:
        self._code = code
        self._table = table
        self._made: dict[tuple[tuple[_Thread, ...], int, int], int] = {}

    def start(self) -> int:
        return self._make([_Thread(len(self._code) - 1, False)], NO_PREFIX, 0)

    def _make(self, threads: list[_Thread], best: int, length: int) -> int:
        alive, best = self._settle(threads, best, length)
        if not alive:
            return self._table.absorbing(best)
        key = (tuple(alive), best, length)
        number = self._made.get(key)
        if number is None:
            followers = tuple([self._make(self._after(alive, d), best, length + 1) for d in range(10)])
            number = self._table.state(self._at_end(alive, best, length), followers)
            self._made[key] = number
        return number

    def _settle(self, threads: list[_Thread], best: int, length: int) -> tuple[list[_Thread], int]:
        """Follows instructions that read no digit. A match ends all threads after it, and replaces earlier results."""
        alive: list[_Thread] = []
        seen: set[int] = set()
        todo = threads[::-1]
        while todo:
            thread = todo.pop()
            if thread.at in seen:
                continue
            seen.add(thread.at)
            instruction = self._code[thread.at]
            if instruction.kind == "match":
                return alive, REWRITES if thread.marked else length
            if instruction.kind == "split":
                todo.append(_Thread(instruction.otherwise, thread.marked))
                todo.append(_Thread(instruction.then, thread.marked))
            elif instruction.kind == "mark":
                todo.append(_Thread(instruction.then, True))
            else:
                alive.append(thread)
        return alive, best

    def _after(self, alive: list[_Thread], digit: int) -> list[_Thread]:
        instructions = ((thread, self._code[thread.at]) for thread in alive)
        return [
            _Thread(instruction.then, thread.marked)
            for thread, instruction in instructions
            if instruction.kind == "take" and instruction.digits >> digit & 1
        ]

    def _at_end(self, alive: list[_Thread], best: int, length: int) -> int:
        """The outcome if no digit follows: a thread that waits for the end precedes earlier results."""
        for thread in alive:
            instruction = self._code[thread.at]
            if instruction.kind == "end":
                _, found = self._settle([_Thread(instruction.then, thread.marked)], best, length)
                return found
        return best
