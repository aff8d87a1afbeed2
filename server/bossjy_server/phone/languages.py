"""Languages of requests."""

from __future__ import annotations

import re
from functools import lru_cache

from bossjy_server.errors import InvalidArgument, Reason, Violation

DEFAULT_LANGUAGE = "en"
_TAG = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*")


def language_of(tag: str, field: str = "language") -> str:
    """A language as it was asked for, `en` where none was. Raises InvalidArgument(LANGUAGE_UNKNOWN)."""
    if not tag:
        return DEFAULT_LANGUAGE
    if not _TAG.fullmatch(tag):
        raise InvalidArgument(
            Reason.LANGUAGE_UNKNOWN,
            "the language is not a BCP 47 tag: use for example en, zh, zh-Hant",
            violations=[Violation(field, "a BCP 47 tag")],
        )
    return tag


@lru_cache(maxsize=256)
def names_of(tag: str) -> tuple[str, ...]:
    """How tables of names write a language, the nearest first: `zh-hant-tw` is `zh_Hant_TW`, `zh_Hant`, `zh`."""
    language, *others = tag.replace("-", "_").split("_")
    parts = [language.lower(), *(one.title() if len(one) == 4 else one.upper() for one in others)]
    return tuple("_".join(parts[:count]) for count in range(len(parts), 0, -1))
