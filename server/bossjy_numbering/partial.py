"""As-you-type formatting of phone numbers: the AsYouTypeFormatter of `phonenumbers`, one character a step."""

from __future__ import annotations

from typing import NamedTuple

from phonenumbers import AsYouTypeFormatter

from bossjy_numbering.steps import Steps

# The name that `phonenumbers` uses for a region that does not exist.
_NO_REGION = "ZZ"


class Partial(NamedTuple):
    """A number that is being typed, as an input field shows it, and its cursor position, in characters."""

    formatted: str
    cursor: int


def partial_steps(text: str, region: str | None, cursor: int | None) -> Steps[Partial]:
    """Formats the typed text. `cursor`: its position in the text; None or a position beyond the end: the end.

    A step is one character: up to some 50 us, so callers limit the text.
    """
    formatter = AsYouTypeFormatter(region or _NO_REGION)
    within = cursor is not None and cursor < len(text)
    formatted = ""
    for place, character in enumerate(text):
        yield
        formatted = formatter.input_digit(character, remember_position=within and place + 1 == cursor)
    if not within:
        return Partial(formatted, len(formatted))
    return Partial(formatted, formatter.get_remembered_position() if cursor else 0)
