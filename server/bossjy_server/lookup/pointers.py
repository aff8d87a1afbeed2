"""JSON pointers (RFC 6901) to values in a document."""

from __future__ import annotations

import re
from typing import Any

_INDEX = re.compile(r"0|[1-9][0-9]{0,5}")
_STRAY_TILDE = re.compile(r"~(?![01])")


class Pointer:
    """One pointer. Raises ValueError for a text that is not a pointer, or points at the whole document."""

    def __init__(self, text: str) -> None:
        if not text.startswith("/") or _STRAY_TILDE.search(text):
            raise ValueError("a JSON pointer such as `/data/carrier`")
        self._steps = [step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:]]

    def value(self, document: Any) -> Any:
        """The value at the pointer; None if there is none."""
        for step in self._steps:
            if isinstance(document, dict):
                document = document.get(step)
            elif isinstance(document, list) and _INDEX.fullmatch(step) and int(step) < len(document):
                document = document[int(step)]
            else:
                return None
        return document
