"""Import preview: the result for the first bytes of a file, by the functions of imports. Pure; runs in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bossjy_numbering import Number, Plan
from bossjy_server.errors import BossjyError, InvalidArgument, Reason, Violation
from bossjy_server.imports.cleaning.clean import Cleaner, CleanRows
from bossjy_server.imports.cleaning.extensions import with_extensions
from bossjy_server.imports.cleaning.null_words import NullWords
from bossjy_server.imports.cleaning.number_cells import repair
from bossjy_server.imports.cleaning.primary import phone_columns
from bossjy_server.imports.cleaning.region_guess import RegionGuess, guess_region, share_valid
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.reading import arrow
from bossjy_server.imports.reading.arrow import TextColumn
from bossjy_server.imports.reading.decode import Reader
from bossjy_server.imports.reading.inflate import read_plain
from bossjy_server.imports.reading.layout import RowBlock
from bossjy_server.imports.reading.mapping import field_of_name
from bossjy_server.imports.reading.resolve import Head, Resolved, mapped, of_arrow, read_head
from bossjy_server.imports.records import (
    ColumnMapping,
    Compression,
    ContactField,
    Counts,
    FileFormat,
    Header,
    Part,
    Quoting,
    RejectedRow,
    Spec,
)

# Limit of the examined plain bytes, whatever their compression.
_PLAIN_BYTES = 1024 * 1024
_ROWS = 20
_SAMPLES = 5
_SHOWN_COLUMNS = 1000
_SAMPLE_CHARACTERS = 100
# Cells that help to find the meaning of a column.
_GUESS_CELLS = 200
# Problems that another mapping, header row or form can repair.
_REPAIRABLE = frozenset(
    {
        Reason.PHONE_COLUMN_MISSING,
        Reason.MAPPING_INVALID,
        Reason.TOO_MANY_COLUMNS,
        Reason.HEADER_ROW_INVALID,
        Reason.ROW_TOO_WIDE,
    }
)
_BY_NAME, _KEPT = 0.9, 0.5


@dataclass(frozen=True, slots=True)
class PreviewedColumn:
    """One column: its meaning, the certainty from 0 to 1, the reason, and its first values."""

    mapping: ColumnMapping
    confidence: float
    evidence: str
    samples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PreviewedRow:
    """A row and the findings about its number; `rejected` is the reason for a rejection."""

    line: int
    number: Number | None
    rejected: RejectedRow | None


@dataclass(frozen=True, slots=True)
class Preview:
    """The findings from the sample. `counts` are those for a tenant without contacts."""

    resolved: Resolved
    region: RegionGuess
    columns: list[PreviewedColumn]
    rows: list[PreviewedRow]
    counts: Counts
    # The reason why the file cannot be imported as requested.
    problem: BossjyError | None = None

    @property
    def region_confidence(self) -> float:
        """Share of the numbers that are valid in the shown region."""
        guess = self.region
        return guess.asked_share if self.resolved.spec.default_region == guess.asked else guess.likely_share


def preview(
    sample: bytes, spec: Spec, plan: Plan, options: ImportOptions, *, complete: bool, partial: bool = False
) -> Preview:
    """Read the complete rows of a sample. If `spec.default_region` is empty, the likeliest region is detected.

    Raises what `resolve` raises, and InvalidArgument if the sample contains no complete row. partial: a problem that
    another mapping, header row or form can repair is returned in a preview without rows instead of an error.
    """
    if not sample:
        raise _no_rows("the sample is empty: give the first bytes of the file")
    opened = read_plain(sample, spec.source, _PLAIN_BYTES, complete=complete)
    plain, complete = opened.text, opened.complete
    as_text = of_arrow(spec) if opened.is_arrow else spec
    as_plain = replace(as_text, source=replace(as_text.source, compression=Compression.NONE))
    try:
        head = _head(plain, as_plain, options, complete=complete)
        found = mapped(head)
    except BossjyError as error:
        if not partial or error.reason not in _REPAIRABLE:
            raise
        return _unmapped(plain, as_plain, options, error)
    start = Part(0, found.text_offset, found.line, Counts())
    reader, rest = Reader(found.spec, start, options), plain[found.text_offset :]
    piece = reader.read(rest, final=complete)
    block = piece.rows
    guess = guess_region(block, found.spec, spec.default_region, plan)
    region = spec.default_region or guess.likely
    form = FileFormat.ARROW if opened.is_arrow else found.spec.source.format
    source = replace(found.spec.source, compression=opened.compression, format=form)
    resolved = replace(found.spec, default_region=region, source=source)
    cleaner = Cleaner(plan, resolved)
    good, rejects = cleaner.clean(block, keep_rejects=_ROWS)
    counts = _Counted()
    counts.add(block, good)
    while piece.more:
        rest = rest[piece.used :]
        piece = reader.read(rest, final=complete)
        counts.add(piece.rows, cleaner.clean(piece.rows, keep_rejects=0)[0])
    return Preview(
        replace(found, spec=resolved),
        guess,
        [_column(one, block.columns[i], spec, plan, region) for i, one in enumerate(resolved.mapping)],
        _rows(block, good, rejects, plan, resolved),
        counts.counts(),
    )


def _head(plain: bytes, spec: Spec, options: ImportOptions, *, complete: bool) -> Head:
    found = read_head(plain, spec, options, final=complete)
    if found is None and not complete:
        # Too little to be sure, and nothing more will come: the complete lines must be enough.
        end = plain.rfind(b"\n") + 1
        if end:
            end += plain[end : end + 1] == b"\0"
            found = read_head(plain[:end], spec, options, final=True)
    if found is None:
        raise _no_rows("the sample contains no complete row: give more of the file")
    return found


def _unmapped(plain: bytes, spec: Spec, options: ImportOptions, problem: BossjyError) -> Preview:
    """The first rows and the columns of a file that cannot be imported as requested."""
    wide = replace(options, max_columns=options.max_row_bytes)  # as many as a row can have
    try:
        head = _head(plain, spec, wide, complete=True)
    except BossjyError:
        source = replace(spec.source, header=Header.FOUND_OUT, header_row=0, skip_rows=0, quoting=Quoting.NONE)
        try:
            head = _head(plain, replace(spec, source=source, mapping=()), wide, complete=True)
        except BossjyError:
            raise problem from None
    names, rows = head.columns.names[:_SHOWN_COLUMNS], head.columns.rows
    cells = [[row[index] for row in rows if index < len(row) and row[index].strip()] for index in range(len(names))]
    columns = [
        PreviewedColumn(
            ColumnMapping(name, field_of_name(name, below) or ContactField.ATTRIBUTE),
            0.0,
            "the file cannot be imported yet",
            tuple(text[:_SAMPLE_CHARACTERS] for text in below[:_SAMPLES]),
        )
        for name, below in zip(names, cells, strict=True)
    ]
    found = Resolved(
        replace(spec, source=head.source, mapping=()),
        head.columns.text_offset,
        head.columns.line,
        head.encoding_evidence,
        head.delimiter_evidence,
        head.columns.sheet,
    )
    return Preview(found, RegionGuess(spec.default_region), columns, [], Counts(), problem)


def _column(mapping: ColumnMapping, cells: TextColumn, spec: Spec, plan: Plan, region: str) -> PreviewedColumn:
    named = field_of_name(mapping.column, [str(cell) for cell in cells.slice(0, _GUESS_CELLS)])
    other = named is ContactField.PHONE_NUMBER and mapping.field is ContactField.OTHER_NUMBER
    known = named is mapping.field or other
    why = "its name is known" if known else "its name has no known meaning"
    confidence = _BY_NAME if known else _KEPT
    if any(one.column == mapping.column for one in spec.mapping):
        why, confidence = "as asked", 1.0
    elif mapping.field in (ContactField.PHONE_NUMBER, ContactField.OTHER_NUMBER):
        confidence = share_valid(NullWords(spec.null_values).without(arrow.trimmed(cells)), plan, region)
        why = f"{'its name is known; ' if known else ''}{confidence:.0%} of its cells are valid numbers"
    filled = arrow.kept(cells, ~arrow.is_empty(cells)).slice(0, _SAMPLES).to_pylist()
    return PreviewedColumn(mapping, confidence, why, tuple(text[:_SAMPLE_CHARACTERS] for text in filled if text))


def _rows(
    block: RowBlock, good: CleanRows, rejects: Sequence[RejectedRow], plan: Plan, resolved: Spec
) -> list[PreviewedRow]:
    """The first rows in the order of the file, accepted and rejected."""
    lines = dict(zip(block.offsets.tolist(), block.lines.tolist(), strict=True))
    phones = {resolved.mapping[index].column for index in phone_columns(resolved.mapping)}
    rows: list[tuple[int, PreviewedRow]] = []
    numbers = with_extensions(good.e164, good.extension).slice(0, _ROWS)
    for offset, e164 in zip(good.offset[:_ROWS].tolist(), numbers.to_pylist(), strict=True):
        rows.append((offset, PreviewedRow(lines[offset], plan.number(e164 or ""), None)))
    for one in rejects:
        number = None
        if one.column in phones and one.original:
            text = repair(arrow.text_column([one.original]))[0].as_py()
            number = plan.number(text, resolved.default_region or None)
        rows.append((one.byte_offset, PreviewedRow(one.line, number, one)))
    rows.sort(key=lambda row: row[0])
    return [row for _, row in rows[:_ROWS]]


class _Counted:
    """Counts over the blocks of a sample."""

    def __init__(self) -> None:
        self._rows = self._good = 0
        self._different: set[str] = set()

    def add(self, block: RowBlock, good: CleanRows) -> None:
        self._rows += block.row_count
        self._good += len(good)
        self._different.update(arrow.distinct(good.e164)[0])

    def counts(self) -> Counts:
        inserted = len(self._different)
        return Counts(self._rows, inserted, duplicate=self._good - inserted, rejected=self._rows - self._good)


def _no_rows(why: str) -> InvalidArgument:
    return InvalidArgument(Reason.INVALID_FIELD, why, violations=[Violation("sample", why)])
