"""Dialect detection for delimited text: quoting and the escape byte, from the first rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from bossjy_server.imports.reading.layout import Layout
from bossjy_server.imports.reading.scan import Incomplete, scan_row
from bossjy_server.imports.records import Quoting, SourceFormat

_BACKSLASH = "\\"
_ROWS = 1000


@dataclass(frozen=True, slots=True)
class _Reading:
    """The result of a layout on the first rows: rows with a fault, and the number of rows for each number of cells."""

    faults: int
    widths: Counter[int]

    @property
    def regular(self) -> bool:
        return self.faults == 0 and len(self.widths) == 1


def with_dialect(source: SourceFormat, text: bytes, *, final: bool) -> SourceFormat:
    """The form with quoting and escape. An unset option is detected only if quotes cannot be read otherwise.

    `text`: the first lines, from the first row on; `final`: they end the file.
    """
    quote, escape = source.quote or '"', source.escape
    if escape == quote:
        escape = ""  # a doubled quote, as every layout reads it
    if source.quoting is Quoting.NONE:
        return replace(source, quote="", escape=escape)
    quoted = replace(source, quote=quote, escape=escape, quoting=Quoting.QUOTED)
    if escape or (quote.encode() not in text and _BACKSLASH.encode() not in text):
        return quoted
    layout = Layout(source.delimiter.encode(), quote.encode(), 0, 1 << 20)
    plain = _read(text, layout, final=final)
    if plain.faults == 0 and (len(plain.widths) < 2 or _BACKSLASH.encode() not in text):
        return quoted
    if _BACKSLASH.encode() in text and _read(text, replace(layout, escape=_BACKSLASH.encode()), final=final).regular:
        return replace(quoted, escape=_BACKSLASH)
    tabs = source.delimiter == "\t" and source.quoting is Quoting.FOUND_OUT and not source.quote
    if tabs and plain.faults and _read(text, replace(layout, quote=b""), final=final).regular:
        return replace(quoted, quote="", quoting=Quoting.NONE)
    return quoted


def _read(text: bytes, layout: Layout, *, final: bool) -> _Reading:
    faults, position, widths = 0, 0, Counter[int]()
    while position < len(text) and faults + widths.total() < _ROWS:
        try:
            row = scan_row(text, position, layout, final=final)
        except Incomplete:
            break
        if row.fault is not None:
            faults += 1
        elif row.end > row.start:
            widths[len(row.cells)] += 1
        if row.next < 0:
            break
        position = row.next
    return _Reading(faults, widths)
