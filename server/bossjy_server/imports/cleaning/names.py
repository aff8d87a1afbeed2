"""Names in two columns: given and family name become the name of the contact."""

from __future__ import annotations

from bossjy_server.imports.reading import arrow
from bossjy_server.imports.reading.arrow import TextColumn

# Chinese, Japanese and Korean names have the family name first, and no space.
_CJK = r"^[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}ー・々]+$"


def composed(given: TextColumn, family: TextColumn) -> TextColumn:
    """The name of each row: `Ann Lee`, or `李安` if both names are Chinese, Japanese or Korean."""
    western = arrow.trimmed(arrow.spaced(given, family))
    compact = arrow.joined(family, given)
    return arrow.chosen(arrow.matches(compact, _CJK), compact, western)
