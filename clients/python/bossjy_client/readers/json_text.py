"""Parser of JSON documents value by value, with one record in memory. It reads NaN and Infinity of many programs.

The standard library decodes a record: streaming parsers such as ijson reject NaN.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO

from bossjy_client.errors import SourceError
from bossjy_client.read_options import ReaderLimits
from bossjy_client.readers.flat import exact_number

_PIECE = 64 * 1024
_LONGEST_WORD = 16
# Numbers keep their digits; NaN and Infinity become null.
DECODER = json.JSONDecoder(parse_float=exact_number, parse_constant=lambda _: None)
_SPACE = " \t\r\n\ufeff"


class JsonText:
    """The text of a document, with a position. Raises SourceError if it is not JSON."""

    def __init__(self, stream: TextIO, label: str, limits: ReaderLimits) -> None:
        self._stream, self._label, self._limits = stream, label, limits
        self._text = ""
        self._position = 0
        self._before = 0
        self._ended = False

    def next_sign(self) -> str:
        """The next character that is not white space, without consuming it; empty at the end."""
        while True:
            while self._position < len(self._text):
                sign = self._text[self._position]
                if sign not in _SPACE:
                    return sign
                self._position += 1
            if not self._more():
                return ""

    def take(self, signs: str) -> str:
        """Consume the next character, which must be one of `signs`."""
        sign = self.next_sign()
        if not sign or sign not in signs:
            raise self.wrong(f"{' or '.join(signs)} is missing")
        self._position += 1
        return sign

    def value(self) -> Any:
        """Consume the next value."""
        self.next_sign()
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._position)
            except json.JSONDecodeError as error:
                # At the end of the available text, the value may only be truncated.
                cut = error.pos + _LONGEST_WORD >= len(self._text) or error.msg.startswith("Unterminated string")
                behind = error.pos - self._position
                if not cut or not self._more():
                    raise self.wrong(error.msg, behind) from error
            except RecursionError as error:
                raise self.wrong("values are nested too deep") from error
            else:
                # A number may continue after the available text.
                if end < len(self._text) or not self._more():
                    self._position = end
                    return value
            if len(self._text) - self._position > self._limits.record_characters:
                raise SourceError(
                    f"{self._label}: a record has more than {self._limits.record_characters:,} characters, or its end "
                    f"is missing (record_characters), from character {self._before + self._position + 1}"
                )

    def wrong(self, what: str, behind: int = 0) -> SourceError:
        """The error, with its position."""
        return SourceError(f"{self._label}: not JSON at character {self._before + self._position + behind + 1}: {what}")

    def _more(self) -> bool:
        """Read more; False at the end. Reads as much as it already has, so that a long value is decoded few times."""
        if self._ended:
            return False
        piece = self._stream.read(max(_PIECE, len(self._text) - self._position))
        if not piece:
            self._ended = True
            return False
        self._before += self._position
        self._text, self._position = self._text[self._position :] + piece, 0
        return True


def outer_values(text: JsonText, path: str = "", nesting: int = 64) -> Iterator[tuple[str, bool, Any]]:
    """The values of one document as (dotted path, True for an item of an array, value); objects are split.

    An item of an array is returned whole: arrays inside a record are part of it.
    """
    sign = text.next_sign()
    if sign == "[":
        text.take("[")
        while text.next_sign() != "]":
            yield path, True, text.value()
            if text.next_sign() != "]":
                text.take(",")
        text.take("]")
    elif sign == "{" and nesting:
        text.take("{")
        while text.next_sign() != "}":
            key = text.value() if text.next_sign() == '"' else text.take('"')
            text.take(":")
            yield from outer_values(text, f"{path}.{key}" if path else str(key), nesting - 1)
            if text.next_sign() != "}":
                text.take(",")
        text.take("}")
    else:
        yield path, False, text.value()
