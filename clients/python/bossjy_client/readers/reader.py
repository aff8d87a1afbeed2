"""Reader of one file format: the fields of a registration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bossjy_client.read_options import ReadOptions
from bossjy_client.readers.document import Document
from bossjy_client.tables import TableRows


@dataclass(frozen=True, slots=True)
class Reader:
    """One format. `sniff` reads `Document.head`, `start` and, if necessary, more of the document."""

    what: str
    """The format for people, with its article."""
    sniff: Callable[[Document], bool]
    """True if a document has this format. Raises SourceError."""
    read: Callable[[Document, ReadOptions], TableRows]
    """The table of a document, the same bytes each time. Raises SourceError if it cannot be read."""
    needs_file: bool = True
    """True if the document is read several times or not from its start; standard input is then spooled to a file."""
    takes: frozenset[str] = frozenset()
    """The fields of ReadOptions that only some formats have: `sheet`, `skip_hidden_rows`, `records`."""
