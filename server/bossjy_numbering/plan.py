"""The numbering plan: the one object that callers hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bossjy_numbering import oracle
from bossjy_numbering.column.result import NumberColumn, column_of
from bossjy_numbering.column.texts import Texts, text_buffers
from bossjy_numbering.regions import describe_regions, region_codes
from bossjy_numbering.types import Format, Found, Leniency, MatchType, Number, RegionInfo

# How many numbers `Plan.find` returns unless told otherwise.
FIND_LIMIT = 100


class Plan:
    """The plan of one metadata version. Immutable: it may be shared by threads. Pickles as its cache folder."""

    def __init__(self, cache_dir: Path | None = None) -> None:
        self._cache_dir = cache_dir
        self._region_codes = region_codes()

    def __reduce__(self) -> tuple[Callable[[Path | None], Plan], tuple[Path | None]]:
        return load_plan, (self._cache_dir,)

    @property
    def version(self) -> str:
        """Version of libphonenumber's metadata: `9.0.43`."""
        return oracle.VERSION

    def number(self, text: str, default_region: str | None = None) -> Number:
        """What one text says. Never raises for a str; a region that the plan does not know counts as none."""
        return oracle.answer(text, default_region)

    def column(self, values: Texts, default_regions: str | Sequence[str | None] | None = None) -> NumberColumn:
        """What each text of a column says. ValueError if `default_regions` is a sequence of another length.

        `values`: n str, a pyarrow string or large_string array, or (offsets (n + 1,) int32 or int64, UTF-8 bytes).
        `default_regions`: one region for all rows, None, or one for each row; a row's None or "" means none.
        """
        texts = text_buffers(values)
        if default_regions is None or isinstance(default_regions, str):
            default_regions = [default_regions] * len(texts)
        if len(default_regions) != len(texts):
            raise ValueError(f"{len(texts)} texts with {len(default_regions)} default regions")
        numbers = [
            oracle.answer(texts.text(row), region or None) for row, region in enumerate(default_regions)
        ]
        return column_of(numbers, self._region_codes)

    def format(self, number: Number, form: Format) -> str:
        """The number as `form` writes it. ValueError if it is not a number."""
        if number.error:
            raise ValueError("a text that is not a number has no format")
        return oracle.write(number, form)

    def format_dialled_from(self, number: Number, region: str) -> str:
        """The number as it is dialled from a region. ValueError if it is not a number."""
        if number.error:
            raise ValueError("a text that is not a number has no format")
        return oracle.write_dialled_from(number, region)

    def match(self, first: str, second: str) -> MatchType:
        """Whether two texts are the same number, as far as they say."""
        return oracle.compare(first, second)

    def find(
        self,
        text: str,
        default_region: str | None = None,
        leniency: Leniency = Leniency.VALID,
        limit: int = FIND_LIMIT,
    ) -> list[Found]:
        """The first `limit` numbers in a running text, in its order."""
        return oracle.find(text, default_region, leniency, limit)

    def regions(self) -> tuple[RegionInfo, ...]:
        """All regions, by region code and then calling code; the non-geographic calling codes come first."""
        return describe_regions()


def load_plan(cache_dir: Path | None = None) -> Plan:
    """The plan of the installed `phonenumbers`. Tables are kept in `cache_dir` (default: the user's cache folder)."""
    return Plan(cache_dir)
