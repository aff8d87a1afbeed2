"""Filter of `bossjy phone bulk --where`: comparisons of columns, joined by AND, OR, NOT and parentheses.

`region = "CN" AND type = "MOBILE"`, `NOT (valid = yes OR reason != TOO_SHORT)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from bossjy_client.cli.exit_codes import UsageError
from bossjy_client.cli.messages import tr

Row = Mapping[str, str]
Filter = Callable[[Row], bool]

_TOKEN = re.compile(r"""\s*(?:(?P<text>"[^"]*"|'[^']*')|(?P<sign>!=|=|\(|\))|(?P<word>[^\s"'=!()]+))""")
# Parentheses and NOT around a comparison.
_DEPTH = 50


def _example() -> str:
    return tr("""such as --where 'region = "CN" AND type = "MOBILE"'""")


def every_row(_: Row) -> bool:
    """The filter without `--where`."""
    return True


def parse_where(text: str, columns: Sequence[str]) -> Filter:
    """The filter of an expression. Raises UsageError if it is wrong, or names no column of these."""
    parser = _Parser(text, columns)
    found = parser.any_of(0)
    parser.end()
    return found


class _Parser:
    def __init__(self, text: str, columns: Sequence[str]) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._columns = columns
        place = 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if match is None:
                raise UsageError(
                    tr(
                        "--where: {value!r} is not understood: {example}",
                        value=text[place:].strip()[:20],
                        example=_example(),
                    )
                )
            self._tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
            place = match.end()
        self._next = 0

    def any_of(self, depth: int) -> Filter:
        """Conditions joined by OR."""
        found = [self._all_of(depth)]
        while self._accepts("OR"):
            found.append(self._all_of(depth))
        return found[0] if len(found) == 1 else lambda row: any(one(row) for one in found)

    def _all_of(self, depth: int) -> Filter:
        found = [self._condition(depth)]
        while self._accepts("AND"):
            found.append(self._condition(depth))
        return found[0] if len(found) == 1 else lambda row: all(one(row) for one in found)

    def _condition(self, depth: int) -> Filter:
        if depth > _DEPTH:
            raise UsageError(tr("--where has more than {depth} parentheses in each other", depth=_DEPTH))
        if self._accepts("NOT"):
            inner = self._condition(depth + 1)
            return lambda row: not inner(row)
        if self._accepts("("):
            inner = self.any_of(depth + 1)
            if not self._accepts(")"):
                raise UsageError(tr("--where has no `)` for a `(`: {example}", example=_example()))
            return inner
        return self._comparison()

    def _comparison(self) -> Filter:
        name = self._take(tr("a column"))
        if name not in self._columns:
            raise UsageError(
                tr(
                    "--where: there is no column {name!r}: the columns are {names}",
                    name=name,
                    names=", ".join(self._columns),
                )
            )
        sign = self._take("= or !=", kind="sign")
        if sign not in {"=", "!="}:
            raise UsageError(tr("--where: = or != follows {name}: {example}", name=name, example=_example()))
        value, equal = self._take(tr("a value")), sign == "="
        return lambda row: (row[name] == value) == equal

    def _take(self, what: str, kind: str = "") -> str:
        if self._next == len(self._tokens):
            raise UsageError(tr("--where ends where {what} is needed: {example}", what=what, example=_example()))
        found, text = self._tokens[self._next]
        if (found == "sign") != (kind == "sign"):
            raise UsageError(
                tr("--where: {text!r} is in the place of {what}: {example}", text=text, what=what, example=_example())
            )
        self._next += 1
        return text[1:-1] if found == "text" else text

    def _accepts(self, word: str) -> bool:
        if self._next < len(self._tokens):
            kind, text = self._tokens[self._next]
            if kind != "text" and text.upper() == word:
                self._next += 1
                return True
        return False

    def end(self) -> None:
        """Raises UsageError if something follows."""
        if self._next < len(self._tokens):
            raise UsageError(
                tr(
                    "--where: AND or OR is missing before {value!r}: {example}",
                    value=self._tokens[self._next][1],
                    example=_example(),
                )
            )
