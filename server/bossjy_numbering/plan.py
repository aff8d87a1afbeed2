"""The numbering plan: the object that callers use."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path

from bossjy_numbering import oracle
from bossjy_numbering.cache import Content, compiled_or_built, default_cache_dir, write
from bossjy_numbering.column.engine import ColumnEngine
from bossjy_numbering.column.regions import DefaultRegions, region_rows
from bossjy_numbering.column.result import NumberColumn
from bossjy_numbering.column.texts import Texts, text_buffers
from bossjy_numbering.compile import COMPILER_VERSION, compile_plan
from bossjy_numbering.corrections import Corrector, Diagnosis, Doubt, text_doubts
from bossjy_numbering.explain import Explainer, Explanation
from bossjy_numbering.find import find_steps
from bossjy_numbering.metadata import installed_rules
from bossjy_numbering.partial import Partial, partial_steps
from bossjy_numbering.regions import describe_regions, example_numbers, is_valid_in
from bossjy_numbering.scalar import ScalarEngine
from bossjy_numbering.shorts import ShortInfo, short_info
from bossjy_numbering.steps import Steps, finish
from bossjy_numbering.tables import Tables, tables_of
from bossjy_numbering.types import Format, Found, Leniency, MatchType, Number, NumberType, RegionInfo

# The default limit of `Plan.find`.
FIND_LIMIT = 100


class Plan:
    """The plan of one metadata version. Immutable: threads may share it. Pickles as its cache folder."""

    def __init__(self, tables: Tables, cache_dir: Path) -> None:
        self.tables = tables
        self._cache_dir = cache_dir

    def __reduce__(self) -> tuple[Callable[[Path | None], Plan], tuple[Path | None]]:
        return load_plan, (self._cache_dir,)

    @property
    def table_bytes(self) -> int:
        """Bytes of the tables in memory, those for columns included; the file has a tenth of it."""
        return self.tables.nbytes + self._columns.nbytes

    @cached_property
    def _scalar(self) -> ScalarEngine:
        # Built at the first use: a process that only reads columns does not need it.
        return ScalarEngine(self.tables, oracle.answer)

    @cached_property
    def _columns(self) -> ColumnEngine:
        return ColumnEngine(self.tables, self.number)

    @cached_property
    def _regions(self) -> tuple[RegionInfo, ...]:
        return describe_regions()

    @cached_property
    def _explainer(self) -> Explainer:
        return Explainer(self.tables, self.number, self._corrector)

    @cached_property
    def _corrector(self) -> Corrector:
        return Corrector(self.tables, self.number)

    @property
    def version(self) -> str:
        """Version of libphonenumber's metadata: `9.0.43`."""
        return self.tables.version

    def number(self, text: str, default_region: str | None = None) -> Number:
        """The answer for one text. Never raises for a str; an unknown region counts as none."""
        return self._scalar.number(text, default_region)

    def doubts(self, text: str, number: Number) -> Doubt:
        """The questionable readings of a text that its answer `number` depends on; none if it is not valid."""
        return text_doubts(text, number)

    def column(self, values: Texts, default_regions: DefaultRegions = None) -> NumberColumn:
        """The answer for each text of a column. ValueError if the numbers of default regions and of texts differ.

        `values`: n str, a pyarrow string or large_string array, or (offsets (n + 1,), UTF-8 bytes).
        `default_regions`: one region for all rows, None, or n of them (str, or a pyarrow string or dictionary
        array); a row's None or "" means none.
        """
        return finish(self.column_steps(values, default_regions))

    def column_steps(self, values: Texts, default_regions: DefaultRegions = None) -> Steps[NumberColumn]:
        """The same as `column`, in steps of some ten milliseconds at most."""
        texts = text_buffers(values)
        engine = self._columns
        regions, region_texts = region_rows(default_regions, len(texts), engine.region_position)
        return (yield from engine.column_steps(texts, regions, region_texts))

    def format(self, number: Number, form: Format) -> str:
        """The number in the format `form`. ValueError if it is not a number."""
        if number.error:
            raise ValueError("a text that is not a number has no format")
        return oracle.write(number, form)

    def format_dialled_from(self, number: Number, region: str) -> str:
        """The number as it is dialled from a region. ValueError if it is not a number."""
        if number.error:
            raise ValueError("a text that is not a number has no format")
        return oracle.write_dialled_from(number, region)

    def match(
        self, first: str, second: str, first_region: str | None = None, second_region: str | None = None
    ) -> MatchType:
        """The certainty that two texts are the same number. A text with a region is read in it first."""
        return oracle.compare(first, second, first_region, second_region)

    def format_partial_steps(self, text: str, region: str | None, cursor: int | None = None) -> Steps[Partial]:
        """The digits typed so far, formatted, in steps of a character."""
        return partial_steps(text, region, cursor)

    def short_number(self, text: str, region: str) -> ShortInfo:
        """A text read as a short number of a region of the plan."""
        return short_info(text, region)

    def find(
        self,
        text: str,
        default_region: str | None = None,
        leniency: Leniency = Leniency.VALID,
        limit: int = FIND_LIMIT,
    ) -> list[Found]:
        """The first `limit` numbers in a running text, in its order."""
        return finish(find_steps(text, default_region, leniency, limit))

    def find_steps(self, text: str, default_region: str | None, leniency: Leniency, limit: int) -> Steps[list[Found]]:
        """The same as `find`, in steps of about a millisecond."""
        return find_steps(text, default_region, leniency, limit)

    def explain(self, text: str, default_region: str | None = None, language: str = "en") -> Explanation:
        """The reason why a text is valid or not (`en` or `zh`), with likely corrections; each one is a valid number."""
        return finish(self.explain_steps(text, default_region, language))

    def explain_steps(self, text: str, default_region: str | None, language: str) -> Steps[Explanation]:
        """The same as `explain`, in steps of about a millisecond."""
        return self._explainer.explain_steps(text, default_region, language)

    def diagnose(self, text: str, default_region: str | None = None) -> Diagnosis:
        """The answer for a text, doubts about it, and likely corrections; the first correction is that of `explain`."""
        return self._corrector.diagnose(text, default_region)

    def examples(self, region: RegionInfo) -> tuple[tuple[NumberType, Number], ...]:
        """A valid number for each type of a region, if the plan has one."""
        return example_numbers(region)

    def readings_steps(self, text: str) -> Steps[list[tuple[RegionInfo, Number]]]:
        """The regions in which a text is a valid number, and the number there, in steps of a region.

        With a plus: the regions of its calling code that have the number; else all regions whose own reading is valid.
        """
        found = []
        abroad = self.number(text)
        for region in self.regions():
            yield
            number = abroad if not abroad.error else self.number(text, region.code)
            own = is_valid_in(number, region) if not abroad.error else number.valid and number.region == region.code
            if own:
                found.append((region, number))
        return found

    def regions(self) -> tuple[RegionInfo, ...]:
        """All regions, by region code and then calling code; the non-geographic calling codes come first."""
        return self._regions


def load_plan(cache_dir: Path | None = None) -> Plan:
    """The plan of the installed `phonenumbers`.

    Its tables are those that the wheel `bossjy-numbering` contains, if they are of that version. Otherwise they are
    cached in `cache_dir` (default: `.cache/bossjy` in the home folder), one file for each metadata version. Missing
    tables are built in some two seconds. A process loads each folder's plan once.
    """
    return _kept(cache_dir or default_cache_dir())


@cache
def _kept(cache_dir: Path) -> Plan:
    return plan_from(cache_dir)


def plan_from(cache_dir: Path) -> Plan:
    """The plan as in `load_plan`, read from its file anew."""
    return Plan(tables_of(*compiled_or_built(tables_name(), cache_dir, _compiled)), cache_dir)


def tables_name() -> str:
    """The name of the file with the tables of the installed `phonenumbers`."""
    return f"numbering-{oracle.VERSION}-{COMPILER_VERSION}.tables"


def write_tables(path: Path) -> None:
    """Compiles the tables of the installed `phonenumbers` into a file, as the build of the wheel does."""
    write(path, *_compiled())


def _compiled() -> Content:
    return compile_plan(installed_rules()).to_content()
