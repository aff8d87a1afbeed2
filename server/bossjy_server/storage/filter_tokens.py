"""Tokens of filters: words, quoted texts, operators and brackets, each with its position."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from bossjy_server.errors import InvalidArgument, Reason

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
        |(?P<operator><=|>=|!=|=|<|>|:)
        |(?P<bracket>[()])
        |(?P<minus>-(?=[^\W\d_]|[("']))
        |(?P<word>\d[^\s()<>=!:"']*(?::\d[^\s()<>=!:"']*)+|[^\s()<>=!:"']+)  # a time has colons: 2026-01-31T08:00:00Z
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `kind` is its group in the expression above, `position` its first character in the filter."""

    kind: str
    text: str
    position: int


def unquoted(token: Token) -> str:
    """The text of a token without quotes and escapes. Raises InvalidArgument(FILTER_INVALID)."""
    text = _ESCAPE.sub(r"\1", token.text[1:-1]) if token.kind == "string" else token.text
    if "\0" in text:
        refuse(token.position, "a text must not contain U+0000")
    return text


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a filter. Raises InvalidArgument(FILTER_INVALID)."""
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            start = position + len(text[position:]) - len(text[position:].lstrip())
            refuse(start, f"{text[start : start + 1]!r} cannot be read: is a quote missing?")
        yield Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup))
        position = match.end()


def refuse(position: int, why: str) -> NoReturn:
    """Raise InvalidArgument(FILTER_INVALID) with the position that cannot be read."""
    raise InvalidArgument(
        Reason.FILTER_INVALID,
        f"the filter cannot be read at character {position}: {why}",
        metadata={"position": str(position)},
    )
