"""Row cleaning: columns of rows become columns of contacts and rejected rows. Pure; runs in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bossjy_numbering import NumberColumn, Plan
from bossjy_numbering.enrich import Enrichment, Labels
from bossjy_server.imports.cleaning.attributes import json_members, json_objects
from bossjy_server.imports.cleaning.extensions import extensions_of, from_column, with_extensions
from bossjy_server.imports.cleaning.names import composed
from bossjy_server.imports.cleaning.null_words import NullWords
from bossjy_server.imports.cleaning.number_cells import check_numbers
from bossjy_server.imports.cleaning.primary import (
    PrimaryNumbers,
    distinct_numbers,
    phone_columns,
    primary_numbers,
    regions_at,
)
from bossjy_server.imports.cleaning.rejects import NO_COLUMN, Refusals, rejected_rows, unkept_reasons
from bossjy_server.imports.reading import arrow
from bossjy_server.imports.reading.arrow import Flags, TextColumn
from bossjy_server.imports.reading.countries import Regions, RowRegions, regions_of
from bossjy_server.imports.reading.layout import ExtraCells, RejectReason, RowBlock, RowTexts
from bossjy_server.imports.reading.mapping import MAX_ATTRIBUTES
from bossjy_server.imports.reading.own_export import listed, with_objects
from bossjy_server.imports.records import ContactField, DoubtfulPolicy, FileFormat, RejectedRow, Spec

# The limits of a contact, in characters.
_LONGEST = {
    ContactField.NAME: 500,
    ContactField.EMAIL: 320,
    ContactField.GIVEN_NAME: 250,
    ContactField.FAMILY_NAME: 249,
}
_LONGEST_ATTRIBUTE = 10_000
# The attribute with the reason why a number is doubtful, as the contract says.
WARNING_ATTRIBUTE = "number_warning"
_WITHOUT_LIMIT = frozenset({ContactField.IGNORE, ContactField.ATTRIBUTES})
# Of carriers and places.
_LANGUAGE = "en"
_GUARD = r"^'('*[=+\-@\t\r])"
_EMAIL = r"^[^@\s,;]+@[^@\s,;]+\.[^@\s.,;]+$"


@dataclass(frozen=True, slots=True)
class CleanRows:
    """Contacts of a block, shapes (n,), in the order of the file. `offset` is the row's first byte in its part."""

    e164: TextColumn
    region: TextColumn
    number_type: NDArray[np.int16]
    name: TextColumn
    email: TextColumn
    other_numbers: TextColumn  # as PostgreSQL writes an array: `{+86…,+44…;ext=5}`
    attributes: TextColumn  # JSON objects
    # None if they were not requested.
    carrier: TextColumn | None
    place: TextColumn | None
    # None if no number has one.
    extension: TextColumn | None
    offset: NDArray[np.int64]
    line: NDArray[np.int64]
    texts: RowTexts

    def __len__(self) -> int:
        return len(self.offset)


class Cleaner:
    """Cleans the blocks of one part."""

    def __init__(self, plan: Plan, resolved: Spec, part: int = 0, enrichment: Enrichment | None = None) -> None:
        """`enrichment` is given if carriers and places are to be looked up."""
        self._plan = plan
        self._enrichment = enrichment
        self._language = resolved.language or _LANGUAGE
        self._mapping = resolved.mapping
        self._phones = phone_columns(resolved.mapping)
        self._default_region = resolved.default_region
        self._keep_unknown = not resolved.drop_unknown_columns
        self._null_words = NullWords(resolved.null_values)
        self._keep_doubtful = resolved.doubtful_policy is DoubtfulPolicy.KEEP
        self._part = part
        # An export guards its cells in delimited text only.
        delimited = resolved.source.format not in {FileFormat.JSONL, FileFormat.ARROW}
        self._guarded = delimited or self._index(ContactField.ATTRIBUTES) < 0
        self._regions = frozenset(info.code for info in plan.regions())
        # Reasons of the rejected rows of the last block that were not kept.
        self.unkept: list[int] = []

    def clean(self, block: RowBlock, *, keep_rejects: int) -> tuple[CleanRows, list[RejectedRow]]:
        """The contacts of a block and, in the order of the file, its first `keep_rejects` rejected rows."""
        written = [self._unguarded(arrow.trimmed(column)) for column in block.columns]
        cells = [self._null_words.without(column) for column in written]
        country = self._regions_of(cells)
        regions = country.regions
        primary = primary_numbers(cells, self._phones, self._plan, regions, keep_doubtful=self._keep_doubtful)
        refusals = Refusals(primary.numbers.reason.copy(), primary.source.copy())
        if country.unknown.any():
            refusals.replace(country.unknown, RejectReason.COUNTRY_UNKNOWN, self._index(ContactField.COUNTRY))
        self._refuse_long(cells, refusals)
        objects = self._extra_cells(block, cells)
        extra = None if objects is None else json_members(objects)
        if extra is not None:
            self._refuse_many(cells, extra[1], refusals)
        rejects = rejected_rows(
            block,
            refusals,
            written,
            self._mapping,
            part=self._part,
            plan=self._plan,
            regions=regions,
            numbers=primary.numbers,
            limit=keep_rejects,
        )
        self.unkept = unkept_reasons(block, refusals, len(rejects))
        members = extra[0] if extra is not None else None
        return self._accepted(block, cells, primary, regions, refusals.reason == 0, members), rejects

    def _unguarded(self, cells: TextColumn) -> TextColumn:
        """Without the apostrophe that keeps a spreadsheet from taking a cell for a formula."""
        if not self._guarded:
            return cells
        return arrow.replaced_where(cells, arrow.starts_with(cells, "'"), _GUARD, r"\1")

    def _extra_cells(self, block: RowBlock, cells: Sequence[TextColumn]) -> ExtraCells | None:
        """The cells of each row that have no column."""
        extra = block.extra if self._keep_unknown else None
        if extra is not None:
            extra = replace(extra, values=self._null_words.without(arrow.trimmed(extra.values)))
        index = self._index(ContactField.ATTRIBUTES)
        return extra if index < 0 else with_objects(extra, cells[index], self._mapping[index].column)

    def _index(self, field: ContactField) -> int:
        return next((index for index, one in enumerate(self._mapping) if one.field is field), -1)

    def _regions_of(self, cells: Sequence[TextColumn]) -> RowRegions:
        """The default region of each row, or one for all."""
        country = self._index(ContactField.COUNTRY)
        if country < 0:
            return RowRegions(self._default_region or None, np.zeros(len(cells[0]), np.bool_))
        return regions_of(cells[country], self._regions, self._default_region)

    def _refuse_long(self, cells: Sequence[TextColumn], refusals: Refusals) -> None:
        for index, one in enumerate(self._mapping):
            limit = _LONGEST.get(one.field, _LONGEST_ATTRIBUTE)
            # A text has at most as many characters as bytes, and its bytes are counted at no cost.
            if one.field not in _WITHOUT_LIMIT and arrow.longest_bytes(cells[index]) > limit:
                long = arrow.character_lengths(cells[index]) > limit
                refusals.refuse(long, RejectReason.VALUE_TOO_LONG, index)

    def _refuse_many(self, cells: Sequence[TextColumn], extra: NDArray[np.int32], refusals: Refusals) -> None:
        """Reject rows with more attributes than a contact can have. `extra`: the cells of each row without a column."""
        counts = extra.astype(np.int64)
        for index, one in enumerate(self._mapping):
            if one.field is ContactField.ATTRIBUTE:
                counts += ~arrow.is_empty(cells[index])
        refusals.refuse(counts > MAX_ATTRIBUTES, RejectReason.TOO_MANY_ATTRIBUTES, NO_COLUMN)

    def _accepted(  # noqa: PLR0917 - the parts of a block
        self,
        block: RowBlock,
        cells: list[TextColumn],
        primary: PrimaryNumbers,
        regions: Regions,
        good: Flags,
        members: TextColumn | None,
    ) -> CleanRows:
        count = int(good.sum())
        numbers, source = primary.numbers, primary.source[good]
        e164 = arrow.kept(numbers.e164, good)
        cells = [arrow.kept(column, good) for column in cells]
        regions = regions_at(regions, np.flatnonzero(good))
        email = arrow.repeated("", count)
        others: list[TextColumn] = []
        # Kept besides: attributes, and cells that do not match the kind of their column.
        name, aside = self._names(cells, count)
        extension = extensions_of(numbers.column, np.flatnonzero(good))
        if (index := self._index(ContactField.EXTENSION)) >= 0:
            of_phone = source == self._phones[0]
            extension, aside[self._mapping[index].column] = from_column(extension, cells[index], of_phone)
        own = with_extensions(e164, extension)
        for index, one in enumerate(self._mapping):
            match one.field:
                case ContactField.EMAIL:
                    shaped = arrow.matches(cells[index], _EMAIL)
                    email = arrow.chosen(shaped, cells[index], "")
                    aside[one.column] = arrow.chosen(shaped, "", cells[index])
                case ContactField.PHONE_NUMBER if (source != index).any():
                    # These are no numbers: another column has the number of the row.
                    aside[one.column] = arrow.chosen(source != index, cells[index], "")
                case ContactField.OTHER_NUMBER:
                    further, aside[one.column] = self._other_numbers(cells[index], regions, e164, own)
                    others.append(further)
                case ContactField.ATTRIBUTE:
                    aside[one.attribute] = cells[index]
                case _:
                    pass
        if self._keep_doubtful:
            aside[WARNING_ATTRIBUTE] = arrow.kept(numbers.warnings(), good)
        extra = None if members is None else arrow.kept(members, good)
        carrier, place = self._labels(numbers.column, good)
        return CleanRows(
            e164=e164,
            region=arrow.kept(numbers.region, good),
            number_type=numbers.type[good],
            name=name,
            email=email,
            other_numbers=_array_text(distinct_numbers(others), count),
            attributes=json_objects(list(aside), list(aside.values()), count, extra),
            carrier=carrier,
            place=place,
            extension=extension,
            offset=block.offsets[good],
            line=block.lines[good],
            texts=RowTexts(block.data, block.starts[good], block.ends[good]),
        )

    def _names(self, cells: Sequence[TextColumn], count: int) -> tuple[TextColumn, dict[str, TextColumn]]:
        """The name of each row, and the given and family names that another name replaces."""
        empty = arrow.repeated("", count)
        column, first, last = map(self._index, (ContactField.NAME, ContactField.GIVEN_NAME, ContactField.FAMILY_NAME))
        name = cells[column] if column >= 0 else empty
        if first < 0 and last < 0:
            return name, {}
        parts = composed(cells[first] if first >= 0 else empty, cells[last] if last >= 0 else empty)
        unnamed = arrow.is_empty(name)
        replaced = ~unnamed & arrow.differs(name, parts)
        aside = {
            self._mapping[index].column: arrow.chosen(replaced, cells[index], "")
            for index in (first, last)
            if index >= 0
        }
        return arrow.chosen(unnamed, parts, name), aside

    def _labels(self, column: NumberColumn, good: Flags) -> tuple[TextColumn, TextColumn] | tuple[None, None]:
        """Carriers and places of the accepted rows, if they are requested."""
        if self._enrichment is None:
            return None, None
        return (
            _texts(self._enrichment.carrier_column(column, self._language), good),
            _texts(self._enrichment.place_column(column, self._language), good),
        )

    def _other_numbers(
        self, cells: TextColumn, regions: Regions, e164: TextColumn, own: TextColumn
    ) -> tuple[TextColumn, TextColumn]:
        """Valid numbers with their extensions, and separately the cells without a valid number.

        The number of the contact, `e164`, and that number with its extension, `own`, are left out.
        """
        if arrow.longest_bytes(cells) == 0:
            return cells, cells
        if (several := listed(cells)) is not None:
            return self._listed_numbers(several, cells, regions, (e164, own))
        numbers = check_numbers(cells, self._plan, regions)
        found = with_extensions(numbers.e164, extensions_of(numbers.column, np.arange(len(cells))))
        valid = numbers.reason == 0
        another = arrow.differs(found, e164) & arrow.differs(found, own)
        return arrow.chosen(valid & another, found, ""), arrow.chosen(valid, "", cells)

    def _listed_numbers(
        self,
        several: tuple[TextColumn, NDArray[np.int32]],
        cells: TextColumn,
        regions: Regions,
        own: tuple[TextColumn, TextColumn],
    ) -> tuple[TextColumn, TextColumn]:
        """The same for cells that may have several numbers: `+86…,+44…`. A cell with any other text is kept apart."""
        items, rows = several
        of_items = [regions[row] for row in rows.tolist()] if isinstance(regions, list) else regions
        numbers = check_numbers(items, self._plan, of_items)
        found: list[dict[str, None]] = [{} for _ in range(len(cells))]
        other = np.zeros(len(cells), np.bool_)
        texts = with_extensions(numbers.e164, extensions_of(numbers.column, np.arange(len(items)))).to_pylist()
        bare, whole = (column.to_pylist() for column in own)
        for item, row in enumerate(rows.tolist()):
            number = texts[item] or ""
            if numbers.reason[item]:
                other[row] = True
            elif number not in {bare[row], whole[row]}:
                found[row][number] = None
        return arrow.text_column(",".join(numbers) for numbers in found), arrow.chosen(other, cells, "")


def _texts(labels: Labels[str], good: Flags) -> TextColumn:
    return arrow.from_codes(labels.indices[good], labels.values)


def _array_text(columns: Sequence[TextColumn], rows: int) -> TextColumn:
    """The numbers of each row as PostgreSQL writes an array. Shapes: columns (m, n), result (n,)."""
    if not columns:
        return arrow.repeated("{}", rows)
    pieces = [arrow.chosen(arrow.is_empty(column), "", arrow.joined(",", column)) for column in columns]
    return arrow.joined("{", arrow.without_first_character(arrow.joined(*pieces)), "}")
