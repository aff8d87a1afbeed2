"""Part decoder: the bytes of a part become blocks of rows, from any committed offset."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import orjson

from bossjy_server.errors import FailedPrecondition, Reason
from bossjy_server.imports.options import ImportOptions
from bossjy_server.imports.reading.detect import find_later_encoding
from bossjy_server.imports.reading.inflate import damaged, make_inflater
from bossjy_server.imports.reading.jsonl import split_objects
from bossjy_server.imports.reading.layout import Layout, Place, RowBlock, layout_of
from bossjy_server.imports.reading.split import split_rows
from bossjy_server.imports.reading.transcode import CODECS, Transcoder
from bossjy_server.imports.records import FileFormat, Part, SourceFormat, Spec

_END_OF_FILE = b"\x1a"
# The encoding of a file whose first bytes do not determine it.
_ASCII = "us-ascii"
_DOS_END = b"\x1a"


@dataclass(frozen=True, slots=True)
class Piece:
    """A block of rows, and the state of the part after it."""

    rows: RowBlock
    # The number of used bytes of the input, and true if `read` is to be called again with the rest.
    used: int
    more: bool
    committed_offset: int


class Reader:
    """Reads one part. Compressed bytes and Arrow are read from the first byte, and committed rows are skipped."""

    def __init__(self, resolved: Spec, part: Part, options: ImportOptions) -> None:
        source = resolved.source
        state = orjson.loads(part.decoder)
        self._options = options
        self._rows = _Rows(source, options, state.get("codec"))
        self._inflater = make_inflater(source.compression, source.format)
        text_offset = state.get("text", 0) if self._inflater else part.committed_offset
        self._place = Place(text_offset, part.next_line, bool(state.get("skipping", False)))
        self._was_skipping = False
        # True if lines were held back because a block has enough of them.
        self._cut_short = False
        self._committed = part.committed_offset
        # Fed compressed bytes, plain bytes that are not split into rows yet, and the plain bytes to skip first.
        self._fed = 0
        self._plain = bytearray()
        self._leave_out = text_offset if self._inflater else 0

    @property
    def committed_offset(self) -> int:
        """The end of the committed blocks' rows, in bytes of the part."""
        return self._committed

    @property
    def next_line(self) -> int:
        """The line of the next row."""
        return self._place.line

    @property
    def state(self) -> str:
        """The state that is necessary besides offset and line to continue here, as JSON."""
        state: dict[str, object] = {}
        if self._inflater is not None:
            state["text"] = self._place.offset
        if self._place.skipping:
            state["skipping"] = True
        if self._rows.later_codec:
            state["codec"] = self._rows.later_codec
        return orjson.dumps(state).decode()

    def read(self, data: bytes, *, final: bool) -> Piece:
        """The complete rows at the front of the input. Raises InvalidArgument for damaged compression."""
        if self._inflater is None:
            rows = self._cut(data, final=final)
            self._committed += rows.consumed
            more = rows.consumed > 0 and rows.consumed < len(data) and (final or not rows.next.skipping)
            more = (more and (final or self._was_skipping)) or self._cut_short
            return Piece(rows, rows.consumed, more, self._committed)
        used = self._inflate(data)
        pending = self._inflater.pending
        whole = final and used == len(data) and not pending
        if whole and not self._inflater.whole:
            raise damaged()
        rows = self._cut(bytes(self._plain), final=whole)
        del self._plain[: rows.consumed]
        self._committed = max(self._committed, self._fed)
        left = self._cut_short or (whole and bool(self._plain) and rows.consumed > 0)
        return Piece(rows, used, used < len(data) or left or pending, self._committed)

    def _cut(self, data: bytes, *, final: bool) -> RowBlock:
        self._was_skipping = self._place.skipping
        front = _lines(data, self._options.block_rows)
        rows = self._rows.split(data[:front], self._place, final=final and front == len(data))
        self._cut_short = front < len(data) and rows.consumed > 0
        if front < len(data) and not self._cut_short:  # one row with very many line ends
            rows = self._rows.split(data, self._place, final=final)
        self._place = rows.next
        return rows

    def _inflate(self, data: bytes) -> int:
        assert self._inflater is not None  # noqa: S101 - read asked
        plain, used = self._inflater.feed(data, self._options.block_bytes)
        self._fed += used
        left_out = min(self._leave_out, len(plain))
        self._leave_out -= left_out
        self._plain += plain[left_out:]
        return used


def _lines(data: bytes, most: int) -> int:
    """The length of the first `most` lines in bytes. A row of two bytes takes a thousand as an object."""
    for line_end in (b"\n", b"\r"):
        if data.count(line_end) > most:
            return int(np.flatnonzero(np.frombuffer(data, np.uint8) == line_end[0])[most - 1]) + 1
    return len(data)


class _Rows:
    """Splits plain bytes into rows, by form and encoding."""

    def __init__(self, source: SourceFormat, options: ImportOptions, later_codec: str | None) -> None:
        """`later_codec`: for a file that began with ASCII only, after other bytes came."""
        self._source = source
        self.later_codec = later_codec
        self._max_keys = options.max_columns
        self._codec = CODECS[source.encoding]
        self._layout = layout_of(source, len(source.columns), options.max_row_bytes)

    def split(self, data: bytes, place: Place, *, final: bool) -> RowBlock:
        """Rows of plain bytes. DOS ends text with 0x1A: such bytes at the end of the file are not text."""
        text = data.rstrip(_END_OF_FILE) if final else data
        rows = self._split(text, place, final=final)
        if (ended := len(data) - len(text)) and rows.consumed == len(text):
            after = replace(rows.next, offset=rows.next.offset + ended)
            rows = replace(rows, consumed=len(data), next=after)
        return rows

    def _split(self, data: bytes, place: Place, *, final: bool) -> RowBlock:
        if self._source.encoding == _ASCII and not self.later_codec and not data.isascii():
            self.later_codec = find_later_encoding(data)
        codec = self.later_codec or self._codec
        if codec != "utf-8":
            return Transcoder(codec).split(data, place, self._layout, final=final, cut_text=self._cut)
        return self._cut(data, place, self._layout, final=final)

    def _cut(self, data: bytes, place: Place, layout: Layout, *, final: bool) -> RowBlock:
        """Rows of UTF-8."""
        if final and data.endswith(_DOS_END):
            # The end-of-file character of DOS is an empty line.
            rows = len(data.rstrip(_DOS_END))
            data = data[:rows] + b"\n" * (len(data) - rows)
        if self._source.format is FileFormat.JSONL:
            return split_objects(data, place, self._source.columns, layout, max_keys=self._max_keys, final=final)
        return split_rows(data, place, layout, final=final)


def resume_offset(part: Part) -> int:
    """The offset at which a client must begin. Compressed bytes can only be read from the start."""
    return 0 if "text" in orjson.loads(part.decoder) and not part.finished else part.committed_offset


def missing_header() -> FailedPrecondition:
    """The error for a part that needs the header from part 0 and did not get it."""
    return FailedPrecondition(
        Reason.UPLOAD_OUT_OF_ORDER, "part 0 defines the columns of the file: begin its upload first"
    )
