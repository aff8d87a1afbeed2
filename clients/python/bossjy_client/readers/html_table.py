"""HTML pages with a table, which many programs write as `.xls`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from bossjy_client.errors import SourceError
from bossjy_client.read_options import ReadOptions
from bossjy_client.readers.document import Document
from bossjy_client.readers.markup import Rows, Spans, read_tables
from bossjy_client.readers.text import encoding_of, opened_text
from bossjy_client.tables import TableRows

_PIECE = 64 * 1024
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*\?>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html|table|head|meta|body|style)\b",
    re.IGNORECASE | re.DOTALL,
)
_CHARSET = re.compile(r"<meta\b[^>]{0,200}charset\s*=\s*[\"']?([\w:.-]{1,40})", re.IGNORECASE)
_UNSEEN = frozenset({"script", "style", "head", "title", "template"})
_BREAKS = frozenset({"br", "p", "div", "li"})


def is_html(document: Document) -> bool:
    """True if the document is an HTML page."""
    return _HTML.match(document.start[:4096]) is not None


def read_html(document: Document, options: ReadOptions) -> TableRows:
    """The rows of a table. Tables are called `table 1`, `table 2` and so on. Raises SourceError."""
    stated = _CHARSET.search(document.start[:8192])
    encoding = document.wide_encoding or (stated[1] if stated and not options.encoding else "")
    if not encoding or not _is_known(encoding):
        encoding = encoding_of(document, options)
    if encoding.lower() in {"gb2312", "gbk"}:
        encoding = "gb18030"

    def rows() -> Rows:
        with opened_text(document, encoding) as text:
            parser = _Tables(document)
            while piece := text.read(_PIECE):
                parser.feed(piece)
                yield from parser.taken()
                if len(parser.rawdata) > document.limits.record_characters:
                    raise SourceError(f"{document.label}: a tag of the page is too long (record_characters)")
            parser.close()
            yield from parser.taken()

    return read_tables(document, options, rows, lambda place: f"table {place + 1}")


def _is_known(encoding: str) -> bool:
    try:
        "".encode(encoding)
    except LookupError:
        return False
    return True


class _Tables(HTMLParser):
    """The rows of all tables in the order of the page. A nested table is a separate table."""

    def __init__(self, document: Document) -> None:
        super().__init__(convert_charrefs=True)
        self._label, self._limits = document.label, document.limits
        self._rows: list[tuple[int, list[str]]] = []
        self._count = 0
        self._open: list[_Table] = []
        self._unseen = 0

    def taken(self) -> Iterator[tuple[int, list[str]]]:
        """The new rows since the last call."""
        rows, self._rows = self._rows, []
        yield from rows

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, a row or a cell; each ends earlier ones without an end tag."""
        if tag in _UNSEEN:
            self._unseen += tag != "head"
        elif tag == "table":
            if len(self._open) >= self._limits.nesting:
                raise SourceError(f"{self._label}: tables are nested too deep (nesting)")
            self._open.append(_Table(self._count, Spans(self._label, self._limits.columns)))
            self._count += 1
        elif self._open:
            table = self._open[-1]
            if tag == "tr":
                self._end_row(table)
                table.begin_row()
            elif tag in {"td", "th"}:
                table.begin_cell(dict(attrs))
            elif tag in _BREAKS and table.text:
                table.text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End the element of the tag."""
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - (tag != "head"))
        elif self._open:
            table = self._open[-1]
            if tag in {"td", "th"}:
                table.end_cell()
            elif tag == "tr":
                self._end_row(table)
            elif tag == "table":
                self._end_row(table)
                self._open.pop()

    def handle_data(self, data: str) -> None:
        """Add the text of a cell."""
        if self._open and not self._unseen:
            table = self._open[-1]
            if table.in_cell:
                table.text.append(data)
                table.length += len(data)
                if table.length > self._limits.record_characters:
                    raise SourceError(f"{self._label}: a cell of the page is too long (record_characters)")

    def close(self) -> None:
        """End the open elements of a truncated page."""
        super().close()
        while self._open:
            self._end_row(self._open.pop())

    def _end_row(self, table: _Table) -> None:
        cells = table.end_row()
        if cells is not None:
            self._rows.append((table.number, cells))


class _Table:
    """A table while it is read."""

    def __init__(self, number: int, spans: Spans) -> None:
        self.number, self._spans = number, spans
        self.text: list[str] = []
        self.length = 0
        self.in_cell = self._in_row = False
        self._across = self._down = 1
        self._exact = ""

    def begin_row(self) -> None:
        self._spans.begin()
        self._in_row = True

    def begin_cell(self, attributes: dict[str, str | None]) -> None:
        if not self._in_row:
            self.begin_row()
        self.end_cell()
        self.in_cell, self.text, self.length = True, [], 0
        self._across, self._down = _span(attributes.get("colspan")), _span(attributes.get("rowspan"))
        # Excel writes the displayed text, such as 1.38E+10, and the number as an attribute.
        self._exact = attributes.get("x:num") or ""

    def end_cell(self) -> None:
        if self.in_cell:
            text = " ".join("".join(self.text).split())
            self._spans.add(self._exact or text, self._across, self._down)
            self.in_cell = False

    def end_row(self) -> list[str] | None:
        if not self._in_row:
            return None
        self.end_cell()
        self._in_row = False
        return self._spans.end()


def _span(text: str | None) -> int:
    return max(1, min(int(text), 65_536)) if text and text.strip().isdecimal() else 1
