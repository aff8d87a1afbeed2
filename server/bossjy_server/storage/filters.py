"""Filter grammar of all lists (AIP-160): parses a text into a tree. conditions.py converts the tree to SQL.

    region = "CN" AND (type = MOBILE OR NOT name : '张') AND create_time > 2026-01-01T00:00:00Z

`AND` joins, `OR` binds tighter than `AND` (as in AIP-160), `NOT` or `-` negates, brackets group. A value is one word,
or a text in double or single quotes, where a backslash escapes the next character. `:` means «contains» for texts and
«equals» for other kinds; `FIELD:*` means «is not empty». A bare word or text is searched for in the main fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeAlias

from bossjy_server.storage.filter_tokens import Token, refuse, tokens, unquoted

MAX_COMPARISONS = 50
_MAX_DEPTH = 50
_EQUALITY = frozenset({"=", "!="})
_ORDER = frozenset({"<", "<=", ">", ">="})


class FieldKind(StrEnum):
    """The kinds of fields, which decide how their values compare."""

    TEXT = "text"
    TIME = "time"
    WORD = "word"  # one of a few names
    ATTRIBUTE = "attribute"


_OPERATORS = {
    FieldKind.TEXT: _EQUALITY | {":"},
    FieldKind.TIME: _EQUALITY | _ORDER | {":"},
    FieldKind.WORD: _EQUALITY | {":"},
    FieldKind.ATTRIBUTE: _EQUALITY | {":"},
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator value`; `key` is the attribute's name. A value None tests that the field is not empty."""

    field: str
    kind: FieldKind
    operator: str
    value: str | int | datetime | None
    key: str = ""


@dataclass(frozen=True, slots=True)
class Negation:
    """Negation of a condition."""

    of: Filter


@dataclass(frozen=True, slots=True)
class All:
    """Conjunction of conditions."""

    of: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """Disjunction of conditions."""

    of: tuple[Filter, ...]


Filter: TypeAlias = Comparison | Negation | All | Any


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The fields of one list.

    words: the values of each field of kind WORD. searched: fields of kind TEXT in which a bare word is searched for.
    aliases: other names of fields. folded: how values of a field are changed before a comparison. attributes: true if
    `attributes.KEY` is a field.
    """

    fields: Mapping[str, FieldKind]
    words: Mapping[str, Mapping[str, int | str]]
    searched: tuple[str, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)
    folded: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    attributes: bool = False


def parse_filter(text: str, vocabulary: Vocabulary) -> Filter | None:
    """The tree of a filter; None for an empty one. Raises InvalidArgument(FILTER_INVALID) with the position."""
    if not text.strip():
        return None
    return _Parser(text, vocabulary).whole()


class _Parser:
    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._tokens = list(tokens(text))
        self._end = len(text)
        self._next = 0
        self._depth = 0
        self._comparisons = 0

    def whole(self) -> Filter:
        tree = self._expression()
        if token := self._peek():
            refuse(token.position, f"AND, OR or the end is expected, not {token.text[:20]!r}")
        return tree

    def _peek(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self, expected: str) -> Token:
        token = self._peek()
        if token is None:
            refuse(self._end, f"{expected} is expected, the filter ends")
        self._next += 1
        return token

    def _took(self, kind: str, text: str) -> bool:
        token = self._peek()
        if token is None or (token.kind, token.text) != (kind, text):
            return False
        self._next += 1
        return True

    def _expression(self) -> Filter:
        parts = [self._factor()]
        while self._took("word", "AND"):
            parts.append(self._factor())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _factor(self) -> Filter:
        parts = [self._term()]
        while self._took("word", "OR"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _term(self) -> Filter:
        if self._took("word", "NOT") or self._took("minus", "-"):
            self._deeper()
            negated = Negation(self._term())
            self._depth -= 1
            return negated
        if self._took("bracket", "("):
            self._deeper()
            inner = self._expression()
            if not self._took("bracket", ")"):
                token = self._peek()
                refuse(token.position if token else self._end, "a closing bracket is expected")
            self._depth -= 1
            return inner
        return self._comparison()

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            token = self._peek()
            refuse(token.position if token else self._end, f"at most {_MAX_DEPTH} brackets and NOTs may be nested")

    def _comparison(self) -> Filter:
        first = self._take("a field")
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            refuse(first.position, f"at most {MAX_COMPARISONS} comparisons are accepted")
        name, kind, key = self._field(first)
        following = self._peek()
        if kind is None and (following is None or following.kind != "operator"):
            return self._anywhere(first)
        if kind is None:
            known = ", ".join((*self._vocabulary.fields, *self._vocabulary.aliases))
            known += " or attributes.KEY" * self._vocabulary.attributes
            refuse(first.position, f"there is no field {first.text[:40]!r}: use {known}")
        operator = self._take("an operator")
        if operator.kind != "operator" or operator.text not in _OPERATORS[kind]:
            refuse(operator.position, f"{name} takes {' '.join(sorted(_OPERATORS[kind]))}, not {operator.text[:20]!r}")
        value = self._take("a value")
        if value.kind not in {"string", "word"}:
            refuse(value.position, f"a value is expected, not {value.text!r}")
        if operator.text == ":" and (value.kind, value.text) == ("word", "*"):
            return Comparison(name, kind, ":", None, key)
        contains = operator.text == ":" and kind in {FieldKind.TEXT, FieldKind.ATTRIBUTE}
        meant = "=" if operator.text == ":" and not contains else operator.text
        return Comparison(name, kind, meant, self._value(value, name, kind), key)

    def _field(self, token: Token) -> tuple[str, FieldKind | None, str]:
        """The field name in a token, its kind (None if it names no field), and the name of an attribute."""
        if token.kind == "word" and self._vocabulary.attributes and token.text.startswith("attributes."):
            key = token.text.removeprefix("attributes.")
            return "attributes", FieldKind.ATTRIBUTE, key or unquoted(self._take("the name of an attribute"))
        name = self._vocabulary.aliases.get(token.text, token.text)
        return name, self._vocabulary.fields.get(name) if token.kind == "word" else None, ""

    def _anywhere(self, token: Token) -> Filter:
        """A bare word or text: one of the list's main fields contains it."""
        if token.kind not in {"string", "word"} or (token.kind, token.text) in {("word", "AND"), ("word", "OR")}:
            refuse(token.position, f"a field is expected, not {token.text[:20]!r}")
        return Any(
            tuple(
                Comparison(name, FieldKind.TEXT, ":", self._value(token, name, FieldKind.TEXT))
                for name in self._vocabulary.searched
            )
        )

    def _value(self, token: Token, name: str, kind: FieldKind) -> str | int | datetime:
        text = unquoted(token)
        if kind is FieldKind.WORD:
            return _word(token, text, self._vocabulary.words[name])
        if kind is FieldKind.TIME:
            return _time(token, text)
        return self._vocabulary.folded.get(name, str)(text)


def _word(token: Token, text: str, words: Mapping[str, int | str]) -> int | str:
    found = [value for name, value in words.items() if name.casefold() == text.casefold()]
    if not found:
        refuse(token.position, f"there is no {text[:40]!r}: use {', '.join(words)}")
    return found[0]


def _time(token: Token, text: str) -> datetime:
    """A time in UTC. Its offset must not move it out of the calendar."""
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        refuse(token.position, "a time between the years 1 and 9999 is expected, such as 2026-01-31T00:00:00Z")
