"""Languages of requests."""

from __future__ import annotations

from functools import lru_cache

from bossjy_numbering.enrich import is_language_tag
from bossjy_server.errors import InvalidArgument, Reason, Violation

DEFAULT_LANGUAGE = "en"


def language_of(tag: str, field: str = "language") -> str:
    """The requested language, `en` by default. Raises InvalidArgument(LANGUAGE_UNKNOWN)."""
    if not tag:
        return DEFAULT_LANGUAGE
    if not is_language_tag(tag):
        raise InvalidArgument(
            Reason.LANGUAGE_UNKNOWN,
            "the language is not a BCP 47 tag: use for example en, zh, zh-Hant",
            violations=[Violation(field, "a BCP 47 tag")],
        )
    return tag


@lru_cache(maxsize=256)
def names_of(tag: str) -> tuple[str, ...]:
    """A language in the notation of name tables, the nearest first: `zh-hant-tw` is `zh_Hant_TW`, `zh_Hant`, `zh`."""
    language, *others = tag.replace("-", "_").split("_")
    parts = [language.lower(), *(one.title() if len(one) == 4 else one.upper() for one in others)]
    return tuple("_".join(parts[:count]) for count in range(len(parts), 0, -1))
