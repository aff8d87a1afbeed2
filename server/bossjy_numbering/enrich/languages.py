"""Fallback of languages for names: libphonenumber's rules (phonenumbers/prefix.py, `_find_lang`)."""

from __future__ import annotations

import re
from functools import lru_cache

# Readers of these languages do not get English names as a replacement.
_WITHOUT_ENGLISH = frozenset({"zh", "ja", "ko"})
_WRITTEN_AS = {"zh_TW": "zh_Hant", "zh_HK": "zh_Hant", "zh_MO": "zh_Hant"}


_TAG = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*")


def is_language_tag(tag: str) -> bool:
    """True if a text has the form of a BCP 47 tag; `_` is equal to `-`."""
    return _TAG.fullmatch(tag) is not None


@lru_cache(maxsize=256)
def parse_language(tag: str) -> tuple[str, str | None, str | None]:
    """Language, script and region of a BCP 47 tag: `zh-Hant-TW` is ("zh", "Hant", "TW"). `_` is equal to `-`.

    Other parts of a tag are ignored. A meaningless tag names a language without names.
    """
    language, *others = tag.replace("_", "-").split("-")
    script = next((part.title() for part in others if len(part) == 4 and part.isalpha()), None)
    region = next((part.upper() for part in others if len(part) == 2 and part.isalpha()), None)
    return language.lower(), script, region


@lru_cache(maxsize=256)
def names_in_order(language: str, script: str | None, region: str | None) -> tuple[str, ...]:
    """Keys of the usable names, best first; each prefix answers with the first key that it has."""
    full = "_".join(part for part in (language, script, region) if part is not None)
    keys = [_WRITTEN_AS[full]] if full in _WRITTEN_AS else []
    keys.append(full)
    if script is not None:
        keys.append(f"{language}_{script}")
    if region is not None:
        keys.append(f"{language}_{region}")
    keys.append(language)
    if language not in _WITHOUT_ENGLISH:
        keys.append("en")
    return tuple(dict.fromkeys(keys))


def hidden(key: str, nearer: dict[str, str]) -> bool:
    """True if no language would ever use the name `key` of a prefix, since a longer prefix has the names `nearer`.

    The longer prefix answers whenever it has any usable name. A language that uses `key` also uses the bare language
    after it, and English after that.
    """
    bare = key.partition("_")[0]
    return key in nearer or bare in nearer or (bare not in _WITHOUT_ENGLISH and "en" in nearer)
