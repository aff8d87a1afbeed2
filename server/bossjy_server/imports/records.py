"""Plain values of an import: state, options, counts and parts. Enumerations have the values of the contract's."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

import orjson


class State(StrEnum):
    """The state of an import; the text of bossjy.imports.state."""

    OPEN = "open"
    SUCCEEDED = "succeeded"
    CANCELLED = "cancelled"
    FAILED = "failed"
    REVERTED = "reverted"


class FileFormat(IntEnum):
    """Form of the bytes."""

    FOUND_OUT = 0
    CSV = 1
    TSV = 2
    JSONL = 3
    ARROW = 4


class Compression(IntEnum):
    """Compression of the bytes."""

    FOUND_OUT = 0
    NONE = 1
    GZIP = 2
    ZSTD = 3


class Header(IntEnum):
    """The setting for a first row that names the columns."""

    FOUND_OUT = 0
    PRESENT = 1
    ABSENT = 2


class Quoting(IntEnum):
    """The setting for quoted cells."""

    FOUND_OUT = 0
    QUOTED = 1
    NONE = 2


class ContactField(IntEnum):
    """The meaning of a column."""

    PHONE_NUMBER = 1
    OTHER_NUMBER = 2
    NAME = 3
    EMAIL = 4
    COUNTRY = 5
    ATTRIBUTE = 6
    IGNORE = 7
    GIVEN_NAME = 8
    FAMILY_NAME = 9
    ATTRIBUTES = 10
    EXTENSION = 11


class ExistingPolicy(IntEnum):
    """The treatment of a row whose number was a contact before the import."""

    SKIP = 1
    FILL_EMPTY = 2
    OVERWRITE = 3


class DuplicatePolicy(IntEnum):
    """The row that counts among several with one number."""

    FIRST_WINS = 1
    LAST_WINS = 2


class DoubtfulPolicy(IntEnum):
    """The treatment of a row whose cell more likely means another number than libphonenumber reads."""

    REJECT = 1
    KEEP = 2


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """The meaning of one column; `attribute` is its name among the attributes."""

    column: str
    field: ContactField
    attribute: str = ""


@dataclass(frozen=True, slots=True)
class SourceFormat:
    """The format of the bytes. Empty and FOUND_OUT values are to be detected."""

    format: FileFormat = FileFormat.FOUND_OUT
    compression: Compression = Compression.FOUND_OUT
    encoding: str = ""
    delimiter: str = ""
    quote: str = ""
    header: Header = Header.FOUND_OUT
    columns: tuple[str, ...] = ()
    # Line of the header, from 1, and number of lines to skip at the start; 0: not set.
    header_row: int = 0
    skip_rows: int = 0
    escape: str = ""
    quoting: Quoting = Quoting.FOUND_OUT

    @property
    def is_encoded(self) -> bool:
        """True if a decoder that begins with the first byte makes text of the bytes."""
        return self.compression is not Compression.NONE or self.format is FileFormat.ARROW


@dataclass(frozen=True, slots=True)
class RejectLimit:
    """The limit of rejected rows at which an import stops; None: no limit."""

    rows: int | None = None
    percent: float | None = None
    # Rows that are read before `percent` applies.
    minimum_rows: int = 1000

    def exceeded(self, rejected: int, rows: int, *, ended: bool) -> bool:
        """True if so many rejected rows among so many rows are too many."""
        if self.rows is not None and rejected > self.rows:
            return True
        applies = self.percent is not None and (ended or rows >= self.minimum_rows)
        return applies and rejected * 100 > (self.percent or 0) * rows

    def __str__(self) -> str:
        """The form of `bossjy import --max-rejects`."""
        texts = ["" if self.rows is None else f"{self.rows}", "" if self.percent is None else f"{self.percent:g} %"]
        return " or ".join(text for text in texts if text)


# Fields that earlier releases did not have. They are written only if they are set, so a request keeps its hash.
_LATER_FIELDS = ("header_row", "skip_rows", "escape", "quoting")


@dataclass(frozen=True, slots=True)
class Spec:
    """The requested options of an import, or its resolved ones."""

    display_name: str = ""
    file_name: str = ""
    source: SourceFormat = SourceFormat()
    mapping: tuple[ColumnMapping, ...] = ()
    default_region: str = ""
    existing_policy: ExistingPolicy = ExistingPolicy.OVERWRITE
    duplicate_policy: DuplicatePolicy = DuplicatePolicy.FIRST_WINS
    part_count: int = 1
    drop_unknown_columns: bool = False
    enrich: bool = False
    language: str = ""
    parent_import_id: str = ""
    # Cells that count as empty; None for the usual ones.
    null_values: tuple[str, ...] | None = None
    doubtful_policy: DoubtfulPolicy = DoubtfulPolicy.REJECT
    reject_limit: RejectLimit | None = None

    def with_region(self, region: str) -> Spec:
        """The same with another default region."""
        return replace(self, default_region=region)

    def to_json(self) -> str:
        """The form in the database. Equal specs give equal text."""
        values = asdict(self)
        values["source"] = {key: value for key, value in values["source"].items() if value or key not in _LATER_FIELDS}
        if self.reject_limit is None:
            del values["reject_limit"]
        return orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()

    @classmethod
    def from_json(cls, text: str) -> Spec | None:
        """Read the output of `to_json`; None for the empty object."""
        values: dict[str, Any] = orjson.loads(text)
        if not values:
            return None
        source = values["source"]
        null_values = values.get("null_values")
        limit = values.get("reject_limit")
        return cls(
            **{
                **values,
                "source": SourceFormat(
                    **{
                        **source,
                        "format": FileFormat(source["format"]),
                        "compression": Compression(source["compression"]),
                        "header": Header(source["header"]),
                        "columns": tuple(source["columns"]),
                        "quoting": Quoting(source.get("quoting", 0)),
                    }
                ),
                "mapping": tuple(
                    ColumnMapping(one["column"], ContactField(one["field"]), one["attribute"])
                    for one in values["mapping"]
                ),
                "null_values": None if null_values is None else tuple(null_values),
                "reject_limit": None if limit is None else RejectLimit(**limit),
                "existing_policy": ExistingPolicy(values["existing_policy"]),
                "duplicate_policy": DuplicatePolicy(values["duplicate_policy"]),
                "doubtful_policy": DoubtfulPolicy(values.get("doubtful_policy", DoubtfulPolicy.REJECT)),
            }
        )


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows by result. rows_in is the sum of the others; the database rejects anything else."""

    rows_in: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicate: int = 0
    rejected: int = 0

    def __add__(self, other: Counts) -> Counts:
        return replace(
            self,
            rows_in=self.rows_in + other.rows_in,
            inserted=self.inserted + other.inserted,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            duplicate=self.duplicate + other.duplicate,
            rejected=self.rejected + other.rejected,
        )


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """The number of rows rejected for one reason, and of the kept ones with a suggestion."""

    reason: int
    rows: int
    suggestions: int


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the file, as far as it is committed."""

    part: int
    committed_offset: int
    next_line: int
    counts: Counts
    finished: bool = False
    holder: str = ""
    decoder: str = "{}"


@dataclass(frozen=True, slots=True)
class ImportJob:
    """An import with its parts."""

    import_id: str
    state: State
    spec: Spec
    resolved: Spec | None
    parts: tuple[Part, ...]
    revision: int
    validate_only: bool
    metadata_version: str
    created_by: str
    create_time: datetime
    update_time: datetime
    end_time: datetime | None
    failure: str
    rejects_truncated: bool
    duplicates_truncated: bool
    # The most frequent reason first.
    reject_counts: tuple[ReasonCount, ...] = ()

    @property
    def counts(self) -> Counts:
        """Sum over the parts."""
        return sum((part.counts for part in self.parts), Counts())


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A rejected row, as it is kept."""

    part: int
    line: int
    byte_offset: int
    column: str
    reason: int
    original: str
    suggestion: str
    row_text: str
