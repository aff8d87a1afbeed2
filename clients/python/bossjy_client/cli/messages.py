"""Messages of the tool in the language of its user: English texts are the keys, and a table has the Chinese ones.

JSON and CSV output does not depend on the language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bossjy_client.errors import BossjyError

# In the order of gettext.
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
_NO_LANGUAGE = frozenset({"C", "POSIX", "C.UTF-8", "C.utf8"})
_table: Mapping[str, str] = {}


def language_of(words: Sequence[str], environment: Mapping[str, str]) -> str:
    """The language that a command line or, without `--language`, the environment asks for; empty if none does."""
    for position, word in enumerate(words):
        if word.startswith("--language="):
            return word.partition("=")[2]
        if word == "--language":
            return words[position + 1] if position + 1 < len(words) else ""
    locale = next((environment[name] for name in _VARIABLES[1:] if environment.get(name)), "")
    if locale in _NO_LANGUAGE:
        return ""
    return environment.get("LANGUAGE", "").partition(":")[0] or locale


def use_language(tag: str) -> None:
    """Set the language of all messages: Chinese for `zh`, `zh_CN.UTF-8` and the like, else English."""
    global _table  # noqa: PLW0603 - one language for the process
    if is_chinese(tag):
        from bossjy_client.cli.chinese import CHINESE  # noqa: PLC0415 - not loaded for English

        _table = CHINESE
    else:
        _table = {}


def is_chinese(tag: str) -> bool:
    """True for a tag or a locale of Chinese."""
    return tag.replace("-", "_").partition(".")[0].partition("_")[0].lower() in {"zh", "cmn"}


def answer_language() -> str:
    """The language to ask the service for, for texts that people read; empty for English."""
    return "zh" if _table else ""


def tr(text: str, /, **values: object) -> str:
    """A message in the language of the user, with its values."""
    found = _table.get(text, text)
    return found.format(**values) if values else found


def error_text(error: BossjyError) -> str:
    """The text of an error for people."""
    if not _table:
        return str(error)
    from bossjy_client.cli.chinese.errors import chinese_error  # noqa: PLC0415 - not loaded for English

    return chinese_error(error)
