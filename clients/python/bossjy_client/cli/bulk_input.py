"""Input of `bossjy phone bulk`: the encoding of a text file, and its lines with a length limit."""

from __future__ import annotations

import io
import sys
from typing import TextIO

from bossjy_client.cli.messages import tr
from bossjy_client.errors import SourceError
from bossjy_client.readers.document import MARKS

# Characters of a line.
LINE_MAX = 1024 * 1024
_LOOKED_AT = 4096


def opened(name: str) -> TextIO:
    """A text file, `-` for standard input. Raises SourceError if it cannot be opened, or is not text."""
    try:
        raw = open(sys.stdin.fileno() if name == "-" else name, "rb", closefd=name != "-")  # noqa: SIM115 - the caller closes it
        encoding = encoding_of(raw.peek(_LOOKED_AT))
    except OSError as error:
        raise SourceError(f"{name}: {error.strerror}") from error
    if encoding is None:
        raw.close()
        raise SourceError(
            tr("{name}: this is not a text file, or its encoding is unknown: save it as UTF-8", name=name)
        )
    return io.TextIOWrapper(raw, encoding=encoding, errors="replace", newline=None)


def encoding_of(start: bytes) -> str | None:
    """The encoding by the first bytes of a file; UTF-8 if they do not show one. None: the file is not text."""
    for mark, encoding in MARKS:
        if start.startswith(mark):
            return encoding
    if b"\0" not in start:
        return "utf-8"
    # Digits and punctuation in UTF-16 without a byte order mark: each second byte is zero.
    even, odd = start[:_LOOKED_AT:2], start[1:_LOOKED_AT:2]
    if not even.count(0) and 2 * odd.count(0) > len(odd):
        return "utf-16-le"
    if not odd.count(0) and 2 * even.count(0) > len(even):
        return "utf-16-be"
    return None


def read_line(file: TextIO, number: int) -> str | None:
    """The next line without its end, None after the last. `number`: its number, for SourceError if it is too long."""
    line = file.readline(LINE_MAX)
    if len(line) == LINE_MAX and not line.endswith("\n"):
        raise SourceError(
            tr(
                "line {number} has more than {line_max:,} characters: the file needs one number a line",
                number=number,
                line_max=LINE_MAX,
            )
        )
    return line.rstrip("\n") if line else None
